"""Today's arrangement as a plan: everybody stays, nothing is bought and nobody moves."""

from __future__ import annotations

from geodata.contract.county import County
from geodata.travel.times import TravelTimes
from models.plan.decisions import Plan, make_plan
from models.problem.baseline import today_groups
from models.problem.building import build_instance
from models.problem.request import Request
from models.standards.norms import Standards


def today_as_plan(county: County, standards: Standards, times: TravelTimes) -> Plan:
    """The plan that changes nothing; with no new money and no request the referee accepts it.

    Parameters
    ----------
    county : County
    standards : Standards
    times : TravelTimes

    Returns
    -------
    Plan
        Classes by band are T3's where these add up to the unit's, else dealt out evenly.
    """
    groups = today_groups(county, standards, times)
    inst = build_instance(county, standards, Request(budget={}), times)
    bands = inst.bands.reset_index()[["school_id", "band"]]
    classes = inst.grades.groupby(level=["school_id", "band"])["classes"].sum()
    bands["classes"] = [int(classes.get(k, 0)) for k in inst.bands.index]
    going = groups.assign(school_id=groups["today_school_id"], mode=groups["today_mode"])
    return make_plan(county.year, bands=bands.assign(was_open=True, open=True), attendance=going)
