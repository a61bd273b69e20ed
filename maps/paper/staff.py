"""A sheet about teachers: who gives, who gets, and the flow between the seat, towns and villages."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from geodata.messages import say
from maps.front.text import signed, whole
from maps.paper.ground import MapSheet, Pen
from maps.paper.network import BODY, ground_keys, legend, with_inset
from maps.paper.words import atlas_word
from models.plan.decisions import PlanResult

Points = NDArray[np.float64]
ARROW = "#4b3f72"
ZONES = ("seat", "town", "rural")
GAIN, LOSS, EVEN = "#2b2150", "#ffffff", "#cccccc"
"""Dark gains, white loses: apart on a copy in grey."""


def teacher_flows(result: PlanResult) -> tuple[pd.DataFrame, pd.Series, pd.Series]:
    """Who moves between sites, and the net of each site.

    Parameters
    ----------
    result : PlanResult

    Returns
    -------
    flows : DataFrame
        ``from_school_id, to_school_id, heads``; moves inside a site are left out.
    net : Series of int
        Heads that come by transfer or are hired less heads that leave, by site.
    hired : Series of int
        By site.
    """
    moves = result.plan.staff_moves
    across = moves[moves["from_school_id"].astype(str) != moves["to_school_id"].astype(str)]
    flows = across.groupby(["from_school_id", "to_school_id"], as_index=False)["heads"].sum()
    hired = result.plan.hires.groupby("school_id")["heads"].sum()
    net = (
        flows.groupby("to_school_id")["heads"].sum()
        .sub(flows.groupby("from_school_id")["heads"].sum(), fill_value=0)
        .add(hired, fill_value=0)
    )  # fmt: skip
    return flows, net.astype(int), hired.astype(int)


def zone_matrix(result: PlanResult) -> pd.DataFrame:
    """Heads that move from zone (row) to zone (column), inside a zone included, and ``hired`` as a last row."""
    flows, _, hired = teacher_flows(result)
    zone = result.county.schools.set_index("school_id")["zone"].astype(str)
    named = [z for z in ZONES if z in set(zone)] + sorted(set(zone) - set(ZONES))
    start, end = flows["from_school_id"].map(zone), flows["to_school_id"].map(zone)
    rows = [[int(flows.loc[(start == a) & (end == b), "heads"].sum()) for b in named] for a in named]
    new = hired.groupby(hired.index.map(zone)).sum() if len(hired) else hired
    return pd.DataFrame([*rows, [int(new.get(z, 0)) for z in named]], index=[*named, "hired"], columns=named)


def teachers_sheet(figure: Figure, result: PlanResult, schools: list[dict[str, Any]], pen: Pen) -> None:
    """Arrows from school to school with heads, the net of each, and the flow between zones.

    Parameters
    ----------
    figure : Figure
    result : PlanResult
    schools : list of dict
        As `maps.web.sites` has them.
    pen : Pen
    """
    left, bottom, wide, high = BODY
    flows, net, _ = teacher_flows(result)
    at = {s["id"]: (s["at"][1], s["at"][0]) for s in schools}
    names = {s["id"]: s["name"] for s in schools}

    def fill(sheet: MapSheet, inset: bool) -> None:
        _arrows(sheet, flows, at, inset)
        _net(sheet, net, at, names)
        quiet = [p for i, p in at.items() if i not in net.index]
        sheet.dots(quiet, s=9, c="#9aa3af", linewidths=0, zorder=4)

    with_inset(figure, result, (left, bottom, wide * 0.68, high), pen, fill)
    _zone_table(figure, result, (left + wide * 0.71, bottom + high * 0.45, wide * 0.28, high * 0.45), pen)
    keys = [
        Line2D([], [], marker="o", color="none", markerfacecolor=GAIN, markeredgecolor="#222", markersize=11, label=atlas_word("gain", pen.language)),
        Line2D([], [], marker="o", color="none", markerfacecolor=LOSS, markeredgecolor="#222", markersize=11, markeredgewidth=1.4, label=atlas_word("loss", pen.language)),
        Line2D([], [], marker="o", color="none", markerfacecolor=EVEN, markeredgecolor="#222", markersize=11, label=atlas_word("even", pen.language)),
        Line2D([], [], color="#222", linewidth=1.6, marker=">", markersize=7, label=atlas_word("flow", pen.language)),
    ]  # fmt: skip
    legend(figure, [*keys, *ground_keys(pen)[1:]], pen)


def _arrows(sheet: MapSheet, flows: pd.DataFrame, at: dict[str, tuple[float, float]], inset: bool) -> None:
    """Bent arrows, wider with heads, drawn as one collection."""
    shafts, heads, widths = [], [], []
    for r in flows.sort_values("heads", ascending=False, kind="stable").itertuples():
        if r.from_school_id not in at or r.to_school_id not in at:
            continue
        start, end = at[r.from_school_id], at[r.to_school_id]
        if inset and not (sheet.holds(*start) and sheet.holds(*end)):
            continue  # a line from beyond the enlarged part would only hide it
        if not inset and sheet.hides(*start) and sheet.hides(*end):
            continue
        shaft, head = _bow(np.array(sheet.at(*start)), np.array(sheet.at(*end)))
        shafts.append(sheet.degrees(shaft))
        heads.append(sheet.degrees(head))
        widths.append(0.8 + 0.35 * min(float(r.heads), 8))
    look: dict[str, Any] = {"alpha": 0.9, "zorder": 5}
    sheet.axes.add_collection(LineCollection(shafts, colors=ARROW, linewidths=widths, **look))
    sheet.axes.add_collection(PolyCollection(heads, facecolors=ARROW, edgecolors="none", **look))


def _bow(start: Points, end: Points) -> tuple[Points, Points]:
    """Points of a bent line between two symbols, and the three corners of its head."""
    along = end - start
    length = max(float(np.hypot(*along)), 1e-6)
    side = np.array([along[1], -along[0]]) / length
    middle = (start + end) / 2 + side * 0.16 * length
    t = np.linspace(0, 1, 25)[:, None]
    line = (1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end
    clear = line[(np.hypot(*(line - end).T) > 8) & (np.hypot(*(line - start).T) > 6)]
    line = clear if len(clear) > 1 else line
    way = line[-1] - line[-2]
    way = way / max(float(np.hypot(*way)), 1e-6)
    foot, across = line[-1] - 6 * way, np.array([-way[1], way[0]]) * 2.8
    return line, np.array([line[-1], foot + across, foot - across])


def _net(sheet: MapSheet, net: pd.Series, at: dict[str, tuple[float, float]], names: dict[str, str]) -> None:
    order = sorted(net.index, key=lambda i: (-abs(int(net[i])), str(i)))
    shown = [i for i in order if i in at and sheet.holds(*at[i])]
    for i in shown:
        gains = net[i] > 0
        if sheet.hides(*at[i]):
            continue
        colour = GAIN if gains else LOSS if net[i] else EVEN
        sheet.dots(at[i], s=196, c=colour, edgecolors="#222", linewidths=1.2, zorder=7)
        sheet.axes.text(*at[i], signed(whole(net[i])), ha="center", va="center_baseline", fontproperties=sheet.pen.font(7, True), color="white" if gains else "#222", zorder=8, clip_on=True)  # fmt: skip
        sheet.cover(*at[i], 15)
    for i in shown:
        if not sheet.hides(*at[i]):
            sheet.name(*at[i], sheet.place(names[i]), 7.5, 9)


def _zone_table(figure: Figure, result: PlanResult, box: tuple[float, float, float, float], pen: Pen) -> None:
    """Zones by zones, darker with heads, with what leaves, comes and remains."""
    axes = figure.add_axes(box)
    axes.axis("off")
    table = zone_matrix(result)
    moves = table.drop(index="hired")
    if not moves.to_numpy().sum() and not table.to_numpy().sum():
        axes.text(0, 1, atlas_word("no_moves", pen.language), fontproperties=pen.font(11), va="top")
        return
    zones = list(moves.columns)
    word = {z: say(f"map.zone_{z}", pen.language) if z in ZONES else z for z in zones}
    head = ["", *(word[z] for z in zones), atlas_word("zones_out", pen.language)]
    body = [[word[z], *(whole(n) for n in moves.loc[z]), whole(moves.loc[z].sum())] for z in zones]
    into = moves.sum(axis=0)
    last = [
        [atlas_word("zones_into", pen.language), *(whole(into[z]) for z in zones), whole(into.sum())],
        [atlas_word("zones_net", pen.language), *(signed(whole(into[z] - moves.loc[z].sum())) for z in zones), ""],
        [atlas_word("zones_hired", pen.language), *(whole(n) for n in table.loc["hired"]), whole(table.loc["hired"].sum())],
    ]  # fmt: skip
    grid = [head, *body, *last]
    rows, columns = len(grid), len(head)
    top = max(float(moves.to_numpy().max()), 1.0)
    axes.set(xlim=(0, columns), ylim=(rows, 0))
    for r, c in product(range(rows), range(columns)):
        inner = 0 < r <= len(zones) and 0 < c <= len(zones)
        dark = float(moves.iat[r - 1, c - 1]) / top if inner else 0.0
        colour = str(1 - 0.6 * dark) if inner else "#ffffff"
        axes.add_patch(
            Rectangle((c, r), 1, 1, facecolor=colour, edgecolor="#777", linewidth=0.7, clip_on=False)
        )  # its edge is half outside
        bold = r == 0 or c == 0
        axes.text(c + 0.5, r + 0.5, grid[r][c], ha="center", va="center", fontproperties=pen.font(8.5 if len(grid[r][c]) > 9 else 9.5, bold), color="white" if dark > 0.75 else "#111", parse_math=False)  # fmt: skip
    axes.set_title(atlas_word("zones_title", pen.language), fontproperties=pen.font(11, True), loc="left", wrap=True)  # fmt: skip
