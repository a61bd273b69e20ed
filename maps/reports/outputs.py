"""The twelve reports as one page and one workbook."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

from geodata.standards.terms import in_its_words
from maps.dossier.workbook import opened
from maps.front.pages import render
from maps.lettered import lettered
from maps.reports.report import OfficialReport, report_word
from maps.reports.sheets import Looks, write_report
from maps.reports.twelve import all_reports
from models.plan.decisions import PlanResult


@in_its_words
def reports_page(result: PlanResult, language: str, reports: list[OfficialReport] | None = None) -> str:
    """``reports.html``: the twelve reports one after another, each beginning a printed page.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}
    reports : list of OfficialReport or None
        The twelve, where they are made already.

    Returns
    -------
    str
    """
    result = lettered(result, language)
    told = reports or all_reports(result, language)
    return render("reports.html", result, language, report_word("page", language), reports=told, drawn=Markup)


@in_its_words
def write_reports_workbook(
    result: PlanResult, path: Path, language: str = "zh", reports: list[OfficialReport] | None = None
) -> Path:
    """``reports.xlsx``: a sheet for each report, numbers as numbers.

    Parameters
    ----------
    result : PlanResult
    path : Path
    language : {"zh", "en"}
    reports : list of OfficialReport or None

    Returns
    -------
    Path
    """
    result = lettered(result, language)
    with opened(path, result.county.name, language) as book:
        looks = Looks(book)
        for report in reports or all_reports(result, language):
            write_report(book.add_worksheet(report.tab), report, looks, language)
    return path
