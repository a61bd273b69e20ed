"""The plan as a list a bureau could discuss: what, where, how much, what it costs and why."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from geodata.contract.county import County
from models.plan.decisions import Plan, Verdict
from models.problem.baseline import FAR_MINUTES
from models.problem.indicators import category_flags
from models.standards.norms import Standards, load_standards

COLUMNS = [
    "action", "school_id", "school", "township", "what", "quantity", "unit", "yuan", "earmark", "reason_key", "reason_fields",
]  # fmt: skip
Row = tuple[object, ...]


def _closures(plan: Plan, verdict: Verdict) -> Iterator[Row]:
    """Closed and reduced sites with the receivers of their pupils."""
    travel = verdict.travel
    for school_id, rows in plan.bands[plan.bands["was_open"]].groupby("school_id"):
        lost = list(rows.loc[~rows["open"], "band"])
        if not lost:
            continue
        leave = travel[
            (travel["today_school_id"] == school_id) & travel["changed"] & travel["band"].isin(lost)
        ]
        to = leave.groupby("school")["pupils"].sum()
        fields = {
            "pupils": int(leave["pupils"].sum()),
            "to": [f"{name} {int(n)}" for name, n in to.items()],
            "minutes": round(float(leave["minutes"].max()), 0) if len(leave) else 0.0,
        }
        action = "close" if not rows["open"].any() else "reduce"
        yield action, school_id, ", ".join(lost), len(lost), "bands", f"reasons.{action}", fields


def _receivers(verdict: Verdict) -> Iterator[Row]:
    """Schools that take pupils who change."""
    moved = verdict.travel[verdict.travel["changed"]]
    for school_id, rows in moved.groupby("school_id"):
        fields = {"pupils": int(rows["pupils"].sum()), "villages": int(rows["village_id"].nunique())}
        yield "receive", school_id, "", int(rows["pupils"].sum()), "pupils", "reasons.receive", fields


def _short(verdict: Verdict) -> dict[tuple[str, str, str], tuple[float, float, float]]:
    rows = verdict.indicators
    keys = zip(rows["school_id"], rows["stage"], rows["indicator"], strict=True)
    return dict(
        zip(keys, zip(rows["ratio_today"], rows["ratio_plan"], rows["threshold"], strict=True), strict=True)
    )


def _resources(county: County, standards: Standards, plan: Plan, verdict: Verdict) -> Iterator[Row]:
    """Transfers, hires, purchases and moves of equipment, each with the indicator it serves."""
    short = _short(verdict)
    flags = category_flags(county.staff_category, standards)
    of_resource = {(i.stage, i.resource): i.id for i in standards.indicators}

    def why(key: str, school_id: str, stage: str, resources: list[str]) -> tuple[str, dict[str, object]]:
        """The indicator that is furthest from its threshold today, of those the resources count for."""
        ids = [of_resource[stage, r] for r in resources if (stage, r) in of_resource]
        known = [(short[school_id, stage, i], i) for i in ids if (school_id, stage, i) in short]
        if not known:
            return f"{key}_plain", {}
        need = [((now / asked if asked > 0 else 1.0), n) for n, ((now, _, asked), _) in enumerate(known)]
        (before, after, threshold), indicator = known[min(need)[1]]
        numbers = {"before": round(before, 2), "after": round(after, 2), "threshold": threshold}
        return key, {"indicator": indicator, **numbers}

    def staff(key: str, school_id: str, stage: str, category: str) -> tuple[str, dict[str, object]]:
        row = flags.loc[(stage, category)] if (stage, category) in flags.index else flags.iloc[0] * 0
        counted = [r for r in standards.heads if row[r]]
        return why(key, school_id, stage, counted or list(standards.heads))

    names = county.schools.set_index("school_id")["name"]
    for r in plan.staff_moves.itertuples():
        key, fields = staff("reasons.transfer", r.to_school_id, r.to_stage, r.cat_id)
        yield (
            "transfer",
            r.to_school_id,
            r.cat_id,
            r.heads,
            "heads",
            key,
            fields | {"from": names[r.from_school_id]},
        )
    for r in plan.hires.itertuples():
        key, fields = staff("reasons.hire", r.school_id, r.stage, r.cat_id)
        yield "hire", r.school_id, r.cat_id, r.heads, "heads", key, fields
    unit = {k: one.unit for k, one in standards.resources.items()}
    for r in plan.purchases.itertuples():
        key, fields = why("reasons.purchase", r.school_id, r.stage, [r.kind])
        yield "purchase", r.school_id, r.kind, r.quantity, unit[r.kind], key, fields
    for r in plan.item_moves.itertuples():
        fields = {"from": names[r.from_school_id]}
        yield "item_move", r.to_school_id, r.kind, r.quantity, unit[r.kind], "reasons.item_move", fields


def _buses(verdict: Verdict) -> Iterator[Row]:
    """Pupils for whom the county runs a bus, by receiving school."""
    travel = verdict.travel
    rides = travel[(travel["mode"] == "bus") & (travel["changed"] | (travel["today_mode"] != "bus"))]
    for school_id, rows in rides.groupby("school_id"):
        fields = {
            "villages": sorted(rows["village"].unique()),
            "after": round(float(rows["minutes"].max())),
        }
        key = "reasons.bus_no_way"  # some have no known way to today's school
        if (rows["minutes_today"] < FAR_MINUTES).all():
            key, fields["before"] = "reasons.bus", round(float(rows["minutes_today"].max()))
        yield "bus", school_id, "", int(rows["pupils"].sum()), "pupils", key, fields


def _money(verdict: Verdict) -> dict[tuple[str, str, str], tuple[float, str]]:
    """Charged yuan and earmark by action, school and item."""
    rows = verdict.costs[verdict.costs["charged"]]
    total = rows.groupby(["action", "school_id", "item"], as_index=False).agg(
        {"yuan": "sum", "earmark": "first"}
    )
    return {(r.action, r.school_id, r.item): (float(r.yuan), str(r.earmark)) for r in total.itertuples()}


def list_actions(
    county: County, plan: Plan, verdict: Verdict, standards: Standards | None = None
) -> pd.DataFrame:
    """Every action of a plan with cost and reason, in the order a meeting would take them.

    Costs are the referee's; where it books by school only, the school's cost stands on its first row.

    Returns
    -------
    DataFrame
        See `models.plan.decisions.PlanResult.actions`.
    """
    standards = standards or load_standards(county)
    school = county.schools.set_index("school_id")
    booked = verdict.costs[verdict.costs["charged"]]
    per = booked.groupby(["action", "school_id"])["yuan"].sum()
    units = booked.groupby(["action", "school_id"])["quantity"].sum()
    mark = booked.groupby(["action", "school_id"])["earmark"].first()
    exact = _money(verdict)
    rows = []
    everything = [
        *_closures(plan, verdict),
        *_receivers(verdict),
        *_resources(county, standards, plan, verdict),
        *_buses(verdict),
    ]
    for action, school_id, what, quantity, unit, reason, fields in everything:
        booked_as = {"close": "closure", "receive": "transition"}.get(str(action), str(action))
        key = (booked_as, school_id)
        if (booked_as, school_id, what) in exact:
            yuan, earmark = exact[booked_as, str(school_id), str(what)]
            same = [r for r in everything if r[0] == action and r[1] == school_id and r[2] == what]
            yuan *= float(str(quantity)) / max(sum(float(str(r[3])) for r in same), 1e-9)
        elif key in per.index:
            yuan, earmark = float(per[key]), str(mark[key])
            if action not in ("close", "receive", "bus"):
                yuan *= float(str(quantity)) / max(float(units[key]), 1e-9)
        else:
            yuan, earmark = 0.0, ""
        at = school.loc[str(school_id)]
        rows.append(
            (
                action,
                school_id,
                at["name"],
                at["township"],
                what,
                quantity,
                unit,
                yuan,
                earmark,
                reason,
                fields,
            )
        )
    return pd.DataFrame(rows, columns=COLUMNS)
