"""The verbs about a county's data: check, template, areas. Words and tables only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from geodata.areas.export import refuse_geopackage, write_areas
from geodata.contract.containment import Allowed
from geodata.contract.county import County
from geodata.contract.findings import Finding, InputProblems, errors
from geodata.folder.annotated import write_marked
from geodata.folder.reading import examined
from geodata.folder.target import claim
from geodata.folder.template import refuse_workbook
from geodata.messages import speak
from geodata.standards.terms import county_terms
from maps.folders.writing import refuse_unwritable
from models.standards.norms import load_standards
from optimizer.cli.console import (
    BAD_INPUT,
    DatabaseOption,
    FolderArgument,
    LanguageOption,
    OutsideOption,
    county_of,
    exits,
    output,
)


def check_command(
    folder: FolderArgument,
    marked: Annotated[
        Path | None, typer.Option(help="New workbook with the bad cells marked. 标出问题单元格的工作簿。")
    ] = None,
    language: LanguageOption = "zh",
    outside: OutsideOption = False,
    database: DatabaseOption = None,
) -> None:
    """List every problem in a county's files with the fix. 检查数据并逐条列出问题。"""
    out = output(language)
    with exits(out, "check"):
        if marked is not None:
            refuse_workbook(marked)
        allowed = Allowed(outside, tuple(database or ()))
        county, found = examined(folder, allow_outside=outside, databases=allowed.databases)
        if county is not None and not errors(found):
            speak(county_terms(county))
            found += _further_problems(county)
            out.about(county)
        elif folder.is_file():
            found.append(Finding("note", "form.scenario_waits", file=folder.name))
        out.findings(found, most=1000)
        if marked is not None:
            write_marked(folder, found, marked, language, allowed=allowed)
            out.saved.clear()  # what is checked is told below
            out.say("marked", file=str(marked))
        wrong = len(errors(found))
        out.say("checked", style="bold red" if wrong else "bold green", errors=wrong, findings=len(found))
    if wrong:
        raise typer.Exit(BAD_INPUT)


def _further_problems(county: County) -> list[Finding]:
    """What is wrong with standards and scenario sheet, which are read only once the tables are right."""
    readers: list[Callable[[County], object]] = [load_standards]
    if county.asked:
        from optimizer.scenario_sheet import sheet_scenario  # with the libraries of the solver

        readers.append(sheet_scenario)
    found: list[Finding] = []
    for read in readers:
        try:
            told = read(county)
        except InputProblems as problem:
            found += problem.findings
        else:
            found += told[1] if isinstance(told, tuple) else []
    return found


def template_command(
    workbook: Annotated[Path, typer.Argument(help="New workbook, .xlsx. 新工作簿。")],
    document: Annotated[
        bool,
        typer.Option(
            "--document", help="A Word template of the reports instead, .docx. 改为生成报告的 Word 模板。"
        ),
    ] = False,
    example: Annotated[
        bool, typer.Option("--example", help="Filled with the fictional county. 填好虚构示例县。")
    ] = False,
    source: Annotated[
        Path | None,
        typer.Option("--from", help="Filled from a county's folder or workbook. 用已有的县数据填好。"),
    ] = None,
    language: LanguageOption = "zh",
) -> None:
    """Write a workbook to fill in: settings, scenario, tables, with drop-downs and notes. 生成填报工作簿。"""
    out = output(language)
    with exits(out, "template"):
        if document:
            _write_letterhead(workbook, language)
            out.say("letterhead", style="bold green", file=str(workbook))
            return
        refuse_workbook(workbook)
        if example and source is not None:
            raise InputProblems([Finding("error", "form.example_or_from", file=str(source))])
        from optimizer.verbs.template import example_county, left_out, write_template

        county = example_county() if example else None if source is None else county_of(source, False, None)
        write_template(workbook, language, county)
        if county is not None and not example:
            out.findings(left_out(county))
        out.say("template", style="bold green", file=str(workbook))


def _write_letterhead(path: Path, language: str) -> None:
    """The program's own template of the reports, for a bureau to change."""
    if path.suffix.lower() != ".docx":
        raise InputProblems([Finding("error", "reports.letter_name", file=str(path))])
    if path.exists():
        raise InputProblems([Finding("error", "workbook.exists", file=str(path))])
    refuse_unwritable(path.parent)
    from maps.reports.letterhead import default_letterhead

    with claim(path) as target:
        target.new_file(lambda draft: draft.write_bytes(default_letterhead(language)))


def areas_command(
    folder: FolderArgument,
    target: Annotated[Path, typer.Option("--out", help="New GeoPackage, .gpkg. 新图层文件。")],
    language: LanguageOption = "zh",
    outside: OutsideOption = False,
    database: DatabaseOption = None,
) -> None:
    """Draw zones, today's catchments and walking service areas. 绘制分区、现有学区和步行服务范围。"""
    out = output(language)
    with exits(out, "areas"):
        refuse_geopackage(target)
        county = county_of(folder, outside, database)
        out.about(county)
        out.findings(write_areas(county, target))
        out.say("areas", style="bold green", file=str(target))
