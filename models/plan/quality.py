"""What a plan wins and what it loses, each as a number of its own: the sheet by which plans are compared.

Reckoned from the plan and the referee's tables alone; nothing is netted, so that what gets worse cannot hide
behind what gets better.

| measure | about | what it counts |
|---|---|---|
| units_assessed, units_passing | today, plan | units that count; those that pass |
| units_won, units_lost, units_gone | | assessed on both sides and passing only in the plan, only today; passing today and closed or not counted then |
| cells_assessed, cells_met | today, plan | unit x indicator |
| cells_won, cells_lost, cells_gone, cells_new | | as for units; new: met by units that count only in the plan |
| units_losing | | units with a cell lost |
| cv_assessed, cv_within | today, plan | CVs that exist; those within their limit |
| pupils_longer | 0, 5, 15 | pupils whose way grows by more than so many minutes |
| minutes_longer | mean, most | by how much it grows |
| pupils_shorter, pupils_unknown | | way shrinks; way not known today or in the plan |
| pupils_beyond | today, plan | beyond the limit of band and mode |
| pupils_newly_beyond | all, each band | beyond it only in the plan |
| groups_past_own, pupils_past_own | | leave a school that goes on teaching their band and has places, for a way longer by over five minutes |
| pupils_past_full | | the same where that school is over its places today |
| exchanges, pupils_exchanged | | pairs of schools that give each other pupils of one band; the smaller side |
| classes_cut, units_cut | | classes fewer and larger where no pupil comes or goes |
| teachers_net | zone:category | heads that arrive less heads that leave by transfer; ``small`` are staying units below 200 pupils |
| teachers_flow, pupils_flow | zone>zone | heads and pupils that change places |
| pupils_changed, teachers_moved, teachers_hired, sites_closed, bands_closed | | disruption |
| yuan, yuan_left | all, each earmark | charged; left of the budget |
| rules_broken | hard, soft, report | rules that do not hold |
| gap, bound, objective | each goal | as the solver left them |
| seconds | | of all solves |
"""

from __future__ import annotations

import pandas as pd

from geodata.contract.county import County
from geodata.remembered import once_for_each
from models.plan.decisions import Plan, PlanResult, SolveRecord, Verdict
from models.problem.indicators import category_flags
from models.standards.norms import load_standards

GRACE = 5.0
"""Minutes by which a way may be longer than the one to the own school before it counts as going past it."""
LONGER = (0, 5, 15)
SMALL = 200
"""Pupils below which a unit is small (sources.md 1.9)."""
EPS = 1e-6
SIDES = ("today", "plan")

Rows = list[tuple[str, str, str, float]]


def plan_quality(result: PlanResult) -> pd.DataFrame:
    """What a plan wins and loses.

    Parameters
    ----------
    result : PlanResult

    Returns
    -------
    DataFrame
        ``measure, about, unit, value``: see the table of this module. ``about`` is empty where a measure stands
        alone; ``unit`` is units, cells, cvs, pupils, minutes, groups, pairs, classes, heads, sites, bands, yuan,
        rules, share, seconds or 1. NaN is a number over nothing.
    """
    return _quality(result).copy()


@once_for_each
def _quality(result: PlanResult) -> pd.DataFrame:
    """`plan_quality`, reckoned once."""
    county, plan, verdict = result.county, result.plan, result.verdict
    rows = [
        *_units(verdict), *_cells(verdict), *_cvs(verdict), *_ways(verdict.travel), *_own_schools(county, plan, verdict),
        *_exchanges(verdict.travel), *_classes(county, verdict), *_teachers(county, plan, verdict), *_flows(county, plan, verdict),
        *_disruption(plan, verdict), *_money(verdict), *_rules(verdict), *_solve(result.solve),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["measure", "about", "unit", "value"]).astype({"value": "float64"})


def _both(name: str, unit: str, today: pd.Series, plan: pd.Series) -> Rows:
    return [(name, "today", unit, float(today.sum())), (name, "plan", unit, float(plan.sum()))]


def _yes(column: pd.Series) -> pd.Series:
    """True where a cell says so; undefined is not."""
    return column.eq(True).fillna(False).astype(bool)


def _assessed(verdict: Verdict) -> pd.DataFrame:
    """By unit_id: whether it is assessed ``today`` and in the ``plan``."""
    cells = verdict.indicators[["unit_id", "assessed_today", "assessed_plan"]].drop_duplicates("unit_id")
    table = cells.set_index("unit_id").rename(columns=lambda c: c.removeprefix("assessed_"))
    table = table.reindex(verdict.units["unit_id"])
    return table.apply(_yes)


def _units(verdict: Verdict) -> Rows:
    units = verdict.units.set_index("unit_id")
    counted = _assessed(verdict)
    today, plan = (_yes(units[f"passes_{side}"]) & counted[side] for side in SIDES)
    counts = counted["plan"] & _yes(units["open_plan"])
    return [
        *_both("units_assessed", "units", counted["today"], counts),
        *_both("units_passing", "units", today, plan),
        ("units_won", "", "units", (plan & ~today & counted["today"]).sum()),
        ("units_lost", "", "units", (today & ~plan & counts).sum()),
        ("units_gone", "", "units", (today & ~counts).sum()),
    ]


def _cells(verdict: Verdict) -> Rows:
    cells = verdict.indicators
    stays = cells["unit_id"].map(verdict.units.set_index("unit_id")["open_plan"])
    here, there = _yes(cells["assessed_today"]), _yes(cells["assessed_plan"]) & _yes(stays)
    today, plan = _yes(cells["met_today"]) & here, _yes(cells["met_plan"]) & there
    lost = today & ~plan & there
    return [
        *_both("cells_assessed", "cells", here, there),
        *_both("cells_met", "cells", today, plan),
        ("cells_won", "", "cells", (plan & ~today & here).sum()),
        ("cells_lost", "", "cells", lost.sum()),
        ("cells_gone", "", "cells", (today & ~there).sum()),
        ("cells_new", "", "cells", (plan & ~here).sum()),
        ("units_losing", "", "units", cells.loc[lost, "unit_id"].nunique()),
    ]


def _cvs(verdict: Verdict) -> Rows:
    cv = verdict.cv
    exist = {side: cv[f"cv_{side}"].notna() for side in SIDES}
    within = {side: exist[side] & (cv[f"cv_{side}"] <= cv["limit"]) for side in SIDES}
    return [
        *_both("cv_assessed", "cvs", exist["today"], exist["plan"]),
        *_both("cv_within", "cvs", within["today"], within["plan"]),
    ]


def _ways(travel: pd.DataFrame) -> Rows:
    """Whose way grows, whose shrinks, who is beyond the limit."""
    people, change = travel["pupils"], travel["minutes"] - travel["minutes_today"]
    longer = change > EPS
    by_mode = travel.dropna(subset=["limit"]).groupby(["band", "mode"])["limit"].first().to_dict()
    known = [by_mode.get(key) for key in zip(travel["band"], travel["today_mode"], strict=True)]
    limit_today = pd.Series(known, index=travel.index, dtype="float64").fillna(travel["limit"])
    today, plan = travel["minutes_today"] > limit_today + EPS, travel["minutes"] > travel["limit"] + EPS
    newly = plan & ~today
    grown = (change * people)[longer].sum() / people[longer].sum() if longer.any() else float("nan")
    return [
        *(("pupils_longer", str(n), "pupils", people[change > n + EPS].sum()) for n in LONGER),
        ("minutes_longer", "mean", "minutes", grown),
        ("minutes_longer", "most", "minutes", change[longer].max()),
        ("pupils_shorter", "", "pupils", people[change < -EPS].sum()),
        ("pupils_unknown", "", "pupils", people[change.isna()].sum()),
        *_both("pupils_beyond", "pupils", people[today], people[plan]),
        ("pupils_newly_beyond", "all", "pupils", people[newly].sum()),
        *(("pupils_newly_beyond", str(b), "pupils", n) for b, n in people.where(newly, 0).groupby(travel["band"]).sum().items()),
    ]  # fmt: skip


def _own_schools(county: County, plan: Plan, verdict: Verdict) -> Rows:
    """Groups sent past the school they attend today although it goes on teaching their band."""
    kept = plan.bands[_yes(plan.bands["open"])][["school_id", "band"]]
    rows = verdict.travel[_yes(verdict.travel["changed"])]
    rows = rows.merge(kept.rename(columns={"school_id": "today_school_id"}), on=["today_school_id", "band"])
    rows = rows[rows["minutes"] > rows["minutes_today"] + GRACE]
    units = verdict.units.set_index(["school_id", "stage"])
    over = set(units.index[units["pupils_today"] > units["capacity"]])
    stage = rows["band"].map(county.scheme.band_stage)
    full = pd.Series(
        [k in over for k in zip(rows["today_school_id"], stage, strict=True)], rows.index, dtype=bool
    )
    return [
        ("groups_past_own", "", "groups", (~full).sum()),
        ("pupils_past_own", "", "pupils", rows.loc[~full, "pupils"].sum()),
        ("pupils_past_full", "", "pupils", rows.loc[full, "pupils"].sum()),
    ]


def _exchanges(travel: pd.DataFrame) -> Rows:
    moved = travel[_yes(travel["changed"])]
    going = moved.groupby(["band", "today_school_id", "school_id"])["pupils"].sum()
    both = [
        min(int(n), int(going[band, b, a]))
        for (band, a, b), n in going.items()
        if a < b and (band, b, a) in going.index
    ]
    return [("exchanges", "", "pairs", len(both)), ("pupils_exchanged", "", "pupils", sum(both))]


def _classes(county: County, verdict: Verdict) -> Rows:
    """Classes that become fewer and larger in units that no pupil leaves or joins."""
    moved = verdict.travel[_yes(verdict.travel["changed"])]
    stage = moved["band"].map(county.scheme.band_stage)
    touched = {
        *zip(moved["school_id"], stage, strict=True),
        *zip(moved["today_school_id"], stage, strict=True),
    }
    units = verdict.units[_yes(verdict.units["open_plan"])]
    same = [k not in touched for k in zip(units["school_id"], units["stage"], strict=True)]
    fewer = units["classes_plan"] < units["classes_today"]
    # a class cut because there are fewer pupils has its cause: the mean size must grow
    larger = units["pupils_plan"] * units["classes_today"] > units["pupils_today"] * units["classes_plan"]
    cut = units[pd.Series(same, units.index, dtype=bool) & fewer & larger]
    lost = (cut["classes_today"] - cut["classes_plan"]).sum()
    return [("classes_cut", "", "classes", lost), ("units_cut", "", "units", len(cut))]


def flagged_moves(county: County, plan: Plan) -> tuple[pd.DataFrame, list[str]]:
    """Staff moves with the zones of both ends, heads by category, and the categories."""
    rows, kinds = counted_rows(county, plan.staff_moves, "from_stage")
    zone = county.schools.set_index("school_id")["zone"]
    rows["from"], rows["to"] = rows["from_school_id"].map(zone), rows["to_school_id"].map(zone)
    return rows, kinds


def counted_rows(county: County, rows: pd.DataFrame, stage: str) -> tuple[pd.DataFrame, list[str]]:
    """Rows about staff with a column ``all`` and one for each kind of staff that the standards count apart.

    Parameters
    ----------
    rows : DataFrame
        ``cat_id, heads`` and the column named by ``stage``.
    """
    standards = load_standards(county)
    apart = [r for r in standards.watched if standards.resources[r].flags]  # the others count everybody
    counts = category_flags(county.staff_category, standards)[apart]
    keys = pd.MultiIndex.from_arrays([rows[stage].astype(str), rows["cat_id"].astype(str)])
    held = counts.reindex(keys).fillna(0).astype(float).set_axis(rows.index)
    return rows.assign(all=rows["heads"], **{r: rows["heads"] * held[r] for r in apart}), ["all", *apart]


def _teachers(county: County, plan: Plan, verdict: Verdict) -> Rows:
    """Heads that arrive less heads that leave, by zone and category, and for small units that stay."""
    rows, kinds = flagged_moves(county, plan)
    units = verdict.units
    stays = units[_yes(units["open_plan"]) & (units["pupils_today"] < SMALL)]
    small = set(zip(stays["school_id"], stays["stage"], strict=True))
    ends = {side: [k in small for k in zip(rows[f"{side}_school_id"], rows[f"{side}_stage"], strict=True)] for side in ("from", "to")}  # fmt: skip
    found: Rows = []
    for kind in kinds:
        for zone in sorted(units["zone"].unique()):
            net = rows.loc[rows["to"] == zone, kind].sum() - rows.loc[rows["from"] == zone, kind].sum()
            found.append(("teachers_net", f"{zone}:{kind}", "heads", net))
        net = rows.loc[ends["to"], kind].sum() - rows.loc[ends["from"], kind].sum()
        found.append(("teachers_net", f"small:{kind}", "heads", net))
    return found


def _flows(county: County, plan: Plan, verdict: Verdict) -> Rows:
    zone = county.schools.set_index("school_id")["zone"]
    moved = verdict.travel[_yes(verdict.travel["changed"])]
    pupils = moved.groupby([moved["today_school_id"].map(zone), moved["school_id"].map(zone)])["pupils"].sum()
    heads = flagged_moves(county, plan)[0].groupby(["from", "to"])["all"].sum()
    return [
        *(("pupils_flow", f"{a}>{b}", "pupils", n) for (a, b), n in pupils.items()),
        *(("teachers_flow", f"{a}>{b}", "heads", n) for (a, b), n in heads.items()),
    ]


def _disruption(plan: Plan, verdict: Verdict) -> Rows:
    is_open = _yes(plan.bands["open"])
    return [
        ("pupils_changed", "", "pupils", verdict.travel.loc[_yes(verdict.travel["changed"]), "pupils"].sum()),
        ("teachers_moved", "", "heads", plan.staff_moves["heads"].sum()),
        ("teachers_hired", "", "heads", plan.hires["heads"].sum()),
        ("sites_closed", "", "sites", (~is_open.groupby(plan.bands["school_id"]).any()).sum()),
        ("bands_closed", "", "bands", (~is_open & _yes(plan.bands["was_open"])).sum()),
    ]


def _money(verdict: Verdict) -> Rows:
    charged = verdict.costs[_yes(verdict.costs["charged"])]
    budget = verdict.budget.set_index("earmark")
    return [
        ("yuan", "all", "yuan", charged["yuan"].sum()),
        *(("yuan", str(e), "yuan", n) for e, n in charged.groupby("earmark")["yuan"].sum().items()),
        ("yuan_left", "all", "yuan", budget["available"].sum() - charged["yuan"].sum()),
    ]


def _rules(verdict: Verdict) -> Rows:
    broken = verdict.rules[~_yes(verdict.rules["ok"])]
    return [
        ("rules_broken", kind, "rules", (broken["kind"] == kind).sum()) for kind in ("hard", "soft", "report")
    ]


def _solve(solve: SolveRecord) -> Rows:
    rows: Rows = []
    for goal in solve.goals:
        rows += [
            ("gap", goal.goal, "share", goal.gap),
            ("bound", goal.goal, "1", goal.bound),
            ("objective", goal.goal, "1", goal.objective),
        ]
        if goal.settled is not None:
            rows.append(("bound_settled", goal.goal, "1", goal.settled))
    return [*rows, ("seconds", "", "seconds", solve.seconds)]
