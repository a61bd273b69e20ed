"""What the pages of schools and villages are put together from: parts, rows by place, ways, rules, the sheet for corrections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from geodata.messages import say
from maps.front.text import (
    PageCell,
    PageTable,
    headings,
    minutes,
    number,
    of_unit,
    phrase,
    place_words,
    signed,
)
from maps.wording import name
from models.plan.decisions import PlanResult


@dataclass(frozen=True)
class Part:
    """A table of a place under its heading; a sentence stands where there is nothing to tell."""

    title: str
    table: PageTable | None
    empty: str = ""


@dataclass(frozen=True)
class Place:
    """One school or village.

    Parameters
    ----------
    id, anchor : str
        Its id in the tables and on the page.
    name, about : str
    parts : tuple of Part
    reasons : tuple of str
    correct : PageTable
        The sheet on which somebody corrects the numbers used.
    """

    id: str
    anchor: str
    name: str
    about: str
    parts: tuple[Part, ...]
    reasons: tuple[str, ...]
    correct: PageTable


Rows = dict[str, list[Any]]


@dataclass(frozen=True)
class Known:
    """Rows of the verdict's tables by the place that they are about, each table gone through once."""

    units: Rows
    indicators: Rows
    leave: Rows
    come: Rows
    actions: Rows
    violations: Rows


def split_by_place(result: PlanResult) -> Known:
    """Rows of a result's verdict by place."""
    v = result.verdict
    moved = v.travel[v.travel["changed"].astype(bool)]
    return Known(
        _by(v.units, "school_id"), _by(v.indicators, "unit_id"), _by(moved, "today_school_id"), _by(moved, "school_id"),
        _by(result.actions, "school_id") if len(result.actions) else {}, _by(v.violations, "place_id"),
    )  # fmt: skip


def _by(table: pd.DataFrame, column: str) -> Rows:
    found: Rows = {}
    for key, row in zip(table[column].astype(str), table.itertuples(), strict=True):
        found.setdefault(key, []).append(row)
    return found


def way_cells(row: dict[str, Any], language: str) -> tuple[PageCell, ...]:
    """How a group travels: mode, minutes today and in the plan, the difference, the limit."""
    added = float(row["minutes"]) - float(row["minutes_today"])
    over = row["minutes"] > row["limit"]
    return (
        PageCell(say(f"workbook.mode_{row['mode']}", language)), number(minutes(row["minutes_today"])), number(minutes(row["minutes"]), "bad" if over else ""),
        number(signed(minutes(added)) if added == added else phrase("unknown", language), "bad" if added > 0 else ""), number(minutes(row["limit"])),
    )  # fmt: skip


def rules_here(result: PlanResult, known: Rows, places: list[str], language: str) -> PageTable | None:
    """Rules that do not hold at a place, or hold only as no worse than today."""
    inner = [k for k in known if k in places or k.rsplit("/", 1)[0] in places]
    here = sorted((r for k in inner for r in known[k]), key=lambda r: r.Index)
    rows = [
        (
            PageCell(name("rule", r.rule, language)), PageCell(say(f"workbook.kind_{r.kind}", language)), PageCell(place_words(str(r.place), result.county.norms, language)), number(of_unit(r.amount, r.unit)),
            number(of_unit(r.limit, r.unit)), PageCell(name("unit", r.unit, language)),
            PageCell(phrase("rule_eased" if r.grandfathered else "rule_broken", language), "warn" if r.grandfathered else "bad"),
        )
        for r in here
    ]  # fmt: skip
    head = headings(language, "rule", "kind", "place", "amount#", "rule_limit#", "unit", "holds")
    return PageTable(head, tuple(rows)) if rows else None


def correction_sheet(lines: list[tuple[str, str]], language: str) -> PageTable:
    """The numbers used with room for what is right."""
    rows = tuple((PageCell(item), number(used), PageCell(""), PageCell("")) for item, used in lines)
    return PageTable(headings(language, "item", "used#", "correct", "proof"), rows)
