"""Plans written by hand for the county of `tests.samples`, fictional and small enough to reckon."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, lru_cache

import pandas as pd

from geodata.contract.county import County
from geodata.travel.times import TravelTimes, travel_times
from models.plan.arrangement import today_as_plan
from models.plan.decisions import PLAN_COLUMNS, Plan, Verdict
from models.problem.request import Request
from models.referee.verdict import Trial, judge, try_plan
from models.standards.norms import Standards, load_standards
from tests.samples import KM_LAT, KM_LON, LAT0, LON0, frame, small_county

RICH = dict.fromkeys(("building", "device", "teacher", "transport", "any"), 1e9)
MOVABLE = ("rooms_multimedia", "equip_value")


@dataclass(frozen=True)
class Case:
    """A county with its standards and times: what a plan is judged against."""

    county: County
    standards: Standards
    times: TravelTimes

    def judge(self, plan: Plan, request: Request | None = None) -> Verdict:
        return judge(self.county, self.standards, plan, self.times, request)

    def tried(self, plan: Plan, request: Request | None = None) -> Trial:
        return try_plan(self.county, self.standards, plan, self.times, request)

    def but(self, **tables: pd.DataFrame) -> Case:
        """The same standards for a county with other tables."""
        county = replace(self.county, **tables)
        return replace(self, county=county, times=travel_times(county))

    def with_rules(self, **values: float) -> Case:
        """The same case with other numbers for some rules."""
        rules = dict(self.standards.rules)
        for rule, value in values.items():
            rules[rule] = replace(rules[rule], value=value)
        return replace(self, standards=replace(self.standards, rules=rules))

    def binding(self, **kinds: str) -> Case:
        """The same case with some rules soft, reported or off."""
        rules = dict(self.standards.rules)
        for rule, kind in kinds.items():
            rules[rule] = replace(rules[rule], kind=kind)
        return replace(self, standards=replace(self.standards, rules=rules))


@cache
def _standard() -> Case:
    return ready(small_county())


def ready(county: County | None = None) -> Case:
    """One closure in a county of seven sites is 14 %: the share allowed is raised to 20 %."""
    if county is None:
        return _standard()  # tables are only read, so one copy serves every test
    return Case(county, load_standards(county), travel_times(county)).with_rules(closures_share=0.2)


def same_verdict(a: Verdict, b: Verdict) -> bool:
    parts = ("rules", "violations", "measures", "indicators", "units", "cv", "travel", "costs", "budget")
    return all(getattr(a, p).equals(getattr(b, p)) for p in parts)


def broken_rules(verdict: Verdict) -> list[str]:
    return verdict.rules.loc[~verdict.rules["ok"], "rule"].tolist()


def rows(table: str, *values: tuple[object, ...]) -> pd.DataFrame:
    """Rows of one of a plan's tables, types as given (not yet forced to whole numbers)."""
    return pd.DataFrame(list(values), columns=list(PLAN_COLUMNS[table]))


def keep_all(case: Case) -> Plan:
    """Today as a plan: everybody stays."""
    today = _today(case.county, case.standards, case.times)
    return Plan(today.ledger.copy(), today.years)  # its own tables: a test may change them


@lru_cache(maxsize=8)
def _today(county: County, standards: Standards, times: TravelTimes) -> Plan:
    return today_as_plan(county, standards, times)


def send(plan: Plan, village: str, band: str, school: str, mode: str) -> Plan:
    """The plan with one village-band sent elsewhere."""
    going = plan.attendance.copy()
    here = (going["village_id"] == village) & (going["band"] == band)
    assert here.any()
    going.loc[here, ["school_id", "mode"]] = [school, mode]
    return replace(plan, attendance=going)


def classes(plan: Plan, school: str, band: str, number: float, is_open: bool = True) -> Plan:
    """The plan with another number of classes."""
    bands = plan.bands.astype({"classes": type(number)})
    here = (bands["school_id"] == school) & (bands["band"] == band)
    assert here.any()
    bands.loc[here, "classes"], bands.loc[here, "open"] = number, is_open
    return replace(plan, bands=bands)


def close(case: Case, plan: Plan, school: str, receiver: str, stage: str = "pri") -> Plan:
    """The plan without one school: all its pupils ride to one receiver, staff and equipment go there too."""
    bands = plan.bands.copy()
    bands.loc[bands["school_id"] == school, ["open", "classes"]] = [False, 0]
    going = plan.attendance.copy()
    going.loc[going["school_id"] == school, ["school_id", "mode"]] = [receiver, "bus"]
    heads = case.county.staff_stock.query("school_id == @school")
    staff = [(school, stage, receiver, stage, r.cat_id, int(r.heads)) for r in heads.itertuples()]
    have = case.county.school_stage.query("school_id == @school").iloc[0]
    things = [(school, stage, receiver, stage, k, float(have[k])) for k in MOVABLE]
    return replace(
        plan, bands=bands, attendance=going, staff_moves=rows("staff_moves", *staff), item_moves=rows("item_moves", *things)
    )  # fmt: skip


def closing(case: Case) -> Plan:
    """Point A3 closes; its 12 pupils ride to A1 with its staff and equipment, and one class more."""
    return classes(close(case, keep_all(case), "A3", "A1"), "A1", "g1_3", 6)


def moved(plan: Plan, *moves: tuple[str, str, str, str, str, object]) -> Plan:
    return replace(plan, staff_moves=rows("staff_moves", *moves))


def with_village(county: County, village: str, x: float, y: float, *going: tuple[str, str, int]) -> County:
    """The county with one more village at x, y kilometres, and where its pupils go: school, band, how many."""
    place = county.villages.iloc[:1].assign(
        village_id=village, name=village, lon=LON0 + x * KM_LON, lat=LAT0 + y * KM_LAT
    )
    rows = [{"village_id": village, "school_id": j, "band": b, "pupils": n} for j, b, n in going]
    need = [{**r, "year": county.year, "pupils_base": r["pupils"]} for r in rows]
    more = {"villages": place, "attendance": frame("attendance", rows), "demand": frame("demand", need)}
    every = {t: pd.concat([getattr(county, t), new], ignore_index=True) for t, new in more.items()}
    return replace(county, **every)


def bands_apart(county: County) -> County:
    """One more village midway between A1 and A2: its eight small children ride to A2, its eight others to A1."""
    return with_village(county, "V7", 2.0, 0.0, ("A2", "g1_3", 8), ("A1", "g4_6", 8))


def three_midway(county: County) -> County:
    """Three more villages as far from A1 as from A2 and A3, where four small children of each ride to another one."""
    for village, school in (("X1", "A1"), ("X2", "A2"), ("X3", "A3")):
        county = with_village(county, village, 2.0, 1.25, (school, "g1_3", 4))
    return county


def by_choice(school: str, choosing: int) -> Case:
    """Small children of V3: most walk to A1 for 37 minutes today, some go elsewhere by choice."""
    county = small_county()
    going = county.attendance.query("village_id != 'V3' or band != 'g1_3'")
    own = {"village_id": "V3", "band": "g1_3"}
    more = pd.DataFrame(
        [
            {**own, "school_id": "A1", "pupils": 12 - choosing},
            {**own, "school_id": school, "pupils": choosing},
        ]
    )
    going = pd.concat([going, more]).sort_values(["village_id", "school_id", "band"]).reset_index(drop=True)
    return ready(replace(county, attendance=going))
