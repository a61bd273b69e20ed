"""A dossier's record gives its result back without a solve, and only for the tables that it is about."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import docx
import pandas as pd
import pytest
from typer.testing import CliRunner

import optimizer.cli.finished.reporting as reporting
import optimizer.cli.main as cli
from geodata.contract.findings import InputProblems
from maps.dossier.dossier import save_plan
from models.plan.decisions import PlanResult
from optimizer.scenario import Goal, Scenario
from optimizer.verbs.plan import plan
from optimizer.verbs.recorded import result_in
from tests.samples import small_county


@cache
def made() -> PlanResult:
    return plan(small_county(), Scenario(goals=(Goal(name="cells"), Goal(name="cost"))))


def test_the_record_gives_the_same_result_back(tmp_path: Path) -> None:
    again = result_in(save_plan(made(), tmp_path / "plan"), small_county())
    assert again.plan.plan_id == made().plan.plan_id and again.scenario == made().scenario
    assert again.solve.goals == made().solve.goals and again.solve.status == made().solve.status
    assert again.solve.bound == made().solve.bound
    pd.testing.assert_frame_equal(again.verdict.measures, made().verdict.measures)
    assert again.actions["action"].tolist() == made().actions["action"].tolist()
    assert not again.held


def test_bounds_of_other_tables_are_refused(tmp_path: Path) -> None:
    folder = save_plan(made(), tmp_path / "plan")
    with pytest.raises(InputProblems) as refused:
        result_in(folder, replace(small_county(), year=2026))
    assert [f.key for f in refused.value.findings] == ["plan.tables_changed"]
    assert "junheng plan" in refused.value.findings[0].sentence("zh")


def test_a_record_without_its_goals_is_refused_in_words(tmp_path: Path) -> None:
    folder = save_plan(made(), tmp_path / "plan")
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    for broken in ({"goals": [{"goal": "cost"}]}, {"goals": ["cost"]}, {"seed": None}, {"versions": []}):
        (folder / "run.json").write_text(json.dumps(record | broken), encoding="utf-8")
        with pytest.raises(InputProblems) as refused:
            result_in(folder, small_county())
        assert [f.key for f in refused.value.findings] == ["plan.not_a_record"], broken


def test_the_command_writes_the_reports_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting, "county_of", lambda *_: small_county())
    folder = save_plan(made(), tmp_path / "plan")
    asked = ["reports", "small", "--plan", str(folder), "--lang", "zh"]
    done = CliRunner().invoke(cli.app, [*asked, "--out", str(folder / "reports"), "--only", "差异系数"])
    assert done.exit_code == 0, done.output
    assert sorted(p.name for p in (folder / "reports").iterdir()) == ["04-spread.docx", "reports.json"]
    text = "".join(p.text for p in docx.Document(str(folder / "reports" / "04-spread.docx")).paragraphs)
    assert "校际差异系数分析表" in text and "nan" not in text
    again = CliRunner().invoke(cli.app, [*asked, "--out", str(folder / "reports")])
    assert again.exit_code == 2 and "--overwrite" in again.output
    none = CliRunner().invoke(cli.app, [*asked, "--out", str(tmp_path / "x"), "--only", "十三"])
    assert none.exit_code == 2 and "一校一案" in none.output and not (tmp_path / "x").exists()
