"""Where a county stands today."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from models.plan.decisions import Verdict
from models.referee.audit import audit
from models.standards.norms import load_standards
from tests.models.plans import keep_all, ready
from tests.samples import frame, small_county


def test_the_audit_is_the_verdicts_today_side() -> None:
    """The same numbers whether asked before a plan or beside one."""
    case = ready()
    found, verdict = audit(case.county), case.judge(keep_all(case))
    assert isinstance(verdict, Verdict)
    key = ["unit_id", "indicator"]
    same = ["unit_id", "indicator", "threshold", "ratio_today", "met_today", "gap_today", "assessed_today"]
    pd.testing.assert_frame_equal(
        found.indicators.sort_values(key)[same].reset_index(drop=True),
        verdict.indicators.sort_values(key)[same].reset_index(drop=True),
        check_dtype=False,
    )
    columns = [
        "stage",
        "indicator",
        "cv_today",
        "unweighted_today",
        "mean_today",
        "limit",
        "ok_today",
        "hoover_today",
    ]
    pd.testing.assert_frame_equal(found.cv[columns], verdict.cv[columns])
    measures = verdict.measures.set_index("measure")["today"]
    assert found.imbalance == pytest.approx(measures["imbalance"])
    assert found.units["passes_today"].sum() == measures["units_passing"]


def test_gaps_by_hand() -> None:
    """B1: 260 pupils, 1 backbone of 3 needed, 2 PE/arts of 3; sports 2740 of 1950 m2."""
    gaps = audit(small_county()).indicators.set_index(["unit_id", "indicator"])["gap_today"]
    assert gaps["B1/pri", "b"] == 2
    assert gaps["B1/pri", "a"] == 1
    assert gaps["B1/pri", "sf"] == 0


def test_a_county_without_attendance_and_roads() -> None:
    county = small_county()
    bare = replace(county, attendance=frame("attendance", []), demand=county.demand.iloc[:0], roads=None)
    assert audit(bare).cv.equals(audit(county).cv)


def test_standards_may_be_given() -> None:
    county = small_county()
    assert audit(county, load_standards(county)).units.equals(audit(county).units)


def test_only_ordinary_open_public_schools_are_in_it() -> None:
    county = small_county()
    schools = county.schools.copy()
    schools.loc[schools["school_id"] == "A2", "kind"] = "special"
    found = audit(replace(county, schools=schools))
    assert "A2/pri" not in set(found.units["unit_id"])
    assert "A2/pri" not in set(found.indicators["unit_id"])


def test_notebooks_show_a_table() -> None:
    html = audit(small_county())._repr_html_()
    assert html.count("<tr") == 15
