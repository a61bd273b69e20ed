"""Requests to end a verb: the words are true of what is on disk, whatever the request is and however often it comes."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from geodata.folder import interrupts
from geodata.folder.interrupts import came_last, held, put_off
from geodata.folder.target import claim
from maps.dossier.rehearsal import mark_unfinished
from optimizer.cli.console import exits, output
from optimizer.outcomes import StoppedWithoutPlan

SIGNALS = [s for s in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, s)]
WORDS = {"SIGINT": "Ctrl-C", "SIGTERM": "SIGTERM", "SIGHUP": "SIGHUP"}


@pytest.fixture(autouse=True)
def as_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interrupts, "_heard", {getattr(signal, s) for s in SIGNALS})


def ended(verb: str, step, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Exit code and words of a verb that does a step."""
    with pytest.raises(typer.Exit) as end, exits(output("en"), verb):
        step()
    return end.value.exit_code, " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("name", SIGNALS)
def test_every_request_ends_in_words_of_its_own(name, capsys):
    code, said = ended("check", lambda: signal.raise_signal(getattr(signal, name)), capsys)
    assert code == 4 and WORDS[name] in said and "the check is not finished" in said


def test_requests_that_were_ignored_stay_ignored(monkeypatch):
    monkeypatch.setattr(interrupts, "_heard", {signal.SIGTERM})
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with exits(output("en"), "check"):
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_pressed_again_while_it_is_answered_is_the_same_request(capsys):
    def step() -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        finally:  # a clean-up, which is not cut off
            signal.raise_signal(signal.SIGINT)
            done.append(True)

    done: list[bool] = []
    code, said = ended("audit", step, capsys)
    assert (code, done) == (4, [True]) and "the assessment is not finished" in said


@pytest.mark.parametrize(
    ("drawn", "words"), [(False, "not everything is drawn"), (True, "is complete; what was to come after it")]
)
def test_what_is_on_disk_is_said_without_the_verb_s_help(tmp_path, capsys, drawn, words):
    def fill(draft: Path) -> None:
        (draft / "plan.csv").write_text("row_id\n", encoding="utf-8")
        if not drawn:
            mark_unfinished(draft, "en")

    def step() -> None:
        with claim(tmp_path / "made") as target:
            target.replace(fill)
        signal.raise_signal(signal.SIGINT)

    code, said = ended("evaluate", step, capsys)
    assert code == 0 and words in said and "Nothing was written" not in said
    code, said = ended("pictures", step, capsys)  # where what is drawn is the result
    assert code == (0 if drawn else 4)


def test_an_output_and_the_earlier_one_change_places_whole(tmp_path, monkeypatch, capsys):
    (tmp_path / "made").mkdir()
    moved = Path.rename

    def rename(self: Path, to: Path) -> Path:
        signal.raise_signal(signal.SIGINT)
        return moved(self, to)

    def step() -> None:
        with claim(tmp_path / "made", frozenset(("a",))) as target:
            target.replace(lambda draft: (draft / "a").write_text("new", encoding="utf-8"))

    monkeypatch.setattr(Path, "rename", rename)
    code, said = ended("evaluate", step, capsys)
    assert code == 0 and "is complete" in said
    assert (tmp_path / "made" / "a").read_text(encoding="utf-8") == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["made"]


def test_what_is_put_off_is_answered_by_whoever_holds_it():
    with held() as came:
        with put_off():
            signal.raise_signal(signal.SIGTERM)
            assert came == []
        assert came == [signal.SIGTERM] and came_last() == "SIGTERM"


def test_a_search_that_was_stopped_by_a_request_is_no_search_without_a_plan(capsys):
    def step() -> None:
        raise StoppedWithoutPlan(interrupted=True)

    assert "before any goal had its turn" in ended("trades", step, capsys)[1]


@pytest.mark.skipif(sys.platform == "win32", reason="a shell closes the streams")
@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_closed_streams_lead_nowhere_and_no_file_stands_in_their_place(tmp_path, closed):
    file = tmp_path / "mine"
    code = (
        "from optimizer.cli.start import with_streams, say_everything\n"
        "with_streams(); say_everything()\n"
        f"import os; f = open({str(file)!r}, 'w'); print('x', flush=True); os.write(1, b'y'); f.write(str(f.fileno()))"
    )
    done = subprocess.run(["sh", "-c", f'"$0" -c "$1" {closed}', sys.executable, code], check=False)
    assert done.returncode == 0 and int(file.read_text(encoding="utf-8")) > 2
