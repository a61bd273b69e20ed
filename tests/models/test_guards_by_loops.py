"""Three guards, plan by plan: what the model's rows admit, what plain loops say and what the referee says are the same.

`moved_share` and `floor_no_outflow` over the plans of `tests.tiny`; `past_nearer_school` over every way that small children of four
villages of `tests.full_counties.four` could take, whatever else it breaks.
"""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache
from itertools import product

import pyomo.environ as pyo
import pytest

from models.formulation.model import build_model
from models.problem.building import build_instance
from models.problem.instance import Instance
from models.problem.request import Request
from models.rules.record import rule_of
from models.rules.registry import rule
from tests import tiny
from tests.full_counties import four, tables_of
from tests.models.plans import Case, keep_all, send
from tests.tiny import Made

LOOSE = ("travel_limit", "travel_increase", "past_own_school", "past_nearer_school")


@cache
def stated(name: str) -> tuple[pyo.ConcreteModel, Instance]:
    case = tiny.case().binding(past_own_school="off", past_nearer_school="off") if name == "three" else wide()
    inst = build_instance(case.county, case.standards, Request(goals=("cost",)), case.times)
    return build_model(inst), inst


def kept(model: pyo.ConcreteModel, rule_id: str) -> bool:
    """Whether the rows of a rule hold at the values of the columns."""
    rows = [
        c
        for c in model.component_data_objects(pyo.Constraint, active=True)
        if rule_of(c.parent_component().local_name) == rule_id
    ]
    assert (
        rows or rule_id == "past_nearer_school"
    )  # of which a way past a school that stays for certain has none
    return all(c.lslack() >= -1e-9 and c.uslack() >= -1e-9 for c in rows)


def choose(
    model: pyo.ConcreteModel, inst: Instance, ways: dict[tuple[str, str], tuple[str, str]], shut: set[str]
) -> bool:
    """Set the ways (by village and band; the others stay) and who is open; False where the model has no such way."""
    for k in model.open:
        model.open[k].value = float(k[0] not in shut)
    for u in model.unit_open:
        model.unit_open[u].value = float(u.split("/")[0] not in shut)
    for g, one in inst.groups.iterrows():
        mine = inst.pairs[inst.pairs["g"] == g]
        to = ways.get((one["village_id"], one["band"])) if one["main"] else None
        to = to or (one["today_school_id"], one["today_mode"])
        here = (mine["school_id"] == to[0]) & (mine["mode"] == to[1])
        if len(mine) and not here.any():
            return False
        for p in mine.index:
            model.attend[p].value = float(here[p])
    return True


def of_tiny(made: Made) -> tuple[pyo.ConcreteModel, bool]:
    model, inst = stated("three")
    ways = {(v, tiny.BAND): to for v, to in made.way.items()}
    had = choose(model, inst, ways, {j for j in tiny.SITES if not made.open(j)})
    for columns, end in ((model.out, 0), (model.into, 1)):
        for u, c in columns:
            columns[u, c].value = float(
                sum(m[3] for m in made.moves if f"{m[end]}/{tiny.STAGE}" == u and m[2] == c)
            )
    for k in model.hire:
        model.hire[k].value = 0.0
    return model, had


def moved_too_many(made: Made) -> bool:
    moved = sum(n for v, home, n in tiny.GOING if made.way[v][0] != home)
    return moved > 0.25 * sum(tiny.PUPILS.values())


def draws_away(made: Made) -> bool:
    return "floor_no_outflow" in tiny._of_staff(made)


def drained() -> list[Made]:
    """Today, but that a qualified or a backbone teacher goes from somewhere to somewhere else."""
    today = next(
        m
        for m in tiny.every()
        if all(m.way[v] == (j, tiny.today_mode(v, j)) for v, j, _ in tiny.GOING) and not m.moves
    )
    return [replace(today, moves=((a, b, c, 1),)) for a, b in product(tiny.SITES, repeat=2) if a != b
            for c in ("plain_q", "backbone", "arts") if tiny.HEADS[a].get(c)]  # fmt: skip


def same(made: Made, rule_id: str, wrong: bool, referee: bool) -> None:
    model, had = of_tiny(made)
    assert had
    assert kept(model, rule_id) != wrong, made
    if referee:
        after = tiny.case().tried(tiny.as_plan(made)).after
        assert (len(rule(rule_id).check(after)) > 0) == wrong, made


def test_moved_share() -> None:
    one_each = list({m.ways: m for m in tiny.every()}.values())
    wrong = [moved_too_many(m) for m in one_each]
    assert 3 < sum(wrong) < len(wrong) - 3
    told = set(random.Random(1).sample(range(len(one_each)), 6)) | {wrong.index(True), wrong.index(False)}
    for n, made in enumerate(one_each):
        same(made, "moved_share", wrong[n], n in told)


def test_floor_no_outflow() -> None:
    some = drained()
    wrong = [draws_away(m) for m in some]
    assert 2 < sum(wrong) < len(wrong)
    for made, is_wrong in zip(some, wrong, strict=True):
        same(made, "floor_no_outflow", is_wrong, True)


# ---- past_nearer_school


def wide() -> Case:
    """Ways may be of any length and go past the own school: the guard alone says no."""
    return (
        four()
        .with_rules(travel_bus_g1_3=200)
        .binding(travel_increase="off", past_own_school="off", bands_together="off")
    )


def goes_past(village: str, to: tuple[str, str], n: int) -> bool:
    """By the page on access: k has places, is within its limit and nearer by more than five minutes, or within a walk that is ridden past."""
    t = tables_of("four")
    home = next(str(g["home"]) for g in t.groups if (g["v"], g["band"]) == (village, "g1_3") and g["own"])
    took = t.way[village, to[0], "g1_3", to[1]]
    walks = to[1] == "walk" and took <= 30
    for k in ("A1", "A2", "A3"):
        free = t.units[k, "pri"]["capacity_pupils"] - t.units[k, "pri"]["n"]
        if k in (to[0], home) or to[0] == home or free < n:
            continue
        walk, bus = (t.way.get((village, k, "g1_3", m), 999.0) for m in ("walk", "bus"))
        near = [walk] if walk <= 30 else [] if walks else [bus]
        if any(took > x + 5 for x in near) or (to[1] == "bus" and walk <= 30):
            return True
    return False


@pytest.mark.parametrize(("village", "pupils"), [("V2", 50), ("V4", 60), ("V5", 6), ("V6", 8)])
def test_past_nearer_school(village: str, pupils: int) -> None:
    """Every school and mode: a way that goes past is no way of the model's, or one with a row while the nearer school is open."""
    case, (model, inst) = wide(), stated("four")
    assert (case.standards.value("travel_bus_g1_3"), inst.request.goals) == (200, ("cost",))
    for j, mode in product(("A1", "A2", "A3"), ("walk", "bus")):
        if (village, j, "g1_3", mode) not in tables_of("four").way:
            continue
        ways = {(village, "g1_3"): (j, mode)}
        after = case.tried(send(keep_all(case), village, "g1_3", j, mode)).after
        others = [
            r
            for r in LOOSE
            if r != "past_nearer_school"
            and len(bad := rule(r).check(after))
            and not bad["grandfathered"].all()
        ]
        wrong = goes_past(village, (j, mode), pupils)
        assert (len(rule("past_nearer_school").check(after)) > 0) == wrong, (j, mode)
        if not others:
            had = choose(model, inst, ways, set())
            home = inst.groups.query("village_id == @village and band == 'g1_3' and main").iloc[0]
            if (j, mode) != (home["today_school_id"], home["today_mode"]) and j == home["today_school_id"]:
                continue  # another mode to the own school is offered where it is quicker
            assert (had and kept(model, "past_nearer_school")) != wrong, (j, mode)
