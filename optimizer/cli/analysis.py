"""The analyst's verbs on the command line: frontier, explain, alternatives. Words and tables only."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from rich.table import Table
from rich.text import Text

from geodata.contract.findings import Finding, InputProblems
from geodata.folder.interrupts import held
from geodata.folder.target import claim
from geodata.messages import large_unit, say
from maps.folders import alternatives as alternative_files
from maps.folders import frontier as frontier_files
from maps.folders.writing import may_write
from maps.front.studies import put_study
from maps.front.text import change_amounts, measure_unit, minutes, place_words
from maps.wording import band, listed, name, reason, stage, what
from models.study.analysis import Frontier, Swap
from models.study.budgets import CUTS
from optimizer.cli.asking import asked_county
from optimizer.cli.chosen import refuse_dossiers, write_dossiers
from optimizer.cli.console import (
    INFEASIBLE,
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
from optimizer.infeasibility.elastic import Relaxation
from optimizer.infeasibility.impossible import Impossible, explain_request
from optimizer.scenario import Scenario
from optimizer.study.alternatives import alternatives as make_alternatives
from optimizer.study.frontier import frontier as make_frontier
from optimizer.study.steady import Steadily
from optimizer.study.study import STUDIED
from optimizer.study.switching import Bracketing
from optimizer.verbs.explain import explain_school
from optimizer.verbs.why import places_meant


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
        rows = [
            (p.plan, p.verdict, p.objective, p.bound, asked.model_copy(update={"budget": p.budget}))
            for p in found.points
        ]
        write_dossiers(out, found.county, rows, target, dossier, overwrite)


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
        _print_sheet(
            out, alternative_files.plans_sheet(found, language).table.iloc[:, [0, 1, 2, 3, 4, 5, -1]]
        )
        _print_sheet(out, alternative_files.decisions_sheet(found, language).table)
        out.say_as("analysis.alternatives_written", style="bold green", folder=str(target))
        rows = [(p.plan, p.verdict, p.objective, found.bound, asked) for p in found.plans]
        write_dossiers(out, county, rows, target, dossier, overwrite)


def explain_command(
    folder: FolderArgument,
    why: Annotated[
        str | None, typer.Option(help="A school, by name or id: why it is kept or closed. 学校名称或编号。")
    ] = None,
    instead: Annotated[
        str | None, typer.Option(help="Another school: why not that one. 另一所学校。")
    ] = None,
    tried: Annotated[
        bool,
        typer.Option("--budgets/--no-budgets", help="Look for a flip at other budgets. 是否试其他预算。"),
    ] = True,
    scenario: ScenarioOption = None,
    language: LanguageOption = "zh",
    outside: OutsideOption = False,
    database: DatabaseOption = None,
) -> None:
    """Why a request is impossible, or why this school and not that one. 解释不可行原因或学校取舍。"""
    out = output(language)
    with exits(out, "explain"):
        if instead is not None and why is None:
            raise InputProblems([Finding("error", "analysis.instead_alone")])
        county, asked = asked_county(folder, outside, database, scenario, Scenario(preset=STUDIED))
        out.about(county)
        meant, doubts = places_meant(county, "school", tuple(s for s in (why, instead) if s is not None))
        out.findings(doubts)
        if why is None:
            reasons = explain_request(county, asked)
            _print_impossible(out, reasons)
            if not reasons.possible:
                raise typer.Exit(INFEASIBLE)
            return
        with progress(out) as report:
            other = None if instead is None else meant[-1]
            swap = explain_school(county, meant[0], other, asked, shares=None if tried else (), report=report)
        names = county.schools.set_index("school_id")["name"]
        _print_swap(out, swap, {str(j): str(n) for j, n in names.items()}, asked.gap)


def told(finding: Finding, language: str) -> str:
    """A finding with the ids in it as words."""
    kinds = {"rule": "rule", "earmark": "earmark"}
    fields = {k: name(kinds[k], str(v), language) if k in kinds else v for k, v in finding.fields.items()}
    if "place" in fields:
        fields["place"] = place_words(str(fields["place"]), None, language)
    return reason(finding.key, fields, language)


def _print_sheet(out: Out, table: pd.DataFrame) -> None:
    """Any table as text."""
    grid = Table(*map(str, table.columns))
    for row in table.itertuples(index=False):
        grid.add_row(*(Text(f"{v:,.4g}" if isinstance(v, float) else str(v)) for v in row))
    out.console.print(grid)


def _lines(out: Out, heading: str, lines: list[str], **fields: object) -> None:
    """A heading with indented lines; nothing without lines."""
    if lines:
        out.say_as(f"analysis.{heading}", style="bold", **fields)
        for line in lines:
            out.console.print(Text(f"  {line}"))


def _families(found: list[Relaxation], language: str) -> str:
    return listed([say(f"analysis.family_{f}", language) for r in found for f in r.families], language)


def _print_impossible(out: Out, found: Impossible) -> None:
    """Requirements, arithmetic, what would have to give, the clash."""
    language = out.language
    if found.possible:
        out.say_as("analysis.explain_possible", style="bold green")
        return
    out.say("infeasible", style="bold red")
    _lines(out, "explain_required", [f.text(language) for f in found.required])
    _lines(out, "explain_sums", [told(f, language) for f in found.arithmetic])
    enough = [r for r in found.relaxations if r.possible]
    alone = [r for r in enough if len(r.families) == 1]
    if enough:
        out.say_as(f"analysis.{'explain_alone' if alone else 'explain_none_alone'}", style="bold")
    for r in enough:
        if r not in alone:
            order = _families([r], language)
            out.say_as("analysis.explain_together", order=order)
        else:
            out.say_as("analysis.explain_family", family=_families([r], language))
        for f in r.findings:
            out.console.print(Text(f"  {told(f, language)}"))
        if not r.whole:
            out.say_as("analysis.explain_fractions", style="yellow")
    singles = [r for r in found.relaxations if len(r.families) == 1 and not r.possible]
    never = [r for r in singles if r.whole]
    if never:
        out.say_as("analysis.explain_never", families=_families(never, language))
    if len(never) < len(singles):
        open_yet = [r for r in singles if not r.whole]
        out.say_as("analysis.explain_unsettled", families=_families(open_yet, language))
    if found.relaxations and not enough:
        out.say_as("analysis.explain_nothing_gives", style="bold")
    clash = [
        say(
            "analysis.clash_rule", language, rule=name("rule", str(f.fields["rule"]), language),
            places=_places(str(f.fields["places"]), language),
        )
        for f in found.clash
    ]  # fmt: skip
    _lines(out, "explain_clash", clash)


def _places(text: str, language: str) -> str:
    """The places of a clash, bands, stages and earmarks in words."""
    return listed([place_words(p, None, language) for p in text.split("; ") if p], language) or "-"


def _place(key: str, names: dict[str, str], language: str) -> str:
    """A school, band, stage or earmark in words; what has none stays as it is."""
    words = (names.get(key, key), band(key, language), stage(key, language), name("earmark", key, language))
    return next((w for w in words if w != key), key)


def _print_swap(out: Out, swap: Swap, names: dict[str, str], gap: float) -> None:
    """The forced decision: what it costs, what binds, who moves, what the actions do, where it flips."""
    language = out.language
    state = {True: say("analysis.state_kept", language), False: say("analysis.state_given_up", language)}
    is_open = swap.forced == "closed"
    other = "" if swap.instead is None else say("analysis.why_instead", language, school=names[swap.instead])
    out.say_as(
        "analysis.why_title", style="bold", school=names[swap.school_id], state=state[is_open], instead=other
    )
    if swap.possible:
        _print_cost(out, swap, names, gap)
        for f in swap.reasons:
            out.console.print(Text(told(f, language)))
    else:
        _lines(out, "why_impossible", [told(f, language) for f in swap.reasons])
    if len(swap.actions):
        out.say_as("analysis.why_actions", style="bold")
        grid = Table(
            *(say(f"analysis.{c}", language) for c in ("action", "what", "quantity", "unit", "contribution"))
        )
        for r in swap.actions.itertuples():
            action = (
                say("analysis.action_leaves", language)
                if r.action == "leaves"
                else name("action", r.action, language)
            )
            grid.add_row(
                action,
                what(r.what, language),
                f"{r.quantity:,.0f}",
                name("unit", r.unit, language),
                f"{r.contribution:+.4f}",
            )
        out.console.print(grid)
    _print_flips(out, swap, is_open, state)


def _print_cost(out: Out, swap: Swap, names: dict[str, str], gap: float) -> None:
    """Measures, binding rules and villages of a forced decision that is possible."""
    language = out.language
    change = f"{swap.forced_objective - swap.objective:+.4f}"
    out.say_as(
        "analysis.why_cost",
        objective=f"{swap.objective:.4f}",
        forced=f"{swap.forced_objective:.4f}",
        change=change,
        gap=f"{gap:.2%}",
    )
    grid = Table(*(say(f"analysis.{c}", language) for c in ("what", "unit", "in_plan", "forced", "change")))
    for r in swap.measures.itertuples():
        if abs(r.change) > 1e-9:
            unit = name("unit", measure_unit(r.unit), language)
            both = change_amounts(r.unit, r.plan, r.forced)
            digits = len(both[0].partition(".")[2])
            scale = large_unit() if r.unit == "yuan" else 1.0
            grid.add_row(
                name("measure", r.measure, language), unit, *both, f"{r.change / scale:+,.{digits}f}"
            )
    out.console.print(grid)
    if len(swap.binding):
        out.say_as("analysis.why_binding", style="bold")
        grid = Table(*(say(f"analysis.{c}", language) for c in ("rule", "places", "price")))
        for r in swap.binding.itertuples():
            price = "" if r.price != r.price else f"{r.price:.5f}"
            shown = [" ".join(_place(w, names, language) for w in re.split("[,/]", p)) for p in r.places if p]
            grid.add_row(name("rule", r.rule, language), Text(listed(shown[:5], language)), price)
        out.console.print(grid)
    if len(swap.villages):
        out.say_as("analysis.why_villages", style="bold")
        shown = swap.villages.assign(band=[band(b, language) for b in swap.villages["band"]])
        for end in ("minutes_plan", "minutes_forced"):
            shown[end] = shown[end].map(minutes)
        keys = ["village", "band", "pupils", "school_plan", "school_forced", "minutes_plan", "minutes_forced"]
        _print_sheet(out, shown[keys].set_axis([say(f"analysis.{c}", language) for c in keys], axis=1))


def _print_flips(out: Out, swap: Swap, is_open: bool, state: dict[bool, str]) -> None:
    rows = swap.flips[swap.flips["share"] != 1.0]
    if rows.empty:
        out.say_as("analysis.no_flips_asked")
        return
    for r in rows.itertuples():
        if r.open is None:
            out.say_as("analysis.no_flip_plan", share=f"{r.share:g}")
        elif bool(r.open) != is_open:
            out.say_as("analysis.flips", share=f"{r.share:g}", state=state[bool(r.open)])
    known = rows[rows["open"].notna()]
    if len(known) and (known["open"].astype(bool) == is_open).all():
        out.say_as("analysis.no_flip", tried=", ".join(f"{s:g}" for s in known["share"]))
