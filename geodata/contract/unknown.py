"""What a county does not know: tables it does not have, cells of a measure that are empty.

Nothing that is not known is taken for zero, or for met. What follows from it is said here, before anything is
planned; the models leave it out (docs/data.md, "What is not known").
"""

from __future__ import annotations

import pandas as pd

from geodata.contract.declared import declared_tables
from geodata.contract.findings import Finding
from geodata.contract.tables import UNKNOWN_WITHOUT
from geodata.contract.validation.placed import Tables
from geodata.standards.scheme import Norms

NAMED = 5
WORDS = {"pupils": "unknown_pupils", "capacity_pupils": "unknown_places", "heads": "unknown_heads"}
"""Columns whose gaps mean something of their own; the others are what indicators count."""


def unknown_staff(stage: pd.DataFrame, stock: pd.DataFrame, categories: pd.DataFrame) -> pd.Series:
    """Whether the staff of a unit is not known: no table of it, or an empty cell of heads.

    Parameters
    ----------
    stage, stock, categories : DataFrame
        T2, T9, T8.

    Returns
    -------
    Series of bool
        By ``school_id/stage``; a unit without a row in T9 has nobody.
    """
    units = stage["school_id"] + "/" + stage["stage"]
    if stock.empty or categories.empty:
        return pd.Series(True, index=units)
    gaps = stock[stock["heads"].isna()]
    return pd.Series(units.isin(gaps["school_id"] + "/" + gaps["stage"]).to_numpy(), index=units)


def unknown(tables: Tables, norms: Norms) -> list[Finding]:
    """Every table and every measure that is not there, with what is left out for it."""
    lacking = [
        n for n in UNKNOWN_WITHOUT if n in tables and tables[n].all_rows().frame.empty and tables[n].whole
    ]
    if {"staff_stock", "staff_category"} <= set(lacking):
        lacking.remove("staff_category")  # said once: nothing is known about staff
    found = [Finding("warning", f"tables.lacks_{n}", {}, tables[n].file, n) for n in lacking]
    if "attendance" in tables and tables["attendance"].all_rows().frame.empty and tables["attendance"].whole:
        found.append(
            Finding("warning", "tables.lacks_attendance", {}, tables["attendance"].file, "attendance")
        )
    contracts = declared_tables(norms)
    for name in ("school_stage", "staff_stock"):
        placed = tables.get(name)
        if placed is None:
            continue  # it could not be read, which is said
        for column in contracts[name].columns:
            gaps = placed.frame[column.name].isna() if column.measure else pd.Series(dtype=bool)
            if gaps.any():
                found.append(_gap(placed.file, name, column.name, placed.frame, gaps))
    return found


def _gap(file: str, table: str, column: str, rows: pd.DataFrame, gaps: pd.Series) -> Finding:
    """One column of a measure with its empty cells."""
    where = rows.loc[gaps, "school_id"] + "/" + rows.loc[gaps, "stage"]
    named = list(dict.fromkeys(where))
    shown = ", ".join(named[:NAMED]) + (" ..." if len(named) > NAMED else "")
    key = WORDS.get(column, "unknown_measure")
    if gaps.all():
        key = {"unknown_pupils": "unknown_enrolment"}.get(key, key)
    fields: dict[str, object] = {"count": int(gaps.sum()), "all": len(rows), "names": shown}
    return Finding("warning", f"tables.{key}", fields, file, table, None, column)
