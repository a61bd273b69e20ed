"""The twelve reports in their order; the comparison of plans and the quality of the data are put together here."""

from __future__ import annotations

import pandas as pd

from geodata.contract.findings import as_table
from maps.dossier.tables import column_told
from maps.front.text import PageCell, PageTable, large, minutes, number, plainly, whole
from maps.front.trust import assumptions, data
from maps.lettered import lettered
from maps.reports.network import closures, layout, risks, school_ways
from maps.reports.report import OfficialReport, Portion, columns, made, report_word
from maps.reports.resources import devices, indicator_matrix, problems, spread, teachers, years
from maps.wording import name, word
from models.plan.decisions import PlanResult

MOST = 200
"""Findings that a report lists; the workbook has all."""


def comparison(result: PlanResult, language: str) -> OfficialReport:
    """Today and the plan side by side; other plans are compared by the command for alternatives.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}

    Returns
    -------
    OfficialReport
    """
    rows = tuple(
        (
            PageCell(name("measure", r.measure, language)), PageCell(name("unit", "large" if r.unit == "yuan" else r.unit, language)),
            number(_told(r.today, r.unit)), number(_told(r.plan, r.unit)),
        )
        for r in result.verdict.measures.itertuples()
    )  # fmt: skip
    head = columns(language, "measure", "unit", "today#", "plan#")
    return made(
        "comparison",
        language,
        Portion("", (report_word("comparison_about", language),), PageTable(head, rows)),
    )


def _told(value: float, unit: object) -> str:
    if unit == "yuan":
        return large(value)
    return minutes(value) if unit == "minutes" else plainly(value) if unit == "1" else whole(value)


def data_quality(result: PlanResult, language: str) -> OfficialReport:
    """What was imputed, missing or doubtful in the data, and what the numbers rest on.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}

    Returns
    -------
    OfficialReport
    """
    counts, balance = data(result, language)
    found = as_table(result.findings, language)
    rows = tuple(
        (
            PageCell(word(f"severity_{r.severity}", language)), PageCell(str(r.file)), PageCell(str(r.message)),
            number("" if pd.isna(r.row) else str(r.row)), PageCell(column_told(finding, language)), PageCell(str(r.value)),
        )
        for r, finding in zip(found.head(MOST).itertuples(), result.findings, strict=False)
    )  # fmt: skip
    listed = PageTable(columns(language, "severity", "file", "sentence", "row#", "column", "entry"), rows)
    said = (*assumptions(result, language), balance)
    return made(
        "quality",
        language,
        Portion("", said, counts),
        Portion(report_word("h_findings", language, count=len(found)), (), listed),
    )


def all_reports(result: PlanResult, language: str) -> list[OfficialReport]:
    """The twelve reports.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}

    Returns
    -------
    list of OfficialReport
    """
    result = lettered(result, language)
    makers = (
        layout,
        closures,
        indicator_matrix,
        spread,
        teachers,
        devices,
        school_ways,
        years,
        risks,
        problems,
        comparison,
        data_quality,
    )
    return [make(result, language) for make in makers]
