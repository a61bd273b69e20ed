"""The verb ``explain`` for a plan: why this school and not that one, and what would change the decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyomo.environ as pyo

from geodata.contract.county import County
from geodata.contract.findings import Finding, InputProblems
from geodata.travel.times import TravelTimes
from models.plan.names import Names
from models.problem.baseline import sites
from models.problem.instance import Instance
from models.problem.request import money_known
from models.rules.record import rule_of
from models.rules.registry import every_rule
from models.study.analysis import Swap
from optimizer.infeasibility.conflicts import named, places_by_id
from optimizer.infeasibility.impossible import reasons, why_impossible
from optimizer.outcomes import Infeasible, StoppedWithoutPlan
from optimizer.scenario import Scenario
from optimizer.scenario_sheet import asked_of
from optimizer.search.solved import NoPlan
from optimizer.search.task import Report
from optimizer.solver.stopping import Stop, heeding
from optimizer.study.study import (
    STUDIED,
    Best,
    Made,
    Study,
    best_plan,
    forced,
    network_of,
    open_study,
    share_of_budget,
)

NETWORK_LIMITS = ("capacity", "school_size", "rooms", "closures_township", "closures_share", "moved_share")
"""Rules whose relations are read off the plan: they bind where they hold with equality."""


def explain_school(
    county: County,
    school_id: str,
    instead: str | None = None,
    scenario: Scenario | None = None,
    times: TravelTimes | None = None,
    shares: tuple[float, ...] | None = None,
    report: Report | None = None,
    stop: Stop | None = None,
) -> Swap:
    """Why a school is kept, reduced or closed: the same plan with the decision forced the other way.

    Parameters
    ----------
    county : County
    school_id : str
        A school that the plan closes or reduces is forced to keep all its bands; one that it keeps is
        forced to close.
    instead : str or None
        Another school, forced to what the first one is in the plan ("this one and not that one").
    scenario : Scenario or None
    times : TravelTimes or None
    shares : tuple of float or None
        Budgets, times the scenario's own, at which the decision is made again; empty tries none, None those of
        the scenario's method.
    report : callable or None
    stop : Stop or None
        None: Ctrl-C stops.

    Raises
    ------
    InputProblems
        A school that takes no part in the plan.
    Infeasible, StoppedWithoutPlan, Rejected
        As `optimizer.verbs.plan.plan`.
    """
    school_id, instead = _meant(county, school_id), None if instead is None else _meant(county, instead)
    _known(county, school_id, instead)
    scenario = scenario or asked_of(county, Scenario(preset=STUDIED))[0]
    with heeding(stop) as token:
        study = open_study(county, scenario, times, task=scenario.task(token, report))
        tried = scenario.method.flip_budgets if shares is None else shares
        if not money_known(county, scenario.request()):
            tried = ()  # no budget to be larger or smaller
        return _swap(study, school_id, instead, tried)


def _swap(study: Study, school_id: str, instead: str | None, shares: tuple[float, ...]) -> Swap:
    """The decision as it is, forced the other way, and at other budgets."""
    best = best_of(study)
    is_open = kept(best.made, school_id)
    back, shut = ((), (school_id,)) if is_open else ((school_id,), ())
    if instead is not None:
        back, shut = ((*back, instead), shut) if is_open else (back, (*shut, instead))
    other = forced(study, keep_open=back, close=shut)
    locks = locked_by(study.instance, school_id)
    flips = flip_table(study, school_id, shares, is_open)
    actions = contributions(best.made, study.instance, school_id)
    try:
        swapped = best_plan(other)
    except NoPlan as stop:
        if stop.status != "infeasible":
            raise StoppedWithoutPlan(stop.status) from None
        nothing = pd.DataFrame()
        return Swap(
            school_id, instead, "closed" if is_open else "open", False, best.made.objective, np.inf,
            nothing, nothing, nothing, actions, flips, (*locks, *_in_the_way(other)),
        )  # fmt: skip
    return Swap(
        school_id, instead, "closed" if is_open else "open", True, best.made.objective, swapped.made.objective,
        compared(best.made, swapped.made), binding(swapped, other), moved_villages(best.made, swapped.made), actions, flips,
        locks,
    )  # fmt: skip


def _meant(county: County, text: str) -> str:
    """A school's id, by its id or by a name that only one has; else the text itself, which is refused by what it says."""
    names = Names(county)
    found, doubt = names.resolve("school", text)
    return found if doubt is None and found in names.ids("school") else text


def _known(county: County, school_id: str, instead: str | None) -> None:
    taking_part = set(sites(county)["school_id"])
    found = [
        Finding("error", "analysis.unknown_school", {"school_id": j})
        for j in (school_id, instead)
        if j is not None and j not in taking_part
    ]
    if instead == school_id:
        found.append(Finding("error", "analysis.same_school", {"school_id": school_id}))
    if found:
        raise InputProblems(found)


def best_of(study: Study) -> Best:
    """`optimizer.study.study.best_plan` with the reasons where there is none."""
    try:
        return best_plan(study)
    except NoPlan as stop:
        raise without_plan(study, stop.status) from None


def without_plan(study: Study, status: str) -> Exception:
    """Why there is no plan: proven, with reasons, or only stopped."""
    if status != "infeasible":
        return StoppedWithoutPlan(status)
    return Infeasible(reasons(study.instance))


def _in_the_way(study: Study) -> list[Finding]:
    """What would have to give for a study that is proven impossible; the reasons alone where the search for it is stopped."""
    try:
        why = why_impossible(study.instance, study.task)
    except StoppedWithoutPlan:
        return reasons(study.instance)
    give = [f for r in why.relaxations if r.possible for f in r.findings]
    return [*why.arithmetic, *(give or why.clash)]


def kept(made: Made, school_id: str) -> bool:
    """Whether a school keeps all its bands in a plan."""
    bands = made.plan.bands
    return bool(bands.loc[bands["school_id"] == school_id, "open"].all())


def locked_by(inst: Instance, school_id: str) -> tuple[Finding, ...]:
    """Why the plan had no choice about a school, if it had none."""
    rows = inst.bands[inst.bands.index.get_level_values("school_id") == school_id]
    name = inst.county.schools.set_index("school_id")["name"][school_id]
    if school_id in (*inst.request.keep_open, *inst.request.close):
        return (Finding("note", "analysis.asked_for", {"school": name}),)
    if not (rows["lock"] == "open").all():
        return ()
    protected = inst.county.schools.set_index("school_id")["protected"].fillna("none")[school_id]
    most = inst.standards.limit("closure_max_pupils", 0.0)
    fields = {"school": name, "protected": protected, "pupils": int(rows["pupils"].max()), "most": int(most)}
    return (
        Finding(
            "note", "analysis.protected" if protected not in ("none", "") else "analysis.not_small", fields
        ),
    )


def compared(base: Made, other: Made) -> pd.DataFrame:
    """Every headline measure of two plans: ``measure, unit, better, plan, forced, change``."""
    one = base.verdict.measures[["measure", "unit", "better", "plan"]]
    two = other.verdict.measures.set_index("measure")["plan"]
    table = one.assign(forced=one["measure"].map(two))
    return table.assign(change=table["forced"] - table["plan"])


def moved_villages(base: Made, other: Made) -> pd.DataFrame:
    """Villages that attend another school when the decision is forced."""
    key = ["village_id", "band", "group", "today_school_id"]
    keep = [*key, "village", "pupils", "school", "minutes"]
    both = base.verdict.travel[keep].merge(
        other.verdict.travel[[*key, "school", "minutes"]], on=key, suffixes=("_plan", "_forced")
    )
    rows = both[both["school_plan"] != both["school_forced"]]
    columns = ["village", "band", "pupils", "school_plan", "school_forced", "minutes_plan", "minutes_forced"]
    return rows[columns].sort_values(["village", "band"], kind="stable").reset_index(drop=True)


def binding(best: Best, study: Study) -> pd.DataFrame:
    """Rules at their limit in a plan: ``rule, places, price``.

    ``price`` is the shadow price with the network fixed: by how much one unit more of the rule's own
    amount (10,000 yuan, a head, a pupil) lowers the objective; NaN for rules about the network, which
    hold with equality.
    """
    county = best.found.county
    model, inst, bridge = county.model, study.instance, county.bridge
    values = county.carried(best.network.search, best.network.values)
    county.load(values)
    places: dict[str, list[str]] = {}
    price: dict[str, float] = {}
    names = places_by_id(inst)
    for component in model.component_objects(pyo.Constraint, active=True):
        rule = rule_of(component.local_name)
        for key in component if rule in NETWORK_LIMITS else ():
            used = float(pyo.value(model.unit_open[key])) > 0.5 if key in inst.units.index else True
            if used and component[key].slack() < 1e-6:
                places.setdefault(rule, []).append(named(rule, key, names))
    columns = network_of(county, values).columns(bridge)
    bridge.relax(True)
    bridge.fix(columns)
    answer = bridge.solve(study.goal, study.limits)
    duals = bridge.duals() if answer.values is not None else []
    bridge.release(columns)
    bridge.relax(False)
    priced = {r.id for r in every_rule() if r.slack is not None}
    for component_name, key, value in duals:
        rule = rule_of(component_name)
        if rule in priced and abs(value) >= 1e-6:
            places.setdefault(rule, []).append(named(rule, key, names))
            price[rule] = max(price.get(rule, 0.0), abs(value))
    rows = [(r, sorted(set(p)), price.get(r, np.nan)) for r, p in sorted(places.items())]
    table = pd.DataFrame(rows, columns=["rule", "places", "price"])
    return table.sort_values("price", ascending=False, kind="stable", na_position="last").reset_index(
        drop=True
    )


@dataclass(frozen=True)
class _Worth:
    """What things are worth at the units that have them in a plan.

    Parameters
    ----------
    inst : Instance
    have : mapping of (unit, resource) to (float, float)
        Amount and pupils in the plan.
    """

    inst: Instance
    have: Mapping[tuple[str, str], tuple[float, float]]

    @classmethod
    def of(cls, made: Made, inst: Instance) -> _Worth:
        """From the referee's view of a plan."""
        cells = made.verdict.indicators
        cells = cells[cells["assessed_plan"] & (cells["pupils_plan"] > 0)]
        resource = {(i.stage, i.id): i.resource for i in inst.standards.indicators}
        things = [resource[key] for key in zip(cells["stage"], cells["indicator"], strict=True)]
        amounts = zip(cells["amount_plan"].astype(float), cells["pupils_plan"].astype(float), strict=True)
        return cls(inst, dict(zip(zip(cells["unit_id"], things, strict=True), amounts, strict=True)))

    def item(self, unit: str, thing: str, less: float) -> float:
        """The rise of the objective with so much less of a thing at a unit."""
        if (unit, thing) not in self.have:
            return 0.0
        amount, pupils = self.have[unit, thing]
        stage = unit.rsplit("/", 1)[1]
        centre, size = self.inst.centres[stage, thing], self.inst.population[stage, thing]
        after, before = ((x / centre - pupils) ** 2 / pupils / size for x in (amount - less, amount))
        return after - before

    def heads(self, unit: str, stage: str, category: str, less: float) -> float:
        """The same with so many fewer heads of a category."""
        flags = self.inst.categories.loc[(stage, category)]
        return sum(self.item(unit, r, less) for r in self.inst.standards.heads if flags[r])


def contributions(made: Made, inst: Instance, school_id: str) -> pd.DataFrame:
    """What each action at a school is worth: the rise of the objective without it, all else the same.

    Returns
    -------
    DataFrame
        ``action, what, quantity, unit, contribution``; an action that leaves the school (``leaves``)
        counts at both ends.
    """
    worth, plan = _Worth.of(made, inst), made.plan
    rows = [
        ("hire", r.cat_id, float(r.heads), "heads", worth.heads(f"{r.school_id}/{r.stage}", r.stage, r.cat_id, r.heads))
        for r in plan.hires[plan.hires["school_id"] == school_id].itertuples()
    ]  # fmt: skip
    for r in plan.staff_moves.itertuples():
        if school_id in (r.from_school_id, r.to_school_id):
            gained = worth.heads(f"{r.to_school_id}/{r.to_stage}", r.from_stage, r.cat_id, r.heads)
            given = worth.heads(f"{r.from_school_id}/{r.from_stage}", r.from_stage, r.cat_id, -r.heads)
            action = "transfer" if r.to_school_id == school_id else "leaves"
            rows.append((action, r.cat_id, float(r.heads), "heads", gained + given))
    for action, table, end in (("purchase", plan.purchases, ""), ("item_move", plan.item_moves, "to_")):
        here = table[table[f"{end}school_id"] == school_id]
        units = (here[f"{end}school_id"] + "/" + here[f"{end}stage"]).tolist()
        for unit, kind, n in zip(units, here["kind"], here["quantity"], strict=True):
            rows.append(
                (action, kind, float(n), inst.standards.resources[kind].unit, worth.item(unit, kind, n))
            )
    table = pd.DataFrame(rows, columns=["action", "what", "quantity", "unit", "contribution"])
    table = table.groupby(["action", "what", "unit"], as_index=False)[["quantity", "contribution"]].sum()
    return table.sort_values("contribution", ascending=False, kind="stable").reset_index(drop=True)


def flip_table(study: Study, school_id: str, shares: tuple[float, ...], is_open: bool) -> pd.DataFrame:
    """The decision at other budgets, first goal only: ``share, open``; the scenario's own included."""
    inst = study.instance
    if not shares:
        return pd.DataFrame({"share": [1.0], "open": [is_open]})
    shared = share_of_budget(inst, study.task, study.whole, max(shares))
    search, bridge = shared.search, shared.bridge
    keys = [k for k in inst.bands.index if k[0] == school_id]
    rows: list[tuple[float, object]] = [(1.0, is_open)]
    start = None
    for share in sorted(shares):
        shared.at(share)
        search.relax(3, study.limits, goal=study.goal)
        answer = bridge.solve(study.goal, study.limits, start=start, progress=study.task.watch("flip"))
        if answer.values is None:
            rows.append((share, None))
            continue
        start = answer.values
        opened = search.decided("open", answer.values)
        rows.append((share, all(opened[k] for k in keys)))
    return pd.DataFrame(sorted(rows, key=lambda r: r[0]), columns=["share", "open"])
