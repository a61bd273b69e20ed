"""The verbs about a county's data: check, template, audit, areas. Words and tables only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
from rich.table import Table
from rich.text import Text

from geodata.areas.export import refuse_geopackage, write_areas
from geodata.contract.containment import Allowed
from geodata.contract.county import County
from geodata.contract.findings import Finding, InputProblems, errors
from geodata.folder.annotated import write_marked
from geodata.folder.reading import check as check_county
from geodata.folder.template import refuse_workbook
from geodata.messages import say
from geodata.standards.scheme import Norms
from geodata.travel.times import travel_times
from maps.folders.audit import AUDIT_MARKER, write_audit
from maps.folders.writing import may_write, refuse_unwritable
from maps.reports.letterhead import default_letterhead
from maps.wording import indicator, stage
from models.plan.arrangement import today_as_plan
from models.referee.audit import Audit
from models.referee.audit import audit as audit_county
from models.standards.norms import load_standards
from optimizer.cli.console import (
    BAD_INPUT,
    DatabaseOption,
    FolderArgument,
    LanguageOption,
    Out,
    OutsideOption,
    OverwriteOption,
    county_of,
    exits,
    figure,
    output,
)
from optimizer.scenario import Scenario
from optimizer.scenario_sheet import sheet_scenario
from optimizer.verbs.template import example_county, write_template
from optimizer.verbs.told import result_of


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
        found = check_county(folder, allow_outside=outside, databases=allowed.databases)
        if not errors(found):
            found += _further_problems(county_of(folder, outside, database))
        elif folder.is_file():
            found.append(Finding("note", "form.scenario_waits", file=folder.name))
        out.findings(found, most=1000)
        if marked is not None:
            write_marked(folder, found, marked, language, allowed=allowed)
            out.say("marked", file=str(marked))
        wrong = len(errors(found))
        out.say("checked", style="bold red" if wrong else "bold green", errors=wrong, findings=len(found))
    if wrong:
        raise typer.Exit(BAD_INPUT)


def _further_problems(county: County) -> list[Finding]:
    """What is wrong with standards and scenario sheet, which are read only once the tables are right."""
    found: list[Finding] = []
    for read in (load_standards, sheet_scenario):
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
        county = example_county() if example else None if source is None else county_of(source, False, None)
        write_template(workbook, language, county)
        out.say("template", style="bold green", file=str(workbook))


def _write_letterhead(path: Path, language: str) -> None:
    """The program's own template of the reports, for a bureau to change."""
    if path.suffix.lower() != ".docx":
        raise InputProblems([Finding("error", "reports.letter_name", file=str(path))])
    if path.exists():
        raise InputProblems([Finding("error", "workbook.exists", file=str(path))])
    refuse_unwritable(path.parent)
    path.write_bytes(default_letterhead(language))


def audit_command(
    folder: FolderArgument,
    target: Annotated[
        Path | None, typer.Option("--out", help="Folder for a workbook and a map of it. 结果文件夹。")
    ] = None,
    language: LanguageOption = "zh",
    overwrite: OverwriteOption = False,
    outside: OutsideOption = False,
    database: DatabaseOption = None,
) -> None:
    """Where the county stands today: indicators, CVs, who passes. 现状评估。"""
    out = output(language)
    with exits(out, "audit"):
        if target is not None:
            may_write(target, AUDIT_MARKER, overwrite)
        county = county_of(folder, outside, database)
        standards = load_standards(county)
        found = audit_county(county, standards)
        out.findings([f for f in county.findings if f.severity != "note"])
        _print_audit(out, found, county.norms)
        if target is not None:
            times = travel_times(county)
            today = result_of(county, today_as_plan(county, standards, times), Scenario(budget={}), times)
            place = write_audit(found, today, target, language, overwrite)
            out.say("audit_written", style="bold green", folder=str(place))


def _answer(value: Any, language: str) -> str:
    """Yes, no, or not assessed."""
    return say("cli.not_assessed" if pd.isna(value) else "cli.yes" if value else "cli.no", language)


def _print_audit(out: Out, found: Audit, norms: Norms) -> None:
    grid = Table(
        *(
            say(f"cli.col_{c}", out.language)
            for c in ("stage", "indicator", "mean", "cv", "unweighted", "limit", "ok")
        )
    )
    for row in found.cv.itertuples():
        numbers = (row.cv_today, row.unweighted_today, row.limit)
        grid.add_row(
            stage(str(row.stage), out.language, norms), indicator(str(row.indicator), out.language, norms), figure(row.mean_today),
            *("–" if x != x else f"{x:.2f}" for x in numbers), _answer(row.ok_today, out.language),
        )  # fmt: skip
    out.console.print(grid)
    for row in found.stages.itertuples():
        out.say_as(
            "cli.audit_stage", stage=stage(str(row.stage), out.language, norms), units=row.units, passing=row.units_passing,
            cvs=row.cvs, within=row.cvs_ok, passes=_answer(row.passes, out.language),
        )  # fmt: skip
        if row.mean_limit == row.mean_limit:
            mean = "–" if row.mean_cv != row.mean_cv else f"{row.mean_cv:.3f}"
            out.say_as("cli.audit_mean", mean=mean, limit=f"{row.mean_limit:.2f}")
    units = Table(
        *(say(f"cli.col_{c}", out.language) for c in ("school", "stage", "pupils", "met", "passes", "gaps"))
    )
    short = found.indicators[
        found.indicators["assessed_today"] & found.indicators["met_today"].eq(False).fillna(False)
    ]
    gaps = {
        u: say("map.comma", out.language).join(
            f"{indicator(r.indicator, out.language, norms)} {figure(r.gap_today)}" for r in rows.itertuples()
        )
        for u, rows in short.groupby("unit_id")
    }
    for row in found.units[
        found.units["unit_id"].isin(found.indicators.loc[found.indicators["assessed_today"], "unit_id"])
    ].itertuples():
        units.add_row(
            Text(str(row.name)), stage(str(row.stage), out.language, norms), str(row.pupils_today),
            f"{row.indicators_met_today}/{row.indicators_tested_today}", _answer(row.passes_today, out.language), gaps.get(row.unit_id, ""),
        )  # fmt: skip
    out.console.print(units)


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
        out.findings(write_areas(county_of(folder, outside, database), target))
        out.say("areas", style="bold green", file=str(target))
