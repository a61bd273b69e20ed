"""A disk that takes no more, a part that fails: the plan and every other part are there, and it is said."""

from __future__ import annotations

import errno
import tempfile
from pathlib import Path

import pytest

from geodata.folder.target import HeldTarget
from maps.dossier import dossier
from maps.dossier.rehearsal import UNFINISHED, Undrawn, draw_parts
from maps.folders.writing import Output, write_folder
from models.plan.decisions import PlanResult
from models.plan.record import read_plan

FULL = OSError(errno.ENOSPC, "No space left on device")


def failing(problem: BaseException):
    def make(file: Path) -> None:
        file.write_text("half", encoding="utf-8")
        raise problem

    return make


@pytest.mark.parametrize(
    ("problem", "key"),
    [(FULL, "not_written"), (PermissionError(errno.EACCES, "no"), "not_written"), (SystemExit(3), "not_drawn"), (MemoryError(), "not_drawn"),
     (OSError("no picture"), "not_drawn")],
)  # fmt: skip
def test_no_part_costs_another(tmp_path, problem, key):
    parts = (("a.html", failing(problem)), ("b.html", lambda file: file.write_text("b", encoding="utf-8")))
    found = draw_parts(tmp_path, parts, "en")
    assert [(f.key, f.file) for f in found] == [(f"workbook.{key}", "a.html")]
    assert {p.name for p in tmp_path.iterdir()} == {"b.html", UNFINISHED}


@pytest.fixture
def full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place whose disk takes nothing; the folder for passing files is on another one."""

    def replace(self: HeldTarget, fill: object) -> Path:
        raise FULL

    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.setattr(HeldTarget, "replace", replace)
    return tmp_path / "made"


def test_a_plan_that_its_disk_does_not_take_is_saved_on_another(
    sample_result: PlanResult, full: Path
) -> None:
    place = dossier.save_plan(sample_result, full, "en")
    assert place.parent.name == "tmp" and (place / UNFINISHED).is_file()
    assert read_plan(place).plan_id == sample_result.plan.plan_id


def test_so_is_the_record_of_a_study(full: Path) -> None:
    with pytest.raises(Undrawn) as missing:
        write_folder(full, Output("front.json", frozenset()), False, {"points": [1]}, (), "en")
    (finding,) = missing.value.findings
    assert finding.key == "workbook.saved_elsewhere" and (missing.value.folder / "front.json").is_file()


def test_where_no_disk_takes_it_the_decisions_are_printed(
    sample_result: PlanResult, full: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from optimizer.cli.console import output
    from optimizer.cli.planning import _saved

    monkeypatch.setattr(dossier, "elsewhere", lambda place: iter(()))
    with pytest.raises(OSError, match="No space"):
        _saved(output("en"), sample_result, full, False)
    said = capsys.readouterr().out
    assert all(row in said for row in sample_result.plan.ledger["row_id"])
