"""One decision turned round: weighed, the plan with the other decision judged, the rules, the flips."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from geodata.contract.county import County
from geodata.contract.findings import Finding
from geodata.travel.times import TravelTimes
from models.formulation.goals import UPPER
from models.formulation.solution import unpack
from models.plan.decisions import Plan, Verdict
from models.problem.building import build_instance
from models.problem.instance import Instance
from models.referee.verdict import judge
from models.standards.norms import Standards
from models.study.why import IMPOSSIBLE, NO_CHOICE, OTHER, PLAN, WHY_OPEN, Flip, Turned
from optimizer.infeasibility.conflicts import clash_findings
from optimizer.infeasibility.impossible import arithmetic
from optimizer.scenario import Scenario
from optimizer.search.start import first_plan
from optimizer.search.task import Task
from optimizer.study.study import Made
from optimizer.verbs.explain import compared, locked_by, moved_villages
from optimizer.why.changes import Quantity, changed, quantities
from optimizer.why.decisions import Decision, Forcing, as_decided, children, free_bands, turned_round
from optimizer.why.flips import find_flip
from optimizer.why.ground import Near, PlanGround, Reached, around, everything, ground_of
from optimizer.why.rules_said import barred_ways, rules_said
from optimizer.why.weighing import Rigour, Weighed, completed, settled_by, weigh

QUICK_SECONDS, CLASH_SECONDS = 6.0, 6.0
"""For the goals from the one that tells on; for the rules that clash."""
START_SECONDS = 10.0
"""For the plan's own decisions in a changed county."""
HALF, NEARLY = 0.5, 1e-6
BOUND_TO_SIZE = "closure_max_pupils"
"""The rule that keeps a school open by its number of pupils: fewer may change that."""


@dataclass(frozen=True)
class WhyCase:
    """A plan's county, model and verdict: what every question of one run goes on from.

    Parameters
    ----------
    values : ndarray (columns)
        The plan as a solution of the model.
    bounds : dict of str to float
        What is proven of the first goal for every plan.
    whole : bool
        Every question is about the whole county.
    """

    county: County
    standards: Standards
    times: TravelTimes
    scenario: Scenario
    plan: Plan
    task: Task
    verdict: Verdict
    ground: PlanGround
    values: np.ndarray
    bounds: dict[str, float]
    whole: bool

    @property
    def inst(self) -> Instance:
        """What the model is about."""
        return self.ground.inst

    def rigour(self, until: float) -> Rigour:
        """How far a solve of this run goes."""
        method = self.task.method
        return Rigour(method.why_same, method.why_nodes, method.tangent_rounds, until, self.task.limits.seed)

    def near(self, one: Decision) -> Near:
        """What is decided anew for a question."""
        if self.whole:
            return everything(self.inst)
        villages = frozenset({one.village_id} if one.about_village else ())
        method = self.task.method
        return around(self.inst, self.plan, frozenset({one.school_id}), villages, method.why_rings)


def turn(case: WhyCase, one: Decision, until: float) -> Turned:
    """A decision turned round, without its flips.

    Parameters
    ----------
    case : WhyCase
    one : Decision
    until : float
        `time.monotonic` by which it is over.
    """
    begun = time.monotonic()
    case.ground.part(case.near(one))
    if one.kind == "stays" and not free_bands(case.inst, one.school_id):
        return _turned(case, one, NO_CHOICE, "", (), (), locked_by(case.inst, one.school_id), begun)
    kept, other = as_decided(case.ground, case.plan, one), turned_round(case.ground, case.plan, one)
    weighed = _weighed(case, kept, other, case.rigour(until))
    weighed, others = _completed(case, other, weighed)
    if others[0].status != "infeasible":
        return _turned(case, one, weighed.outcome, weighed.goal, weighed.kept, others, (), begun)
    reasons, near = _in_the_way(case, one, other), case.ground.near
    if not near.whole:
        case.ground.part(everything(case.inst))  # farther away there may be one
        wider = completed(
            case.ground, case.task.goals[:1], other, (), case.rigour(time.monotonic() + QUICK_SECONDS)
        )
        if wider[0].values is not None:
            weighed = _weighed(case, kept, other, case.rigour(until))
        if wider[0].values is not None and weighed.outcome != WHY_OPEN:
            weighed, others = _completed(case, other, weighed)
            return _turned(case, one, weighed.outcome, weighed.goal, weighed.kept, others, (), begun)
        if wider[0].status != "infeasible":  # what is proven around the place stands
            case.ground.part(near)
    return _turned(case, one, IMPOSSIBLE, "", (), (), reasons, begun)


def _completed(case: WhyCase, other: Forcing, weighed: Weighed) -> tuple[Weighed, tuple[Reached, ...]]:
    """The other decision's goals to the end; their bounds may settle what stayed open."""
    quick = case.rigour(time.monotonic() + QUICK_SECONDS)
    others = completed(case.ground, case.task.goals, other, _reached(weighed), quick, weighed.held)
    n = len(weighed.other) - 1
    if 0 <= n < len(others) and weighed.other[n].status == "infeasible" and others[0].status != "infeasible":
        # that no plan is as good was proven before, and says more than the bound of one quick solve
        lifted = replace(others[n], bound=max(others[n].bound, weighed.other[n].bound))
        others = (*others[:n], lifted, *others[n + 1 :])
    return settled_by(weighed, others, quick), others


def _reached(weighed: Weighed) -> tuple[Reached, ...]:
    """What the other decision reaches in the goals in which it is as good."""
    found = weighed.other if weighed.outcome in ("even", OTHER) else weighed.other[:-1]
    return tuple(r for r in found if r.values is not None)


def _weighed(case: WhyCase, kept: Forcing, other: Forcing, rigour: Rigour) -> Weighed:
    return weigh(case.ground, case.task.goals, kept, other, rigour, case.values, case.bounds)


def _turned(
    case: WhyCase, one: Decision, outcome: str, goal: str, kept: tuple[Reached, ...], others: tuple[Reached, ...],
    reasons: tuple[Finding, ...], begun: float,
) -> Turned:  # fmt: skip
    """Everything that is told of a decision, the plan with the other one judged by the referee."""
    values = others[-1].values if others else None
    made = None if values is None else _judged(case, values)
    base = Made(case.plan, case.verdict, 0.0)
    nothing = pd.DataFrame()
    measures = nothing if made is None else compared(base, made).rename(columns={"forced": "other"})
    if made is not None and not made.verdict.accepted:
        outcome, reasons = WHY_OPEN, (*reasons, Finding("warning", "why.refused"))
    near = case.ground.near
    villages = _concerned(case, one)
    next_id = _next_school(case, one, villages, made)
    rules = rules_said(
        case.ground, {one.school_id, next_id} - {""}, set(villages) if one.about_village else set(), case.values,
        values, (case.verdict, None if made is None else made.verdict),
    )  # fmt: skip
    return Turned(
        one.kind, one.school_id, one.village_id, _changes(case.plan, one), outcome, goal, next_id, len(near.schools), len(near.villages), near.whole,
        _goals(case, kept, others), None if made is None else made.verdict.accepted, measures,
        nothing if made is None else moved_villages(base, made).rename(columns=lambda c: c.replace("_forced", "_other")),
        rules, barred_ways(case.inst, villages) if one.kind in ("goes", "stays") else nothing, reasons, (),
        time.monotonic() - begun,
    )  # fmt: skip


def _changes(plan: Plan, one: Decision) -> bool:
    """Whether anything is otherwise than today by a decision."""
    if one.kind != "goes":
        return one.kind != "stays"
    return bool((children(plan, one)["today_school_id"] != one.school_id).any())


def _judged(case: WhyCase, values: np.ndarray) -> Made:
    search = case.ground.search
    search.load(values)
    plan = unpack(search.model, search.instance, case.times.towns)
    return Made(plan, judge(case.county, case.standards, plan, case.times, case.scenario.request()), 0.0)


def _goals(case: WhyCase, kept: tuple[Reached, ...], others: tuple[Reached, ...]) -> pd.DataFrame:
    rows = []
    for n, target in enumerate(case.task.goals):
        own = case.ground.search.exact(target.name, case.values)
        other = others[n].value if n < len(others) else np.nan
        proven = others[n].bound if n < len(others) and target.name not in UPPER else np.nan
        again = kept[n].value if n < len(kept) and kept[n].values is not None else own
        rows.append((target.name, own, again, _number(other), _number(proven)))
    return pd.DataFrame(rows, columns=["goal", "plan", "kept", "other", "bound"])


def _number(value: float) -> float:
    return float(value) if np.isfinite(value) else np.nan


def _concerned(case: WhyCase, one: Decision) -> tuple[str, ...]:
    """Villages that a decision is about: its own, or those whose pupils attend the school today."""
    if one.about_village:
        return (one.village_id,)
    mine = case.inst.groups[case.inst.groups["today_school_id"] == one.school_id]
    return tuple(dict.fromkeys(map(str, mine["village_id"])))


def _next_school(case: WhyCase, one: Decision, villages: tuple[str, ...], made: Made | None) -> str:
    """Where those concerned go with the other decision; without such a plan the nearest school that teaches their grades."""
    if one.kind not in ("goes", "stays"):
        return ""
    if made is not None:
        going = made.plan.attendance
        mine = going[going["village_id"].isin(villages)]
        mine = mine[(mine["school_id"] != one.school_id) & mine["band"].isin(_bands(case, one))]
        if one.kind == "stays":
            mine = mine[mine["today_school_id"] == one.school_id]
        if len(mine):
            return str(mine.groupby("school_id")["pupils"].sum().idxmax())
    bands = _bands(case, one)
    taught = {j for j, b in case.inst.bands.index if b in bands} - {one.school_id}
    ways = case.times.pairs[
        case.times.pairs["village_id"].isin(villages) & case.times.pairs["school_id"].isin(taught)
    ]
    return "" if ways.empty else str(ways.loc[ways["minutes"].idxmin(), "school_id"])


def _bands(case: WhyCase, one: Decision) -> set[str]:
    """Bands of the pupils that a decision is about."""
    if one.about_village:
        return set(children(case.plan, one)["band"])
    going = case.plan.attendance
    return set(going.loc[going["today_school_id"] == one.school_id, "band"])


def _in_the_way(case: WhyCase, one: Decision, other: Forcing) -> tuple[Finding, ...]:
    """Why no plan has the other decision: sums from the tables, and rules that clash in the part decided anew."""
    found: list[Finding] = []
    if one.kind == "stays":
        asked = replace(case.scenario.request(), close=(one.school_id,), keep_open=())
        found += arithmetic(build_instance(case.county, case.standards, asked, case.times))
    bridge = case.ground.search.bridge
    bridge.fix(other[0])
    part = bridge.part(case.ground.free, case.ground.given)
    bridge.release(other[0])
    part.engine.relax(True)
    eased = part.engine.solve(case.task.goals[0].name, replace(case.task.limits, seconds=CLASH_SECONDS))
    if eased.status != "infeasible":
        return (
            *found,
            Finding("note", "why.clash_whole" if eased.status == "proven" else "why.clash_unnamed"),
        )
    rows = bridge.named_rows(int(part.rows[i]) for i in part.engine.clashing(CLASH_SECONDS))
    found += clash_findings(case.inst, rows, "why.clash", "note")
    return tuple(found or [Finding("note", "why.clash_unnamed")])


# --- flips


def with_flips(case: WhyCase, one: Decision, done: Turned, until: float, numbers: tuple[str, ...]) -> Turned:
    """The same with the smallest changes of some numbers that flip the decision, each with its part of the time left."""
    if done.outcome == OTHER:
        return done  # it is the other one already
    begun = time.monotonic()
    asked = quantities(case.inst, case.times, one, done.next_id, _partners(case.plan, one))
    asked = [q for q in asked if q.kind in numbers]
    if done.outcome == NO_CHOICE:
        by_size = (case.inst.bands.loc[[one.school_id], "lock_by"] == BOUND_TO_SIZE).all()
        asked = [q for q in asked if q.kind == "pupils" and by_size]
    found: list[Flip] = []
    near = everything(case.inst) if done.whole else case.near(one)
    for n, what in enumerate(asked):
        now = time.monotonic()
        found.append(find_flip(what, _asker(case, one, near, what), now + (until - now) / (len(asked) - n)))
    return replace(done, flips=tuple(found), seconds=done.seconds + time.monotonic() - begun)


def _partners(plan: Plan, one: Decision) -> tuple[str, ...]:
    """Schools that its pupils come from in the plan, most pupils first."""
    going = plan.attendance
    moved = going[(going["school_id"] == one.school_id) & (going["today_school_id"] != one.school_id)]
    size = moved.groupby("today_school_id")["pupils"].sum().sort_values(ascending=False, kind="stable")
    return tuple(map(str, size.index))


def _asker(case: WhyCase, one: Decision, near: Near, what: Quantity) -> Callable[[float, float], str]:
    """Weighs the decision with a number changed."""

    def with_money(amount: float, until: float) -> str:
        bridge, more = case.ground.search.bridge, amount / case.inst.large
        case.ground.part(near)
        bridge.shift_row("budget__any", "any", more)
        outcome = _outcome(case, case.ground, one, until, case.values)
        bridge.shift_row("budget__any", "any", -more)
        return outcome

    def anew(amount: float, until: float) -> str:
        county, times, scenario = changed(case.county, case.times, case.scenario, what, amount)
        inst = build_instance(county, case.standards, scenario.request(), times)
        ground = ground_of(inst.centred(case.inst.centres, case.inst.population), case.plan, case.task)
        ground.part(near if not near.whole else everything(ground.inst))
        return _outcome(case, ground, one, until, _as_it_is(ground, case, one))

    return with_money if what.kind == "money" and what.reach > 0 else anew


def _as_it_is(ground: PlanGround, case: WhyCase, one: Decision) -> np.ndarray | None:
    """The plan's own decisions in a changed county; None where the rules do not let them be."""
    first = first_plan(ground.search, replace(case.task.limits, seconds=START_SECONDS))
    if first is None or first.values is None:
        return None
    for name in ground.search.measures:
        ground.search.tighten(name, first.values, case.task.method.cut_slack / 100)
    fixed, rows = as_decided(ground, case.plan, one)
    same = all(abs(first.values[c] - v) < HALF for c, v in fixed.items())
    same = same and all(float(w @ first.values[c]) >= least - NEARLY for c, w, least in rows)
    far = np.setdiff1d(np.arange(len(ground.given)), ground.free)
    return (
        first.values
        if same and np.abs(first.values[far] - ground.given[far]).max(initial=0.0) < HALF
        else None
    )


def _outcome(case: WhyCase, ground: PlanGround, one: Decision, until: float, start: np.ndarray | None) -> str:
    if one.kind == "stays" and not free_bands(ground.inst, one.school_id):
        return PLAN
    kept, other = as_decided(ground, case.plan, one), turned_round(ground, case.plan, one)
    return weigh(ground, case.task.goals, kept, other, case.rigour(until), start, strict=True).outcome
