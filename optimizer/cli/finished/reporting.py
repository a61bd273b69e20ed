"""The verb ``reports`` on the command line: the twelve reports one by one. Words only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from geodata.contract.containment import whole_path
from geodata.folder.interrupts import held
from maps.folders.writing import may_write
from maps.reports.letterhead import read_letterhead
from maps.reports.single import SINGLE_MARKER, reports_meant, write_single_reports
from optimizer.cli.console import (
    DatabaseOption,
    FolderArgument,
    LanguageOption,
    LetterheadOption,
    OutsideOption,
    OverwriteOption,
    county_of,
    exits,
    output,
    refuse_shared,
)
from optimizer.verbs.recorded import result_in


def reports_command(
    folder: FolderArgument,
    plan: Annotated[Path, typer.Option("--plan", help="Dossier folder, or run.json. 方案文件夹。")],
    target: Annotated[Path, typer.Option("--out", help="Folder for the documents. 报告文件夹。")],
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            help="A report by number (1-12), id or title; may be repeated. 只写某份报告（编号、标识或名称）。",
        ),
    ] = None,
    letterhead: LetterheadOption = None,
    language: LanguageOption = "zh",
    overwrite: OverwriteOption = False,
    outside: OutsideOption = False,
    database: DatabaseOption = None,
) -> None:
    """The twelve reports of a plan as Word documents, one by one. 逐份生成十二份报告的 Word 文档。"""
    out = output(language)
    with exits(out, "reports"):
        wanted = reports_meant(only or ())
        if whole_path(target).parent != whole_path(plan):
            refuse_shared(target, plan if plan.is_dir() else None)
        may_write(target, SINGLE_MARKER, overwrite)
        template = None if letterhead is None else read_letterhead(letterhead)
        county = county_of(folder, outside, database)
        out.about(county)
        result = result_in(plan, county)
        with held():
            place = write_single_reports(result, target, language, wanted, template, overwrite)
        out.say_as("reports.written", style="bold green", folder=str(place), count=len(wanted))
