"""A plan on disk: written, read back and judged it is the same plan; what is wrong in a file is said, place by place."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from geodata.contract.findings import Finding, InputProblems
from geodata.layers.geopackage import write_geopackage
from models.plan.decisions import Plan
from models.plan.record import LEDGER_LAYER, ledger_record, read_plan, write_ledger
from optimizer.cli.main import app
from tests.models.plans import by_choice, closing, keep_all, ready, same_verdict
from tests.models.random_plans import plans

PHASES = (Phase.explicit, Phase.generate)
"""Shrinking a plan takes minutes and shows little: the first one that fails is told."""
CASES = {"points": ready, "choice": lambda: by_choice("A3", 5)}


def _json(plan: Plan, path: Path) -> Path:
    path.write_text(json.dumps({"ledger": ledger_record(plan)}), encoding="utf-8")
    return path


WRITE: dict[str, Callable[[Plan, Path], Path]] = {
    "plan.csv": write_ledger,
    "run.json": _json,
    "plan.gpkg": lambda plan, path: write_geopackage({LEDGER_LAYER: plan.ledger}, path),
}


@pytest.mark.parametrize("file", ["plan.csv", "run.json"])
@pytest.mark.parametrize("name", list(CASES))
@settings(
    max_examples=6,
    derandomize=True,
    phases=PHASES,
)
@given(data=st.data())
def test_read_of_written_is_the_plan(tmp_path: Path, name: str, file: str, data: st.DataObject) -> None:
    case = CASES[name]()
    plan = data.draw(plans(case))
    again = read_plan(WRITE[file](plan, tmp_path / file), case.county)
    assert again == plan
    assert again.plan_id == plan.plan_id


@settings(
    max_examples=3,
    derandomize=True,
    phases=PHASES,
)
@given(data=st.data())
def test_judged_again_it_has_the_same_verdict(tmp_path: Path, data: st.DataObject) -> None:
    case = ready()
    plan = data.draw(plans(case))
    path = tmp_path / "plan.gpkg"
    path.unlink(missing_ok=True)
    again = read_plan(WRITE["plan.gpkg"](plan, path), case.county)
    assert again == plan
    assert same_verdict(case.judge(again), case.judge(plan))


def faults(path: Path) -> list[Finding]:
    with pytest.raises(InputProblems) as caught:
        read_plan(path, ready().county)
    for finding in caught.value.findings:
        for language in ("zh", "en"):
            assert finding.sentence(language)
    return caught.value.findings


def spoiled(tmp_path: Path, column: str, value: str, action: str = "transfer") -> tuple[Finding, int]:
    """The one finding about a CSV with one cell changed, and the row that was."""
    path = write_ledger(closing(ready()), tmp_path / "plan.csv")
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    row = int(table.index[table["action"] == action][0])
    table.loc[row, column] = value
    table.to_csv(path, index=False, encoding="utf-8-sig")
    (found,) = faults(path)
    return found, row + 2


@pytest.mark.parametrize(
    ("column", "value", "action", "key"),
    [
        ("to_id", "ZZ", "transfer", "plan.no_school"),
        ("village_id", "ZZ", "attend", "plan.no_village"),
        ("band", "g0_0", "band", "plan.no_band"),
        ("to_stage", "uni", "transfer", "plan.no_stage"),
        ("item", "wizard", "transfer", "plan.no_category"),
        ("item", "", "transfer", "plan.needed"),
        ("mode", "bus", "transfer", "plan.not_needed"),
        ("mode", "fly", "attend", "tables.not_a_choice"),
        ("quantity", "1.5", "transfer", "tables.not_whole"),
        ("quantity", "-1", "transfer", "tables.out_of_range"),
        ("quantity", "many", "transfer", "tables.not_number"),
        ("quantity", "", "transfer", "tables.empty"),
        ("action", "teleport", "transfer", "tables.not_a_choice"),
        ("year", "2031", "transfer", "plan.other_year"),
    ],
)  # fmt: skip
def test_a_wrong_cell_is_named_with_its_place(
    tmp_path: Path, column: str, value: str, action: str, key: str
) -> None:
    found, row = spoiled(tmp_path, column, value, action)
    assert (found.key, found.row, found.column, found.file) == (key, row, column, "plan.csv")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("gone.csv", None), ("plan.txt", "x"), ("run.json", "{"), ("run.json", "[]"), ("run.json", '{"ledger": 3}'),
        ("run.json", '{"ledger": [3]}'), ("plan.gpkg", "not a database"), ("plan.csv", ""), ("plan.csv", "a,b\n1,2\n"),
    ],
)  # fmt: skip
def test_files_that_are_no_plan_end_in_words(tmp_path: Path, name: str, content: str | None) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_text(content, encoding="utf-8")
    assert faults(path)


def test_a_geopackage_of_something_else_ends_in_words(tmp_path: Path) -> None:
    path = write_geopackage({"other": keep_all(ready()).ledger}, tmp_path / "plan.gpkg")
    (found,) = faults(path)
    assert found.key == "plan.no_ledger"


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ('"measures": null', "measures"),
        ('"measures": {"travel": {"plan": 1.0, "unit": "minutes"}}', "measures.travel.today"),
        ('"measures": {"travel": {"today": "12", "plan": 1.0, "unit": "minutes"}}', "measures.travel.today"),
        ('"measures": {"travel": {"today": NaN, "plan": 1.0, "unit": "minutes"}}', "NaN"),
        ('"held": [1]', "held.0"),
        ('"held": [{"quantity": 1, "quantity": 2}]', "quantity"),
        ('"county_folder": 7', "county_folder"),
    ],
)
def test_a_record_that_its_readers_cannot_rely_on_is_none(tmp_path: Path, more: str, told: str) -> None:
    (tmp_path / "run.json").write_text(f'{{"ledger": [], {more}}}', encoding="utf-8")
    (found,) = faults(tmp_path)
    assert found.key == "plan.not_a_record" and told in found.sentence("en")
    answer = CliRunner().invoke(app, ["compare", str(tmp_path), str(tmp_path), "--lang", "en"])
    assert answer.exit_code == 2 and told in answer.output.replace("\n", "")
