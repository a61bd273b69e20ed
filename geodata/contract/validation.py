"""Tables against their contracts: coerce first, then pandera, then cross checks; every fault at once."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geodata.contract.findings import Finding
from geodata.contract.tables import Column, Table
from geodata.messages import LANGUAGES, catalogue

if TYPE_CHECKING:
    import pandera.pandas as pa  # slow to import, and not needed where the words of tables are

TRUE, FALSE = {"true", "1", "yes", "y", "是", "有"}, {"false", "0", "no", "n", "否", "无"}
EMPTY = {"", "nan", "none", "null"}
GROUPED = r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?"
"""A number with thousands separators where they belong; 30,91 is a decimal comma and is refused."""
MAY_BE_EMPTY = ("enrolment_by_grade", "budget")
"""Required tables that say something without a row; cross checks name what follows."""


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


def plain(text: object) -> str:
    """Full-width letters and digits made plain, surrounding blanks gone."""
    return unicodedata.normalize("NFKC", str(text)).strip()


def _cells(raw: pd.Series) -> pd.Series:
    text = raw.fillna("").map(plain)
    return text.where(~text.str.lower().isin(EMPTY), "")


def _number(column: Column, text: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Numbers, and where the text is none; thousands separators are accepted in their places only."""
    cleaned = text.where(~text.str.fullmatch(GROUPED), text.str.replace(",", "", regex=False))
    value = pd.to_numeric(cleaned.where(cleaned != "", None), errors="coerce").astype("float64")
    wrong = (text != "") & (value.isna() | ~np.isfinite(value))
    if column.kind == "whole":
        wrong |= value.notna() & (value % 1 != 0)
    return value, wrong


def _flag(text: pd.Series) -> tuple[pd.Series, pd.Series]:
    low = text.str.lower()
    value = low.map(dict.fromkeys(TRUE, True) | dict.fromkeys(FALSE, False)).astype(object)
    return value, (text != "") & value.isna()


def choice_words(column: Column) -> dict[str, str]:
    """The words for a column's choices, in every language: ``{"小学": "pri", ...}``.

    The template workbook offers the Chinese ones; reading takes them for the choice itself.
    """
    words = {
        plain(word): choice
        for language in LANGUAGES
        for choice in column.choices
        if (word := catalogue(language).get(f"template.word_{column.name}_{choice}"))
    }
    return words | {plain(word): choice for word, choice in column.words}


def coerce(column: Column, cells: pd.Series) -> tuple[pd.Series, pd.Series]:
    """One column's values and where they could not be read."""
    text = _cells(cells)
    if column.kind in ("whole", "number"):
        return _number(column, text)
    if column.kind == "flag":
        return _flag(text)
    if column.kind == "choice":
        words = choice_words(column) | {c: c for c in column.choices}
        written = cells.fillna("").map(plain)
        text = text.where(~written.isin(column.choices), written)  # "none" may be a choice
        text = text.map(lambda t: words.get(t, t))
    return text.astype(object).where(text != "", None), pd.Series(False, index=text.index)


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
        columns[c.name] = pa.Column(None, checks, nullable=not c.required, required=False)
    return pa.DataFrameSchema(columns)


def rename(table: Table, raw: Raw) -> tuple[pd.DataFrame, dict[str, str], list[Finding]]:
    """Headers to contract names, in English or Chinese; what is missing or unknown is said."""
    known = {plain(c.name).lower(): c.name for c in table.columns} | {
        plain(c.zh): c.name for c in table.columns
    }
    at, names, written, found = [], [], {}, []
    for position, header in enumerate(raw.frame.columns):
        name = known.get(plain(header).lower()) or known.get(plain(header))
        if name is None:
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
        if c.required and c.name not in written:
            fields: dict[str, object] = {"zh": c.zh, "unit": c.unit or c.kind}
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
    frame, written, found = rename(table, raw)
    if frame.empty and table.required and table.name not in MAY_BE_EMPTY and not _wrong(found):
        return None, [*found, Finding("error", "tables.no_rows", {}, raw.file, table.name)], None
    values = {}
    readable = pd.Series(True, index=frame.index)
    for c in table.columns:
        if c.name not in written:
            values[c.name] = pd.Series([c.default] * len(frame), index=frame.index, dtype=object)
            if not c.required and len(frame):
                key, fields = "tables.left_empty", {}
                if c.default not in (None, ""):
                    key, fields = "tables.default_used", {"default": c.default}
                found.append(Finding("note", key, fields, raw.file, table.name, None, c.name))
            continue
        values[c.name], wrong = coerce(c, frame[c.name])
        if c.name in table.key:
            readable &= ~wrong & values[c.name].notna()
        for index in frame.index[wrong]:
            key = {"whole": "tables.not_whole", "number": "tables.not_number", "flag": "tables.not_flag"}[
                c.kind
            ]
            place = (raw.file, table.name, int(index) + raw.first_row, written[c.name])
            found.append(Finding("error", key, {}, *place, value=str(frame[c.name].loc[index])))
            values[c.name] = values[c.name].where(values[c.name].index != index, _stand_in(c))
        if c.default is not None and not c.required:
            values[c.name] = values[c.name].astype(object).where(values[c.name].notna(), c.default)
    whole = pd.DataFrame(values, index=frame.index)
    there = [c.name for c in table.columns if c.name in written or not c.required]
    found += _failures(table, raw, whole[there], frame, written)
    if all(k in written for k in table.key):
        found += _duplicates(table, raw, whole[readable], written)
    if _wrong(found):
        return None, found, None
    order = whole.sort_values(list(table.key), kind="stable").index
    rows = pd.Series([int(i) + raw.first_row for i in order])
    return _typed(table, whole), found, rows


def _wrong(found: list[Finding]) -> bool:
    return any(f.severity == "error" for f in found)


def _stand_in(column: Column) -> object:
    """A harmless value for a cell already reported, so that it is not reported twice."""
    return False if column.kind == "flag" else column.low


def empty(table: Table) -> pd.DataFrame:
    """A table without rows, with the contract's columns and types."""
    types = {"text": "str", "choice": "str", "whole": "int64", "number": "float64", "flag": "bool"}
    return pd.DataFrame({c.name: pd.Series([], dtype=types[c.kind]) for c in table.columns})
