"""The verbs of supervision: archive a year, supervise two years. Words and tables only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from geodata.contract.findings import Finding, InputProblems
from geodata.folder.interrupts import held
from geodata.messages import say, speak
from geodata.standards.terms import county_terms
from geodata.years.ledger import TABLE, open_ledger
from maps.dossier.dossier import draw_plan, is_dossier, save_plan
from maps.dossier.rehearsal import Undrawn
from maps.folders.writing import may_write
from maps.supervision.folder import SUPERVISION_MARKER, write_supervision
from maps.supervision.sheets import counts_sheet
from maps.supervision.words import supervision_said
from models.supervision.supervision import Supervision
from optimizer.cli.asking import asked_county
from optimizer.cli.console import (
    TAMPERED,
    DatabaseOption,
    FolderArgument,
    LanguageOption,
    Out,
    OutsideOption,
    OverwriteOption,
    ScenarioOption,
    county_of,
    exits,
    output,
    progress,
    refuse_folder,
    refuse_shared,
)
from optimizer.verbs.supervise import Broken, archive, carry_on, sound, supervise

LedgerArgument = Annotated[
    str,
    typer.Argument(
        help="Ledger of years: a .gpkg file, or a connection to a database. 督导台账文件或数据库连接。"
    ),
]
TableOption = Annotated[str, typer.Option("--table", help="Table of the database. 数据库中的表名。")]


@contextmanager
def _untampered(out: Out) -> Iterator[None]:
    """A ledger that does not fit together has words and an exit code of its own."""
    try:
        yield
    except Broken as problem:
        out.say_as("supervision.broken", style="bold red", count=len(problem.findings))
        out.findings(problem.findings)
        raise typer.Exit(TAMPERED) from None


def archive_command(
    ledger: LedgerArgument,
    folder: FolderArgument,
    plan: Annotated[
        Path | None, typer.Option(help="Plan made for these tables: dossier, run.json, plan.csv. 本年方案。")
    ] = None,
    table: TableOption = TABLE,
    language: LanguageOption = "zh",
    outside: OutsideOption = False,
    database: DatabaseOption = None,
) -> None:
    """Add a year's tables and plan to the ledger of years. 年度数据和方案归档。"""
    out = output(language)
    with exits(out, "archive"), _untampered(out):
        county = county_of(folder, outside, database)
        out.about(county)
        entries, found = archive(ledger, county, plan, table)
        out.findings(found)
        for entry in entries:
            what = say(f"supervision.kind_{entry.kind}", language)
            out.say_as(
                "supervision.archived", number=entry.number, what=what, year=str(entry.year), seal=entry.seal
            )
        if not entries:
            out.say_as("supervision.nothing_new")


def supervise_command(
    ledger: LedgerArgument,
    target: Annotated[Path | None, typer.Option("--out", help="Folder for the report. 报告文件夹。")] = None,
    year: Annotated[
        int | None, typer.Option(help="The later year; the last unless given. 后一年份。")
    ] = None,
    county: Annotated[
        Path | None, typer.Option(help="This year's county, to make its plan. 本年县数据，用于生成本年方案。")
    ] = None,
    plan: Annotated[
        Path | None,
        typer.Option(
            help="Folder for this year's plan; what is unfinished is kept. 本年方案文件夹，保留未完成的决定。"
        ),
    ] = None,
    same: Annotated[
        list[str] | None, typer.Option(help="OLD=NEW: one school under two ids. 旧码=新码。")
    ] = None,
    known: Annotated[str, typer.Option(help="Seal on an earlier report. 以前报告上的封存码。")] = "",
    deadline: Annotated[str, typer.Option(help="Date by which problems are solved. 整改期限。")] = "",
    scenario: ScenarioOption = None,
    table: TableOption = TABLE,
    language: LanguageOption = "zh",
    overwrite: OverwriteOption = False,
    outside: OutsideOption = False,
    database: DatabaseOption = None,
) -> None:
    """What became of last year's plan: problems, rectification, what moved and why. 督导：问题清单与整改台账。"""
    out = output(language)
    with exits(out, "supervise"), _untampered(out):
        pairs = _pairs(same or [])
        _dated(deadline)
        if (county is None) != (plan is None):
            raise InputProblems([Finding("error", "supervision.carry_both")])
        if target is not None:
            may_write(target, SUPERVISION_MARKER, overwrite)
        if plan is not None:
            refuse_shared(plan, target)
            refuse_folder(plan, overwrite, is_dossier, "workbook.not_a_dossier")
        chain = sound(open_ledger(ledger, table).read(), known)
        out.say_as("supervision.whole", file=chain.label, count=len(chain.entries), seal=chain.head)
        found = supervise(ledger, year, table, known, pairs)
        speak(county_terms(found.after))
        _tell(out, found)
        if target is not None:
            place = write_supervision(found, target, language, overwrite, deadline)
            out.say_as("supervision.written", style="bold green", folder=str(place))
        if county is not None and plan is not None:
            own = replace(out, saved=[])  # the report is one result, the plan another
            with exits(own, "plan"):
                _carry_on(own, found, county, plan, scenario, overwrite, outside, database)


def _carry_on(
    out: Out, found: Supervision, folder: Path, target: Path, scenario: Path | None, overwrite: bool, outside: bool,
    database: list[str] | None,
) -> None:  # fmt: skip
    """The new year's plan with what is left of last year's, as a dossier."""
    county, asked = asked_county(folder, outside, database, scenario)
    out.about(county)
    with progress(out) as report:
        made = carry_on(found, county, asked, report=report)
    out.findings(made.findings)
    out.say_as("supervision.carried_on", asked=len(made.asked.rows), kept=len(made.kept.rows))
    with held() as came:
        place = save_plan(made.result, target, out.language, overwrite)
    if made.interrupted or came:
        raise KeyboardInterrupt
    missing = draw_plan(made.result, place, out.language)
    if missing:
        raise Undrawn(missing, place)
    out.say("written", style="bold green", folder=str(place))


def _pairs(same: list[str]) -> dict[str, str]:
    """``OLD=NEW``, each once.

    Raises
    ------
    InputProblems
    """
    parts = [one.partition("=") for one in same]
    bad = [o for o, (a, _, b) in zip(same, parts, strict=True) if not a.strip() or not b.strip()]
    if bad:
        raise InputProblems([Finding("error", "supervision.pair", {}, "--same", value=b) for b in bad])
    return {a.strip(): b.strip() for a, _, b in parts}


def _dated(deadline: str) -> None:
    """Refuse what is no date.

    Raises
    ------
    InputProblems
    """
    try:
        if deadline:
            date.fromisoformat(deadline)
    except ValueError:
        raise InputProblems(
            [Finding("error", "supervision.date", {}, "--deadline", value=deadline)]
        ) from None


def _tell(out: Out, found: Supervision) -> None:
    """The sentences, and what became of the actions by kind."""
    for text in supervision_said(found, out.language):
        out.console.print(Text(text), soft_wrap=not out.console.is_terminal)
    sheet = counts_sheet(found, out.language)
    grid = Table(*map(str, sheet.table.columns))
    for row in sheet.table.itertuples(index=False):
        grid.add_row(*(Text(str(v)) for v in row))
    if len(sheet.table):
        out.console.print(grid)
