"""The verbs that make a plan: demo and plan. Words and tables only."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from geodata.contract.county import County
from geodata.contract.findings import InputProblems
from geodata.demo.county import write_demo_county
from geodata.folder.interrupts import held
from geodata.folder.reading import read_county, read_head
from geodata.folder.target import claim
from geodata.messages import say
from maps.dossier.dossier import NAMES, draw_plan, is_dossier, is_unfinished, save_plan, write_public
from maps.dossier.rehearsal import Undrawn, rehearse
from maps.front.text import DASH, goal_amounts, measure_unit, measure_values, phrase, share, whole
from maps.reports.letterhead import read_letterhead
from maps.wording import name as in_words
from models.impact.certainty import UNTESTED, certainty
from models.plan.decisions import PlanResult
from models.plan.keeping import Held, Which, held_notes
from models.plan.names import Names
from models.plan.record import ledger_text
from optimizer.cli.asking import asked_county
from optimizer.cli.console import (
    DatabaseOption,
    FolderArgument,
    LanguageOption,
    LetterheadOption,
    Out,
    OutsideOption,
    OverwriteOption,
    PublicOption,
    ScenarioOption,
    exits,
    output,
    progress,
    refuse_folder,
    refuse_shared,
    rule_word,
)
from optimizer.outcomes import InterruptedWithPlan
from optimizer.scenario import Scenario
from optimizer.search.method import Method
from optimizer.verbs.plan import held_in
from optimizer.verbs.plan import plan as make_plan

LISTED = 60
DEMO = Scenario(seconds=200.0, nodes=100, method=Method(slow_nodes=1.0))
"""So that a first try ends within five minutes, installation included, and by its nodes, not by the clock: a plan that is
asked for has a long search for the deficit."""


def demo_command(
    county: Annotated[Path, typer.Option(help="Folder for the county. 县数据文件夹。")] = Path("nanpu"),
    dossier: Annotated[Path, typer.Option(help="Folder for the plan. 方案文件夹。")] = Path("nanpu-plan"),
    seed: Annotated[int, typer.Option(min=0, help="Seed of the county. 随机种子。")] = 2026,
    language: LanguageOption = "zh",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier demo.")] = False,
) -> None:
    """Write the fictional demonstration county and make its plan. 生成虚构示例县及其方案。"""
    out = output(language)
    with exits(out, "demo"), claim(county), claim(dossier, NAMES):
        begun = _is_demo(county, seed) and not _whole(dossier)  # an interrupted demo goes on where it was
        refuse_folder(county, overwrite or begun, _is_demo, "cli.not_a_demo")
        refuse_folder(dossier, overwrite or is_unfinished(dossier), is_dossier, "workbook.not_a_dossier")
        if begun and not overwrite:
            out.say("demo_again", county=str(county))
        else:
            out.say("demo", county=str(county))
            write_demo_county(county, seed)
            out.saved.clear()  # the county is not what was asked for
        made = read_county(county)
        out.about(made)
        _plan(out, made, DEMO, dossier, True)


def _is_demo(folder: Path, seed: int | None = None) -> bool:
    """Whether a folder holds a demonstration county, of a seed."""
    try:
        fictional = read_head(folder).fictional
    except InputProblems:
        return False
    text = (folder / "county.toml").read_text(encoding="utf-8-sig", errors="replace")
    return fictional and (seed is None or f" {seed}" in text.partition(";")[0])


def _whole(dossier: Path) -> bool:
    """Whether there is anything in the dossier's place but an unfinished dossier."""
    return dossier.exists() and any(dossier.iterdir()) and not is_unfinished(dossier)


def plan_command(
    folder: FolderArgument,
    dossier: Annotated[Path, typer.Option("--out", help="Folder for the dossier. 方案文件夹。")],
    scenario: ScenarioOption = None,
    edited: Annotated[
        Path | None,
        typer.Option(
            "--from", help="plan.xlsx after editing: its edits are kept. 保留手工修改的方案工作簿。"
        ),
    ] = None,
    keep: Annotated[
        Which, typer.Option(help="What of it is kept: edited cells, or all rows. 保留修改处或全部。")
    ] = "edited",
    letterhead: LetterheadOption = None,
    public: PublicOption = None,
    language: LanguageOption = "zh",
    overwrite: OverwriteOption = False,
    outside: OutsideOption = False,
    database: DatabaseOption = None,
) -> None:
    """Make the allocation plan with its bound, as a dossier. 生成配置方案。"""
    out = output(language)
    with exits(out, "plan"), claim(dossier, NAMES):
        refuse_folder(dossier, overwrite, is_dossier, "workbook.not_a_dossier")
        if public is not None:
            refuse_shared(public, dossier)
            refuse_folder(public, overwrite, is_dossier, "workbook.not_a_dossier")
        template = None if letterhead is None else read_letterhead(letterhead)
        county, asked = asked_county(folder, outside, database, scenario)
        out.about(county)
        kept = None
        if edited is not None:
            kept, doubts = held_in(edited, county, keep)
            county = replace(county, findings=(*county.findings, *doubts))
            out.say_as("held.many", style="bold", count=len(kept.rows), file=str(edited))
            out.findings(held_notes(kept, Names(county)), most=LISTED)
        _plan(out, county, asked, dossier, overwrite, kept, template, public)


def _plan(
    out: Out,
    county: County,
    asked: Scenario,
    dossier: Path,
    overwrite: bool,
    kept: Held | None = None,
    letterhead: bytes | None = None,
    public: Path | None = None,
) -> None:
    """Solve, save, then draw and tell: from the moment that a plan exists, nothing can lose it."""
    out.findings(rehearse(county))
    stopped = False
    try:
        with progress(out) as report:
            result = make_plan(county, asked, report=report, keep=kept)
    except InterruptedWithPlan as stop:
        result, stopped = stop.result, True
    with held() as came:
        place = _saved(out, result, dossier, overwrite)
    if stopped or came:
        raise KeyboardInterrupt
    out.say("saved", folder=str(place))
    with claim(dossier) as target:
        out.findings(target.findings)
    out.findings([f for f in result.findings if f.severity == "warning"], most=20)
    _summary(out, result)
    missing = draw_plan(result, place, out.language, letterhead)
    if missing:
        raise Undrawn(missing, place)
    out.say("written", style="bold green", folder=str(place))
    if public is not None:
        place = write_public(result, public, out.language, overwrite, letterhead)
        out.say("public", style="bold green", folder=str(place))


def _saved(out: Out, result: PlanResult, dossier: Path, overwrite: bool) -> Path:
    """The plan on disk; where it can be written nowhere, its decisions are printed before that is said."""
    try:
        return save_plan(result, dossier, out.language, overwrite)
    except OSError as problem:
        out.say("plan_told", style="bold red", why=problem.strerror or str(problem))
        out.console.print(Text(ledger_text(result.plan).to_csv(index=False)), as_it_is=True, soft_wrap=True)
        raise


def _summary(out: Out, result: PlanResult) -> None:
    """The headline: what it achieves, how sure, what it costs."""
    grid = Table(*(say(f"cli.col_{c}", out.language) for c in ("measure", "unit", "today", "plan")))
    for row in result.verdict.measures.itertuples():
        unit = in_words("unit", measure_unit(row.unit), out.language)
        told = measure_values(row.unit, row.today, row.plan)
        grid.add_row(rule_word("measure", str(row.measure), out.language), unit, *told)
    out.console.print(grid)
    _first_goal(out, result)
    if result.solve.status == "stopped":
        out.say("stopped", style="yellow")


def _first_goal(out: Out, result: PlanResult) -> None:
    """The first goal as the front page has it: its value, what is proven of it, how far apart they are."""
    first = certainty(result).iloc[0]
    reached, bound = goal_amounts(first["unit"], first["plan"], first["bound"])
    unit = phrase(f"unit_{first['unit']}", out.language)
    fields = {"goal": say(f"goals.{first['goal']}", out.language), "objective": f"{reached} {unit}".rstrip()}
    fields |= {"seconds": whole(result.solve.seconds), "solver": result.solve.solver}
    if first["sure"] == UNTESTED:
        out.say("gap_nothing", style="yellow", **fields)
    elif bound == DASH:
        out.say("gap_none", **fields)
    else:
        out.say("gap", bound=f"{bound} {unit}".rstrip(), gap=share(first["gap"]), **fields)
