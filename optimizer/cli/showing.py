"""The verb ``show``: a county's tables and norms as they are read. Words and tables only."""

from __future__ import annotations

from typing import Annotated

import pandas as pd
import typer
from rich.table import Table as Grid
from rich.text import Text

from geodata.contract.columns import Table
from geodata.contract.county import County
from geodata.contract.findings import Finding, InputProblems
from geodata.contract.tables import TABLES
from geodata.folder.template import sheet_name
from geodata.messages import catalogue, say
from maps.wording import listed, name
from models.plan.record import number_text
from models.standards.norms import load_standards
from optimizer.cli.console import (
    DatabaseOption,
    FolderArgument,
    LanguageOption,
    Out,
    OutsideOption,
    county_of,
    exits,
    output,
)

NORMS = "norms"
ROWS = 20


def show_command(
    folder: FolderArgument,
    table: Annotated[
        str | None,
        typer.Argument(
            help="A table, by its name or its sheet's; norms for the norms in force. 表名，或“规则”。"
        ),
    ] = None,
    find: Annotated[
        str | None, typer.Option("--find", help="Only rows with this text in a cell. 只看含此文字的行。")
    ] = None,
    rows: Annotated[int, typer.Option(min=1, help="Rows at most. 最多行数。")] = ROWS,
    language: LanguageOption = "zh",
    outside: OutsideOption = False,
    database: DatabaseOption = None,
) -> None:
    """Show a county's tables as they are read, or the norms in force. 查看数据表或现行规则。"""
    out = output(language)
    with exits(out, "show"):
        asked = None if table is None else table_meant(table)
        county = county_of(folder, outside, database)
        if asked is None:
            _print(out, contents(county, language))
            out.say("show_more", folder=str(folder))
            return
        shown = norms_table(county, language) if asked == NORMS else cells(county, TABLES[asked], language)
        if find is not None:
            held = shown.apply(lambda c: c.str.contains(find, case=False, regex=False))
            shown = shown[held.any(axis=1)]
        _print(out, shown.head(rows))
        out.say("show_rows", shown=min(rows, len(shown)), rows=len(shown))


def table_meant(text: str) -> str:
    """The contract's name of a table named in either language; `NORMS` for the norms.

    Raises
    ------
    InputProblems
        With the names that there are.
    """
    known = {n.casefold(): t.name for t in TABLES.values() for n in (t.name, t.zh, t.code)}
    known |= {say("cli.show_norms", x).casefold(): NORMS for x in ("zh", "en")} | {NORMS: NORMS}
    found = known.get(text.strip().removesuffix(".csv").casefold())
    if found is None:
        raise InputProblems([Finding("error", "cli.show_unknown", value=text)])
    return found


def contents(county: County, language: str) -> pd.DataFrame:
    """Every table with its rows and what the standards ask, a row each, as texts."""
    tables = county.tables()
    rows = [(sheet_name(t, language), t.code, str(len(tables[n]))) for n, t in TABLES.items() if n in tables]
    rows.append((say("cli.show_norms", language), "", str(len(load_standards(county).rules))))
    return pd.DataFrame(rows, columns=[say(f"cli.show_{c}", language) for c in ("table", "code", "count")])


def cells(county: County, table: Table, language: str) -> pd.DataFrame:
    """A table as texts under the headings of a language; columns without any content are left out."""
    frame = county.tables()[table.name]
    columns = {c.name: c for c in table.columns if c.name in frame}
    words = catalogue(language)
    shown = {}
    for key, column in columns.items():
        texts = frame[key].astype(object).map(_text)
        if column.choices:
            texts = texts.map(lambda v, k=key: words.get(f"template.word_{k}_{v}", v))
        elif column.kind == "flag":
            texts = texts.map(lambda v: say(f"cli.{'yes' if v == 'True' else 'no'}", language) if v else v)
        if texts.ne("").any():
            shown[column.zh if language == "zh" else key] = texts
    return pd.DataFrame(shown, dtype="str")


def _text(value: object) -> str:
    if value is None or value is pd.NA or value != value:
        return ""
    return number_text(value) if isinstance(value, float) else str(value)


def norms_table(county: County, language: str) -> pd.DataFrame:
    """The norms in force, the county's own on top: name, id, number, binding, source."""
    rows = [
        (
            name("rule", n.id, language), n.id, f"{n.operator} {number_text(n.value)}", name("unit", n.unit, language),
            catalogue(language).get(f"template.word_kind_{n.kind}", n.kind), listed([s for s in (n.source or n.tag,) if s], language),
        )
        for n in load_standards(county).rules.values()
    ]  # fmt: skip
    keys = ("norm", "id", "number", "unit", "binding", "source")
    return pd.DataFrame(rows, columns=[say(f"cli.show_{k}", language) for k in keys], dtype="str")


def _print(out: Out, shown: pd.DataFrame) -> None:
    """On a terminal a grid; in a file or pipe a line a row, cells between tabs."""
    if not out.console.is_terminal:
        for line in (list(shown.columns), *shown.to_numpy().tolist()):
            out.console.print(Text("\t".join(map(str, line))), soft_wrap=True)
        return
    grid = Grid(*map(str, shown.columns))
    for row in shown.itertuples(index=False):
        grid.add_row(*(Text(str(v)) for v in row))
    out.console.print(grid)
