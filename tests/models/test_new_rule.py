"""A new rule is one file and one entry of a standards file: it is stated, checked, explained, listed and documented."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import models.rules
from geodata.standards import reading
from geodata.travel.times import travel_times
from maps.dossier.tables import rules as rules_sheet
from models.formulation.model import build_model
from models.plan.decisions import PlanResult, SolveRecord
from models.plan.reasons.actions import list_actions
from models.problem.building import build_instance
from models.problem.request import Request
from models.rules.registry import every_rule
from models.standards.norms import load_standards
from optimizer.infeasibility.impossible import explain_request
from optimizer.scenario import Goal, Scenario
from tests.models.plans import Case, broken_rules, closing, keep_all
from tests.samples import frame, small_county
from tests.test_docs import hooks

FILE = '''
"""Riders: no more pupils on the bus than the county has seats."""
from models.rules.record import Rule, Slack, Words, county_row, none


def _riders(rows):
    pairs = rows.inst.pairs
    bus = pairs[pairs["mode"] == "bus"]["pupils"].astype(float).to_dict()
    rows.add(["county"], lambda m, _: sum(n * m.attend[p] for p, n in bus.items()) <= rows.value("bus_seats"))


def check_riders(after):
    many = float(after.travel.loc[after.travel["mode"] == "bus", "pupils"].sum())
    most = after.number("bus_seats")
    return county_row(after, many, most, "pupils") if many > most else none()


RULES = (
    Rule(
        "bus_seats", "riding", check_riders, _riders, ("bus_seats",), Slack("pupils", "seats"),
        Words(zh=("校车座位", "乘车学生不超过座位数。"), en=("Bus seats", "No more pupils ride than there are seats.")),
    ),
)
'''
ENTRY = """
[[rule]]
id = "bus_seats"
quantity = "pupils who ride"
operator = "<="
value = 85
unit = "pupils"
kind = "hard"
source = "test"
tag = "A"
"""
TODAY = 45 + 22 + 12
"""Riders of the small county: V4's junior pupils, W3's of grades 4-6 and junior."""


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    """The small county in a program with one more rule; twelve pupils of A3 would ride to A1."""
    (tmp_path / "riding.py").write_text(FILE, encoding="utf-8")
    text = (Path(reading.__file__).parent / "cn_layout.toml").read_text(encoding="utf-8")
    more = reading.parse(text + ENTRY, "cn_layout.toml")
    bundled = reading.read_bundled
    monkeypatch.setattr(models.rules, "__path__", [*models.rules.__path__, str(tmp_path)])
    monkeypatch.setattr(reading, "read_bundled", lambda name: more if name == "cn_layout" else bundled(name))
    caches = (every_rule, reading.rule_families)
    for one in caches:
        one.cache_clear()
    share = frame("standards", [{"id": "closures_share", "value": 0.2, "kind": "hard"}])
    county = small_county()
    object.__setattr__(county, "standards", share)
    yield Case(county, load_standards(county), travel_times(county))
    monkeypatch.undo()
    sys.modules.pop("models.rules.riding", None)
    for one in caches:
        one.cache_clear()


def test_it_is_stated_and_checked(case: Case) -> None:
    inst = build_instance(case.county, case.standards, Request(goals=("failing",)), case.times)
    model = build_model(inst)
    assert len(model.bus_seats) == 1
    soft = case.binding(bus_seats="soft")
    eased = build_model(build_instance(soft.county, soft.standards, Request(), soft.times))
    assert [s.norm for s in eased.softened] == ["bus_seats"]
    assert case.judge(keep_all(case)).accepted
    shut = case.judge(closing(case))
    assert broken_rules(shut) == ["bus_seats"]
    assert shut.violations.query("rule == 'bus_seats'")[["amount", "limit"]].to_numpy().tolist() == [
        [TODAY + 12, 85]
    ]
    assert case.binding(bus_seats="report").judge(closing(case)).accepted
    assert "bus_seats" not in set(case.binding(bus_seats="off").judge(closing(case)).rules["rule"])


def test_explain_says_how_far_it_would_have_to_give_way(case: Case) -> None:
    asked = Scenario(close=("A3",), goals=(Goal(name="cost"),))
    found = explain_request(case.county, asked, case.times)
    ways = [w for w in found.relaxations if w.possible]
    assert [w.families for w in ways] == [("seats",)]
    said = [(f.fields["rule"], f.fields["amount"]) for f in ways[0].findings]
    assert said == [("bus_seats", TODAY + 12 - 85)]
    assert (
        ways[0]
        .findings[0]
        .sentence("en")
        .startswith("试县: the rule 'Bus seats' would have to give way by 6 pupils")
    )
    assert "校车座位" in ways[0].findings[0].sentence("zh")
    assert any("Bus seats" in f.sentence("en") for f in found.clash)


def test_the_docs_page_and_the_dossier_list_it(case: Case) -> None:
    assert (
        "| `bus_seats` | **Bus seats**. No more pupils ride than there are seats. | hard | `bus_seats` |"
        in hooks().rules()
    )
    plan = keep_all(case)
    verdict = case.judge(plan)
    solve = SolveRecord(1.0, 0.0, 1.0, 1.0, "stopped", "none", 0, ())
    actions = list_actions(case.county, plan, verdict, case.standards)
    result = PlanResult(case.county, {}, plan, verdict, solve, case.times, actions, ())
    assert "校车座位" in list(rules_sheet(result, "zh").table.iloc[:, 0])
