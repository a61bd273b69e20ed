"""Tables against their contracts: coerce first, then pandera, then cross checks; every fault at once."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from geodata.contract.columns import Column, Table
from geodata.contract.findings import Finding
from geodata.contract.tables import column_words, idle_columns
from geodata.contract.validation.cells_read import ids_of, read_cells
from geodata.contract.validation.headers import NO_TABLE, Raw, rename
from geodata.contract.validation.placed import Placed
from geodata.contract.validation.row_faults import duplicates, failures
from geodata.contract.validation.values import texts
from geodata.messages import LANGUAGES, say


def validate(table: Table, raw: Raw) -> tuple[pd.DataFrame | None, list[Finding], pd.Series | None]:
    """A raw table in contract form, or None with everything wrong with it.

    Returns
    -------
    frame : DataFrame or None
    findings : list of Finding
        Every fault: missing columns, unreadable cells, ranges, choices, duplicates.
    rows : Series or None
        Spreadsheet row number of each row of ``frame``, for cross checks.
    """
    placed, found = place(table, raw)
    return (None, found, None) if _wrong(found) else (placed.frame, found, placed.rows)


def place(table: Table, raw: Raw, faulty: Collection[int] = ()) -> tuple[Placed, list[Finding]]:
    """A raw table in contract form: the rows without a fault, and the ids of all of them.

    Parameters
    ----------
    table : Table
    raw : Raw
    faulty : collection of int
        Spreadsheet rows about which an error is said already; they are left out as well.

    Returns
    -------
    Placed
        One fault hides none of the others: rows with a fault are left out of ``frame`` but keep their ids.
    list of Finding
        Every fault: missing columns, unreadable cells, ranges, choices, duplicates.
    """
    frame, written, said = rename(table, raw)
    none = pd.Series([], dtype=int)
    if any(f.key in NO_TABLE for f in said):
        nothing = Placed(empty(table), raw.file, none, table.name, whole=False, every=empty(table))
        return nothing, [*raw.told, *said]
    table = table.having(_filled(table, frame))
    frame = frame[[c for c in frame.columns if any(c == one.name for one in table.columns)]]
    whole, readable, problems = _values(table, raw, frame, written)
    found = [*raw.told, *said, *problems, *_idle(table, raw, whole, written)]
    if not len(raw.frame) and table.required and not _wrong(found):
        found.append(Finding("error", "tables.no_rows", {}, raw.file, table.name))
    there = [c.name for c in table.columns if c.name in written or not c.must]
    found += failures(table, raw, whole[there], frame, written)
    if all(k in written for k in table.key):
        found += duplicates(table, raw, whole[readable], written)
    # what stands under which heading is not known in a row that is shifted
    shifted = {f.row for f in raw.told if f.severity == "error" and f.row is not None and f.value}
    found = [f for f in found if f.row not in shifted or f in raw.told]
    ids, every = ids_of(table, raw, frame), None
    wrong = [f for f in found if f.severity == "error"]
    if wrong or faulty:
        every = _every(table, raw, whole, written, wrong, faulty).drop(index=list(shifted))
    if any(f.row is None for f in wrong):  # the table itself is at fault
        return Placed(empty(table), raw.file, none, table.name, ids, whole=False, every=every), found
    bad = {f.row - raw.first_row for f in wrong if f.row is not None} | {r - raw.first_row for r in faulty}
    whole = whole[~whole.index.isin(bad)]
    order = whole.sort_values(list(table.key), kind="stable").index
    rows = pd.Series([int(i) + raw.first_row for i in order], dtype=int)
    return Placed(_typed(table, whole), raw.file, rows, table.name, ids, whole=not bad, every=every), found


def _filled(table: Table, frame: pd.DataFrame) -> set[str]:
    """Spare columns that say something."""
    spare = [c for c in table.columns if c.spare and c.name in frame]
    return {c.name for c in spare if any(v != "" for v in texts(c, frame[c.name]))}


def _values(
    table: Table, raw: Raw, frame: pd.DataFrame, written: dict[str, str]
) -> tuple[pd.DataFrame, pd.Series, list[Finding]]:
    """All columns of the contract, defaults where they are absent; where the key could be read; what is said of the cells."""
    values, found = {}, []
    readable = pd.Series(True, index=frame.index)
    for c in table.columns:
        if c.name not in written:
            values[c.name] = pd.Series([c.default] * len(frame), index=frame.index, dtype=object)
            found += _absent(table, raw, c) if len(frame) else []
            continue
        values[c.name], wrong, problems = read_cells(table, raw, c, frame[c.name], written[c.name])
        found += problems
        if c.name in table.key and not c.spare:
            readable &= ~wrong & values[c.name].notna()
        if c.default is not None and not c.must:
            values[c.name] = values[c.name].astype(object).where(values[c.name].notna(), c.default)
    return pd.DataFrame(values, index=frame.index), readable, found


def _absent(table: Table, raw: Raw, column: Column) -> list[Finding]:
    """What stands for a column that may be absent."""
    if column.must or column.measure:
        return []
    key, fields = "tables.left_empty", {}
    if column.default not in (None, ""):
        key, fields = "tables.default_used", {"default": column.default}
    return [Finding("note", key, fields, raw.file, table.name, None, column.name)]


def _every(
    table: Table,
    raw: Raw,
    whole: pd.DataFrame,
    written: dict[str, str],
    wrong: list[Finding],
    faulty: Collection[int],
) -> pd.DataFrame:
    """All rows, what a finding is about empty, the points of faulty ones too; a missing column is empty throughout."""
    done = whole.astype(object).set_axis([int(i) + raw.first_row for i in whole.index], axis=0)
    names = {header: name for name, header in written.items()}
    done.loc[:, [c.name for c in table.columns if c.must and c.name not in written]] = None
    cells: dict[str, set[int]] = {c: set(faulty) for c in ("lon", "lat") if faulty and c in done}
    for f in wrong:
        if f.row is not None and (name := names.get(f.column, f.column)) in done:
            cells.setdefault(name, set()).add(f.row)
    for name, rows in cells.items():
        done.loc[done.index.isin(rows), name] = None
    for c in table.columns:
        if c.kind in ("whole", "number"):
            done[c.name] = pd.to_numeric(done[c.name], errors="coerce").astype("float64")
    return done


def _idle(table: Table, raw: Raw, values: pd.DataFrame, written: dict[str, str]) -> list[Finding]:
    """Columns that somebody filled in and that change nothing."""
    filled = [
        written[c]
        for c in idle_columns(table)
        if c in written and any(not pd.isna(v) and v != table.column(c).default for v in values[c])
    ]
    if not filled:
        return []
    said = {
        lang: say("map.comma", lang).join(column_words(table.name, c, lang) for c in filled)
        for lang in LANGUAGES
    }
    return [Finding("note", "tables.idle_columns", {"columns": said}, raw.file, table.name)]


def _typed(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """Contract types; optional columns are nullable only where cells are empty."""
    done = {}
    for c in table.columns:
        cells = frame[c.name]
        if c.kind == "whole":
            done[c.name] = cells.astype("Int64" if cells.isna().any() else "int64")
        elif c.kind == "number":
            done[c.name] = cells.astype("float64")
        elif c.kind == "flag":
            done[c.name] = cells.astype("object" if cells.isna().any() else "bool")
        else:
            done[c.name] = cells.where(cells.notna(), "").astype(str)
    typed = pd.DataFrame(done)
    return typed.sort_values(list(table.key), kind="stable").reset_index(drop=True)


def _wrong(found: list[Finding]) -> bool:
    return any(f.severity == "error" for f in found)


def empty(table: Table) -> pd.DataFrame:
    """A table without rows, with the contract's columns and types."""
    types = {"text": "str", "choice": "str", "whole": "int64", "number": "float64", "flag": "bool"}
    columns = [c for c in table.columns if not c.spare]
    return pd.DataFrame({c.name: pd.Series([], dtype=types[c.kind]) for c in columns})
