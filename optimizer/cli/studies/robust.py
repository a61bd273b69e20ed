"""The verb ``robust`` on the command line. Words and tables only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from geodata.folder.interrupts import held
from geodata.folder.target import claim
from maps.dossier.dossier import is_dossier, write_dossier
from maps.folders.writing import refuse_unwritable
from maps.front.studies import put_study
from maps.robust.folder import write_robust
from maps.robust.sheets import candidates_sheet, matrix_sheet
from maps.robust.words import robust_said
from models.plan.record import read_plan
from optimizer.cli.console import (
    DatabaseOption,
    FolderArgument,
    LanguageOption,
    OutsideOption,
    OverwriteOption,
    ScenarioOption,
    county_of,
    exits,
    output,
    progress,
    refuse_folder,
)
from optimizer.cli.studies.shared import (
    SchedulerOption,
    WorkersOption,
    cores,
    job_progress,
    on_front,
    print_grid,
)
from optimizer.scenario import Scenario, read_scenario
from optimizer.study.robust.robust import about
from optimizer.study.robust.robust import robust as make_robust
from optimizer.study.stress.futures import read_futures
from optimizer.verbs.told import result_of

SHORT = (0, 1, 2, 4, 6, 7, 8, 11, 13, 14)
"""Columns of the table of candidates that fit on a terminal."""


def robust_command(
    folder: FolderArgument,
    futures: Annotated[Path, typer.Option("--scenarios", help="Futures TOML. 未来情景文件。")],
    target: Annotated[Path, typer.Option("--out", help="Folder for the result. 结果文件夹。")],
    goal: Annotated[str, typer.Option(help="What it is measured by; comes first. 衡量目标。")] = "failing",
    common: Annotated[str, typer.Option(help="bands, or bands,purchases. 共同决策。")] = "bands",
    choose: Annotated[str, typer.Option(help="regret, or expected (mean with CVaR). 选择准则。")] = "regret",
    weight: Annotated[float, typer.Option(help="Weight of CVaR with --choose expected. CVaR 权重。")] = 0.5,
    plan: Annotated[
        Path | None, typer.Option(help="A plan that is one more candidate. 另一候选方案。")
    ] = None,
    scenario: ScenarioOption = None,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="Time of each plan. 每次求解秒数。")] = None,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    dossier: Annotated[
        bool, typer.Option("--dossier", help="Also the chosen plan as OUT-plan. 另写选定方案文件夹。")
    ] = False,
    language: LanguageOption = "zh",
    overwrite: OverwriteOption = False,
    outside: OutsideOption = False,
    database: DatabaseOption = None,
) -> None:
    """Decisions in common for many futures, and their price. 稳健方案。"""
    out = output(language)
    with exits(out, "stress"), claim(target):
        refuse_unwritable(target)
        place = target.with_name(f"{target.name}-plan")
        if dossier:
            refuse_folder(place, overwrite, is_dossier, "workbook.not_a_dossier")
        asked = read_futures(futures)
        base = Scenario() if scenario is None else read_scenario(scenario)
        county = county_of(folder, outside, database)
        out.about(county)
        given = None if plan is None else read_plan(plan, county)
        named = tuple(c.strip() for c in common.split(",") if c.strip())
        with progress(out) as report, job_progress(out, "robust") as told:
            found = make_robust(
                county, asked, base, given, target, goal=goal, common=named, choose=choose, weight=weight, seconds=seconds,
                workers=workers or cores(), scheduler=scheduler, overwrite=overwrite, report=report, told=told,
            )  # fmt: skip
        with held() as came:
            write_robust(found, target, language)
        if came:
            raise KeyboardInterrupt
        for text in robust_said(found, language):
            out.console.print(Text(text))
        print_grid(out, candidates_sheet(found, language).table.iloc[:, list(SHORT)])
        print_grid(out, matrix_sheet(found, language, "regret").table)
        out.say_as("robust.written", style="bold green", folder=str(target))
        on_front(out, put_study(found, target))
        if dossier:
            result = result_of(county, found.plan, about(base, goal, seconds), status="chosen")
            out.say(
                "written", style="bold green", folder=str(write_dossier(result, place, language, overwrite))
            )
