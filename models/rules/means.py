"""Rules about equipment, space and money.

| rule | equation |
|---|---|
| items | freed[u,k] = stock (1 - open[u]); sum got = sum freed by stage; nothing for a closed unit |
| build_share | buy[u,k] <= share today's, area |
| useful_rooms | rooms bought[u] <= max(0, 1.5 classes[u] + 2 - today's): <= 1.5 classes[u] + 2 - today's + M (1 - buys[u]), <= M buys[u] |
| budget | charge[e] + r[e] bought[e] <= B[e] + spill[e]; sum_e spill[e] <= B[any]; r[e]: purchases round up |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyomo.environ as pyo

from models.formulation.classes import SPARE_ROOMS, room_base
from models.formulation.classes import USEFUL as ROOMS
from models.formulation.equipment import most_more, scale
from models.formulation.money import EARMARKED, rounding_share
from models.formulation.rows import rows_by
from models.plan.costs import budget_table, cost_table
from models.problem.request import money_known
from models.rules.record import EPS, Rows, Rule, Slack, all_of, broken, looked_up, none
from models.standards.norms import Standards

if TYPE_CHECKING:
    from models.plan.outcome import After

YUAN = 1.0
"""A plan may overrun a budget by rounding of at most one yuan an earmark."""


def _items(rows: Rows) -> None:
    inst = rows.inst
    units = inst.units

    def free(m: Any, u: str, k: str) -> Any:
        return m.freed[u, k] == float(units.at[u, k]) / scale(inst, u, k) * (1 - m.unit_open[u])

    rows.add(list(rows.model.freed), free, part="freed")
    stages = rows_by(units, "stage")
    rows.add(
        [(s, k) for s in stages for k in inst.movable_items],
        lambda m, s, k: (
            sum(m.got[u, k] for u in stages[s]) == sum(m.freed[u, k] for u in stages[s] if (u, k) in m.freed)
        ),
        part="placed",
    )
    most = {(u, k): most_more(inst, u, k) for u, k in rows.model.buy}
    sold = {k: float(inst.standards.resources[k].buyable) for k in inst.items}
    rows.add(
        list(rows.model.buy),
        lambda m, u, k: m.buy[u, k] <= most[u, k] * sold[k] * m.unit_open[u],
        part="bought",
    )
    held = {
        (s, k): sum(
            float(units.at[u, k]) / scale(inst, u, k) for u in stages[s] if (u, k) in rows.model.freed
        )
        for s in stages
        for k in inst.movable_items
    }
    rows.add(
        list(rows.model.got),
        lambda m, u, k: m.got[u, k] <= held[inst.stage_of[u], k] * m.unit_open[u],
        part="got",
    )


def check_items(after: After) -> pd.DataFrame:
    """Purchases at open units, rooms whole; what closing frees is placed, all of it, where things may be exchanged."""
    return all_of([_wrong_purchases(after), _wrong_moves(after), _not_placed(after)])


def _whole(after: After) -> list[str]:
    return [k for k in after.standards.items if after.standards.resources[k].whole]


def _wrong_purchases(after: After) -> pd.DataFrame:
    rows = after.purchases()
    is_open = looked_up(rows["unit_id"], after.new["open"]).eq(True)
    whole = ~rows["kind"].isin(_whole(after)) | (rows["quantity"] % 1 == 0)
    known = rows["kind"].isin([k for k in after.standards.items if after.standards.resources[k].buyable])
    wrong = rows[~(is_open & whole & (rows["quantity"] > 0) & known)]
    return broken(wrong, "unit_id", "kind", wrong["quantity"], 0, _unit_of(after, wrong["kind"]))


def _wrong_moves(after: After) -> pd.DataFrame:
    rows = after.item_moves()
    if rows.empty:
        return none()
    fine = rows["to_unit"].map(after.new["open"]).eq(True) & looked_up(rows["unit_id"], after.new["open"]).eq(
        False
    )
    fine &= (rows["from_stage"] == rows["to_stage"]) & rows["kind"].isin(after.standards.movable_items)
    fine &= (rows["quantity"] > 0) & (~rows["kind"].isin(_whole(after)) | (rows["quantity"] % 1 == 0))
    wrong = rows[~fine]
    return broken(wrong, "unit_id", "kind", wrong["quantity"], 0, _unit_of(after, wrong["kind"]))


def _unit_of(after: After, kinds: pd.Series) -> pd.Series:
    """The unit of each thing's amounts; that of nothing known is pieces."""
    known = after.standards.resources
    return pd.Series([known[k].unit if k in known else "items" for k in kinds], kinds.index, object)


def _not_placed(after: After) -> pd.DataFrame:
    rows, parts = after.item_moves(), []
    shut = after.units[~after.new["open"]]
    if shut.empty:
        return none()
    staying = set(after.new.loc[after.new["open"], "stage"])
    for kind in after.standards.movable_items:
        placed = (
            rows[rows["kind"] == kind].groupby("unit_id")["quantity"].sum().reindex(shut.index).fillna(0.0)
        )
        slack = EPS if kind in _whole(after) else YUAN  # a room is never rounding
        off = ((placed - shut[kind]).abs() > slack) & shut["stage"].isin(staying)
        left = shut[off].reset_index().assign(thing=kind)
        parts.append(
            broken(
                left,
                "unit_id",
                "thing",
                looked_up(left["unit_id"], placed),
                left[kind],
                _unit_of(after, left["thing"]),
            )
        )
    return all_of(parts)


def _areas(standards: Standards) -> list[str]:
    return [k for k in standards.items if standards.resources[k].kind == "area"]


def _build(rows: Rows) -> None:
    inst = rows.inst
    if rows.binds("build_share"):
        share = rows.value("build_share")
        most = {
            (u, k): share * float(inst.units.at[u, k]) / scale(inst, u, k)
            for u in inst.units.index
            for k in _areas(inst.standards)
        }
        rows.add(
            list(most), lambda m, u, k: m.buy[u, k] <= most[u, k],
            scale=lambda key: 1.0 / scale(inst, key[0], key[1]),
        )  # fmt: skip


def check_build(after: After) -> pd.DataFrame:
    """New area at most a share of today's."""
    share = after.standards.value("build_share")
    rows = after.purchases()
    rows = (
        rows[rows["kind"].isin(_areas(after.standards))]
        .groupby(["unit_id", "kind"], as_index=False)["quantity"]
        .sum()
    )
    have = [
        float(after.units.at[u, k]) if u in after.units.index else 0.0
        for u, k in zip(rows["unit_id"], rows["kind"], strict=True)
    ]
    most = share * np.array(have, dtype=float)
    wrong = rows["quantity"].to_numpy(float) > most + 1.0
    bad = rows[wrong]
    return broken(bad, "unit_id", "kind", bad["quantity"], most[wrong], "m2")


def _useful(rows: Rows) -> None:
    inst = rows.inst
    kind = inst.standards.about(ROOMS)
    if not rows.binds(ROOMS) or kind not in inst.items:
        return
    share, of_unit = rows.value(ROOMS), rows_by(inst.bands, "unit_id")
    size = {u: scale(inst, u, kind) for u in of_unit}
    # what the unit has or gets beyond use today stays: only purchases are bounded
    most = {u: room_base(inst, u, kind, share, SPARE_ROOMS) - float(inst.of_unit(u, kind)) for u in of_unit}
    # a unit that loses classes and buys none may have more rooms than they fill
    left = inst.groups.loc[inst.pairs.loc[inst.pairs["changed"], "g"].unique(), ["today_school_id", "band"]]
    fewer = {
        inst.bands.at[k, "unit_id"] for k in left.itertuples(index=False, name=None) if k in inst.bands.index
    }
    sold = [u for u in of_unit if u in fewer and most[u] < 0 and rows.model.buy[u, kind].ub != 0]
    rows.model.buys_rooms = pyo.Var(sold, domain=pyo.Binary)
    never = [u for u in of_unit if u in fewer and most[u] < 0 and u not in set(sold)]
    excuse = {u: -most[u] for u in sold}

    def within(m: Any, u: str) -> Any:
        idle = excuse[u] * (1 - m.buys_rooms[u]) if u in excuse else 0.0
        return size[u] * m.buy[u, kind] <= share * sum(m.classes[k] for k in of_unit[u]) + most[u] + idle

    rows.add([u for u in of_unit if u not in never], within)
    ceiling = {
        u: share * sum(float(rows.model.classes[k].ub) for k in of_unit[u]) + SPARE_ROOMS for u in sold
    }
    rows.add(
        sold, lambda m, u: size[u] * m.buy[u, kind] <= ceiling[u] * m.buys_rooms[u], part="bought", firm=True
    )


def check_useful(after: After) -> pd.DataFrame:
    """No more rooms bought than classes and two function rooms can fill."""
    share, kind = after.standards.value(ROOMS), after.standards.about(ROOMS)
    if kind not in after.standards.items:
        return none()
    rows = after.purchases()
    bought = rows[rows["kind"] == kind].groupby("unit_id")["quantity"].sum()
    units = after.new.loc[[u for u in bought.index if u in after.new.index]]
    old = after.units.loc[units.index]
    base = np.maximum(SPARE_ROOMS, old[kind] - share * old["classes"])
    most = share * units["classes"] + base - old[kind]
    wrong = units.assign(bought=bought.reindex(units.index), most=most).reset_index()
    wrong = wrong[wrong["bought"] > wrong["most"] + EPS]
    return broken(wrong, "unit_id", "name", wrong["bought"], wrong["most"].clip(lower=0), "rooms")


def _budget(rows: Rows) -> None:
    if not money_known(rows.inst.county, rows.inst.request):
        return
    budget = {e: rows.inst.budget.get(e, 0.0) / rows.inst.large for e in (*EARMARKED, "any")}
    more = rounding_share(rows.inst)
    rows.add(
        EARMARKED,
        lambda m, e: m.charge[e] + more[e] * m.rounded[e] <= budget[e] + m.spill[e],
        part="earmark",
    )
    # the earmarks alone give way, so that a shortage stands beside one earmark
    rows.add(["any"], lambda m, k: sum(m.spill[e] for e in EARMARKED) <= budget["any"], part="any", firm=True)


def check_budget(after: After) -> pd.DataFrame:
    """Charged costs within the earmarks and what "any" adds; what nobody can price may not be bought or hired."""
    costs = cost_table(after)
    bad = costs[costs["yuan"].isna() & costs["action"].isin(["hire", "purchase"])]
    if len(bad):
        return broken(bad, "school_id", "item", 0, 0, "yuan")
    table = budget_table(after, costs)
    if not (table.loc[table["earmark"] == "any", "left"] < -4 * YUAN).any():
        return none()
    over = table[(table["left"] < 0) & (table["earmark"] != "any")]
    return broken(over, "earmark", "earmark", over["spent"], over["available"], "yuan")


RULES = (
    Rule("items", "means", check_items, _items),
    Rule("build_share", "means", check_build, _build, ("build_share",), Slack("m2", "budget", 0.3)),
    Rule("useful_rooms", "means", check_useful, _useful, (ROOMS,), Slack("rooms", "budget", 3.0)),
    Rule("budget", "means", check_budget, _budget, (), Slack("large", "budget")),
)  # fmt: skip
