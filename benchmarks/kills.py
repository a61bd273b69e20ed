"""Kill -9 of every verb at random moments: ``python -m benchmarks kills [--moments 20] [--verbs plan check ...]``.

Every run is a process of its own, forked from one that has imported everything, and is killed at a moment between
its start and a little after its usual end. Looked at afterwards: a plan that was said to be on disk is there whole,
what lay there before is whole too, no process goes on, and the same command run again ends well, with the same files
as an undisturbed run and none besides, the user's cache folder and the system's folder for passing files included.
"""

from __future__ import annotations

import argparse
import importlib
import io
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.kill_verbs import SELDOM, VERBS, Verb, workplace
from benchmarks.results import report
from maps.dossier import dossier
from models.plan.record import read_plan
from optimizer.cli.main import VERBS as COMMANDS
from optimizer.cli.main import _verb, app

MARK = "JUNHENG_KILLED"
"""In the environment of every process that a run starts."""
PATIENCE = 30.0
"""Seconds that a worker of a killed run may take to notice."""
NOT_COUNTED = {"log", "modules"}
FEW = {"plan.xlsx", "plan.gpkg", "villages.html"}
STUDIES = ("stress.json", "robust.json")
"""Records by which a study's folder is known."""
MODULES_SKIPPED = ("__main__", "__mp_main__")


@dataclass(frozen=True)
class Killed:
    """What one killed run left: the moment, how far it came, and what is wrong with it (empty: nothing)."""

    verb: str
    moment: float
    ended: bool
    said: bool
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Undisturbed:
    """A verb's run from beginning to end: how long it takes, every file that is there then, the bytes that last."""

    seconds: float
    files: frozenset[str]
    lasting: dict[str, bytes]
    again: set[frozenset[tuple[str, int]]] = field(default_factory=lambda: {frozenset()})
    """States after a kill from which a run has ended well, and the state in which nothing has changed: not run again."""


def started(words: list[str], at: Path, log: Path) -> int:
    """The process id of a command that runs in a fork of this process, its output in a file."""
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        _at_home(at)
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(out, 1)
        os.dup2(out, 2)
        sys.stdout = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), "utf-8", write_through=True)
        sys.stderr = io.TextIOWrapper(io.FileIO(2, "w", closefd=False), "utf-8", write_through=True)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        app([*words, "--lang", "en"], standalone_mode=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        (at / "modules").write_text("\n".join(sorted(sys.modules)), encoding="utf-8")
        os._exit(code)


def _at_home(at: Path) -> None:
    """Everything that a command writes on its own account lies in the working folder too."""
    for name in ("tmp", "cache"):
        (at / name).mkdir(exist_ok=True)
    os.environ |= {"TMPDIR": str(at / "tmp"), "XDG_CACHE_HOME": str(at / "cache"), MARK: str(at)}
    tempfile.tempdir = None
    os.chdir(at)


def run(words: list[str], at: Path, log: Path) -> int:
    """Exit code of a command that runs to its end; what it has imported is imported here too, for the runs to come."""
    code = os.waitstatus_to_exitcode(os.waitpid(started(words, at, log), 0)[1])
    for name in (at / "modules").read_text(encoding="utf-8").split():
        if name not in sys.modules and name.partition(".")[0] not in MODULES_SKIPPED:
            try:
                importlib.import_module(name)
            except Exception:  # a module made on the way: whoever needs it imports it
                continue
    return code


def _json(file: Path) -> object:
    return json.loads(file.read_text(encoding="utf-8"))


def _whole(place: Path) -> list[str]:
    """What is wrong with an output that is there: a ledger or a record that cannot be read, a file cut short."""
    wrong = []
    dossier = (
        any((place / name).is_file() for name in ("index.html", "unfinished.txt"))
        and (place / "plan.csv").is_file()
        and not any(
            (place / name).is_file() for name in STUDIES
        )  # keeps its plan there, and no record of a plan
    )
    readers: list[tuple[Path, Callable[[Path], object]]] = [(p, _json) for p in place.glob("*.json")]
    readers += [(p, read_plan) for p in place.glob("plan.csv")]
    for file, read in [*readers, *([(place, read_plan)] if dossier else [])]:
        try:
            read(file)
        except Exception as problem:  # whatever it is, the result is not whole
            wrong.append(f"{file.name}: {type(problem).__name__}: {problem}")
    if place.is_file() and place.stat().st_size == 0:
        wrong.append(f"{place.name}: empty")
    return wrong


def files_in(at: Path) -> frozenset[str]:
    """Every file and folder of a working folder, seen from it, hidden ones included."""
    return frozenset(p.relative_to(at).as_posix() for p in at.rglob("*")) - NOT_COUNTED - {"tmp", "cache"}


def _state(at: Path) -> dict[str, tuple[int, int]]:
    """Size and time of every file, by which two moments of a working folder are compared."""
    stats = {name: (at / name).stat() for name in files_in(at)}
    return {n: (0, 0) if (at / n).is_dir() else (s.st_size, s.st_mtime_ns) for n, s in stats.items()}


def _changed(
    before: dict[str, tuple[int, int]], now: dict[str, tuple[int, int]]
) -> frozenset[tuple[str, int]]:
    """What is new, other or gone (size -1), by name and size."""
    new = {(name, state[0]) for name, state in now.items() if before.get(name) != state}
    return frozenset(new | {(name, -1) for name in before.keys() - now.keys()})


def _alive(at: Path) -> list[int]:
    """Processes that a run in a working folder has started and that still run."""
    mark, found = f"{MARK}={at}".encode(), []
    for place in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in place.read_bytes().split(b"\0"):
                found.append(int(place.parent.name))
        except OSError:  # somebody else's, or gone meanwhile
            continue
    return found


def _going_on(at: Path) -> list[str]:
    """Processes of a killed run that do not notice it."""
    until = time.monotonic() + PATIENCE
    while (left := _alive(at)) and time.monotonic() < until:
        time.sleep(0.2)
    return [f"still runs: process {pid}" for pid in left]


def ready(whole: bool) -> None:
    """Import what the verbs need, once for all forks.

    Parameters
    ----------
    whole : bool
        Draw all files of a dossier; else a workbook, layers and a page stand for those that take long to draw and are
        written into the same draft.
    """
    for name in COMMANDS:
        _verb(name)
    if not whole:
        every = dossier._parts
        dossier._parts = lambda *given: tuple(p for p in every(*given) if p[0] in FEW)


def usual(name: str, at: Path) -> Undisturbed:
    """A verb's run undisturbed.

    Raises
    ------
    RuntimeError
        It does not end well.
    """
    verb, begun = VERBS[name], time.monotonic()
    if run(verb.words(at), at, at / "log"):
        raise RuntimeError(f"{name}: {(at / 'log').read_text(encoding='utf-8')[-500:]}")
    return Undisturbed(time.monotonic() - begun, files_in(at), _lasting(verb, at))


def _lasting(verb: Verb, at: Path) -> dict[str, bytes]:
    return {name: (at / verb.output / name).read_bytes() for name in verb.lasting}


def killed(name: str, at: Path, moment: float, known: Undisturbed) -> Killed:
    """Run a verb, kill it at a moment, look at what is left, and run it again.

    Parameters
    ----------
    name : str
        In `VERBS`.
    at : Path
        A `workplace` of its own; changed.
    moment : float
        Seconds after the start.
    known : Undisturbed
    """
    verb, log, before = VERBS[name], at / "log", _state(at)
    pid = started(verb.words(at), at, log)
    ended = 0
    until = time.monotonic() + moment
    while time.monotonic() < until and not ended:
        ended = os.waitpid(pid, os.WNOHANG)[0]
        time.sleep(min(0.005, max(0.0, until - time.monotonic())))
    if not ended:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    text = " ".join(log.read_text(encoding="utf-8", errors="replace").split())
    said = bool(verb.says) and verb.says in text
    wrong = _going_on(at) + _whole(at / "made")
    there = bool(verb.output) and (at / verb.output).exists()
    if there:
        wrong += _whole(at / verb.output)
    if said and not there:
        wrong.append("what was said to be on disk is gone")
    left = _changed(before, _state(at))
    if left not in known.again:
        problems = _again(verb, at, log, there, known)
        wrong += problems
        if not problems:
            known.again.add(left)
    return Killed(name, moment, bool(ended), said, wrong)


def _again(verb: Verb, at: Path, log: Path, there: bool, known: Undisturbed) -> list[str]:
    """The same command run to its end: what is wrong then."""
    if there and verb.again is None:  # nothing is ever overwritten: the user removes what is whole
        place = at / verb.output
        shutil.rmtree(place) if place.is_dir() else place.unlink()
    code = run([*verb.words(at), *((verb.again or ()) if there else ())], at, log)
    text = log.read_text(encoding="utf-8", errors="replace")
    wrong = [f"run again: code {code}: {' '.join(text.split())[-300:]}"] if code else []
    if "Traceback" in text:
        wrong.append("run again: a traceback")
    if not code:
        now = files_in(at)
        wrong += [f"left: {name}" for name in sorted(now - known.files)]
        wrong += [f"missing: {name}" for name in sorted(known.files - now)]
        wrong += [f"other bytes: {n}" for n, b in _lasting(verb, at).items() if b != known.lasting[n]]
    return wrong + (_whole(at / verb.output) if verb.output else [])


def rounds(names: list[str], moments: int, seed: int, seconds: float) -> list[Killed]:
    """Every verb killed at so many moments, all verbs in turn, as far as the time goes."""
    dice, begun, found = random.Random(seed), time.monotonic(), []
    with tempfile.TemporaryDirectory() as work:
        first, at = Path(work) / "first", Path(work) / "run"
        workplace(at, run)
        at.rename(first)  # the runs stand where it stood: its records hold paths
        known: dict[str, Undisturbed] = {}
        for number in range(moments):
            for name in (n for n in names if n not in SELDOM or number % 4 == 3):
                if time.monotonic() - begun > seconds:
                    return found
                if name not in known:
                    shutil.copytree(first, at)
                    known[name] = usual(name, at)
                    shutil.rmtree(at)
                shutil.copytree(first, at)
                one = killed(name, at, dice.uniform(0.0, 1.05 * known[name].seconds), known[name])
                found.append(one)
                print(f"{name:<20}{one.moment:7.2f} s  {'; '.join(one.wrong) or 'well'}", flush=True)
                shutil.rmtree(at)
    return found


def page(found: list[Killed], whole: bool, seconds: float) -> list[str]:
    """The results as a page."""
    rows: list[tuple[Any, ...]] = [(k.verb, k.moment, k.ended, k.said, bool(k.wrong)) for k in found]
    table = pd.DataFrame(rows, columns=["verb", "moment", "ended", "said", "wrong"])
    lines = [
        "`python -m benchmarks kills`: every verb on a county of three sites, killed (SIGKILL) at random moments of its usual time,",
        "then run again to its end, unless the same files of the same sizes were left before. *Said* counts runs that had said that their result is on disk; *wrong* counts runs after which",
        "a plan was not whole, a process went on, or the same command did not end well, left any file that an undisturbed run does",
        f"not leave (cache and passing files included), or gave other decisions. {seconds:.0f} s in all. " + ("" if whole else "Of each dossier, `index.html`, the record and " + ", ".join(f"`{f}`" for f in sorted(FEW)) + " are drawn."), "",
        "| verb | moments | latest (s) | had ended | said | wrong |", "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for verb, some in table.groupby("verb", sort=False):
        lines.append(_line(f"`{verb}`", some, f"{some['moment'].max():.1f}"))
    lines.append(_line("all", table, ""))
    lines += ["", *(f"- `{k.verb}` at {k.moment:.2f} s: {w}" for k in found for w in k.wrong)]
    return lines


def _line(what: str, some: pd.DataFrame, latest: str) -> str:
    counts = " | ".join(str(some[c].sum()) for c in ("ended", "said", "wrong"))
    return f"| {what} | {len(some)} | {latest} | {counts} |"


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m benchmarks kills", description=__doc__)
    asked.add_argument("--moments", type=int, default=20, help="moments of each verb")
    asked.add_argument(
        "--verbs", nargs="*", default=[v for v in VERBS if v != "demo"], help="which; demo takes minutes"
    )
    asked.add_argument("--whole", action="store_true", help="draw dossiers to the last picture: far slower")
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--seconds", type=float, default=7200.0, help="begin no run after so many seconds")
    given = asked.parse_args()
    begun = time.monotonic()
    ready(given.whole)
    found = rounds(given.verbs, given.moments, given.seed, given.seconds)
    report("kills", "Killed at any moment", page(found, given.whole, time.monotonic() - begun))


if __name__ == "__main__":
    main()
