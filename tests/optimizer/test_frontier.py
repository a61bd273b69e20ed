"""The budget frontier: bounds hold, more money is never worse, every plan passes the referee."""

from __future__ import annotations

import json
import math
import signal
from dataclasses import replace
from functools import cache
from itertools import pairwise

import pandas as pd
import pytest

import optimizer.study.frontier as sweeping
import optimizer.study.sweep as sweep_module
from geodata.contract.county import County
from geodata.contract.findings import InputProblems
from maps import chart
from maps.folders.frontier import changes_said, frontier_record, frontier_said, write_frontier
from models.plan.differences.comparison import plan_changes
from models.problem.building import build_instance
from models.problem.request import Request
from models.study.analysis import Frontier
from optimizer.scenario import Goal, Scenario
from optimizer.search.search import Search
from optimizer.search.task import Task
from optimizer.solver.limits import Answer, Limits
from optimizer.solver.stopping import Stop
from optimizer.study.budget_grid import prices, proven_bounds, share_grid
from optimizer.study.frontier import frontier
from optimizer.study.splitter import Splitter
from optimizer.study.study import best_plan, network_of, open_study, share_of_budget
from optimizer.verbs.plan import Infeasible, StoppedWithoutPlan
from tests.models.plans import closing, keep_all, ready
from tests.samples import frame, small_county

ALONE = Scenario(goals=(Goal(name="imbalance", tolerance=0.005), Goal(name="cost")))
POINTS = 3


@cache
def swept() -> Frontier:
    """From half the budget upwards."""
    return frontier(small_county(), ALONE, points=POINTS, least=0.2, most=1.8, networks=2)


def test_every_point_has_a_plan_that_the_referee_accepts_within_its_own_budget() -> None:
    case = ready()
    for p in swept().points:
        assert p.plan is not None and p.verdict is not None
        verdict = case.judge(p.plan, Request(budget=p.budget))
        assert verdict.accepted
        spent = verdict.budget.set_index("earmark")["spent"].drop("any").sum()
        assert spent <= p.yuan + 1.0


def test_more_money_is_never_worse_and_bounds_never_rise() -> None:
    points = swept().points
    assert len(points) == POINTS
    assert 1.0 in [p.share for p in points]
    for less, more in pairwise(points):
        assert more.yuan > less.yuan
        assert more.objective <= less.objective * (1 + 1e-9)
        assert more.bound <= less.bound + 1e-12


def test_no_bound_is_above_any_plan_of_the_same_or_a_smaller_budget() -> None:
    points = swept().points
    for i, p in enumerate(points):
        assert 0 < p.bound <= p.objective
        assert all(p.bound <= q.objective * (1 + 1e-9) for q in points[: i + 1])
        assert p.gap == pytest.approx(1 - p.bound / p.objective)
    assert max(p.gap for p in points) < 0.1


def test_a_point_is_as_good_as_a_solve_of_its_own() -> None:
    study = open_study(small_county(), ALONE)
    own = next(p for p in swept().points if p.share == 1.0)
    best = best_plan(study)
    assert own.bound <= best.made.objective * (1 + 1e-9)
    assert best.bound <= own.objective * (1 + 1e-9)
    assert own.objective == pytest.approx(best.made.objective, rel=0.03)


def test_what_changed_is_the_difference_of_the_plans() -> None:
    points = swept().points
    county = small_county()
    for less, more in pairwise(points):
        pd.testing.assert_frame_equal(more.changes, plan_changes(county, less.plan, more.plan))
        assert ((more.changes["before"] - more.changes["after"]).abs() > 1e-6).all()


def test_changes_between_hand_written_plans_are_named() -> None:
    case = ready()
    found = plan_changes(case.county, keep_all(case), closing(case))
    bands = found[found["change"] == "band"]
    assert bands[["school_id", "before", "after"]].to_numpy().tolist() == [["A3", 1.0, 0.0]]
    pupils = found[found["change"] == "pupils"].set_index("school_id")
    assert (pupils["after"] - pupils["before"]).to_dict() == {"A1": 12.0, "A3": -12.0}
    staff = found[found["change"] == "transfer"]
    assert staff["after"].sum() == 3 and set(staff["school_id"]) == {"A1"}
    assert "甲镇A3 gives up grades 1-3" in changes_said(found, "en")
    assert changes_said(found.iloc[:0], "en") == "nothing"
    bought = found.iloc[:1].assign(
        change="purchase", what="equip_value", unit="yuan", before=0.0, after=33_702.0
    )
    assert "+3.4 万元" in changes_said(bought, "zh")


def closing_a3(budget: float) -> County:
    """One school of seven may close; its twelve pupils then ride, and a tenth of the budget is for that."""
    county = small_county(budget=budget)
    share = frame("standards", [{"id": "closures_share", "value": 0.2, "kind": "hard"}])
    return replace(county, standards=share)


CLOSING = ALONE.model_copy(update={"close": ("A3",)})


def test_too_little_money_is_proven_infeasible_and_not_a_gap_in_the_search() -> None:
    county = closing_a3(10_000.0)  # twelve pupils who ride and change school cost 45,516, a tenth is for them
    found = frontier(county, CLOSING, points=3, least=0.5, most=48.0, networks=1)
    assert [p.status for p in found.points] == ["infeasible", "infeasible", "plan"]
    assert math.isnan(found.points[0].objective)
    assert found.least_proven == pytest.approx(45.516, rel=1e-3)
    assert found.least_found == pytest.approx(45.516, rel=1e-3)
    below = open_study(county, CLOSING, most=48.0)
    shared = share_of_budget(below.instance, below.task, True, 48.0)
    shared.at(found.least_proven * 0.98)
    assert shared.bridge.solve("cost", below.limits).status == "infeasible"


def test_no_budget_with_a_plan_is_infeasible() -> None:
    with pytest.raises(Infeasible):
        frontier(closing_a3(100.0), CLOSING, points=2, most=1.5)


@pytest.mark.parametrize(
    ("asked", "key"),
    [
        ({"points": 1}, "bad_range"), ({"least": 2.0, "most": 1.0}, "bad_range"), ({"earmark": "fame"}, "bad_earmark"),
        ({"earmark": "any"}, "no_budget"),
    ],
)  # fmt: skip
def test_a_range_without_sense_is_bad_input(asked: dict[str, object], key: str) -> None:
    with pytest.raises(InputProblems) as problem:
        frontier(small_county(), ALONE, **asked)
    assert [f.key for f in problem.value.findings] == [f"analysis.{key}"]


def test_one_earmark_varies_alone() -> None:
    study = open_study(small_county(), ALONE)
    shared = share_of_budget(study.instance, study.task, True, 2.0, "device")
    shared.at(0.0)
    answer = shared.bridge.solve("imbalance", study.limits)
    charge, spill = (
        {e: answer.values[c] for e, c in shared.bridge.at(name).items()} for name in ("charge", "spill")
    )
    assert charge["device"] <= 1e-6  # "any" is empty, so nothing may be bought
    assert charge["teacher"] <= 120.0 + 1e-6 and spill["teacher"] <= 1e-6


def test_grid_prices_and_lines() -> None:
    assert share_grid(5, 0.413, 2.0) == [0.42, 1.0, 1.21, 1.605, 2.0]
    assert prices([0.5, 1.0, 2.0], [math.inf, 0.9, 0.6]) == [0.3]
    assert prices([0.5, 1.0], [0.5, 0.5]) == [0.0]
    # imbalance + 0.4 share >= 1 at every budget; the relaxation is better at 2; a bound never rises
    assert proven_bounds([0.5, 1.0, 2.0], [(0.4, 1.0)], {1.0: 0.1, 2.0: 0.65}) == [0.8, 0.65, 0.65]


def test_the_splitter_finds_what_a_model_of_its_own_finds() -> None:
    study = open_study(small_county(), ALONE)
    best = best_plan(study)
    network = network_of(best.network.search, best.network.values)
    split = Splitter(study, 1.0).split(network, 1.0, study.scenario.request())
    assert split is not None and split.made.verdict.accepted
    assert split.made.objective == pytest.approx(best.made.objective, rel=0.02)


def test_the_folder_holds_table_chart_and_figures(tmp_path, monkeypatch) -> None:
    target = tmp_path / "found"
    assert write_frontier(swept(), target, "en") == "en"
    assert sorted(f.name for f in target.iterdir()) == [
        "decisions.parquet", "frontier.html", "frontier.json", "frontier.png", "frontier.xlsx", "points.csv",
    ]  # fmt: skip
    record = json.loads((target / "frontier.json").read_text(encoding="utf-8"))
    assert [p["objective"] for p in record["points"]] == pytest.approx([p.objective for p in swept().points])
    table = pd.read_excel(target / "frontier.xlsx", sheet_name="Frontier", header=2)
    assert table["Proven bound"].tolist() == pytest.approx([p.bound for p in swept().points])
    with pytest.raises(InputProblems):
        write_frontier(swept(), target, "en")
    (target / "frontier.json").unlink()
    with pytest.raises(InputProblems):  # no longer known as ours
        write_frontier(swept(), target, "en", overwrite=True)
    monkeypatch.setattr(chart, "chinese_font", lambda: None)
    assert write_frontier(swept(), tmp_path / "no_font", "zh") == "en"
    assert (
        pd.read_excel(tmp_path / "no_font" / "frontier.xlsx", sheet_name="预算前沿", header=2).shape[0]
        == POINTS
    )


def test_a_sweep_from_nothing_tells_the_least_budget_all_the_same() -> None:
    whole = next(p for p in swept().points if p.share == 1.0)
    nothing = replace(whole, share=0.0, budget=dict.fromkeys(whole.budget, 0.0))
    begun = replace(swept(), points=(nothing, *swept().points), least_found=0.5, least_proven=0.4)
    own = sum(whole.budget.values()) / 10_000
    assert any(f"{0.5 * own:,.1f}" in s for s in frontier_said(begun, "en"))
    assert frontier_said(replace(begun, points=(nothing,)), "zh")


def test_what_is_modelled_is_named_in_the_language_of_the_sheet() -> None:
    modelled = replace(swept(), county=replace(swept().county, modelled=("staff_category.backbone",)))
    assert not [s for s in frontier_said(modelled, "zh") if "staff_category" in s]


def test_a_network_that_moves_nobody_is_a_model_too() -> None:
    case = ready()
    inst = build_instance(case.county, case.standards, Request(), case.times)
    stay = inst.pairs[inst.pairs["stay"]]
    bands = inst.bands.assign(lock="open")
    kept = replace(inst, pairs=stay, bands=bands, past=inst.past.iloc[:0])
    search = Search(kept, Task(), whole=False)
    assert search.model.component("pace_pupils") is None
    assert search.bridge.solve("imbalance", Limits(gap=0.01)).values is not None


def stopped_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C at the first priced solve."""
    priced = sweeping._priced

    def press(sweep: sweeping.Sweep, price: float, least: float) -> None:
        if not sweep.stop_asked():
            signal.raise_signal(signal.SIGINT)
        priced(sweep, price, least)

    monkeypatch.setattr(sweeping, "_priced", press)


def test_ctrl_c_makes_plans_of_the_networks_found(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped_at_once(monkeypatch)
    found = frontier(small_county(), ALONE, points=POINTS, least=0.2, most=1.8, networks=2)
    assert found.interrupted and not swept().interrupted
    made = [p for p in found.points if p.plan is not None]
    assert made and all(p.verdict is not None and p.verdict.accepted for p in made)
    for p, full in zip(found.points, swept().points, strict=True):
        assert not p.bound > full.objective * (1 + 1e-9)
    assert f"Stopped on request: {len(made)} budgets" in "\n".join(frontier_said(found, "en"))
    assert "已按要求中止" in "\n".join(frontier_said(found, "zh"))
    assert frontier_record(found)["interrupted"] is True


def test_a_second_ctrl_c_leaves_the_other_budgets_without_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    made, plan_at = [0], sweep_module.plan_at

    def press(*asked: object) -> object:
        made[0] += 1
        answer = plan_at(*asked)
        if made[0] == 1:
            signal.raise_signal(signal.SIGINT)
        return answer

    stopped_at_once(monkeypatch)
    monkeypatch.setattr(sweep_module, "plan_at", press)
    found = frontier(small_county(), ALONE, points=POINTS, least=0.2, most=1.8, networks=2)
    assert made[0] == 1 and found.interrupted
    assert [p.carried for p in found.points] == [
        False,
        True,
        True,
    ]  # a smaller budget's plan keeps to a larger one


def test_a_stop_before_any_network_is_stopped_without_a_plan() -> None:
    stop = Stop()
    stop.set()
    with pytest.raises(StoppedWithoutPlan):
        frontier(small_county(), ALONE, points=POINTS, stop=stop)


def test_a_study_that_the_clock_would_settle_is_stopped() -> None:
    """The relaxations of a study keep to the scenario's seconds: means that come of fewer rounds are not studied."""
    with pytest.raises(StoppedWithoutPlan):
        open_study(small_county(), ALONE.model_copy(update={"seconds": 1e-4}))


def test_a_relaxation_that_was_stopped_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = Answer("no_plan", math.nan, -math.inf, math.inf, 0.0, 0, False, None, True)
    monkeypatch.setattr(Search, "relax", lambda *a, **k: nothing)
    with pytest.raises(StoppedWithoutPlan):
        open_study(small_county(), ALONE)
