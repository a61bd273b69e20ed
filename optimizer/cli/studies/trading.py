"""The verb ``trades`` on the command line. Words and tables only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from geodata.folder.interrupts import held
from maps.front.text import DASH, PageTable
from maps.front.trades import FRONT, put_on_front, trades_about, trades_table
from optimizer.cli.chosen import OneOfMany, refuse_dossiers, write_dossiers
from optimizer.cli.console import (
    DatabaseOption,
    FolderArgument,
    LanguageOption,
    Out,
    OutsideOption,
    OverwriteOption,
    county_of,
    exits,
    output,
    progress,
)
from optimizer.verbs.trades import GOAL_SECONDS, WITHIN
from optimizer.verbs.trades import trades as make_trades
from optimizer.verbs.why import recorded_plan


def trades_command(
    folder: FolderArgument,
    plan: Annotated[Path, typer.Option("--plan", help="Dossier folder, or run.json. 方案文件夹。")],
    within: Annotated[
        float, typer.Option(help="Share that every other goal may give up. 其他目标至多让步的比例。")
    ] = WITHIN,
    seconds: Annotated[
        float, typer.Option(min=1, help="For each goal. 每个目标的时限（秒）。")
    ] = GOAL_SECONDS,
    dossier: Annotated[
        list[int] | None,
        typer.Option("--dossier", help="Also a dossier of this plan, from 1. 另写第几个方案的文件夹。"),
    ] = None,
    language: LanguageOption = "zh",
    overwrite: OverwriteOption = False,
    outside: OutsideOption = False,
    database: DatabaseOption = None,
) -> None:
    """What each goal of a plan could gain if the others gave up a few per cent. 各目标之间的取舍。"""
    out = output(language)
    with exits(out, "trades"):
        county = county_of(folder, outside, database)
        out.about(county)
        asked = recorded_plan(plan, county)
        refuse_dossiers(plan, dossier, len(asked.scenario.goals), overwrite)
        out.findings(asked.findings)
        with progress(out) as report:
            found = make_trades(county, asked, within, seconds, report=report)
        with held() as came:
            placed = put_on_front(plan, found)
        if placed:
            out.saved.append(plan)
        out.console.print(Text(trades_about(found, language)))
        _print(out, trades_table(found, language))
        key, where = ("trades_on_front", plan / FRONT) if placed else ("trades_off_front", plan)
        out.say_as(
            f"analysis.{key}", style="bold green" if placed else "yellow", page=str(where), folder=str(where)
        )
        if came:
            raise KeyboardInterrupt
        bound = asked.bounds.get(asked.scenario.goals[0].name, 0.0)  # no goal falls below zero
        plans = [
            OneOfMany(t.plan, t.verdict, float(t.goals["other"].iloc[0]), bound, asked.scenario)
            for t in found.plans
        ]
        write_dossiers(out, county, plans, plan, dossier, overwrite)


def _print(out: Out, table: PageTable) -> None:
    """The rows of the page's table as lines: six columns of sentences fit no terminal."""
    for row in table.rows:
        count, goal, *told = (c.text for c in row)
        out.console.print(Text(f"{count}  {goal}", style="bold"))
        for head, text in zip(table.head[2:], told, strict=True):
            if text != DASH:
                out.console.print(Text(f"   {head.text}: {text}"), soft_wrap=not out.console.is_terminal)
