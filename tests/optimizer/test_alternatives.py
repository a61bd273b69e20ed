"""Alternatives: within the share by the referee's objective, different, and with honest costs."""

from __future__ import annotations

import json
from functools import cache

import pandas as pd
import pytest

from geodata.findings import InputProblems
from maps.alternatives import decisions_sheet, plans_sheet, write_alternatives
from models.analysis import Alternatives
from optimizer.alternatives import alternatives
from optimizer.network_first import exact_objective
from optimizer.scenario import Goal, Scenario
from optimizer.studies import best_plan, forced, open_study
from tests.models.plans import ready
from tests.samples import small_county

ALONE = Scenario(goals=(Goal(name="imbalance"),), gap=1e-4)
WITHIN = 0.3


def eased(patch: pytest.MonkeyPatch) -> None:
    """One closure of seven sites is allowed."""
    patch.setattr("optimizer.studies.load_standards", lambda county: ready().standards)


@cache
def found() -> Alternatives:
    with pytest.MonkeyPatch.context() as patch:
        eased(patch)
        return alternatives(small_county(), ALONE, k=3, within=WITHIN)


def test_every_plan_is_within_the_share_by_the_referee_and_accepted() -> None:
    with pytest.MonkeyPatch.context() as patch:
        eased(patch)
        study = open_study(small_county(), ALONE)
    best = found().plans[0]
    for p in found().plans:
        verdict = ready().judge(p.plan)
        assert verdict.accepted
        value = exact_objective(verdict.indicators, study.instance)
        assert value == pytest.approx(p.objective, rel=1e-9)
        assert value <= best.objective * (1 + WITHIN) * (1 + 1e-9)
        assert found().bound <= value * (1 + 1e-9)


def test_plans_differ_in_their_bands_and_only_one_closure_is_possible_here() -> None:
    states = [tuple(p.plan.bands["open"]) for p in found().plans]
    assert len(set(states)) == len(states) == 2
    assert found().exhausted and not found().stopped
    closed = found().plans[1].plan.bands.query("not open")["school_id"].unique().tolist()
    assert closed == ["A3"] and found().plans[1].differs == 1


def test_decisions_recur_as_often_as_the_plans_say() -> None:
    rows = found().decisions.set_index("school_id")
    assert rows["of"].eq(2).all()
    assert rows.at["A3", "recurs"] == "sometimes"
    assert rows.at["A2", "recurs"] == "never"


def test_a_replacement_costs_the_difference_of_two_solves() -> None:
    with pytest.MonkeyPatch.context() as patch:
        eased(patch)
        study = open_study(small_county(), ALONE)
    free, shut = best_plan(study), best_plan(forced(study, close=("A3",)))
    row = found().decisions.set_index("school_id").loc["A3"]
    rise = shut.made.objective - free.made.objective
    assert row["cost_least"] <= rise * 1.05 + 1e-6
    assert row["cost_most"] == pytest.approx(rise, rel=0.3)
    assert row["cost_least"] <= row["cost_most"]
    assert found().decisions.set_index("school_id").at["A2", "cost_least"] == float("inf")


def test_a_small_share_leaves_the_best_alone() -> None:
    with pytest.MonkeyPatch.context() as patch:
        eased(patch)
        alone = alternatives(small_county(), ALONE, k=1, within=0.01)
    assert len(alone.plans) == 1 and alone.exhausted


@pytest.mark.parametrize(("k", "within"), [(0, 0.1), (3, 0.0), (3, 1.5)])
def test_numbers_without_sense_are_bad_input(k: int, within: float) -> None:
    with pytest.raises(InputProblems):
        alternatives(small_county(), ALONE, k=k, within=within)


def test_the_folder_holds_plans_decisions_and_figures(tmp_path) -> None:
    write_alternatives(found(), tmp_path / "out", "en")
    record = json.loads((tmp_path / "out" / "alternatives.json").read_text(encoding="utf-8"))
    assert [p["plan_id"] for p in record["plans"]] == [p.plan.plan_id for p in found().plans]
    sheets = pd.read_excel(tmp_path / "out" / "alternatives.xlsx", sheet_name=None)
    assert list(sheets) == ["About", "Plans", "Decisions", "What changed"]
    assert "impossible" in sheets["Decisions"]["Costs at least"].tolist()
    assert plans_sheet(found(), "zh").table.shape[0] == 2
    assert decisions_sheet(found(), "zh").table["出现频率"].tolist().count("有时") == 1
