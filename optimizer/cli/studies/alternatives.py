"""Plans that are nearly as good on the command line. Words and tables only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from geodata.folder.interrupts import held
from geodata.folder.target import claim
from maps.folders import alternatives as alternative_files
from maps.folders.writing import may_write
from optimizer.cli.asking import asked_county
from optimizer.cli.chosen import OneOfMany, refuse_dossiers, write_dossiers
from optimizer.cli.console import (
    DatabaseOption,
    FolderArgument,
    LanguageOption,
    OutsideOption,
    OverwriteOption,
    ScenarioOption,
    exits,
    output,
    progress,
)
from optimizer.cli.studies.shared import print_sheet
from optimizer.scenario import Scenario
from optimizer.study.alternatives import alternatives as make_alternatives
from optimizer.study.study import STUDIED


def alternatives_command(
    folder: FolderArgument,
    target: Annotated[Path, typer.Option("--out", help="Folder for the result. 结果文件夹。")],
    k: Annotated[int, typer.Option("--k", help="Plans wanted besides the best. 方案数。")] = 5,
    within: Annotated[
        float, typer.Option(help="How much worse they may be, as a share. 允许比最优差的比例。")
    ] = 0.03,
    dossier: Annotated[
        list[int] | None,
        typer.Option(
            "--dossier", help="Also a dossier of this plan, 1 is the best. 另写第几个方案的文件夹。"
        ),
    ] = None,
    scenario: ScenarioOption = None,
    language: LanguageOption = "zh",
    overwrite: OverwriteOption = False,
    outside: OutsideOption = False,
    database: DatabaseOption = None,
) -> None:
    """Different plans that are nearly as good. 备选方案。"""
    out = output(language)
    with exits(out, "plan"), claim(target):
        may_write(target, alternative_files.MARKER, overwrite)
        refuse_dossiers(target, dossier, k + 1, overwrite)
        county, asked = asked_county(folder, outside, database, scenario, Scenario(preset=STUDIED))
        out.about(county)
        with progress(out) as report:
            found = make_alternatives(county, asked, k=k, within=within, report=report)
        with held() as came:
            alternative_files.write_alternatives(found, target, language, overwrite)
        if came:
            raise KeyboardInterrupt
        for text in alternative_files.alternatives_said(found, language)[1:]:
            out.console.print(Text(text))
        print_sheet(out, alternative_files.plans_sheet(found, language).table.iloc[:, [0, 1, 2, 3, 4, 5, -1]])
        print_sheet(out, alternative_files.decisions_sheet(found, language).table)
        out.say_as("analysis.alternatives_written", style="bold green", folder=str(target))
        plans = [OneOfMany(p.plan, p.verdict, p.objective, found.bound, asked) for p in found.plans]
        write_dossiers(out, county, plans, target, dossier, overwrite)
