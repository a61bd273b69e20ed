"""The frontier on the command line: what each extra yuan buys. Words and tables only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from geodata.contract.findings import Finding
from geodata.folder.interrupts import held
from geodata.folder.target import claim
from geodata.messages import large_unit, say
from maps.folders import frontier as frontier_files
from maps.folders.writing import may_write
from maps.front.studies import put_study
from models.study.analysis import Frontier
from models.study.budgets import CUTS
from optimizer.cli.asking import asked_county
from optimizer.cli.chosen import OneOfMany, refuse_dossiers, write_dossiers
from optimizer.cli.console import (
    DatabaseOption,
    FolderArgument,
    LanguageOption,
    Out,
    OutsideOption,
    OverwriteOption,
    ScenarioOption,
    exits,
    output,
    progress,
)
from optimizer.cli.studies.shared import on_front
from optimizer.scenario import Scenario
from optimizer.study.frontier import frontier as make_frontier
from optimizer.study.steady import Steadily
from optimizer.study.study import STUDIED
from optimizer.study.switching import Bracketing


def frontier_command(
    folder: FolderArgument,
    target: Annotated[Path, typer.Option("--out", help="Folder for the result. 结果文件夹。")],
    points: Annotated[int, typer.Option(help="Budgets to look at. 预算档数。")] = 20,
    least: Annotated[
        float | None, typer.Option("--from", help="Smallest budget, times the scenario's own. 最小预算倍数。")
    ] = None,
    most: Annotated[
        float, typer.Option("--to", help="Largest budget, times the scenario's own. 最大预算倍数。")
    ] = 2.0,
    earmark: Annotated[
        str,
        typer.Option(
            help="Vary one earmark only: building, device, teacher, transport, any. 只变动一种经费。"
        ),
    ] = "all",
    dossier: Annotated[
        list[int] | None,
        typer.Option(
            "--dossier", help="Also a dossier of the plan of this line, from 1. 另写第几档的方案文件夹。"
        ),
    ] = None,
    cuts: Annotated[
        bool,
        typer.Option(
            "--cuts", help="Also cuts of 5, 10, 20 and 30 %: what goes first. 另看压减时先去掉什么。"
        ),
    ] = False,
    later: Annotated[
        int, typer.Option("--later", min=0, help="With the pupils of so many years later. 按几年后的学生数。")
    ] = 0,
    flip: Annotated[
        list[str] | None,
        typer.Option(
            "--flip",
            help="Bracket where this flips: band, hire, transfer, purchase, item_move, or a school. 求改变处的区间：决定类别或学校编号。",
        ),
    ] = None,
    within: Annotated[
        float, typer.Option(help="Width of such a bracket, times the budget. 区间宽度（预算倍数）。")
    ] = 0.02,
    solves: Annotated[int, typer.Option(help="Budgets in between at most. 中间预算至多几档。")] = 20,
    steady: Annotated[
        str | None,
        typer.Option("--steady", help="Also nested or least_change plans. 另求嵌套或变动最少的方案。"),
    ] = None,
    give: Annotated[
        float, typer.Option(help="Share of the goal that least_change may give up. 变动最少可让出的比例。")
    ] = 0.01,
    scenario: ScenarioOption = None,
    language: LanguageOption = "zh",
    overwrite: OverwriteOption = False,
    outside: OutsideOption = False,
    database: DatabaseOption = None,
) -> None:
    """What each extra yuan buys: plans and proven bounds over the budget. 预算前沿。"""
    out = output(language)
    with exits(out, "plan"), claim(target):
        may_write(target, frontier_files.MARKER, overwrite)
        refuse_dossiers(target, dossier, points, overwrite)
        county, asked = asked_county(folder, outside, database, scenario, Scenario(preset=STUDIED))
        out.about(county)
        with progress(out) as report:
            found = make_frontier(
                county, asked, points=points, least=least, most=most, earmark=earmark, report=report,
                cuts=CUTS if cuts else (), later=later, narrow=Bracketing(tuple(flip), within, solves) if flip else None,
                steadily=None if steady is None else Steadily(steady, give),
            )  # fmt: skip
        with held() as came:
            drawn = frontier_files.write_frontier(found, target, language, overwrite)
        if came:
            raise KeyboardInterrupt
        _print_frontier(out, found)
        if drawn != language:
            out.findings([Finding("warning", "analysis.no_chinese_font")])
        out.say_as("analysis.frontier_written", style="bold green", folder=str(target))
        on_front(out, put_study(found, target))
        plans = [
            OneOfMany(p.plan, p.verdict, p.objective, p.bound, asked.model_copy(update={"budget": p.budget}))
            for p in found.points
        ]
        write_dossiers(out, found.county, plans, target, dossier, overwrite)


def _print_frontier(out: Out, found: Frontier) -> None:
    """One line a budget."""
    for text in frontier_files.frontier_said(found, out.language)[1:]:
        out.console.print(Text(text))
    heads = [say(f"analysis.{k}", out.language) for k in ("share", "budget_large", "bound", "gap", "changed")]
    heads.insert(2, frontier_files.objective_word(found, out.language))
    grid = Table(*heads)
    for i, p in enumerate(found.points):
        if p.plan is None:
            cells = ["-", f"{p.bound:.4f}", "-", say(f"analysis.state_{p.status}", out.language)]
        else:
            told = frontier_files.changes_said(p.changes, out.language, most=2) if i else ""
            cells = [f"{p.objective:.4f}", f"{p.bound:.4f}", f"{p.gap:.1%}", told]
        grid.add_row(f"{p.share:.2f}", f"{p.yuan / large_unit():,.1f}", *map(Text, cells))
    out.console.print(grid)
