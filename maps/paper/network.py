"""Two sheets about pupils: the network today and in the plan side by side, and how the way to school changes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from maps.extent import Extent, county_extent, crowded_part
from maps.front.text import minutes, whole
from maps.paper.ground import Inset, MapSheet, Pen, Rectangle, map_on, shown_extent, township_names
from maps.paper.words import atlas_word
from maps.wording import band
from models.impact.losses import longer_ways
from models.plan.decisions import PlanResult

BODY = (0.02, 0.125, 0.96, 0.775)
"""Where the maps of a sheet stand: below its title, above its legend."""
SHAPES = {"circle": "o", "diamond": "D", "square": "s", "hexagon": "h"}
FILL = {"keep": "#cfd8e3", "receive": "#1d6b45", "reduce": "#e9b949", "close": "#7a120c", "today": "#8fb3d1"}
"""Colours that are apart in grey too, light to dark as the pupils who come."""
CLASSES = (
    ("shorter", -np.inf, "v", "#ffffff", 34), ("same", -1.0, ".", "#666666", 16), ("little", 1.0, "s", "#f2d08b", 34),
    ("some", 5.0, "s", "#e08214", 62), ("much", 15.0, "s", "#7f1d12", 100),
)  # fmt: skip
"""By minutes added: word, lower end, mark, colour, size; darker and larger is longer."""
SPANS = (15, 30, 45)
LONGEST = 12
ENLARGED = 0.36
"""The side of an enlarged part over the shorter side of its map."""


@dataclass(frozen=True)
class SchoolMark:
    """A school as it is drawn: its shape by kind, its size by pupils, its fill by what happens to it."""

    lon: float
    lat: float
    name: str
    shape: str
    pupils: tuple[float, float]
    open: tuple[bool, bool]
    over: tuple[bool, bool]
    action: str


def shape_of(kind: str) -> str:
    """The shape of a kind of school, as on the page's map."""
    if kind == "point":
        return "diamond"
    if "junior" in kind:
        return "square"
    return "hexagon" if any(k in kind for k in ("nine", "twelve", "complete")) else "circle"


def marks_of(schools: list[dict[str, Any]]) -> list[SchoolMark]:
    """The schools of a map's payload as marks; sites that take no part in the plan are left out."""
    found = []
    for s in schools:
        if not s["units"]:
            continue
        sides: list[tuple[float, bool, bool]] = []
        for when in (0, 1):
            pupils = sum(u["pupils"][when] or 0 for u in s["units"])
            over = any(
                u["capacity"] is not None and (u["pupils"][when] or 0) > u["capacity"] for u in s["units"]
            )
            sides.append((pupils, any(u["open"][when] for u in s["units"]), over))
        (a, b), (c, d), (e, f) = zip(*sides, strict=True)
        found.append(
            SchoolMark(
                s["at"][1], s["at"][0], s["name"], shape_of(s["kind"]), (a, b), (c, d), (e, f), s["action"]
            )
        )
    return found


def layout_sheet(
    figure: Figure,
    result: PlanResult,
    schools: list[dict[str, Any]],
    villages: list[dict[str, Any]],
    pen: Pen,
) -> None:
    """The network today beside the network of the plan (sources.md 5.1, the layout plan).

    Parameters
    ----------
    figure : Figure
    result : PlanResult
    schools, villages : list of dict
        As `maps.web.sites` and `maps.web.ways` have them.
    pen : Pen
    """
    marks = marks_of(schools)
    left, bottom, wide, high = BODY
    half = wide / 2 - 0.005
    for when, start in ((0, left), (1, left + wide / 2 + 0.005)):

        def fill(sheet: MapSheet, inset: bool, when: int = when) -> None:
            _links(sheet, schools, villages, when)
            _schools(sheet, marks, when, inset)

        title = atlas_word("proposal" if when else "today", pen.language)
        sheet = with_inset(figure, result, (start, bottom, half, high), pen, fill)
        sheet.axes.text(0.012, 0.985, title, transform=sheet.axes.transAxes, va="top", fontproperties=pen.font(15, True), zorder=10)  # fmt: skip
    shapes = [Line2D([], [], marker=SHAPES[k], color="none", markerfacecolor=FILL["keep"], markeredgecolor="#222", markersize=9, label=atlas_word(f"kind_{k}", pen.language)) for k in SHAPES]  # fmt: skip
    acts = [_action_key(a, pen) for a in ("keep", "receive", "reduce", "close")]
    over = Line2D([], [], marker="o", color="none", markerfacecolor="white", markeredgecolor="#222", markeredgewidth=2.6, markersize=9, label=atlas_word("over", pen.language))  # fmt: skip
    link = Line2D([], [], color="#555", linewidth=0.7, label=atlas_word("link", pen.language))
    legend(figure, [*shapes, *acts, over, link, *ground_keys(pen)], pen)


def _action_key(action: str, pen: Pen) -> Line2D:
    mark = {"close": "X", "reduce": "v"}.get(action, "o")
    return Line2D([], [], marker=mark, color="none", markerfacecolor=FILL[action], markeredgecolor="#222", markersize=10, label=atlas_word(f"action_{action}", pen.language))  # fmt: skip


def ground_keys(pen: Pen) -> list[Line2D]:
    """Keys of what lies under the schools."""
    return [
        Line2D([], [], marker=".", color="none", markerfacecolor="#222", markeredgecolor="none", markersize=7, label=atlas_word("village", pen.language)),
        Line2D([], [], color="#777", linewidth=0.9, linestyle=(0, (5, 3)), label=atlas_word("township", pen.language)),
        Line2D([], [], color="#c9c2b4", linewidth=1.6, label=atlas_word("road", pen.language)),
        Line2D([], [], color="#9fc3dd", linewidth=2.4, label=atlas_word("water", pen.language)),
    ]  # fmt: skip


def legend(figure: Figure, keys: list[Line2D], pen: Pen) -> None:
    """The keys below the maps, in rows of six."""
    figure.legend(handles=keys, loc="lower left", bbox_to_anchor=(0.02, 0.03), ncols=6 if pen.language == "en" else 7, prop=pen.font(9.5), frameon=False, handletextpad=0.5, columnspacing=1.4, labelspacing=0.55)  # fmt: skip


def with_inset(figure: Figure, result: PlanResult, box: tuple[float, float, float, float], pen: Pen, fill: Callable[[MapSheet, bool], None]) -> MapSheet:  # fmt: skip
    """A map of the county, and the seat enlarged in its corner where its schools would cover each other.

    Parameters
    ----------
    fill : callable
        Draws on a map; the second argument says whether it is the enlarged part, or the map has one.
    """
    county = result.county
    extent = county_extent(county)
    part = crowded_part(result, extent)
    where = inset_place(figure, result, box, extent) if part is not None else None
    sheet = map_on(figure, box, extent, pen, where)
    if part is not None and where is not None:
        inner = inset_box(figure, box, where)
        inset = map_on(figure, inner, part, pen, within=county.name)
        inset.axes.set_facecolor("white")
        inset.axes.set_zorder(5)
        _outline(sheet, inset)
        fill(inset, True)
        inset.write_names()
        label = atlas_word("inset", pen.language)
        inset.axes.text(0.02, 0.97, label, transform=inset.axes.transAxes, va="top", fontproperties=pen.font(9, True), zorder=10)  # fmt: skip
        sheet.hidden.append((*sheet.at(*inset.extent[:2]), *sheet.at(*inset.extent[2:])))
        dots = 72 * figure.get_figwidth(), 72 * figure.get_figheight()
        x, y = (inner[0] - box[0]) * dots[0], (inner[1] - box[1]) * dots[1]
        sheet.hidden.append((x, y, x + inner[2] * dots[0], y + inner[3] * dots[1]))
        sheet.taken.extend(sheet.hidden)
    fill(sheet, False)
    township_names(sheet, county)
    sheet.write_names()
    return sheet


def inset_box(figure: Figure, box: Rectangle, where: Inset) -> Rectangle:
    """The enlarged part's place on the sheet: a third of the map's shorter side, in its corner."""
    inches = ENLARGED * min(box[2] * figure.get_figwidth(), box[3] * figure.get_figheight())
    wide, high = inches / figure.get_figwidth(), 0.86 * inches / figure.get_figheight()
    left = box[0] + where.corner[0] * (box[2] - wide - 0.008) + 0.004
    return left, box[1] + where.corner[1] * (box[3] - high - 0.012) + 0.006, wide, high


def inset_place(figure: Figure, result: PlanResult, box: Rectangle, extent: Extent) -> Inset:
    """The corner and the scale at which the enlarged part hides the fewest schools and villages, the scale kept large."""
    county = result.county
    points = np.vstack([t[["lon", "lat"]].to_numpy(dtype=float) for t in (county.schools, county.villages)])
    tried = []
    for margin, corner in product(
        (1.06, 1.12, 1.2, 1.3), ((0, 0), (1, 0), (1, 1))
    ):  # the title stands top left
        where = Inset(corner, margin)
        (west, south, east, north), _, _ = shown_extent(figure, box, extent, where)
        inner = inset_box(figure, box, where)
        x = (points[:, 0] - west) / (east - west) * box[2] + box[0]
        y = (points[:, 1] - south) / (north - south) * box[3] + box[1]
        inside = (inner[0] < x) & (x < inner[0] + inner[2]) & (inner[1] < y) & (y < inner[1] + inner[3])
        tried.append((int(inside.sum()), margin, corner))
    _, margin, corner = min(tried)
    return Inset(corner, margin)


def _outline(sheet: MapSheet, inset: MapSheet) -> None:
    west, south, east, north = inset.extent
    sheet.axes.plot([west, east, east, west, west], [south, south, north, north, south], color="#222", linewidth=1.0, linestyle="--", zorder=8)  # fmt: skip


def _links(sheet: MapSheet, schools: list[dict[str, Any]], villages: list[dict[str, Any]], when: int) -> None:
    ends = []
    for v in villages:
        for target in sorted({g["to"][when] for g in v["groups"] if g["zone"] and g["to"][when] >= 0}):
            ends.append([v["at"][::-1], schools[target]["at"][::-1]])
    sheet.axes.add_collection(LineCollection(ends, colors="#555", linewidths=0.45, alpha=0.7, zorder=3))
    at = np.array([v["at"][::-1] for v in villages], dtype=float).reshape(-1, 2)
    sheet.dots(at, s=4, c="#222", linewidths=0, zorder=4)


def _schools(sheet: MapSheet, marks: list[SchoolMark], when: int, inset: bool) -> None:
    most = max([max(m.pupils) for m in marks], default=1.0) or 1.0
    drawn: list[tuple[SchoolMark, float]] = []
    batches: dict[tuple[int, str], list[tuple[float, float, float, str, float]]] = {}
    for m in marks:
        if not sheet.holds(m.lon, m.lat) or not (m.open[when] or m.open[0]):
            continue
        action = m.action if when else "today"
        size = 5 + (20 if inset else 15) * float(np.sqrt(m.pupils[when] / most))
        shape = {"close": "X", "reduce": "v"}.get(action, SHAPES[m.shape])
        size = max(size, 11) if action in ("close", "reduce", "receive") else size
        edge = 2.4 if m.over[when] else 0.9
        order = 7 if action in ("close", "reduce", "receive") else 6
        look = (m.lon, m.lat, size**2, FILL.get(action, FILL["keep"]), edge)
        batches.setdefault((order, shape), []).append(look)
        if action == "receive":
            batches.setdefault((8, "+"), []).append((m.lon, m.lat, (0.6 * size) ** 2, "white", 1.8))
        sheet.cover(m.lon, m.lat, size)
        drawn.append((m, size))
    for (order, shape), looks in sorted(batches.items()):
        lon, lat, sizes, colours, edges = zip(*looks, strict=True)
        line = {"c": colours} if shape == "+" else {"c": colours, "edgecolors": "#222"}
        sheet.axes.scatter(lon, lat, s=sizes, marker=shape, linewidths=edges, zorder=order, **line)
    for m, size in sorted(drawn, key=lambda d: (d[0].action == "keep", -max(d[0].pupils), d[0].name)):
        changed = m.action in ("close", "reduce", "receive")
        if sheet.hides(m.lon, m.lat):
            continue  # the enlarged part has its name
        sheet.name(m.lon, m.lat, sheet.place(m.name), 8.5 if changed else 7, size / 2 + 1, (inset and changed) or m.action in ("close", "reduce"), bold=changed)  # fmt: skip


def travel_sheet(
    figure: Figure,
    result: PlanResult,
    schools: list[dict[str, Any]],
    villages: list[dict[str, Any]],
    pen: Pen,
) -> None:
    """Villages by minutes added, pupils by minutes of their way, and the villages that lose most (sources.md 5.1).

    Parameters
    ----------
    figure : Figure
    result : PlanResult
    schools, villages : list of dict
        As `maps.web.sites` and `maps.web.ways` have them.
    pen : Pen
    """
    left, bottom, wide, high = BODY
    travel = result.verdict.travel
    change = travel.assign(added=travel["minutes"].astype(float) - travel["minutes_today"].astype(float))
    change = change[change["group"] == "zone"]
    added = change.groupby("village_id")["added"].max()

    def fill(sheet: MapSheet, inset: bool) -> None:
        _moved(sheet, schools, villages)
        _villages(sheet, villages, added)
        at = [(m.lon, m.lat) for m in marks_of(schools) if m.open[1]]
        sheet.dots(at, s=16, marker="^", c="white", edgecolors="#222", linewidths=0.7, zorder=5)  # fmt: skip
        first = sorted(villages, key=lambda v: (-_told(added.get(v["id"])), v["id"]))[:40]
        for v in first:
            if _told(added.get(v["id"])) >= 1.0 and not sheet.hides(*v["at"][::-1]):
                text = f"{sheet.place(v['name'])} +{added[v['id']]:.0f}"
                sheet.name(v["at"][1], v["at"][0], text, 8, 6)

    with_inset(figure, result, (left, bottom, wide * 0.68, high), pen, fill)
    _bars(figure, travel, (left + wide * 0.72, bottom + high * 0.56, wide * 0.27, high * 0.36), pen)
    _longest(figure, result, (left + wide * 0.70, bottom, wide * 0.30, high * 0.47), pen)
    keys = [Line2D([], [], marker=m, color="none", markerfacecolor=c, markeredgecolor="#222", markersize=float(np.sqrt(s)) * 1.1, label=atlas_word(f"added_{k}", pen.language)) for k, _, m, c, s in CLASSES]  # fmt: skip
    keys.append(Line2D([], [], marker="$?$", color="none", markerfacecolor="#222", markeredgecolor="#222", markersize=7, label=atlas_word("added_unknown", pen.language)))  # fmt: skip
    keys.append(Line2D([], [], marker="o", color="none", markerfacecolor="none", markeredgecolor="#222", markeredgewidth=1.6, markersize=12, label=atlas_word("beyond", pen.language)))  # fmt: skip
    keys.append(Line2D([], [], color="#222", linewidth=1.0, label=atlas_word("moved", pen.language)))
    keys.append(Line2D([], [], marker="^", color="none", markerfacecolor="white", markeredgecolor="#222", markersize=6, label=atlas_word("school", pen.language)))  # fmt: skip
    legend(figure, [*keys, *ground_keys(pen)[1:]], pen)


def _told(value: float | None) -> float:
    """A number of minutes, none below all."""
    return float("-inf") if value is None or math.isnan(value) else value


def _moved(sheet: MapSheet, schools: list[dict[str, Any]], villages: list[dict[str, Any]]) -> None:
    lines = []
    for v in villages:
        for target in sorted({g["to"][1] for g in v["groups"] if g["changed"] and g["to"][1] >= 0}):
            lines.append([v["at"][::-1], schools[target]["at"][::-1]])
    sheet.axes.add_collection(LineCollection(lines, colors="#222", linewidths=0.9, zorder=3))


def _villages(sheet: MapSheet, villages: list[dict[str, Any]], added: pd.Series) -> None:
    """Marks by class; villages beyond the limit have a ring, unknown ones a question mark."""
    own = [v for v in villages if any(g["zone"] for g in v["groups"])]
    more = np.array([_told(added.get(v["id"])) for v in own])
    at = np.array([v["at"][::-1] for v in own], dtype=float).reshape(-1, 2)
    unknown = np.isneginf(more)
    ends = [*(c[1] for c in CLASSES[1:]), np.inf]
    for (_, low, mark, colour, size), end in zip(CLASSES, ends, strict=True):
        here = ~unknown & (more > low) & (more <= end)
        sheet.dots(at[here], s=size, marker=mark, c=colour, edgecolors="#222", linewidths=0.6 if mark != "." else 0, zorder=6)  # fmt: skip
    sheet.dots(at[unknown], s=42, marker="$?$", c="#222", zorder=6)
    over = np.array([any(g["zone"] and g["over"][1] for g in v["groups"]) for v in own], dtype=bool)
    sheet.dots(at[over], s=120, marker="o", facecolors="none", edgecolors="#222", linewidths=1.1, zorder=6)  # fmt: skip


def _bars(figure: Figure, travel: pd.DataFrame, box: tuple[float, float, float, float], pen: Pen) -> None:
    axes = figure.add_axes(box)
    names = [f"≤{SPANS[0]}", *(f"{a}–{b}" for a, b in pairwise(SPANS)), f">{SPANS[-1]}"]
    for k, (column, end, colour) in enumerate(
        (("minutes_today", "today", "#e3e6ea"), ("minutes", "proposal", "#4a5a6e"))
    ):
        known = travel[travel[column].notna()]
        part = np.searchsorted(SPANS, known[column].to_numpy(dtype=float), side="left")
        many = np.bincount(part, weights=known["pupils"].to_numpy(dtype=float), minlength=len(names))
        bars = axes.bar(np.arange(len(names)) + 0.4 * k, many, 0.38, color=colour, edgecolor="#222", linewidth=0.7, label=atlas_word(end, pen.language))  # fmt: skip
        axes.bar_label(bars, [whole(n) for n in many], fontproperties=pen.font(8), padding=2)
    axes.set_xticks(np.arange(len(names)) + 0.2, names)
    axes.set_yticks([])
    axes.set_xlabel(atlas_word("bars_axis", pen.language), fontproperties=pen.font(9))
    axes.set_title(atlas_word("bars_title", pen.language), fontproperties=pen.font(11, True), loc="left")
    axes.legend(prop=pen.font(9), frameon=False)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    for tick in axes.get_xticklabels():
        tick.set_fontproperties(pen.font(9))


def _longest(figure: Figure, result: PlanResult, box: tuple[float, float, float, float], pen: Pen) -> None:
    axes = figure.add_axes(box)
    axes.axis("off")
    axes.set_title(atlas_word("longest_title", pen.language), fontproperties=pen.font(11, True), loc="left")
    rows = longer_ways(result.verdict.travel).head(LONGEST)
    norms = result.county.norms
    lines = [
        atlas_word(
            "longest_row", pen.language, village=pen.place(r.village), band=band(str(r.band), pen.language, norms), today=minutes(r.minutes_today), plan=minutes(r.minutes), pupils=whole(r.pupils),
        )
        for r in rows.itertuples()
    ] or [atlas_word("none_longer", pen.language)]  # fmt: skip
    for k, line in enumerate(lines):
        axes.text(0.0, 0.96 - k / LONGEST, line, transform=axes.transAxes, va="top", fontproperties=pen.font(9.5), parse_math=False)  # fmt: skip
