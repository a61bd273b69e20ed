"""The verb ``audit``: where the county stands today. Words and tables only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from geodata.messages import say
from geodata.standards.scheme import Norms
from geodata.travel.times import travel_times
from maps.folders.audit import AUDIT_MARKER, write_audit
from maps.folders.writing import may_write
from maps.wording import indicator, stage, unit_word, yes_or_no
from models.plan.arrangement import today_as_plan
from models.referee.audit import Audit
from models.referee.audit import audit as audit_county
from models.standards.norms import load_standards
from optimizer.cli.console import (
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
from optimizer.verbs.told import result_of


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
        out.about(county)
        standards = load_standards(county)
        found = audit_county(county, standards)
        out.findings([f for f in county.findings if f.severity != "note"])
        _print_audit(out, found, county.norms)
        if target is not None:
            times = travel_times(county)
            today = result_of(county, today_as_plan(county, standards, times), Scenario(budget={}), times)
            place = write_audit(found, today, target, language, overwrite)
            out.say("audit_written", style="bold green", folder=str(place))


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
            *("–" if x != x else f"{x:.2f}" for x in numbers), yes_or_no(row.ok_today, out.language),
        )  # fmt: skip
    out.console.print(grid)
    for row in found.stages.itertuples():
        out.say_as(
            "cli.audit_stage", stage=stage(str(row.stage), out.language, norms), units=row.units, passing=row.units_passing,
            cvs=row.cvs, within=row.cvs_ok, passes=yes_or_no(row.passes, out.language),
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
            f"{indicator(r.indicator, out.language, norms)} {figure(r.gap_today)} {unit_word(str(r.resource), out.language, norms)}".rstrip()
            for r in rows.itertuples()
        )
        for u, rows in short.groupby("unit_id")
    }
    for row in found.units[
        found.units["unit_id"].isin(found.indicators.loc[found.indicators["assessed_today"], "unit_id"])
    ].itertuples():
        units.add_row(
            Text(str(row.name)), stage(str(row.stage), out.language, norms), str(row.pupils_today),
            f"{row.indicators_met_today}/{row.indicators_tested_today}", yes_or_no(row.passes_today, out.language), gaps.get(row.unit_id, ""),
        )  # fmt: skip
    out.console.print(units)
