"""mapping.toml: which column of which file of the bureau feeds which column of ours.

The file is data, checked before anything is read: an unknown key, table, column or unit is an error.
See docs/bureau-tables.md for the whole of it with an example.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from geodata.bureau.formulas import factor_of, read_formula, repairable
from geodata.contract.columns import Column, Table
from geodata.contract.findings import Finding, InputProblems
from geodata.contract.settings import read_settings
from geodata.contract.tables import POINT_TABLES, TABLES

Constant = str | int | float | bool

UNITS: dict[str, tuple[str, Fraction]] = {
    "元": ("yuan", Fraction(1)),
    "千元": ("yuan", Fraction(1000)),
    "万元": ("yuan", Fraction(10_000)),
    "亿元": ("yuan", Fraction(100_000_000)),
    "平方米": ("m2", Fraction(1)),
    "万平方米": ("m2", Fraction(10_000)),
    "亩": ("m2", Fraction(2000, 3)),
    "公顷": ("m2", Fraction(10_000)),
}
"""Unit as a heading states it: our unit and the factor. 1 mu = 2000/3 m2 (sources.md 3.3)."""
FORMS = {"年": "year", "度分秒": "degrees"}
"""Ways of writing that are no factor: 2016年 or 2016.9 as a year; 118°17'40" as degrees."""
NAMED = {"school_id": "schools", "parent_id": "schools", "village_id": "villages"}
"""Ids that a foreign table may give by name, and the table that has the names."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Bound(_Strict):
    """One foreign column, or a number worked out of several.

    Parameters
    ----------
    heading : str
        As written there; parts of a header of several rows joined by ``/``.
    formula : str or None
        Instead of a heading: ``[boys] + [girls]`` (`geodata.bureau.formulas`).
    unit : str or None
        What its numbers are in, where that is not ours; any word where a ``factor`` is given.
    factor : float, str or None
        What makes ours of its numbers: an exchange rate, ``"1/1000"``.
    share : float, str or None
        This part of its numbers only. The shares of one column in blocks add up to the whole of it.
    between : (float, float) or None
        Where its numbers must lie: one that lost its decimal point gets it back.
    by : {"name"} or None
        The column holds the school's or village's name instead of its id.
    """

    heading: str = ""
    formula: str | None = None
    unit: str | None = None
    factor: float | str | None = None
    share: float | str | None = None
    between: tuple[float, float] | None = None
    by: Literal["name"] | None = None

    @property
    def headings(self) -> tuple[str, ...]:
        """Headings that it takes."""
        made = read_formula(self.formula) if self.formula is not None else None
        return made.headings if made is not None else (self.heading,)

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.heading or self.formula or ""

    @property
    def times(self) -> Fraction | None:
        """Its factor, stated or that of its unit; None where numbers stay as they are."""
        if self.factor is not None:
            return factor_of(self.factor)
        return UNITS[self.unit][1] if self.unit in UNITS else None

    @property
    def part(self) -> Fraction | None:
        """Its share as a number."""
        return None if self.share is None else factor_of(self.share)


class Block(_Strict):
    """Columns and constants of one record among several in a row, e.g. one grade."""

    columns: dict[str, str | Bound] = {}
    constants: dict[str, Constant] = {}


class Source(_Strict):
    """One sheet, layer or database table that feeds one of our tables.

    Parameters
    ----------
    table : str
        Ours.
    file : str or None
        Path below the county's folder; or
    postgis : str or None
        a connection as libpq takes it, without password.
    sheet : str or None
        The only sheet of the workbook if absent.
    sheets : dict
        Several sheets of one form: ``{sheet: {column: constant}}``.
    layer : str or None
        Layer of a GeoPackage, ``schema.table`` of a database.
    epsg : int or None
        Coordinate system of a layer that does not state one.
    header : (int, int) or None
        First and last row of the header; found if absent.
    columns : dict
        ``{our column: their heading}`` or ``{our column: {heading, unit, by}}``.
    constants : dict
        Columns with one value for the whole source.
    values : dict
        ``{our column: {their value: ours}}``.
    zeros : tuple of str
        Cells that mean nought in number columns: 无, /, -.
    blocks : tuple of Block
        Several records in one row.
    join : bool
        Adds columns to rows that other sources made, by the table's key, instead of rows.
    keep, leave : dict
        ``{their heading: (values)}``: rows with one of the values only; rows with none of them.
    within : str or None
        Layer of areas below the county's folder: rows with a point in it only.
    known : bool
        Rows whose school or village the county has only: a national list of figures.
    """

    table: str
    file: str | None = None
    postgis: str | None = None
    sheet: str | None = None
    sheets: dict[str, dict[str, Constant]] = {}
    layer: str | None = None
    epsg: int | None = None
    header: tuple[int, int] | None = None
    columns: dict[str, str | Bound] = {}
    constants: dict[str, Constant] = {}
    values: dict[str, dict[str, Constant]] = {}
    zeros: tuple[str, ...] = ()
    blocks: tuple[Block, ...] = ()
    join: bool = False
    keep: dict[str, tuple[Constant, ...]] = {}
    leave: dict[str, tuple[Constant, ...]] = {}
    within: str | None = Field(default=None, min_length=1)
    known: bool = False


class Mapping(_Strict):
    """The whole file.

    Parameters
    ----------
    source : tuple of Source
    digits : dict
        ``{"school_id": 10}``: ids of digits that are always this long; shorter ones lost leading zeros.
    names : dict
        ``{"school_id": {"实验小学": "3418000001"}}``: doubts about names settled by a person.
    likeness : float
        Names less alike than this (0 to 1) are never matched.
    """

    source: tuple[Source, ...] = Field(min_length=1)
    digits: dict[str, int] = {}
    names: dict[str, dict[str, str]] = {}
    likeness: float = Field(default=0.75, ge=0.5, le=1)

    def tables(self) -> frozenset[str]:
        """Names of our tables that it feeds."""
        return frozenset(s.table for s in self.source)


def bound(rule: str | Bound) -> Bound:
    """A column's rule in full."""
    return rule if isinstance(rule, Bound) else Bound(heading=rule)


def read_mapping(path: Path, tables: dict[str, Table] = TABLES) -> Mapping:
    """The mapping file, checked against our tables (as the county's standards need them).

    Raises
    ------
    InputProblems
        No such file, no TOML, unknown keys, tables, columns or units; all of them together.
    """
    if not path.is_file():
        raise InputProblems([Finding("error", "tables.no_file", file=path.name)])
    mapping = read_settings(path, Mapping)
    found = [f for i, s in enumerate(mapping.source, 1) for f in _source_problems(s, i, path.name, tables)]
    found += _ids_problems(mapping, path.name)
    if found:
        raise InputProblems(found)
    return mapping


def _ids_problems(mapping: Mapping, file: str) -> list[Finding]:
    known = {"school_id", "village_id", "cat_id"}
    fields: dict[str, object] = {"known": ", ".join(sorted(known))}
    asked = [("digits", n) for n in mapping.digits] + [("names", n) for n in mapping.names]
    return [
        Finding("error", "bureau.unknown_column", fields, file=file, column=part, value=name)
        for part, name in asked
        if name not in known or (part == "names" and name not in NAMED)
    ]


def _source_problems(source: Source, number: int, file: str, tables: dict[str, Table]) -> list[Finding]:
    """What is wrong with one source by itself."""
    at = f"source {number}"
    if source.table not in tables:
        fields: dict[str, object] = {"known": ", ".join(tables)}
        return [Finding("error", "tables.unknown_table", fields, file=file, column=at, value=source.table)]
    table, found = tables[source.table], []
    if (source.file is None) == (source.postgis is None):
        found.append(Finding("error", "bureau.file_or_database", file=file, column=at))
    if source.postgis is not None and source.layer is None:
        found.append(Finding("error", "bureau.layer_needed", file=file, column=at))
    if source.sheet is not None and source.sheets:
        found.append(Finding("error", "bureau.sheet_or_sheets", file=file, column=at))
    for block in source.blocks or (Block(),):
        columns = {**source.columns, **block.columns}
        constants = {**source.constants, **block.constants}
        for extra in source.sheets.values():
            constants |= extra
        found += _columns_problems(table, columns, constants, source.join, file, at)
    for name in source.values:
        if name not in {c.name for c in table.columns}:
            found.append(_unknown(table, name, file, f"{at}.values"))
    if source.within is not None and source.table not in POINT_TABLES:
        fields = {"known": ", ".join(POINT_TABLES)}
        found.append(
            Finding("error", "bureau.within_places", fields, file=file, column=at, value=source.table)
        )
    if source.known and not table.refers:
        found.append(Finding("error", "bureau.known_refers", file=file, column=at, value=source.table))
    found += _shares_problems(source, file, at)
    return list(dict.fromkeys(found))


def _shares_problems(source: Source, file: str, at: str) -> list[Finding]:
    """Shares of one column that are more than the whole of it."""
    sums: dict[tuple[str, str], Fraction] = {}
    for block in source.blocks or (Block(),):
        for name, rule in {**source.columns, **block.columns}.items():
            part = bound(rule).part
            if part is not None and (block.columns or not source.blocks):
                sums[name, bound(rule).name] = sums.get((name, bound(rule).name), Fraction(0)) + part
    return [
        Finding("error", "bureau.shares", {"sum": f"{float(total):g}"}, file=file, column=at, value=heading)
        for (_, heading), total in sums.items()
        if total > Fraction(1_000_001, 1_000_000)  # thirds written as 0.333334
    ]


def _unknown(table: Table, name: str, file: str, at: str) -> Finding:
    fields: dict[str, object] = {"known": ", ".join(c.name for c in table.columns)}
    return Finding("error", "bureau.unknown_column", fields, file=file, column=at, value=name)


def _columns_problems(
    table: Table,
    columns: dict[str, str | Bound],
    constants: dict[str, Constant],
    join: bool,
    file: str,
    at: str,
) -> list[Finding]:
    names = {c.name for c in table.columns}
    found = [_unknown(table, n, file, at) for n in (*columns, *constants) if n not in names]
    for name in columns.keys() & constants.keys():
        found.append(Finding("error", "bureau.column_and_constant", file=file, column=at, value=name))
    if not columns:
        found.append(Finding("error", "bureau.no_columns", file=file, column=at))
    for name, rule in columns.items():
        if name not in names or isinstance(rule, str):
            continue
        found += _rule_problems(rule, table.column(name), file, at)
        if rule.unit is not None and rule.factor is None and not unit_fits(rule.unit, table.column(name)):
            fields: dict[str, object] = {
                "name": name, "ours": table.column(name).unit or table.column(name).kind, "known": ", ".join([*UNITS, *FORMS]),
            }  # fmt: skip
            found.append(Finding("error", "bureau.unit", fields, file=file, column=at, value=rule.unit))
        defines = not join and name in table.key and name not in {c for c, _, _ in table.refers}
        if rule.by is not None and (name not in NAMED or defines):
            found.append(Finding("error", "bureau.by_name", file=file, column=at, value=name))
    return sorted(found, key=lambda f: (f.key, f.value))


def _rule_problems(rule: Bound, column: Column, file: str, at: str) -> list[Finding]:
    """What is wrong with the sums that a column asks for."""
    found, numbers = [], column.kind in ("whole", "number")

    def wrong(key: str, value: object, **fields: object) -> None:
        found.append(Finding("error", f"bureau.{key}", fields, file=file, column=at, value=str(value)[:80]))

    if bool(rule.heading) == (rule.formula is not None):
        wrong("heading_or_formula", column.name)
    if rule.formula is not None and read_formula(rule.formula) is None:
        wrong("formula_form", rule.formula)
    for name in ("factor", "share"):
        given = getattr(rule, name)
        if given is not None and factor_of(given) is None:
            wrong("factor_form", given, name=name)
    if rule.factor is not None and rule.unit in {*UNITS, *FORMS}:
        wrong("unit_and_factor", rule.unit)
    if rule.between is not None and not repairable(*rule.between):
        wrong("between_form", list(rule.between))
    sums = [n for n in ("formula", "factor", "share", "between") if getattr(rule, n) is not None]
    if sums and (not numbers or rule.by is not None or rule.unit in FORMS):
        wrong("no_sums", column.name, asked=", ".join(sums))
    return found


def unit_fits(unit: str, column: Column) -> bool:
    """Whether a stated unit can become the column's own."""
    if unit in FORMS:
        return column.unit == FORMS[unit] and (unit != "年" or column.kind == "whole")
    return unit in UNITS and column.unit.split("/")[0] == UNITS[unit][0]


__all__ = [
    "FORMS",
    "NAMED",
    "UNITS",
    "Block",
    "Bound",
    "Mapping",
    "Source",
    "bound",
    "read_mapping",
    "unit_fits",
]
