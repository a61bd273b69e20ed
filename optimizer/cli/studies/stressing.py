"""The verb ``stress``: how a plan fares in many futures. Words and tables only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from geodata.contract.findings import Finding, InputProblems
from geodata.folder.interrupts import held
from geodata.folder.target import claim
from maps.folders.writing import refuse_unwritable
from maps.front.studies import put_study
from maps.stress.folder import write_stress
from maps.stress.sheets import measures_sheet, rules_sheet
from maps.stress.words import STRESS_MEASURES, stress_said
from models.plan.record import RECORD, read_plan, read_record
from models.study.stressed import Stress
from optimizer.cli.console import (
    DatabaseOption,
    LanguageOption,
    Out,
    OutsideOption,
    OverwriteOption,
    ScenarioOption,
    county_of,
    exits,
    output,
    progress,
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
from optimizer.study.stress.futures import read_futures, read_template
from optimizer.study.stress.stress import stress
from optimizer.verbs.replay import recorded_scenario

COLUMNS = (0, 1, 2, 3, 5, 7, 8, 9)
"""Of the sheet of measures, what fits on a terminal."""


def stress_command(
    folder: Annotated[Path | None, typer.Argument(help="Folder of the county. 县数据文件夹。")] = None,
    futures: Annotated[Path | None, typer.Option("--scenarios", help="Futures TOML. 未来情景文件。")] = None,
    target: Annotated[Path | None, typer.Option("--out", help="Folder for the result. 结果文件夹。")] = None,
    plan: Annotated[
        Path | None,
        typer.Option(help="Plan: dossier, run.json, plan.csv. Without it one is made. 固定方案。"),
    ] = None,
    scenario: ScenarioOption = None,
    remake: Annotated[
        int, typer.Option(min=0, help="Futures in which a plan is made again. 重算方案的情景数。")
    ] = 0,
    seconds: Annotated[
        float | None, typer.Option(min=0.1, help="Time of each plan made again. 每次重算的秒数。")
    ] = None,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    template: Annotated[
        bool, typer.Option("--template", help="Print a futures TOML to start from. 打印情景文件样例。")
    ] = False,
    language: LanguageOption = "zh",
    overwrite: OverwriteOption = False,
    outside: OutsideOption = False,
    database: DatabaseOption = None,
) -> None:
    """How a plan fares in many futures, and when it fails. 方案压力测试。"""
    out = output(language)
    with exits(out, "stress"):
        if template:
            typer.echo(read_template(), nl=False)
            return
        folder, futures, target = _given(folder, futures, target)
        asked = read_futures(futures)
        with claim(target):
            refuse_unwritable(target)
            county = county_of(folder, outside, database)
            out.about(county)
            base = _scenario(scenario, plan)
            given = read_plan(plan, county) if plan is not None else None
            with progress(out) as report, job_progress(out, "stress") as told:
                found = stress(
                    county, asked, given, base, target, remake=remake, seconds=seconds, workers=workers or cores(), scheduler=scheduler,
                    overwrite=overwrite, report=report, told=told,
                )  # fmt: skip
            with held() as came:
                drawn = write_stress(found, target, language)
            if came:
                raise KeyboardInterrupt
        _print(out, found)
        if drawn != language:
            out.findings([Finding("warning", "analysis.no_chinese_font")])
        out.say_as("stress.written", style="bold green", folder=str(target))
        on_front(out, put_study(found, target))


def _given(*places: Path | None) -> tuple[Path, Path, Path]:
    """County, futures and target, all given.

    Raises
    ------
    InputProblems
        For the first that is missing.
    """
    for place, option in zip(places, ("COUNTY", "--scenarios", "--out"), strict=True):
        if place is None:
            raise InputProblems([Finding("error", "stress.missing_option", {"option": option})])
    folder, futures, target = places
    assert folder is not None and futures is not None and target is not None
    return folder, futures, target


def _scenario(scenario: Path | None, plan: Path | None) -> Scenario:
    """The scenario given, else that of the plan's record, else the default."""
    if scenario is not None:
        return read_scenario(scenario)
    if plan is not None and (
        (plan / RECORD).is_file() or (plan.is_file() and plan.suffix.lower() == ".json")
    ):
        return recorded_scenario(read_record(plan))
    return Scenario()


def _print(out: Out, found: Stress) -> None:
    """The sentences, the rules that break, the range of every measure."""
    for text in stress_said(found, out.language):
        out.console.print(Text(text))
    shown = found.measures["measure"].isin(STRESS_MEASURES).to_numpy()
    print_grid(out, rules_sheet(found, out.language).table)
    print_grid(out, measures_sheet(found, out.language).table[shown].iloc[:, list(COLUMNS)])
