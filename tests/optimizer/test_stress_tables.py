"""What a study's rows say together: PRIM on planted failures, tail means, regret, decisions, the growing table."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import qmc

from geodata.messages import LANGUAGES
from maps.stress.words import box_said, failure_said
from models.study.stressed import Edge, FailureBox
from optimizer.study.jobs.stream import GrowingTable
from optimizer.study.stress.futures import Failing
from optimizer.study.stress.prim import _held_out, discover, inside_box
from optimizer.study.stress.screening import elementary_effects, morris_points
from optimizer.study.stress.tables import (
    broken_rules,
    decided,
    decision_table,
    directions,
    fails,
    measure_table,
    regret_table,
    rule_table,
    tail_mean,
)
from tests.models.plans import closing, keep_all, ready

NAMES = ("births", "drift", "price", "budget", "attrition")


def planted(futures: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draws over five factors, one of them of five values; the plan fails below 72 % and above 15 %."""
    u = qmc.LatinHypercube(5, rng=np.random.default_rng(seed)).random(futures)
    values = np.column_stack([0.5 + 0.6 * u[:, 0], 0.4 * u[:, 1], u[:, 2], np.floor(5 * u[:, 3]), u[:, 4]])
    return values, (values[:, 0] < 0.72) & (values[:, 1] > 0.15)


@pytest.mark.parametrize("seed", range(10))
def test_a_planted_failure_is_found_and_holds_on_futures_held_out(seed: int) -> None:
    values, failed = planted(200, seed)
    box = discover(NAMES, values, failed, 0.5, seed)
    assert box is not None
    assert [(e.factor, e.upper) for e in box.edges] == [("births", True), ("drift", False)]
    assert [e.value for e in box.edges] == pytest.approx([0.72, 0.15], abs=0.06)
    assert box.coverage >= 0.8
    assert box.density >= 0.8
    assert box.futures == pytest.approx(100, abs=1)
    inside = inside_box(NAMES, values, box.edges)
    assert (inside & failed).sum() / failed.sum() >= 0.8


def test_a_failure_of_one_value_among_a_few_is_found() -> None:
    values, _ = planted(200, 1)
    box = discover(NAMES, values, values[:, 3] <= 0, 0.5, 1)
    assert box is not None
    assert box.edges == (Edge("budget", True, 0.5),)
    assert (box.coverage, box.density) == (1.0, 1.0)


def test_chance_failures_are_not_dressed_up() -> None:
    """Where nothing tells failures apart, what is measured on the held-out futures says so."""
    values, _ = planted(200, 2)
    failed = np.random.default_rng(7).random(200) < 0.2
    box = discover(NAMES, values, failed, 0.5, 2)
    assert box is not None
    assert not (box.coverage >= 0.8 and box.density >= 0.8)
    if box.edges:
        assert any("hint" in line for line in box_said(box, dict.fromkeys(NAMES, "share"), "en"))


@pytest.mark.parametrize("seed", range(4))
def test_two_failures_that_no_box_holds_are_told_as_a_hint(seed: int) -> None:
    """Two reasons far apart: whatever box is found, the held-out futures show that it is not both of them."""
    values, first = planted(200, seed)
    failed = first | ((values[:, 2] > 0.8) & (values[:, 4] > 0.6))
    box = discover(NAMES, values, failed, 0.5, seed)
    assert box is not None
    assert not (box.coverage >= 0.8 and box.density >= 0.8)
    assert any(
        "hint" in line and "each alone" in line for line in box_said(box, dict.fromkeys(NAMES, "share"), "en")
    )
    fresh, own = planted(4000, seed + 100)
    inside = inside_box(NAMES, fresh, box.edges)
    again = own | ((fresh[:, 2] > 0.8) & (fresh[:, 4] > 0.6))
    assert (inside & again).sum() / again.sum() == pytest.approx(
        box.coverage, abs=0.2
    )  # as honest as the sample is large
    assert (inside & again).sum() / inside.sum() == pytest.approx(box.density, abs=0.2)


def test_the_futures_held_out_do_not_move_the_box() -> None:
    """What is measured on has no say in what is found: turned round there, failures leave the box where it was."""
    values, failed = planted(200, 1)
    test = _held_out(failed, 0.5, 1)
    box = discover(NAMES, values, failed, 0.5, 1)
    shifted = values.copy()
    shifted[test] = shifted[test][::-1]
    other = discover(NAMES, shifted, failed, 0.5, 1)
    assert box is not None and other is not None
    assert other.edges == box.edges and (other.coverage, other.density) != (box.coverage, box.density)


@pytest.mark.parametrize(("failures", "word"), [(0, "none of these"), (20, "all of these"), (1, "too few")])
def test_no_failure_and_nothing_but_failures_are_told_apart(failures: int, word: str) -> None:
    fixed = rows(accepted=[1, *([0] * failures), *([1] * (20 - failures))])
    asked = {"failure": {"measure": "", "rules": ()}, "design": "draws"}
    found = SimpleNamespace(asked=asked, failures=failures, done=20, box=None, fixed=fixed)
    assert word in failure_said(found, "en")[-1]  # type: ignore[arg-type]


@pytest.mark.parametrize("failed", [np.zeros(20, bool), np.ones(20, bool), np.arange(20) < 1])
def test_nothing_is_discovered_where_there_is_nothing_to_tell_apart(failed: np.ndarray) -> None:
    assert discover(("births",), np.arange(20.0)[:, None], failed, 0.5, 1) is None


def test_the_sentence_names_factors_and_bounds_in_both_languages() -> None:
    box = FailureBox(
        (Edge("births", True, 0.72), Edge("drift", False, 0.15)), 0.91, 0.88, 0.95, 0.97, 11, 12, 100
    )
    said = {language: box_said(box, {"births": "share", "drift": "part"}, language) for language in LANGUAGES}
    assert (
        said["en"][0]
        == "The plan fails when pupils of the lowest grade below 72 % and drift to the seat above 15 %."
    )
    assert said["zh"][0] == "当最低年级学生数低于 72 %且向县城流动高于 15 %时，方案失败。"
    assert "91.0%" in said["en"][1]
    assert "88.0%" in said["en"][1]
    assert len(said["en"]) == 3  # no warning


def test_tail_mean_counts_the_boundary_future_in_part() -> None:
    x = np.array([1.0, 5.0, 3.0, 9.0])
    assert tail_mean(x, 0.25) == 9.0
    assert tail_mean(x, 0.375) == pytest.approx((9.0 + 0.5 * 5.0) / 1.5)
    assert tail_mean(x, 1.0) == pytest.approx(x.mean())
    assert tail_mean(x, 0.01) == 9.0
    assert np.isnan(tail_mean(x[:0], 0.5))


def rows(**columns: list[object]) -> pd.DataFrame:
    """Rows of a study in which every measure is 1 unless given."""
    count = len(next(iter(columns.values())))
    every = {m: [1.0] * count for m in directions()}
    head = {
        "future": list(range(count)),
        "status": ["done"] * count,
        "why": [""] * count,
        "broken": [""] * count,
    }
    return pd.DataFrame({**head, "accepted": [1] * count, **every, **columns})


def test_measures_range_over_futures_without_today_and_without_failed_ones() -> None:
    fixed = rows(units_passing=[50.0, 40.0, 10.0, 45.0, 0.0], status=["done"] * 4 + ["failed"])
    line = measure_table(fixed, 0.5).set_index("measure").loc["units_passing"]
    assert (line["today"], line["least"], line["median"], line["most"]) == (50.0, 10.0, 40.0, 45.0)
    assert (line["worst"], line["worst_future"]) == (10.0, 2)  # more is better
    assert line["cvar"] == pytest.approx((10.0 + 0.5 * 40.0) / 1.5)
    neutral = measure_table(fixed, 0.5).set_index("measure").loc["staff"]
    assert pd.isna(neutral["worst_future"])


def test_rules_are_counted_by_future() -> None:
    fixed = rows(broken=["capacity:9", "budget:2;capacity:1", "capacity:4", ""])
    table = rule_table(fixed)
    assert table.to_dict("records") == [
        {"rule": "capacity", "futures": 2, "share": pytest.approx(2 / 3), "places": 4, "worst_future": 2},
        {"rule": "budget", "futures": 1, "share": pytest.approx(1 / 3), "places": 2, "worst_future": 1},
    ]
    assert broken_rules("a:1;b:12") == {"a": 1, "b": 12}


def test_what_counts_as_failure_is_the_study_s() -> None:
    fixed = rows(accepted=[1, 0, 1], broken=["", "budget:1", ""], cost=[1.0, 5.0, float("nan")])
    assert fails(fixed, Failing()).tolist() == [False, True, False]
    assert fails(fixed, Failing(rules=("capacity",))).tolist() == [False, False, False]
    assert fails(fixed, Failing(measure="cost", at_most=2.0)).tolist() == [
        False,
        True,
        True,
    ]  # unknown is not kept
    assert fails(fixed, Failing(measure="cost", at_least=2.0)).tolist() == [True, False, True]


def test_regret_is_against_the_plan_made_again_and_bounded_for_the_first_goal() -> None:
    fixed = rows(goal_cost=[0.0, 8.0, 9.0, 7.0], imbalance=[0.0, 0.5, 0.6, 0.7])
    made = rows(
        goal_cost=[0.0, 5.0, 9.5, 7.0], imbalance=[0.0, 0.5, 0.4, 0.7], bound_cost=[0.0, 4.0, 9.0, 1.0]
    )
    made = made.assign(accepted=[1, 1, 1, float("nan")])
    table = regret_table(fixed, made, ("cost", "imbalance"))
    assert table["future"].tolist() == [1, 1, 2, 2]  # none was made in future 3
    assert table["regret"].tolist() == pytest.approx([3.0, 0.0, -0.5, 0.2])
    assert table["regret_most"].tolist()[::2] == pytest.approx([4.0, 0.0])
    assert table["regret_most"].iloc[1::2].isna().all()


def test_decisions_recur_always_sometimes_or_never() -> None:
    case = ready()
    today, shut = keep_all(case), closing(case)
    assert ("closes", "A3", "", "") in decided(shut)
    assert decided(today) == set()
    table = decision_table(case.county, shut, [today, today]).set_index(["decision", "school_id"])
    assert table.loc["closes", "recurs"].tolist() == ["never"]
    table = decision_table(case.county, today, [shut, today])
    closed = table[table["decision"] == "closes"].iloc[0]
    assert (closed["school"], closed["in_plan"], closed["times"], closed["of"], closed["recurs"]) == (
        "甲镇A3",
        False,
        1,
        2,
        "sometimes",
    )
    assert decision_table(case.county, shut, []).empty


def test_elementary_effects_of_a_sum_are_its_weights() -> None:
    names = ("a", "b", "c")
    points = morris_points(names, 6, 1)
    y = 3 * points[:, 0] - 1 * points[:, 1]
    found = elementary_effects(names, points, pd.DataFrame({"y": y, "lost": np.full(len(y), np.nan)}), 1)
    assert found["measure"].unique().tolist() == ["y"]
    assert found["factor"].tolist() == ["a", "b", "c"]
    assert found["mu"].tolist() == pytest.approx([3.0, -1.0, 0.0])
    assert found["sigma"].tolist() == pytest.approx([0.0, 0.0, 0.0], abs=1e-9)


def test_an_input_that_only_raises_a_measure_is_told_so_and_first() -> None:
    """mu and mu* agree where an input only raises; where it turns, mu* stays and sigma tells it."""
    names = ("much", "turns", "nothing")
    points = morris_points(names, 40, 3)
    y = np.exp(3 * points[:, 0]) + 4 * (points[:, 1] - 0.5) ** 2
    found = elementary_effects(names, points, pd.DataFrame({"y": y}), 1).set_index("factor")
    assert found.index.tolist() == list(names)
    assert found.loc["much", "mu"] == pytest.approx(found.loc["much", "mu_star"])
    assert found.loc["much", "mu"] > 0
    assert abs(found.loc["turns", "mu"]) < 0.5 * found.loc["turns", "mu_star"]
    assert found.loc["nothing", ["mu", "mu_star", "sigma"]].tolist() == pytest.approx(
        [0.0, 0.0, 0.0], abs=1e-9
    )


def test_a_table_grows_survives_a_kill_and_gives_the_same_numbers_back(tmp_path: Path) -> None:
    file = tmp_path / "fixed.csv"
    columns = ["future", "births", "status", "why", "broken"]
    table = GrowingTable(file, columns)
    third = 1 / 3
    table.add({"future": 2, "births": third, "status": "done", "why": 'a "b", 中文'})
    table.add({"future": 1, "births": float("nan"), "status": "failed"})
    whole = file.read_bytes()
    with file.open("ab") as torn:
        torn.write(b"3,0.5,do")
    again = GrowingTable(file, columns)
    assert file.read_bytes() == whole
    read = again.read()
    assert read["future"].tolist() == [1, 2]
    assert read["births"].tolist()[1] == third
    assert read["why"].tolist() == ["", 'a "b", 中文']
    again.add({"future": 1, "births": 0.25, "status": "done"})  # a job that was lost, tried again
    assert again.settle()["births"].tolist() == [0.25, third]
    settled = file.read_bytes()
    assert GrowingTable(file, columns).settle() is not None
    assert file.read_bytes() == settled
    with pytest.raises(KeyError):
        again.add({"future": 1, "rain": 1})
