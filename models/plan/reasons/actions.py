"""The plan as a list a bureau could discuss: what, where, how much, what it costs and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pandas as pd

from geodata.contract.county import County
from models.plan.costs import county_rides
from models.plan.decisions import Plan, Verdict
from models.plan.ledger import short_hash
from models.plan.reasons.effects import Judge, effects
from models.standards.norms import Standards, load_standards

BOOKED = {"close": "closure", "reduce": "closure", "receive": "transition"}
"""Actions whose costs stand under another name."""


@dataclass(frozen=True)
class Act:
    """One action: the ledger rows that it is made of, and why.

    Parameters
    ----------
    action, school_id, stage, what : str
    rows : tuple of str
        Ids of its ledger rows; none for what follows from the plan without being decided.
    quantity : float
    unit : str
    reason : str
        Message key.
    fields : dict
    """

    action: str
    school_id: str
    stage: str
    what: str
    rows: tuple[str, ...]
    quantity: float
    unit: str
    reason: str
    fields: dict[str, object] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The ledger row's own id; one of its own for what several rows make up."""
        if len(self.rows) == 1 and self.action not in ("close", "reduce", "receive", "bus"):
            return self.rows[0]
        return self.action[0] + short_hash(self.action, self.school_id, self.stage, self.what)


COLUMNS = [
    "id", "action", "school_id", "school", "township", "stage", "what", "quantity", "unit", "yuan", "earmark", "reason_key",
    "reason_fields", "rows",
]  # fmt: skip


def _closures(plan: Plan, verdict: Verdict) -> Iterator[Act]:
    """Closed and reduced sites with the receivers of their pupils."""
    travel = verdict.travel
    for school_id, rows in plan.bands[plan.bands["was_open"]].groupby("school_id"):
        shut = rows[~rows["open"]]
        if shut.empty:
            continue
        lost = list(shut["band"])
        leave = travel[
            (travel["today_school_id"] == school_id) & travel["changed"] & travel["band"].isin(lost)
        ]
        to = leave.groupby("school")["pupils"].sum()
        fields: dict[str, object] = {
            "pupils": int(leave["pupils"].sum()),
            "to": [f"{name} {int(n)}" for name, n in to.items()],
            "minutes": round(float(leave["minutes"].max()), 0) if len(leave) else 0.0,
        }
        lost_way = bool(
            leave["minutes"].isna().any()
        )  # only a plan made by hand sends pupils where no way is known
        action = "close" if not rows["open"].any() else "reduce"
        key = f"reasons.{action}{'_no_way' if lost_way else ''}" if len(leave) else f"reasons.{action}_empty"
        if lost_way:
            del fields["minutes"]
        yield Act(
            action,
            str(school_id),
            "",
            ", ".join(lost),
            tuple(shut["row_id"]),
            len(lost),
            "bands",
            key,
            fields,
        )


def _receivers(verdict: Verdict) -> Iterator[Act]:
    """Schools that take pupils who change."""
    moved = verdict.travel[verdict.travel["changed"]]
    for school_id, rows in moved.groupby("school_id"):
        pupils = int(rows["pupils"].sum())
        fields: dict[str, object] = {"pupils": pupils, "villages": int(rows["village_id"].nunique())}
        yield Act(
            "receive",
            str(school_id),
            "",
            "",
            tuple(rows["row_id"]),
            pupils,
            "pupils",
            "reasons.receive",
            fields,
        )


def _resources(
    county: County, standards: Standards, plan: Plan, verdict: Verdict, judge: Judge | None
) -> Iterator[Act]:
    """Transfers, hires, purchases and moves of equipment, each with what it serves."""
    booked = verdict.costs[verdict.costs["row_id"] != ""].drop_duplicates("row_id")
    unit = dict(zip(booked["row_id"], booked["unit"], strict=True))
    served = effects(county, standards, plan, verdict, unit, judge)
    names = county.schools.set_index("school_id")["name"]

    def act(
        action: str, row_id: str, school_id: str, stage: str, what: str, quantity: float, sender: str = ""
    ) -> Act:
        effect = served[row_id]
        fields = effect.fields | ({"from": names.get(sender, sender)} if sender else {})
        key = f"reasons.{effect.key}"
        return Act(action, school_id, stage, what, (row_id,), quantity, unit.get(row_id, ""), key, fields)

    for r in plan.staff_moves.itertuples():
        yield act("transfer", r.row_id, r.to_school_id, r.to_stage, r.cat_id, r.heads, r.from_school_id)
    for r in plan.hires.itertuples():
        yield act("hire", r.row_id, r.school_id, r.stage, r.cat_id, r.heads)
    for r in plan.purchases.itertuples():
        yield act("purchase", r.row_id, r.school_id, r.stage, r.kind, r.quantity)
    for r in plan.item_moves.itertuples():
        yield act("item_move", r.row_id, r.to_school_id, r.to_stage, r.kind, r.quantity, r.from_school_id)


def _buses(verdict: Verdict) -> Iterator[Act]:
    """Pupils for whom the county runs a bus, by receiving school."""
    rides = verdict.travel[county_rides(verdict.travel)]
    for school_id, rows in rides.groupby("school_id"):
        fields: dict[str, object] = {"villages": sorted(rows["village"].unique())}
        if rows["minutes"].isna().any():
            key = "reasons.bus_unknown"  # only a plan made by hand sends pupils where no way is known
        else:
            key, fields["after"] = "reasons.bus_no_way", round(float(rows["minutes"].max()))
        if key != "reasons.bus_unknown" and rows["minutes_today"].notna().all():
            key, fields["before"] = "reasons.bus", round(float(rows["minutes_today"].max()))
        yield Act(
            "bus",
            str(school_id),
            "",
            "",
            tuple(rows["row_id"]),
            int(rows["pupils"].sum()),
            "pupils",
            key,
            fields,
        )


def _unbidden(verdict: Verdict) -> Iterator[Act]:
    """What the plan entails without a row of its own: teachers who tour the points of a township."""
    for r in verdict.costs[(verdict.costs["row_id"] == "") & verdict.costs["charged"]].itertuples():
        yield Act(r.action, r.school_id, r.stage, r.item, (), r.quantity, r.unit, f"reasons.{r.action}")


def list_actions(
    county: County,
    plan: Plan,
    verdict: Verdict,
    standards: Standards | None = None,
    judge: Judge | None = None,
) -> pd.DataFrame:
    """Every action of a plan with cost and reason, in the order a meeting would take them.

    Costs are the referee's lines of the action's own ledger rows; together they are the plan's cost.

    Parameters
    ----------
    county : County
    plan : Plan
    verdict : Verdict
    standards : Standards or None
        None loads those that the county names.
    judge : callable or None
        The referee, asked what breaks without a row that serves no indicator; None does not ask.

    Returns
    -------
    DataFrame
        See `models.plan.decisions.PlanResult.actions`.
    """
    standards = standards or load_standards(county)
    school = county.schools.set_index("school_id")
    charged = verdict.costs[verdict.costs["charged"]]
    yuan: dict[tuple[str, str], float] = {}
    mark: dict[tuple[str, str], str] = {}  # purchases are paid from several: rooms and area have their own
    for line in charged.itertuples():
        key = (line.action, line.row_id or line.school_id)
        yuan[key], mark[key] = yuan.get(key, 0.0) + float(line.yuan), str(line.earmark)
    rows = []
    everything = [
        *_closures(plan, verdict), *_receivers(verdict), *_resources(county, standards, plan, verdict, judge), *_buses(verdict),
        *_unbidden(verdict),
    ]  # fmt: skip
    for one in everything:
        booked = BOOKED.get(one.action, one.action)
        lines = [(booked, r) for r in one.rows or (one.school_id,) if (booked, r) in yuan]
        cost = sum(yuan[k] for k in lines)
        at = school.loc[one.school_id]
        rows.append(
            (
                one.id, one.action, one.school_id, at["name"], at["township"], one.stage, one.what, one.quantity, one.unit,
                cost, mark[lines[0]] if cost else "", one.reason, one.fields, one.rows,
            )
        )  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)
