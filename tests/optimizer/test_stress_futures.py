"""Futures of a stress test: the file, the draws, and what every factor does to a county."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geodata.contract.county import County
from geodata.contract.findings import InputProblems
from geodata.messages import LANGUAGES, catalogue
from geodata.travel.times import travel_times
from models.problem.baseline import planning_demand
from models.problem.request import Request, budgets
from models.standards.norms import load_standards
from optimizer.scenario import Scenario
from optimizer.study.stress.factors.record import Case
from optimizer.study.stress.factors.registry import FACTORS
from optimizer.study.stress.factors.staff import by_lot
from optimizer.study.stress.futures import (
    Future,
    Futures,
    check_futures,
    drawn_futures,
    in_future,
    read_futures,
    read_template,
)
from optimizer.study.stress.tables import directions
from tests.samples import small_county


def seated() -> County:
    """The hand-sized county with the first township as its seat."""
    schools = small_county().schools
    return replace(
        small_county(),
        schools=schools.assign(zone=schools["zone"].where(schools["township"] != "甲镇", "seat")),
    )


def case_of(county: County, **scenario: object) -> Case:
    return Case(county, Scenario(**scenario), travel_times(county), seed=3)


@pytest.fixture(scope="module")
def case() -> Case:
    return case_of(seated())


def with_one(case: Case, factor: str, value: float, of: str = "") -> Case:
    """The case in a future with one factor."""
    asked = Futures(factor=[{"id": factor, "of": of, "values": [value]}])
    return in_future(case, asked, Future(1, (value,)))


def pupils(case: Case) -> dict[str, int]:
    """Pupils of the planning year by band."""
    return {str(b): int(n) for b, n in planning_demand(case.county).groupby("band")["total"].sum().items()}


HEAD = "futures = 5\n\n"
WRONG = {
    "unknown key": (HEAD + '[[factor]]\nid = "budget"\nlow = 0.5\nhigh = 1\nmean = 1\n', 7, "factor[1].mean"),
    "unknown factor": (HEAD + '[[factor]]\nid = "rain"\nlow = 0.5\nhigh = 1\n', 4, "factor[1].id"),
    "no range": (HEAD + '[[factor]]\nid = "budget"\nlow = 0.5\n', 3, "factor[1]"),
    "range and values": (HEAD + '[[factor]]\nid = "budget"\nlow = 0.5\nhigh = 1\nvalues = [1]\n', 3, "factor[1]"),
    "outside": (HEAD + '[[factor]]\nid = "budget"\nlow = -0.5\nhigh = 1\n', 5, "factor[1].low"),
    "the wrong way round": (HEAD + '[[factor]]\nid = "budget"\nlow = 1\nhigh = 0.5\n', 5, "factor[1].low"),
    "not a number": (HEAD + '[[factor]]\nid = "budget"\nlow = "a"\nhigh = 1\n', 5, "factor[1].low"),
    "infinite": (HEAD + '[[factor]]\nid = "budget"\nlow = 0\nhigh = inf\n', 6, "factor[1].high"),
    "half a freeze": (HEAD + '[[factor]]\nid = "hiring_freeze"\nvalues = [0.5]\n', 5, "factor[1].values"),
    "twice": (HEAD + '[[factor]]\nid = "budget"\nvalues = [1]\n[[factor]]\nid = "budget"\nvalues = [1]\n', 7, "factor[2].id"),
    "no factor": (HEAD + "factor = []\n", 3, "factor"),
    "a future too few": ('futures = 0\n[[factor]]\nid = "budget"\nvalues = [1]\n', 1, "futures"),
    "unknown rule": (HEAD + '[[factor]]\nid = "budget"\nvalues = [1]\n[failure]\nrules = ["luck"]\n', 7, "failure.rules"),
    "measure without a bound": (HEAD + '[[factor]]\nid = "budget"\nvalues = [1]\n[failure]\nmeasure = "cost"\n', 6, "failure"),
    "true is no number of draws": ('futures = true\n[[factor]]\nid = "budget"\nvalues = [1]\n', 1, "futures"),
    "true is no share": (HEAD + '[[factor]]\nid = "budget"\nlow = false\nhigh = 1\n', 5, "factor[1].low"),
    "no number": (HEAD + '[[factor]]\nid = "budget"\nvalues = [1, nan]\n', 5, "factor[1].values[2]"),
    "no number for a tail": ('alpha = nan\n[[factor]]\nid = "budget"\nvalues = [1]\n', 1, "alpha"),
    "a date": (HEAD + '[[factor]]\nid = "budget"\nlow = 2026-01-01\nhigh = 1\n', 5, "factor[1].low"),
    "no values": (HEAD + '[[factor]]\nid = "budget"\nvalues = []\n', 3, "factor[1]"),
    "a value twice in a grid": ('design = "grid"\n[[factor]]\nid = "budget"\nvalues = [1, 0.5, 1.0]\n', 4, "factor[1].values"),
    "half a range on the first line": ('[[factor]]\nid = "budget"\nlow = 0.5\n', 1, "factor[1]"),
    "in braces": ('seed = 2\nfactor = [{id = "budget", low = 0.5, high = 9.0}]\n', 2, "factor[1].high"),
    "a name in Chinese": (HEAD + '[[factor]]\nid = "预算"\nvalues = [1]\n', 4, "factor[1].id"),
    "a key of the file below a factor": ('[[factor]]\nid = "budget"\nvalues = [1]\nseed = 3\n', 4, "factor[1].seed"),
    "morris with one factor": ('design = "morris"\n[[factor]]\nid = "budget"\nlow = 0.5\nhigh = 1\n', 2, "factor"),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_a_bad_file_is_refused_with_line_and_key(wrong: str, tmp_path: Path) -> None:
    text, line, key = WRONG[wrong]
    file = tmp_path / "futures.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputProblems) as refused:
        read_futures(file)
    assert [(line, key)] == [
        (f.row, f.column) for f in refused.value.findings
    ]  # and nothing that follows from it
    for language in LANGUAGES:
        assert all("futures.toml" in f.sentence(language) for f in refused.value.findings)


def test_a_file_that_is_no_toml_or_not_there(tmp_path: Path) -> None:
    file = tmp_path / "futures.toml"
    for content in (None, b"futures = = 1\n", "抽取 = 1".encode("gb18030")):
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(InputProblems):
            read_futures(file)


def test_the_template_is_valid(tmp_path: Path, case: Case) -> None:
    file = tmp_path / "futures.toml"
    file.write_text(read_template(), encoding="utf-8")
    asked = read_futures(file)
    assert check_futures(asked, case) == []
    assert len(drawn_futures(asked)) == 201


def test_a_part_that_the_county_lacks_is_refused(case: Case) -> None:
    for factor, of in (
        ("budget", "roofs"),
        ("enrolment", "high"),
        ("norm", ""),
        ("norm", "no_such"),
        ("price", "teacher"),
    ):
        with pytest.raises(InputProblems):
            check_futures(Futures(factor=[{"id": factor, "of": of, "values": [1.0]}]), case)


def test_a_part_that_the_county_lacks_is_told_with_the_file_s_own_name_and_line(
    case: Case, tmp_path: Path
) -> None:
    file = tmp_path / "drought.toml"
    file.write_text('[[factor]]\nid = "budget"\nvalues = [1]\n[[factor]]\nid = "enrolment"\nof = "小学"\nvalues = [1]\n', encoding="utf-8")  # fmt: skip
    with pytest.raises(InputProblems) as refused:
        check_futures(read_futures(file), case)
    assert [(f.file, f.row, f.column, f.value) for f in refused.value.findings] == [
        ("drought.toml", 6, "factor[2].of", "小学")
    ]


def test_what_a_factor_cannot_do_is_said() -> None:
    county = small_county()  # no school of the seat, no roads
    idle = Futures(factor=[{"id": "drift", "values": [0.1]}, {"id": "winter", "values": [1]}])
    case = case_of(county)
    assert [f.severity for f in check_futures(idle, case)] == ["warning", "warning"]
    assert in_future(case, idle, drawn_futures(idle)[1]).county is county
    poor = case_of(county, budget={"any": 0.0})
    assert check_futures(Futures(factor=[{"id": "budget", "values": [0.5]}]), poor)


def test_draws_are_the_same_again_and_fill_the_ranges() -> None:
    asked = Futures(
        futures=40,
        seed=5,
        factor=[{"id": "enrolment", "low": 0.7, "high": 1.1}, {"id": "budget", "values": [1.0, 0.8]}],
    )
    futures = drawn_futures(asked)
    assert futures[1:] == drawn_futures(asked)[1:]
    assert futures[0].number == 0
    assert all(v != v for v in futures[0].values)
    values = np.array([f.values for f in futures[1:]])
    # a Latin hypercube has one draw in every fortieth of a range
    assert sorted(np.floor((values[:, 0] - 0.7) / 0.01 + 1e-9)) == list(range(40))
    assert sorted(values[:, 1].tolist()) == [0.8] * 20 + [1.0] * 20
    assert drawn_futures(asked.model_copy(update={"seed": 6}))[1:] != futures[1:]


def test_a_grid_is_every_combination() -> None:
    asked = Futures(
        design="grid",
        factor=[{"id": "enrolment", "low": 0.8, "high": 1.0}, {"id": "budget", "values": [1.0, 0.8]}],
    )
    values = [f.values for f in drawn_futures(asked)[1:]]
    assert values == [(0.8, 1.0), (0.8, 0.8), (0.9, 1.0), (0.9, 0.8), (1.0, 1.0), (1.0, 0.8)]


def test_morris_changes_one_factor_at_a_time() -> None:
    factors = [{"id": "enrolment", "low": 0.8, "high": 1.0}, {"id": "salary", "low": 1.0, "high": 1.3}]
    values = np.array(
        [f.values for f in drawn_futures(Futures(design="morris", futures=4, factor=factors))[1:]]
    )
    assert len(values) == 4 * 3
    steps = np.diff(values.reshape(4, 3, 2), axis=1)
    assert ((np.abs(steps) > 1e-9).sum(axis=2) == 1).all()


@pytest.mark.parametrize("factor", FACTORS)
def test_every_factor_has_words_and_changes_nothing_at_its_neutral_value(factor: str, case: Case) -> None:
    for language in LANGUAGES:
        assert {f"stress.factor_{factor}", f"stress.factor_{factor}_about"} <= catalogue(language).keys()
    one = FACTORS[factor]
    if one.neutral == one.neutral and one.cannot(case, "") is None:
        done = one.apply(case, one.neutral, "")
        assert done.county.content_hash == case.county.content_hash
        assert done.times.pairs.equals(case.times.pairs)
        assert done.scenario == case.scenario


def test_no_factor_is_called_like_a_column_of_its_table() -> None:
    assert not set(FACTORS) & {*directions(), "future", "status", "why", "accepted", "broken", "solve"}


def test_births_touch_the_lowest_grade_only(case: Case) -> None:
    now, then = pupils(case), pupils(with_one(case, "births", 0.7))
    assert then["g1_3"] == round(now["g1_3"] * 0.9)  # one grade of three has 30 % less
    assert {b: n for b, n in then.items() if b != "g1_3"} == {b: n for b, n in now.items() if b != "g1_3"}


def test_enrolment_scales_a_stage_or_all(case: Case) -> None:
    now, junior, every = (
        pupils(case),
        pupils(with_one(case, "enrolment", 0.8, "jun")),
        pupils(with_one(case, "enrolment", 0.8)),
    )
    assert junior == {**now, "g7_9": round(now["g7_9"] * 0.8)}
    assert every == {b: round(n * 0.8) for b, n in now.items()}


def test_drift_moves_villagers_to_the_seat_and_loses_nobody(case: Case) -> None:
    then = with_one(case, "drift", 0.25)
    assert pupils(then) == pupils(case)
    town = case.county.villages.set_index("village_id")["township"]

    def outside(one: Case) -> int:
        demand = planning_demand(one.county)
        return int(demand.loc[demand["village_id"].map(town) == "乙镇", "total"].sum())

    bands = planning_demand(case.county)
    bands = bands[bands["village_id"].map(town) == "乙镇"].groupby("band")["total"].sum()
    assert outside(case) - outside(then) == sum(int(n) - int(np.floor(0.75 * n + 0.5)) for n in bands)
    gone = pupils(with_one(case, "leaving", 0.25))
    assert sum(pupils(case).values()) - sum(gone.values()) == outside(case) - outside(then)


def test_counts_are_off_by_no_more_than_said_and_the_same_way_again(case: Case) -> None:
    now, then = (
        c.county.demand["pupils_base"].to_numpy(float) for c in (case, with_one(case, "pupil_error", 0.1))
    )
    assert (np.abs(then - now) <= 0.1 * now + 0.5).all()
    assert (then != now).any()
    assert with_one(case, "pupil_error", 0.1).county.demand.equals(
        with_one(case, "pupil_error", 0.1).county.demand
    )


def test_teachers_leave_in_whole_heads_and_nobody_returns(case: Case) -> None:
    stock = case.county.staff_stock
    few, many = (with_one(case, "attrition", v).county.staff_stock for v in (0.2, 0.5))
    per = stock.groupby(["stage", "cat_id"])["heads"].sum()
    left = few.groupby(["stage", "cat_id"])["heads"].sum()
    assert (per - left).tolist() == [int(np.floor(0.2 * n + 0.5)) for n in per]
    assert (many["heads"] <= few["heads"]).all()  # those who leave at 20 % are among those at 50 %
    assert (few["near_retirement"].fillna(0) <= few["heads"]).all()
    assert few.dtypes.equals(stock.dtypes)
    primary = with_one(case, "attrition", 0.5, "pri").county.staff_stock
    assert primary[primary["stage"] == "jun"].equals(stock[stock["stage"] == "jun"])


def test_a_lot_takes_exactly_so_many() -> None:
    heads = np.array([3, 0, 5, 1])
    for leave in range(10):
        gone = by_lot(heads, leave, np.random.default_rng(1))
        assert gone.sum() == leave
        assert (gone <= heads).all()


def test_prices_salaries_and_budgets(case: Case) -> None:
    def prices(one: Case) -> dict[str, float]:
        return one.county.unit_costs.set_index("item")["base"].to_dict()

    now, dear = prices(case), prices(with_one(case, "price", 1.2))
    assert dear["multimedia_room"] == pytest.approx(1.2 * now["multimedia_room"])
    assert dear["rotation_subsidy"] == now["rotation_subsidy"]
    assert dear["public_funds_pri"] == now["public_funds_pri"]
    building = prices(with_one(case, "price", 1.2, "building"))
    assert {i for i in now if building[i] != now[i]} == {"teaching_building", "sports_court", "land"}
    paid = with_one(case, "salary", 1.1)
    assert prices(paid)["rotation_subsidy"] == pytest.approx(1.1 * now["rotation_subsidy"])
    assert paid.county.staff_category["annual_cost"].tolist() == pytest.approx(
        [143_000.0] * len(case.county.staff_category)
    )
    cut = budgets(with_one(case, "budget", 0.7, "teacher").county, Request())
    whole = budgets(case.county, Request())
    assert cut == {e: v * (0.7 if e == "teacher" else 1) for e, v in whole.items()}
    own = case_of(case.county, budget={"device": 100.0, "any": 10.0})
    assert with_one(own, "budget", 0.5).scenario.budget == {"device": 50.0, "any": 5.0}


def test_a_norm_takes_another_number_and_stays_as_binding(case: Case) -> None:
    before, after = (load_standards(c.county) for c in (case, with_one(case, "norm", 40.0, "class_cap_pri")))
    assert after.rules["class_cap_pri"] == replace(before.rules["class_cap_pri"], value=40.0)
    others = [n for n in before.rules if n != "class_cap_pri"]
    assert all(before.rules[n] == after.rules[n] for n in others)
    twice = with_one(with_one(case, "norm", 40.0, "class_cap_pri"), "norm", 35.0, "class_cap_pri")
    assert load_standards(twice.county).value("class_cap_pri") == 35.0


def test_slower_ways_take_longer_and_waiting_stays(case: Case) -> None:
    for factor, mode, wait in (("bus_speed", "bus", 10.0), ("walk_speed", "walk", 0.0)):
        now, then = case.times.pairs, with_one(case, factor, 0.5).times.pairs
        mine = (now["mode"] == mode) & (now["minutes"] > wait)
        assert then.loc[mine, "minutes"].tolist() == pytest.approx(
            (wait + (now.loc[mine, "minutes"] - wait) * 2).tolist()
        )
        assert then[~mine].equals(now[~mine])


def test_a_shift_moves_all_villages_by_the_same_metres(case: Case) -> None:
    there = with_one(case, "shift", 560.0)
    lat = np.radians(case.county.villages["lat"])
    north = (there.county.villages["lat"] - case.county.villages["lat"]) * 111_320
    east = (there.county.villages["lon"] - case.county.villages["lon"]) * 111_320 * np.cos(lat)
    assert np.hypot(north, east).tolist() == pytest.approx([560.0] * len(lat))
    assert not there.times.pairs.equals(case.times.pairs)


def test_years_later_are_those_that_the_table_expects(case: Case) -> None:
    demand, year = case.county.demand, case.county.year
    grown = [demand.assign(year=year + n, pupils_base=demand["pupils_base"] + 10 * n) for n in range(3)]
    # a village that has children of a band only next year, and one that has none then
    grown[1] = grown[1].iloc[1:]
    several = case.but(demand=pd.concat(grown, ignore_index=True))
    now = planning_demand(several.county)["total"].tolist()
    assert (
        planning_demand(with_one(several, "later", 1.0).county)["total"].tolist() == [n + 10 for n in now][1:]
    )
    for years in (2.0, 9.0):  # the table ends after two
        assert planning_demand(with_one(several, "later", years).county)["total"].tolist() == [
            n + 20 for n in now
        ]
    assert with_one(several, "later", 0.4) is several
    both = Futures(factor=[{"id": "enrolment", "values": [0.5]}, {"id": "later", "values": [2]}])
    halved = in_future(several, both, Future(1, (0.5, 2.0)))
    assert pupils(halved)["g1_3"] == pytest.approx(pupils(with_one(several, "later", 2.0))["g1_3"] / 2, abs=1)
    asked = Futures(factor=[{"id": "later", "values": [1]}])
    assert [f.key for f in check_futures(asked, case)] == ["stress.cannot_no_later_year"]
