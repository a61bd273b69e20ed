"""Which cells of a county's tables a correction sheet lists: the numbers that a plan uses about some places."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from geodata.contract.columns import Column, Table
from geodata.contract.county import County
from geodata.contract.declared import declared_tables
from geodata.contract.tables import idle_columns

MINUTES = "travel_times"
"""Table that observed minutes of a way go to."""
OF_SCHOOLS = ("school_stage", "enrolment_by_grade", "staff_stock")
OF_VILLAGES = ("demand", "attendance")
ALWAYS_KEYS = ("group",)


@dataclass(frozen=True)
class UsedCell:
    """One number of a county.

    Parameters
    ----------
    kind, place_id : str
        School or village that it is listed under.
    table, column : str
    key : tuple of (str, str)
        What identifies the row.
    value : str
        As the table has it; of a way the minutes that are reckoned with, observed or not.
    """

    kind: str
    place_id: str
    table: str
    key: tuple[tuple[str, str], ...]
    column: str
    value: str

    @property
    def address(self) -> str:
        """What finds the cell again: table, key and column as JSON."""
        return json.dumps([self.table, dict(self.key), self.column], ensure_ascii=False, sort_keys=True)

    @property
    def row(self) -> str:
        """The key as a trail has it."""
        return ", ".join(f"{c}={v}" for c, v in self.key)


def value_text(value: object) -> str:
    """A cell of a table as text: whole numbers without a point, nothing for what is not known."""
    if value is None or pd.isna(value):
        return ""
    if isinstance(value, (bool, str)):
        return str(value)
    number = float(value)  # type: ignore[arg-type]
    return str(int(number)) if number.is_integer() else f"{number:.6f}".rstrip("0")


def correctable(table: Table) -> list[Column]:
    """Numbers of a table that a plan may use."""
    known = [c for c in table.columns if c.kind in ("whole", "number") and c.name not in table.key]
    return [c for c in known if c.name not in idle_columns(table) and c.name != "year"]


def key_columns(frame: pd.DataFrame, table: Table) -> list[str]:
    """What identifies a row of a table of a county."""
    return [*table.key, *(c for c in table.finer if c in frame)]


def used_cells(
    county: County, ways: pd.DataFrame, schools: Iterable[str] = (), villages: Iterable[str] = ()
) -> list[UsedCell]:
    """The numbers of some schools and villages.

    Parameters
    ----------
    county : County
    ways : DataFrame
        ``village_id, school_id, mode, minutes``: ways that are listed under their village.
    schools, villages : iterable of str

    Returns
    -------
    list of UsedCell
        Place by place; what is not known is among them where it is measured.
    """
    contracts = declared_tables(county.norms)
    found: list[UsedCell] = []
    for kind, ids, tables, column in (
        ("school", schools, OF_SCHOOLS, "school_id"), ("village", villages, OF_VILLAGES, "village_id"),
    ):  # fmt: skip
        for place_id in ids:
            for name in tables:
                found += _cells(county, contracts[name], kind, place_id, column)
            if kind == "village":
                found += _ways(ways, place_id)
    return found


def _cells(county: County, table: Table, kind: str, place_id: str, column: str) -> list[UsedCell]:
    frame = county.tables()[table.name]
    rows = frame[frame[column] == place_id]
    if table.name == "demand":
        rows = rows[rows["year"] == county.year]
    keys = key_columns(frame, table)
    return [
        UsedCell(
            kind,
            place_id,
            table.name,
            tuple((k, value_text(r[k])) for k in keys),
            c.name,
            value_text(r[c.name]),
        )
        for r in rows.to_dict("records")
        for c in correctable(table)
        if c.name in frame and (c.measure or value_text(r[c.name]))
    ]


def _ways(ways: pd.DataFrame, village_id: str) -> list[UsedCell]:
    rows = ways[ways["village_id"] == village_id].sort_values(["school_id", "mode"], kind="stable")
    return [
        UsedCell(
            "village", village_id, MINUTES, (("village_id", village_id), ("school_id", str(r.school_id)), ("mode", str(r.mode))),
            "minutes", way_text(r.minutes),
        )
        for r in rows.itertuples()
    ]  # fmt: skip


def way_text(minutes: object) -> str:
    """Minutes as the sheet has them: one decimal."""
    return value_text(round(float(minutes), 1))  # type: ignore[arg-type]
