"""The least budget: what passing costs, what no money buys, what is free; all proven on a county to reckon by hand."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from typer.testing import CliRunner

from optimizer.cli.main import app
from optimizer.scenario import Goal, Scenario
from optimizer.verbs.least_budget import LeastBudget, least_budget
from optimizer.verbs.plan import plan
from tests.optimizer.test_job import written
from tests.samples import small_county


@cache
def found() -> LeastBudget:
    return least_budget(small_county(), Scenario(seconds=60))


def test_what_no_money_buys_is_proven_by_place_and_amount() -> None:
    """B1 needs 3 backbone teachers for 260 pupils and has one, B9 two for 150; none is hired, and A's may not leave."""
    assert found().least is None and found().impossible
    assert found().fewest == (2, 2)
    never = found().blocked.query("never")[["unit_id", "indicator", "short"]]
    assert never.to_numpy().tolist() == [["B1/pri", "b", 2.0], ["B9/jun", "b", 1.0]]
    assert found().blocked["proven"].all()


def test_the_most_that_can_be_reached_costs_what_is_proven() -> None:
    most = found().most
    assert most is not None and most.verdict.accepted
    assert sum(found().yuan.values()) == pytest.approx(most.verdict.costs.query("charged")["yuan"].sum())
    assert 0 < found().bound <= sum(found().yuan.values()) * (1 + 1e-9)
    assert found().gap <= 0.01
    # with less than that, one more fails
    less = {"any": found().bound - 1.0}
    assert plan(small_county(), Scenario(goals=(Goal(name="failing"),), budget=less)).solve.bound >= 3 - 1e-6


def test_what_is_reached_for_nothing_costs_nothing() -> None:
    free = found().free
    assert free is not None and found().fewest_free == (3, 3)
    assert free.verdict.costs.query("charged")["yuan"].sum() == 0
    three = Scenario(require=({"goal": "failing", "at_most": 3.0},), seconds=60)
    assert sum(least_budget(small_county(), three).yuan.values()) == 0


def test_stopped_before_costs_had_their_turn_nothing_of_them_is_proven() -> None:
    most = found().most
    assert most is not None
    goals = tuple(g for g in most.solve.goals if g.goal != "cost")
    cut = replace(found(), most=replace(most, solve=replace(most.solve, goals=goals)))
    assert (cut.bound, cut.gap) == (0.0, 1.0) and cut.fewest == found().fewest


@pytest.mark.parametrize(("language", "words"), [("zh", ("多少经费都不够", "乙镇B1", "骨干")), ("en", ("No money is enough", "乙镇B9", "Backbone"))])  # fmt: skip
def test_the_command_says_it_in_words(tmp_path: Path, language: str, words: tuple[str, ...]) -> None:
    folder = written(small_county(), tmp_path / "county")
    answer = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["budget", str(folder), "--lang", language])
    assert answer.exit_code == 0, answer.output
    assert [w for w in words if w not in answer.output] == []
    assert "pri" not in answer.output.split() and "failing" not in answer.output
