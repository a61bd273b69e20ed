"""The verb ``budget``: the least that passing costs, or why no money is enough. Words and tables only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from geodata.messages import large_unit, say
from maps.dossier.dossier import is_dossier, write_dossier
from maps.wording import indicator, stage
from maps.wording import name as in_words
from models.plan.decisions import PlanResult
from optimizer.cli.asking import asked_county
from optimizer.cli.console import (
    NO_PLAN,
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
    refuse_folder,
)
from optimizer.scenario import Scenario
from optimizer.verbs.least_budget import PASSING, LeastBudget, least_budget

LISTED = 60
SECONDS, NODES = 300.0, 3000
"""Without a scenario: the clock and the gap end the search, seldom its nodes."""


def budget_command(
    folder: FolderArgument,
    scenario: ScenarioOption = None,
    dossier: Annotated[
        Path | None, typer.Option("--out", help="Folder for a dossier of the cheapest plan. 最省方案文件夹。")
    ] = None,
    language: LanguageOption = "zh",
    overwrite: OverwriteOption = False,
    outside: OutsideOption = False,
    database: DatabaseOption = None,
) -> None:
    """What it costs at least that every school passes, or why no money is enough. 达标最低经费。"""
    out = output(language)
    with exits(out, "budget"):
        if dossier is not None:
            refuse_folder(dossier, overwrite, is_dossier, "workbook.not_a_dossier")
        county, asked = asked_county(
            folder, outside, database, scenario, Scenario(seconds=SECONDS, nodes=NODES, gap=0.05)
        )
        out.about(county)
        with progress(out) as report:
            found = least_budget(county, asked, report=report)
        _tell(out, found)
        if found.answer is None:
            raise typer.Exit(NO_PLAN)
        if dossier is not None:
            place = write_dossier(found.answer, dossier, language, overwrite)
            out.say("written", style="bold green", folder=str(place))


def _tell(out: Out, found: LeastBudget) -> None:
    """The answer in sentences, the money by earmark, what money cannot buy by place, and what is free."""
    own = found.require != (PASSING,)
    _line(out, "goal_own" if own else "goal_passing")
    if found.least is not None:
        _line(out, "least", **_money(found))
    elif found.impossible:
        _line(out, "never")
    else:
        _line(out, "undecided")
    if found.most is not None and found.fewest is not None:
        fails, least = found.fewest
        total = _assessed(found.most)
        _line(out, "most", passing=total - fails, assessed=total, fewest=least, **_money(found))
    if found.answer is not None:
        _earmarks(out, found)
    _blocked(out, found)
    if found.free is not None and found.fewest_free is not None:
        fails, least = found.fewest_free
        total = _assessed(found.free)
        _line(out, "free", passing=total - fails, assessed=total, more=total - least)


def _line(out: Out, key: str, **fields: object) -> None:
    out.console.print(say(f"budget.{key}", out.language, **fields))


def _money(found: LeastBudget) -> dict[str, object]:
    """The sum, what is proven to be needed, both in large units of money, and the gap between them in per cent."""
    total = sum(found.yuan.values())
    return {
        "sum": f"{total / large_unit():,.1f}",
        "bound": f"{found.bound / large_unit():,.1f}",
        "gap": f"{100 * max(0.0, found.gap):.1f}",
    }


def _assessed(result: PlanResult) -> int:
    """Units that are assessed today: what `failing` counts."""
    return int(result.verdict.units["passes_today"].notna().sum())


def _earmarks(out: Out, found: LeastBudget) -> None:
    table = Table(*(say(f"budget.col_{c}", out.language) for c in ("earmark", "sum")))
    for earmark, yuan in sorted(found.yuan.items()):
        table.add_row(in_words("earmark", earmark, out.language), f"{yuan / large_unit():,.1f}")
    out.console.print(table)


def _blocked(out: Out, found: LeastBudget) -> None:
    """What each unit that fails is short of, and what of it no plan can give."""
    rows = found.blocked
    if rows.empty:
        return
    _line(out, "blocked")
    columns = ("school", "township", "stage", "indicator", "short", "never", "proven")
    table = Table(*(say(f"budget.col_{c}", out.language) for c in columns))
    norms = found.county.norms
    for r in rows.head(LISTED).itertuples():
        unit = norms.resources[str(r.resource)].unit
        table.add_row(
            str(r.name), str(r.township), stage(str(r.stage), out.language, norms),
            indicator(str(r.indicator), out.language, norms), f"{r.short:,.1f} {in_words('unit', unit, out.language)}",
            say(f"budget.{'yes' if r.never else 'open'}", out.language),
            say(f"budget.{'yes' if r.proven else 'open'}", out.language),
        )  # fmt: skip
    out.console.print(table)
    if len(rows) > LISTED:
        _line(out, "more", count=len(rows) - LISTED)
