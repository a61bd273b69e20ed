"""`map.html`: the plan on one page that asks nothing of the network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import folium
from branca.element import Element

from geodata.messages import say
from geodata.standards.terms import in_its_words
from maps.web.offline import offline
from maps.web.page import page_text
from maps.web.payload import build_payload
from maps.web.plain import escaped_json
from models.plan.decisions import PlanResult

SCRIPTS = ("map.js", "sheets.js", "views.js", "labels.js", "panel.js", "page.js")
MAP_ID = "junheng"


class _Text(Element):  # type: ignore[misc]
    """Text put into the page as it is: never read as a template, whatever a name contains."""

    def __init__(self, text: str):
        super().__init__()
        self._text = text

    def render(self, **_: Any) -> str:
        return self._text


def _script() -> str:
    """The page's own scripts in one closed scope."""
    body = "\n".join(page_text(name) for name in SCRIPTS)
    return f'<script>(function () {{\n"use strict";\n{body}\n}})();</script>'


def folium_map(bounds: list[list[float]]) -> folium.Map:
    """An empty folium map that asks for Leaflet only and has the same name every time.

    Parameters
    ----------
    bounds : list
        South-west and north-east corner, [lat, lon] each.
    """
    (south, west), (north, east) = bounds
    page = folium.Map(
        location=[(south + north) / 2, (west + east) / 2], tiles=None, zoom_start=10, zoom_control=False,
        attributionControl=False, zoomSnap=0, zoomDelta=0.5, wheelPxPerZoomLevel=120,
    )  # fmt: skip
    page._id = MAP_ID  # the default is random, and the same plan must give the same bytes
    page.default_js = [("leaflet", "leaflet.js")]
    page.default_css = [("leaflet_css", "leaflet.css")]
    return page


def map_html(result: PlanResult, language: str = "zh", audited: bool = False) -> str:
    """The whole page as text.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}
        The language it opens in; a button on the page switches to the other.
    audited : bool
        As for `maps.web.payload.build_payload`.

    Returns
    -------
    str
    """
    payload = build_payload(result, language, audited)
    page = folium_map(payload["bounds"])  # type: ignore[arg-type]
    figure = page.get_root()
    title = say("map.audit_page_title" if audited else "map.page_title", language)
    figure.header.add_child(_Text(f"<title>{title}</title>"), name="title")
    figure.header.add_child(_Text(f"<style>{page_text('map.css')}</style>"), name="page_style")
    data = f'<script type="application/json" id="plan-data">{escaped_json(payload)}</script>'
    figure.html.add_child(_Text(page_text("frame.html")), name="frame", index=0)
    figure.html.add_child(_Text(data), name="plan_data")
    figure.html.add_child(_Text(_script()), name="page_script")
    tag = "zh-CN" if language == "zh" else "en"
    return offline(figure.render()).replace("<html>", f'<html lang="{tag}">', 1)


@in_its_words
def write_map(result: PlanResult, path: Path, language: str = "zh", audited: bool = False) -> Path:
    """Write the plan's map: one self-contained HTML file.

    Views: today, proposal, closures with flows to receivers, minutes to school, compliance. Popups
    with the indicators before and after; Chinese and English inside.

    Parameters
    ----------
    result : PlanResult
    path : Path
        The file to write, such as ``map.html``.
    language : {"zh", "en"}
        The language it opens in.
    audited : bool
        As for `maps.web.payload.build_payload`.

    Returns
    -------
    Path
        ``path``.

    Raises
    ------
    ValueError
        For a language that has no catalogue.
    maps.web.offline.UnknownAsset
        If the page would ask the network for anything.
    """
    path.write_text(map_html(result, language, audited), encoding="utf-8", newline="\n")
    return path
