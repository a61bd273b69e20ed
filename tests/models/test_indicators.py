"""Golden tests of sources.md 1.4 and properties of the measures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.problem.indicators import assess, unit_table, verdicts
from models.problem.spread import county_ratio, cv_table, hoover, official_cv, unweighted_cv
from models.standards.norms import Standards, load_standards
from tests.samples import small_county

BOOKS = np.array([279.0, 137.0, 935.0, 160.0, 402.0])
PUPILS = np.array([45.0, 37.0, 89.0, 76.0, 55.0])
pairs = st.lists(st.tuples(st.integers(1, 3000), st.integers(0, 100_000)), min_size=1, max_size=40).filter(
    lambda rows: sum(x for _, x in rows) > 0
)


def split(rows: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    table = np.array(rows, dtype=float)
    return table[:, 1], table[:, 0]


@pytest.fixture(scope="module")
def standards() -> Standards:
    return load_standards(small_county())


@pytest.fixture(scope="module")
def units(standards: Standards) -> pd.DataFrame:
    return unit_table(small_county(), standards)


def test_published_example() -> None:
    assert county_ratio(BOOKS, PUPILS) == pytest.approx(6.33444, abs=5e-6)
    terms = PUPILS / PUPILS.sum() * (BOOKS / PUPILS - county_ratio(BOOKS, PUPILS)) ** 2
    assert terms == pytest.approx([0.00269, 0.84855, 5.12745, 4.50109, 0.17300], abs=5e-6)
    assert official_cv(BOOKS, PUPILS) == pytest.approx(0.51526, abs=5e-6)


def test_the_unweighted_number_is_another_one() -> None:
    ratio = BOOKS / PUPILS
    assert unweighted_cv(BOOKS, PUPILS) == pytest.approx(ratio.std() / ratio.mean())
    assert abs(unweighted_cv(BOOKS, PUPILS) - official_cv(BOOKS, PUPILS)) > 0.02


@given(pairs)
def test_identity(rows: list[tuple[int, int]]) -> None:
    """CV^2 = N sum(x^2 / P) / X^2 - 1 (sources.md 1.4, golden test 3)."""
    x, p = split(rows)
    assert official_cv(x, p) ** 2 == pytest.approx(p.sum() * (x**2 / p).sum() / x.sum() ** 2 - 1, abs=1e-7)


@given(pairs, st.floats(0.01, 1000), st.floats(0.01, 1000))
def test_scale_does_not_matter(rows: list[tuple[int, int]], by: float, of: float) -> None:
    x, p = split(rows)
    assert official_cv(by * x, of * p) == pytest.approx(official_cv(x, p), abs=1e-7)
    assert hoover(by * x, of * p) == pytest.approx(hoover(x, p), abs=1e-9)


@given(pairs)
def test_twice_the_hoover_index_is_no_more_than_the_cv(rows: list[tuple[int, int]]) -> None:
    x, p = split(rows)
    assert 2 * hoover(x, p) <= official_cv(x, p) + 1e-7


@given(pairs)
def test_equal_ratios_have_no_spread(rows: list[tuple[int, int]]) -> None:
    _, p = split(rows)
    assert official_cv(3 * p, p) == pytest.approx(0, abs=1e-7)
    assert unweighted_cv(3 * p, p) == pytest.approx(0, abs=1e-7)


def test_units_without_pupils_change_nothing() -> None:
    x, p = np.append(BOOKS, 500.0), np.append(PUPILS, 0.0)
    assert official_cv(x, p) == official_cv(BOOKS, PUPILS)
    assert unweighted_cv(x, p) == unweighted_cv(BOOKS, PUPILS)


@pytest.mark.parametrize("function", [official_cv, unweighted_cv, hoover, county_ratio])
def test_nobody_at_all_gives_no_number(function: object) -> None:
    assert callable(function)
    assert np.isnan(function(np.zeros(3), np.zeros(3)))


def test_nothing_to_share_gives_no_number() -> None:
    assert np.isnan(official_cv(np.zeros(2), np.array([10.0, 20.0])))
    assert np.isnan(hoover(np.zeros(2), np.array([10.0, 20.0])))


def test_unit_table_by_hand(units: pd.DataFrame) -> None:
    a1 = units.loc["A1/pri"]
    assert (a1["staff"], a1["q"], a1["b"], a1["a"]) == (24, 19, 5, 4)
    assert (a1["area_teaching"], a1["area_sport"], a1["equip_value"]) == (2000, 3100, 720_000)
    assert units.index[units["assessed"]].tolist() == ["A1/pri", "A2/pri", "A9/jun", "B1/pri", "B9/jun"]


def test_indoor_sport_leaves_teaching_area_and_joins_sports(standards: Standards) -> None:
    county = small_county()
    stage = county.school_stage.assign(area_indoor_sport=100.0)
    found = unit_table(replace(county, school_stage=stage), standards).loc["A1/pri"]
    assert (found["area_teaching"], found["area_sport"]) == (1900, 3200)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("kind", "special"),
        ("kind", "private_primary"),
        ("public", False),
        ("status", "suspended"),
        ("counted", False),
    ],
)
def test_who_is_not_assessed(standards: Standards, column: str, value: object) -> None:
    county = small_county()
    schools = county.schools.copy()
    schools.loc[schools["school_id"] == "A1", column] = value
    found = unit_table(replace(county, schools=schools), standards).loc["A1/pri"]
    assert not found["assessed"]
    assert found["taking_part"] == (column == "counted")


def test_forty_nine_pupils_are_not_assessed_and_fifty_are(standards: Standards) -> None:
    county = small_county()
    for pupils, counted in ((49, False), (50, True)):
        stage = county.school_stage.copy()
        stage.loc[stage["school_id"] == "A3", "pupils"] = pupils
        assert unit_table(replace(county, school_stage=stage), standards).at["A3/pri", "assessed"] == counted


def test_whole_heads_and_rooms_that_sixty_pupils_need(standards: Standards, units: pd.DataFrame) -> None:
    """sources.md 1.2: P = 60 needs 3 qualified, 1 backbone, 1 PE/arts, 2 rooms."""
    empty = units.loc[["A1/pri"]].assign(
        pupils=60, q=0, b=0, a=0, rooms_multimedia=0, area_teaching=0.0, area_sport=0.0, equip_value=0.0
    )
    gaps = assess(empty, standards).set_index("indicator")["gap"]
    assert gaps.to_dict() == {"q": 3, "b": 1, "a": 1, "mm": 2, "sp": 270, "sf": 450, "eq": 120_000}


def _ratios(units: pd.DataFrame, **at: float) -> pd.DataFrame:
    """One primary unit of 1000 pupils, at each threshold unless told otherwise."""
    plain = {
        "q": 42.0, "b": 10.0, "a": 9.0, "area_teaching": 4500.0, "area_sport": 7500.0, "equip_value": 2e6,
        "rooms_multimedia": 23.0,
    }  # fmt: skip
    return units.loc[["A1/pri"]].assign(pupils=1000, **{**plain, **at})


@pytest.mark.parametrize(
    ("at", "passes"),
    [
        ({}, True),  # "and above" is inclusive
        ({"b": 9}, True),  # one of seven at 90 %
        ({"b": 8}, False),  # one of seven below 85 %
        ({"b": 9, "a": 8}, False),  # two of seven short
        ({"equip_value": 1.7e6}, True),  # exactly 85 %
        ({"equip_value": 1.7e6 - 1}, False),
    ],
)
def test_six_of_seven(standards: Standards, units: pd.DataFrame, at: dict[str, float], passes: bool) -> None:
    said = verdicts(assess(_ratios(units, **at), standards), standards)
    assert bool(said.at["A1/pri", "passes"]) is passes
    assert said.at["A1/pri", "indicators_met"] == 7 - len(at)


def test_ratios_are_compared_unrounded(standards: Standards, units: pd.DataFrame) -> None:
    """4.496 m2 prints as 4.50 and is not 4.5."""
    cells = assess(_ratios(units, area_teaching=4496.0), standards).set_index("indicator")
    assert not cells.at["sp", "met"]
    assert cells.at["sp", "gap"] == pytest.approx(4.0)


def test_a_unit_without_pupils_meets_nothing_and_needs_nothing(
    standards: Standards, units: pd.DataFrame
) -> None:
    cells = assess(units.loc[["A1/pri"]].assign(pupils=0), standards)
    assert cells["ratio"].isna().all()
    assert not cells["met"].any()
    assert (cells["gap"] == 0).all()


def test_cv_table_has_the_fourteen(standards: Standards, units: pd.DataFrame) -> None:
    table = cv_table(units, standards, units["assessed"])
    assert len(table) == 14
    counted = units[units["assessed"] & (units["stage"] == "pri")]
    row = table[(table["stage"] == "pri") & (table["indicator"] == "b")].iloc[0]
    x, p = counted["b"].to_numpy(float), counted["pupils"].to_numpy(float)
    assert row["cv"] ** 2 == pytest.approx(p.sum() * (x**2 / p).sum() / x.sum() ** 2 - 1)
    assert row["mean"] == pytest.approx(100 * 7 / 680)
    assert row["ok"] == (row["cv"] <= 0.5)
