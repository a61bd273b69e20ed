"""Kill -9 of every verb at random moments: ``python -m benchmarks kills [--moments 20] [--verbs plan check ...]``.

Every run is a process of its own, forked from one that has imported everything, and is killed at a moment between
its start and a little after its usual end. Looked at afterwards: a plan that was said to be on disk is there whole,
what lay there before is whole too, and the same command run again ends well and leaves nothing beside its output.
"""

from __future__ import annotations

import argparse
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

import pandas as pd

from benchmarks.results import report
from models.plan.record import read_plan
from optimizer.cli.main import app
from tests.models.unknown import written

SAID = "is saved in"
"""What ``plan`` and its like say as soon as the ledger is on disk (`cli.saved`)."""
CHEAP = 'seconds = 1\ngoals = [{name = "cost"}]\n'
LEFT = (".junheng", ".part", ".tmp")


@dataclass(frozen=True)
class Killed:
    """What one killed run left: the moment, how far it came, and what is wrong with it (empty: nothing)."""

    verb: str
    moment: float
    ended: bool
    said: bool
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Verb:
    """A command on the county in a working folder, and what it writes there.

    Parameters
    ----------
    words : callable
        Working folder -> arguments.
    output : str
        File or folder that it makes; empty: none.
    again : tuple of str
        Words that a run over a finished output needs.
    """

    words: Callable[[Path], list[str]]
    output: str = ""
    again: tuple[str, ...] = ()


def _on(verb: str, *more: str, out: str = "") -> Callable[[Path], list[str]]:
    return lambda at: [verb, str(at / "county"), *more, *(("--out", str(at / out)) if out else ())]


def _asked(verb: str, out: str, *more: str) -> Callable[[Path], list[str]]:
    return lambda at: [*_on(verb, *more, out=out)(at), "--scenario", str(at / "cheap.toml")]


VERBS: dict[str, Verb] = {
    "check": Verb(_on("check")),
    "check --marked": Verb(lambda at: ["check", str(at / "county"), "--marked", str(at / "marked.xlsx")], "marked.xlsx"),
    "audit": Verb(_on("audit")),
    "template": Verb(lambda at: ["template", str(at / "tables.xlsx")], "tables.xlsx"),
    "areas": Verb(_on("areas", out="areas.gpkg"), "areas.gpkg"),
    "plan": Verb(_asked("plan", "plan"), "plan", ("--overwrite",)),
    "plan --overwrite": Verb(_asked("plan", "made", "--overwrite"), "made", ()),
    "evaluate": Verb(
        lambda at: ["evaluate", str(at / "county"), str(at / "made" / "plan.xlsx"), "--out", str(at / "edited")],
        "edited", ("--overwrite",),
    ),
    "frontier": Verb(_asked("frontier", "front", "--points", "2"), "front", ("--overwrite",)),
    "alternatives": Verb(_asked("alternatives", "others", "--k", "1"), "others", ("--overwrite",)),
    "budget": Verb(_asked("budget", "least"), "least", ("--overwrite",)),
    "demo": Verb(
        lambda at: ["demo", "--county", str(at / "nanpu"), "--dossier", str(at / "nanpu-plan")], "nanpu-plan",
        ("--overwrite",),
    ),
}  # fmt: skip


def started(words: list[str], log: Path) -> int:
    """The process id of a command that runs in a fork of this process, its output in a file."""
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
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
        os._exit(code)


def run(words: list[str], log: Path) -> int:
    """Exit code of a command that runs to its end."""
    return os.waitstatus_to_exitcode(os.waitpid(started(words, log), 0)[1])


def workplace(folder: Path) -> Path:
    """A folder with the hand-sized county, a scenario that is soon solved, and one finished plan."""
    folder.mkdir(parents=True, exist_ok=True)
    written(folder / "county")
    (folder / "cheap.toml").write_text(CHEAP, encoding="utf-8")
    log = folder / "log"
    if run(VERBS["plan --overwrite"].words(folder), log):
        raise RuntimeError(log.read_text(encoding="utf-8"))
    return folder


def _whole(place: Path) -> list[str]:
    """What is wrong with an output that is there: a ledger or a record that cannot be read, a file cut short."""
    wrong = []
    if (place / "plan.csv").is_file() or (place / "run.json").is_file():
        try:
            read_plan(place)
            json.loads((place / "run.json").read_text(encoding="utf-8"))
        except Exception as problem:  # whatever it is, the plan is not whole
            wrong.append(f"{place.name}: {type(problem).__name__}: {problem}")
    if place.is_file() and place.stat().st_size == 0:
        wrong.append(f"{place.name}: empty")
    return wrong


def left_over(at: Path) -> list[str]:
    """Drafts, locks and the like beside the outputs."""
    return sorted(p.name for p in at.rglob("*") if p.name.startswith(".") and p.name.endswith(LEFT))


def killed(name: str, at: Path, moment: float, always: bool = True) -> Killed:
    """Run a verb, kill it at a moment, look at what is left, and run it again.

    Parameters
    ----------
    name : str
        In `VERBS`.
    at : Path
        A `workplace` of its own; changed.
    moment : float
        Seconds after the start.
    always : bool
        Run it again in any case; else only where something was left.
    """
    verb, log = VERBS[name], at / "log"
    pid = started(verb.words(at), log)
    ended = 0
    until = time.monotonic() + moment
    while time.monotonic() < until and not ended:
        ended = os.waitpid(pid, os.WNOHANG)[0]
        time.sleep(min(0.005, max(0.0, until - time.monotonic())))
    if not ended:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    said = SAID in " ".join(log.read_text(encoding="utf-8", errors="replace").split())
    wrong = _whole(at / verb.output) if verb.output else []
    wrong += _whole(at / "made")
    if said and not (at / verb.output / "plan.csv").is_file():
        hidden = list((at / f".{verb.output}.junheng").glob("*/plan.csv"))
        wrong.append("the plan that was said to be saved is " + ("aside" if hidden else "gone"))
    there = bool(verb.output) and (at / verb.output).exists()
    if always or there or left_over(at):
        wrong += _again(verb, at, log, there)
    return Killed(name, moment, bool(ended), said, wrong)


def _again(verb: Verb, at: Path, log: Path, there: bool) -> list[str]:
    """The same command run to its end: what is wrong then."""
    if there and (at / verb.output).is_file():
        (at / verb.output).unlink()  # files are never overwritten: the user removes what is whole
    code = run([*verb.words(at), *(verb.again if there else ())], log)
    text = log.read_text(encoding="utf-8", errors="replace")
    wrong = [f"run again: code {code}: {' '.join(text.split())[-200:]}"] if code else []
    wrong += [f"left: {name}" for name in left_over(at)]
    if "Traceback" in text:
        wrong.append("run again: a traceback")
    return wrong + (_whole(at / verb.output) if verb.output else [])


def usual(name: str, at: Path) -> float:
    """Seconds that a verb takes undisturbed."""
    begun = time.monotonic()
    code = run(VERBS[name].words(at), at / "log")
    if code:
        raise RuntimeError(f"{name}: {(at / 'log').read_text(encoding='utf-8')[-500:]}")
    return time.monotonic() - begun


def rounds(names: list[str], moments: int, seed: int, seconds: float) -> list[Killed]:
    """Every verb killed at so many moments, all verbs in turn, as far as the time goes."""
    dice, begun, found = random.Random(seed), time.monotonic(), []
    with tempfile.TemporaryDirectory() as work:
        first = workplace(Path(work) / "first")
        spans: dict[str, float] = {}
        for number in range(moments):
            for name in names:
                if time.monotonic() - begun > seconds:
                    return found
                at = Path(shutil.copytree(first, Path(work) / "run"))
                if name not in spans:
                    spans[name] = usual(name, at)
                    shutil.rmtree(at)
                    shutil.copytree(first, at)
                one = killed(name, at, dice.uniform(0.0, 1.05 * spans[name]), always=number % 5 == 0)
                found.append(one)
                print(f"{name:<18}{one.moment:7.2f} s  {'; '.join(one.wrong) or 'well'}", flush=True)
                shutil.rmtree(at)
    return found


def page(found: list[Killed], seconds: float) -> list[str]:
    """The results as a page."""
    table = pd.DataFrame(
        [(k.verb, k.ended, k.said, bool(k.wrong)) for k in found], columns=["verb", "ended", "said", "wrong"]
    )
    lines = [
        "`python -m benchmarks kills`: every verb on the hand-sized county, killed (SIGKILL) at random moments of its usual time.",
        "*Plan said* counts runs that had said that the plan is on disk; *wrong* counts runs after which a plan was not whole, or",
        f"the same command did not end well or left something beside its output. {seconds:.0f} s in all.", "",
        "| verb | moments | had ended | plan said | wrong |", "|---|---|---|---|---|",
    ]  # fmt: skip
    for verb, rows in table.groupby("verb", sort=False):
        lines.append(
            f"| `{verb}` | {len(rows)} | {rows['ended'].sum()} | {rows['said'].sum()} | {rows['wrong'].sum()} |"
        )
    lines += ["", *(f"- `{k.verb}` at {k.moment:.2f} s: {w}" for k in found for w in k.wrong)]
    return lines


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m benchmarks kills", description=__doc__)
    asked.add_argument("--moments", type=int, default=20, help="moments of each verb")
    asked.add_argument(
        "--verbs", nargs="*", default=[v for v in VERBS if v != "demo"], help="which; demo takes minutes"
    )
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--seconds", type=float, default=7200.0, help="begin no run after so many seconds")
    given = asked.parse_args()
    begun = time.monotonic()
    found = rounds(given.verbs, given.moments, given.seed, given.seconds)
    report("kills", "Killed at any moment", page(found, time.monotonic() - begun))


if __name__ == "__main__":
    main()
