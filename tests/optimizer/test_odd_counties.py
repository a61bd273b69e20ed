"""What `check` accepts ends in words or in a plan: counties of one school, of nobody assessed, of requests
that close a township's last school."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from geodata.contract.findings import Finding
from geodata.messages import say
from models.problem.request import GOALS
from models.referee.audit import audit
from optimizer.cli.console import figure
from optimizer.scenario import Scenario
from optimizer.verbs.plan import plan
from tests.samples import small_county

QUICK = Scenario(seconds=30)


def one_school():
    """School A1 and village V1, primary alone."""
    county = small_county()
    schools = county.schools[county.schools["school_id"] == "A1"]
    of_school = {
        t: getattr(county, t)[lambda f: f["school_id"] == "A1"]
        for t in ("school_stage", "staff_stock", "attendance")
    }
    of_school["attendance"] = of_school["attendance"][lambda f: f["village_id"] == "V1"]
    demand = county.demand[(county.demand["village_id"] == "V1") & (county.demand["band"] != "g7_9")]
    villages = county.villages[county.villages["village_id"] == "V1"]
    tables = {**of_school, "demand": demand, "villages": villages, "schools": schools}
    return replace(county, **{t: f.reset_index(drop=True) for t, f in tables.items()})


def nobody_counted():
    county = small_county()
    return replace(county, schools=county.schools.assign(counted=False))


def test_a_county_of_one_school_has_an_audit_and_a_plan():
    county = one_school()
    found = audit(county)
    assert set(found.cv["stage"]) == set(found.stages["stage"]) == {"pri"}
    result = plan(county, QUICK)
    assert result.verdict.accepted and int(result.plan.bands["open"].sum()) == 2


def test_where_nobody_is_assessed_nothing_is_met_and_a_plan_keeps_the_other_rules():
    county = nobody_counted()
    found = audit(county)
    assert set(found.stages["stage"]) == {"pri", "jun"} and found.stages["passes"].isna().all()
    assert found.cv["ok_today"].isna().all() and pd.isna(found.imbalance)
    result = plan(county, QUICK)
    values = result.verdict.measures.set_index("measure")
    assert result.verdict.accepted
    assert values.loc[["imbalance", "worst_cv_ratio"], ["today", "plan"]].isna().all(axis=None)
    assert values.loc["units_assessed", "plan"] == 0


def test_a_number_that_is_none_is_a_dash():
    assert [figure(x) for x in (float("nan"), float("inf"), 12.0, 0.5)] == ["–", "–", "12", "0.500"]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("goal", GOALS)
def test_every_goal_has_words_for_its_line_and_for_being_left_out(goal, language):
    said = Finding("warning", "reasons.goal_left", {"goal": goal}).sentence(language)
    assert say(f"goals.{goal}", language) in said and goal not in said.split()
