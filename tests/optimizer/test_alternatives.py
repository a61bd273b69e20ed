"""Alternatives: within the share by the referee's objective, different, and with honest costs."""

from __future__ import annotations

import itertools
import json
import math
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache

import pandas as pd
import pytest
from typer.testing import CliRunner

import optimizer.cli.main as cli
from geodata.contract.county import County
from geodata.contract.findings import InputProblems
from maps.folders.alternatives import alternatives_said, decisions_sheet, plans_sheet, write_alternatives
from models.plan.decisions import Plan
from models.study.analysis import Alternatives
from optimizer.scenario import Goal, Scenario
from optimizer.search.method import Method
from optimizer.search.search import Search
from optimizer.search.split import exact_objective
from optimizer.solver.limits import Limits, Progress
from optimizer.solver.stopping import Stop
from optimizer.study.alternatives import alternatives
from optimizer.study.study import open_study
from optimizer.verbs.plan import StoppedWithoutPlan
from tests import tiny
from tests.models.plans import ready
from tests.samples import small_county
from tests.studies import ALONE, eased, free, shut

WITHIN = 0.4


@cache
def found() -> Alternatives:
    with eased():
        return alternatives(loose_county(), ALONE, k=3, within=WITHIN)


def test_every_plan_is_within_the_share_by_the_referee_and_accepted() -> None:
    with eased():
        study = open_study(loose_county(), ALONE)
    best = found().plans[0]
    for p in found().plans:
        verdict = ready(loose_county()).judge(p.plan)
        assert verdict.accepted
        value = exact_objective(verdict.indicators, study.instance)
        assert value == pytest.approx(p.objective, rel=1e-9)
        assert value <= best.objective * (1 + WITHIN) * (1 + 1e-9)
        assert found().bound <= value * (1 + 1e-9)


def test_plans_differ_in_their_bands_and_only_one_closure_is_within_the_share_here() -> None:
    states = [tuple(p.plan.bands["open"]) for p in found().plans]
    assert len(set(states)) == len(states) == 2
    assert found().exhausted and not found().stopped
    closed = found().plans[1].plan.bands.query("not open")["school_id"].unique().tolist()
    assert closed == ["B3"] and found().plans[1].differs == 1


def test_decisions_recur_as_often_as_the_plans_say() -> None:
    rows = found().decisions.set_index("school_id")
    assert rows["of"].eq(2).all()
    assert rows.at["B3", "recurs"] == "sometimes"
    assert rows.at["A3", "recurs"] == rows.at["A2", "recurs"] == "never"


def test_a_replacement_costs_the_difference_of_two_solves() -> None:
    row = found().decisions.set_index("school_id").loc["A3"]
    rise = shut().made.objective - free().made.objective
    assert row["cost_least"] <= rise * 1.05 + 1e-6
    assert row["cost_most"] == pytest.approx(rise, rel=0.3)
    assert row["cost_least"] <= row["cost_most"]
    assert found().decisions.set_index("school_id").at["A2", "cost_least"] == float("inf")


def test_a_small_share_leaves_the_best_alone() -> None:
    with eased():
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
    sheets = pd.read_excel(tmp_path / "out" / "alternatives.xlsx", sheet_name=None, header=2)
    assert list(sheets) == ["About", "Plans", "Decisions", "What changed"]
    assert "impossible" in sheets["Decisions"]["Costs at least"].tolist()
    assert plans_sheet(found(), "zh").table.shape[0] == 2
    assert decisions_sheet(found(), "zh").table["出现频率"].tolist().count("有时") == 1


Closed = frozenset[tuple[str, str]]
LOOSE = {"closures_share": 0.6, "closures_township": 2, "moved_share": 0.6}


def loose_county() -> County:
    """The hand-sized county with both points free to close."""
    county = small_county()
    return replace(county, schools=county.schools.assign(protected="none"))


@contextmanager
def loose() -> Iterator[None]:
    """Two closures allowed."""
    case = ready(loose_county()).with_rules(**LOOSE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("optimizer.study.study.load_standards", lambda county: case.standards)
        yield


def by(units: int) -> Scenario:
    """Counties of more units than these go through fractions."""
    return ALONE.model_copy(update={"method": Method(joint_units=units, village_gap=1e-4)})


@cache
def every_closure(whole: bool) -> dict[Closed, float]:
    """The least imbalance for every way to decide the free bands, one by one; infinite where none is."""
    with loose():
        study = open_study(loose_county(), ALONE)
    inst = study.instance
    search = Search(inst, study.task, whole)
    bridge = search.bridge
    search.relax(8, Limits())
    free = [k for k in inst.bands.index if inst.bands.at[k, "lock"] == "free"]
    values: dict[Closed, float] = {}
    for states in itertools.product((0.0, 1.0), repeat=len(free)):
        columns = {bridge.column("open", k): v for k, v in zip(free, states, strict=True)}
        bridge.fix(columns)
        answer = search.minimise("imbalance", study.limits, slack=1e-4)
        bridge.release(columns)
        closed = frozenset(k for k, v in zip(free, states, strict=True) if not v)
        values[closed] = math.inf
        if answer.values is not None:
            # in fractions of heads the planes of whole heads count, too
            values[closed] = max(
                search.exact("imbalance", answer.values), bridge.value("imbalance", answer.values)
            )
    return values


@cache
def loosely(units: int, within: float) -> Alternatives:
    with loose():
        return alternatives(loose_county(), by(units), k=5, within=within)


def closed_in(plan: Plan) -> Closed:
    rows = plan.bands.query("not open")
    return frozenset(zip(rows["school_id"], rows["band"], strict=True))


@pytest.mark.parametrize("units", [16, 3])
def test_the_plans_are_those_of_all_closures_tried_one_by_one(units: int) -> None:
    """Two of four possible sets of closures are within the share; those that close A3 cost more than twice the best."""
    within = 0.4
    values = every_closure(True)
    best = min(values.values())
    wanted = {c for c, v in values.items() if v <= best * (1 + within)}
    plans = loosely(units, within).plans
    assert {closed_in(p.plan) for p in plans} == wanted and len(plans) == len(wanted) == 2
    assert sum(map(math.isfinite, values.values())) == 4
    assert loosely(units, within).exhausted and not loosely(units, within).stopped
    for p in plans:
        assert p.objective == pytest.approx(values[closed_in(p.plan)], rel=1e-2)


@pytest.mark.parametrize("units", [16, 3])
def test_every_plan_is_as_far_from_those_before_it_as_any_could_be(units: int) -> None:
    values = every_closure(True)
    within = {c for c, v in values.items() if v <= min(values.values()) * 1.4}
    before: list[Closed] = []
    for p in loosely(units, 0.4).plans:
        here = closed_in(p.plan)
        if before:
            most = max(min(len(c ^ b) for b in before) for c in within)
            assert p.apart == min(len(here ^ b) for b in before) == most <= p.apart_most
            assert p.differs == len(here ^ before[0])
        before.append(here)


@pytest.mark.parametrize("units", [16, 3])
def test_replacement_costs_are_those_of_all_closures_tried_one_by_one(units: int) -> None:
    """In whole heads in small counties, in fractions in larger ones, there to the gap of the villages' solves."""
    within = 2e-4 if units == 16 else 1e-3
    values = every_closure(units == 16)
    best = closed_in(loosely(units, 0.4).plans[0].plan)
    for r in loosely(units, 0.4).decisions.itertuples():
        gives_up = any(j == r.school_id for j, _ in best)
        assert (r.best == "keep") == (not gives_up)
        rise = min(v for c, v in values.items() if any(j == r.school_id for j, _ in c) != gives_up)
        rise -= values[best]
        assert r.cost_least - within <= max(0.0, rise) <= r.cost_most + within
        assert math.isinf(r.cost_least) == math.isinf(r.cost_most) == math.isinf(rise)


def test_recurrence_counts_the_plans_that_give_a_band_up() -> None:
    found = loosely(16, 0.4)
    closed = [{j for j, _ in closed_in(p.plan)} for p in found.plans]
    for r in found.decisions.itertuples():
        times = sum(r.school_id in c for c in closed)
        word = {0: "never", len(closed): "always"}.get(times, "sometimes")
        assert (r.closes, r.of, r.recurs) == (times, len(closed), word)
    assert set(found.decisions["recurs"]) == {"never", "sometimes"}


def test_ctrl_c_keeps_the_plans_found() -> None:
    """Pressed when one further plan has been found: both stay, the costs are left open and said to be."""

    def press(step: str, progress: Progress) -> None:
        if step == "plans_found" and progress.incumbent == 1:
            signal.raise_signal(signal.SIGINT)

    with loose():
        found = alternatives(loose_county(), by(3), k=3, within=0.6, report=press)
    assert found.interrupted and found.stopped and not found.exhausted
    assert len(found.plans) == 2 and all(p.verdict.accepted for p in found.plans)
    assert found.decisions["cost_most"].isna().all() and found.decisions["cost_least"].eq(0).all()
    assert "Stopped on request with 2 plans" in "\n".join(alternatives_said(found, "en"))
    assert set(decisions_sheet(found, "en").table["Costs at most"]) == {"not looked for"}


def test_ctrl_c_while_costs_are_reckoned_keeps_those_done() -> None:
    """What the plan found beside the best shows is known, the other closure's cost is left open."""

    def press(step: str, progress: Progress) -> None:
        if step == "sites_priced" and progress.incumbent == 0:
            signal.raise_signal(signal.SIGINT)

    with loose():
        found = alternatives(loose_county(), ALONE, k=1, within=0.1, report=press)
    assert found.interrupted and not found.stopped and len(found.plans) == 2
    full = loosely(16, 0.4).decisions
    assert found.decisions["cost_most"].isna().any() and not found.decisions["cost_most"].isna().all()
    assert (found.decisions["cost_least"] <= full["cost_most"] + 2e-4).all()


def test_a_stop_before_the_means_are_settled_is_stopped_without_a_plan() -> None:
    stop = Stop()
    stop.set()
    with pytest.raises(StoppedWithoutPlan):
        alternatives(small_county(), ALONE, stop=stop)


def test_the_command_says_what_was_kept_and_ends_with_0(monkeypatch, tmp_path) -> None:
    kept = replace(loosely(16, 0.4), interrupted=True)
    monkeypatch.setattr("optimizer.cli.asking.county_of", lambda *_: loose_county())
    monkeypatch.setattr("optimizer.cli.studies.alternatives.make_alternatives", lambda *_, **__: kept)
    asked = ["alternatives", str(tmp_path), "--out", str(tmp_path / "out"), "--lang", "en"]
    result = CliRunner().invoke(cli.app, asked)
    assert result.exit_code == 0
    assert f"Stopped on request with {len(kept.plans)} plans" in " ".join(result.output.split())
    assert (tmp_path / "out" / "alternatives.json").exists()


def test_of_a_best_plan_that_costs_nothing_none_is_worse() -> None:
    """A share of nought is nought: nothing is divided by it."""
    made = alternatives(tiny.county(), Scenario(goals=(Goal(name="cost"),)), k=1)
    assert made.plans[0].objective == 0 and [p.worse for p in made.plans] == [0.0] * len(made.plans)
    assert all(alternatives_said(made, language) for language in ("zh", "en"))
