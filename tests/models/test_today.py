"""Today is always a plan: with no new money and no request the referee accepts it and the model holds it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.contract.county import County
from models.plan.arrangement import today_as_plan
from models.problem.building import build_instance
from models.problem.request import Request
from optimizer.search.search import Search
from optimizer.search.start import all_but, columns_in, todays
from optimizer.search.task import Target, Task
from tests.models.plans import ready
from tests.samples import frame, small_county

NO_MONEY = Request(budget={}, goals=("failing",))


def changed(table: str, where: str, **values: object) -> Callable[[], County]:
    """The small county with other values in some rows of a table."""

    def make() -> County:
        county = small_county()
        rows = getattr(county, table).copy()
        here = rows.eval(where)
        assert here.any()
        for column, value in values.items():
            rows.loc[here, column] = value
        return replace(county, **{table: rows})

    return make


def one_stage() -> County:
    county = small_county()
    change = {
        name: getattr(county, name)[getattr(county, name)["stage"] == "pri"].reset_index(drop=True)
        for name in ("school_stage", "staff_category", "staff_stock")
    }
    schools = county.schools[county.schools["kind"] != "junior"].reset_index(drop=True)
    going = county.attendance[county.attendance["band"] != "g7_9"].reset_index(drop=True)
    demand = county.demand[county.demand["band"] != "g7_9"].reset_index(drop=True)
    return replace(county, schools=schools, attendance=going, demand=demand, **change)


def no_staff_table() -> County:
    return replace(small_county(), staff_stock=frame("staff_stock", []))


def empty_point() -> County:
    """Nobody goes to A3 any more; its children attend A1."""
    county = small_county()
    going = county.attendance.copy()
    going.loc[going["school_id"] == "A3", "school_id"] = "A1"
    return replace(county, attendance=going)


def nobody_told() -> County:
    return replace(small_county(), attendance=frame("attendance", []))


COUNTIES: dict[str, Callable[[], County]] = {
    "as it is": small_county,
    "a school over its places": changed("school_stage", "school_id == 'A1'", capacity_pupils=200),
    "classes of sixty": changed("school_stage", "school_id == 'A1'", classes=5),
    "a class that spans two bands": changed("school_stage", "school_id == 'A2'", classes=1),
    "four classes for six grades": changed("school_stage", "school_id == 'A2'", classes=4),
    "no class told": changed("school_stage", "school_id == 'A2'", classes=0),
    "a point that ends at grade 2": changed("schools", "school_id == 'A3'", grades_served="1-2"),
    "a point that ends at grade 4": changed("schools", "school_id == 'A3'", grades_served="1-4"),
    "no backbone teacher": changed("staff_stock", "cat_id == 'backbone'", heads=0),
    "no heads at all": changed("staff_stock", "heads > 0", heads=0),
    "nobody may be moved": changed("staff_stock", "heads > 0", eligible_rotation=0),
    "a seat": changed("schools", "school_id in ['A1', 'A9']", zone="seat"),
    "bus to a school next door": changed("attendance", "village_id == 'V1'", mode="bus"),
    "one stage": one_stage,
    "no staff table": no_staff_table,
    "empty point": empty_point,
    "attendance not told": nobody_told,
}  # fmt: skip


def judged(county: County) -> pd.DataFrame:
    """Rules that today's arrangement breaks."""
    case = ready(county)
    verdict = case.judge(today_as_plan(county, case.standards, case.times), NO_MONEY)
    return verdict.violations[~verdict.violations["grandfathered"].astype(bool)]


@pytest.mark.parametrize("name", list(COUNTIES))
def test_the_referee_accepts_today(name: str) -> None:
    found = judged(COUNTIES[name]())
    assert found[["rule", "place", "amount", "limit"]].to_dict("records") == []


def todays_goal(county: County) -> float | None:
    """The least `failing` of the model with everything that is decided fixed to today; None: no solution."""
    case = ready(county)
    inst = build_instance(county, case.standards, NO_MONEY, case.times)
    search = Search(inst, Task((Target("failing"),)))
    decided = columns_in(search, ("open", "attend", "out", "into", "hire", "flow", "buy", "got"))
    part = search.bridge.part(all_but(search, decided), todays(search))
    found = part.engine.solve("failing", search.task.limits)
    return None if found.values is None else search.exact("failing", part.whole_solution(found.values))


@pytest.mark.parametrize("name", ["as it is", "classes of sixty", "a class that spans two bands", "one stage", "no staff table", "empty point"])  # fmt: skip
def test_the_model_holds_today(name: str) -> None:
    county = COUNTIES[name]()
    case = ready(county)
    said = case.judge(today_as_plan(county, case.standards, case.times), NO_MONEY).goals.set_index("goal")
    assert todays_goal(county) == said.at["failing", "plan"] == said.at["failing", "today"]


@st.composite
def counties(draw: st.DrawFn) -> County:
    """The small county with places, classes, heads, resources and catchments drawn anew."""
    county, number = small_county(), draw(st.integers(0, 2**32 - 1))
    dice = np.random.default_rng(number)
    stage, stock = county.school_stage.copy(), county.staff_stock.copy()
    stage["classes"] = dice.integers(0, 12, len(stage))
    stage["capacity_pupils"] = dice.integers(10, 500, len(stage))
    for column in ("equip_value", "area_teaching", "area_sport_ground"):
        stage[column] = stage[column] * dice.uniform(0.3, 1.5, len(stage))
    stage["rooms_multimedia"] = dice.integers(0, 20, len(stage))
    stock["heads"] = dice.integers(0, 6, len(stock))
    going = county.attendance.copy()
    going["pupils"] = dice.integers(1, 150, len(going))
    primary = going.index[going["band"] == "g1_3"]
    going.loc[primary, "school_id"] = dice.choice(["A1", "A2", "A3", "B1"], len(primary))
    schools = county.schools.copy()
    schools["zone"] = dice.choice(["seat", "town", "rural"], len(schools))
    demand = going.groupby(["village_id", "band"], as_index=False)["pupils"].sum()
    rows = [{"village_id": r.village_id, "band": r.band, "year": 2025, "pupils_base": r.pupils} for r in demand.itertuples()]  # fmt: skip
    return replace(
        county, school_stage=stage, staff_stock=stock, attendance=going, schools=schools, demand=frame("demand", rows)
    )  # fmt: skip


@settings(max_examples=10)
@given(counties())
def test_today_is_a_plan_of_any_county(county: County) -> None:
    assert judged(county)[["rule", "place", "amount", "limit"]].to_dict("records") == []


@st.composite
def odd_counties(draw: st.DrawFn) -> County:
    """Those counties with what few have: a stage alone, no staff told, units at the edge of a threshold, groups, buses, a point in one class, no things."""
    county = draw(counties())
    if draw(st.booleans()):
        county = only_primary(county)
    edge = draw(st.sampled_from([49, 50, 99, 100, 199, 200]))
    going = county.attendance.copy()
    mine = going.index[going["school_id"] == "A2"]
    going.loc[mine, "pupils"] = [edge // len(mine) + (i < edge % len(mine)) for i in range(len(mine))]
    if draw(st.booleans()):
        going["mode"] = draw(st.sampled_from(["walk", "bus"]))
    stage = county.school_stage.copy()
    if draw(st.booleans()):
        going["group"] = ["one" if n % 3 else "" for n in range(len(going))]
        stage["groups"] = ["one" if n % 2 else "" for n in range(len(stage))]
    if draw(st.booleans()):
        stage["classes"] = stage["classes"].clip(upper=1)
    for thing in draw(
        st.sets(st.sampled_from(["rooms_multimedia", "equip_value", "area_teaching", "area_sport_ground"]))
    ):
        stage[thing] = 0
    stock = frame("staff_stock", []) if draw(st.booleans()) else county.staff_stock
    demand = going.groupby(["village_id", "band"], as_index=False)["pupils"].sum()
    rows = [{"village_id": r.village_id, "band": r.band, "year": 2025, "pupils_base": r.pupils} for r in demand.itertuples()]  # fmt: skip
    return replace(
        county, attendance=going, school_stage=stage, staff_stock=stock, demand=frame("demand", rows)
    )


def only_primary(county: County) -> County:
    """The same without its junior schools."""
    schools = county.schools[county.schools["kind"] != "junior"]
    parts = {
        name: getattr(county, name)[lambda t: t["stage"] == "pri"].reset_index(drop=True)
        for name in ("school_stage", "staff_category", "staff_stock")
    }
    going = county.attendance[county.attendance["band"] != "g7_9"].reset_index(drop=True)
    return replace(county, schools=schools.reset_index(drop=True), attendance=going, **parts)


@settings(max_examples=12)
@given(odd_counties())
def test_today_is_a_plan_of_any_odd_county(county: County) -> None:
    assert judged(county)[["rule", "place", "amount", "limit"]].to_dict("records") == []
