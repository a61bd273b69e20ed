"""Plans of counties that do not know everything: of what they have, with nothing invented, and pages that say so."""

from __future__ import annotations

import pytest

from geodata.folder.reading import read_county
from geodata.messages import say
from maps.dossier.completeness import counts
from maps.dossier.notices import warnings
from maps.front.pages import front_page
from maps.front.places import schools_page
from models.problem.completeness import KINDS
from optimizer.scenario import Goal, Scenario
from optimizer.verbs.plan import plan
from tests.models.unknown import emptied, without, written

SOON = Scenario(goals=(Goal(name="shortfall"), Goal(name="cost")), seconds=10)


@pytest.fixture(scope="module")
def gaps(tmp_path_factory):
    """Places of A1, rooms of B1 and heads of A2 are not known; no prices: as files, so that reading says it too."""
    blank = (
        ("school_stage", "capacity_pupils", 0),
        ("school_stage", "rooms_multimedia", 4),
        ("staff_stock", "heads", 6),
    )
    folder = written(tmp_path_factory.mktemp("gaps") / "c", ("unit_costs",), blank)
    return plan(read_county(folder), SOON)


def test_nothing_is_done_with_what_is_not_known(gaps):
    made, verdict = gaps.plan, gaps.verdict
    assert verdict.accepted
    assert set(made.purchases["kind"]) <= {"equip_value"}  # the one thing that is its own price
    assert not (made.staff_moves[["from_school_id", "to_school_id"]] == "A2").any(axis=None)
    assert "A2" not in set(made.hires["school_id"])
    units = verdict.units.set_index("unit_id")
    assert units.at["A1/pri", "pupils_plan"] <= units.at["A1/pri", "pupils_today"]
    assert units.loc[["A2/pri", "B1/pri"], ["passes_today", "passes_plan"]].isna().all(axis=None)
    measures = verdict.measures.set_index("measure")
    spent = verdict.costs[verdict.costs["charged"]]
    assert measures.loc["cost", "plan"] == 0 if spent.empty else True
    assert (
        spent["yuan"].isna().any() == (measures["plan"].isna()["cost"])
    )  # a cost that is not known is no zero


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_says_what_was_left_out(gaps, language):
    rows = dict(zip(KINDS, counts(gaps, language), strict=True))
    assert rows["unknown"][1] == 4
    said = " ".join(warnings(gaps, language))
    assert all(
        w in said
        for w in (
            ("unit_costs", "rooms_multimedia", "heads")
            if language == "en"
            else ("单价", "网络多媒体教室数", "人数")
        )
    )
    page = front_page(gaps, language)
    assert said[:20] in page and say("workbook.gap_unknown", language) in page
    assert "nan" not in schools_page(gaps, language).replace("Nanpu", "").lower().split()


def test_without_staff_and_budget_there_is_a_plan_of_the_rest():
    county = emptied(without("staff_stock", "budget"), "school_stage", "area_sport_ground", 1)
    result = plan(county, SOON)
    assert result.verdict.accepted and result.plan.staff_moves.empty and result.plan.hires.empty
    assert result.plan.purchases.empty  # nobody says what money there is
    table = result.verdict.budget
    assert table["available"].isna().all()
    measures = result.verdict.measures.set_index("measure")
    assert measures.loc["staff", ["today", "plan"]].isna().all()
