"""The verb ``why``: each decision of a plan about a place, turned round and weighed, and what would flip it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from geodata.contract.county import County
from geodata.contract.findings import Finding, InputProblems
from geodata.travel.times import TravelTimes, travel_times
from models.plan.decisions import Plan, PlanResult, Verdict
from models.plan.names import Names
from models.plan.record import RECORD, read_plan, read_record
from models.problem.building import build_instance
from models.referee.verdict import judge
from models.standards.norms import load_standards
from models.study.why import Reasoned, Turned, Whys
from optimizer.outcomes import StoppedWithoutPlan
from optimizer.scenario import Scenario
from optimizer.scenario_sheet import asked_of
from optimizer.search.start import first_plan, tallied
from optimizer.search.task import Report, Task
from optimizer.solver.limits import SOLVER
from optimizer.solver.stopping import Stop, heeding
from optimizer.verbs.replay import recorded_scenario
from optimizer.verbs.told import result_of
from optimizer.why.changes import NUMBERS
from optimizer.why.decisions import of_school, of_village
from optimizer.why.ground import centred_on, ground_of
from optimizer.why.turning import WhyCase, turn, with_flips

PLACE_SECONDS = 60.0
"""For a place, flips included."""
COUNTED = 1e-6
"""Gap to which the goals of the plan itself are counted, before anything is compared with them."""
FIRST_SHARE = 0.5
"""Of a place's seconds for turning its decisions round; flips have the rest."""


@dataclass(frozen=True)
class Recorded:
    """A plan from its dossier with what its record says.

    Parameters
    ----------
    plan : Plan
    scenario : Scenario
    means : dict
        "stage/resource" -> planned mean that its goals were measured about.
    bounds : dict
        First goal -> what is proven of it for every plan.
    findings : tuple of Finding
    """

    plan: Plan
    scenario: Scenario
    means: dict[str, float]
    bounds: dict[str, float]
    findings: tuple[Finding, ...] = ()


def recorded_plan(path: str | Path, county: County) -> Recorded:
    """A plan from a dossier, a ``run.json`` or a ledger alone.

    Raises
    ------
    InputProblems
        It cannot be read.
    """
    path = Path(path)
    plan = read_plan(path, county)
    if not ((path / RECORD).is_file() or path.suffix.lower() == ".json"):
        said = Finding("warning", "why.no_record", file=str(path))
        return Recorded(plan, asked_of(county)[0], {}, {}, (said,))
    record = read_record(path)
    same = record.get("input_hash") == county.content_hash
    found = () if same else (Finding("warning", "why.other_input", file=str(path)),)
    goals: list[dict[str, Any]] = record.get("goals") or []
    means = {str(k): float(v) for g in goals for k, v in (g.get("means") or {}).items()}
    # a bound holds for the data that it was proven for, and for the goal's own measure
    first = {str(g["goal"]): float(g["bound"]) for g in goals[:1] if same and not g.get("means")}
    return Recorded(plan, recorded_scenario(record), means, first, found)


def recorded_in(result: PlanResult) -> Recorded:
    """A plan that was just made, with what its solve says."""
    goals = result.solve.goals
    means = {str(k): float(v) for g in goals for k, v in g.means.items()}
    first = {g.goal: g.bound for g in goals[:1] if not g.means}
    return Recorded(result.plan, Scenario.model_validate(result.scenario), means, first)


def why(
    county: County,
    plan: Recorded | PlanResult,
    schools: tuple[str, ...] = (),
    villages: tuple[str, ...] = (),
    times: TravelTimes | None = None,
    seconds: float = PLACE_SECONDS,
    whole: bool = False,
    flips: tuple[str, ...] = NUMBERS,
    report: Report | None = None,
    stop: Stop | None = None,
) -> Whys:
    """Why a plan decides as it does about some schools and villages.

    Parameters
    ----------
    county : County
    plan : Recorded or PlanResult
        See `recorded_plan`.
    schools, villages : tuple of str
        Ids.
    times : TravelTimes or None
        None computes them.
    seconds : float
        For a place, flips included.
    whole : bool
        Decide the whole county anew in every question; else what lies around the place, where the county is larger than one
        model's size (``joint_units`` of the method).
    flips : tuple of str
        Numbers of which the smallest change that flips the decision is looked for: pupils, places, minutes, money.
    report : callable or None
    stop : Stop or None
        None: Ctrl-C stops; what is answered by then is returned.

    Returns
    -------
    Whys

    Raises
    ------
    InputProblems
        A place that does not take part, or a plan that does not keep the rules.
    StoppedWithoutPlan
        Stopped before the model had taken the plan up: nothing is known of it yet.
    """
    plan = recorded_in(plan) if isinstance(plan, PlanResult) else plan
    _known(county, plan.plan, schools, villages)
    with heeding(stop) as token:
        case = open_case(county, plan, times, plan.scenario.task(token, report), whole)
        places: list[Reasoned] = []
        for kind, ids in (("school", schools), ("village", villages)):
            for place_id in ids:
                if not token.is_set():
                    places.append(_place(case, kind, place_id, seconds, flips))
        same = case.task.method.why_same
        told = partial(
            result_of, county, plan.plan, plan.scenario, case.times, case.verdict, findings=plan.findings
        )
        return Whys(
            county, plan.plan.plan_id, told, tuple(places), seconds, same, token.is_set(), SOLVER, plan.findings
        )  # fmt: skip


def _known(county: County, plan: Plan, schools: tuple[str, ...], villages: tuple[str, ...]) -> None:
    """Every place takes part in the plan."""
    parts = {"school": set(plan.bands["school_id"]), "village": set(plan.attendance["village_id"])}
    found = [
        Finding("error", f"why.unknown_{kind}", {"near": ""}, value=i)
        for kind, ids in (("school", schools), ("village", villages))
        for i in ids
        if i not in parts[kind]
    ]
    if not schools and not villages:
        found.append(Finding("error", "why.nothing_asked"))
    if found:
        raise InputProblems(found)


def places_meant(county: County, kind: str, texts: tuple[str, ...]) -> tuple[tuple[str, ...], list[Finding]]:
    """Ids of schools or villages that are named by id, by label or by name, and what is doubtful.

    Raises
    ------
    InputProblems
        A name that none has, or more than one.
    """
    names = Names(county)
    found, doubts, wrong = [], [], []
    for text in texts:
        value, doubt = names.resolve(kind, text)
        if value not in names.ids(kind):
            fields: dict[str, object] = {} if doubt is None else doubt.fields
            alike = str(fields.get("near") or fields.get("known") or "").split(", ")
            near = ", ".join(n for n in alike if not n.endswith(" 0%"))  # what nothing is like is no choice
            wrong.append(Finding("error", f"why.unknown_{kind}", {"near": near}, value=text))
        elif doubt is not None:
            label = names.label(kind, value, "zh")
            doubts.append(Finding("warning", "plan.cell_taken", {"label": label}, value=text))
        found.append(value)
    if wrong:
        raise InputProblems(wrong)
    return tuple(dict.fromkeys(found)), doubts


def changed_places(plan: Plan) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Schools and villages about which a plan changes anything, by id."""
    going, moves = plan.attendance, plan.staff_moves
    moved = going[going["school_id"] != going["today_school_id"]]
    shut = plan.bands[plan.bands["was_open"].astype(bool) & ~plan.bands["open"].astype(bool)]
    ends = (
        moved["school_id"], moved["today_school_id"], shut["school_id"], plan.hires["school_id"], plan.purchases["school_id"],
        moves["from_school_id"], moves["to_school_id"],
    )  # fmt: skip
    schools = {str(j) for end in ends for j in end}
    return tuple(sorted(schools)), tuple(sorted(set(map(str, moved["village_id"]))))


def open_case(county: County, asked: Recorded, times: TravelTimes | None, task: Task, whole: bool) -> WhyCase:
    """The plan judged, its model stated, its decisions found in it."""
    standards, times = load_standards(county), times or travel_times(county)
    request = asked.scenario.request()
    verdict = judge(county, standards, asked.plan, times, request)
    _accepted(verdict)
    inst = centred_on(build_instance(county, standards, request, times), verdict, asked.means)
    ground = ground_of(inst, asked.plan, task)
    first = first_plan(ground.search, task.limits)
    if first is None or first.values is None:
        if task.stop.is_set():
            raise StoppedWithoutPlan(interrupted=task.stop.reason == "asked")
        raise InputProblems([Finding("error", "why.not_stated")])
    values = tallied(
        ground.search, first.values, task.limits, COUNTED
    )  # what the plan is, to the last unit that passes
    for name in ground.search.measures:
        ground.search.tighten(name, values, task.method.cut_slack / 100)
    small = len(inst.units) <= task.method.joint_units
    return WhyCase(
        county, standards, times, asked.scenario, asked.plan, task, verdict, ground, values, asked.bounds, whole or small
    )  # fmt: skip


def _accepted(verdict: Verdict) -> None:
    """Only a plan that keeps the rules can be compared with others that do."""
    if verdict.accepted:
        return
    broken = verdict.violations[
        (verdict.violations["kind"] == "hard") & ~verdict.violations["grandfathered"].astype(bool)
    ]
    fields: dict[str, object] = {"count": len(broken), "rule": str(broken["rule"].iloc[0])}
    raise InputProblems([Finding("error", "why.not_a_plan", fields)])


def _place(case: WhyCase, kind: str, place_id: str, seconds: float, flips: tuple[str, ...]) -> Reasoned:
    """Every decision about a place; the seconds are for all of them."""
    begun = time.monotonic()
    decisions = of_school(case.plan, place_id) if kind == "school" else of_village(case.plan, place_id)
    decisions = sorted(decisions, key=lambda d: d.kind == "stays")  # what changes stands before what does not
    until = begun + (FIRST_SHARE if flips else 1.0) * seconds
    done: list[Turned] = []
    for n, one in enumerate(decisions):
        now = time.monotonic()
        done.append(turn(case, one, now + max(1.0, (until - now) / (len(decisions) - n))))
    if flips:
        done[0] = with_flips(case, decisions[0], done[0], begun + seconds, flips)
    name = Names(case.county).label(kind, place_id, "zh").rsplit(" [", 1)[0]
    return Reasoned(kind, place_id, name, tuple(done), time.monotonic() - begun)
