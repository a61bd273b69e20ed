"""Tables against their contracts: coerce first, then pandera, then cross checks; every fault at once."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geodata.contract.cells import EMPTY, ERROR_VALUES, bare, header_word, id_like, invisible, plain
from geodata.contract.findings import Finding
from geodata.contract.placed import Placed
from geodata.contract.tables import IDLE, Column, Table, column_words
from geodata.messages import LANGUAGES, catalogue, say

if TYPE_CHECKING:
    import pandera.pandas as pa  # slow to import, and not needed where the words of tables are

TRUE, FALSE = {"true", "1", "yes", "y", "是", "有"}, {"false", "0", "no", "n", "否", "无"}
GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?")
"""A number with thousands separators where they belong; 30,91 is a decimal comma and is refused."""


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
    """

    frame: pd.DataFrame
    file: str
    first_row: int = 2


def _cells(column: Column, raw: pd.Series) -> list[str]:
    """Cells as text; words for an empty cell count as such, but in a required text they are names."""
    clean = plain if column.kind == "text" and not id_like(column) else bare
    text = [clean(cell) for cell in raw.fillna("")]
    if column.kind == "text" and column.required:
        return text
    return ["" if one.lower() in EMPTY else one for one in text]


def _number(column: Column, text: list[str], index: pd.Index) -> tuple[pd.Series, pd.Series]:
    """Numbers, and where the text is none; thousands separators are accepted in their places only."""
    cleaned = [one.replace(",", "") if "," in one and GROUPED.fullmatch(one) else one for one in text]
    cells = pd.Series([one or None for one in cleaned], index=index, dtype=object)
    value = pd.to_numeric(cells, errors="coerce").astype("float64")
    number = value.to_numpy()
    wrong = np.array([one != "" for one in text], dtype=bool) & ~np.isfinite(number)
    if column.kind == "whole":
        with np.errstate(invalid="ignore"):
            wrong |= ~np.isnan(number) & (number % 1 != 0)
    return value, pd.Series(wrong, index=index)


def _flag(text: list[str], index: pd.Index) -> tuple[pd.Series, pd.Series]:
    words = dict.fromkeys(TRUE, True) | dict.fromkeys(FALSE, False)
    value = pd.Series([words.get(one.lower(), np.nan) for one in text], index=index, dtype=object)
    return value, pd.Series([one != "" for one in text], index=index, dtype=bool) & value.isna()


def choice_words(column: Column) -> dict[str, str]:
    """The words for a column's choices, in every language: ``{"小学": "pri", ...}``.

    The template workbook offers the Chinese ones; reading takes them for the choice itself.
    """
    words = {
        bare(word): choice
        for language in LANGUAGES
        for choice in column.choices
        if (word := catalogue(language).get(f"template.word_{column.name}_{choice}"))
    }
    return words | {bare(word): choice for word, choice in column.words}


def coerce(column: Column, cells: pd.Series) -> tuple[pd.Series, pd.Series]:
    """One column's values and where they could not be read."""
    text = _cells(column, cells)
    if column.kind in ("whole", "number"):
        return _number(column, text, cells.index)
    if column.kind == "flag":
        return _flag(text, cells.index)
    if column.kind == "choice":
        words = choice_words(column) | {c: c for c in column.choices}
        written = [bare(cell) for cell in cells.fillna("")]
        # "none" may be a choice
        text = [was if was in column.choices else one for was, one in zip(written, text, strict=True)]
        text = [words.get(one, one) for one in text]
    values = pd.Series([one or None for one in text], index=cells.index, dtype=object)
    return values, pd.Series(False, index=cells.index)


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
    for c in table.columns:
        if c.must and c.name not in written:
            fields = {"zh": c.zh, "unit": c.unit or c.kind}
            found.append(
                Finding("error", "tables.missing_column", fields, raw.file, table.name, None, c.name)
            )
    return raw.frame.iloc[:, at].set_axis(names, axis=1), written, found


def _sentence(table: Table, raw: Raw, written: dict[str, str], case: pd.Series, cell: object) -> Finding:
    """One pandera failure case in words."""
    name = str(case["column"])
    check = str(case["check"])
    at = {"file": raw.file, "table": table.name, "column": written.get(name, name)}
    row = None if pd.isna(case["index"]) else int(case["index"]) + raw.first_row
    if "not_nullable" in check:
        return Finding("error", "tables.empty_crs" if name == "crs" else "tables.empty", {}, row=row, **at)
    column = table.column(name)
    fields: dict[str, object] = {"low": column.low, "high": column.high, "choices": ", ".join(column.choices)}
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
    for index, row in again[keys].iterrows():
        value = " / ".join(f"{k:g}" if isinstance(k, float) else str(k) for k in row)
        place = (raw.file, table.name, int(str(index)) + raw.first_row, column, value)
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
    frame, written, found = rename(table, raw)
    filled = {
        c.name
        for c in table.columns
        if c.spare and c.name in frame and any(v != "" for v in _cells(c, frame[c.name]))
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
    if frame.empty and table.required and not _wrong(found):
        found.append(Finding("error", "tables.no_rows", {}, raw.file, table.name))
    there = [c.name for c in table.columns if c.name in written or not c.must]
    found += _failures(table, raw, whole[there], frame, written)
    if all(k in written for k in table.key):
        found += _duplicates(table, raw, whole[readable], written)
    wrong = [f for f in found if f.severity == "error"]
    if any(f.row is None for f in wrong):  # the table itself is at fault
        return Placed(empty(table), raw.file, pd.Series([], dtype=int), table.name, ids, whole=False), found
    bad = {f.row - raw.first_row for f in wrong if f.row is not None} | {r - raw.first_row for r in faulty}
    whole = whole[~whole.index.isin(bad)]
    order = whole.sort_values(list(table.key), kind="stable").index
    rows = pd.Series([int(i) + raw.first_row for i in order], dtype=int)
    return Placed(_typed(table, whole), raw.file, rows, table.name, ids, whole=not bad), found


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
    texts = ["" if pd.isna(v) else str(v) for v in cells]
    broken = pd.Series([t[:1] == "#" and bare(t).upper() in ERROR_VALUES for t in texts], cells.index, bool)
    for index in cells.index[wrong | broken]:
        kind = {"whole": "tables.not_whole", "number": "tables.not_number", "flag": "tables.not_flag"}
        key = "tables.error_value" if broken[index] else kind[column.kind]
        found.append(
            Finding("error", key, {}, *place, int(index) + raw.first_row, header, value=str(cells.loc[index]))
        )
    values = values.astype(object).mask(wrong | broken, _stand_in(column)) if found else values
    if column.kind != "text" or id_like(column):
        codes = [(i, code) for i, t in zip(cells.index, texts, strict=True) if (code := invisible(t))]
        if codes:
            shown = ", ".join(sorted({c for _, text in codes for c in text.split(", ")}))
            fields: dict[str, object] = {"count": len(codes), "codes": shown}
            at = (*place, int(codes[0][0]) + raw.first_row, header)
            found.append(Finding("note", "tables.invisible", fields, *at))
    return values, wrong | broken, found


def _ids(table: Table, raw: Raw, frame: pd.DataFrame) -> pd.DataFrame:
    """Keys and references of all rows as text, by spreadsheet row; empty where they cannot be read."""
    names = list(dict.fromkeys([*table.key, *(c for c, _, _ in table.refers)]))
    done = {}
    for name in names:
        if name in frame:
            values, wrong = coerce(table.column(name), frame[name])
            done[name] = [
                "" if bad or pd.isna(v) else (f"{v:g}" if isinstance(v, float) else str(v))
                for v, bad in zip(values, wrong, strict=True)
            ]
        else:
            done[name] = [""] * len(frame)
    return pd.DataFrame(
        done, index=[int(i) + raw.first_row for i in frame.index], columns=names, dtype=object
    )


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
