"""Edits of a plan, what they break and what they change, as text."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, cast

import pandas as pd
from rich.table import Table
from rich.text import Text

from geodata.contract.county import County
from geodata.contract.placenames import both_names
from geodata.messages import catalogue, say
from geodata.standards.scheme import Norms
from maps.front.text import change_amounts, measure_unit, measure_values, of_unit, place_words, plainly
from maps.lettered import ENGLISH
from maps.wording import name as in_words
from models.plan.names import Names
from optimizer.cli.console import (
    Out,
    rule_word,
)

MOST_EDITS = 200
"""Edits and broken rules that are told one by one."""
KINDS = {
    "village_id": "village", "school_id": "school", "from_id": "school", "to_id": "school", "stage": "stage", "band": "band",
}  # fmt: skip
"""Columns of the ledger that say where, and what they name."""


def print_edits(
    out: Out,
    edits: pd.DataFrame,
    county: County | None,
    broken: list[list[str]] | None,
    places: dict[tuple[str, str], str] | None = None,
) -> None:
    """An edit after the other: where, what, from what to what, what breaks there; seven columns fit no terminal.

    ``places`` are names where there is no county.
    """
    if edits.empty:
        return
    language = out.language
    called = _Called(None if county is None else Names(county), places or {}, language)
    for number, row in enumerate(edits.head(MOST_EDITS).to_dict("records")):
        title, change = _title(row, called), _change(row, called)
        out.console.print(Text(title, style="bold"), soft_wrap=not out.console.is_terminal)
        lines = [change]
        if broken and broken[number] and not _said_next(edits, broken, number):
            lines.append(f"{say('plan.col_breaks', language)}:")
            lines += [f"   {one}" for one in broken[number]]
        for line in lines:
            out.console.print(Text(f"   {line}"), soft_wrap=not out.console.is_terminal)
    if len(edits) > MOST_EDITS:
        out.say_as("plan.more", count=len(edits) - MOST_EDITS)


@dataclass(frozen=True)
class _Called:
    """What things are called: as the county has it, else by ``places``, else as the page's words."""

    names: Names | None
    places: dict[tuple[str, str], str]
    language: str

    def __call__(self, kind: str, key: object) -> str:
        if self.names:
            return self.names.label(kind, str(key), self.language)
        if kind in ("stage", "band", "mode"):
            return catalogue(self.language).get(f"workbook.{kind}_{key}", str(key))
        found = self.places.get((kind, str(key)))
        if found and self.language == ENGLISH:
            found = both_names(found)
        return f"{found} [{key}]" if found else str(key)


def _title(row: dict[Hashable, Any], called: _Called) -> str:
    """A decision: its row, what it is, where."""
    places = ((k, row[c]) for c, k in KINDS.items() if row[c] and c != row["column"])
    where = " ".join(called(kind, key) for kind, key in places)
    kind = "category" if row["action"] in ("transfer", "hire") else "resource"
    item = in_words(kind, row["item"], called.language)
    decision = say(f"plan.action_{row['action']}", called.language)
    return f"{row['row_id']}  {decision}: {where} {item}".rstrip()


def _change(row: dict[Hashable, Any], called: _Called) -> str:
    """An edit of it: from what to what."""
    before, after = (_value(row["column"], v, called) for v in (row["before"], row["after"]))
    edit = say(f"plan.edit_{row['edit']}", called.language)
    return f"{edit}: {before} → {after}"


def _said_next(edits: pd.DataFrame, broken: list[list[str]], number: int) -> bool:
    """Whether the next cell of the same decision breaks the same."""
    ids = edits["row_id"]
    after = number + 1
    return after < len(ids) and ids.iloc[after] == ids.iloc[number] and broken[after] == broken[number]


def _value(column: str, value: object, called: _Called) -> str:
    if value is None or value != value:
        return "-"
    if column == "quantity":
        return plainly(value)
    if column == "state":
        return say("workbook.yes" if value == "open" else "workbook.no", called.language)
    return called("school" if column == "to_id" else "mode", value)


def broken_said(row: dict[str, object], norms: Norms, language: str) -> str:
    """A broken rule: which, where, by how much."""
    unit = in_words("unit", row["unit"], language)
    amount, limit, before = _side_by_side(row)
    place = place_words(str(row["place"]), norms, language)
    key = "plan.violation" if before is None else "plan.violation_worse"
    return say(
        key, language, before=before, rule=rule_word("rule", str(row["rule"]), language), place=place,
        kind=say(f"workbook.kind_{row['kind']}", language), amount=amount, limit=limit, unit=unit,
    )  # fmt: skip


def _side_by_side(row: dict[str, object]) -> tuple[str, str, str | None]:
    """Amount, limit and the amount before, where the rule was broken there already; what got worse is seen in them."""
    unit, was = row["unit"], cast(float, row["before"])
    amount, limit = (of_unit(row[c], unit) for c in ("amount", "limit"))
    if was != was:
        return amount, limit, None
    before = of_unit(was, unit)
    if before == amount:
        amount, before = change_amounts(unit, cast(float, row["amount"]), was)
    return amount, limit, before


def print_measures(out: Out, measures: pd.DataFrame) -> None:
    """Measures before and after; what differs is bold."""
    grid = Table(*(say(f"plan.col_{h}", out.language) for h in ("measure", "unit", "before", "after")))
    for r in measures.itertuples():
        values = measure_values(r.unit, r.before, r.after)
        style = "bold" if values[0] != values[1] else ""
        grid.add_row(
            rule_word("measure", str(r.measure), out.language),
            in_words("unit", measure_unit(r.unit), out.language),
            *values,
            style=style,
        )
    out.console.print(grid)
