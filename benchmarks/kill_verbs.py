"""Every verb of the command line on a county of three sites, for `benchmarks.kills`: its words, what it writes, what it needs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import openpyxl

from geodata.contract.county import County
from geodata.corrections.sheet import SHEET_COLUMNS, title_of
from models.plan.record import read_plan
from tests import tiny
from tests.optimizer.test_job import written
from tests.years import year_after

CHEAP = 'seconds = 60\ngoals = [{name = "cost"}]\n'
FUTURES = 'design = "grid"\n[[factor]]\nid = "budget"\nof = "teacher"\nvalues = [1.0, 0.9]\n'
PROVINCE = 'name = "试省"\nname_en = "Trial"\nbudget = 300\nfloor = 0\nshares = [1.0]\n[[county]]\nfolder = "county"\n'
FILLED = {
    "should": 70,
    "reason": "miscounted",
    "evidence": "visit",
    "who": "Wang",
    "date": "2025-03-01",
}


@dataclass(frozen=True)
class Verb:
    """A command on the county in a working folder, and what it writes there.

    Parameters
    ----------
    words : callable
        Working folder -> arguments.
    output : str
        File or folder that it makes; empty: none.
    again : tuple of str or None
        Words that a run over a finished output needs; None: nothing is ever overwritten, the user removes it.
    says : str
        What it says as soon as the output is on disk.
    lasting : tuple of str
        Files of the output that are the same bytes whenever the command is run.
    """

    words: Callable[[Path], list[str]]
    output: str = ""
    again: tuple[str, ...] | None = ()
    says: str = ""
    lasting: tuple[str, ...] = ()


OVER = ("--overwrite",)
SAVED, WRITTEN, DRAWN = "is saved in", "ritten", "Dossier written"
PLAN, ROWS = ("plan.csv",), ("rows.csv",)


def _on(verb: str, *more: str, out: str = "") -> Callable[[Path], list[str]]:
    return lambda at: [verb, str(at / "county"), *more, *(("--out", str(at / out)) if out else ())]


def _asked(verb: str, out: str, *more: str) -> Callable[[Path], list[str]]:
    return lambda at: [*_on(verb, *more, out=out)(at), "--scenario", str(at / "cheap.toml")]


def _futures(verb: str, out: str, *more: str) -> Callable[[Path], list[str]]:
    return lambda at: [*_asked(verb, out, *more)(at), "--scenarios", str(at / "futures.toml")]


def _evaluate(at: Path) -> list[str]:
    return ["evaluate", str(at / "county"), str(at / "made" / "plan.xlsx"), "--out", str(at / "edited")]


def _why(at: Path) -> list[str]:
    places = ["--school", "E", "--no-flips", "--seconds", "5"]
    return [*_on("why", *places)(at), "--plan", str(at / "made"), "--out", str(at / "made" / "why")]


def _correct(at: Path) -> list[str]:
    return ["correct", str(at / "county"), str(at / "filled.xlsx"), "--out", str(at / "corrected")]


def _province(at: Path) -> list[str]:
    return ["province", str(at / "province.toml"), "--out", str(at / "split"), "--workers", "1"]


def _archive(ledger: str, county: str, *more: str) -> Callable[[Path], list[str]]:
    return lambda at: ["archive", str(at / ledger), str(at / county), *more]


def _supervise(at: Path) -> list[str]:
    return ["supervise", str(at / "two.gpkg"), "--out", str(at / "supervised")]


def _carry_on(at: Path) -> list[str]:
    more = ["--county", str(at / "later"), "--plan", str(at / "next"), "--scenario", str(at / "cheap.toml")]
    return ["supervise", str(at / "two.gpkg"), *more]


def _reports(at: Path) -> list[str]:
    return [*_on("reports", "--only", "2", out="papers")(at), "--plan", str(at / "made")]


def _demo(at: Path) -> list[str]:
    return ["demo", "--county", str(at / "nanpu"), "--dossier", str(at / "nanpu-plan")]


VERBS: dict[str, Verb] = {
    "check": Verb(_on("check")),
    "check --marked": Verb(lambda at: [*_on("check", "--marked", str(at / "marked.xlsx"))(at)], "marked.xlsx", None, "workbook is"),
    "audit": Verb(_on("audit")),
    "template": Verb(lambda at: ["template", str(at / "tables.xlsx")], "tables.xlsx", None, "workbook is"),
    "template --from": Verb(lambda at: ["template", str(at / "t.xlsx"), "--from", str(at / "county")], "t.xlsx", None, "workbook is"),
    "template --example": Verb(lambda at: ["template", str(at / "example.xlsx"), "--example"], "example.xlsx", None, "workbook is"),
    "template --document": Verb(lambda at: ["template", str(at / "letter.docx"), "--document"], "letter.docx", None, "reports is"),
    "areas": Verb(_on("areas", out="areas.gpkg"), "areas.gpkg", None, "are in"),
    "plan": Verb(_asked("plan", "plan"), "plan", OVER, SAVED, PLAN),
    "plan --overwrite": Verb(_asked("plan", "made", "--overwrite"), "made", (), SAVED, PLAN),
    "plan --public": Verb(lambda at: [*_asked("plan", "plan")(at), "--public", str(at / "public")], "plan", OVER, SAVED, PLAN),
    "evaluate": Verb(_evaluate, "edited", OVER, WRITTEN, PLAN),
    "compare": Verb(lambda at: ["compare", str(at / "made"), str(at / "made" / "plan.csv")]),
    "replay": Verb(lambda at: ["replay", str(at / "made")]),
    "budget": Verb(_asked("budget", "least"), "least", OVER, WRITTEN, PLAN),
    "explain": Verb(lambda at: ["explain", str(at / "county"), "--why", "E", "--no-budgets", "--scenario", str(at / "cheap.toml")]),
    "why": Verb(_why, "made/why", OVER, WRITTEN),
    "correct": Verb(_correct, "corrected", None, WRITTEN, ("school_stage.csv",)),
    "alternatives": Verb(_asked("alternatives", "others", "--k", "1"), "others", OVER, WRITTEN),
    "frontier": Verb(_asked("frontier", "front", "--points", "2"), "front", OVER, WRITTEN),
    "stress": Verb(
        lambda at: [*_futures("stress", "stressed", "--workers", "1", "--remake", "1")(at), "--plan", str(at / "made")],
        "stressed", OVER, WRITTEN,
    ),
    "stress --workers 2": Verb(
        lambda at: [*_futures("stress", "stressed", "--workers", "2")(at), "--plan", str(at / "made")], "stressed", OVER, WRITTEN,
    ),
    "robust": Verb(_futures("robust", "common", "--workers", "1", "--goal", "shortfall"), "common", OVER, WRITTEN),
    "province": Verb(_province, "split", OVER, WRITTEN, ROWS),
    "archive": Verb(_archive("one.gpkg", "county"), "one.gpkg", (), "Entry"),
    "archive, a year more": Verb(_archive("year.gpkg", "later"), "year.gpkg", (), "Entry"),
    "supervise": Verb(_supervise, "supervised", OVER, "report is in"),
    "supervise --plan": Verb(_carry_on, "next", OVER, DRAWN, PLAN),
    "demo": Verb(_demo, "nanpu-plan", OVER, SAVED),
    "show": Verb(_on("show", "schools")),
    "trades": Verb(lambda at: ["trades", str(at / "county"), "--plan", str(at / "made"), "--seconds", "5"], "made", (), "", PLAN),
    "reports": Verb(_reports, "papers", OVER, WRITTEN),
}  # fmt: skip

APART = {"pictures"}
"""Verbs that need an installed browser and a whole map; what they write are pictures beside the dossier."""

SELDOM = {"template --example", "plan --public", "stress --workers 2", "supervise --plan", "demo"}
"""Ways of a verb that take long and share most of their code with another one: at every fourth moment only."""

Run = Callable[[list[str], Path, Path], int]
"""A command run to its end: arguments, working folder, log -> exit code."""


def prepared(folder: Path) -> County:
    """The county and what is asked for it, as files."""
    folder.mkdir(parents=True, exist_ok=True)
    county = tiny.county()
    written(county, folder / "county")
    for name, text in {"cheap": CHEAP, "futures": FUTURES, "province": PROVINCE}.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return county


def workplace(folder: Path, run: Run) -> Path:
    """A folder with the county, this year's and next, a scenario that is soon solved, a finished plan, a filled sheet, ledgers.

    Raises
    ------
    RuntimeError
        One of the commands that make it did not end well; with what it said.
    """
    county = prepared(folder)

    def done(words: list[str]) -> None:
        if run(words, folder, folder / "log"):
            raise RuntimeError((folder / "log").read_text(encoding="utf-8"))

    done(_asked("plan", "made", "--overwrite")(folder))
    written(year_after(county, read_plan(folder / "made"), ()), folder / "later")
    done([*_why(folder)[:-1], str(folder / "asked")])
    _fill(folder / "asked" / "corrections.xlsx", folder / "filled.xlsx")
    done([*_archive("year.gpkg", "county")(folder), "--plan", str(folder / "made")])
    shutil.copyfile(folder / "year.gpkg", folder / "two.gpkg")
    done(_archive("two.gpkg", "later")(folder))
    return folder


def _fill(sheet: Path, to: Path) -> None:
    """A correction sheet as a reader sends it back: the places of one school are another number."""
    book = openpyxl.load_workbook(sheet)
    page = book.worksheets[0]
    titles = {title_of(c, "en"): c for c in SHEET_COLUMNS}
    columns = {titles[str(cell.value)]: cell.column for cell in page[1]}
    row = next(
        r
        for r in range(2, page.max_row + 1)
        if "capacity_pupils" in str(page.cell(r, columns["address"]).value)
    )
    for name, value in FILLED.items():
        page.cell(row, columns[name]).value = value  # type: ignore[assignment]
    book.save(to)
