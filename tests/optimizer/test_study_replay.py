"""A recorded study made again: from its own folder, in another one, and what differs is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from optimizer.cli.console import BAD_INPUT
from optimizer.cli.main import app
from optimizer.cli.studies import again as again_of
from optimizer.study.replaying import study_differs
from tests import tiny
from tests.optimizer.test_job import written

FUTURES = """design = "grid"
[[factor]]
id = "budget"
of = "teacher"
values = [1.0, 0.9]
"""
SCENARIO = 'seconds = 20\n[[goals]]\nname = "over_cap"\n'


def run(*words: object) -> tuple[int, str]:
    """Exit code and output of the command, in English."""
    found = CliRunner().invoke(app, [*map(str, words), "--lang", "en"])
    return found.exit_code, found.output


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A county, futures and a scenario in a folder."""
    folder = tmp_path_factory.mktemp("studies")
    written(tiny.county(), folder / "county")
    (folder / "futures.toml").write_text(FUTURES, encoding="utf-8")
    (folder / "scenario.toml").write_text(SCENARIO, encoding="utf-8")
    return folder


VERBS = {
    "frontier": (["--points", 2, "--from", 0.5, "--to", 1.0, "--steady", "nested", "--flip", "band", "--solves", 1], "frontier.json"),
    "alternatives": (["--k", 1], "alternatives.json"),
    "stress": (["--workers", 1, "--remake", 1, "--seconds", 20], "stress.json"),
    "robust": (["--workers", 1, "--goal", "over_cap", "--seconds", 20], "robust.json"),
}  # fmt: skip


@pytest.mark.parametrize("verb", VERBS)
def test_every_study_is_made_again_from_its_record(
    place: Path, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(again_of, "cores", lambda: 1)
    options, marker = VERBS[verb]
    first, again = place / verb, place / f"{verb}-again"
    given = ["--scenarios", place / "futures.toml"] if verb in ("stress", "robust") else []
    code, output = run(
        verb, place / "county", "--out", first, "--scenario", place / "scenario.toml", *given, *options
    )
    assert code == 0, output
    record = json.loads((first / marker).read_text(encoding="utf-8"))
    assert record["county_folder"] == "../county" and record["options"]
    assert run("replay", first)[0] == BAD_INPUT  # no place for the second one
    code, output = run("replay", first, "--out", again)
    assert code == 0 and "The same study again" in output, output
    assert run("replay", first, "--out", again)[0] == BAD_INPUT  # never over what is there
    # a figure that somebody changed is found
    record["input_hash"] = "0"
    (first / marker).write_text(json.dumps(record), encoding="utf-8")
    assert study_differs(first, again, marker) == [f"{marker}: input_hash"]


def test_what_is_no_study_or_of_an_older_program_is_told(place: Path, tmp_path: Path) -> None:
    (tmp_path / "stress.json").write_text('{"study": "abc"}', encoding="utf-8")
    code, output = run("replay", tmp_path, "--out", tmp_path / "again")
    assert code == BAD_INPUT and "not the record of a study" in output.replace("\n", " ")
    (tmp_path / "stress.json").write_text("{", encoding="utf-8")
    assert run("replay", tmp_path / "stress.json", "--out", tmp_path / "again")[0] == BAD_INPUT
    told = {
        "options": {"points": 2, "narrow": None, "steadily": None},
        "county_folder": str(place / "county"),
    }
    (tmp_path / "stress.json").unlink()
    (tmp_path / "frontier.json").write_text(json.dumps(told), encoding="utf-8")
    code, output = run("replay", tmp_path, "--out", tmp_path / "again")
    assert code == BAD_INPUT and "does not say all" in output.replace("\n", " ")
    told["county_folder"] = None
    (tmp_path / "frontier.json").write_text(json.dumps(told), encoding="utf-8")
    code, output = run("replay", tmp_path, "--out", tmp_path / "again")
    assert code == BAD_INPUT and "--county" in output
