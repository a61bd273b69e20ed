"""A study as one page: its sentences, a drawing, its tables; nothing in it is loaded from elsewhere."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

from maps.dossier.tables import Sheet
from maps.front.text import DASH, hundredths, minutes, share, whole
from maps.web.offline import content_policy

STYLE = (
    'body{font:14px/1.5 "Microsoft YaHei","PingFang SC","Noto Sans CJK SC",sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}'
    "table{border-collapse:collapse;font-size:12px}td,th{border:1px solid #ccc;padding:2px 6px;text-align:left}th{background:#eef3fa}"
    "td.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}section{overflow-x:auto}svg{max-width:100%;height:auto}"
    "@page{size:A4 landscape;margin:12mm}@media print{body{max-width:none;margin:0}section{overflow:visible}table{font-size:8pt}"
    "thead{display:table-header-group}tr{break-inside:avoid}h2{break-after:avoid}}"
)
SCREEN = '<meta name="viewport" content="width=device-width, initial-scale=1">'
PRINTED: dict[str, Callable[[float], str]] = {
    "whole": whole,
    "minutes": minutes,
    "cv": hundredths,
    "ratio": hundredths,
    "share": share,
    "money": lambda v: f"{v:,.1f}",
}
"""By what a column holds, as in the workbook."""


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
        parts.append(f"<section><h2>{html.escape(heading)}</h2>{_table(sheet)}</section>")
    if script:
        parts.append(f"<script>{script}</script>")
    body = "".join(parts)
    policy = f'<meta http-equiv="Content-Security-Policy" content="{content_policy(body)}">' if script else ""
    head = f'<meta charset="utf-8">{SCREEN}{policy}<title>{title}</title><style>{STYLE}{style}</style>'
    tag = "zh-CN" if language == "zh" else "en"
    return f'<!doctype html><html lang="{tag}"><head>{head}</head><body>{body}</body></html>\n'


def _table(sheet: Sheet) -> str:
    """A sheet's table, numbers as the workbook prints them."""
    head = "".join(f"<th>{html.escape(str(h))}</th>" for h in sheet.table.columns)
    kinds = [sheet.formats.get(str(h), "") for h in sheet.table.columns]
    rows = (
        "<tr>" + "".join(_cell_said(v, k) for v, k in zip(row, kinds, strict=True)) + "</tr>"
        for row in sheet.table.astype(object).itertuples(index=False, name=None)
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _cell_said(value: object, kind: str) -> str:
    """A cell of the page: numbers right and as a reader takes them in, a dash for none."""
    if isinstance(value, str):
        return f"<td>{html.escape(value)}</td>"
    if not isinstance(value, (int, float, np.number)) or isinstance(value, bool):
        return f"<td>{DASH if pd.isna(value) else html.escape(str(value))}</td>"
    return f'<td class="n">{_number_said(float(value), kind)}</td>'


def _number_said(value: float, kind: str) -> str:
    if not math.isfinite(value):
        return DASH
    if kind in PRINTED:
        return PRINTED[kind](value)
    return f"{value:,.0f}" if abs(value) >= 100 or value == round(value) else f"{value:.3g}"
