"""Tables against their contracts: coerce first, then pandera, then cross checks; every fault at once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import pandas as pd

from geodata.contract.cells import (
    EMPTY,
    ERROR_VALUES,
    IDS,
    NO_VALUE,
    bare,
    header_word,
    id_like,
    id_text,
    invisible,
    is_id,
    lost_digits,
    made_a_date,
)
from geodata.contract.columns import Column, Table
from geodata.contract.findings import Finding
from geodata.contract.placed import Placed
from geodata.contract.tables import IDLE, column_words
from geodata.contract.values import DECIMAL_COMMA, choices_said, coerce, texts
from geodata.messages import LANGUAGES, say

if TYPE_CHECKING:
    import pandera.pandas as pa  # slow to import, and not needed where the words of tables are

MOST_ROWS_ABOVE = 30
NO_TABLE = ("tables.no_header", "tables.header_below")


@dataclass(frozen=True)
class Raw:
    """A table as it was found: every cell text, headers as written.

    Parameters
    ----------
    frame : DataFrame of str
    file : str
        Name for messages (``schools.csv`` or ``book.xlsx [学校]``).
    first_row : int
        Row number of the first data row as a spreadsheet shows it.
    told : tuple of Finding
        What was found while it was read.
    """

    frame: pd.DataFrame
    file: str
    first_row: int = 2
    told: tuple[Finding, ...] = ()


@lru_cache(maxsize=64)
def schema(table: Table) -> pa.DataFrameSchema:
    """The pandera schema of a contract: filled, in range, among the choices."""
    import pandera.pandas as pa

    columns = {}
    for c in table.columns:
        checks = []
        if c.kind in ("whole", "number"):
            checks += [pa.Check.ge(c.low, name="low"), pa.Check.le(c.high, name="high")]
        if c.kind == "choice":
            checks.append(pa.Check.isin(c.choices, name="choice"))
        columns[c.name] = pa.Column(None, checks, nullable=not c.must, required=False)
    return pa.DataFrameSchema(columns)


def rename(table: Table, raw: Raw) -> tuple[pd.DataFrame, dict[str, str], list[Finding]]:
    """Headers to contract names, in English or Chinese; what is missing or unknown is said."""
    known = {header_word(word): c.name for c in table.columns for word in (c.name, c.zh)}
    at, names, written, found = [], [], {}, []
    for position, header in enumerate(raw.frame.columns):
        name = known.get(header_word(header))
        hidden = invisible(header)
        if hidden:
            fields: dict[str, object] = {"count": 1, "codes": hidden}
            place = (raw.file, table.name, None, name or bare(header))
            found.append(Finding("note", "tables.invisible", fields, *place))
        if name is None:
            if not bare(header) and (raw.frame.iloc[:, position].map(bare) == "").all():
                continue  # an empty column, as spreadsheets leave behind
            found.append(
                Finding("note", "tables.extra_column", file=raw.file, table=table.name, column=str(header))
            )
        elif name in written:
            found.append(
                Finding("error", "tables.twice", {"name": name}, raw.file, table.name, None, str(header))
            )
        else:
            # by position: two columns may carry the same header
            at.append(position)
            names.append(name)
            written[name] = str(header)
    if not written and len(raw.frame.columns):
        return raw.frame.iloc[:, []], {}, [_no_header(table, raw)]
    for c in table.columns:
        if c.must and c.name not in written:
            fields = {"zh": c.zh, "unit": c.unit or c.kind}
            found.append(
                Finding("error", "tables.missing_column", fields, raw.file, table.name, None, c.name)
            )
    return raw.frame.iloc[:, at].set_axis(names, axis=1), written, found


def _no_header(table: Table, raw: Raw) -> Finding:
    """None of the headings is one of the table: said once, with what stands there and, where it is below, the row of the header."""
    known = {header_word(word) for c in table.columns for word in (c.name, c.zh)}
    shown = ", ".join(h for h in (bare(h) for h in raw.frame.columns) if h)[:120]
    fields: dict[str, object] = {"columns": ", ".join(f"{c.name} / {c.zh}" for c in table.columns if c.must)}
    for index, cells in zip(raw.frame.index[:MOST_ROWS_ABOVE], raw.frame.to_numpy(), strict=False):
        if sum(header_word(cell) in known for cell in cells) > 1:
            row = int(index) + raw.first_row
            return Finding("error", "tables.header_below", {"row": row}, raw.file, table.name, 1, value=shown)
    return Finding("error", "tables.no_header", fields, raw.file, table.name, 1, value=shown)


def _sentence(table: Table, raw: Raw, written: dict[str, str], case: pd.Series, cell: object) -> Finding:
    """One pandera failure case in words."""
    name = str(case["column"])
    check = str(case["check"])
    at = {"file": raw.file, "table": table.name, "column": written.get(name, name)}
    row = None if pd.isna(case["index"]) else int(case["index"]) + raw.first_row
    if "not_nullable" in check:
        return Finding("error", "tables.empty_crs" if name == "crs" else "tables.empty", {}, row=row, **at)
    column = table.column(name)
    fields: dict[str, object] = {"low": column.low, "high": column.high, "choices": choices_said(column)}
    key = "tables.not_a_choice" if column.choices else "tables.out_of_range"
    if name == "lat" and 90 < abs(float(case["failure_case"])) <= 180:
        key = "tables.swapped"
    elif name in ("lon", "lat") and abs(float(case["failure_case"])) > 360:
        key = "tables.not_degrees"
    elif name == "crs":
        key = "tables.not_a_system"
    return Finding("error", key, fields, row=row, value=str(cell), **at)


def _failures(
    table: Table, raw: Raw, frame: pd.DataFrame, text: pd.DataFrame, written: dict[str, str]
) -> list[Finding]:
    """Ranges, choices and empty cells; ``text`` has the cells as they were written."""
    from pandera.errors import SchemaErrors

    try:
        schema(table).validate(frame, lazy=True)
    except SchemaErrors as problems:
        cases = problems.failure_cases
    else:
        return []
    found = []
    for _, case in cases.iterrows():
        known = not pd.isna(case["index"]) and case["column"] in text
        # by label: blank rows were left out of the frame, so a label is not a position
        cell = text.at[int(case["index"]), str(case["column"])] if known else ""
        found.append(_sentence(table, raw, written, case, cell))
    return found


def _duplicates(table: Table, raw: Raw, frame: pd.DataFrame, written: dict[str, str]) -> list[Finding]:
    """Rows whose key stands above already; ``frame`` has only rows whose key could be read."""
    keys = list(table.key)
    again = frame[frame.duplicated(keys, keep="first")]
    column = " + ".join(written.get(k, k) for k in keys)
    found = []
    for index, *row in again[keys].itertuples(name=None):
        value = " / ".join(f"{k:g}" if isinstance(k, float) else str(k) for k in row)
        place = (raw.file, table.name, int(index) + raw.first_row, column, value)
        found.append(Finding("error", "tables.duplicate", {}, *place))
    return found


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
    shifted = {f.row for f in raw.told if f.severity == "error" and f.row is not None and f.value}
    found = [*raw.told, *said]
    if any(f.key in NO_TABLE for f in said):
        none = pd.Series([], dtype=int)
        return Placed(empty(table), raw.file, none, table.name, whole=False, every=empty(table)), found
    filled = {
        c.name
        for c in table.columns
        if c.spare and c.name in frame and any(v != "" for v in texts(c, frame[c.name]))
    }
    table = table.having(filled)
    frame = frame[[c for c in frame.columns if any(c == one.name for one in table.columns)]]
    values = {}
    readable = pd.Series(True, index=frame.index)
    for c in table.columns:
        if c.name not in written:
            values[c.name] = pd.Series([c.default] * len(frame), index=frame.index, dtype=object)
            if not c.must and not c.measure and len(frame):
                key, fields = "tables.left_empty", {}
                if c.default not in (None, ""):
                    key, fields = "tables.default_used", {"default": c.default}
                found.append(Finding("note", key, fields, raw.file, table.name, None, c.name))
            continue
        values[c.name], wrong, problems = _column(table, raw, c, frame[c.name], written[c.name])
        found += problems
        if c.name in table.key and not c.spare:
            readable &= ~wrong & values[c.name].notna()
        if c.default is not None and not c.must:
            values[c.name] = values[c.name].astype(object).where(values[c.name].notna(), c.default)
    found += _idle(table, raw, values, written)
    ids = _ids(table, raw, frame)
    whole = pd.DataFrame(values, index=frame.index)
    if not len(raw.frame) and table.required and not _wrong(found):
        found.append(Finding("error", "tables.no_rows", {}, raw.file, table.name))
    there = [c.name for c in table.columns if c.name in written or not c.must]
    found += _failures(table, raw, whole[there], frame, written)
    if all(k in written for k in table.key):
        found += _duplicates(table, raw, whole[readable], written)
    if shifted:  # what stands under which heading is not known there
        found = [f for f in found if f.row not in shifted or f in raw.told]
    wrong = [f for f in found if f.severity == "error"]
    every = _every(table, raw, whole, written, wrong, faulty) if wrong or faulty else None
    every = every if every is None else every.drop(index=list(shifted))
    if any(f.row is None for f in wrong):  # the table itself is at fault
        none = pd.Series([], dtype=int)
        return Placed(empty(table), raw.file, none, table.name, ids, whole=False, every=every), found
    bad = {f.row - raw.first_row for f in wrong if f.row is not None} | {r - raw.first_row for r in faulty}
    whole = whole[~whole.index.isin(bad)]
    order = whole.sort_values(list(table.key), kind="stable").index
    rows = pd.Series([int(i) + raw.first_row for i in order], dtype=int)
    return Placed(_typed(table, whole), raw.file, rows, table.name, ids, whole=not bad, every=every), found


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


def _idle(table: Table, raw: Raw, values: dict[str, pd.Series], written: dict[str, str]) -> list[Finding]:
    """Columns that somebody filled in and that change nothing."""
    filled = [
        written[c]
        for c in IDLE.get(table.name, ())
        if c in written and any(not pd.isna(v) and v != table.column(c).default for v in values[c])
    ]
    if not filled:
        return []
    said = {
        lang: say("map.comma", lang).join(column_words(table.name, c, lang) for c in filled)
        for lang in LANGUAGES
    }
    return [Finding("note", "tables.idle_columns", {"columns": said}, raw.file, table.name)]


def _column(
    table: Table, raw: Raw, column: Column, cells: pd.Series, header: str
) -> tuple[pd.Series, pd.Series, list[Finding]]:
    """One column's values, where they could not be read, and what is said about its cells."""
    values, wrong = coerce(column, cells)
    place = (raw.file, table.name)
    found = []
    written = ["" if pd.isna(v) else str(v) for v in cells]
    broken = pd.Series([_unreadable(column, t) for t in written], cells.index, object)
    for index in cells.index[wrong | (broken != "")]:
        text = str(cells.loc[index])
        key = broken[index] or _why_not(column, bare(text))
        found.append(Finding("error", key, {}, *place, int(index) + raw.first_row, header, value=text))
    wrong = wrong | (broken != "")
    values = values.astype(object).mask(wrong, _stand_in(column)) if found else values
    found += _left_out(table, raw, column, cells, written, header)
    return values, wrong, found


def _unreadable(column: Column, text: str) -> str:
    """Message key of a cell that no reading of its column takes, whatever it says; mostly empty."""
    if text[:1] == "#" and bare(text).upper() in ERROR_VALUES:
        return "tables.error_value"
    if not is_id(column):
        return ""
    one = id_text(text)
    return "tables.id_rounded" if lost_digits(one) else "tables.id_dated" if made_a_date(one) else ""


def _why_not(column: Column, text: str) -> str:
    """Message key of a cell that is no number or no flag."""
    if column.kind != "flag" and DECIMAL_COMMA.fullmatch(text):
        return "tables.decimal_comma"
    if column.kind != "flag" and not column.must and text.lower() in NO_VALUE:
        return "tables.none_or_unknown"
    return {"whole": "tables.not_whole", "number": "tables.not_number", "flag": "tables.not_flag"}[
        column.kind
    ]


def _left_out(
    table: Table, raw: Raw, column: Column, cells: pd.Series, written: list[str], header: str
) -> list[Finding]:
    """What was left out of the cells of a column: unseen characters, a number's format on an id, words for an empty cell."""
    rows = [int(i) + raw.first_row for i in cells.index]
    found = []

    def note(key: str, at: list[int], **fields: object) -> None:
        place = (raw.file, table.name, rows[at[0]], header)
        found.append(Finding("note", key, {"count": len(at), **fields}, *place))

    compared = column.kind != "text" or id_like(column)
    if compared and (at := [i for i, t in enumerate(written) if invisible(t)]):
        shown = sorted({code for i in at for code in invisible(written[i]).split(", ")})
        note("tables.invisible", at, codes=", ".join(shown))
    if is_id(column) and (at := [i for i, t in enumerate(written) if id_text(t) != bare(t)]):
        first = written[at[0]]
        note("tables.id_form", at, before=first, after=id_text(first))
    if not (column.kind == "text" and column.required):
        words = EMPTY - {"", *column.choices, str(column.default)}
        if at := [i for i, t in enumerate(written) if len(t) < 9 and bare(t).lower() in words]:
            note("tables.empty_words", at, words=", ".join(sorted({written[i] for i in at})))
    return found


def _ids(table: Table, raw: Raw, frame: pd.DataFrame) -> pd.DataFrame:
    """Keys and references of all rows as text, by spreadsheet row; empty where they cannot be read."""
    names = list(dict.fromkeys([*table.key, *(c for c, _, _ in table.refers)]))
    done = {}
    for name in names:
        if name in frame:
            values, wrong = coerce(table.column(name), frame[name])
            done[name] = [
                ""
                if bad or pd.isna(v) or _gone(name, str(was))
                else (f"{v:g}" if isinstance(v, float) else str(v))
                for v, bad, was in zip(values, wrong, frame[name], strict=True)
            ]
        else:
            done[name] = [""] * len(frame)
    return pd.DataFrame(
        done, index=[int(i) + raw.first_row for i in frame.index], columns=names, dtype=object
    )


def _gone(name: str, text: str) -> bool:
    """Whether nothing is left of an id: an error of the spreadsheet, a date. Of a rounded one the first digits are."""
    return bare(text).upper() in ERROR_VALUES or (name in IDS and made_a_date(id_text(text)))


def _wrong(found: list[Finding]) -> bool:
    return any(f.severity == "error" for f in found)


def _stand_in(column: Column) -> object:
    """A harmless value for a cell already reported, so that it is not reported twice."""
    if column.kind == "flag":
        return False
    return column.choices[0] if column.choices else (column.low if column.low is not None else "-")


def empty(table: Table) -> pd.DataFrame:
    """A table without rows, with the contract's columns and types."""
    types = {"text": "str", "choice": "str", "whole": "int64", "number": "float64", "flag": "bool"}
    columns = [c for c in table.columns if not c.spare]
    return pd.DataFrame({c.name: pd.Series([], dtype=types[c.kind]) for c in columns})
