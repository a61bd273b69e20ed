"""The verbs about a county's data: check, template, audit, areas. Words and tables only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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
from geodata.folder.template import refuse_workbook, write_template
from geodata.messages import say
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
    county_of,
    exits,
    figure,
    output,
    rule_word,
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
        found = check_county(folder, allow_outside=outside, databases=allowed.databases)
        if not errors(found):
            found += _standards_problems(county_of(folder, outside, database))
        out.findings(found, most=1000)
        if marked is not None:
            write_marked(folder, found, marked, language, allowed=allowed)
            out.say("marked", file=str(marked))
        wrong = len(errors(found))
        out.say("checked", style="bold red" if wrong else "bold green", errors=wrong, findings=len(found))
    if wrong:
        raise typer.Exit(BAD_INPUT)


def _standards_problems(county: County) -> list[Finding]:
    """What is wrong with the standards, which are read only once the tables are right."""
    try:
        load_standards(county)
    except InputProblems as problem:
        return problem.findings
    return []


def template_command(
    workbook: Annotated[Path, typer.Argument(help="New workbook, .xlsx. 新工作簿。")],
    language: LanguageOption = "zh",
) -> None:
    """Write an empty workbook to fill in, with drop-downs and notes. 生成空白填报工作簿。"""
    out = output(language)
    with exits(out, "template"):
        write_template(workbook, language)
        out.say("template", style="bold green", file=str(workbook))


def audit_command(
    folder: FolderArgument,
    language: LanguageOption = "zh",
    outside: OutsideOption = False,
    database: DatabaseOption = None,
) -> None:
    """Where the county stands today: indicators, CVs, who passes. 现状评估。"""
    out = output(language)
    with exits(out, "audit"):
        county = county_of(folder, outside, database)
        found = audit_county(county, load_standards(county))
        out.findings([f for f in county.findings if f.severity != "note"])
        _print_audit(out, found)


def _print_audit(out: Out, found: Audit) -> None:
    grid = Table(
        *(
            say(f"cli.col_{c}", out.language)
            for c in ("stage", "indicator", "mean", "cv", "unweighted", "limit", "ok")
        )
    )
    for row in found.cv.itertuples():
        ok = say("cli.yes" if row.ok_today else "cli.no", out.language)
        grid.add_row(
            say(f"cli.stage_{row.stage}", out.language), rule_word("indicator", str(row.indicator), out.language), figure(row.mean_today),
            f"{row.cv_today:.2f}", f"{row.unweighted_today:.2f}", f"{row.limit:.2f}", ok,
        )  # fmt: skip
    out.console.print(grid)
    units = Table(
        *(say(f"cli.col_{c}", out.language) for c in ("school", "stage", "pupils", "met", "passes", "gaps"))
    )
    short = found.indicators[found.indicators["assessed_today"] & ~found.indicators["met_today"]]
    tested = found.indicators.groupby("stage")["indicator"].nunique()
    gaps = {
        u: say("map.comma", out.language).join(
            f"{rule_word('indicator', r.indicator, out.language)} {figure(r.gap_today)}"
            for r in rows.itertuples()
        )
        for u, rows in short.groupby("unit_id")
    }
    for row in found.units[
        found.units["unit_id"].isin(found.indicators.loc[found.indicators["assessed_today"], "unit_id"])
    ].itertuples():
        units.add_row(
            Text(str(row.name)), say(f"cli.stage_{row.stage}", out.language), str(row.pupils_today), f"{row.indicators_met_today}/{tested[row.stage]}",
            _verdict(row.passes_today, out.language), gaps.get(row.unit_id, ""),
        )  # fmt: skip
    out.console.print(units)


def _verdict(passes: object, language: str) -> str:
    """Yes, no, or a dash for what is not assessed."""
    return "–" if pd.isna(passes) else say("cli.yes" if passes else "cli.no", language)  # type: ignore[call-overload]


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
