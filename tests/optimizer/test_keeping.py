"""What a planner decided by hand is kept, or it is said what clashes; the nearest plan that keeps the rules."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

import optimizer.cli.planning as planning
from geodata.contract.findings import InputProblems
from maps.dossier.workbook import write_workbook
from models.formulation.solution import unpack
from models.plan.decisions import Plan, PlanResult
from models.plan.differences.edits import ledger_edits
from models.plan.keeping import Held, beginning_with, held_from, held_of, missing_in
from models.plan.sheets import read_edited, sheet_titles
from models.problem.building import build_instance
from models.problem.request import Request
from models.referee.verdict import judge
from models.standards.norms import load_standards
from optimizer.cli.console import INFEASIBLE, REJECTED
from optimizer.outcomes import Infeasible
from optimizer.scenario import Goal, Scenario
from optimizer.search.search import Search
from optimizer.search.start import first_plan
from optimizer.search.task import Task
from optimizer.solver.limits import Limits
from optimizer.verbs.plan import held_in, plan
from optimizer.verbs.repair import nearest_repair
from optimizer.verbs.template import write_template
from tests.models.plans import closing, ready
from tests.optimizer.test_workbook import ask, run
from tests.samples import riding_county

QUICK = Scenario(goals=(Goal(name="travel"), Goal(name="cost")))
Cells = tuple[tuple[str, str, object], ...]
STAY: Cells = (("attendance", "F9", "A1"), ("attendance", "G9", "walk"))
"""V3's pupils of grades 4-6 stay where they are today, on foot."""
HIRE: Cells = tuple(("hires", f"{c}2", v) for c, v in zip("ABCD", ("B1", "primary", "arts", 2), strict=True))
CLASSES: Cells = (("bands", "E7", 7),)
BUY: Cells = tuple(
    ("purchases", f"{c}9", v) for c, v in zip("ABCD", ("B1", "primary", "multimedia rooms", 3), strict=True)
)
FAR: Cells = (("attendance", "F2", "B1"),)
MANY: Cells = (("bands", "E2", 40),)
SHUT: Cells = (("bands", "D6", "no"),)
DRAIN: Cells = tuple(
    ("staff_moves", f"{c}9", v)
    for c, v in zip("ABCDEF", ("A1", "primary", "B1", "primary", "backbone", 2), strict=True)
)


def moved(heads: int) -> Cells:
    """A transfer within a township."""
    names = ("A1", "primary", "A2", "primary", "plain", heads)
    return tuple(("staff_moves", f"{c}9", v) for c, v in zip("ABCDEF", names, strict=True))


@pytest.fixture(autouse=True)
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "draw_plan", lambda *_: [])
    monkeypatch.setattr(planning, "rehearse", lambda _: [])


@pytest.fixture(scope="module")
def made() -> PlanResult:
    return plan(riding_county(), QUICK)


@pytest.fixture(scope="module")
def workbook(made: PlanResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plan's workbook; not to be changed."""
    return write_workbook(made, tmp_path_factory.mktemp("keeping") / "plan.xlsx", "en")


def edit(workbook: Path, path: Path, *cells: tuple[str, str, object]) -> Path:
    book = openpyxl.load_workbook(workbook)
    for sheet, cell, value in cells:
        book[sheet_titles(sheet)["en"]][cell] = value
    book.save(path)
    return path


def test_the_workbook_is_as_the_edits_suppose(workbook: Path) -> None:
    book = openpyxl.load_workbook(workbook)
    going, bands = (book[sheet_titles(n)["en"]] for n in ("attendance", "bands"))
    assert [going[f"{c}9"].value for c in "AB"] == ["Jia Town V3 Village 甲镇V3村 [V3]", "grades 4-6"]
    assert "A1" not in str(going["F9"].value)
    assert [bands[f"{c}7"].value for c in "AB"] == ["Jiazhen A9 甲镇A9 [A9]", "grades 7-9"]
    assert str(bands["A6"].value).startswith("Jiazhen A3 甲镇A3")


def test_edits_are_kept_and_the_rest_is_solved(made: PlanResult, workbook: Path, tmp_path: Path) -> None:
    path = edit(workbook, tmp_path / "edited.xlsx", *STAY, *HIRE, *CLASSES, *BUY, *moved(1))
    held, doubts = held_in(path, made.county)
    assert len(held.rows) == 5 and not doubts
    result = plan(made.county, QUICK, times=made.times, keep=held)
    assert result.verdict.accepted and missing_in(result.plan, held).empty
    assert len([f for f in result.findings if f.key == "held.kept"]) == 5
    assert held_from(json.loads(json.dumps(held.record()))).rows.equals(
        held.rows.astype(object).infer_objects()
    )
    # with nothing held the plan is the first one again: the edits made the difference
    assert not missing_in(made.plan, held).empty


def test_what_was_taken_out_stays_out(made: PlanResult) -> None:
    bought = made.plan.purchases
    assert len(bought)
    edited = replace(made.plan, purchases=bought.iloc[1:])
    held = held_of(made.plan, edited)
    assert held.rows[["action", "quantity"]].values.tolist() == [["buy", 0.0]]
    assert len(missing_in(made.plan, held)) == 1 and missing_in(edited, held).empty
    everything = held_of(made.plan, edited, "all")
    assert len(everything.rows) == len(made.plan.ledger)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (FAR, ("甲镇V1村", "beyond its limit")), (MANY, ("40 classes", "10 is the most")), (DRAIN, ("2 × backbone", "No drain")),
        ((*SHUT, *HIRE), ("closes grades 1-3", "Closures in the county")),
    ],
)  # fmt: skip
def test_edits_that_cannot_be_kept_are_named_with_the_rules(
    made: PlanResult, workbook: Path, tmp_path: Path, cells: Cells, said: tuple[str, ...]
) -> None:
    held, _ = held_in(edit(workbook, tmp_path / "edited.xlsx", *cells), made.county)
    with pytest.raises(Infeasible) as caught:
        plan(made.county, QUICK, times=made.times, keep=held)
    (finding,) = caught.value.findings
    assert all(word in finding.text("en") for word in said), finding.text("en")
    assert "hires" not in finding.text("en")  # what could be kept is not blamed
    assert finding.text("zh") != finding.text("en")


@pytest.mark.parametrize(
    ("cells", "changes"),
    [
        (MANY, [("band", "quantity", 40.0, 7.0)]), (SHUT, [("band", "state", "closed", "open")]),
        ((*FAR, *HIRE), [("attend", "to_id", "B1", "A1")]),
    ],
)  # fmt: skip
def test_the_nearest_repair_changes_as_little_as_can_be(
    made: PlanResult, workbook: Path, tmp_path: Path, cells: Cells, changes: list[tuple[object, ...]]
) -> None:
    read = read_edited(edit(workbook, tmp_path / "edited.xlsx", *cells), made.county)
    found = nearest_repair(made.county, read.original, read.plan, QUICK, made.times)
    assert found.plan is not None and found.verdict is not None
    assert (found.status, found.verdict.accepted) == ("proven", True)
    lines = found.changes[["action", "column", "before", "after"]].itertuples(index=False, name=None)
    assert [
        line
        for line in lines
        if line[:2] not in (("attend", "mode"), ("band", "quantity")) or line[2] == 40.0
    ] == changes
    assert len(found.given_up) == 1 and found.distance > 0
    assert found.changes.equals(ledger_edits(read.plan, found.plan))


def test_a_legal_plan_needs_no_repair(made: PlanResult) -> None:
    found = nearest_repair(made.county, made.plan, made.plan, QUICK, made.times)
    assert found.plan == made.plan and found.distance == pytest.approx(0.0, abs=1e-6)


def test_from_the_command_line_kept_refused_and_made_again(workbook: Path, tmp_path: Path) -> None:
    county = write_template(tmp_path / "mycounty.xlsx", "en", riding_county())
    ask(county, [("goal", "travel", None)], "en")
    path = edit(workbook, tmp_path / "edited.xlsx", *STAY)
    code, output = run("plan", county, "--from", path, "--out", tmp_path / "kept")
    assert (
        code == 0
        and "1 decisions of" in output
        and "kept as it was edited: pupils of Jia Town V3 Village 甲镇V3村" in output
    )
    record = json.loads((tmp_path / "kept" / "run.json").read_text(encoding="utf-8"))
    assert [(r["to_id"], r["mode"]) for r in record["held"]] == [("A1", "walk")]
    code, output = run("replay", tmp_path / "kept")
    assert code == 0 and "The same plan again" in output
    path = edit(workbook, tmp_path / "edited.xlsx", *FAR)
    code, output = run("plan", county, "--from", path, "--out", tmp_path / "not")
    assert code == INFEASIBLE and "甲镇V1村" in output and not (tmp_path / "not").exists()


def test_evaluate_says_what_each_edit_does_and_the_nearest_plan(workbook: Path, tmp_path: Path) -> None:
    county = write_template(tmp_path / "mycounty.xlsx", "en", riding_county())
    path = edit(workbook, tmp_path / "edited.xlsx", *MANY, *HIRE)
    code, output = run("evaluate", county, path)
    assert code == REJECTED
    assert "Classrooms (hard), Jiazhen A1 甲镇A1: 43 against 10 classes" in output
    assert "hires 2 × arts" in output and "Teachers hired 0 → 2" in output
    assert (
        "none is nearer (proven)" in output
        and "of 60 s" in output
        and "40 classes of grades 1-3 (row" in output
    )


def test_doubtful_names_are_refused_with_their_cell(made: PlanResult, workbook: Path, tmp_path: Path) -> None:
    with pytest.raises(InputProblems) as caught:
        held_in(edit(workbook, tmp_path / "edited.xlsx", ("attendance", "F9", "nowhere")), made.county)
    assert caught.value.findings[0].row == 9


def begun(result: PlanResult, held: Held, goals: tuple[str, ...]) -> tuple[Search, Plan, dict[str, float]]:
    """The search's first plan with what is held, and its goals."""
    scenario = Scenario(goals=tuple(Goal(name=g) for g in goals))
    standards = load_standards(result.county)
    inst = build_instance(result.county, standards, replace(scenario.request(), held=held), result.times)
    search = Search(inst, scenario.task())
    first = first_plan(search, Limits())
    assert first is not None and first.values is not None
    search.load(first.values)
    return (
        search,
        unpack(search.model, inst, result.times.towns),
        {g: search.exact(g, first.values) for g in goals},
    )


def hired(plan: Plan, heads: int) -> Plan:
    row = {"school_id": "B1", "stage": "pri", "cat_id": "arts", "heads": heads}
    return replace(plan, hires=pd.DataFrame([row]))


def test_a_search_goes_on_from_the_plan_at_hand(made: PlanResult) -> None:
    given = hired(made.plan, 1)
    held = held_of(given, given)
    assert not held and {"attend", "hire", "buy"} <= set(held.start["action"])
    goals = ("failing", "travel", "cost")
    search, first, values = begun(made, held, goals)
    assert first == given
    told = judge(made.county, search.instance.standards, given, made.times).goals.set_index("goal")["plan"]
    assert values == pytest.approx(
        told[list(goals)].to_dict(), abs=1e-3
    )  # indicators are told as good as they are
    _, from_today, _ = begun(made, Held(), goals)
    assert from_today != given


def test_where_the_plan_at_hand_breaks_what_is_held_the_rest_of_it_stays(made: PlanResult) -> None:
    plain = replace(made.plan, hires=made.plan.hires.iloc[:0])
    two = held_of(plain, hired(plain, 2))
    held = replace(two, start=held_of(plain, hired(plain, 4)).start)  # begins with more than is held
    assert len(two.rows) == 1
    _, first, _ = begun(made, held, ("travel",))
    assert missing_in(first, held).empty
    assert first == hired(made.plan, 2)


def test_a_start_survives_the_record(made: PlanResult) -> None:
    held = held_of(made.plan, made.plan)
    again = held_from(json.loads(json.dumps(held.record())), json.loads(json.dumps(held.record_of_start())))
    assert not again and len(held.start)
    assert held.start.astype(object).values.tolist() == again.start.astype(object).values.tolist()


def test_a_plan_whose_ways_break_a_rule_still_begins_the_search_with_its_bands() -> None:
    """A county that has changed since: not everybody may go where the plan says, but A3 may close as it says."""
    case = ready()
    closed = closing(case)
    going = closed.attendance.copy()
    going.loc[(going["village_id"] == "V2") & (going["band"] == "g1_3"), ["school_id", "mode"]] = [
        "A2",
        "bus",
    ]
    held = beginning_with(Plan(closed.ledger, closed.years, attendance=going))
    inst = build_instance(case.county, case.standards, replace(Request(), held=held), case.times)
    search = Search(inst, Task())
    found = first_plan(search, Limits(seconds=60.0))
    assert found is not None and found.values is not None
    opens, attend = search.bridge.at("open"), search.bridge.at("attend")
    assert found.values[opens["A3", "g1_3"]] == pytest.approx(0.0)  # and not today's arrangement
    to = {
        inst.pairs.at[p, "school_id"]: found.values[c]
        for p, c in attend.items()
        if inst.pairs.at[p, "g"] == 3
    }
    assert to["A1"] == pytest.approx(1.0)  # V2 may not go to A2 and stays
