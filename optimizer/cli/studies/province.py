"""The verb ``province`` on the command line. Words and tables only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from geodata.contract.findings import Finding
from geodata.folder.interrupts import held
from geodata.folder.target import claim
from maps.folders.writing import refuse_unwritable
from maps.province.folder import write_province
from maps.province.sheets import counties_sheet
from maps.province.words import province_said
from optimizer.cli.console import (
    DatabaseOption,
    LanguageOption,
    OutsideOption,
    OverwriteOption,
    ScenarioOption,
    exits,
    output,
)
from optimizer.cli.studies.shared import SchedulerOption, WorkersOption, cores, job_progress, print_grid
from optimizer.scenario import read_scenario
from optimizer.study.province.asked import read_province
from optimizer.study.province.province import province

SHORT = (0, 1, 2, 4, 5, 11, 12, 14)
"""Columns of the table of counties that fit on a terminal."""


def province_command(
    file: Annotated[
        Path, typer.Argument(help="province.toml, or province.json of an earlier run. 省级分配文件。")
    ],
    target: Annotated[Path, typer.Option("--out", help="Folder for the result. 结果文件夹。")],
    budget: Annotated[
        float | None, typer.Option(min=1, help="Yuan to split, in place of the file's. 待分配金额（元）。")
    ] = None,
    scenario: ScenarioOption = None,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="Time of each plan. 每次求解秒数。")] = None,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    language: LanguageOption = "zh",
    overwrite: OverwriteOption = False,
    outside: OutsideOption = False,
    database: DatabaseOption = None,
) -> None:
    """A budget split among many counties, beside equal parts. 省级经费分配。"""
    out = output(language)
    with exits(out, "stress"), claim(target):
        refuse_unwritable(target)
        given = read_province(file, None if scenario is None else read_scenario(scenario), budget, seconds)
        with job_progress(out, "province") as told:
            found = province(
                given, target, workers=workers or cores(), scheduler=scheduler, overwrite=overwrite, outside=outside,
                databases=tuple(database or ()), told=told,
            )  # fmt: skip
        with held() as came:
            drawn = write_province(found, target, language)
        if came:
            raise KeyboardInterrupt
        for text in province_said(found, language):
            out.console.print(Text(text))
        print_grid(out, counties_sheet(found, language).table.iloc[:, list(SHORT)])
        if drawn != language:
            out.findings([Finding("warning", "analysis.no_chinese_font")])
        out.say_as("province.written", style="bold green", folder=str(target))
