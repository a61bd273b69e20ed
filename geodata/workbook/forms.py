"""Sheets of a workbook that say things item by item: the settings of a county, the scenario asked for.

A form is a list of items, each a row or several: what is said, of what, how much. `Form` is its contract;
the template writes it (`geodata.folder.template`), `form_rows` reads the cells back and `understood` the items.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from geodata.bureau.grids import Book, xlsx_grid
from geodata.contract.cells import bare, header_word, plain
from geodata.contract.findings import Finding, InputProblems
from geodata.messages import LANGUAGES, catalogue, say

PARTS = ("item", "what", "value")
"""Columns that are read; unit and note are for the reader's eyes."""
SHOWN = 12
MADE = datetime(2000, 1, 1)
"""When every workbook says that it was made: the same numbers give the same bytes."""
LISTS = "_lists"
"""Hidden sheet with what drop-downs offer: Excel takes 255 characters of a list in place."""


def worded(room: str, ids: tuple[str, ...]) -> tuple[tuple[str, str, str], ...]:
    """Ids with their words in Chinese and English, from a room of messages; an id without words stays as it is."""
    zh, en = catalogue("zh"), catalogue("en")
    return tuple((i, zh.get(f"{room}{i}", i), en.get(f"{room}{i}", i)) for i in ids)


@dataclass(frozen=True)
class Item:
    """One thing that a form may say.

    Parameters
    ----------
    name : str
        Its words are the messages ``form.item_<name>`` and ``form.about_<name>``.
    choices : tuple of (id, Chinese, English)
        What it may name; empty where any text will do.
    source : str
        Where a drop-down comes from instead: ``schools`` for names of schools; ``flag`` for yes and no.
    number : bool
        Whether it takes a number beside what it names.
    unit : str
        Key of the number's unit among the messages, ``form.unit_<unit>``; empty for a plain number.
    rows : int
        Rows that the template leaves for it.
    start : tuple of (what, value)
        What the template fills in.
    """

    name: str
    choices: tuple[tuple[str, str, str], ...] = ()
    source: str = ""
    number: bool = False
    unit: str = ""
    rows: int = 1
    start: tuple[tuple[str, str], ...] = ()

    def word(self, language: str) -> str:
        """What the item is called."""
        return say(f"form.item_{self.name}", language)


@dataclass(frozen=True)
class Form:
    """A sheet of items: its title is the message ``form.sheet_<name>``; ``numbers`` is whether it has a column for them."""

    name: str
    items: tuple[Item, ...]
    numbers: bool = True

    def title(self, language: str) -> str:
        """The sheet's title."""
        return say(f"form.sheet_{self.name}", language)


@dataclass(frozen=True)
class Row:
    """One filled row of a form, cells as text; ``label`` names workbook and sheet, ``heads`` are the headings as written."""

    item: str
    what: str
    value: str
    number: int
    label: str
    heads: tuple[str, ...] = field(default=PARTS, repr=False)

    def finding(self, key: str, part: str, severity: str = "error", **fields: object) -> Finding:
        """A finding about one of its cells."""
        value = {"item": self.item, "what": self.what, "value": self.value}[part]
        column = self.heads[PARTS.index(part)]
        return Finding(severity, key, fields, self.label, "", self.number, column, value)  # type: ignore[arg-type]


def titles(name: str) -> set[str]:
    """Titles of a form's sheet, in every language, as `plain` has them."""
    return {plain(say(f"form.sheet_{name}", language)) for language in LANGUAGES}


def form_rows(book: Book, sheet: str, label: str) -> tuple[list[Row], list[Finding]]:
    """The filled rows of a form; what is hidden or was never computed is said.

    Raises
    ------
    InputProblems
        The headings are not there.
    """
    grid = xlsx_grid(book, sheet, label)
    wanted = {p: [header_word(say(f"form.col_{p}", language)) for language in LANGUAGES] for p in PARTS}
    header = grid.cells[0] if grid.cells else []
    words = [header_word(h) for h in header]
    at = {p: next((words.index(w) for w in wanted[p] if w in words), None) for p in PARTS}
    lost = [p for p in ("item", "what") if at[p] is None]
    if lost:
        names = " / ".join(say(f"form.col_{lost[0]}", language) for language in LANGUAGES)
        raise InputProblems([Finding("error", "plan.no_column", {"heading": names}, file=label, row=1)])
    heads = tuple(header[i] if (i := at[p]) is not None else "" for p in PARTS)
    rows = []
    for number, cells in enumerate(grid.cells[1:], start=2):
        item, what, value = (bare(cells[i]) if (i := at[p]) is not None else "" for p in PARTS)
        if item or what or value:
            rows.append(Row(item, what, value, number, label, heads))
    there = {r.number for r in rows if r.what or r.value}
    read = {i for i in at.values() if i is not None}
    found = [
        Finding("error", "bureau.formula", file=label, row=r + 1, column=header[c])
        for r, c in grid.unsaved
        if c in read and r > 0
    ]
    found += [
        Finding("warning", "bureau.hidden_row", file=label, row=r + 1)
        for r in sorted(grid.hidden)
        if r + 1 in there
    ]
    return rows, found


def understood(form: Form, rows: Iterable[Row]) -> tuple[list[tuple[Item, Row]], list[Finding]]:
    """Each filled row with the item that it is about; rows that name an item and nothing else say nothing.

    Returns
    -------
    list of (Item, Row)
    list of Finding
        Items that are not known, with those that are alike.
    """
    words = {bare(w).lower(): i for i in form.items for w in (i.name, *(i.word(lang) for lang in LANGUAGES))}
    done, found = [], []
    for row in rows:
        if not (row.what or row.value):
            continue
        item = words.get(row.item.lower())
        if item is None:
            found.append(row.finding("form.unknown_item", "item", known=alike_items(row.item, form)))
        else:
            done.append((item, row))
    return done, found


def alike_items(text: str, form: Form) -> str:
    """The items most like a text, or all, each in both languages."""
    words = {w.lower(): i for i in form.items for w in (i.name, *(i.word(lang) for lang in LANGUAGES))}
    near = difflib.get_close_matches(text.lower(), list(words), 5, 0.4) or list(words)
    items = dict.fromkeys(words[w].name for w in near)
    both = {i.name: f"{i.word('zh')} ({i.word('en')})" for i in form.items}
    return in_a_row([both[name] for name in items][:SHOWN], "en")


def in_a_row(words: list[str], language: str) -> str:
    """Some words as one text."""
    return ("、" if language == "zh" else ", ").join(words)


def offered(choices: Iterable[tuple[str, str, str]]) -> dict[str, str]:
    """Choices in words with their ids, by language."""
    rows = list(choices)
    return {
        "zh": in_a_row([f"{zh} ({i})" for i, zh, _ in rows], "zh"),
        "en": in_a_row([f"{en} ({i})" for i, _, en in rows], "en"),
    }


def chosen_id(item: Item, row: Row) -> tuple[str, Finding | None]:
    """The id of what a row names among its item's choices, or a finding with the candidates."""
    words = {bare(w).lower(): c[0] for c in item.choices for w in c}
    if (key := words.get(row.what.lower())) is not None:
        return key, None
    return "", row.finding("form.not_a_choice", "what", choices=offered(item.choices))
