"""What improves: indicators by how many units meet them, and the coefficients of variation."""

from __future__ import annotations

from typing import Any

import pandas as pd

from geodata.standards.scheme import Norms
from maps.front.text import PageCell, PageTable, headings, hundredths, number, phrase, signed, whole
from maps.wording import indicator, stage
from models.impact.composite import mean_cvs
from models.plan.decisions import PlanResult

MARKS = {True: "✓", False: "✗"}


def indicator_gains(result: PlanResult, language: str) -> PageTable:
    """By stage and indicator: units that meet it today and in the plan, and those that win or lose it.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}

    Returns
    -------
    PageTable
    """
    rows = []
    table = result.verdict.indicators
    table = table[table["assessed_plan"].astype(bool) & table["met_plan"].notna()]
    norms, order = result.county.norms, list(result.county.scheme.stage_ids)
    for (s, i), group in sorted(
        table.groupby(["stage", "indicator"], sort=False), key=lambda g: order.index(g[0][0])
    ):
        today, plan = (group[c].eq(True).fillna(False).astype(bool) for c in ("met_today", "met_plan"))
        lost = int((today & ~plan).sum())
        rows.append(
            (
                PageCell(stage(str(s), language, norms)), PageCell(indicator(str(i), language, norms)), number(whole(len(group))),
                number(whole(today.sum())), number(whole(plan.sum())), number(whole((plan & ~today).sum()), "good" if (plan & ~today).any() else "soft"),
                number(whole(lost), "bad" if lost else ""), number(whole((~plan).sum())),
            )
        )  # fmt: skip
    head = headings(
        language, "stage", "indicator", "units#", "met_today#", "met_plan#", "won#", "lost#", "missing#"
    )
    return PageTable(head, tuple(rows))


def _cv_row(r: Any, label: str, language: str, norms: Norms) -> tuple[PageCell, ...]:
    """One coefficient, or the mean of a stage's, with its limit."""
    change = float(r.cv_plan) - float(r.cv_today)
    ok = phrase("not_assessed", language) if pd.isna(r.ok_plan) else MARKS.get(bool(r.ok_plan))
    return (
        PageCell(stage(str(r.stage), language, norms)), PageCell(label), number(hundredths(r.cv_today)),
        number(hundredths(r.cv_plan)), number(signed(hundredths(change)), "bad" if change > 0.005 else ""),
        number(hundredths(r.limit)), PageCell(str(ok), "bad" if ok == MARKS[False] else ""),
    )  # fmt: skip


def cv_gains(result: PlanResult, language: str) -> PageTable:
    """The coefficients of variation with their limits, today and in the plan.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}

    Returns
    -------
    PageTable
    """
    norms = result.county.norms
    rows = []
    for r in result.verdict.cv.itertuples():
        rows.append(_cv_row(r, indicator(str(r.indicator), language, norms), language, norms))
    for r in mean_cvs(result).itertuples():
        rows.append(_cv_row(r, phrase("cv_mean", language), language, norms))
    head = headings(language, "stage", "indicator", "cv_today#", "cv_plan#", "change#", "cv_limit#", "within")
    return PageTable(head, tuple(rows))
