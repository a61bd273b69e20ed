"""Whatever `check` accepts, `audit` and `plan` end in words or in a plan that the referee accepts: generated counties.

JUNHENG_GENERATED=200 looks at so many; the suite looks at a few.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geodata.contract.findings import InputProblems, errors
from geodata.contract.tables import TABLES
from geodata.folder.reading import check, read_county
from models.referee.audit import audit
from optimizer.outcomes import Infeasible, StoppedWithoutPlan
from optimizer.scenario import Goal, Scenario
from optimizer.verbs.plan import plan
from tests.models.unknown import HEAD, MEASURES, TABLES_THAT_MAY_LACK
from tests.samples import small_county

MANY = int(os.environ.get("JUNHENG_GENERATED", "3"))
SCHOOLS = {
    "status": ["open", "open", "open", "suspended", "closing", "planned"], "counted": [True, True, False],
    "kind": ["primary", "point", "junior", "nine_year", "special", "private_primary"], "public": [True, True, True, False],
    "zone": ["rural", "town", "seat"], "protected": ["none", "lock_open", "donor", "lock_until(2030)"],
    "grades_served": ["1-6", "1-3", "7-9", "1-9", "1-2", "4-6", "K-6"], "parent_id": ["", "A1", "B1"],
    "township": ["甲镇", "乙镇", "丙镇"],
}  # fmt: skip
"""What a school may be, by column."""
UNITS = {
    "pupils": st.integers(0, 900), "classes": st.integers(0, 20), "capacity_pupils": st.integers(0, 900),
    "rooms_multimedia": st.integers(0, 30), "equip_value": st.integers(0, 900_000), "area_sport_ground": st.integers(0, 9000),
}  # fmt: skip
SOON = {"seconds": 0.5, "seed": 1}
GOALS = ("over_cap", "failing", "cells", "shortfall", "deficit", "cv_excess", "imbalance", "travel", "cost")


@st.composite
def tables(draw: st.DrawFn) -> dict[str, pd.DataFrame]:
    """The tables of the hand-sized county with a few things that may be, or may be left out."""
    found = {n: t.astype(object).where(t.notna(), "") for n, t in small_county().tables().items() if len(t)}
    schools, units = found["schools"], found["school_stage"]
    for _ in range(draw(st.integers(0, 3))):
        column = draw(st.sampled_from(sorted(SCHOOLS)))
        schools.loc[draw(st.integers(0, len(schools) - 1)), column] = draw(st.sampled_from(SCHOOLS[column]))
    for _ in range(draw(st.integers(0, 3))):
        column = draw(st.sampled_from(sorted(UNITS)))
        units.loc[draw(st.integers(0, len(units) - 1)), column] = draw(UNITS[column])
    for column in draw(st.sets(st.sampled_from(MEASURES), max_size=3)):
        rows = draw(st.sets(st.integers(0, len(units) - 1), min_size=1))
        units.loc[sorted(rows), column] = ""
    stock = found["staff_stock"]
    for row in draw(st.sets(st.integers(0, len(stock) - 1), max_size=2)):
        stock.loc[row, "heads"] = draw(st.sampled_from(["", 0, 30]))
    demand = found["demand"]
    for row in draw(st.sets(st.integers(0, len(demand) - 1), max_size=4)):
        demand.loc[row, "pupils_base"] = draw(st.sampled_from([0, 1, 500]))
    found["budget"]["amount"] = draw(st.sampled_from([0.0, 1000.0, 3e6, 1e9]))
    for name in draw(st.sets(st.sampled_from(TABLES_THAT_MAY_LACK), max_size=3)):
        found.pop(name, None)
    if draw(st.booleans()) and draw(st.booleans()):  # one village, or one township's
        found["villages"] = found["villages"].iloc[: draw(st.integers(1, 4))]
        kept = set(found["villages"]["village_id"])
        for name in ("demand", "attendance"):
            if name in found:
                found[name] = found[name][found[name]["village_id"].isin(kept)]
    return found


@given(found=tables(), goal=st.sampled_from(GOALS), close=st.sampled_from(["", "", "A3", "B9"]))
@settings(
    max_examples=MANY, deadline=None, derandomize=MANY < 10, database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
def test_what_check_accepts_ends_in_words_or_in_a_plan(found, goal, close):
    assert set(found) <= set(TABLES)
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        (folder / "county.toml").write_text(HEAD, encoding="utf-8")
        for name, table in found.items():
            table.to_csv(folder / f"{name}.csv", index=False)
        said = check(folder)
        assert all(f.sentence("en") and f.sentence("zh") for f in said)
        if errors(said):
            return
        county = read_county(folder)
    audit(county)
    asked = Scenario(**SOON, goals=(Goal(name=goal),), close=(close,) if close else ())
    try:
        result = plan(county, asked)
    except (InputProblems, Infeasible, StoppedWithoutPlan):
        return
    assert result.verdict.accepted
