"""What a frontier's points say together: every goal and preset as its measure, worth with bounds, the knee, flips, cuts, a later year."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geodata.contract.findings import InputProblems
from maps.folders.budgets import budgets_said
from maps.folders.frontier import frontier_said, write_frontier
from models.plan.decisions import Plan
from models.problem.request import GOALS
from models.study.analysis import Frontier, FrontierPoint
from models.study.budgets import CUTS, budget_steps, cut_list, cut_losses, flips, knee_share
from optimizer.presets import PRESETS
from optimizer.scenario import Goal, Scenario
from optimizer.study.budget_grid import in_year, share_grid
from optimizer.study.frontier import frontier
from tests.models.plans import closing, keep_all, ready, rows
from tests.samples import riding_county, small_county

OWN_MEANS = ("imbalance", "deficit")


def check(found: Frontier, goal: str, tolerance: float) -> None:
    """Every point accepted and proven, the referee's own figure, never worse with more money."""
    assert found.goal == goal
    for p in found.points:
        assert p.verdict is not None and p.verdict.accepted
        assert p.bound <= p.objective + 1e-6
        if goal == "cv_excess":  # overstated by the model: nothing is proven
            assert p.bound == 0.0
        else:
            assert p.objective <= p.bound * (1 + 0.01 + tolerance) + 1e-5, (goal, p.share)
        told = p.verdict.goals.set_index("goal")["plan"].to_dict()
        assert goal in OWN_MEANS or p.objective == pytest.approx(told[goal], abs=1e-5)
    less, more = found.points
    assert more.objective <= less.objective + 1e-6 and more.bound <= less.bound + 1e-9


@pytest.mark.parametrize("goal", GOALS)
def test_every_goal_is_a_measure_of_a_frontier_and_proven_at_every_budget(goal: str) -> None:
    asked = (Goal(name=goal), *(() if goal == "cost" else (Goal(name="cost"),)))
    check(frontier(small_county(), Scenario(goals=asked), 2, 0.2, 1.0, networks=1), goal, 0.0)


@pytest.mark.parametrize("preset", [p for p in PRESETS if p != "balance_first"])
def test_every_preset_is_a_measure_of_a_frontier(preset: str) -> None:
    goal, tolerance = PRESETS[preset].goals[0]
    found = frontier(small_county(), Scenario(preset=preset), 2, 0.2, 1.0, networks=1)
    check(found, goal, tolerance)
    for language, word in (("en", "Bounds are proven for"), ("zh", "下界经过证明")):
        assert word in "\n".join(frontier_said(found, language))
    blind = replace(found, scenario={"goals": [{"name": "cv_excess"}]})
    said = "\n".join(frontier_said(blind, "en"))
    assert "Nothing is proven" in said and "Bounds are proven" not in said


def test_a_network_that_the_relaxation_cannot_tell_from_the_best_is_not_kept() -> None:
    """Six more pupils have a place with the whole budget; in the relaxation every network has room for all."""
    found = frontier(riding_county(), Scenario(goals=(Goal(name="over_cap"),)), 2, 0.2, 1.0, networks=1)
    assert [p.objective for p in found.points] == pytest.approx([10.0, 4.0], abs=1e-5)
    assert [p.bound for p in found.points] == pytest.approx([10.0, 4.0], abs=1e-5)


def point(share: float, objective: float, bound: float, plan: Plan | None) -> FrontierPoint:
    """A point by hand, of a county with 1,000,000 yuan."""
    status = "plan" if plan is not None else "infeasible"
    return FrontierPoint(
        share, {"any": 1e6 * share}, status, objective, bound, 0.0, False, plan, None, pd.DataFrame()
    )


@cache
def by_hand() -> tuple[FrontierPoint, ...]:
    """No plan at 60 %; from 70 % on A3 closes, and what is bought and hired at B1 grows, shrinks and grows."""
    shut = closing(ready())

    def buying(desks: float, hired: int) -> Plan:
        bought = rows("purchases", ("B1", "pri", "equip_value", desks)) if desks else shut.purchases.iloc[:0]
        hires = rows("hires", ("B1", "pri", "arts", hired)) if hired else shut.hires.iloc[:0]
        return Plan(shut.ledger, shut.years, purchases=bought, hires=hires)

    return (
        point(0.6, math.nan, 9.0, None), point(0.7, 8.0, 7.0, keep_all(ready())), point(0.8, 6.0, 5.0, buying(100.0, 0)),
        point(0.9, 4.0, 3.5, buying(0.0, 1)), point(0.95, 3.5, 3.0, buying(200.0, 1)), point(1.0, 3.0, 3.0, buying(300.0, 2)),
    )  # fmt: skip


def test_more_money_is_worth_what_the_plans_and_the_bounds_say() -> None:
    steps = budget_steps(ready().county, by_hand()).set_index("share")
    assert steps["next"].tolist() == [0.8, 0.9, 0.95, 1.0]
    assert steps.loc[0.8, "yuan"] == pytest.approx(100_000.0)  # ten large units
    assert steps.loc[0.8, ["worth", "worth_least", "worth_most"]].tolist() == pytest.approx([0.2, 0.1, 0.25])
    assert steps.loc[0.95, ["worth", "worth_least", "worth_most"]].tolist() == pytest.approx([0.1, 0.0, 0.1])
    assert steps.loc[0.95, ["changed", "of"]].tolist()[0] == 2  # more bought, one more hired
    assert steps.loc[0.95, "churn"] == pytest.approx(2 / steps.loc[0.95, "of"])


def test_the_knee_is_where_the_curve_is_furthest_below_its_chord() -> None:
    plan = keep_all(ready())
    bent = [point(s, f, b, plan) for s, f, b in ((0.5, 10, 9), (1.0, 4, 8.5), (1.5, 3, 4), (2.0, 2, 2))]
    assert knee_share(bent) == 1.0
    assert knee_share(bent, proven=True) == 1.5
    assert math.isnan(knee_share(bent[:2]))
    straight = [point(s, 3 - s, 3 - s, plan) for s in (0.5, 1.0, 1.5)]
    assert math.isnan(knee_share(straight))
    flat = [point(s, 1.0, 1.0, plan) for s in (0.5, 1.0, 1.5)]
    assert math.isnan(knee_share(flat))


def test_decisions_flip_between_neighbours_and_how_often_is_told() -> None:
    table = flips(ready().county, by_hand())
    bought = table[(table["change"] == "purchase") & (table["school_id"] == "B1")]
    assert bought[["below", "above", "turns"]].to_numpy().tolist() == [
        [0.7, 0.8, "on"], [0.8, 0.9, "off"], [0.9, 0.95, "on"],
    ]  # fmt: skip
    assert bought["flips"].tolist() == [3, 3, 3]
    band = table[(table["change"] == "band") & (table["school_id"] == "A3")]
    assert band[["below", "above", "turns", "flips"]].to_numpy().tolist() == [[0.7, 0.8, "off", 1]]
    assert flips(ready().county, by_hand()[:2]).empty


def test_a_cut_costs_what_plans_and_bounds_say_and_takes_decisions_in_order() -> None:
    losses = cut_losses(by_hand()).set_index("cut")
    assert losses.index.tolist() == list(CUTS)
    assert losses.loc[0.2, ["loss", "loss_least", "loss_most"]].tolist() == pytest.approx([3.0, 2.0, 3.0])
    assert losses.loc[0.2, "yuan"] == pytest.approx(200_000.0)
    table = cut_list(ready().county, by_hand())
    mine = table[table["school_id"] == "B1"].set_index("change")
    assert mine.loc["purchase", ["own", "cut_5", "cut_10", "cut_20", "cut_30"]].tolist() == [
        300,
        200,
        0,
        100,
        0,
    ]
    assert (mine.loc["purchase", "first"], mine.loc["purchase", "comes_back"]) == (0.05, True)
    assert (mine.loc["hire", "first"], mine.loc["hire", "comes_back"]) == (0.05, False)
    transfers = table[table["change"] == "transfer"]
    assert set(transfers["first"]) == {0.3}  # only then is A3 kept, and with it its teachers
    assert table["first"].is_monotonic_increasing
    assert cut_list(ready().county, by_hand()[:3]).empty and cut_losses(by_hand()[:3]).empty


def test_a_cut_without_a_plan_has_no_loss_and_says_why() -> None:
    plan = keep_all(ready())
    points = (point(0.8, math.nan, 9.0, None), point(1.0, 3.0, 3.0, plan))
    line = cut_losses(points).iloc[0]
    assert (
        line["status"] == "infeasible"
        and np.isnan(line[["loss", "loss_least", "loss_most"]].astype(float)).all()
    )
    found = Frontier(ready().county, {}, "all", points, 1.0, 1.0, 1, False, 1.0, "", ())
    assert "A cut of 20 %: no plan exists (proven)." in budgets_said(found, "en")


def test_cuts_are_budgets_of_their_own() -> None:
    assert share_grid(2, 0.5, 1.0, CUTS) == [0.5, 0.7, 0.8, 0.9, 0.95, 1.0]
    assert share_grid(2, 0.85, 1.0, CUTS) == [0.85, 0.9, 0.95, 1.0]


def test_the_folder_tells_worth_flips_and_cuts_beside_their_bounds(tmp_path: Path) -> None:
    scenario = Scenario(goals=(Goal(name="shortfall"), Goal(name="cost")))
    found = frontier(small_county(), scenario, 2, 0.2, 1.2, networks=1, cuts=(0.3,))
    assert [p.share for p in found.points] == [0.2, 0.7, 1.0]
    write_frontier(found, tmp_path / "front", "en")
    book = pd.read_excel(tmp_path / "front" / "frontier.xlsx", sheet_name=None, header=2)
    assert {"Worth of more money", "Decisions that flip", "What a cut costs", "What a cut takes"} <= set(book)
    assert "Objective: pupils whose share is missing" in book["Frontier"].columns
    steps = book["Worth of more money"]
    least, plans, most = (
        steps.filter(like=k).to_numpy(float) for k in ("at least", "plans found", "at most")
    )
    assert (least <= plans + 1e-9).all() and (plans <= most + 1e-9).all()
    record = json.loads((tmp_path / "front" / "frontier.json").read_text(encoding="utf-8"))
    assert record["goal"] == "shortfall" and len(record["steps"]) == 2 and record["losses"][0]["cut"] == 0.3


def test_a_year_s_delay_is_the_county_of_the_later_year(monkeypatch: pytest.MonkeyPatch) -> None:
    county = small_county()
    now = county.demand[county.demand["year"] == county.year]
    then = now.assign(year=county.year + 1, pupils_base=now["pupils_base"] // 2)
    both = replace(county, demand=pd.concat([county.demand, then], ignore_index=True))
    scenario, times = Scenario(goals=(Goal(name="over_cap"),)), ready().times
    year = in_year(both, scenario, times, 1).demand
    assert year.loc[year["year"] == county.year, "pupils_base"].sum() == then["pupils_base"].sum()
    assert in_year(both, scenario, times, 0) is both
    with pytest.raises(InputProblems) as refused:
        frontier(both, scenario, 2, 0.2, 1.0, later=2)
    assert [f.key for f in refused.value.findings] == ["analysis.no_later_year"]
    found = frontier(both, scenario, 2, 0.2, 1.0, networks=1, later=1)
    assert [p.objective for p in found.points] == pytest.approx(
        [0.0, 0.0], abs=1e-6
    )  # half the pupils have room
    assert "1 year(s) after the planning year" in "\n".join(budgets_said(found, "en"))
