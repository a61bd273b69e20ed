"""Why no plan exists: arithmetic first, then money, then the rules that clash."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

import pyomo.environ as pyo

from geodata.contract.findings import Finding, Severity
from geodata.contract.tables import EARMARKS, TRAVEL_MODES
from geodata.messages import LANGUAGES, catalogue
from models.formulation.money import EARMARKED
from models.problem.instance import Instance
from models.problem.request import money_known
from models.rules.record import rule_of
from models.rules.registry import every_rule
from optimizer.search.search import Search
from optimizer.search.task import Task
from optimizer.solver.limits import Limits


def seats_short(inst: Instance) -> list[Finding]:
    """Stages whose seats cannot hold their pupils, whatever the plan; none where places do not bind."""
    found: list[Finding] = []
    if not inst.standards.hard("capacity"):
        return found
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
    if not money_known(inst.county, inst.request):
        return []  # no budget that could be too small
    rich = replace(inst, budget={**inst.budget, "any": 1e12})
    search = Search(rich, Task(), whole=False)
    search.bridge.relax(True)
    answer = search.bridge.solve("cost", Limits())
    if answer.values is None:
        return []
    search.load(answer.values)
    parts = {e: inst.large * float(pyo.value(search.model.charge[e])) for e in EARMARKED}
    need = sum(parts.values())
    have = sum(inst.budget.values())
    beyond = sum(max(0.0, v - inst.budget.get(e, 0.0)) for e, v in parts.items())
    if beyond <= inst.budget.get("any", 0.0) + 1.0:
        return []  # money is not what is missing
    fields: dict[str, object] = {e: math.ceil(v) for e, v in parts.items()}
    return [
        Finding("error", "cli.money_short", {**fields, "need": math.ceil(need), "have": math.floor(have)})
    ]


def places_by_id(inst: Instance) -> dict[str, str]:
    """Names of schools and of groups' villages by id."""
    villages = inst.county.villages.set_index("village_id")["name"]
    found = {str(g): str(villages[v]) for g, v in inst.groups["village_id"].items()}
    found["county"] = inst.county.name
    found |= {f"p{p}": str(villages[v]) for p, v in inst.pairs["village_id"].items()}
    return found | {str(k): str(v) for k, v in inst.county.schools.set_index("school_id")["name"].items()}


def words_by_id(inst: Instance, language: str) -> dict[str, str]:
    """Names of everything that a row's key may hold: places, stages, bands, kinds of staff and of things, earmarks, ways."""
    scheme, known = inst.standards.scheme, catalogue(language)
    found = {
        key: known[f"{room}{key}"]
        for room, keys in (
            ("rules.earmark_", EARMARKS), ("workbook.mode_", TRAVEL_MODES), ("rules.category_", inst.categories.index.unique("cat_id")),
        )
        for key in keys
        if f"{room}{key}" in known
    }  # fmt: skip
    for i in inst.standards.indicators:
        found[i.id] = getattr(i, language) or known.get(f"rules.indicator_{i.id}", i.id)
    found |= {r: getattr(one, language) for r, one in inst.standards.resources.items()}
    found |= {s.id: getattr(s, language) for s in scheme.stages}
    found |= {b.id: getattr(b, language) for b in scheme.bands}
    return found | places_by_id(inst)


def named_places(
    inst: Instance, rows: Iterable[tuple[str, object]], most: int
) -> dict[str, dict[str, list[str]]]:
    """The first places of every rule that some rows of the model belong to, in words.

    Parameters
    ----------
    inst : Instance
    rows : iterable of (component, key)
    most : int
        Of a rule.

    Returns
    -------
    dict of str to dict of str to list of str
        By rule and language.
    """
    names = {language: words_by_id(inst, language) for language in LANGUAGES}
    known = {r.id for r in every_rule()}
    found: dict[str, dict[str, set[str]]] = {}
    for component, key in rows:
        rule = rule_of(component)
        if rule in known:
            said = found.setdefault(rule, {language: set() for language in LANGUAGES})
            for language in LANGUAGES:
                said[language].add(named(rule, key, names[language]))
    return {r: {lang: sorted(some)[:most] for lang, some in said.items()} for r, said in found.items()}


def clash_findings(
    inst: Instance, rows: Iterable[tuple[str, object]], key: str, severity: Severity
) -> list[Finding]:
    """A finding for every rule that has rows in a clash, with its places by language."""
    return [
        Finding(
            severity, key, {"rule": rule, "places": {lang: "; ".join(some) for lang, some in said.items()}}
        )
        for rule, said in sorted(named_places(inst, rows, MOST).items())
    ]


MOST = 5
"""Places of a rule that a clash names."""
BY_GROUP = ("assignment", "open_band", "bands_together", "no_swap")
"""Rules whose rows are keyed by group; other whole numbers are pairs."""


def named(rule: str, key: object, names: dict[str, str]) -> str:
    """A row's key in words: schools and villages by name, the rest as it is."""
    parts = key if isinstance(key, tuple) else (key,)
    if rule == "bands_together":  # two groups of one village, a school, and which of the two goes there alone
        parts = (parts[0], parts[2])
    first = f"p{parts[0]}" if isinstance(parts[0], int) and rule not in BY_GROUP else str(parts[0])
    head = names.get(first, names.get(first.split("/")[0], first))
    return " ".join([head, *(names.get(str(p).split("/")[0], str(p)) for p in parts[1:])])


def clashing_rules(inst: Instance) -> list[Finding]:
    """An irreducible set of clashing rows, as rule ids with the places they concern."""
    search = Search(inst, Task(), whole=False)  # held, since its model's rows name themselves by it
    bridge = search.bridge
    bridge.relax(True)
    return clash_findings(inst, bridge.clash(), "cli.clash", "error")


def clash_in_words(inst: Instance) -> list[Finding]:
    """`clashing_rules`, with names of villages and schools for ids."""
    return clashing_rules(inst)


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
