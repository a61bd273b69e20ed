"""Decisions turned round in a county of four sites: flips that can be reckoned by hand, and "because" only where it is proven."""

from __future__ import annotations

import json
import math
import re
import shutil
import time
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import optimizer.cli.console as console
import optimizer.cli.main as cli
import optimizer.why.turning as turning
from geodata.contract.county import County
from geodata.contract.findings import InputProblems
from geodata.folder.reading import read_county
from geodata.travel.times import travel_times
from maps.dossier.dossier import save_plan
from maps.why.words import answer_said, flip_said
from models.formulation.solution import unpack
from models.plan.arrangement import today_as_plan
from models.plan.decisions import Plan, PlanResult
from models.problem.building import build_instance
from models.problem.request import Request
from models.standards.norms import load_standards
from models.study.why import Flip, Turned, Whys
from optimizer.scenario import Goal, Scenario
from optimizer.search.steps import find_plan
from optimizer.search.task import Target, Task
from optimizer.solver.limits import Limits
from optimizer.verbs.plan import plan
from optimizer.verbs.why import Recorded, changed_places, places_meant, recorded_plan, why
from optimizer.why.changes import Quantity, changed
from optimizer.why.decisions import Decision, children, ways_to_leave
from optimizer.why.flips import find_flip
from optimizer.why.ground import Reached
from tests.samples import frame, small_county


def four_sites(budget: float = 3_000_000.0, small: float = 200.0) -> County:
    """The first township of the small county: A1, A2, the point A3 and the junior school A9; a third of the sites may close."""
    county = small_county(budget)
    tables = {}
    for name, table in county.tables().items():
        for column in ("school_id", "village_id"):
            if column in table:
                table = table[table[column].str[0].isin(["A", "V"])]
        tables[name] = table.reset_index(drop=True)
    rules = {
        "closures_share": 0.34,
        "moved_share": 0.5,
        "closure_max_pupils": small,
        "junior_per_township": 0.0,
    }
    about = {"quantity": "pupils", "operator": "<=", "unit": "1", "source": "test"}
    rows = [{"id": n, "value": v, "kind": "hard" if v else "off", **about} for n, v in rules.items()]
    return replace(county, **{**tables, "standards": frame("standards", rows)})


def with_pupils(county: County, village: str, school: str, pupils: int, places: int) -> County:
    """The small children of a village attend a school that has so many places."""
    going, demand, stage = county.attendance.copy(), county.demand.copy(), county.school_stage.copy()
    mine = (going["village_id"] == village) & (going["band"] == "g1_3")
    going.loc[mine, ["school_id", "pupils"]] = [school, pupils]
    demand.loc[(demand["village_id"] == village) & (demand["band"] == "g1_3"), "pupils_base"] = pupils
    stage.loc[stage["school_id"] == school, "capacity_pupils"] = places
    going = going.sort_values(["village_id", "school_id", "band"]).reset_index(drop=True)
    return replace(county, attendance=going, demand=demand, school_stage=stage)


def asked(*goals: str) -> Scenario:
    return Scenario(goals=tuple(Goal(name=g) for g in goals), gap=1e-4)


@cache
def overfull() -> tuple[County, Plan]:
    """A3 holds 50 pupils in 30 places; only schools below 50 may close, and only closing would help."""
    county = with_pupils(four_sites(small=50), "V3", "A3", 50, 30)
    return county, planned(county, asked("over_cap"))


def told(county: County, made: Plan, scenario: Scenario, **more: object) -> Whys:
    return why(county, Recorded(made, scenario, {}, {}), seconds=120, **more)  # type: ignore[arg-type]


def flip_of(turned: Turned, quantity: str) -> Flip:
    return next(f for f in turned.flips if f.quantity == quantity)


def test_a_school_that_stays_with_fifty_pupils_closes_with_forty_nine() -> None:
    county, made = overfull()
    assert made.bands["open"].all()
    (place,) = told(county, made, asked("over_cap"), schools=("A3",)).places
    (turned,) = place.turned
    assert (turned.kind, turned.outcome, turned.because) == ("stays", "no_choice", True)
    assert [f.key for f in turned.reasons] == ["analysis.not_small"]
    (flip,) = turned.flips
    assert (flip.quantity, flip.status, flip.below, flip.at) == ("pupils", "flips", 0.0, -1.0)
    assert flip.tried == ((-1.0, "other"),)
    # and that is what the plan itself decides with one pupil fewer
    fewer = with_pupils(county, "V3", "A3", 49, 30)
    assert not planned(fewer, asked("over_cap")).bands.set_index("school_id").loc["A3", "open"]


def near_a3(places: int, budget: float = 3_000_000.0) -> County:
    """V3 fills 10 places of A3; the 12 small children of V5 beside it ride to A1."""
    county = with_pupils(four_sites(budget), "V3", "A3", 10, places)
    village = county.villages[county.villages["village_id"] == "V3"].assign(village_id="V5", name="甲镇V5村")
    rows = {
        "villages": village, "demand": frame("demand", [{"village_id": "V5", "band": "g1_3", "year": 2025, "pupils_base": 12}]),
        "attendance": frame("attendance", [{"village_id": "V5", "school_id": "A1", "band": "g1_3", "pupils": 12}]),
    }  # fmt: skip
    tables = {n: pd.concat([getattr(county, n), t]).reset_index(drop=True) for n, t in rows.items()}
    going = tables["attendance"].sort_values(["village_id", "school_id", "band"]).reset_index(drop=True)
    return replace(county, **{**tables, "attendance": going})


def planned(county: County, scenario: Scenario) -> Plan:
    """The plan without its costs and reasons."""
    standards, times = load_standards(county), travel_times(county)
    found = find_plan(build_instance(county, standards, scenario.request(), times), scenario.task())
    return unpack(found.final.loaded(), found.final.instance, times.towns)


@cache
def one_place_short() -> Whys:
    county, scenario = near_a3(places=21), asked("travel")
    return told(county, planned(county, scenario), scenario, villages=("V5",), flips=("places",))


def test_one_place_more_flips_where_a_village_goes() -> None:
    whys = one_place_short()
    (turned,) = whys.places[0].turned
    assert (turned.kind, turned.school_id, turned.next_id) == ("goes", "A1", "A3")
    assert (turned.outcome, turned.because) == ("impossible", True)
    flip = flip_of(turned, "places")
    assert (flip.place_id, flip.other_id, flip.status, flip.below, flip.at) == (
        "A3",
        "pri",
        "flips",
        0.0,
        1.0,
    )
    moved = planned(near_a3(places=22), asked("travel")).attendance
    went = moved[moved["village_id"] == "V5"]
    assert went["school_id"].tolist() == ["A3"]


@pytest.mark.parametrize("sent", [True, False])
def test_only_children_who_may_go_elsewhere_are_asked_to(sent: bool) -> None:
    """The junior pupils of a village have no other school than the one that its small children change to, or are at."""
    groups = pd.DataFrame(
        {
            "village_id": "V1",
            "band": ["g1_3", "g7_9"],
            "group": "zone",
            "today_school_id": ["A1" if sent else "A9", "A9"],
        }
    )
    pairs = pd.DataFrame({"g": [0, 0, 1], "school_id": ["A1", "A9", "A9"]})
    made = SimpleNamespace(attendance=groups.assign(school_id="A9", pupils=[20, 30]))
    ground, one = (
        SimpleNamespace(inst=SimpleNamespace(groups=groups, pairs=pairs)),
        Decision("goes", "A9", "V1"),
    )
    assert list(children(made, one)["band"]) == (["g1_3"] if sent else ["g1_3", "g7_9"])  # type: ignore[arg-type]
    assert list(ways_to_leave(ground, made, one).index) == [1]  # type: ignore[arg-type]


def test_rules_and_barred_ways_are_told() -> None:
    turned = one_place_short().places[0].turned[0]
    said = turned.rules.set_index("rule")
    assert {"capacity", "travel_limit"} & set(said.index)
    assert set(said["plan"]) <= {"free", "limit", "eased", "broken"}
    assert (turned.barred["village_id"] == "V5").all() and len(turned.barred)
    assert set(turned.barred["rule"]) <= {
        "travel_limit",
        "travel_increase",
        "past_own_school",
        "past_nearer_school",
    }


def test_money_for_the_change_of_school_flips_it() -> None:
    """Twelve pupils who change school are paid 9,600 yuan; there is no money at all."""
    county, scenario = near_a3(places=60, budget=0.0), asked("travel")
    (turned,) = (
        told(county, planned(county, scenario), scenario, villages=("V5",), flips=("money",)).places[0].turned
    )
    flip = flip_of(turned, "money")
    assert flip.status == "flips"
    assert flip.below < 9_600 <= flip.at
    assert flip.at - flip.below <= flip.step * (1 + 1e-9) and flip.step == 1_000_000 / 64


@cache
def closing_dear() -> tuple[County, PlanResult, Whys]:
    county, scenario = four_sites(), asked("cost", "travel")
    result = plan(county, scenario)
    return county, result, told(county, result.plan, scenario, schools=("A3",), flips=())


def test_because_has_the_bound_of_the_plan_that_is_made_with_the_other_decision() -> None:
    county, result, whys = closing_dear()
    (turned,) = whys.places[0].turned
    assert (turned.outcome, turned.goal, turned.whole, turned.accepted) == ("plan", "cost", True, True)
    row = turned.goals.set_index("goal").loc["cost"]
    forced = find_plan(
        build_instance(county, load_standards(county), Request(close=("A3",), goals=("cost",)), result.times),
        Task((Target("cost"),), Limits(gap=1e-4)),
    ).final.goals[0]
    assert row["plan"] == pytest.approx(0.0, abs=1e-6)
    assert row["other"] == pytest.approx(forced.objective, rel=1e-3)
    assert row["plan"] < row["bound"] <= row["other"] * (1 + 1e-6)
    assert turned.moved[["village", "school_plan", "school_other"]].to_numpy().tolist() == [
        ["甲镇V3村", "甲镇A3", "甲镇A1"]
    ]
    assert turned.next_id == "A1"


def test_what_is_proven_stands_in_the_table_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound beside a because is never below the plan's own value, however little the quick solves prove."""
    honest = turning.completed

    def weak(*given: object, **more: object) -> tuple[Reached, ...]:
        return tuple(replace(r, bound=0.0) for r in honest(*given, **more))  # type: ignore[arg-type]

    monkeypatch.setattr(turning, "completed", weak)
    county, scenario = four_sites(), asked("disruption")
    (turned,) = told(county, planned(county, scenario), scenario, schools=("A3",), flips=()).places[0].turned
    row = turned.goals.set_index("goal").loc["disruption"]
    assert (turned.outcome, turned.goal) == ("plan", "disruption")
    assert row["plan"] == 0.0 < row["bound"] <= row["other"]


def test_nothing_is_claimed_where_nothing_is_proven() -> None:
    """No time at all: no because, in either language."""
    county, result, _ = closing_dear()
    whys = why(county, Recorded(result.plan, asked("cost", "travel"), {}, {}), ("A3",), seconds=0.001)
    (turned,) = whys.places[0].turned
    assert turned.outcome in ("open", "plan")
    for language, word in (("en", "Because"), ("zh", "因为")):
        if turned.outcome == "open":
            assert word not in answer_said(turned, county, language)
    assert {f.status for f in turned.flips} <= {"late", "open", "none"}
    assert all(f.tried == () or f.status != "late" for f in turned.flips)


@pytest.mark.parametrize(
    ("goal", "outcome", "words"), [("travel", "other", "Not the best"), ("beyond_limit", "even", "no reason")]
)
def test_a_decision_without_a_reason_is_called_so(goal: str, outcome: str, words: str) -> None:
    """A plan that leaves V5 at A1: for its way that is not the best, and nobody is beyond a limit either way."""
    county = near_a3(places=60)
    stays = today_as_plan(county, load_standards(county), travel_times(county))
    whys = why(county, Recorded(stays, asked(goal), {}, {}), villages=("V5",), seconds=60, flips=())
    (turned,) = whys.places[0].turned
    assert (turned.outcome, turned.because) == (outcome, False)
    assert words in answer_said(turned, county, "en")


# --- bracketing -------------------------------------------------------------------------------


def sharp(at: float, seen: list[float]):
    def ask(change: float, until: float) -> str:
        seen.append(change)
        return "other" if abs(change) >= at else "plan"

    return ask


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_halving_ends_at_neighbours(sign: float) -> None:
    seen: list[float] = []
    found = find_flip(
        Quantity("pupils", "A1", "", (), sign * 100, 1.0), sharp(37, seen), time.monotonic() + 60
    )
    assert (found.status, found.below, found.at) == ("flips", sign * 36, sign * 37)
    assert len(seen) == len(set(seen)) <= 9


def test_corners_are_looked_at_first() -> None:
    seen: list[float] = []
    found = find_flip(
        Quantity("pupils", "A1", "", (), 100, 1.0, (36.0, 37.0)), sharp(37, seen), time.monotonic() + 60
    )
    assert (found.below, found.at, seen) == (36, 37, [36, 37])


def test_what_does_not_flip_and_what_is_not_proven_are_told_apart() -> None:
    what, later = Quantity("places", "A1", "pri", (), 50, 1.0), time.monotonic() + 60
    assert find_flip(what, lambda change, until: "plan", later).status == "none"
    opened = find_flip(what, lambda change, until: "open", later)
    assert (opened.status, opened.tried, math.isnan(opened.at)) == ("open", ((50, "open"),), True)
    assert find_flip(what, lambda change, until: "plan", time.monotonic() - 1).status == "late"
    half = find_flip(what, lambda change, until: "other" if change == 50 else "open", later)
    assert (half.status, half.below, half.at) == ("flips", 0.0, 50.0)


def test_every_state_of_a_flip_has_words() -> None:
    county = four_sites()
    base = Flip("places", "A1", "pri", 50, 1.0, "flips", 0.0, 1.0, ((1.0, "other"),), 0.1)
    for language in ("en", "zh"):
        said = {
            flip_said(f, county, language)
            for f in (
                base, replace(base, at=9.0), replace(base, status="none", at=np.nan), replace(base, status="open", at=np.nan),
                replace(base, status="late", at=np.nan, tried=()), replace(base, quantity="money", place_id="", other_id=""),
                replace(base, quantity="minutes", place_id="V3", other_id="A1"), replace(base, quantity="pupils", other_id=""),
            )
        }  # fmt: skip
        assert len(said) == 8 and not any("{" in s for s in said)


def test_a_changed_number_changes_nothing_else() -> None:
    county, _ = overfull()
    scenario, own = asked("over_cap"), travel_times(county)
    what = Quantity("pupils", "A3", "", ("V3",), -10, 1.0)
    fewer, times, same = changed(county, own, scenario, what, -7)
    assert same == scenario and times is own
    was, now = (
        t.set_index(["village_id", "school_id", "band"])["pupils"]
        for t in (county.attendance, fewer.attendance)
    )
    assert (was - now)[was != now].to_dict() == {("V3", "A3", "g1_3"): 7}
    assert (county.demand["pupils_base"] - fewer.demand["pupils_base"]).sum() == 7
    assert fewer.school_stage is county.school_stage


# --- what is asked ----------------------------------------------------------------------------


def test_places_are_meant_by_name_id_or_label() -> None:
    county = four_sites()
    assert places_meant(county, "school", ("甲镇A3", "A3", "甲镇A3 [A3]"))[0] == ("A3",)
    with pytest.raises(InputProblems) as wrong:
        places_meant(county, "village", ("没有村",))
    assert [f.key for f in wrong.value.findings] == ["why.unknown_village"]


def test_changed_places_are_those_that_change() -> None:
    _, result, _ = closing_dear()
    assert changed_places(result.plan) == ((), ())
    fewer = with_pupils(four_sites(small=50), "V3", "A3", 49, 30)
    schools, villages = changed_places(planned(fewer, asked("over_cap")))
    assert "A3" in schools and villages == ("V3",)


def test_a_plan_that_breaks_rules_is_refused_in_words() -> None:
    county, made = overfull()
    bands = made.bands.copy()
    bands.loc[bands["school_id"] == "A2", ["open", "classes"]] = [False, 0]
    broken = replace(made, bands=bands)
    with pytest.raises(InputProblems) as wrong:
        why(county, Recorded(broken, asked("over_cap"), {}, {}), ("A3",))
    assert [f.key for f in wrong.value.findings] == ["why.not_a_plan"]
    with pytest.raises(InputProblems):
        why(county, Recorded(made, asked("over_cap"), {}, {}))
    with pytest.raises(InputProblems):
        why(county, Recorded(made, asked("over_cap"), {}, {}), ("X9",))


# --- the command ------------------------------------------------------------------------------


def run(*arguments: object, language: str = "en") -> tuple[int, str]:
    result = CliRunner().invoke(cli.app, [*map(str, arguments), "--lang", language], env={"COLUMNS": "2000"})
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    return result.exit_code, re.sub(r"\s+", " ", result.output)


@pytest.fixture
def county_and_plan(tmp_path: Path) -> tuple[Path, Path]:
    county, result, _ = closing_dear()
    folder = tmp_path / "four"
    folder.mkdir()
    for name, table in county.tables().items():
        if len(table):
            table.to_csv(folder / f"{name}.csv", index=False)
    head = f'name = "{county.name}"\nname_en = "Four"\nyear = 2025\nfictional = true\n'
    (folder / "county.toml").write_text(head, encoding="utf-8")
    return folder, save_plan(replace(result, county=replace(county, folder=folder)), tmp_path / "plan")


def test_the_command_writes_pages_the_sheet_and_the_record(county_and_plan: tuple[Path, Path]) -> None:
    folder, dossier = county_and_plan
    code, said = run(
        "why", folder, "--plan", dossier, "--school", "甲镇A3", "--no-flips", "--out", dossier / "why"
    )
    assert code == 0, said
    assert "Because" in said and "index.html" in said
    names = sorted(p.name for p in (dossier / "why").iterdir())
    assert names == ["corrections.xlsx", "index.html", "s-A3.html", "why.json"]
    record = json.loads((dossier / "why" / "why.json").read_text(encoding="utf-8"))
    assert record["places"][0]["decisions"][0]["outcome"] == "plan"
    again, said = run(
        "why", folder, "--plan", dossier, "--school", "A3", "--no-flips", "--out", dossier / "why"
    )
    assert again == console.BAD_INPUT and "--overwrite" in said


def test_bad_questions_end_in_words(county_and_plan: tuple[Path, Path], tmp_path: Path) -> None:
    folder, dossier = county_and_plan
    code, said = run("why", folder, "--plan", dossier, language="zh")
    assert code == console.BAD_INPUT and "--all-changed" in said
    code, said = run("why", folder, "--plan", dossier, "--school", "没有学校")
    assert code == console.BAD_INPUT and "没有学校" in said
    code, said = run("why", folder, "--plan", dossier, "--school", "A3", "--out", dossier)
    assert code == console.BAD_INPUT
    public = shutil.copytree(dossier, tmp_path / "public")
    kept = json.loads((public / "run.json").read_text(encoding="utf-8"))
    (public / "run.json").write_text(
        json.dumps({"edition": "public", "plan_id": kept["plan_id"]}), encoding="utf-8"
    )
    code, said = run("why", folder, "--plan", public, "--school", "A3")
    assert code == console.BAD_INPUT


def test_a_plan_for_other_data_is_said(county_and_plan: tuple[Path, Path]) -> None:
    folder, dossier = county_and_plan
    county = read_county(folder)
    assert {f.key for f in recorded_plan(dossier, county).findings} <= {"why.other_input"}
    other = replace(county, school_stage=county.school_stage.assign(capacity_pupils=999))
    found = recorded_plan(dossier, other)
    assert [f.key for f in found.findings] == ["why.other_input"] and found.bounds == {}
