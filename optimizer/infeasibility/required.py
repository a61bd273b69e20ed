"""Requirements that no plan keeps: which of them, and the least that can be reached."""

from __future__ import annotations

import math
from dataclasses import replace

from geodata.contract.findings import Finding
from models.plan.decisions import GoalRecord
from models.problem.instance import Instance
from optimizer.search.solved import NoPlan
from optimizer.search.steps import find_plan
from optimizer.search.task import Required, Target, Task

DIGITS = 4
"""Digits of a least value that is told, rounded up: a plan reaches what is told."""


def unmet(inst: Instance, task: Task) -> list[Finding]:
    """Which requirements no plan keeps, with the least that can be reached.

    Parameters
    ----------
    inst : Instance
    task : Task
        Proven to have no plan.

    Returns
    -------
    list of Finding
        Empty where there is no plan without the requirements either, or that is not known.
    """
    found, reached = [], 0
    for one in task.required:
        goal = (Target(one.goal, gap=task.method.elastic_gap),)
        try:
            alone = find_plan(inst, replace(task, goals=goal, required=()), settle=False)
        except NoPlan:
            return []
        line = alone.decided.goals[0]
        asked = one.most(alone.county.bridge.costs[one.goal][1])
        room = task.method.tolerance * max(1.0, abs(asked))
        reached += line.objective <= asked + room
        # a single requirement is what there is no plan with, also where its own bound does not say so
        if line.bound > asked + room or (len(task.required) == 1 and line.objective > asked + room):
            found.append(_said(one, line, asked))
    if found or not task.required:
        return found
    together = 1 < len(task.required) == reached
    return [Finding("error", "cli.required_together" if together else "cli.required_open")]


def why_unmet(inst: Instance, task: Task) -> list[Finding]:
    """The same where it is not known yet whether there is a plan; empty where there is one.

    Raises
    ------
    NoPlan
        Stopped before it was known.
    """
    try:
        find_plan(inst, replace(task, goals=(Target(task.required[0].goal, gap=0.5),)))
    except NoPlan as stop:
        if stop.status != "infeasible":
            raise
        return unmet(inst, task)
    return []


def _said(one: Required, line: GoalRecord, asked: float) -> Finding:
    """One requirement: as it was asked, and what can be reached."""
    proven = line.status == "proven"
    fields: dict[str, object] = {"goal": one.goal, "asked": f"{asked:g}", "least": _up(line.objective)}
    if one.at_least is not None:  # said as it was asked: how many must not fail, of those that count
        counted = round(asked) + one.at_least
        fields |= {"asked": one.at_least, "counted": counted, "most": counted - round(line.objective)}
    key = "cli.required" if one.at_least is None else "cli.required_count"
    return Finding("error", key if proven else f"{key}_found", fields)


def _up(value: float) -> str:
    """A number in a few digits, not below itself."""
    if value <= 0:
        return f"{value:g}"
    step = 10.0 ** (math.floor(math.log10(value)) + 1 - DIGITS)
    return f"{math.ceil(value / step - 1e-6) * step:.12g}"
