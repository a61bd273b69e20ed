"""The plan's map as one drawing inside the page: no script, prints as it stands, readable in grey.

Where what changes lies close together, a second drawing shows that part enlarged, so that symbols do not cover
each other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import pandas as pd
import shapely

from geodata.contract.placenames import shown_name
from maps.front.labels import Placing, TextBox, text_box, text_width
from maps.front.text import phrase, school_page, village_page, whole
from models.impact.losses import longer_ways
from models.plan.decisions import PlanResult

WIDTH = 1000.0
MARGIN = 24.0
CROWDED = 0.4
"""Share of the county's width below which what changes is drawn enlarged, too."""
FAR = 3.0
"""Median distances from the middle beyond which a place is not drawn enlarged."""
LABELS = 40
"""Names beyond which they would cover the drawing."""
NAME_SIZE, TOWN_SIZE, COUNT_SIZE = 22.0, 22.0, 20.0
"""Sizes of letters that room is kept for: those of a phone, as the style sheet has them; a wide screen's are smaller."""
BESIDE = 5.0
"""How far a flow is moved aside where another goes back."""


@dataclass(frozen=True)
class Frame:
    """Degrees to the units of a drawing."""

    west: float
    north: float
    scale: float
    squeeze: float
    height: float

    def at(self, lon: float, lat: float) -> tuple[float, float]:
        """A point in the drawing."""
        return (
            MARGIN + (lon - self.west) * self.squeeze * self.scale,
            MARGIN + (self.north - lat) * self.scale,
        )

    def corners(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """North-west and south-east corner of the drawing in degrees."""
        side, up = MARGIN / self.scale / self.squeeze, MARGIN / self.scale
        wide, high = WIDTH / self.scale / self.squeeze, self.height / self.scale
        return (self.west - side, self.north + up), (self.west - side + wide, self.north + up - high)

    def holds(self, lon: float, lat: float) -> bool:
        """Whether a point lies in the drawing."""
        (west, north), (east, south) = self.corners()
        return west <= lon <= east and south <= lat <= north

    def path(self, shape: object) -> str:
        """Lines or outlines as an SVG path."""
        parts = []
        for part in shapely.get_parts(np.atleast_1d(np.asarray(shape, dtype=object))):
            lines = shapely.get_rings(part) if shapely.get_type_id(part) == 3 else [part]
            for line in lines:
                points = [self.at(x, y) for x, y in shapely.get_coordinates(line)]
                if len(points) > 1:
                    parts.append("M" + "L".join(f"{x:.0f} {y:.0f}" for x, y in points))
        return "".join(parts)


def frame_of(points: Any) -> Frame:
    """The frame that holds some points, longitude and latitude, and is at most as high as wide."""
    west, south = (float(v) for v in points.min(axis=0))
    east, north = (float(v) for v in points.max(axis=0))
    squeeze = math.cos(math.radians((south + north) / 2))
    wide, high = max((east - west) * squeeze, 1e-4), max(north - south, 1e-4)
    scale = (WIDTH - 2 * MARGIN) / max(wide, high / 0.72)
    spare = ((WIDTH - 2 * MARGIN) / scale - wide) / 2 / squeeze
    return Frame(west - spare, north, scale, squeeze, high * scale + 2 * MARGIN)


def drawings(result: PlanResult, language: str) -> list[str]:
    """The county, and what changes enlarged where it is crowded.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}

    Returns
    -------
    list of str
        SVG elements; names are escaped.
    """
    county = result.county
    places = pd.concat([county.schools[["lon", "lat"]], county.villages[["lon", "lat"]]]).to_numpy(
        dtype=float
    )
    if county.townships is not None and len(county.townships):
        west, south, east, north = county.townships.total_bounds
        places = np.vstack([places, [[west, south], [east, north]]])
    whole = frame_of(places)
    changed = _changed_points(result)
    if (
        len(changed) < 2
        or (np.ptp(changed, axis=0) * np.array([whole.squeeze, 1.0]) * whole.scale).max() >= CROWDED * WIDTH
    ):
        return [_drawing(result, whole, language, phrase("picture_county", language))]
    part = frame_of(changed)
    return [
        _drawing(result, whole, language, phrase("picture_county", language), part),
        _drawing(result, part, language, phrase("picture_part", language)),
    ]


def _name(row: Any, name: str, language: str) -> str:
    """What a drawing has room for: one name, in the letters of its language."""
    return str(getattr(row, "name_en", "") or shown_name(name, language)) if language == "en" else name


def _moved(result: PlanResult) -> pd.DataFrame:
    travel = result.verdict.travel
    return travel[travel["changed"].astype(bool)]


def _changed_points(result: PlanResult) -> Any:
    """Villages and schools of everybody who changes school, close by each other or not."""
    moved = _moved(result)
    schools = result.county.schools
    ids = {*moved["school_id"].astype(str), *moved["today_school_id"].astype(str)}
    at = schools[schools["school_id"].astype(str).isin(ids)]
    homes = result.county.villages[result.county.villages["village_id"].isin(moved["village_id"])]
    points = pd.concat([at[["lon", "lat"]], homes[["lon", "lat"]]]).to_numpy(dtype=float)
    if len(points) < 4:
        return points
    # one way across the county would undo the enlargement: what lies far from the middle is left to the county's drawing
    away = np.hypot(*(points - np.median(points, axis=0)).T)
    return points[away <= FAR * max(float(np.median(away)), 1e-4)]


def _drawing(result: PlanResult, frame: Frame, language: str, title: str, part: Frame | None = None) -> str:
    """One drawing; names of what ``part`` draws enlarged are left to it, and its outline is shown."""
    marks = _marks(result, frame, language)
    placing = Placing([m.box for m in marks], WIDTH, frame.height)
    flows = [*_flows(result, frame, part, placing)]  # their numbers choose first, then schools, then towns
    schools = [*_schools(marks, shown_name(result.county.name, language), part, placing)]
    towns = [*_town_names(result, frame, placing, language)]
    inner = [] if part is None else [_outline(frame, part)]
    drawn = [*_ground(result, frame), *inner, *_villages(result, frame, language), *flows, *schools, *towns]
    box = f"0 0 {WIDTH:.0f} {frame.height:.0f}"
    return f'<svg viewBox="{box}" role="img" aria-label={quoteattr(title)}><title>{escape(title)}</title>{"".join(drawn)}</svg>'


def _outline(frame: Frame, part: Frame) -> str:
    (west, north), (east, south) = part.corners()
    (x0, y0), (x1, y1) = frame.at(west, north), frame.at(east, south)
    return f'<rect class="part" x="{x0:.0f}" y="{y0:.0f}" width="{x1 - x0:.0f}" height="{y1 - y0:.0f}"/>'


def _ground(result: PlanResult, frame: Frame) -> Iterator[str]:
    county = result.county
    if county.townships is not None and len(county.townships):
        shapes = shapely.simplify(np.asarray(county.townships.geometry.array, dtype=object), 2e-4)
        for shape in shapes:
            yield f'<path class="town" d="{frame.path(shape)}"/>'
    if county.waters is not None and len(county.waters):
        shapes = shapely.simplify(np.asarray(county.waters.geometry.array, dtype=object), 2e-4)
        for shape in shapes:
            yield f'<path class="water" d="{frame.path(shape)}"/>'


def _town_names(result: PlanResult, frame: Frame, placing: Placing, language: str) -> Iterator[str]:
    """Names of the townships, above or below their middle where symbols or names stand there."""
    towns = result.county.townships
    if towns is None or not len(towns) or "township" not in towns:
        return
    middles = shapely.point_on_surface(np.asarray(towns.geometry.array, dtype=object))
    names = [_name(r, str(r.township), language) for r in towns.itertuples()]
    for text, (lon, lat) in zip(names, shapely.get_coordinates(middles), strict=True):
        x, y = frame.at(float(lon), float(lat))
        lines = [y + step for step in (0, -20, 20, -38, 38, -56, 56)]
        base = lines[placing.best([text_box(text, x, line, "middle", TOWN_SIZE) for line in lines])]
        if frame.holds(float(lon), float(lat)):
            yield f'<text class="townname" x="{x:.0f}" y="{base:.0f}">{escape(text)}</text>'


def _villages(result: PlanResult, frame: Frame, language: str) -> Iterator[str]:
    """Villages as dots; those whose way grows as squares, larger the more minutes are added."""
    added = longer_ways(result.verdict.travel).groupby("village_id")["added"].max()
    moved = set(_moved(result)["village_id"])
    for r in result.county.villages.itertuples():
        x, y = frame.at(float(r.lon), float(r.lat))
        if r.village_id in added.index:
            size = 9 if added[r.village_id] <= 5 else 13 if added[r.village_id] <= 15 else 18
            told_more = f"{_name(r, str(r.name), language)} +{whole(added[r.village_id])}"
            mark = f'<rect class="longer" x="{x - size / 2:.1f}" y="{y - size / 2:.1f}" width="{size}" height="{size}"><title>{escape(told_more)}</title></rect>'
        else:
            kind = "moved" if r.village_id in moved else "village"
            mark = f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{5 if kind == "moved" else 2.2}"><title>{escape(_name(r, str(r.name), language))}</title></circle>'
        yield f"<a href={quoteattr(village_page(r.village_id))}>{mark}</a>" if r.village_id in moved else mark


def _flows(result: PlanResult, frame: Frame, part: Frame | None, placing: Placing) -> Iterator[str]:
    """Pupils from today's school to the plan's, as arrows with their number."""
    hidden = {
        str(r.school_id)
        for r in result.county.schools.itertuples()
        if part and part.holds(float(r.lon), float(r.lat))
    }
    at = {str(r.school_id): frame.at(float(r.lon), float(r.lat)) for r in result.county.schools.itertuples()}
    sums = _moved(result).groupby(["today_school_id", "school_id"])["pupils"].sum()
    for (start, end), pupils in sums.items():
        if start not in at or end not in at:
            continue
        (x0, y0), (x1, y1) = at[start], at[end]
        length = math.hypot(x1 - x0, y1 - y0)
        if length < 1:
            continue
        ux, uy = (x1 - x0) / length, (y1 - y0) / length
        if (end, start) in sums.index:  # there and back lie beside each other
            x0, y0, x1, y1 = x0 - uy * BESIDE, y0 + ux * BESIDE, x1 - uy * BESIDE, y1 + ux * BESIDE
        tip_x, tip_y = x1 - ux * min(12, length / 3), y1 - uy * min(12, length / 3)
        wide = 2 + min(6.0, float(pupils) / 80)
        head = 7 + wide
        wings = [
            (tip_x - ux * head - uy * head * s / 2, tip_y - uy * head + ux * head * s / 2) for s in (1, -1)
        ]
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in ((tip_x, tip_y), *wings))
        yield f'<line class="flow" x1="{x0:.1f}" y1="{y0:.1f}" x2="{tip_x - ux * head / 2:.1f}" y2="{tip_y - uy * head / 2:.1f}" stroke-width="{wide:.1f}"/>'
        yield f'<polygon class="flowhead" points="{points}"/>'
        if {start, end} <= hidden:
            continue
        text = whole(pupils)
        away = 8 + text_width(text, COUNT_SIZE) / 2 * abs(uy) + COUNT_SIZE / 2 * abs(ux)
        spots = [
            (x0 + (x1 - x0) * t - uy * away * side, y0 + (y1 - y0) * t + ux * away * side + 5)
            for t in (0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8)
            for side in (1, -1)
        ]
        at_x, base = spots[placing.best([text_box(text, x, y, "middle", COUNT_SIZE) for x, y in spots])]
        yield f'<text class="count" x="{at_x:.0f}" y="{base:.0f}">{text}</text>'


@dataclass(frozen=True)
class _Mark:
    """A school in a drawing."""

    school_id: str
    name: str
    lon: float
    lat: float
    x: float
    y: float
    radius: float
    kind: str

    @property
    def box(self) -> TextBox:
        """What its symbol covers."""
        return self.x - self.radius, self.y - self.radius, self.x + self.radius, self.y + self.radius


def _marks(result: PlanResult, frame: Frame, language: str) -> list[_Mark]:
    """Schools that a drawing shows, by what happens to them."""
    units = result.verdict.units
    size = units.groupby("school_id")["pupils_plan"].sum()
    open_after = units.groupby("school_id")["open_plan"].any()
    bands = result.plan.bands
    shut = set(bands.loc[bands["was_open"].astype(bool) & ~bands["open"].astype(bool), "school_id"])
    moved = _moved(result)
    gives, takes = set(moved["today_school_id"]), set(moved["school_id"])
    found = []
    for r in result.county.schools.sort_values("school_id").itertuples():
        if r.school_id not in open_after.index or not frame.holds(float(r.lon), float(r.lat)):
            continue
        x, y = frame.at(float(r.lon), float(r.lat))
        radius = 4 + math.sqrt(float(size.get(r.school_id, 0))) / 5
        kind = "take" if r.school_id in takes else "give" if r.school_id in gives else "school"
        kind = "close" if not open_after[r.school_id] else "reduce" if r.school_id in shut else kind
        found.append(
            _Mark(
                str(r.school_id),
                _name(r, str(r.name), language),
                float(r.lon),
                float(r.lat),
                x,
                y,
                radius,
                kind,
            )
        )
    return found


def _schools(marks: list[_Mark], within: str, part: Frame | None, placing: Placing) -> Iterator[str]:
    """Each school as a link to its page; names of those that give or take pupils, without the county's before them."""
    told = [m for m in marks if m.kind != "school" and not (part and part.holds(m.lon, m.lat))][:LABELS]
    for m in marks:
        label = _label(m.name.removeprefix(within).strip() or m.name, m, placing) if m in told else ""
        yield f"<a href={quoteattr(school_page(m.school_id))}>{_symbol(m.kind, m.x, m.y, m.radius)}{label}<title>{escape(m.name)}</title></a>"


def _symbol(kind: str, x: float, y: float, radius: float) -> str:
    """A cross for what closes, a diamond for what ends grades, a circle as large as its pupils for the rest."""
    if kind == "close":
        return f'<path class="close" d="M{x - 9:.1f} {y - 9:.1f}L{x + 9:.1f} {y + 9:.1f}M{x - 9:.1f} {y + 9:.1f}L{x + 9:.1f} {y - 9:.1f}"/>'
    if kind == "reduce":
        return f'<path class="reduce" d="M{x:.1f} {y - 10:.1f}L{x + 10:.1f} {y:.1f}L{x:.1f} {y + 10:.1f}L{x - 10:.1f} {y:.1f}Z"/>'
    return f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"/>'


def _label(text: str, mark: _Mark, placing: Placing) -> str:
    """A name beside its symbol, on the first side where it hides nothing."""
    x, y, away = mark.x, mark.y, mark.radius + 4
    sides = (
        (x + away, y + 5, "start"), (x - away, y + 5, "end"), (x, y - away, "middle"), (x, y + away + 14, "middle"),
        (x + away / 2, y - away, "start"), (x + away / 2, y + away + 14, "start"), (x - away / 2, y - away, "end"), (x - away / 2, y + away + 14, "end"),
    )  # fmt: skip
    left, base, anchor = sides[placing.best([text_box(text, *side, NAME_SIZE) for side in sides])]
    return f'<text class="name" x="{left:.0f}" y="{base:.0f}" text-anchor="{anchor}">{escape(text)}</text>'
