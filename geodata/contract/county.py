"""`County`: the validated tables of one county, immutable, with a content hash."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

import geopandas as gpd
import networkx as nx
import pandas as pd

from geodata.contract.declared import declared_tables
from geodata.contract.findings import Finding
from geodata.contract.tables import TABLES, UNKNOWN_WITHOUT
from geodata.contract.validation.placing import empty
from geodata.corrections.trail import Correction
from geodata.roads.cache import file_digest
from geodata.standards.reading import StandardsFile, merge
from geodata.standards.scheme import Norms, Scheme
from geodata.travel.settings import Travel
from geodata.workbook.forms import Row


@dataclass(frozen=True, eq=False)
class County:
    """Everything read about one county; nothing in it is decided.

    Tables have exactly the columns of `geodata.contract.tables`, English names, ids as ``str``, whole numbers
    as ``int64`` (``Int64`` where cells may be empty), flags as ``bool``, rows sorted by key. Points
    are in WGS-84 whatever the file declared; conversions are listed in ``findings``. Assets of
    schools of several stages that were given for the whole school are already divided by the
    weights of the standards (sources.md 1.4).

    Parameters
    ----------
    name : str
        Name in its own language.
    name_en : str
        Name in Latin letters, for English output; equals ``name`` when not given.
    fictional : bool
        True for Nanpu; printed on every output.
    year : int
        Planning year: the year of `demand` that the plan serves.
    schools, school_stage, villages, demand, staff_category, staff_stock, unit_costs, budget : DataFrame
        Tables T1, T2, T4, T5, T8, T9, T12, T13; the last four are empty where the county has none (`lacking`).
        What is measured is NaN where it is not known (docs/data.md, "What is not known").
    enrolment_by_grade, attendance, standards : DataFrame
        Tables T3, T6, T14; empty (with columns) where the county has none.
    standard_files : tuple of str
        Names of the standards that apply, bundled or files of the county, ``("cn_2017_quality",
        "./ours.toml")``; later ones win.
    own_standards : dict
        Content of those that are files, by name.
    modelled : tuple of str
        Names of tables or columns that are modelled, not observed; printed on every output.
    roads : networkx.MultiDiGraph or None
        OSMnx graph, simplified, with ``length`` (m) and ``highway`` on every edge; None means
        crow-fly times, flagged in every output.
    roads_source : str
        Hash of the road file's bytes (empty without roads).
    townships, waters : GeoDataFrame or None
        Optional background in EPSG:4326: polygons with column ``township``; lines or polygons.
    findings : tuple of Finding
        Warnings and notes of reading.
    travel_times, travel_matrix : DataFrame
        Table T16: observed minutes that win over computed ones, and the user's own matrix, which
        replaces them; mostly empty.
    travel : Travel
        ``[travel]`` of county.toml.
    road_areas : GeoDataFrame or None
        Polygons in EPSG:4326 with ``season`` and ``share`` that slow or close roads.
    zones : GeoDataFrame or None
        Polygons of the villages in EPSG:4326, mostly with ``village_id``; drawn, never decided by.
    workbook : Path or None
        The file that is the whole county, where it is one (docs/workbook.md).
    asked : tuple of Row
        Rows of its scenario sheet as they stand; `optimizer.scenario_sheet` reads them.
    corrections : tuple of Correction
        Cells that somebody corrected, as the trail beside the tables says (docs/why.md).
    """

    name: str
    year: int
    schools: pd.DataFrame
    school_stage: pd.DataFrame
    villages: pd.DataFrame
    demand: pd.DataFrame
    staff_category: pd.DataFrame
    staff_stock: pd.DataFrame
    unit_costs: pd.DataFrame
    budget: pd.DataFrame
    enrolment_by_grade: pd.DataFrame
    attendance: pd.DataFrame
    standards: pd.DataFrame
    name_en: str = ""
    fictional: bool = False
    standard_files: tuple[str, ...] = ("cn_2017_quality", "cn_layout")
    modelled: tuple[str, ...] = ()
    roads: nx.MultiDiGraph[Any] | None = field(default=None, repr=False)
    roads_source: str = ""
    townships: gpd.GeoDataFrame | None = field(default=None, repr=False)
    waters: gpd.GeoDataFrame | None = field(default=None, repr=False)
    findings: tuple[Finding, ...] = ()
    folder: Path | None = None
    travel_times: pd.DataFrame = field(default_factory=lambda: empty(TABLES["travel_times"]))
    travel_matrix: pd.DataFrame = field(default_factory=lambda: empty(TABLES["travel_matrix"]))
    travel: Travel = field(default_factory=Travel)
    road_areas: gpd.GeoDataFrame | None = field(default=None, repr=False)
    zones: gpd.GeoDataFrame | None = field(default=None, repr=False)
    own_standards: dict[str, StandardsFile] = field(default_factory=dict, repr=False)
    workbook: Path | None = None
    asked: tuple[Row, ...] = field(default=(), repr=False)
    corrections: tuple[Correction, ...] = field(default=(), repr=False)

    def __repr__(self) -> str:
        """A line: name, year, how much is in it."""
        kind = ", fictional" if self.fictional else ""
        return (
            f"County({self.name!r}, {self.year}{kind}: {len(self.schools)} schools, {len(self.villages)} villages, "
            f"{sum(len(t) > 0 for t in self.tables().values())} tables, {len(self.findings)} findings)"
        )

    def _repr_html_(self) -> str:
        """Its tables with their rows and columns, for notebooks."""
        rows = [(n, len(t), ", ".join(map(str, t.columns))) for n, t in self.tables().items() if len(t)]
        table = pd.DataFrame(rows, columns=["table", "rows", "columns"])
        return f"<p>{escape(repr(self))}</p>" + str(table.to_html(index=False))

    @cached_property
    def norms(self) -> Norms:
        """What the county's standards files say together (T14 comes on top: `load_standards`).

        Raises
        ------
        InputProblems
            For standards that do not exist or contradict each other.
        """
        return merge(self.standard_files, self.own_standards)

    @property
    def scheme(self) -> Scheme:
        """Stages, grade bands and money."""
        return self.norms.scheme

    @property
    def lacking(self) -> tuple[str, ...]:
        """Tables without which something is not known, and that this county does not have."""
        tables = self.tables()
        return tuple(name for name in UNKNOWN_WITHOUT if tables[name].empty)

    @property
    def unknown(self) -> tuple[tuple[str, str], ...]:
        """(table, column) of what is not known somewhere; the column is empty where there is no such table."""
        found = [(name, "") for name in self.lacking]
        for name in ("school_stage", "staff_stock"):
            table = self.tables()[name]
            gaps = {c for c in table if table[c].isna().any()}
            measures = {c.name for c in declared_tables(self.norms)[name].columns if c.measure}
            found += [(name, c) for c in table if c in gaps & measures]
        return tuple(found)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Every table by its contract name, in the order of sources.md 3.4."""
        names = (
            "schools", "school_stage", "enrolment_by_grade", "villages", "demand", "attendance",
            "staff_category", "staff_stock", "unit_costs", "budget", "standards", "travel_times",
            "travel_matrix",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names}

    @property
    def content_hash(self) -> str:
        """SHA-256 of all tables, road file, heights and what applies; the same input, the same hash."""
        digest = hashlib.sha256()
        applies = self.name, str(self.year), self.roads_source, *self.standard_files, *self.modelled
        for part in (*applies, self.travel.model_dump_json(exclude={"cache"})):
            digest.update(part.encode())
            digest.update(b"\0")
        for name, table in self.tables().items():
            digest.update(name.encode())
            digest.update(table.to_csv(index=False, lineterminator="\n").encode())
        for content in self.own_standards.values():
            digest.update(content.model_dump_json().encode())
        if self.road_areas is not None:
            digest.update(self.road_areas.to_json().encode())
        if self.folder is not None and self.travel.dem is not None:
            digest.update(file_digest(self.folder / self.travel.dem).encode())
        return digest.hexdigest()

    def points(self, table: str) -> gpd.GeoDataFrame:
        """`schools` or `villages` with point geometry in EPSG:4326."""
        rows: pd.DataFrame = getattr(self, table)
        return gpd.GeoDataFrame(rows, geometry=gpd.points_from_xy(rows["lon"], rows["lat"]), crs="EPSG:4326")
