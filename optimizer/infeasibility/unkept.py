"""Decisions made by hand that cannot be kept: which of them, and the rules that they clash with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from geodata.contract.findings import Finding
from geodata.messages import LANGUAGES, say
from models.formulation.holding import impossible, pair_variables
from models.formulation.model import build_model
from models.plan.keeping import Held, decision_said
from models.plan.names import Names
from models.problem.instance import Instance
from models.rules.registry import every_rule
from optimizer.infeasibility.conflicts import named_places, why_infeasible
from optimizer.search.search import Search
from optimizer.search.task import Task

MOST = 20
"""Clashes that are looked for, one after the other."""
PLACES = 4


def why_unkept(inst: Instance) -> list[Finding]:
    """Why no plan keeps everything that is held; never empty.

    Each clash is irreducible: without one of its held decisions or rules the rest of it could hold. What clashes is set aside
    and the others are tried again, until they can all be kept.

    Parameters
    ----------
    inst : Instance
        Its request's ``held`` is proven to have no plan.

    Returns
    -------
    list of Finding
        First what is no decision of any plan, then the clashes; the reasons that have nothing to do with what is held alone.
    """
    bare = replace(inst, request=replace(inst.request, held=Held()))
    names = Names(inst.county)
    held, found = _possible(inst, names)
    for _ in range(MOST):
        clash = _clash(_holding(inst, held)) if held else []
        mine = sorted({key[0] for name, key in clash if name == "held"})
        if not mine:
            break
        rows = [held.rows.iloc[i].to_dict() for i in mine]
        found.append(_clash_said(inst, clash, rows, names))
        held = held.without({r["row_id"] for r in rows})
    if found:
        return found
    if held and _clash(bare):
        return why_infeasible(bare)
    rows = held.rows.to_dict("records")
    what = {lang: _listed([decision_said(r, names)[lang] for r in rows[:MOST]], lang) for lang in LANGUAGES}
    return [Finding("error", "held.whole", {"what": what, "count": len(rows)})]


def keepable(inst: Instance) -> tuple[Held, list[Finding]]:
    """As much of what is held as can be kept together, as far as the relaxation tells.

    Of each clash one decision gives way, the last in the order of the held rows, and the rest is tried again.

    Parameters
    ----------
    inst : Instance
        With what is to be kept in its request.

    Returns
    -------
    Held
    list of Finding
        Why each of the others gave way; as of `why_unkept`.
    """
    names = Names(inst.county)
    held, found = _possible(inst, names)
    while held:
        clash = _clash(_holding(inst, held))
        mine = sorted({key[0] for name, key in clash if name == "held"})
        if not mine:
            break
        rows = [held.rows.iloc[i].to_dict() for i in mine]
        found.append(_clash_said(inst, clash, rows[-1:], names))
        held = held.without({rows[-1]["row_id"]})
    return held, found


def _holding(inst: Instance, held: Held) -> Instance:
    return replace(inst, request=replace(inst.request, held=held))


def _possible(inst: Instance, names: Names) -> tuple[Held, list[Finding]]:
    """What is held without that which is no decision of any plan, and why that is not."""
    bare, held = _holding(inst, Held()), inst.request.held
    model = build_model(bare)
    pair_variables(model, bare, held)
    found: list[Finding] = []
    aside: set[str] = set()
    for one in impossible(inst, model, held):
        row = held.rows.iloc[one.row].to_dict()
        aside.add(row["row_id"])
        fields: dict[str, object] = {"what": decision_said(row, names), "most": f"{one.amount:g}"}
        found.append(Finding("error", f"held.{one.why}", fields))
    return held.without(aside), found


def _clash(inst: Instance) -> list[tuple[str, Any]]:
    """Rows of an irreducible clash of the relaxation; empty where it has a solution."""
    bridge = Search(inst, Task(), whole=False).bridge
    bridge.relax(True)
    return bridge.clash()


def _clash_said(
    inst: Instance, clash: list[tuple[str, Any]], rows: list[dict[Any, Any]], names: Names
) -> Finding:
    """One clash: the held decisions in it and the rules with places."""
    found = named_places(inst, clash, PLACES)
    rules = {r.id: found[r.id] for r in every_rule() if r.id in found}
    what: dict[str, str] = {}
    against: dict[str, str] = {}
    for language in LANGUAGES:
        what[language] = _listed([decision_said(r, names)[language] for r in rows], language)
        against[language] = _listed(
            [
                f"{say(f'rules.rule_{r}', language)} ({_listed(p[language], language)})"
                for r, p in rules.items()
            ],
            language,
        )
    key = "held.clash" if rules else "held.clash_alone"
    return Finding("error", key, {"what": what, "rules": against})


def _listed(words: list[str], language: str) -> str:
    return say("findings.comma", language).join(words)
