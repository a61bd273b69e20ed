"""Killed (-9) at seeded moments, no verb loses a finished plan, and the same command works again."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from geodata.contract.findings import InputProblems

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the runs are forked")


def test_killed_verbs_lose_nothing_and_run_again(tmp_path: Path) -> None:
    from benchmarks.kill_verbs import prepared
    from benchmarks.kills import killed, run, usual

    at, first, dice = tmp_path / "run", tmp_path / "first", random.Random(3)
    prepared(at)
    at.rename(first)
    for name in ("template --document", "archive", "check"):
        shutil.copytree(first, at)
        known = usual(name, at)
        shutil.rmtree(at)
        shutil.copytree(first, at)
        assert killed(name, at, dice.uniform(0.5, 1.0) * known.seconds, known).wrong == []
        shutil.rmtree(at)
    assert run(["check", str(first / "county")], first, first / "log") == 0


def test_every_verb_of_the_command_line_is_killed() -> None:
    from benchmarks.kill_verbs import APART, VERBS
    from optimizer.cli.main import VERBS as COMMANDS

    assert {name.replace(",", "").split()[0] for name in VERBS} | APART == set(COMMANDS)


def test_a_lost_plan_and_left_overs_would_be_seen(tmp_path: Path) -> None:
    from benchmarks.kill_verbs import VERBS, Verb
    from benchmarks.kills import Undisturbed, _again, _whole, files_in

    (tmp_path / "plan").mkdir()
    (tmp_path / "plan" / "plan.csv").write_text("row_id,acti", encoding="utf-8")
    (tmp_path / ".plan.junheng").mkdir()
    assert _whole(tmp_path / "plan") and ".plan.junheng" in files_in(tmp_path)
    nothing = Verb(lambda at: ["stress", "--template"])
    assert _again(nothing, tmp_path, tmp_path / "log", False, Undisturbed(1.0, frozenset(), {})) == [
        "left: .plan.junheng", "left: plan", "left: plan/plan.csv",
    ]  # fmt: skip
    assert "plan" in VERBS


def test_a_study_that_is_not_drawn_yet_is_no_dossier_without_its_record(tmp_path: Path) -> None:
    """Killed between its rows and its sheets a stress test holds its plan, its record and a word that it is unfinished."""
    from benchmarks.kills import _whole
    from models.plan.record import write_ledger
    from tests.models.plans import keep_all, ready

    (tmp_path / "unfinished.txt").write_text("not drawn", encoding="utf-8")
    write_ledger(keep_all(ready()), tmp_path / "plan.csv")
    assert any("run.json" in wrong for wrong in _whole(tmp_path))  # a dossier would have one
    (tmp_path / "stress.json").write_text('{"study": "key"}', encoding="utf-8")
    assert _whole(tmp_path) == []
    (tmp_path / "plan.csv").write_text("row_id,acti", encoding="utf-8")
    assert _whole(tmp_path) != []


def dies(step: Callable[[], object]) -> None:
    """Run a step in a process of its own that dies on the way, without a word and without tidying up."""
    pid = os.fork()
    if not pid:
        try:
            step()
        finally:
            os._exit(0)
    os.waitpid(pid, 0)


def dead(*_: object, **__: object) -> None:
    os._exit(9)


def test_whether_a_place_can_be_written_is_found_out_without_a_name(tmp_path: Path) -> None:
    from maps.folders.writing import refuse_unwritable

    def step() -> None:
        os.rmdir = shutil.rmtree = dead  # type: ignore[assignment]
        refuse_unwritable(tmp_path / "plan")

    dies(step)
    assert list(tmp_path.iterdir()) == []


def test_a_template_of_the_reports_appears_whole(tmp_path: Path) -> None:
    from optimizer.cli.data import _write_letterhead

    def step() -> None:
        def half(self: Path, content: bytes) -> None:
            with self.open("wb") as file:
                file.write(content[: len(content) // 2])
            dead()

        Path.write_bytes = half  # type: ignore[method-assign, assignment]
        _write_letterhead(tmp_path / "letter.docx", "en")

    dies(step)
    assert not (tmp_path / "letter.docx").exists()
    _write_letterhead(tmp_path / "letter.docx", "en")
    assert [p.name for p in tmp_path.iterdir()] == ["letter.docx"]


def test_a_study_killed_at_its_first_file_begins_again(tmp_path: Path) -> None:
    from optimizer.study.jobs.folder import RowsFolder

    def step() -> None:
        Path.replace = dead  # type: ignore[method-assign, assignment]
        RowsFolder(tmp_path / "study", "stress.json", "key", (), False)

    dies(step)
    assert [p.name for p in (tmp_path / "study").iterdir()] == [".stress.json.new"]
    RowsFolder(tmp_path / "study", "stress.json", "key", (), False)
    assert [p.name for p in (tmp_path / "study").iterdir()] == ["stress.json"]


def test_a_corrected_county_that_was_finished_is_found_there_by_the_next_run(tmp_path: Path) -> None:
    """Killed between the last file and the renaming: the copy takes its place, and is not overwritten."""
    from geodata.contract.containment import Allowed
    from geodata.corrections.copying import write_corrected
    from geodata.folder.reading import read_county
    from geodata.folder.target import HeldTarget
    from tests.models.unknown import written

    place = written(tmp_path / "county")
    county = read_county(place)

    def step() -> None:
        HeldTarget._exchange = dead  # type: ignore[method-assign, assignment]
        write_corrected(place, county, (), tmp_path / "new", Allowed())

    dies(step)
    assert not (tmp_path / "new").exists()
    with pytest.raises(InputProblems) as problem:
        write_corrected(place, county, (), tmp_path / "new", Allowed())
    assert [f.key for f in problem.value.findings] == ["corrections.taken"]
    assert (tmp_path / "new" / "schools.csv").is_file()
    assert {p.name for p in tmp_path.iterdir()} == {"county", "new"}


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's cache folder and a folder for passing files, both empty."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    return tmp_path


@pytest.mark.parametrize("moment", ["key", "name", "sealing", "sealed", "moving"])
def test_the_cache_clears_what_was_killed_at_any_step(own: Path, moment: str) -> None:
    import pandas as pd

    from geodata.roads import ownership, store
    from geodata.roads.cache import Entry

    entry = Entry({"pairs": pd.DataFrame({"a": [1]})}, {})
    if moment != "key":
        ownership.owner_seal("made before")

    def step() -> None:
        if moment in ("key", "moving"):
            Path.replace = Path.rename = dead  # type: ignore[method-assign, assignment]
        if moment == "name":
            Path.write_text = dead  # type: ignore[method-assign, assignment]
        if moment == "sealing":
            store.owner_seal = lambda text: ownership.owner_seal(text)[:5]
            store._write = dead  # type: ignore[assignment]
        if moment == "sealed":
            store._write = dead  # type: ignore[assignment]
        store.Cache(own / "kept").put("times", "k", entry)

    (own / "kept").mkdir()
    (own / "kept" / store.MARK).write_text(store.MARKED, encoding="utf-8")
    dies(step)
    assert list(own.rglob("new-*"))
    assert store.Cache(own / "kept").put("times", "k", entry)
    assert list(own.rglob("new-*")) == [] and list(own.rglob("key-*")) == []
    assert len(list((own / "kept").iterdir())) == 2


@pytest.mark.parametrize("moment", ["made", "used"])
def test_passing_files_of_a_killed_run_are_removed_by_the_next(own: Path, moment: str) -> None:
    from geodata.roads import scratch

    place = own / "tmp"
    foreign = place / "junheng-999999999-abcdefgh"
    foreign.mkdir()
    (foreign / "mine.txt").write_text("mine", encoding="utf-8")

    def step() -> None:
        if moment == "made":
            scratch.owner_seal = dead  # type: ignore[assignment]
        with scratch.scratch_folder() as folder:
            (folder / "roads.osm").write_text("x", encoding="utf-8")
            dead()

    dies(step)
    assert len(list(place.iterdir())) == 2
    with scratch.scratch_folder() as folder:
        assert {p.name for p in place.iterdir()} == {foreign.name, folder.name}
    assert [p.name for p in place.iterdir()] == [foreign.name]
    assert (foreign / "mine.txt").read_text(encoding="utf-8") == "mine"
