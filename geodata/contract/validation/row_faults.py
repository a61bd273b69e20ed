"""Faults of a table's rows: out of range, not among the choices, empty, there twice."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import pandas as pd

from geodata.contract.columns import Table
from geodata.contract.findings import Finding
from geodata.contract.validation.headers import Raw
from geodata.contract.validation.values import choices_said

if TYPE_CHECKING:
    import pandera.pandas as pa  # slow to import, and not needed where the words of tables are


@lru_cache(maxsize=64)
def _schema(table: Table) -> pa.DataFrameSchema:
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


def failures(
    table: Table, raw: Raw, frame: pd.DataFrame, text: pd.DataFrame, written: dict[str, str]
) -> list[Finding]:
    """Ranges, choices and empty cells; ``text`` has the cells as they were written."""
    from pandera.errors import SchemaErrors

    try:
        _schema(table).validate(frame, lazy=True)
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


def duplicates(table: Table, raw: Raw, frame: pd.DataFrame, written: dict[str, str]) -> list[Finding]:
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
