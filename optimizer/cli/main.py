"""The command line: the front door. Words, tables, progress and exit codes; no mathematics.

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

from geodata.contract.findings import Finding, InputProblems, errors
from geodata.demo.county import write_demo_county
from geodata.folder.annotated import write_marked
from geodata.folder.reading import check as check_county
from geodata.folder.reading import read_county, read_head
from geodata.folder.template import refuse_workbook, write_template
from geodata.messages import say
from maps.dossier.dossier import is_dossier, write_dossier
from maps.dossier.folders import refuse_unwritable
from maps.wording import name as in_words
from models.plan.decisions import PlanResult
from models.referee.audit import Audit
from models.referee.audit import audit as audit_county
from models.standards.norms import load_standards
from optimizer.scenario import Scenario, read_scenario
from optimizer.solver.bridge import Progress
from optimizer.verbs.plan import Infeasible, Rejected, StoppedWithoutPlan
from optimizer.verbs.plan import plan as make_plan

BAD_INPUT, INFEASIBLE, NO_PLAN, REJECTED = 2, 3, 4, 5

app = typer.Typer(
    add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False,
    help="junheng 均衡: balance a county's compulsory schools. 县域义务教育资源均衡配置。",
)  # fmt: skip
LanguageOption = Annotated[
    Literal["zh", "en"],
    typer.Option("--lang", help="Language of the output. 输出语言。", envvar="JUNHENG_LANG"),
]
FolderArgument = Annotated[Path, typer.Argument(help="Folder of the county. 县数据文件夹。")]


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


def _out(language: str) -> Out:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            cast(Any, stream).reconfigure(errors="replace")  # GBK consoles lack some marks
    return Out(Console(highlight=False), language)


@contextmanager
def _exits(out: Out) -> Iterator[None]:
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
                rule=_name("rule", str(row.rule), out.language),
                place=row.place,
                amount=row.amount,
                limit=row.limit,
                unit=row.unit,
            )
        raise typer.Exit(REJECTED) from None
    except OSError as problem:
        out.say("os_error", style="bold red", why=str(problem))
        raise typer.Exit(BAD_INPUT) from None


def _name(kind: str, key: str, language: str) -> str:
    return say(f"rules.{kind}_{key}", language)


@contextmanager
def _progress(out: Out) -> Iterator[Callable[[str, Progress], None]]:
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


def _summary(out: Out, result: PlanResult) -> None:
    """The headline: what it achieves, how sure, what it costs."""
    grid = Table(*(say(f"cli.col_{c}", out.language) for c in ("measure", "unit", "today", "plan")))
    for row in result.verdict.measures.itertuples():
        unit = in_words("unit", str(row.unit), out.language)
        grid.add_row(
            _name("measure", str(row.measure), out.language), unit, _number(row.today), _number(row.plan)
        )
    out.console.print(grid)
    solve = result.solve
    out.say(
        "gap",
        objective=f"{solve.objective:.4f}",
        bound=f"{solve.bound:.4f}",
        gap=f"{solve.gap:.1%}",
        seconds=f"{solve.seconds:.0f}",
        solver=solve.solver,
    )
    if solve.status == "stopped":
        out.say("stopped", style="yellow")


def _number(value: object) -> str:
    number = float(cast(float, value))
    return f"{number:,.0f}" if abs(number) >= 100 or number == int(number) else f"{number:.3f}"


def _write(out: Out, result: PlanResult, folder: Path, overwrite: bool) -> None:
    write_dossier(result, folder, out.language, overwrite=overwrite)
    out.say("written", style="bold green", folder=str(folder))


@app.command()
def demo(
    county: Annotated[Path, typer.Option(help="Folder for the county. 县数据文件夹。")] = Path("nanpu"),
    dossier: Annotated[Path, typer.Option(help="Folder for the plan. 方案文件夹。")] = Path("nanpu-plan"),
    seed: Annotated[int, typer.Option(min=0, help="Seed of the county. 随机种子。")] = 2026,
    language: LanguageOption = "zh",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier demo.")] = False,
) -> None:
    """Write the fictional demonstration county and make its plan. 生成虚构示例县及其方案。"""
    out = _out(language)
    with _exits(out):
        _refuse(county, overwrite, _is_demo, "cli.not_a_demo")
        _refuse(dossier, overwrite, is_dossier, "workbook.not_a_dossier")
        out.say("demo", county=str(county))
        write_demo_county(county, seed)
        with _progress(out) as report:
            result = make_plan(read_county(county), Scenario(), report=report)
        _summary(out, result)
        _write(out, result, dossier, overwrite)


def _refuse(folder: Path, overwrite: bool, ours: Callable[[Path], bool], otherwise: str) -> None:
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


def _is_demo(folder: Path) -> bool:
    try:
        return read_head(folder).fictional
    except InputProblems:
        return False


@app.command()
def check(
    folder: FolderArgument,
    marked: Annotated[
        Path | None, typer.Option(help="New workbook with the bad cells marked. 标出问题单元格的工作簿。")
    ] = None,
    language: LanguageOption = "zh",
) -> None:
    """List every problem in a county's files with the fix. 检查数据并逐条列出问题。"""
    out = _out(language)
    with _exits(out):
        if marked is not None:
            refuse_workbook(marked)
        found = check_county(folder)
        if not errors(found):
            found += _standards_problems(folder)
        out.findings(found, most=1000)
        if marked is not None:
            write_marked(folder, found, marked, language)
            out.say("marked", file=str(marked))
        wrong = len(errors(found))
        out.say("checked", style="bold red" if wrong else "bold green", errors=wrong, findings=len(found))
    if wrong:
        raise typer.Exit(BAD_INPUT)


@app.command()
def template(
    workbook: Annotated[Path, typer.Argument(help="New workbook, .xlsx. 新工作簿。")],
    language: LanguageOption = "zh",
) -> None:
    """Write an empty workbook to fill in, with drop-downs and notes. 生成空白填报工作簿。"""
    out = _out(language)
    with _exits(out):
        write_template(workbook, language)
        out.say("template", style="bold green", file=str(workbook))


def _standards_problems(folder: Path) -> list[Finding]:
    """What is wrong with the standards, which are read only once the tables are right."""
    try:
        load_standards(read_county(folder))
    except InputProblems as problem:
        return problem.findings
    return []


@app.command()
def audit(folder: FolderArgument, language: LanguageOption = "zh") -> None:
    """Where the county stands today: indicators, CVs, who passes. 现状评估。"""
    out = _out(language)
    with _exits(out):
        county = read_county(folder)
        found = audit_county(county, load_standards(county))
        out.findings([f for f in county.findings if f.severity != "note"])
        _print_audit(out, found)


def _print_audit(out: Out, found: Audit) -> None:
    grid = Table(
        *(
            say(f"cli.col_{c}", out.language)
            for c in ("stage", "indicator", "mean", "cv", "unweighted", "limit", "ok")
        )
    )
    for row in found.cv.itertuples():
        ok = say("cli.yes" if row.ok_today else "cli.no", out.language)
        grid.add_row(
            say(f"cli.stage_{row.stage}", out.language), _name("indicator", str(row.indicator), out.language), _number(row.mean_today),
            f"{row.cv_today:.2f}", f"{row.unweighted_today:.2f}", f"{row.limit:.2f}", ok,
        )  # fmt: skip
    out.console.print(grid)
    units = Table(
        *(say(f"cli.col_{c}", out.language) for c in ("school", "stage", "pupils", "met", "passes", "gaps"))
    )
    short = found.indicators[found.indicators["assessed_today"] & ~found.indicators["met_today"]]
    gaps = {
        u: say("map.comma", out.language).join(
            f"{_name('indicator', r.indicator, out.language)} {_number(r.gap_today)}"
            for r in rows.itertuples()
        )
        for u, rows in short.groupby("unit_id")
    }
    for row in found.units[
        found.units["unit_id"].isin(found.indicators.loc[found.indicators["assessed_today"], "unit_id"])
    ].itertuples():
        units.add_row(
            Text(str(row.name)), say(f"cli.stage_{row.stage}", out.language), str(row.pupils_today), f"{row.indicators_met_today}/7",
            say("cli.yes" if row.passes_today else "cli.no", out.language), gaps.get(row.unit_id, ""),
        )  # fmt: skip
    out.console.print(units)


@app.command()
def plan(
    folder: FolderArgument,
    dossier: Annotated[Path, typer.Option("--out", help="Folder for the dossier. 方案文件夹。")],
    scenario: Annotated[
        Path | None, typer.Option(help="Scenario TOML: goals, budgets, locks. 情景文件。")
    ] = None,
    language: LanguageOption = "zh",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier dossier.")] = False,
) -> None:
    """Make the allocation plan with its bound, as a dossier. 生成配置方案。"""
    out = _out(language)
    with _exits(out):
        _refuse(dossier, overwrite, is_dossier, "workbook.not_a_dossier")
        asked = read_scenario(scenario) if scenario else Scenario()
        county = read_county(folder)
        with _progress(out) as report:
            result = make_plan(county, asked, report=report)
        out.findings([f for f in result.findings if f.severity == "warning"], most=20)
        _summary(out, result)
        _write(out, result, dossier, overwrite)


def main() -> None:
    """Entry point of the command ``junheng``."""
    app()


import optimizer.cli.analysis  # noqa: E402 - registers the analyst's verbs on the app above
import optimizer.cli.data  # noqa: E402, F401 - and those about data
