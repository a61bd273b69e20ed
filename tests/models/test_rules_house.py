"""The house of rules: each states rows or bars ways, means the same at every kind of its norms, and has words."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pyomo.environ as pyo
import pytest

from geodata.messages import LANGUAGES, say
from geodata.standards.reading import bundled, read_bundled
from models.formulation.model import build_model
from models.problem.building import build_instance
from models.problem.instance import Instance
from models.problem.request import Request
from models.rules.record import PART, Rule, rule_of
from models.rules.registry import every_rule
from models.standards.norms import Standards, load_standards
from tests.counties import bundled_county
from tests.models.plans import Case, bands_apart, keep_all, ready, three_midway
from tests.samples import KM_LON, LON0, small_county

FORM = {"known_ids", "whole_numbers"}
"""Rules about the form of a plan, which a model cannot break."""
CHINA, ENGLAND, VIRGINIA = (
    ("cn_2017_quality", "cn_layout"), ("uk_england", "cn_layout"), ("us_wv", "cn_layout"),
)  # fmt: skip
LIMITS = {
    CHINA: {"travel_walk_g7_9": 50.0, "travel_bus_g1_3": 18.0, "travel_bus_g4_6": 18.0, "travel_bus_g7_9": 18.0},
    ENGLAND: {
        "travel_walk_under_8": 30.0, "travel_walk_y3_6": 40.0, "travel_walk_y7_11": 50.0, "travel_bus_under_8": 18.0,
        "travel_bus_y3_6": 18.0, "travel_bus_y7_11": 18.0,
    },
    VIRGINIA: {
        "travel_walk_k_5": 30.0, "travel_walk_g6_8": 50.0, "travel_walk_g9_12": 50.0, "travel_bus_k_5": 18.0,
        "travel_bus_g6_8": 18.0, "travel_bus_g9_12": 18.0,
    },
}  # fmt: skip
"""So that a way of every band and mode is beyond its limit."""
LOWEST = {CHINA: "1-2", ENGLAND: "0-1", VIRGINIA: "K-1"}
"""Grades of a point that does not teach the whole of its band."""


@cache
def county(names: tuple[str, ...] = CHINA) -> Case:
    """The small county under some standards, changed so that every norm has something to say."""
    plain = bundled_county(names)
    if names == CHINA:
        plain = three_midway(bands_apart(plain))
    schools, stock = plain.schools.copy(), plain.staff_stock.copy()
    for school, kind, built in (
        ("A2", "primary", 2015),
        ("A9", "nine_year", 2015),
        ("B9", "nine_year", 2000),
    ):
        schools.loc[schools["school_id"] == school, ["kind", "built_year"]] = [kind, built]
    schools.loc[schools["school_id"] == "B3", "grades_served"] = LOWEST[names]
    schools.loc[schools["school_id"] == "B9", "lon"] = LON0 + 7 * KM_LON  # an hour's walk from V4
    stock["eligible_rotation"] = 1
    stock.loc[stock["school_id"] == "A3", "near_retirement"] = 1
    budget = plain.budget.assign(one_off=plain.budget["earmark"] == "transport")
    changed = replace(plain, schools=schools, staff_stock=stock, budget=budget)
    case = ready(changed).with_rules(**LIMITS[names])
    # what these standards have told only is stated like any other here
    told = [n for n in governed(case.standards) if case.standards.kind(n) == "report"]
    return case.binding(**dict.fromkeys(told, "hard"))


def instance(case: Case) -> Instance:
    return build_instance(case.county, case.standards, Request(goals=("failing",)), case.times)


def said(case: Case) -> tuple[pyo.ConcreteModel, Instance]:
    inst = instance(case)
    return build_model(inst), inst


@cache
def hard(names: tuple[str, ...], off: tuple[str, ...]) -> tuple[pyo.ConcreteModel, Instance]:
    """The changed county with every norm as it is, but for some that are off."""
    return said(county(names).binding(**dict.fromkeys(off, "off")))


def components(model: pyo.ConcreteModel) -> set[str]:
    """Components of rules that have rows."""
    return {c.local_name for c in model.component_objects(pyo.Constraint, active=True) if len(c)}


def governed(standards: Standards) -> list[str]:
    """Norms that a rule governs."""
    return [n for r in every_rule() for n in r.norm_ids(standards) if n in standards.rules]


NORMS = governed(county().standards)
OWN = [
    (names, n)
    for names in (ENGLAND, VIRGINIA)
    for n in governed(county(names).standards)
    if n in {r.id for r in read_bundled(names[0]).rule}
]
"""Norms of the other bundled files; the layout's are tried under the default standards."""


def of_norm(norm: str, standards: Standards) -> Rule:
    """The rule that a norm governs."""
    return next(r for r in every_rule() if norm in r.norm_ids(standards))


def parts(rule: Rule, norm: str, standards: Standards) -> set[str]:
    """Names of the components that a norm of a rule states."""
    if len(rule.norm_ids(standards)) == 1:
        return {rule.id}
    last = norm.rsplit("_", 1)[1]
    return {f"{rule.id}{PART}{p}" for p in (norm, last, f"{last}_combined")}


def rows_of(model: pyo.ConcreteModel, inst: Instance, norm: str) -> int:
    """Rows that a norm states, and ways that it bars or makes conditional."""
    rule = of_norm(norm, inst.standards)
    if rule.id == "travel_limit":
        _, mode, band = norm.split("_", 2)
        ways = inst.barred[inst.barred["rule"] == rule.id]
        return int(((ways["mode"] == mode) & (ways["band"] == band)).sum())
    names = parts(rule, norm, inst.standards)
    mine = {n for n in components(model) if n in names or (names == {rule.id} and rule_of(n) == rule.id)}
    rows = sum(len(model.component(n)) for n in mine)
    return rows + int((inst.barred["rule"] == rule.id).sum()) + int((inst.past["rule"] == rule.id).sum())


@cache
def loosely() -> tuple[tuple[pyo.ConcreteModel, Instance], ...]:
    """The county as it is, and with rules of access out of the way, so that others have ways to speak of."""
    some = county().binding(travel_increase="off")
    far = county().binding(**dict.fromkeys([n for n in NORMS if n.startswith("travel_")], "off"))
    bare = some.binding(past_own_school="off", past_nearer_school="off")
    plain = county()
    grouped = ready(replace(plain.county, attendance=plain.county.attendance.assign(group="one")))
    return said(plain), said(some), said(bare), said(far.binding(past_own_school="off")), said(grouped)


@pytest.mark.parametrize("rule", [r for r in every_rule() if r.id not in FORM], ids=lambda r: r.id)
def test_every_rule_states_rows_or_bars_ways(rule: Rule) -> None:
    found = 0
    for model, inst in loosely():
        found += sum(len(model.component(n)) for n in components(model) if rule_of(n) == rule.id)
        found += model.barred.get(rule.id, 0) + int((inst.past["rule"] == rule.id).sum())
    assert found > 0


def told_only(names: tuple[str, ...], norm: str) -> str:
    """The norm that reports while this one is soft: the next that is no rule of access; for those, and a last one, itself."""
    mine = [
        n for n in governed(county(names).standards) if of_norm(n, county(names).standards).family != "access"
    ]
    return mine[(mine.index(norm) + 1) % len(mine)] if norm in mine else norm


@pytest.mark.parametrize(("names", "norm"), [*((CHINA, n) for n in NORMS), *OWN])
def test_a_norm_means_the_same_everywhere(names: tuple[str, ...], norm: str) -> None:
    """Hard: rows. Report: none. Soft: rows with a slack that the model names."""
    here = county(names)
    rule = of_norm(norm, here.standards)
    # other rules of access may bar the same ways: they are off, so that this norm alone speaks of them
    others = [n for n in ("travel_increase", "past_own_school", "past_nearer_school") if n != norm]
    if norm == "past_nearer_school":  # within the limits nobody of this county passes a school
        others += [n for n in NORMS if n.startswith("travel_") and n not in others]
    # nobody of this county who walks with another band of the village may leave the own school: no ways to tie
    off = tuple(others) if rule.family == "access" else ("past_own_school",) * (norm == "bands_together")
    case, told = here.binding(**dict.fromkeys(off, "off")), told_only(names, norm)
    assert rows_of(*hard(names, off), norm) > 0
    model, inst = said(case.binding(**{told: "report", norm: "soft"}))
    if told == norm:
        assert rows_of(*said(case.binding(**{norm: "report"})), norm) == 0
    else:
        assert rows_of(model, inst, told) == 0
    mine = [s for s in model.softened if s.norm == norm]
    assert mine and all(s.rule == rule.id and not s.hard and len(s.slacks) for s in mine)
    assert {s.norm for s in model.softened} == {norm}


def test_every_norm_is_told_only_once() -> None:
    tried = [(names, told_only(names, n)) for names, n in [*((CHINA, n) for n in NORMS), *OWN]]
    assert {(CHINA, n) for n in NORMS} <= set(tried)


def test_every_bundled_file_is_tried() -> None:
    """The standards of 2012 name no norm that a rule governs: its limits are measures."""
    tried = {CHINA[0], CHINA[1], ENGLAND[0], VIRGINIA[0]}
    assert set(bundled()) - tried == {"cn_2012_basic"}
    basic = load_standards(replace(small_county(), standard_files=("cn_2012_basic",)))
    assert governed(basic) == [] and set(basic.rules) == {"assessed_min", "cv_mean_pri", "cv_mean_jun"}
    assert len(OWN) == 6 + 7


def test_norms_that_are_off_are_neither_stated_nor_checked() -> None:
    case = county().binding(**dict.fromkeys(NORMS, "off"))
    always = {r.id for r in every_rule() if not r.norms}
    model, inst = said(case)
    ids = {r.id for r in every_rule()}
    assert {rule_of(n) for n in components(model)} & ids <= always
    assert inst.barred.empty and inst.past.empty and inst.softened.empty and not model.softened
    assert set(case.judge(keep_all(case)).rules["rule"]) == always


def test_norms_that_are_told_only_are_checked_and_not_stated() -> None:
    case = county().binding(**dict.fromkeys(NORMS, "report"))
    model, inst = said(case)
    assert {rule_of(n) for n in components(model)} & {r.id for r in every_rule() if r.norms} == set()
    assert inst.barred.empty and inst.past.empty
    apart = {"group_access"}  # no such norm where no groups are told apart
    assert set(case.judge(keep_all(case)).rules["rule"]) == {r.id for r in every_rule()} - apart


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_rule_has_words(language: str) -> None:
    for rule in every_rule():
        assert say(f"rules.rule_{rule.id}", language)
        assert say(f"rules.rule_{rule.id}_about", language)
