"""What every verb of the command line shares: where it prints, how it ends, how it shows progress.

Exit codes: 0 done (stopped with a plan included, and said), 2 bad usage or input, 3 infeasible,
4 stopped without a plan, 5 the referee rejected the plan, 6 a ledger of years that was tampered with.
"""

from __future__ import annotations

import errno
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO, Annotated, Any, Literal, cast

import typer
from rich.live import Live
from rich.table import Table
from rich.text import Text

from geodata.contract.containment import whole_path
from geodata.contract.county import County
from geodata.contract.findings import Finding, InputProblems, errors
from geodata.folder.interrupts import came_last, forget, handled, held
from geodata.folder.reading import read_county
from geodata.folder.target import noting
from geodata.messages import say, speak
from geodata.standards.terms import county_terms
from maps.dossier.rehearsal import NOT_WRITTEN, UNFINISHED, Undrawn
from maps.folders.writing import refuse_unwritable
from maps.front.text import DASH, goal_amounts, of_unit, place_words, share, whole
from maps.lettered import ENGLISH, place_names
from maps.wording import name as in_words
from models.impact.certainty import goal_unit
from optimizer.cli.start import AtStart, say_everything
from optimizer.cli.terminal.paper import Paper
from optimizer.outcomes import Defect, Infeasible, LostOnTheWay, Rejected, StoppedWithoutPlan
from optimizer.solver.limits import Progress

ALL_OR_NOTHING = ("pictures", "reports")
"""Verbs whose result is what is drawn: without it there is none."""
BAD_INPUT, INFEASIBLE, NO_PLAN, REJECTED, TAMPERED = 2, 3, 4, 5, 6

PATHS = frozenset(("county", "file", "first", "folder", "second", "why"))
"""Fields of messages that are places on the disk, or another's words."""
FOREIGN = frozenset(
    (
        "geopandas",
        "openpyxl",
        "osmium",
        "osmnx",
        "pandera",
        "pyarrow",
        "pyogrio",
        "pyproj",
        "rasterio",
        "shapely",
        "xlsxwriter",
    )
)
"""Libraries that files go through: their errors are about a file, and are told as such."""

LanguageOption = Annotated[
    Literal["zh", "en"],
    typer.Option("--lang", help="Language of the output. 输出语言。", envvar="JUNHENG_LANG"),
]
FolderArgument = Annotated[
    Path, typer.Argument(help="Folder or workbook of the county. 县数据文件夹或工作簿。")
]
OutsideOption = Annotated[
    bool,
    typer.Option(
        "--allow-outside", help="Open files outside the county's folder. 允许读取县文件夹之外的文件。"
    ),
]
DatabaseOption = Annotated[
    list[str] | None,
    typer.Option("--database", help="Host that the mapping may connect to. 允许连接的数据库主机。"),
]
ScenarioOption = Annotated[
    Path | None, typer.Option("--scenario", help="Scenario TOML: goals, budgets, locks. 情景文件。")
]
LetterheadOption = Annotated[
    Path | None,
    typer.Option("--letterhead", help="Word template of reports.docx. 报告文档的 Word 模板。"),
]
PublicOption = Annotated[
    Path | None,
    typer.Option(
        "--public", help="Folder for a public edition, small counts taken out. 公开版文件夹（不列小数目）。"
    ),
]
OverwriteOption = Annotated[
    bool, typer.Option("--overwrite", help="Replace an earlier result. 替换已有结果。")
]


@dataclass(frozen=True)
class Out:
    """Where to print and in which language, and the results that are on disk, as they came there."""

    console: Paper
    language: str
    saved: list[Path] = field(default_factory=list)

    def about(self, county: County) -> None:
        """What is printed from here on is about a county: its places are called as the language has them."""
        if self.language == ENGLISH:
            self.console.letters = place_names(county)

    def say(self, key: str, style: str = "", **fields: object) -> None:
        """Print one message; text from tables is never taken for markup."""
        self.say_as(f"cli.{key}", style, **fields)

    def say_as(self, key: str, style: str = "", **fields: object) -> None:
        """Print one message of any room."""
        line = Text(say(key, self.language, **fields), style=style)
        self.console.print(
            line, as_it_is=not PATHS.isdisjoint(fields), soft_wrap=not self.console.is_terminal
        )

    def findings(self, found: list[Finding] | tuple[Finding, ...], most: int = 60) -> None:
        """Print findings, errors first."""
        styles = {"error": "bold red", "warning": "yellow", "note": "dim"}
        order = sorted(found, key=lambda f: list(styles).index(f.severity))
        for f in order[:most]:
            mark = say(f"cli.{f.severity}", self.language)
            line = Text(f"{mark} {f.sentence(self.language)}", style=styles[f.severity])
            self.console.print(line, soft_wrap=not self.console.is_terminal)  # a line each in a file
        if len(order) > most:
            self.say("more", count=len(order) - most)


def county_of(folder: Path, outside: bool, database: list[str] | None) -> County:
    """The county, read with what the user allows."""
    county = read_county(folder, allow_outside=outside, databases=tuple(database or ()))
    speak(county_terms(county))
    return county


def output(language: str) -> Out:
    """The console of a verb."""
    say_everything()
    return Out(Paper(highlight=False), language)


@contextmanager
def exits(out: Out, verb: str) -> Iterator[None]:
    """Turn what can go wrong into words and an exit code; never a traceback for bad input.

    Parameters
    ----------
    out : Out
    verb : str
        What Ctrl-C interrupts: its words are ``cli.interrupted_<verb>``.
    """
    code: int | None = None
    with _interruptible(), noting(out.saved):
        try:
            yield
        except (typer.Exit, KeyboardInterrupt, Exception) as problem:
            with held():
                code = _said(out, problem, verb)
            if code is None:
                raise
        ended = code is not None
        if out.console.lost is not None:
            code = _said_lost(out, out.console.lost, code or 0)
    if ended or code:  # else the verb goes on: what it found may have a code of its own
        raise typer.Exit(code or 0) from None


AGAIN = 2.0
"""Seconds in which Ctrl-C pressed once more is the same request: the first is still being answered."""


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C raises KeyboardInterrupt in the block; afterwards there is nothing to interrupt."""
    last = -math.inf

    def stop(number: int, _: FrameType | None) -> None:
        nonlocal last
        if time.monotonic() - last > AGAIN:
            last = time.monotonic()
            raise KeyboardInterrupt

    def nothing_left(earlier: Any) -> Any:
        return signal.SIG_IGN if isinstance(earlier, AtStart) else earlier

    def unheard(told: Any) -> None:
        """What went wrong in a destructor, which can raise nothing: a file that cannot be closed, Ctrl-C."""
        if issubclass(told.exc_type, KeyboardInterrupt):
            nonlocal last
            last = -math.inf
            threading.Timer(0.05, signal.raise_signal, (signal.SIGINT,)).start()
        elif not issubclass(told.exc_type, OSError):  # the file itself has raised that already
            before(told)

    forget()
    before, sys.unraisablehook = sys.unraisablehook, unheard
    try:
        with handled(stop, nothing_left):
            yield
    finally:
        sys.unraisablehook = before


def _said(out: Out, problem: BaseException, verb: str) -> int | None:
    """Words for what ended a verb, and its exit code; None for a fault of our own."""
    if isinstance(problem, typer.Exit):
        return problem.exit_code
    if isinstance(problem, KeyboardInterrupt):
        return _said_interrupted(out, verb)
    if isinstance(problem, Infeasible):
        out.say("infeasible", style="bold red")
        out.findings(problem.findings)
        return INFEASIBLE
    if isinstance(problem, Undrawn):
        out.findings(problem.findings)
        out.say("undrawn", style="yellow", folder=str(problem.folder))
        return BAD_INPUT if any(f.key == NOT_WRITTEN for f in problem.findings) else 0
    if isinstance(problem, InputProblems):
        gone = isinstance(problem, LostOnTheWay)
        if not gone:
            out.say("bad_input", style="bold red", count=len(errors(problem.findings)))
        out.findings(problem.findings)
        return NO_PLAN if gone else BAD_INPUT
    if isinstance(problem, StoppedWithoutPlan):
        if problem.interrupted or came_last():
            return _said_interrupted(out, verb)
        out.say("no_plan", style="bold red")
        return NO_PLAN
    if isinstance(problem, Rejected):
        _say_rejected(out, problem)
        return REJECTED
    if isinstance(problem, Defect):
        goal = say(f"goals.{problem.goal}", out.language)
        fields = {"goal": goal, "objective": f"{problem.objective:.6f}", "bound": f"{problem.bound:.6f}"}
        out.say("defect", style="bold red", **fields)
        return REJECTED
    why = f"{type(problem).__name__}: {problem}"[:500]
    if out.saved:
        out.say("broken_saved", style="bold red", folder=str(out.saved[-1]), why=why)
        return BAD_INPUT
    if isinstance(problem, OSError):
        out.say("os_error", style="bold red", why=str(problem))
        return BAD_INPUT
    if type(problem).__module__.split(".")[0] in FOREIGN:
        out.say("library_error", style="bold red", why=why)
        return BAD_INPUT
    return None


def _said_interrupted(out: Out, verb: str) -> int:
    """What is true at this moment, as it is on disk."""
    how = say(f"cli.how_{came_last() or 'SIGINT'}", out.language)
    there = {p: "saved" if (p / UNFINISHED).is_file() else "whole" for p in out.saved}
    there = {p: state for p, state in there.items() if state == "whole" or verb not in ALL_OR_NOTHING}
    for place, state in there.items():
        out.say(f"interrupted_{state}", style="yellow", how=how, folder=str(place))
    if there:
        return 0
    out.say(f"interrupted_{verb}", style="bold red", how=how)
    return NO_PLAN


def _say_rejected(out: Out, problem: Rejected) -> None:
    out.say("rejected", style="bold red")
    broken = problem.verdict.violations
    for row in broken[broken["kind"] == "hard"].head(20).itertuples():
        out.say(
            "violation",
            rule=rule_word("rule", str(row.rule), out.language),
            place=place_words(str(row.place), None, out.language),
            amount=of_unit(row.amount, row.unit),
            limit=of_unit(row.limit, row.unit),
            unit=in_words("unit", row.unit, out.language),
        )


def _said_lost(out: Out, problem: OSError, code: int) -> int:
    """Say on the other stream that the output broke off; only a reader who went away is no fault."""
    why = problem.strerror or str(problem)
    if out.saved:
        text = say("cli.lost_output_saved", out.language, why=why, folder=str(out.saved[-1]))
    else:
        text = say("cli.lost_output", out.language, why=why)
    with suppress(OSError, ValueError, AttributeError):
        print(text, file=sys.stderr, flush=True)
    with suppress(OSError):  # what is left in the buffer has nowhere to go
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return code if problem.errno == errno.EPIPE else code or BAD_INPUT


def rule_word(kind: str, key: str, language: str) -> str:
    """Word of the room of rules: a rule, measure or indicator by its id."""
    return say(f"rules.{kind}_{key}", language)


def figure(value: object) -> str:
    """A number as a table shows it: whole where it is whole or large, else three decimals; a dash for none."""
    number = float(cast(float, value))
    if not math.isfinite(number):
        return "–"
    return f"{number:,.0f}" if abs(number) >= 100 or number == int(number) else f"{number:.3f}"


@contextmanager
def _display(out: Out) -> Iterator[IO[str]]:
    """A duplicate of the output; nowhere where there is none."""
    try:
        number = os.dup(1)
    except OSError:
        number = os.open(os.devnull, os.O_WRONLY)
    stream = os.fdopen(number, "w", encoding=out.console.encoding, errors="replace")
    try:
        yield stream
    finally:
        with suppress(OSError):
            stream.close()


def _goal_line(goal: str, now: Progress) -> list[str]:
    """Best value, bound, gap, nodes, seconds of a goal that is being worked on, in the goal's own unit."""
    ends = (v if abs(v) < 1e20 else math.nan for v in (now.incumbent, now.bound))
    known = abs(now.incumbent) < 1e20 and now.gap < 1e3
    gap = share(now.gap) if known else DASH
    return [*goal_amounts(goal_unit(goal), *ends), gap, str(now.nodes), whole(now.seconds)]


@contextmanager
def progress(out: Out) -> Iterator[Callable[[str, Progress], None]]:
    """A live line per goal with incumbent, bound and gap.

    HiGHS and Pyomo may hold file descriptor 1 while they work, so the display has a duplicate.
    """
    lines: dict[str, Progress] = {}
    with _display(out) as stream:
        console = Paper(file=stream, highlight=False, force_terminal=out.console.is_terminal)

        def table() -> Table:
            grid = Table(
                *(
                    say(f"cli.col_{c}", out.language)
                    for c in ("goal", "best", "bound", "gap", "nodes", "seconds")
                )
            )
            for goal, p in lines.items():
                grid.add_row(say(f"goals.{goal}", out.language), *_goal_line(goal, p))
            return grid

        with Live(console=console, transient=True, auto_refresh=False) as live:

            def report(goal: str, progress: Progress) -> None:
                lines[goal] = progress
                if out.console.is_terminal:
                    live.update(table(), refresh=True)

            yield report


def refuse_folder(folder: Path, overwrite: bool, ours: Callable[[Path], bool], otherwise: str) -> None:
    """Nothing is overwritten unless asked for, and then only what this command made; said before any solve."""
    if folder.exists() and not folder.is_dir():
        raise InputProblems([Finding("error", "cli.not_a_folder", file=str(folder))])
    refuse_unwritable(folder)
    if not folder.exists():
        return
    if any(folder.iterdir()):
        if not overwrite:
            raise InputProblems([Finding("error", "cli.exists", file=str(folder))])
        if not ours(folder):
            raise InputProblems([Finding("error", otherwise, file=str(folder))])


def refuse_shared(folder: Path, *others: Path | None) -> None:
    """Two results stand apart: in one folder, or one inside the other, either would replace the other."""
    one = whole_path(folder)
    for other in (o for o in others if o is not None):
        there = whole_path(other)
        if one == there or one in there.parents or there in one.parents:
            fields: dict[str, object] = {"other": str(other)}
            raise InputProblems([Finding("error", "cli.shared_folder", fields, file=str(folder))])
