"""Trades: every other goal within its share, the gain and its bound checked by another solve, the table on the front page."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from typer.testing import CliRunner

import optimizer.cli.main as cli
import optimizer.cli.studies.trading as trading
from geodata.contract.findings import InputProblems
from geodata.messages import LANGUAGES
from maps.dossier.dossier import save_plan
from maps.front.pages import front_page
from maps.front.trades import BEGIN, END, put_on_front, trades_table
from models.plan.decisions import PlanResult
from models.referee.verdict import judge
from models.standards.norms import load_standards
from models.study.trades import GAIN, NO_ROOM, NOT_ASKED, Trades
from optimizer.scenario import Goal, Scenario
from optimizer.search.start import NETWORK, RESOURCES, all_but, columns_in, tallied
from optimizer.search.task import Required
from optimizer.solver.stopping import Stop
from optimizer.verbs.plan import plan
from optimizer.verbs.trades import trades
from optimizer.verbs.why import COUNTED, open_case, recorded_in
from tests.samples import small_county

WITHIN = 0.5


@cache
def made() -> PlanResult:
    return plan(small_county(), Scenario(goals=(Goal(name="cells"), Goal(name="cost")), gap=0.001))


@cache
def found() -> Trades:
    return trades(small_county(), made(), WITHIN)


def test_no_other_goal_gives_up_more_than_its_share_and_the_referee_accepts() -> None:
    county = small_county()
    assert [t.goal for t in found().trades] == ["cells", "cost"] and found().plans
    for t in found().plans:
        assert t.plan is not None
        assert judge(county, load_standards(county), t.plan, made().times).accepted
        others = t.goals[t.goals["goal"] != t.goal]
        assert (others["other"] <= others["most"] + 1e-6).all()
        assert (others["most"] <= others["plan"] * (1 + WITHIN) + 1e-9).all()
        assert t.bound <= t.value < t.own and len(t.changes)
        told = t.goals.set_index("goal")
        assert told.at[t.goal, "other"] == pytest.approx(t.value)


def test_what_is_proven_of_the_first_goal_for_every_plan_holds_for_these_too() -> None:
    """And values stand as the referee has them, also where the model holds more than there is (spreads)."""
    goals = (Goal(name="over_cap", tolerance=0.01), Goal(name="cv_excess"), Goal(name="cost"))
    asked = plan(small_county(), Scenario(goals=goals, gap=0.001))
    first = asked.solve.goals[0]
    assert first.objective == pytest.approx(first.bound) and first.bound > 0
    told = trades(small_county(), asked, 0.05)
    over, spread, _ = told.trades
    assert over.outcome == NO_ROOM and over.bound == pytest.approx(first.bound)
    judged = asked.verdict.goals.set_index("goal")["plan"]
    assert spread.own == pytest.approx(judged["cv_excess"])
    for t in told.plans:
        assert t.verdict is not None
        seen = t.verdict.goals.set_index("goal")["plan"]
        assert t.goals.set_index("goal").at["cv_excess", "other"] == pytest.approx(seen["cv_excess"])


def test_gain_and_bound_stand_beside_a_plan_made_for_the_same_question() -> None:
    (cost,) = [t for t in found().trades if t.goal == "cost"]
    assert cost.outcome == GAIN
    most = float(cost.goals.set_index("goal").at["cells", "most"])
    asked = Scenario(goals=(Goal(name="cost"),), gap=0.001, require=({"goal": "cells", "at_most": most},))
    assert asked.task().required == (Required("cells", most),)
    best = plan(small_county(), asked).solve.objective
    assert cost.bound - 1e-6 <= best <= cost.value + 1e-6
    assert cost.value == pytest.approx(best, rel=0.02)


def test_a_goal_without_room_is_said_to_be_closed() -> None:
    again = trades(small_county(), made(), 1e-6)
    outcomes = {t.goal: t.outcome for t in again.trades}
    assert outcomes["cost"] == NO_ROOM and not again.plans
    table = trades_table(again, "en")
    assert [row[0].text for row in table.rows] == ["–", "–"]
    assert "hardly anything to gain" in table.rows[1][2].text and "never below" in table.rows[1][5].text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_gain_that_is_told_is_seen_in_its_figures(language: str) -> None:
    one = replace(found().plans[0], goal="imbalance", own=0.2013, value=0.1981, bound=0.1979)
    (row,) = trades_table(replace(found(), trades=(one,)), language).rows
    assert "0.201 → 0.198" in row[2].text and "−1.6%" in row[2].text
    assert "0.1979" in row[5].text


def test_a_stop_leaves_goals_that_were_not_looked_at() -> None:
    stop = Stop()
    stop.set()
    asked = trades(small_county(), made(), WITHIN, stop=stop)
    assert {t.outcome for t in asked.trades} == {NOT_ASKED} and asked.interrupted


@pytest.mark.parametrize("within", [0.0, -0.1, 1.5, float("nan")])
def test_a_share_that_makes_no_sense_is_refused(within: float) -> None:
    with pytest.raises(InputProblems) as refused:
        trades(small_county(), made(), within)
    assert [f.key for f in refused.value.findings] == ["analysis.bad_share"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_front_page_says_that_none_were_looked_for_and_then_has_them(
    tmp_path: Path, language: str
) -> None:
    folder = save_plan(made(), tmp_path / "plan", language)
    page = folder / "index.html"
    page.write_text(front_page(made(), language), encoding="utf-8")
    before = page.read_text(encoding="utf-8")
    assert "junheng trades" in between(before)
    assert put_on_front(folder, found())
    block = between(page.read_text(encoding="utf-8"))
    cost = next(t for t in found().plans if t.goal == "cost")
    assert f"{cost.own:,.1f} → {cost.value:,.1f}" in block and block.count("<tr>") == 1 + len(found().trades)
    assert outside(page.read_text(encoding="utf-8")) == outside(before)
    once = page.read_bytes()
    assert put_on_front(folder, found()) and page.read_bytes() == once  # not a second time
    assert not put_on_front(folder, replace(found(), plan_id="another"))
    assert page.read_bytes() == once
    page.unlink()
    assert not put_on_front(folder, found())


def between(page: str) -> str:
    return page.partition(BEGIN)[2].partition(END)[0]


def outside(page: str) -> tuple[str, str]:
    return page.partition(BEGIN)[0], page.partition(END)[2]


def test_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[float] = []
    monkeypatch.setattr(trading, "county_of", lambda *_: small_county())
    monkeypatch.setattr(
        trading, "write_dossiers", lambda out, county, plans, *_: written.extend(p.bound for p in plans)
    )
    folder = save_plan(made(), tmp_path / "p", "en")
    (folder / "index.html").write_text(f"{BEGIN}nothing{END}", encoding="utf-8")
    asked = ["trades", "small", "--plan", str(folder), "--lang", "en", "--within"]
    bad = CliRunner().invoke(cli.app, [*asked, "3"])
    assert bad.exit_code == 2 and "--within" in bad.output and not written
    monkeypatch.setattr(trading, "make_trades", lambda *_, **__: found())
    done = CliRunner().invoke(cli.app, [*asked, "0.5", "--dossier", "1"])
    assert done.exit_code == 0, done.output
    assert "Put on the front page" in done.output and len(written) == len(found().plans)
    assert re.search(r"→ [\d.,]+", (folder / "index.html").read_text(encoding="utf-8"))


def test_a_plan_is_counted_to_the_last_unit_before_anything_is_compared_with_it() -> None:
    """A solution may leave a unit that passes as one that fails: a "gain" of that would be none."""
    asked = recorded_in(
        plan(small_county(), Scenario(goals=(Goal(name="failing"), Goal(name="cost")), gap=0.001))
    )
    task = asked.scenario.task()
    case = open_case(small_county(), asked, None, task, True)
    search, judged = case.ground.search, case.verdict.goals.set_index("goal")["plan"]
    assert search.exact("failing", case.values) == pytest.approx(judged["failing"])
    part = search.bridge.part(all_but(search, columns_in(search, (*NETWORK, *RESOURCES))), case.values)
    costs, constant = part.engine.costs["failing"]
    part.engine.costs["worst"] = (-costs, -constant)
    worst = part.whole_solution(part.engine.solve("worst", task.limits).values)
    assert search.exact("failing", worst) > judged["failing"]
    assert search.exact("failing", tallied(search, worst, task.limits, COUNTED)) == pytest.approx(
        judged["failing"]
    )
