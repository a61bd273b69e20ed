"""The tables of a robust study in words, for the workbook, the page and the terminal."""

from __future__ import annotations

import pandas as pd

from maps.dossier.tables import Sheet
from maps.robust.words import reached_said, robust_word, source_said
from maps.stress.words import factor_said, value_said
from maps.wording import band
from models.study.robust import Robust

AMOUNTS = ("regret", "regret_least", "regret_most", "mean", "cvar", "worst", "score", "price", "price_least", "price_most")  # fmt: skip


def _headed(table: pd.DataFrame, language: str) -> pd.DataFrame:
    return table.rename(columns={c: robust_word(f"col_{c}", language) for c in table.columns})


def candidates_sheet(found: Robust, language: str) -> Sheet:
    """One row a candidate: what it closes, its regret, mean, CVaR, its price today."""
    t = found.candidates
    told = {c: [reached_said(float(v), language) for v in t[c]] for c in AMOUNTS}
    source = [source_said(s, language) for s in t["source"]]
    table = t.assign(**told, source=source, chosen=["✓" if c else "" for c in t["chosen"]])
    return Sheet("candidates", _headed(table, language), {})


def matrix_sheet(found: Robust, language: str, column: str = "value") -> Sheet:
    """Candidates down, futures across: the goal's value, or the regret."""
    wide = found.cells.pivot(index="candidate", columns="future", values=column)
    named = {f: robust_word("today" if f == 0 else "future", language, future=f) for f in wide.columns}
    table = wide.map(lambda v: reached_said(float(v), language)).rename(columns=named)
    table.insert(0, robust_word("col_candidate", language), wide.index)
    return Sheet(f"matrix_{column}", table.reset_index(drop=True), {})


def cells_sheet(found: Robust, language: str) -> Sheet:
    """One row a candidate and future, with what is proven."""
    t = found.cells
    told = {
        c: [reached_said(float(v), language) for v in t[c]]
        for c in ("value", "bound", "regret", "regret_least", "regret_most")
    }
    table = t.assign(**told, solve=[robust_word(f"solve_{s or 'error'}", language) for s in t["solve"]])
    return Sheet("cells", _headed(table, language), {})


def futures_sheet_of(found: Robust, language: str) -> Sheet:
    """One row a future: its factors, its own plan's value and bound."""
    t, norms = found.futures, found.county.norms
    columns: dict[str, object] = {robust_word("col_future", language): t["future"]}
    for name, unit in found.factors.items():
        columns[factor_said(name, language, norms)] = [
            value_said(v, unit, language) if v == v else "" for v in t[name]
        ]
    for c in ("value", "bound", "best"):
        columns[robust_word(f"col_own_{c}", language)] = [reached_said(float(v), language) for v in t[c]]
    return Sheet("futures", pd.DataFrame(columns), {})


def closures_sheet(found: Robust, language: str) -> Sheet:
    """One row a band that a candidate gives up."""
    t = found.closures
    table = t.assign(band=[band(b, language, found.county.norms) for b in t["band"]])
    return Sheet("closures", _headed(table, language), {})


def robust_sheets(found: Robust, language: str) -> list[Sheet]:
    """All tables that have rows."""
    sheets = [
        candidates_sheet(found, language), matrix_sheet(found, language), matrix_sheet(found, language, "regret"),
        futures_sheet_of(found, language), closures_sheet(found, language), cells_sheet(found, language),
    ]  # fmt: skip
    return [s for s in sheets if len(s.table)]
