"""What every verb of the command line shares: where it prints, how it ends, how it shows progress.

Exit codes: 0 done (stopped with a plan included, and said), 2 bad usage or input, 3 infeasible,
4 stopped without a plan, 5 the referee rejected the plan.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from geodata.contract.county import County
from geodata.contract.findings import Finding, InputProblems, errors
from geodata.folder.reading import read_county
from geodata.messages import say
from maps.dossier.folders import refuse_unwritable
from optimizer.outcomes import Defect, Infeasible, Rejected, StoppedWithoutPlan
from optimizer.solver.limits import Progress

BAD_INPUT, INFEASIBLE, NO_PLAN, REJECTED = 2, 3, 4, 5

LanguageOption = Annotated[
    Literal["zh", "en"],
    typer.Option("--lang", help="Language of the output. 输出语言。", envvar="JUNHENG_LANG"),
]
FolderArgument = Annotated[Path, typer.Argument(help="Folder of the county. 县数据文件夹。")]
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
OverwriteOption = Annotated[
    bool, typer.Option("--overwrite", help="Replace an earlier result. 替换已有结果。")
]


@dataclass(frozen=True)
class Out:
    """Where to print and in which language."""

    console: Console
    language: str

    def say(self, key: str, style: str = "", **fields: object) -> None:
        """Print one message; text from tables is never taken for markup."""
        self.say_as(f"cli.{key}", style, **fields)

    def say_as(self, key: str, style: str = "", **fields: object) -> None:
        """Print one message of any room."""
        line = Text(say(key, self.language, **fields), style=style)
        self.console.print(line, soft_wrap=not self.console.is_terminal)

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
    return read_county(folder, allow_outside=outside, databases=tuple(database or ()))


def output(language: str) -> Out:
    """The console of a verb; characters that its code page lacks become question marks."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            cast(Any, stream).reconfigure(errors="replace")  # GBK consoles lack some marks
    return Out(Console(highlight=False), language)


@contextmanager
def exits(out: Out) -> Iterator[None]:
    """Turn what can go wrong into words and an exit code; never a traceback for bad input."""
    try:
        yield
    except Infeasible as problem:
        out.say("infeasible", style="bold red")
        out.findings(problem.findings)
        raise typer.Exit(INFEASIBLE) from None
    except InputProblems as problem:
        out.say("bad_input", style="bold red", count=len(errors(problem.findings)))
        out.findings(problem.findings)
        raise typer.Exit(BAD_INPUT) from None
    except (StoppedWithoutPlan, KeyboardInterrupt):  # Ctrl-C between two solves
        out.say("no_plan", style="bold red")
        raise typer.Exit(NO_PLAN) from None
    except Rejected as problem:
        out.say("rejected", style="bold red")
        broken = problem.verdict.violations
        for row in broken[broken["kind"] == "hard"].head(20).itertuples():
            out.say(
                "violation",
                rule=rule_word("rule", str(row.rule), out.language),
                place=row.place,
                amount=row.amount,
                limit=row.limit,
                unit=row.unit,
            )
        raise typer.Exit(REJECTED) from None
    except Defect as problem:
        goal = say(f"cli.goal_{problem.goal}", out.language)
        fields = {"goal": goal, "objective": f"{problem.objective:.6f}", "bound": f"{problem.bound:.6f}"}
        out.say("defect", style="bold red", **fields)
        raise typer.Exit(REJECTED) from None
    except OSError as problem:
        out.say("os_error", style="bold red", why=str(problem))
        raise typer.Exit(BAD_INPUT) from None


def rule_word(kind: str, key: str, language: str) -> str:
    """Word of the room of rules: a rule, measure or indicator by its id."""
    return say(f"rules.{kind}_{key}", language)


def figure(value: object) -> str:
    """A number as a table shows it: whole where it is whole or large, else three decimals."""
    number = float(cast(float, value))
    return f"{number:,.0f}" if abs(number) >= 100 or number == int(number) else f"{number:.3f}"


@contextmanager
def progress(out: Out) -> Iterator[Callable[[str, Progress], None]]:
    """A live line per goal with incumbent, bound and gap.

    HiGHS and Pyomo may hold file descriptor 1 while they work, so the display has a duplicate.
    """
    lines: dict[str, Progress] = {}
    with os.fdopen(os.dup(1), "w", encoding=out.console.encoding, errors="replace") as stream:
        console = Console(file=stream, highlight=False, force_terminal=out.console.is_terminal)

        def table() -> Table:
            grid = Table(
                *(
                    say(f"cli.col_{c}", out.language)
                    for c in ("goal", "best", "bound", "gap", "nodes", "seconds")
                )
            )
            for goal, p in lines.items():
                known = abs(p.incumbent) < 1e20
                grid.add_row(
                    say(f"cli.goal_{goal}", out.language),
                    f"{p.incumbent:.4f}" if known else "-", f"{p.bound:.4f}" if abs(p.bound) < 1e20 else "-",
                    f"{p.gap:.1%}" if known and p.gap < 1e3 else "-", str(p.nodes), f"{p.seconds:.0f}",
                )  # fmt: skip
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
