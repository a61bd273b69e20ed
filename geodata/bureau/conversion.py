"""A bureau's sheet to the columns of one of our tables: headings, units, values, constants.

Everything stays text; `geodata.contract.validation` judges it afterwards. Each conversion is named as a note.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.bureau.formulas import written
from geodata.bureau.mapping import FORMS, UNITS, Block, Bound, Constant, Source, bound
from geodata.bureau.sums import Worked, formula_of, pointed, shared, times, worked_out
from geodata.bureau.workbooks import SourceSheet, columns_of, decimal, nearest_headings
from geodata.contract.cells import plain
from geodata.contract.columns import Column, Table
from geodata.contract.findings import Finding
from geodata.contract.tables import TABLES

_UNIT_IN_HEADING = re.compile(r"[(（]([^()（）]*)[)）]")
_UNIT_ABOVE = re.compile(r"(?:计量|金额|面积)?单位:(\S+)")
_SAME_UNIT = {"m2": "平方米", "平米": "平方米", "m²": "平方米", "万平米": "万平方米"}
_YEAR = re.compile(r"^(\d{4})(年.*|\.\d{1,2}|[-/].*)?$")
_DEGREES = re.compile(r"^(\d{1,3})[°度](\d{1,2})['′分]([\d.]+)(?:[\"秒]|′′|'')?[NESW东南西北]?$")


@dataclass(frozen=True)
class Piece:
    """Rows that one source gives to one of our tables, with where each came from.

    Parameters
    ----------
    table, label : str
        Our table; the file and sheet for messages.
    frame : DataFrame of str
        Our column names; rows from 0.
    rows : ndarray of int
        Row of the file of each row of ``frame``.
    headings : dict
        Heading of each column that was mapped.
    original : DataFrame of str
        Cells of the converted columns as written.
    units : dict
        Unit of each converted column.
    by_name : frozenset of str
        Id columns that still hold names.
    join : bool
        The columns belong to rows of other pieces.
    known : bool
        Only rows whose school or village the county has count.
    """

    table: str
    label: str
    frame: pd.DataFrame
    rows: npt.NDArray[np.int64]
    headings: dict[str, str]
    original: pd.DataFrame
    units: dict[str, str]
    by_name: frozenset[str]
    join: bool
    known: bool = False


def _constant(value: Constant) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def located(heading: str, sheet: SourceSheet, name: str) -> tuple[int | None, list[Finding]]:
    """Position of a column that the mapping asks for, or why it has none."""
    at = columns_of(heading, sheet.headings)
    if len(at) == 1:
        return at[0], []
    key = "bureau.heading_twice" if at else "bureau.no_heading"
    near = ", ".join(sheet.headings[i] for i in at) or nearest_headings(heading, sheet.headings)
    fields: dict[str, object] = {"name": name, "near": near}
    return None, [Finding("error", key, fields, file=sheet.label, column=heading)]


def _stated_unit(heading: str) -> str | None:
    """The unit a heading names in brackets, e.g. 设备值(万元)."""
    for inside in _UNIT_IN_HEADING.findall(plain(heading)):
        for word in re.split(r"[,;、:\s]|单位", inside):
            unit = _SAME_UNIT.get(word, word)
            if unit in UNITS:
                return unit
    return None


def _unit_above(above: tuple[str, ...], base: str) -> str | None:
    """The unit that a line above the header states for the whole sheet: 单位：万元、平方米."""
    for text in above:
        for part in _UNIT_ABOVE.findall(text):
            for word in re.split(r"[,;、/\s]", part):
                unit = _SAME_UNIT.get(word, word)
                if unit in UNITS and UNITS[unit][0] == base:
                    return unit
    return None


def _contradiction(rule: Bound, column: Column, heading: str, sheet: SourceSheet) -> list[Finding]:
    """A unit named by the heading or above the header is never overruled in silence.

    In the heading it is certain, so another one in the mapping is an error; a line for the whole sheet
    may not be meant for this column: a warning.
    """
    base = column.unit.split("/")[0]
    stated, severity = _stated_unit(heading), "error"
    if stated is None:
        stated, severity = _unit_above(sheet.above, base), "warning"
    if stated is None or UNITS[stated][0] != base:
        return []
    if UNITS[stated][1] == (rule.times or Fraction(1)):
        return []
    ours = next(u for u, (own, f) in UNITS.items() if own == base and f == 1)
    fields: dict[str, object] = {"stated": stated, "mapped": rule.unit or ours}
    if severity == "warning":
        return [Finding("warning", "bureau.unit_above", fields, file=sheet.label, column=heading)]
    return [Finding("error", "bureau.unit_contradiction", fields, file=sheet.label, column=heading)]


def scaled(text: str, factor: Fraction) -> str:
    """A number as text times a factor, exactly, at most nine decimals; other text as it is."""
    value = decimal(text)
    if value is None:
        return text
    return written(Fraction(value) * factor)


def _year(text: str) -> str:
    found = _YEAR.match(plain(text))
    return found.group(1) if found else text


def _degrees(text: str) -> str:
    """118°17'40.5" as decimal degrees, nine decimals."""
    found = _DEGREES.match(re.sub(r"\s+", "", plain(text)))
    if not found:
        return text
    degrees, minutes, seconds = found.groups()
    try:
        value = Decimal(degrees) + Decimal(minutes) / 60 + Decimal(seconds) / 3600
    except InvalidOperation:
        return text
    return f"{round(value, 9):f}"


def _in_our_unit(cells: pd.Series, unit: str) -> pd.Series:
    if unit in FORMS:
        return cells.map(_year if FORMS[unit] == "year" else _degrees)
    factor = UNITS[unit][1]
    return cells.map(lambda t: scaled(t, factor))


def _zeroed(cells: pd.Series, zeros: tuple[str, ...]) -> tuple[pd.Series, pd.Series]:
    marks = {plain(z) for z in zeros}
    hit = cells.map(plain).isin(marks)
    return cells.where(~hit, "0"), hit


def _translated(cells: pd.Series, values: dict[str, Constant]) -> tuple[pd.Series, list[str]]:
    """Their words to ours, and the pairs that occurred; other cells stay."""
    table = {plain(k): _constant(v) for k, v in values.items()}
    keys = cells.map(plain)
    hit = keys.isin(list(table))
    pairs = [f"{k} = {table[k]}" for k in sorted(set(keys[hit]))]
    return cells.where(~hit, keys.map(table)), pairs


@dataclass(frozen=True)
class _Done:
    """One converted column."""

    cells: pd.Series
    notes: list[Finding]
    changed: bool


def _column(
    source: Source, column: Column, rule: Bound, cells: pd.Series, before: Fraction, place: dict[str, Any]
) -> _Done:
    """Zero marks, then words, decimal points, units or a factor, shares; each named with its first row."""
    notes: list[Finding] = []
    done, values = cells, source.values.get(column.name)
    if source.zeros and column.kind in ("whole", "number"):
        done, hit = _zeroed(done, source.zeros)
        if hit.any():
            first = cells.index[hit][0]
            fields: dict[str, object] = {"count": int(hit.sum())}
            row, value = int(first), str(cells.loc[first])
            notes.append(Finding("note", "bureau.zeros", fields, row=row, value=value, **place))
    if values:
        done, pairs = _translated(done, values)
        if pairs:
            notes.append(Finding("note", "bureau.translated", {"pairs": ", ".join(pairs)}, **place))
    whole, made = column.kind == "whole", []
    if rule.between is not None:
        made.append(pointed(done, *rule.between, place))
        done = made[-1].cells
    if rule.factor is not None and rule.times is not None:
        made.append(times(done, rule, rule.times, place))
        done = made[-1].cells
    elif rule.unit is not None:
        done = _in_our_unit(done, rule.unit)
        if bool((done != cells).any()):
            fields = {"count": int((cells.map(plain) != "").sum()), "unit": rule.unit, "ours": column.unit}
            notes.append(Finding("note", "bureau.unit_converted", fields, **place))
    if rule.part is not None:
        made.append(shared(done, rule, rule.part, before, whole, place))
        done = made[-1].cells
    notes += [note for one in made for note in one.notes]
    return _Done(done, notes, rule.unit is not None and not made)


def _zeroed_all(cells: dict[str, pd.Series], zeros: tuple[str, ...]) -> dict[str, pd.Series]:
    return {heading: _zeroed(one, zeros)[0] for heading, one in cells.items()} if zeros else cells


def _taken(
    source: Source, sheet: SourceSheet, rule: Bound, column: Column
) -> tuple[str, pd.Series | None, list[Finding]]:
    """Heading and cells of a column of theirs, or of a formula over several; None where one is missing."""
    at, found = [], []
    for heading in rule.headings:
        where, problems = located(heading, sheet, column.name)
        found += problems
        at += [] if where is None else [where]
    if len(at) < len(rule.headings):
        return rule.name, None, found
    formula = formula_of(rule)
    if formula is None:
        found += _contradiction(rule, column, sheet.headings[at[0]], sheet)
        return sheet.headings[at[0]], sheet.frame[at[0]], found
    place = {"file": sheet.label, "column": rule.name}
    cells = {h: sheet.frame[i] for h, i in zip(formula.headings, at, strict=True)}
    rounding = column.kind == "whole" and rule.share is None and rule.factor is None
    made: Worked = worked_out(formula, _zeroed_all(cells, source.zeros), rounding, place, column)
    return rule.name, made.cells, [*found, *made.notes]


def _before(source: Source, block: Block, name: str, rule: Bound) -> Fraction:
    """Shares of the same column that earlier blocks took."""
    earlier = source.blocks[: source.blocks.index(block)] if block in source.blocks else ()
    rules = [bound(b.columns[name]) for b in earlier if name in b.columns and name in block.columns]
    return sum((r.part or Fraction(0) for r in rules if r.name == rule.name), Fraction(0))


def _piece(
    source: Source, sheet: SourceSheet, block: Block, extra: dict[str, Constant], table: Table
) -> tuple[Piece | None, list[Finding]]:
    """The records of one block of a sheet."""
    rules = {n: bound(r) for n, r in {**source.columns, **block.columns}.items()}
    constants = {**source.constants, **extra, **block.constants}
    frame, headings, original, found = {}, {}, {}, []
    blank = pd.Series(bool(block.columns), index=sheet.frame.index)
    for name, rule in rules.items():
        heading, cells, problems = _taken(source, sheet, rule, table.column(name))
        found += problems
        if cells is None:
            continue
        place = {"file": sheet.label, "table": table.name, "column": heading}
        done = _column(source, table.column(name), rule, cells, _before(source, block, name, rule), place)
        found += done.notes
        frame[name], headings[name] = done.cells, heading
        if done.changed:
            original[name] = cells
        if name in block.columns:
            blank &= cells.map(plain) == ""
    if any(f.severity == "error" for f in found):
        return None, found
    whole = pd.DataFrame(frame, index=sheet.frame.index)
    for name, value in constants.items():
        whole[name] = _constant(value)
    if blank.any():
        fields: dict[str, object] = {"count": int(blank.sum()), "columns": ", ".join(block.columns)}
        first = int(whole.index[blank][0])
        found.append(Finding("note", "bureau.blank_block", fields, sheet.label, table.name, first))
    if constants:
        fields = {"pairs": ", ".join(f"{k} = {_constant(v)}" for k, v in constants.items())}
        found.append(Finding("note", "bureau.constants", fields, sheet.label, table.name))
    whole, kept = whole[~blank], sheet.frame.index[~blank]
    first_cells = pd.DataFrame(original, index=sheet.frame.index)[~blank].reset_index(drop=True)
    piece = Piece(
        table.name, sheet.label, whole.reset_index(drop=True), kept.to_numpy(np.int64), headings, first_cells,
        {n: r.unit for n, r in rules.items() if r.unit is not None and n in original},
        frozenset(n for n, r in rules.items() if r.by == "name"), source.join, source.known,
    )  # fmt: skip
    return piece, found


def convert(
    source: Source, sheet: SourceSheet, extra: dict[str, Constant], tables: dict[str, Table] = TABLES
) -> tuple[list[Piece], list[Finding]]:
    """All records that a source's sheet gives.

    Parameters
    ----------
    source : Source
    sheet : SourceSheet
    extra : dict
        Constants of this sheet.
    tables : dict
        Contracts of our tables.

    Returns
    -------
    pieces : list of Piece
        One per block; none where a heading is missing.
    findings : list of Finding
        Conversions as notes; headings that are missing, doubled or contradict the unit as errors.
    """
    pieces, found = [], list(sheet.findings)
    for block in source.blocks or (Block(),):
        piece, problems = _piece(source, sheet, block, extra, tables[source.table])
        found += problems
        if piece is not None:
            pieces.append(piece)
    return pieces, found


def wanted(source: Source) -> list[str]:
    """Every heading a source asks for, in order."""
    rules = [*source.columns.values(), *(r for b in source.blocks for r in b.columns.values())]
    return list(dict.fromkeys([h for r in rules for h in bound(r).headings] + [*source.keep, *source.leave]))
