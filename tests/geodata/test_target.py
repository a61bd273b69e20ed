"""Outputs appear whole, by one run at a time, and what a killed run leaves is cleared by the next."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from geodata.contract.findings import InputProblems
from geodata.folder.target import DRAFT, LOCK, OLD, READY, claim


def write(text: str, *names: str):
    def fill(draft: Path) -> None:
        for name in names:
            (draft / name).write_text(text)

    return fill


def read(folder: Path) -> dict[str, str]:
    return {p.name: p.read_text() for p in folder.iterdir()}


def make(place: Path, text: str, *names: str) -> Path:
    with claim(place, frozenset(("a", "b"))) as target:
        return target.replace(write(text, *names))


def test_a_folder_is_replaced_whole_and_the_planner_s_files_stay(tmp_path):
    place = make(tmp_path / "p", "1", "a", "b")
    (place / "mine").write_text("kept")
    make(place, "2", "a")
    assert read(place) == {"a": "2", "mine": "kept"}  # b is of the earlier output, and gone with it
    assert [p.name for p in tmp_path.iterdir()] == ["p"]


def test_what_fails_half_way_changes_nothing(tmp_path):
    place = make(tmp_path / "p", "1", "a")

    def fails(draft: Path) -> None:
        (draft / "a").write_text("2")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="space"), claim(place) as target:
        target.replace(fails)
    assert read(place) == {"a": "1"}
    assert [p.name for p in tmp_path.iterdir()] == ["p"]


def test_a_place_that_cannot_be_replaced_has_the_new_one_beside_it(tmp_path, monkeypatch):
    place = make(tmp_path / "p", "1", "a")
    inner = Path.rename

    def locked(self: Path, to: Path) -> Path:
        if self == place:
            raise PermissionError(13, "in use")
        return inner(self, to)

    monkeypatch.setattr(Path, "rename", locked)
    with claim(place) as target:
        other = target.replace(write("2", "a"))
        target.replace(write("3", "a"))
    assert (read(place), read(other)) == ({"a": "1"}, {"a": "3"})
    assert [f.key for f in target.findings] == ["cli.put_beside"]


def test_a_file_appears_whole_and_never_over_another(tmp_path):
    with claim(tmp_path / "f.txt") as target:
        target.new_file(lambda p: p.write_text("1"))
    with pytest.raises(InputProblems), claim(tmp_path / "f.txt") as target:
        target.new_file(lambda p: p.write_text("2"))
    assert read(tmp_path) == {"f.txt": "1"}


HOLD = """
import sys, time
from pathlib import Path
from geodata.folder.target import claim
with claim(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_run_on_one_target_is_told_and_a_killed_one_holds_nothing(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path / "p"], stdout=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout.readline() == "held\n"
        with pytest.raises(InputProblems) as problem, claim(tmp_path / "p"):
            pass
        (fault,) = problem.value.findings
        assert (fault.key, fault.fields["pid"]) == ("cli.in_use", str(first.pid))
        first.send_signal(signal.SIGKILL)
        first.wait()
        make(tmp_path / "p", "1", "a")
        assert [p.name for p in tmp_path.iterdir()] == ["p"]


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("moment", ["draft", "ready", "away", "exchanged"])
def test_left_overs_of_a_killed_run_are_cleared(tmp_path, moment, there):
    """At every step of an exchange: the earlier output or the finished new one is there, whole, with the planner's files."""
    place, work = tmp_path / "p", tmp_path / ".p.junheng"
    if there:
        make(place, "1", "a")
        (place / "mine").write_text("kept")
    work.mkdir()
    (work / LOCK).write_text("1")
    new = work / DRAFT
    new.mkdir()
    (new / "a").write_text("2")
    if moment != "draft":
        (work / READY).touch()
    if moment in ("away", "exchanged") and there:
        place.rename(work / OLD)
    if moment == "exchanged":
        new.rename(place)
    with claim(place):
        pass
    want = {"a": "1"} if moment == "draft" else {"a": "2"}
    if moment == "draft" and not there:
        assert list(tmp_path.iterdir()) == []
    else:
        assert read(place) == want | ({"mine": "kept"} if there else {})
        assert [p.name for p in tmp_path.iterdir()] == ["p"]


MANY = """
import sys
from pathlib import Path
from geodata.folder.target import claim
i = 0
while True:
    i += 1
    with claim(Path(sys.argv[1]), frozenset(("a", "b"))) as target:
        def fill(draft):
            for name in ("a", "b"):
                (draft / name).write_text(str(i))
        target.replace(fill)
    if i == 1:
        print("going", flush=True)
"""


def test_killed_at_any_moment_the_folder_is_whole(tmp_path):
    place = tmp_path / "p"
    for wait in (0.0, 0.013, 0.029, 0.051):
        with subprocess.Popen([sys.executable, "-c", MANY, place], stdout=subprocess.PIPE) as run:
            run.stdout.readline()
            time.sleep(wait)
            os.kill(run.pid, signal.SIGKILL)
        with claim(place, frozenset(("a", "b"))):
            pass
        found = read(place)
        assert found["a"] == found["b"]
        assert [p.name for p in tmp_path.iterdir()] == ["p"]


def test_files_on_the_way_lie_beside_the_target_and_go_with_it(tmp_path, monkeypatch):
    """What libraries put into the system's folder for passing files is found by the next run too."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()

    def fill(draft):
        tempfile.mkstemp()
        (draft / "a").write_text("1")
        if os.getppid() != parent:
            return
        os._exit(9)

    parent = os.getpid()
    if not os.fork():
        with claim(tmp_path / "p") as target:
            target.replace(fill)
    os.wait()
    assert list((tmp_path / "tmp").iterdir()) == [] and list((tmp_path / ".p.junheng" / "passing").iterdir())
    with claim(tmp_path / "p") as target:
        target.replace(fill)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["p", "tmp"] and read(tmp_path / "p") == {"a": "1"}
    assert tempfile.gettempdir() == str(tmp_path / "tmp")


@pytest.mark.parametrize("how", ["link", "name", "pipe", "text"])
def test_a_lock_that_is_none_of_ours_is_never_written_to(tmp_path, how):
    mine, work = tmp_path / "mine.txt", tmp_path / ".out.junheng"
    mine.write_text("my own words", encoding="utf-8")
    work.mkdir()
    make = {"link": lambda p: p.symlink_to(mine), "name": lambda p: os.link(mine, p), "pipe": os.mkfifo}
    make.get(how, lambda p: p.write_text("my own words", encoding="utf-8"))(work / LOCK)
    with pytest.raises(InputProblems) as problem, claim(tmp_path / "out"):
        pass
    assert [f.key for f in problem.value.findings] == ["cli.not_writable"]
    assert mine.read_text(encoding="utf-8") == "my own words"


def test_links_in_the_hidden_folder_lead_nowhere(tmp_path):
    mine, work = tmp_path / "mine", tmp_path / ".out.junheng"
    mine.mkdir()
    (mine / "a").write_text("a", encoding="utf-8")
    work.mkdir()
    for part in (DRAFT, OLD, READY, "passing"):
        (work / part).symlink_to(mine)
    with claim(tmp_path / "out") as target:
        target.replace(lambda draft: (draft / "b").write_text("b", encoding="utf-8"))
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["b"] and not work.exists()
    assert [p.name for p in mine.iterdir()] == ["a"]
    work.symlink_to(mine)
    with pytest.raises(InputProblems), claim(tmp_path / "out"):
        pass
    assert [p.name for p in mine.iterdir()] == ["a"]


def test_a_circle_of_links_and_the_root_are_no_place_for_an_output(tmp_path):
    (tmp_path / "out").symlink_to(tmp_path / "out")
    for place in (tmp_path / "out", Path("/")):
        with pytest.raises(InputProblems) as problem, claim(place):
            pass
        assert [f.key for f in problem.value.findings] == ["tables.no_place"]
