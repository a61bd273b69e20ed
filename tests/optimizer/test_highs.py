"""The bridge to HiGHS: index maps, starts, goals, added rows, clashes, stopping."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

import optimizer.solver.engine as engine
from optimizer.solver.bridge import Bridge
from optimizer.solver.limits import Answer, Limits, Progress
from optimizer.solver.running import Better


def knapsack(weights: list[int], values: list[int], most: float) -> pyo.ConcreteModel:
    model = pyo.ConcreteModel()
    n = len(weights)
    model.take = pyo.Var(range(n), domain=pyo.Binary)
    model.weight = pyo.Constraint(expr=sum(weights[i] * model.take[i] for i in range(n)) <= most)
    model.loss = pyo.Objective(expr=100 - sum(values[i] * model.take[i] for i in range(n)))
    model.carried = pyo.Objective(expr=sum(weights[i] * model.take[i] for i in range(n)))
    return model


def bridge(model: pyo.ConcreteModel) -> Bridge:
    return Bridge(model, {"loss": model.loss, "load": model.carried})


def hard_model(n: int = 60, rows: int = 30) -> pyo.ConcreteModel:
    """A market-split problem: a plan is found at once, its proof takes far longer than any test."""
    rng = np.random.default_rng(1)
    table = rng.integers(1, 100, (rows, n))
    model = pyo.ConcreteModel()
    model.x = pyo.Var(range(n), domain=pyo.Binary)
    model.over = pyo.Var(range(rows), domain=pyo.NonNegativeReals)
    model.under = pyo.Var(range(rows), domain=pyo.NonNegativeReals)
    model.split = pyo.Constraint(
        range(rows),
        rule=lambda m, r: (
            sum(int(table[r, i]) * m.x[i] for i in range(n)) + m.over[r] - m.under[r]
            == int(table[r].sum()) // 2
        ),
    )
    model.loss = pyo.Objective(expr=sum(model.over[r] + model.under[r] for r in range(rows)))
    return model


def test_optimum_with_offset_and_values_in_the_models_own_variables() -> None:
    model = knapsack([3, 4, 5], [30, 50, 60], 8)
    b = bridge(model)
    answer = b.solve("loss", Limits(gap=0.0))
    assert (answer.status, answer.objective, answer.bound) == ("proven", 10.0, 10.0)
    b.load(answer.values)
    assert [pyo.value(model.take[i]) for i in range(3)] == [1, 0, 1]


def test_relaxation_and_back() -> None:
    b = bridge(knapsack([3, 4, 5], [30, 50, 60], 8))
    b.relax(True)
    assert b.solve("loss", Limits()).objective == pytest.approx(100 - 50 - 60 * 4 / 5)
    b.relax(False)
    assert b.solve("loss", Limits(gap=0.0)).objective == pytest.approx(10)


def test_added_row_is_kept_without_building_anew() -> None:
    model = knapsack([3, 4, 5], [30, 50, 60], 8)
    b = bridge(model)
    b.solve("loss", Limits(gap=0.0))
    b.add_rows([model.take[0] + model.take[2] <= 1])
    assert b.solve("loss", Limits(gap=0.0)).objective == pytest.approx(20)


def test_goals_in_order_keep_the_first() -> None:
    b = bridge(knapsack([4, 2, 2], [50, 25, 25], 4))
    first = b.solve("loss", Limits(gap=0.0))
    b.limit_goal("loss", first.objective)
    second = b.solve("load", Limits(gap=0.0), start=first.values)
    assert b.value("loss", second.values) == pytest.approx(50)
    assert second.objective == pytest.approx(4)


def test_fixed_columns() -> None:
    model = knapsack([3, 4, 5], [30, 50, 60], 8)
    b = bridge(model)
    b.fix({b.column("take", 2): 0.0})
    assert b.solve("loss", Limits(gap=0.0)).objective == pytest.approx(20)


def test_start_is_used_however_long_the_runs_before_it() -> None:
    """HiGHS holds the seconds of all runs before against the limit within which it completes a start."""
    model = hard_model(50, 10)
    b = Bridge(model, {"loss": model.loss})
    good = b.solve("loss", Limits(gap=0.0, nodes=400))
    b.highs.setOptionValue("mip_heuristic_effort", 0.0)
    plain = b.solve("loss", Limits(gap=0.0, nodes=1))
    while b.highs.getRunTime() < 0.6:
        b.solve("loss", Limits(gap=0.0, nodes=1))
    assert not plain.objective <= good.objective + 1e-6
    again = b.solve("loss", Limits(gap=0.0, nodes=1, seconds=0.5), start=good.values)
    assert again.objective <= good.objective + 1e-6
    assert b.highs.getOptionValue("mip_heuristic_effort")[1] == 0.0


@pytest.mark.parametrize("again", [True, False])
def test_a_plan_that_is_not_the_one_reported_is_not_believed(
    monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    """HiGHS 1.16 now and then proves a better plan than its start and hands back the start."""
    b = bridge(knapsack([3, 4, 5], [30, 50, 60], 8))
    start = np.array([0.0, 1.0, 0.0])
    honest, runs = engine.answer_of, []

    def mixed_up(*asked: Any) -> Answer:
        runs.append(asked)
        answer = honest(*asked)
        return replace(answer, values=start) if len(runs) == 1 or not again else answer

    monkeypatch.setattr(engine, "answer_of", mixed_up)
    answer = b.solve("loss", Limits(gap=0.0), start=start)
    assert len(runs) == 2 and answer.bound == 10.0
    assert answer.objective == b.value("loss", answer.values) == (10.0 if again else 50.0)
    assert answer.status == ("proven" if again else "stopped")
    assert answer.gap == pytest.approx(0.0 if again else 0.8)


def test_plans_handed_back_while_it_runs_are_taken_and_checked() -> None:
    def quick(better: Better | None) -> float:
        model = hard_model(50, 10)
        b = Bridge(model, {"loss": model.loss})
        b.highs.setOptionValue("mip_heuristic_effort", 0.0)
        return b.solve("loss", Limits(gap=0.0, nodes=1), better=better).objective

    model = hard_model(50, 10)
    good = Bridge(model, {"loss": model.loss}).solve("loss", Limits(gap=0.0, nodes=400))
    assert good.values is not None
    plain, seen = quick(None), []

    def better(values: np.ndarray) -> np.ndarray | None:
        seen.append(float(values.sum()))
        return good.values

    assert good.objective < plain
    assert quick(better) == pytest.approx(good.objective)
    assert seen and min(seen) > 0
    # nothing better, or a plan that breaks a rule, changes nothing
    assert quick(lambda values: None) == pytest.approx(plain)
    assert quick(np.zeros_like) == pytest.approx(plain)


def test_infeasible_is_said_and_its_rows_are_named() -> None:
    model = knapsack([3, 4, 5], [30, 50, 60], 8)
    model.much = pyo.Constraint(expr=sum(model.take[i] for i in range(3)) >= 3)
    model.idle = pyo.Constraint(expr=model.take[0] <= 1)
    b = bridge(model)
    assert b.solve("loss", Limits()).status == "infeasible"
    b.relax(True)
    assert {c for c, _ in b.clash()} == {"weight", "much"}


def test_a_limit_with_a_plan_and_one_without() -> None:
    model = hard_model()
    b = Bridge(model, {"loss": model.loss})
    answer = b.solve("loss", Limits(gap=0.0, nodes=5))
    assert answer.status == "stopped"
    assert answer.values is not None
    assert answer.bound < answer.objective
    assert Bridge(model, {"loss": model.loss}).solve("loss", Limits(seconds=1e-9)).status == "no_plan"


def test_progress_and_interrupt_keep_the_best_plan() -> None:
    model = hard_model()
    b = Bridge(model, {"loss": model.loss})
    seen: list[Progress] = []

    def watch(progress: Progress) -> None:
        seen.append(progress)
        if abs(progress.incumbent) < 1e20 and progress.nodes > 3:
            b.interrupt()

    answer = b.solve("loss", Limits(gap=0.0), progress=watch)
    assert seen
    assert answer.status == "stopped"
    assert b.stopped
    assert answer.objective <= seen[-1].incumbent + 1e-6


def test_ctrl_c_keeps_the_best_plan() -> None:
    model = hard_model()
    b = Bridge(model, {"loss": model.loss})

    def press() -> None:
        time.sleep(1.5)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press, daemon=True).start()
    answer = b.solve("loss", Limits(gap=0.0))
    assert answer.status == "stopped"
    assert answer.values is not None


def test_same_seed_same_path() -> None:
    model = hard_model(30, 4)
    runs = [
        Bridge(model, {"loss": model.loss}).solve("loss", Limits(gap=0.0, nodes=200, seed=3))
        for _ in range(2)
    ]
    assert runs[0].nodes == runs[1].nodes
    assert np.array_equal(runs[0].values, runs[1].values)


def test_bounds_released_and_rows_forgotten_leave_the_model_as_it_was() -> None:
    model = knapsack([3, 4, 5], [30, 50, 60], 8)
    b = bridge(model)
    best = b.solve("loss", Limits(gap=0.0)).objective
    mark = b.rows
    b.fix({b.column("take", 2): 0.0})
    b.add_rows([model.take[1] <= 0.0])
    assert b.solve("loss", Limits(gap=0.0)).objective == pytest.approx(70)
    b.forget_rows(mark)
    assert b.rows == mark
    b.release([b.column("take", 2)])
    assert b.solve("loss", Limits(gap=0.0)).objective == pytest.approx(best) == 10
    b.bound(b.column("take", 0), 0.0, 0.0)
    assert b.solve("loss", Limits(gap=0.0)).objective == pytest.approx(40)


def test_a_priced_goal_is_the_goal_plus_prices_and_bounds_it() -> None:
    model = knapsack([3, 4, 5], [30, 50, 60], 8)
    b = bridge(model)
    b.add_goal("priced", "loss", {b.column("take", 2): 35.0})
    priced = b.solve("priced", Limits(gap=0.0))
    assert priced.objective == pytest.approx(100 - 80)  # 30 + 50 now beats 30 + 60 - 35
    assert b.solve("loss", Limits(gap=0.0)).objective == pytest.approx(10)  # the goal itself is untouched


def test_rows_as_numbers_are_rows() -> None:
    model = knapsack([3, 4, 5], [30, 50, 60], 8)
    b = bridge(model)
    index, value, constant = b.terms(2 * model.take[0] + 3 * model.take[1] + 1)
    assert constant == 1.0 and sorted(value) == [2.0, 3.0]
    b.add_least([(index, -value, -3.0), (index, -value, -4.0)])  # not both
    assert b.solve("loss", Limits(gap=0.0)).objective == pytest.approx(10)
    b.add_least([(index, -value, -2.0)])  # not the second at all
    b.load(b.solve("loss", Limits(gap=0.0)).values)
    assert [pyo.value(model.take[i]) for i in range(3)] == [1, 0, 1]


def test_duals_are_the_worth_of_a_rows_right_hand_side() -> None:
    b = bridge(knapsack([3, 4, 5], [30, 50, 60], 8))
    b.relax(True)
    b.solve("loss", Limits())
    assert [(c, k, pytest.approx(v)) for c, k, v in b.duals()] == [("weight", None, -60 / 5)]


def test_a_clash_looked_for_first_does_not_spoil_the_next_one() -> None:
    model = knapsack([3, 4, 5], [30, 50, 60], 8)
    model.much = pyo.Constraint(expr=sum(model.take[i] for i in range(3)) >= 3)
    for solve_first in (False, True, False):  # a bridge that never solved has other options than one that has
        b = bridge(model)
        if solve_first:
            assert b.solve("loss", Limits()).status == "infeasible"
        b.relax(True)
        assert {c for c, _ in b.clash()} == {"weight", "much"}


def test_a_relaxation_stopped_on_its_way_proves_no_bound() -> None:
    model = knapsack([3, 4, 5, 7, 9], [30, 50, 60, 61, 95], 13)
    b = bridge(model)
    b.relax(True)
    b.highs.setOptionValue("presolve", "off")
    b.highs.setOptionValue("simplex_iteration_limit", 0)
    stopped = b.solve("loss", Limits())
    assert stopped.status != "proven"
    assert stopped.bound == -float("inf")
    b.highs.setOptionValue("simplex_iteration_limit", 2**31 - 1)
    assert b.solve("loss", Limits()).bound > -float("inf")
