"""A study as one page: its sentences, a drawing, its tables; nothing in it is loaded from elsewhere."""

from __future__ import annotations

import html
from collections.abc import Iterable

import pandas as pd

from maps.dossier.tables import Sheet
from maps.web.offline import content_policy

STYLE = (
    "body{font:14px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}table{border-collapse:collapse;"
    "font-size:12px}td,th{border:1px solid #ccc;padding:2px 6px;text-align:left}section{overflow-x:auto}svg{max-width:100%}"
)


def told_page(
    said: list[str], sheets: Iterable[tuple[str, Sheet]], language: str, drawing: str = "", style: str = "", script: str = ""
) -> str:  # fmt: skip
    """The page.

    Parameters
    ----------
    said : list of str
        The title first.
    sheets : iterable of (str, Sheet)
        Headings and tables.
    language : {"zh", "en"}
    drawing : str
        SVG, or a block with some.
    style, script : str
        Of that block: nothing else on the page may run, and nothing may be fetched.

    Returns
    -------
    str
    """
    title, *rest = [html.escape(s) for s in said]
    parts = [f"<h1>{title}</h1>", *(f"<p>{s}</p>" for s in rest), drawing]
    for heading, sheet in sheets:
        shown = sheet.table.astype(object).map(_cell_said).to_html(index=False, escape=True, border=0)
        parts.append(f"<section><h2>{html.escape(heading)}</h2>{shown}</section>")
    if script:
        parts.append(f"<script>{script}</script>")
    body = "".join(parts)
    policy = f'<meta http-equiv="Content-Security-Policy" content="{content_policy(body)}">' if script else ""
    head = f'<meta charset="utf-8">{policy}<title>{title}</title><style>{STYLE}{style}</style>'
    return f'<!doctype html><html lang="{language}"><head>{head}</head><body>{body}</body></html>\n'


def _cell_said(value: object) -> str:
    """A cell of the page: numbers as a reader takes them in, a dash for none."""
    if pd.isna(value):
        return "–"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 or value == round(value) else f"{value:.3g}"
    return str(value)
