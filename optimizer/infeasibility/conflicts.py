"""Why no plan exists: arithmetic first, then money, then the rules that clash."""

from __future__ import annotations

import math
from dataclasses import replace

import pyomo.environ as pyo

from geodata.contract.findings import Finding
from models.formulation.money import EARMARKED, WAN
from models.problem.instance import Instance
from optimizer.search.search import Search
from optimizer.search.task import Task
from optimizer.solver.limits import Limits

RULE_OF = {
    "assign": "assignment", "attend_open": "open_band", "from_top": "bands_from_top", "no_bus_past": "bus_past_school",
    "capacity": "capacity", "site_cap": "school_size", "class_size": "class_size", "class_least": "min_classes",
    "class_rooms": "rooms", "junior_kept": "junior_per_township", "pace_township": "closures_township",
    "pace_county": "closures_share", "pace_pupils": "moved_share", "floor_ratio": "floor_class",
    "floor_classes": "floor_class", "floor_least": "floor_class", "floor_backbone": "floor_backbone",
    "floor_backbone_new": "floor_backbone", "floor_arts": "floor_arts", "visitors": "floor_arts", "visits": "floor_arts",
    "no_outflow_b": "floor_no_outflow_b", "no_outflow_q": "floor_no_outflow_q", "assessed_floor": "assessed_floor",
    "earmark": "budget", "any_money": "budget", "fixed_heads": "staff_pairs", "sent": "staff_pairs", "come": "staff_pairs",
}  # fmt: skip
"""Rule id of each component of the model, for words instead of row names."""


def seats_short(inst: Instance) -> list[Finding]:
    """Stages whose seats cannot hold their pupils, whatever the plan."""
    found = []
    pupils = inst.groups.assign(stage=inst.groups["band"].map(inst.standards.scheme.band_stage))
    for stage, rows in pupils.groupby("stage"):
        seats = int(inst.units.loc[inst.units["stage"] == stage, "most"].sum())
        need = int(rows["pupils"].sum())
        if need > seats:
            found.append(
                Finding(
                    "error",
                    "cli.seats_short",
                    {"stage": stage, "pupils": need, "seats": seats, "short": need - seats},
                )
            )
    return found


def least_money(inst: Instance) -> list[Finding]:
    """The least that the hard rules cost, by earmark, when money alone is missing."""
    rich = replace(inst, budget={**inst.budget, "any": 1e12})
    search = Search(rich, Task(), whole=False)
    search.bridge.relax(True)
    answer = search.bridge.solve("cost", Limits())
    if answer.values is None:
        return []
    search.load(answer.values)
    parts = {e: WAN * float(pyo.value(search.model.charge[e])) for e in EARMARKED}
    need = sum(parts.values())
    have = sum(inst.budget.values())
    beyond = sum(max(0.0, v - inst.budget.get(e, 0.0)) for e, v in parts.items())
    if beyond <= inst.budget.get("any", 0.0) + 1.0:
        return []  # money is not what is missing
    fields: dict[str, object] = {e: math.ceil(v) for e, v in parts.items()}
    return [
        Finding("error", "cli.money_short", {**fields, "need": math.ceil(need), "have": math.floor(have)})
    ]


def clashing_rules(inst: Instance) -> list[Finding]:
    """An irreducible set of clashing rows, as rule ids with the places they concern."""
    bridge = Search(inst, Task(), whole=False).bridge
    bridge.relax(True)
    rules: dict[str, list[str]] = {}
    for row in bridge.clash():
        name, _, place = row.partition("[")
        if name in RULE_OF:
            rules.setdefault(RULE_OF[name], []).append(place.rstrip("]"))
    return [
        Finding("error", "cli.clash", {"rule": rule, "places": "; ".join(sorted(set(p))[:5])})
        for rule, p in sorted(rules.items())
    ]


def clash_in_words(inst: Instance) -> list[Finding]:
    """`clashing_rules` with names of villages and schools for ids."""
    schools = {str(k): str(v) for k, v in inst.county.schools.set_index("school_id")["name"].items()}
    villages = inst.county.villages.set_index("village_id")["name"]
    group = {str(g): str(villages[v]) for g, v in inst.groups["village_id"].items()}

    def named(place: str, by_group: bool) -> str:
        first, *rest = place.replace("'", "").split(",")  # Pyomo quotes keys that look like numbers
        head = group.get(first, first) if by_group else first
        return " ".join(schools.get(p.split("/")[0], p) for p in (head, *rest))

    return [
        Finding(
            f.severity, f.key,
            {
                "rule": f.fields["rule"],
                "places": "; ".join(
                    named(p, f.fields["rule"] in ("assignment", "open_band")) for p in str(f.fields["places"]).split("; ") if p
                ),
            },
        )
        for f in clashing_rules(inst)
    ]  # fmt: skip


def why_infeasible(inst: Instance) -> list[Finding]:
    """What stands in the way of any plan, in the planner's words.

    Parameters
    ----------
    inst : Instance

    Returns
    -------
    list of Finding
        Never empty.
    """
    found = seats_short(inst) or least_money(inst) or clash_in_words(inst)
    return found or [Finding("error", "cli.clash_whole")]
