"""Archive two years, supervise, carry on: the verbs, the report in both languages, the commands and their exit codes."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from geodata.contract.county import County
from geodata.contract.findings import InputProblems
from geodata.travel.times import travel_times
from geodata.years.chain import YearEntry
from geodata.years.ledger import open_ledger
from maps.supervision.folder import TABLES_OF, write_supervision
from maps.supervision.words import supervision_said
from models.plan.keeping import Held, missing_in
from models.plan.record import write_ledger
from models.problem.baseline import today_groups
from models.problem.building import build_instance
from models.standards.norms import load_standards
from models.supervision.filed import filed_findings, filed_years
from models.supervision.supervision import Supervision
from models.supervision.unfinished import unfinished
from optimizer.cli.console import BAD_INPUT, TAMPERED
from optimizer.scenario import Goal, Scenario
from optimizer.verbs.repair import most_kept
from optimizer.verbs.supervise import Broken, archive, carry_on, supervise
from tests.models.test_supervision import EVERY, made, row_of, small
from tests.optimizer.test_job import written
from tests.optimizer.test_workbook import run
from tests.samples import frame
from tests.years import year_after

QUICK = Scenario(goals=(Goal(name="travel"),))
SHARE = frame(
    "standards", [
        {"id": "closures_share", "quantity": "q", "operator": "<=", "value": 0.2, "unit": "1", "kind": "hard", "source": "test"},
        # the plan by hand puts V3's upper grades on a bus away from a walk, to make room for the lower ones
        {"id": "past_own_school", "quantity": "q", "operator": "<=", "value": 5.0, "unit": "minutes", "kind": "report", "source": "test"},
    ]
)  # fmt: skip


def done_ids() -> list[str]:
    """Half of the plan: A3 stays open, its children stay, B1 gets its teachers, A2 its equipment."""
    return [row_of("transfer", to_id="B1"), row_of("buy", school_id="A2"), row_of("hire", school_id="B9")]


@pytest.fixture(scope="module")
def counties() -> tuple[County, County]:
    before = replace(small(), standards=SHARE)
    return before, replace(year_after(before, made(), done_ids()), standards=SHARE)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory, counties: tuple[County, County]) -> Path:
    """A ledger of two years and the plan of the first; not to be changed."""
    folder = tmp_path_factory.mktemp("years")
    write_ledger(made(), folder / "plan.csv")
    entries, found = archive(str(folder / "years.gpkg"), counties[0], folder / "plan.csv")
    assert [e.kind for e in entries] == ["tables", "plan"] and found == []
    archive(str(folder / "years.gpkg"), counties[1])
    return folder / "years.gpkg"


@pytest.fixture(scope="module")
def found(ledger: Path) -> Supervision:
    return supervise(str(ledger))


def test_two_years_are_compared_as_they_were_filed(
    found: Supervision, counties: tuple[County, County]
) -> None:
    assert (found.before.year, found.after.year, found.plan) == (2025, 2026, made())
    done = found.actions.set_index("row_id")["status"]
    assert {r for r in EVERY if done[r] == "done"} == set(done_ids())
    assert set(done.drop(done_ids())) == {"slipped"}
    assert found.counts["planned"].sum() == len(EVERY) and found.findings == ()
    assert "3 done, 0 part, 8 slipped, 0 unknown of 11 actions" in repr(found)
    assert set(found.problems["since"]) <= {"old", "new"}
    assert found.input_hash == counties[1].content_hash


def test_nothing_is_archived_twice_and_a_correction_keeps_what_it_corrects(
    ledger: Path, tmp_path: Path, counties: tuple[County, County]
) -> None:
    place = tmp_path / "years.gpkg"
    place.write_bytes(ledger.read_bytes())
    entries, said = archive(str(place), counties[1])
    assert entries == [] and [f.key for f in said] == ["supervision.known_tables"]
    assert place.read_bytes() == ledger.read_bytes()
    stage = counties[1].school_stage.assign(equip_value=lambda t: t["equip_value"] + 1.0)
    entries, said = archive(str(place), replace(counties[1], school_stage=stage))
    assert [e.number for e in entries] == [4] and [f.key for f in said] == ["supervision.corrected_tables"]
    chain = open_ledger(str(place)).read()
    assert chain.count == 4
    assert filed_years(chain)[2026].county.school_stage["equip_value"].sum() == stage["equip_value"].sum()


def test_another_county_another_year_and_a_lonely_year_are_refused(
    ledger: Path, tmp_path: Path, counties: tuple[County, County]
) -> None:
    with pytest.raises(InputProblems, match="that of 试县"):
        archive(str(ledger), replace(counties[1], name="别县"))
    with pytest.raises(InputProblems, match="another year"):
        supervise(str(ledger), 2025)
    with pytest.raises(InputProblems, match="year"):
        archive(str(tmp_path / "new.gpkg"), counties[1], ledger.with_name("plan.csv"))  # last year's plan
    assert not (tmp_path / "new.gpkg").exists()
    archive(str(tmp_path / "new.gpkg"), counties[1])
    with pytest.raises(InputProblems, match="two years"):
        supervise(str(tmp_path / "new.gpkg"))


def test_a_year_without_a_plan_is_not_assessed(tmp_path: Path, counties: tuple[County, County]) -> None:
    for county in counties:
        archive(str(tmp_path / "years.gpkg"), county)
    found = supervise(str(tmp_path / "years.gpkg"))
    assert found.actions.empty and found.counts.empty and len(found.moved)
    assert [f.key for f in found.findings] == ["supervision.no_plan"]
    write_supervision(found, tmp_path / "report", "en")
    assert "not assessed" in (tmp_path / "report" / "supervision.html").read_text(encoding="utf-8")


def test_a_plan_of_other_tables_is_said(
    tmp_path: Path, counties: tuple[County, County], ledger: Path
) -> None:
    record = {"ledger": [], "input_hash": "0" * 64, "plan_id": made().plan_id}
    rows = made().ledger.to_dict("records")
    record["ledger"] = [{k: v for k, v in r.items() if v not in ("", None) and v == v} for r in rows]
    (tmp_path / "run.json").write_text(json.dumps(record, ensure_ascii=False), encoding="utf-8")
    _, said = archive(str(tmp_path / "years.gpkg"), counties[0], tmp_path / "run.json")
    assert [f.key for f in said] == ["supervision.other_tables"]
    one = filed_years(open_ledger(str(tmp_path / "years.gpkg")).read())[2025]
    assert [f.key for f in filed_findings(one, "years")] == ["supervision.other_tables"]
    odd = replace(one.tables, payload=one.tables.payload.replace('"A1/pri",true', '"A1/pri",false'))
    keys = [f.key for f in filed_findings(replace(one, tables=odd), "years")]
    assert keys == ["supervision.other_tables", "supervision.other_audit"]


def test_an_entry_of_another_form_is_refused_in_words(
    tmp_path: Path, counties: tuple[County, County]
) -> None:
    ledger = open_ledger(str(tmp_path / "years.gpkg"))
    ledger.append(lambda _: [YearEntry(0, 2025, "tables", counties[0].name, "x", '{"form":2}')])
    with pytest.raises(InputProblems, match="form 2"):
        supervise(str(tmp_path / "years.gpkg"))


def test_a_ledger_that_was_tampered_with_is_neither_used_nor_added_to(
    ledger: Path, tmp_path: Path, counties: tuple[County, County]
) -> None:
    place = tmp_path / "years.gpkg"
    place.write_bytes(ledger.read_bytes())
    with closing(sqlite3.connect(place)) as base, base:
        base.execute("drop trigger supervision_stays")
        base.execute(
            "update supervision set payload = replace(payload, '\"pupils\"', '\"pupil\"') where number = 1"
        )
    bytes_ = place.read_bytes()
    for use in (lambda: supervise(str(place)), lambda: archive(str(place), replace(counties[1], year=2027))):
        with pytest.raises(Broken, match="entry 1 "):
            use()
    assert place.read_bytes() == bytes_
    code, output = run("supervise", place, "--out", tmp_path / "report")
    assert code == TAMPERED and "entry 1 (2025" in output and not (tmp_path / "report").exists()


@pytest.mark.parametrize(("language", "words"), [("zh", ("问题清单", "整改台账", "未落实", "教育局")), ("en", ("List of problems", "Ledger of rectification", "slipped", "education bureau"))])  # fmt: skip
def test_the_report_in_both_languages(
    found: Supervision, tmp_path: Path, language: str, words: tuple[str, ...]
) -> None:
    place = write_supervision(found, tmp_path / "report", language, deadline="2026-12-31")
    assert {p.name for p in place.iterdir()} == {"supervision.json", "supervision.xlsx", "supervision.html", *(f"{t}.csv" for t in TABLES_OF)}  # fmt: skip
    page = (place / "supervision.html").read_text(encoding="utf-8")
    assert all(w in page for w in words) and "2026-12-31" in page and found.seals["head"] in page
    book = openpyxl.load_workbook(place / "supervision.xlsx")
    problems = book.worksheets[1]
    assert problems.max_row == 3 + len(found.problems)  # title, units, headings
    assert "2026-12-31" in [c.value for c in problems[4]]
    assert problems.title in words and book.worksheets[2].title in words
    record = json.loads((place / "supervision.json").read_text(encoding="utf-8"))
    assert record["seals"] == found.seals and set(found.seals) == {
        "tables 2025",
        "plan 2025",
        "tables 2026",
        "head",
    }
    again = write_supervision(found, tmp_path / "again", language, deadline="2026-12-31")
    assert all((again / p.name).read_bytes() == p.read_bytes() for p in place.iterdir())
    actions = pd.read_csv(place / "actions.csv", encoding="utf-8-sig", keep_default_na=False)
    assert list(actions["row_id"]) == list(found.actions["row_id"])


def test_sentences_say_nothing_in_the_other_language(found: Supervision) -> None:
    zh, en = (supervision_said(found, x) for x in ("zh", "en"))
    assert len(zh) == len(en) and all(a != b for a, b in zip(zh, en, strict=True))
    assert "3 of 11 actions are done, 0 in part, 8 slipped, 0 not assessed" in " ".join(en)


def test_what_is_unfinished_is_kept_as_far_as_it_can_be(
    found: Supervision, counties: tuple[County, County]
) -> None:
    made_again = carry_on(found, counties[1], QUICK)
    assert made_again.result.verdict.accepted and made_again.kept
    assert missing_in(made_again.result.plan, made_again.kept).empty
    lost = set(made_again.asked.rows["row_id"]) - set(made_again.kept.rows["row_id"])
    assert len(made_again.findings) == len(lost)  # every one that gave way is told with its reason
    assert all(f.severity == "warning" for f in made_again.findings)
    bands = made_again.result.plan.bands.set_index(["school_id", "band"])
    assert not bands.at[("A3", "g1_3"), "open"]  # the closure that slipped is in the new plan
    assert set(made_again.findings) <= set(made_again.result.findings)


def test_the_nearest_plan_says_what_can_be_kept_together(
    found: Supervision, counties: tuple[County, County]
) -> None:
    """Forty hires cannot be had; all the rest can, and it stays."""
    county = counties[1]
    standards, times = load_standards(county), travel_times(county)
    held, _ = unfinished(found.actions, county, today_groups(county, standards, times))
    rows = held.rows.copy()
    rows.loc[rows["action"] == "hire", "quantity"] = 40.0
    kept = most_kept(build_instance(county, standards, QUICK.request(), times), Held(rows), times, 60)
    assert set(rows["action"]) - set(kept.rows["action"]) == {"hire"} and len(kept.rows) == len(rows) - 1
    assert len(kept.start)


def test_other_tables_than_the_ledger_s_are_not_planned_for(
    found: Supervision, counties: tuple[County, County]
) -> None:
    with pytest.raises(InputProblems, match="junheng archive"):
        carry_on(found, counties[0], QUICK)


def test_from_the_command_line(tmp_path: Path, counties: tuple[County, County], ledger: Path) -> None:
    first, second = (written(c, tmp_path / str(c.year)) for c in counties)
    place = tmp_path / "years.gpkg"
    code, output = run("archive", place, first, "--plan", ledger.with_name("plan.csv"))
    assert code == 0 and "Entry 1: tables and audit of 2025" in output and "Entry 2: plan of 2025" in output
    code, output = run("supervise", place)
    assert code == BAD_INPUT and "two years of tables are needed" in output
    assert run("archive", place, second)[0] == 0
    code, output = run("archive", place, second)
    assert code == 0 and "Nothing new" in output
    head = open_ledger(str(place)).read().head
    code, output = run("supervise", place, "--out", tmp_path / "report", "--known", head[:12])
    assert code == 0 and "3 entries" in output and "3 of 11 actions are done" in output
    assert (tmp_path / "report" / "supervision.xlsx").is_file()
    assert (
        run("supervise", place, "--out", tmp_path / "report")[0] == BAD_INPUT
    )  # never over an earlier report
    assert run("supervise", place, "--known", "0" * 12)[0] == TAMPERED
    both = "--out", tmp_path / "one", "--plan", tmp_path / "one", "--county", tmp_path
    code, output = run("supervise", place, *both)
    assert code == BAD_INPUT and "folder of its own" in output and not (tmp_path / "one").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--same", "A2"), "not a pair"), (("--same", "A2=Q7"), "Q7"), (("--same", "A1=A2", "--same", "A2=A2"), "continued by one only"),
        (("--deadline", "soon"), "is no date"), (("--county", "x"), "go together"), (("--year", "2031"), "two years"),
    ],
)  # fmt: skip
def test_bad_options_end_in_words(ledger: Path, options: tuple[str, ...], said: str) -> None:
    code, output = run("supervise", ledger, *options)
    assert code == BAD_INPUT and said in output, output
