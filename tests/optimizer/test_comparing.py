"""Two plans beside each other with causes and maps; a plan made again, and what is said where it is another."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner

import optimizer.cli.main as cli
import optimizer.cli.planning as planning
from optimizer.cli.console import BAD_INPUT
from tests.samples import small_county

SOLVES = {
    "first": '[[goals]]\nname = "imbalance"\n',
    "second": 'close = []\n[[goals]]\nname = "disruption"\n',
}


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(cli.app, [*map(str, arguments), "--lang", "en"], env={"COLUMNS": "2000"})
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    return result.exit_code, result.output


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The county of seven schools with two plans beside it; not to be changed."""
    home, patch = tmp_path_factory.mktemp("compare"), pytest.MonkeyPatch()
    patch.setattr(planning, "draw_plan", lambda *_: [])
    patch.setattr(planning, "rehearse", lambda _: [])
    county = small_county()
    (home / "county").mkdir()
    for name, table in county.tables().items():
        if len(table):
            table.to_csv(home / "county" / f"{name}.csv", index=False)
    head = f'name = "{county.name}"\nyear = {county.year}\nfictional = true\n'
    (home / "county" / "county.toml").write_text(head, encoding="utf-8")
    for name, asked in SOLVES.items():
        (home / f"{name}.toml").write_text(asked, encoding="utf-8")
        code, output = run("plan", home / "county", "--scenario", home / f"{name}.toml", "--out", home / name)
        assert code == 0, output
    patch.undo()
    return home


def test_causes_and_both_maps_are_written(plans: Path, tmp_path: Path) -> None:
    code, output = run("compare", plans / "first", plans / "second", "--out", tmp_path / "two")
    assert code == 0, output
    page = (tmp_path / "two" / "compare.html").read_text(encoding="utf-8")
    assert page.count("srcdoc=") == 2 and not re.search(r'(?:src|href)="https?:', page)
    places = json.loads(re.search(r'id="places">(.*?)</script>', page)[1])  # type: ignore[index]
    table = openpyxl.load_workbook(tmp_path / "two" / "compare.xlsx")["Differences"]
    rows = [[c.value for c in r] for r in table.iter_rows() if r[0].value]
    head = next(i for i, r in enumerate(rows) if r[0] == "decision")
    assert rows[head][-2:] == ["why, first plan", "why, second plan"]
    told = rows[head + 1 :]
    assert told and places and any(r[-1] or r[-2] for r in told)
    record = json.loads((tmp_path / "two" / "compare.json").read_text(encoding="utf-8"))
    assert record["differences"] == len(told)


def test_a_comparison_needs_two_dossiers_of_the_same_tables(plans: Path, tmp_path: Path) -> None:
    code, output = run("compare", plans / "first" / "plan.csv", plans / "second", "--out", tmp_path / "two")
    assert code == BAD_INPUT and "run.json" in output and "without --out" in output
    other = tmp_path / "other"
    shutil.copytree(plans / "second", other)
    record = json.loads((other / "run.json").read_text(encoding="utf-8"))
    (other / "run.json").write_text(json.dumps(record | {"input_hash": "0" * 64}), encoding="utf-8")
    code, output = run("compare", plans / "first", other, "--out", tmp_path / "two")
    assert code == BAD_INPUT and "different tables" in output and not (tmp_path / "two").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "The same plan again"),
        ({"versions": {"highspy": "0.0.1"}}, "highspy 0.0.1 →"),
        ({"input_hash": "0" * 64}, "another input hash"),
        ({"plan_id": "00000000"}, "changed by hand"),
    ],
)
def test_a_plan_made_again_says_what_differs(
    plans: Path, tmp_path: Path, change: dict[str, object], said: str
) -> None:
    again = tmp_path / "again"
    shutil.copytree(plans / "second", again)
    record = json.loads((again / "run.json").read_text(encoding="utf-8")) | change
    (again / "run.json").write_text(json.dumps(record), encoding="utf-8")
    _, output = run("replay", again, "--county", plans / "county")
    assert said in output and "by the clock" not in output
