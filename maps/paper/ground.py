"""A sheet of paper with a map on it: degrees to points, what lies under the schools, names that do not overlap."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path
from matplotlib.textpath import text_to_path

from geodata.contract.county import County
from geodata.contract.placenames import latin_name, shown_name
from geodata.roads.graph import road_lines
from maps.chart import chinese_font
from maps.extent import Extent, overlap

A3 = (16.54, 11.69)
"""Inches, across."""
TOLERANCE = 2e-4
"""Degrees by which lines under the schools are simplified, about 20 m."""
ROAD_CLASSES = ("motorway", "trunk", "primary", "secondary", "tertiary")
"""Classes of roads that a sheet of paper shows; lanes would hide the rest."""

Rectangle = tuple[float, float, float, float]
"""Left, bottom, width, height as shares of the sheet."""


@dataclass(frozen=True)
class Underlay:
    """What lies under the schools, as lines ready to draw; found once for all maps of a county."""

    waters: list[Any]
    roads: list[Any]
    townships: list[Any]

    def draw(self, axes: Axes) -> None:
        """Draw it on a map."""
        water: dict[str, Any] = {"colors": "#9fc3dd", "linewidths": 2.2, "zorder": 1}
        road: dict[str, Any] = {"colors": "#c9c2b4", "linewidths": 0.9, "zorder": 1}
        town: dict[str, Any] = {
            "colors": "#777777",
            "linewidths": 0.8,
            "linestyles": (0, (5, 3)),
            "zorder": 2,
        }
        for lines, look in ((self.waters, water), (self.roads, road), (self.townships, town)):
            if lines:
                axes.add_collection(LineCollection(lines, **look))


@dataclass(frozen=True)
class Pen:
    """How a sheet is written: its language, its fonts, and whether it can write Chinese letters at all.

    Parameters
    ----------
    language : {"zh", "en"}
        That of the words; English where there is no Chinese font.
    family : list of str
    chinese : bool
    underlay : Underlay
        What it draws under every map.
    """

    language: str
    family: list[str]
    chinese: bool
    underlay: Underlay

    def font(self, size: float, bold: bool = False) -> FontProperties:
        """A font of a size in points."""
        return FontProperties(family=self.family, size=size, weight="bold" if bold else "normal")

    def place(self, name: object) -> str:
        """A name of a place as this pen can write it."""
        return shown_name(str(name), self.language) if self.chinese else latin_name(str(name))


def pen_for(county: County, language: str) -> Pen:
    """The pen of a county in a language, with the fonts that are installed."""
    found = chinese_font()
    family = [*([found] if found else []), "DejaVu Sans"]
    return Pen(
        language if found else "en",
        family[:1] if language == "zh" else family[::-1][:1],
        found is not None,
        underlay_of(county),
    )


@dataclass(frozen=True)
class MapSheet:
    """A map on a sheet.

    Parameters
    ----------
    axes : matplotlib Axes
    extent : tuple of float
        What it shows, in degrees.
    scale : float
        Points on paper for a degree of latitude.
    squeeze : float
        A degree of longitude over one of latitude.
    pen : Pen
    taken : list
        Boxes in points that names and symbols cover already.
    hidden : list
        Boxes in points that an enlarged part covers or shows itself.
    names : list
        Outlines, ground and colour of each name that was placed.
    within : str
        A place whose name is left out before those of its schools: that of the county, where its seat is enlarged.
    """

    axes: Axes
    extent: Extent
    scale: float
    squeeze: float
    pen: Pen
    taken: list[tuple[float, float, float, float]] = field(default_factory=list)
    hidden: list[tuple[float, float, float, float]] = field(default_factory=list)
    names: list[tuple[Path, list[tuple[float, float]], str]] = field(default_factory=list)
    within: str = ""

    def at(self, lon: float, lat: float) -> tuple[float, float]:
        """A point in points from the map's south-west corner."""
        return (lon - self.extent[0]) * self.squeeze * self.scale, (lat - self.extent[1]) * self.scale

    def dots(self, points: Any, **look: Any) -> None:
        """Marks at longitude and latitude, shape (N, 2); none for no points."""
        at = np.reshape(np.asarray(points, dtype=float), (-1, 2))
        self.axes.scatter(at[:, 0], at[:, 1], **look)

    def degrees(self, points: Any) -> Any:
        """Points from the map's corner as longitude and latitude, shape (N, 2)."""
        return points / (self.squeeze * self.scale, self.scale) + self.extent[:2]

    def holds(self, lon: float, lat: float) -> bool:
        """Whether a point lies on the map."""
        west, south, east, north = self.extent
        return west <= lon <= east and south <= lat <= north

    def hides(self, lon: float, lat: float) -> bool:
        """Whether the enlarged part has a point."""
        x, y = self.at(lon, lat)
        return any(b[0] < x < b[2] and b[1] < y < b[3] for b in self.hidden)

    def place(self, name: object) -> str:
        """A name of a place as this map says it."""
        text = self.pen.place(name)
        inner = text.removeprefix(self.pen.place(self.within)).strip() if self.within else text
        return inner or text

    def cover(self, lon: float, lat: float, size: float) -> None:
        """Keep names off a symbol of a size in points."""
        x, y = self.at(lon, lat)
        self.taken.append((x - size / 2, y - size / 2, x + size / 2, y + size / 2))

    def name(
        self, lon: float, lat: float, text: str, size: float, away: float, must: bool = False, **look: Any
    ) -> None:
        """Write a name beside a point, on the first side that is free; one that must be told on the side that hides least."""
        if not self.holds(lon, lat):
            return
        x, y = self.at(lon, lat)
        letters = letters_of(text, tuple(self.pen.family), bool(look.get("bold")))
        wide = float(np.max(letters.vertices, initial=0.0, axis=0)[0]) * size + 1
        sides = (
            (x + away, y - size / 2), (x - away - wide, y - size / 2), (x - wide / 2, y + away), (x - wide / 2, y - away - size),
            (x + away * 0.7, y + away * 0.5), (x + away * 0.7, y - away * 0.5 - size), (x - away * 0.7 - wide, y + away * 0.5), (x - away * 0.7 - wide, y - away * 0.5 - size),
        )  # fmt: skip
        right = (self.extent[2] - self.extent[0]) * self.squeeze * self.scale
        boxes = [(a, b, a + wide, b + size) for a, b in sides if a > 0 and a + wide < right]
        free = next((box for box in boxes if not any(overlap(box, t) for t in self.taken)), None)
        if free is None and must and boxes:
            free = min(boxes, key=lambda box: sum(overlap(box, t) for t in self.taken))
        if free is None:
            return
        self.taken.append(free)
        lon, lat = self.extent[0] + free[0] / self.squeeze / self.scale, self.extent[1] + free[1] / self.scale
        step = size / (self.squeeze * self.scale), size / self.scale
        drawn = Path(
            np.asarray(letters.vertices, dtype=float) * np.array(step) + np.array([lon, lat]), letters.codes
        )
        box = [(lon, lat), (lon + wide * step[0] / size, lat), (lon + wide * step[0] / size, lat + step[1]), (lon, lat + step[1])]  # fmt: skip
        self.names.append((drawn, box, str(look.get("color", "#111111"))))

    def write_names(self) -> None:
        """Draw the names that were placed, each on a white ground: as one drawing, which takes a third of the time."""
        if not self.names:
            return
        drawn, boxes, colours = zip(*self.names, strict=True)
        self.axes.add_collection(PolyCollection(boxes, facecolors="white", edgecolors="none", alpha=0.72, zorder=8.5))  # fmt: skip
        self.axes.add_collection(PathCollection(drawn, facecolors=colours, edgecolors="none", linewidths=0, zorder=9))  # fmt: skip


@cache
def letters_of(text: str, family: tuple[str, ...], bold: bool) -> Path:
    """The outlines of a text, one unit high, standing on its lower edge."""
    font = FontProperties(family=list(family), size=100, weight="bold" if bold else "normal")
    vertices, codes = text_to_path.get_text_path(font, text)
    points = np.reshape(np.asarray(vertices, dtype=float), (-1, 2)) / 100 + (0.0, 0.18)
    return Path(points, codes if len(points) else None)


@dataclass(frozen=True)
class Inset:
    """Where an enlarged part stands on a map: its corner, and how much room the county leaves for it.

    Parameters
    ----------
    corner : tuple of int
        0 or 1 for left or right, bottom or top.
    margin : float
        The map's scale is this much smaller than what would fill the box.
    """

    corner: tuple[int, int] = (0, 0)
    margin: float = 1.06


def shown_extent(
    figure: Figure, box: Rectangle, extent: Extent, inset: Inset | None = None
) -> tuple[Extent, float, float]:
    """What a box shows of an extent, points a degree of latitude, and the shortness of a degree of longitude.

    The county stands in the middle, or away from the corner that an enlarged part takes.
    """
    west, south, east, north = extent
    squeeze = math.cos(math.radians((south + north) / 2))
    wide, high = (points * 72 for points in (figure.get_figwidth() * box[2], figure.get_figheight() * box[3]))
    scale = min(wide / max((east - west) * squeeze, 1e-4), high / max(north - south, 1e-4))
    scale /= Inset.margin if inset is None else inset.margin
    width, height = wide / scale / squeeze, high / scale
    x, y = (0.5, 0.5) if inset is None else ((0.9, 0.1)[inset.corner[0]], (0.9, 0.1)[inset.corner[1]])
    left, low = west - (width - (east - west)) * x, south - (height - (north - south)) * y
    return (left, low, left + width, low + height), scale, squeeze


def map_on(
    figure: Figure, box: Rectangle, extent: Extent, pen: Pen, inset: Inset | None = None, within: str = ""
) -> MapSheet:
    """A map of a part of the county on a part of the sheet, with the ground drawn.

    Parameters
    ----------
    figure : Figure
    box : tuple of float
    extent : tuple of float
        Widened on two sides until it fills the box.
    pen : Pen
    inset : Inset or None
    within : str
        As `MapSheet` has it.
    """
    shown, scale, squeeze = shown_extent(figure, box, extent, inset)
    axes = figure.add_axes(box)
    axes.set(xlim=(shown[0], shown[2]), ylim=(shown[1], shown[3]), xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(color="#555555", linewidth=0.8)
    sheet = MapSheet(axes, shown, scale, squeeze, pen, within=within)
    pen.underlay.draw(axes)
    return sheet


def _lines(shapes: Any) -> list[Any]:
    """Points of all lines and outlines of some geometries."""
    found = []
    for part in shapely.get_parts(shapely.simplify(np.asarray(shapes, dtype=object), TOLERANCE)):
        rings = shapely.get_rings(part) if shapely.get_type_id(part) == 3 else [part]
        found += [xy for ring in rings if len(xy := shapely.get_coordinates(ring)) > 1]
    return found


def underlay_of(county: County) -> Underlay:
    """The ground of a county; what its folder does not hold is empty."""
    waters, roads, towns = [], [], []
    if county.waters is not None and len(county.waters):
        waters = _lines(county.waters.geometry.array)
    if county.roads is not None:
        streets = road_lines(county.roads)
        kinds = streets["highway"].astype(str).str.split(";").str[0].str.removesuffix("_link")
        roads = _lines(streets.geometry.array[kinds.isin(ROAD_CLASSES).to_numpy()])
    if county.townships is not None and len(county.townships):
        shared = shapely.union_all(
            shapely.boundary(np.asarray(county.townships.geometry.array, dtype=object))
        )
        towns = _lines(shapely.line_merge(shared))
    return Underlay(waters, roads, towns)


def township_names(sheet: MapSheet, county: County) -> None:
    """Names of the townships where they are free of everything else; written last."""
    frame = county.townships
    if frame is None or "township" not in frame:
        return
    for name, point in zip(
        frame["township"], shapely.point_on_surface(frame.geometry.to_numpy()), strict=True
    ):
        lon, lat = shapely.get_coordinates(point)[0]
        sheet.name(lon, lat, sheet.pen.place(name), 10, 1, bold=True, color="#5a6373")
