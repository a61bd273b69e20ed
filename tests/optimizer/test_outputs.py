"""An audit as a folder; one of several plans as a dossier."""

from __future__ import annotations

import json
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

import optimizer.cli.chosen as chosen
import optimizer.cli.studies.alternatives as many
import optimizer.cli.studies.budgets as budgets
from geodata.folder.reading import read_county
from geodata.travel.times import travel_times
from models.plan.arrangement import today_as_plan
from models.plan.decisions import PlanResult
from models.referee.verdict import judge
from models.standards.norms import load_standards
from models.study.analysis import Alternative, Alternatives, Frontier, FrontierPoint
from optimizer.cli.console import BAD_INPUT
from optimizer.scenario import Scenario
from tests.optimizer.test_workbook import as_folder, run
from tests.samples import small_county

NONE = pd.DataFrame()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return as_folder(small_county(), tmp_path_factory.mktemp("outputs") / "mycounty", "")


def test_an_audit_is_a_workbook_and_a_map(folder: Path, tmp_path: Path) -> None:
    code, output = run("audit", folder, "--out", tmp_path / "audit")
    assert code == 0 and "audit.xlsx" in output
    names = {"audit.json", "audit.xlsx", "map.html"}
    assert {p.name for p in (tmp_path / "audit").iterdir()} == names
    book = openpyxl.load_workbook(tmp_path / "audit" / "audit.xlsx")
    schools = book["Schools"]
    assert (
        schools["A1"].value.endswith("Schools") and schools["A2"].value
    )  # title and units stand above the headings
    rows = list(schools.iter_rows(min_row=4, values_only=True))
    assert ("Jiazhen A1 甲镇A1", "Jia Town 甲镇", "primary", 300, "7/7", "✓ met") in rows and len(rows) == 8
    assert rows[-1][0] == "total" and rows[-1][3] == sum(r[3] for r in rows[:-1])
    gaps = list(book["Gaps"].iter_rows(min_row=4))
    assert {(r[6].value, r[5].number_format) for r in gaps if r[6].value == "heads"} == {("heads", "#,##0")}
    assert all(r[6].value for r in gaps)
    page = (tmp_path / "audit" / "map.html").read_text(encoding="utf-8")
    assert '"audit":true' in page and "<title>Schools today</title>" in page
    record = json.loads((tmp_path / "audit" / "audit.json").read_text(encoding="utf-8"))
    assert [s["units_passing"] for s in record["stages"]] == [1, 1]
    code, output = run("audit", folder, "--out", tmp_path / "audit")
    assert code == BAD_INPUT and "--overwrite" in output
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("keep", encoding="utf-8")
    assert run("audit", folder, "--out", tmp_path / "mine", "--overwrite")[0] == BAD_INPUT


def test_one_of_several_plans_is_written_as_a_dossier(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    county = read_county(folder)
    times, standards = travel_times(county), load_standards(county)
    today = today_as_plan(county, standards, times)
    verdict = judge(county, standards, today, times, Scenario().request())
    both = tuple(Alternative(today, verdict, 1.0 + i, float(i), 0, 0, 0, NONE) for i in range(2))
    points = tuple(
        FrontierPoint(s, {"any": 1e5 * s}, state, 1.0, 0.5, 0.5, False, plan, verdict, NONE)
        for s, state, plan in ((0.5, "infeasible", None), (1.0, "plan", today))
    )
    several = Alternatives(county, {}, 0.03, 0.5, both, NONE, False, False, False, 1.0, "", ())
    line = Frontier(county, {}, "all", points, 0.5, 0.5, 1, False, 1.0, "", ())
    came: list[tuple[PlanResult, Path]] = []

    def written(result: PlanResult, place: Path, *_: object) -> Path:
        came.append((result, place))
        return place

    monkeypatch.setattr(many, "make_alternatives", lambda *_, **__: several)
    monkeypatch.setattr(budgets, "make_frontier", lambda *_, **__: line)
    monkeypatch.setattr(many.alternative_files, "write_alternatives", lambda *_: "en")
    monkeypatch.setattr(budgets.frontier_files, "write_frontier", lambda *_: "en")
    monkeypatch.setattr(budgets, "_print_frontier", lambda *_: None)
    monkeypatch.setattr(many, "print_sheet", lambda *_: None)
    for told in ("alternatives_said", "plans_sheet", "decisions_sheet"):
        monkeypatch.setattr(many.alternative_files, told, _nothing)
    monkeypatch.setattr(chosen, "write_dossier", written)
    assert run("alternatives", folder, "--out", tmp_path / "alt", "--dossier", 2)[0] == 0
    code, output = run("frontier", folder, "--out", tmp_path / "line", "--dossier", 1, "--dossier", 2)
    assert code == 0 and "Number 1 has no plan" in output
    (first, place), (second, other) = came
    assert (place.name, other.name) == ("alt-2", "line-2")
    assert (first.solve.status, first.solve.objective, first.solve.bound) == ("chosen", 2.0, 0.5)
    assert second.scenario["budget"] == {"any": 1e5} and second.plan == today
    assert any(f.key == "analysis.one_of_several" for f in first.findings)
    code, output = run("alternatives", folder, "--out", tmp_path / "alt", "--k", 1, "--dossier", 3)
    assert code == BAD_INPUT and "from 1 to 2" in output


def _nothing(*_: object) -> object:
    return _Sheets()


class _Sheets(list[str]):
    table = pd.DataFrame([[0] * 7])
