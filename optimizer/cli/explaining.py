"""The verb explain on the command line: why a request is impossible, or what a school's decision costs. Words and tables only."""

from __future__ import annotations

import re
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from geodata.contract.findings import Finding, InputProblems, in_language
from geodata.messages import large_unit, say
from maps.front.text import change_amounts, measure_unit, minutes, place_words
from maps.wording import band, listed, name, reason, stage, what
from models.study.analysis import Swap
from optimizer.cli.asking import asked_county
from optimizer.cli.console import (
    INFEASIBLE,
    DatabaseOption,
    FolderArgument,
    LanguageOption,
    Out,
    OutsideOption,
    ScenarioOption,
    exits,
    output,
    progress,
)
from optimizer.cli.studies.shared import print_sheet
from optimizer.infeasibility.elastic import Relaxation
from optimizer.infeasibility.impossible import Impossible, explain_request
from optimizer.scenario import Scenario
from optimizer.study.study import STUDIED
from optimizer.verbs.explain import explain_school
from optimizer.verbs.why import places_meant


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
            places=_places(in_language(f.fields["places"], language), language),
        )
        for f in found.clash
    ]  # fmt: skip
    _lines(out, "explain_clash", clash)


def _families(found: list[Relaxation], language: str) -> str:
    return listed([say(f"analysis.family_{f}", language) for r in found for f in r.families], language)


def _places(text: str, language: str) -> str:
    """The places of a clash, bands, stages and earmarks in words."""
    return listed([place_words(p, None, language) for p in text.split("; ") if p], language) or "-"


def _lines(out: Out, heading: str, lines: list[str], **fields: object) -> None:
    """A heading with indented lines; nothing without lines."""
    if lines:
        out.say_as(f"analysis.{heading}", style="bold", **fields)
        for line in lines:
            out.console.print(Text(f"  {line}"))


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
        print_sheet(out, shown[keys].set_axis([say(f"analysis.{c}", language) for c in keys], axis=1))


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


def _place(key: str, names: dict[str, str], language: str) -> str:
    """A school, band, stage or earmark in words; what has none stays as it is."""
    words = (names.get(key, key), band(key, language), stage(key, language), name("earmark", key, language))
    return next((w for w in words if w != key), key)
