"""A column of ours out of a bureau's numbers: its formula, factor, share and range, each said as a note."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pandas as pd

from geodata.bureau.formulas import Formula, nearest_whole, read_formula, share_of, with_point, written
from geodata.bureau.mapping import Bound
from geodata.bureau.workbooks import decimal
from geodata.contract.cells import bare
from geodata.contract.columns import Column
from geodata.contract.findings import Finding, Severity


@dataclass(frozen=True)
class Worked:
    """Cells of a column with what was said about them."""

    cells: pd.Series
    notes: list[Finding]


def formula_of(rule: Bound) -> Formula | None:
    """The formula of a column that has one."""
    return None if rule.formula is None else read_formula(rule.formula)


def exact_number(text: str) -> Fraction | None:
    """A cell's number, exactly."""
    value = decimal(bare(text))
    return None if value is None else Fraction(value)


def worked_out(
    formula: Formula, cells: dict[str, pd.Series], whole: bool, place: dict[str, Any], column: Column
) -> Worked:
    """What a formula gives, row by row.

    Parameters
    ----------
    formula : Formula
    cells : dict
        Its headings' cells as text, equally indexed. A row with an empty cell has no number; one with a text
        that is none keeps the text, so that it is reported like any other.
    whole : bool
        Ours counts heads or rooms: results are rounded, and said.
    place : dict
        File, table and column, for messages.
    column : Column

    Returns
    -------
    Worked
    """
    done, rounded, nought = [], [], []
    rows = pd.DataFrame(cells)
    for at, row in zip(rows.index, rows.to_dict("records"), strict=True):
        numbers = {str(h): exact_number(t) for h, t in row.items()}
        bad = next((t for h, t in row.items() if numbers[str(h)] is None and bare(t)), None)
        if bad is not None or any(v is None for v in numbers.values()):
            done.append(bad or "")
            continue
        value = formula.value({h: v for h, v in numbers.items() if v is not None})
        if value is None:
            nought.append(at)
            done.append("")
            continue
        if whole and value.denominator != 1:
            rounded.append(at)
            value = Fraction(nearest_whole(value))
        done.append(written(value))
    notes = [_note("note", "bureau.formula_done", {"count": len(done), "name": column.name}, place, None)]
    notes += _said("note", "bureau.rounded", rounded, place)
    notes += _said("error", "bureau.formula_nought", nought, place)
    return Worked(pd.Series(done, index=rows.index, dtype=object), notes)


def times(cells: pd.Series, rule: Bound, factor: Fraction, place: dict[str, Any]) -> Worked:
    """Numbers times a stated factor."""
    hit = cells.map(lambda t: exact_number(t) is not None)
    done = cells.map(lambda t: t if (value := exact_number(t)) is None else written(value * factor))
    fields: dict[str, object] = {
        "count": int(hit.sum()),
        "factor": str(rule.factor),
        "unit": rule.unit or "-",
    }
    return Worked(done, [_note("note", "bureau.times", fields, place, None)] if hit.any() else [])


def shared(
    cells: pd.Series, rule: Bound, part: Fraction, before: Fraction, whole: bool, place: dict[str, Any]
) -> Worked:
    """A share of numbers; those that follow each other add up (`share_of`)."""
    done = cells.map(
        lambda t: t if (value := exact_number(t)) is None else written(share_of(value, before, part, whole))
    )
    fields: dict[str, object] = {"share": str(rule.share), "count": len(cells)}
    return Worked(done, [_note("note", "bureau.shared", fields, place, None)])


def pointed(cells: pd.Series, low: float, high: float, place: dict[str, Any]) -> Worked:
    """Numbers with their lost decimal points back in a range; those that fit nowhere are errors."""
    ends = Fraction(repr(low)), Fraction(repr(high))
    done, mended, lost = [], [], []
    for at, text in cells.items():
        value = exact_number(text)
        right = None if value is None else with_point(value, *ends)
        if value is None or right == value:
            done.append(text)
        elif right is None:
            lost.append(at)
            done.append(text)
        else:
            mended.append(at)
            done.append(written(right))
    made = pd.Series(done, index=cells.index, dtype=object)
    notes = []
    if mended:
        fields = {"count": len(mended), "low": f"{low:g}", "high": f"{high:g}", "now": made.loc[mended[0]]}
        notes.append(_note("warning", "bureau.point_back", fields, place, mended[0], cells.loc[mended[0]]))
    if lost:
        fields = {"count": len(lost), "low": f"{low:g}", "high": f"{high:g}"}
        notes.append(_note("error", "bureau.not_between", fields, place, lost[0], cells.loc[lost[0]]))
    return Worked(made, notes)


def _said(severity: Severity, key: str, rows: list[int], place: dict[str, Any]) -> list[Finding]:
    return [_note(severity, key, {"count": len(rows)}, place, rows[0])] if rows else []


def _note(
    severity: Severity, key: str, fields: dict[str, object], place: dict[str, Any], row: int | None, value: str = ""
) -> Finding:  # fmt: skip
    return Finding(severity, key, fields, row=row, value=value, **place)
