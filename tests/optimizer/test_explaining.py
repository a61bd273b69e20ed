"""Explanations with known answers: seats, minutes, money, locks, forced decisions."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import optimizer.cli.console as console
import optimizer.cli.explaining as printing
import optimizer.cli.main as cli
import optimizer.cli.studies.alternatives as several
import optimizer.cli.studies.budgets as budgets
import optimizer.verbs.explain as explaining
from geodata.contract.county import County
from geodata.contract.findings import Finding, InputProblems
from geodata.messages import LANGUAGES
from models.problem.building import build_instance
from models.problem.request import Request
from models.study.analysis import Swap
from optimizer.infeasibility.elastic import Elastic, relaxations
from optimizer.infeasibility.impossible import Impossible, explain_request, why_impossible
from optimizer.scenario import Goal, Requirement, Scenario
from optimizer.search.split import exact_objective
from optimizer.solver.limits import Answer, Limits
from optimizer.study.study import Best, open_study
from optimizer.verbs.explain import best_of, contributions, explain_school
from optimizer.verbs.plan import Infeasible, StoppedWithoutPlan, plan
from tests.models.plans import ready
from tests.samples import frame, small_county
from tests.studies import ALONE, eased, eased_study, free, shut


def short_of_seats(missing: int) -> County:
    """A county whose two junior schools hold so many pupils too few."""
    stages = small_county().school_stage.copy()
    junior = stages["stage"] == "jun"
    stages.loc[junior, "capacity_pupils"] = [210 - missing, 150]
    stages.loc[junior, "classes"] = [4, 3]
    return replace(small_county(), school_stage=stages)


CLOSED = Scenario(close=("A2",), goals=(Goal(name="imbalance"),), gap=1e-4)
"""Village V4 has no other school in reach, and no site may close at all."""


@cache
def closed() -> Impossible:
    return explain_request(small_county(), CLOSED)


def keys(found: Impossible) -> list[str]:
    return [f.key for f in found.arithmetic]


def test_a_possible_request_has_nothing_in_its_way() -> None:
    assert explain_request(small_county(), ALONE).possible


def test_what_is_short_today_is_no_impossibility() -> None:
    """Today is always a plan: too few seats or no money answer no request."""
    assert explain_request(short_of_seats(40), ALONE).possible
    assert explain_request(small_county(budget=0.0), ALONE).possible


def test_a_requirement_that_no_plan_keeps_stands_in_the_way() -> None:
    """Explain knew nothing of requirements: nothing stood in the way of what plan refused."""
    asked = Scenario(goals=(Goal(name="cost"),), require=({"goal": "travel", "at_most": 1.0},))
    found = explain_request(small_county(), asked)
    (said,) = found.required
    assert not found.possible and not found.arithmetic
    assert (said.key, said.fields["goal"]) == ("cli.required", "travel")
    least = plan(small_county(), Scenario(goals=(Goal(name="travel"),), gap=1e-4)).solve.objective
    assert least - 1e-6 <= float(str(said.fields["least"])) <= least * 1.001
    assert not any(r.possible for r in found.relaxations)
    assert explain_request(
        small_county(), asked.model_copy(update={"require": (Requirement(goal="travel", at_most=20.0),)})
    ).possible


def test_a_closure_that_cannot_be_names_the_village_and_the_pace() -> None:
    assert {"analysis.cut_off", "analysis.pace_county"} <= set(keys(closed()))
    assert "甲镇V4村" in printing.told(closed().arithmetic[0], "en")
    assert "甲镇V4村" in printing.told(closed().arithmetic[0], "zh")


def test_minutes_missing_are_named_by_village() -> None:
    case = ready()
    inst = build_instance(case.county, case.standards, Request(close=("A2",)), case.times)
    found = why_impossible(inst, ALONE.task())
    cut = [f.fields for f in found.arithmetic if f.key == "analysis.cut_off"]
    assert {(f["village"], f["band"]) for f in cut} == {("甲镇V4村", "g1_3"), ("甲镇V4村", "g4_6")}
    least = next(r for r in found.relaxations if r.possible)
    more = [f.fields for f in least.findings if f.key == "analysis.lacks_minutes"]
    assert {f["village"] for f in more} == {"甲镇V4村"}
    for f in more:  # as many minutes as the arithmetic says
        sums = next(c for c in cut if c["band"] == f["band"])
        assert f["more"] == -(-(sums["minutes"] - sums["limit"]) // 1)


def test_ways_that_rules_bar_say_by_how_much_and_are_no_pairs() -> None:
    case = ready()
    inst = build_instance(case.county, case.standards, Request(), case.times)
    key = ["g", "school_id", "mode"]
    have = set(inst.pairs[~inst.pairs["stay"]][key].itertuples(index=False))
    assert len(inst.barred) and (inst.barred["excess"] > 0).all()
    assert not have & set(inst.barred[key].itertuples(index=False))


def test_too_many_closures_asked_for_are_counted() -> None:
    found = explain_request(small_county(), Scenario(close=("A3",), goals=ALONE.goals))
    assert [f.fields for f in found.arithmetic] == [{"asked": 1, "most": 0}]
    (enough,) = [r for r in found.relaxations if r.possible]
    assert (enough.families, enough.slack["pace"]) == (("pace",), pytest.approx(1.0))


def test_a_township_without_its_junior_school_cannot_be_relaxed_and_the_rule_is_named() -> None:
    found = explain_request(small_county(), Scenario(close=("A9",), goals=ALONE.goals))
    assert "analysis.last_junior" in keys(found)
    gives = {f.fields.get("rule") for r in found.relaxations if r.possible for f in r.findings}
    assert "junior_per_township" in gives | {f.fields["rule"] for f in found.clash}


def test_nothing_gives_where_nothing_has_to() -> None:
    case = ready()
    inst = build_instance(case.county, case.standards, Request(), case.times)
    assert relaxations(inst, ALONE.task()) == []


@pytest.mark.parametrize("after", [0, 1])
def test_a_relaxation_that_was_stopped_is_not_an_impossible_one(monkeypatch, after: int) -> None:
    """The search for what gives stopped at once or after the first family: neither is an answer."""
    done, least = [0], Elastic.least

    def stopped(self: Elastic, families: tuple[str, ...], limits: Limits) -> tuple[bool, Answer]:
        done[0] += 1
        if done[0] > after:
            return False, Answer("no_plan", np.nan, -np.inf, np.inf, 0.0, 0, False, None, True)
        return least(self, families, limits)

    monkeypatch.setattr(Elastic, "least", stopped)
    with pytest.raises(StoppedWithoutPlan):
        explain_request(small_county(), CLOSED)


# --- why this school -------------------------------------------------------------------------


@cache
def swapped() -> Swap:
    with eased():
        return explain_school(small_county(), "A3", scenario=ALONE, shares=(0.5, 2.0))


def test_a_forced_decision_costs_the_difference_of_two_solves() -> None:
    swap = swapped()
    assert (swap.forced, swap.possible) == ("closed", True)
    assert swap.objective == pytest.approx(free().made.objective, rel=1e-9)
    assert swap.forced_objective == pytest.approx(shut().made.objective, rel=1e-9)
    assert swap.forced_objective > swap.objective
    cost = swap.measures.set_index("measure").loc["cost"]
    yuan = [b.made.verdict.measures.set_index("measure").at["cost", "plan"] for b in (free(), shut())]
    assert cost["change"] == pytest.approx(yuan[1] - yuan[0])


def test_a_forced_decision_names_villages_and_binding_rules() -> None:
    swap = swapped()
    assert swap.villages[["village", "school_plan", "school_forced"]].to_numpy().tolist() == [
        ["甲镇V3村", "甲镇A3", "甲镇A1"]
    ]
    assert "closures_share" in set(swap.binding["rule"])  # one closure is all that 20 % of seven allows
    assert (swap.binding["price"].dropna() > 0).all()


def test_flips_are_looked_for_at_the_budgets_tried() -> None:
    assert swapped().flips["share"].tolist() == [0.5, 1.0, 2.0]
    assert swapped().flips["open"].tolist() == [True, True, True]


@cache
def best_as_it_is() -> Best:
    return best_of(open_study(small_county(), ALONE))


@pytest.fixture
def best_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan of the small county is made once for all questions about it; the decision forced the other way is made anew."""
    monkeypatch.setattr("optimizer.verbs.explain.best_of", lambda study: best_as_it_is())


@pytest.mark.usefixtures("best_known")
def test_an_impossible_decision_says_what_stands_in_the_way() -> None:
    swap = explain_school(small_county(), "A1", scenario=ALONE, shares=())
    assert not swap.possible
    said = [f.key for f in swap.reasons]
    assert said[0] == "analysis.not_small"
    assert "analysis.cut_off" in said
    assert (
        explain_school(small_county(), "B3", scenario=ALONE, shares=()).reasons[0].key == "analysis.protected"
    )


@pytest.mark.usefixtures("best_known")
def test_an_impossible_decision_stays_one_where_the_search_for_what_gives_is_stopped(monkeypatch) -> None:
    stopped = Answer("no_plan", np.nan, -np.inf, np.inf, 0.0, 0, False, None, True)
    monkeypatch.setattr(Elastic, "least", lambda *asked: (False, stopped))
    swap = explain_school(small_county(), "A9", scenario=ALONE, shares=())
    assert not swap.possible
    assert "analysis.last_junior" in {f.key for f in swap.reasons}


def test_what_an_action_is_worth_is_the_objective_without_it() -> None:
    study, made = eased_study(), free().made
    school = made.plan.purchases["school_id"].iloc[0]
    rows = contributions(made, study.instance, school).query("action == 'purchase'")
    kind = rows.iloc[0]["what"]
    bought = made.plan.purchases
    less = replace(made.plan, purchases=bought[~((bought["school_id"] == school) & (bought["kind"] == kind))])
    value = exact_objective(ready().judge(less).indicators, study.instance)
    assert rows.iloc[0]["contribution"] == pytest.approx(value - made.objective, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(("school", "instead"), [("X9", None), ("A3", "X9"), ("A3", "A3")])
def test_unknown_schools_are_bad_input(school: str, instead: str | None) -> None:
    with pytest.raises(InputProblems):
        explain_school(small_county(), school, instead)


def test_a_school_is_meant_by_its_name_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explaining, "open_study", lambda *_, **__: eased_study())
    monkeypatch.setattr(explaining, "_swap", lambda study, school, instead, shares: (school, instead))
    names = small_county().schools.set_index("school_id")["name"]
    assert explain_school(small_county(), str(names["A3"]), f"{names['A2']} [A2]") == ("A3", "A2")
    twice = replace(small_county(), schools=small_county().schools.assign(name="同名小学"))
    with pytest.raises(InputProblems):
        explain_school(twice, "同名小学")


# --- exit codes ------------------------------------------------------------------------------


def run(*arguments: object, language: str = "en") -> tuple[int, str]:
    result = CliRunner().invoke(cli.app, [*map(str, arguments), "--lang", language], env={"COLUMNS": "2000"})
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    return result.exit_code, re.sub(r"\s+", " ", result.output)


def test_an_explained_impossibility_is_3_and_a_possible_request_is_0(monkeypatch, county_folder) -> None:
    for language, said in (("en", "甲镇V4村"), ("zh", "甲镇V4村")):
        monkeypatch.setattr(printing, "explain_request", lambda *_: closed())
        code, output = run("explain", county_folder, language=language)
        assert code == console.INFEASIBLE and said in output
        monkeypatch.setattr(printing, "explain_request", lambda *_: Impossible((), (), ()))
        code, output = run("explain", county_folder, language=language)
        assert code == 0


@pytest.mark.parametrize("verb", ["explain_school", "make_frontier", "make_alternatives"])
def test_other_ends_keep_their_codes(monkeypatch, county_folder, tmp_path, verb: str) -> None:
    command = {
        "explain_school": ["explain", county_folder, "--why", "3418000040"],
        "make_frontier": ["frontier", county_folder, "--out", tmp_path / "out"],
        "make_alternatives": ["alternatives", county_folder, "--out", tmp_path / "out"],
    }[verb]
    module = {"explain_school": printing, "make_frontier": budgets, "make_alternatives": several}[verb]
    for problem, code in (
        (InputProblems([]), console.BAD_INPUT), (Infeasible([]), console.INFEASIBLE), (StoppedWithoutPlan("no_plan"), console.NO_PLAN),
    ):  # fmt: skip

        def end(*_, _problem=problem, **__):
            raise _problem

        monkeypatch.setattr(module, verb, end)
        assert run(*command)[0] == code
    assert not (tmp_path / "out").exists()


def test_instead_without_why_is_bad_usage(county_folder) -> None:
    assert run("explain", county_folder, "--instead", "3418000040")[0] == console.BAD_INPUT


def test_a_swap_is_told_in_both_languages(monkeypatch, county_folder) -> None:
    swap = swapped()
    names = {"A3": "甲镇A3"}
    for language, said in (("en", "甲镇A3 is kept in the plan"), ("zh", "方案中甲镇A3保留")):
        out = console.output(language)
        with out.console.capture() as capture:
            printing._print_swap(out, swap, names, 0.01)
        assert said in capture.get()


@pytest.mark.parametrize("language", LANGUAGES)
def test_explanations_have_no_needless_decimals_and_no_ids(language: str) -> None:
    fields = {
        "village": "V",
        "band": "g1_3",
        "school": "A1",
        "mode": "bus",
        "minutes": 41.0,
        "limit": 30.0,
        "pupils": 7,
    }
    cut = Finding("error", "analysis.cut_off", fields).text(language)
    assert {"41", "30"} <= set(re.findall(r"[\d.]+", cut)) and "30.0" not in cut
    gives = {"rule": "closure_max_pupils", "place": "甲镇A1 g4_6", "unit": "bands", "amount": 1}
    said = printing.told(Finding("error", "analysis.gives_way", gives), language)
    assert "g4_6" not in said and "甲镇A1 " in said
    out = console.output(language)
    with out.console.capture() as capture:
        printing._print_swap(out, swapped(), {"A3": "甲镇A3"}, 0.01)
    assert not re.search(r"\.000\b", capture.get())


def last_junior(kind: str, places: int = 600) -> County:
    """B9 is its township's last junior school; A9 has room and grounds for both, and nothing limits ways and pace."""
    stage = small_county().school_stage.copy()
    amounts = {"capacity_pupils": places, "area_teaching": 9000.0, "area_sport_ground": 9000.0}
    amounts |= {"equip_value": 2_000_000.0, "rooms_multimedia": 12}
    for column, value in amounts.items():
        stage.loc[stage["school_id"] == "A9", column] = value
    loose = {"closures_share": 1.0, "moved_share": 1.0, "travel_bus_g7_9": 900.0, "travel_increase": 900.0}
    rows = [{"id": n, "value": v, "kind": "hard"} for n, v in loose.items()]
    rows.append({"id": "junior_per_township", "value": 1.0, "kind": kind})
    rich = small_county(budget=30_000_000.0)  # 150 riders cost half a million
    return replace(rich, school_stage=stage, standards=frame("standards", rows))


@pytest.mark.parametrize("kind", ["report", "soft", "off"])
def test_a_township_may_lose_its_last_junior_school_where_that_is_only_told(kind: str) -> None:
    asked = Scenario(close=("B9",), goals=(Goal(name="cost"),))
    county = last_junior(kind)
    assert explain_request(county, asked).possible
    result = plan(county, asked)
    assert result.verdict.accepted
    told = result.verdict.violations.query("rule == 'junior_per_township'")
    assert told["place_id"].tolist() == ([] if kind == "off" else ["乙镇"])
    assert set(told["kind"]) == set() if kind == "off" else {kind}


def test_the_last_junior_school_stays_where_that_is_a_rule() -> None:
    found = explain_request(last_junior("hard"), Scenario(close=("B9",), goals=(Goal(name="cost"),)))
    assert [f.key for f in found.arithmetic] == ["analysis.last_junior"]
    assert not found.possible


def test_places_that_do_not_bind_make_nothing_impossible() -> None:
    """A9 has 300 places for 360 pupils: closing B9 is impossible only while places are a rule."""
    asked = Scenario(close=("B9",), goals=(Goal(name="cost"),))
    few = last_junior("report", places=300)
    assert not explain_request(few, asked).possible
    told = pd.concat(
        [
            few.standards,
            frame("standards", [{"id": n, "value": 1.0, "kind": "report"} for n in ("capacity", "rooms")]),
        ]
    )
    free = replace(few, standards=told.reset_index(drop=True))
    assert explain_request(free, asked).possible
    assert plan(free, asked).verdict.accepted


@pytest.mark.parametrize(("kind", "possible"), [("hard", False), ("report", True), ("off", True)])
def test_a_way_that_is_only_told_is_a_way(kind: str, possible: bool) -> None:
    """From B9's villages to A9 it is two hours by bus, more than an hour beyond the limit."""
    asked = Scenario(close=("B9",), goals=(Goal(name="cost"),))
    ways = [{"village_id": v, "school_id": "A9", "mode": "bus", "minutes": 120.0} for v in ("W1", "W2", "W3")]
    county = replace(last_junior("report"), travel_times=frame("travel_times", ways))
    table = county.standards
    bus = table["id"] == "travel_bus_g7_9"
    table = table.assign(value=table["value"].mask(bus, 45.0), kind=table["kind"].mask(bus, kind))
    county = replace(county, standards=table)
    assert explain_request(county, asked).possible == possible
    if possible:
        result = plan(county, asked)
        assert result.verdict.accepted
        assert result.verdict.travel.query("changed")["minutes"].max() == 120
