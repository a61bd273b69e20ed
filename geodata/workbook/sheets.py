"""Writing the forms of a workbook to fill in: a row an item, drop-downs by name, units and notes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from xlsxwriter.utility import xl_col_to_name

from geodata.contract.county import County
from geodata.contract.tables import TABLES
from geodata.messages import say
from geodata.standards.schema import Currency
from geodata.workbook.forms import LISTS, Form, Item, Row, chosen_id, understood

SPARE, MOST_SCHOOLS = 20, 5001


@dataclass
class Lists:
    """Columns of the hidden sheet, each with the range that a drop-down names."""

    columns: list[tuple[str, ...]] = field(default_factory=list)

    def range(self, values: tuple[str, ...]) -> str:
        """Where a list stands; the same list stands once."""
        if values not in self.columns:
            self.columns.append(values)
        letter = xl_col_to_name(self.columns.index(values))
        return f"={LISTS}!${letter}$1:${letter}${max(1, len(values))}"

    def write(self, book: Any) -> None:
        """The sheet itself, last and hidden."""
        page = book.add_worksheet(LISTS)
        for at, values in enumerate(self.columns):
            for row, value in enumerate(values):
                page.write_string(row, at, value)
        page.hide()


def write_form(
    book: Any, looks: dict[str, Any], form: Form, lists: Lists, language: str, county: County | None, money: Currency
) -> None:  # fmt: skip
    """One form as a sheet.

    Parameters
    ----------
    book : xlsxwriter.Workbook
    looks : dict
        Formats of the workbook.
    form : Form
    lists : Lists
    language : {"zh", "en"}
    county : County or None
        Whose settings and scenario rows are filled in instead of what the items start with.
    money : Currency
        For the unit of budgets.
    """
    page = book.add_worksheet(form.title(language))
    page.freeze_panes(1, 1)
    parts = ("item", "what", *(("value", "unit") if form.numbers else ()), "note")
    for at, (part, wide) in enumerate(zip(parts, _widths(form), strict=True)):
        page.write_string(0, at, say(f"form.col_{part}", language), looks["must" if at < 2 else "may"])
        page.set_column(at, at, wide)
    items = lists.range(tuple(i.word(language) for i in form.items))
    row = 1
    for item in form.items:
        told = _told(form, item, county) or item.start
        for k in range(max(item.rows, len(told))):
            what, value = told[k] if k < len(told) else ("", "")
            _row(page, looks, row, form, item, (_word(item, what, language), value), language, k == 0, money)
            _offer(page, row, item, lists, language)
            row += 1
    for spare in range(row, row + SPARE):
        for at in range(3 if form.numbers else 2):
            page.write_blank(spare, at, None, looks["fill"])
    page.data_validation(1, 0, row + SPARE - 1, 0, {"validate": "list", "source": items, "error_type": "warning"})  # fmt: skip


def _widths(form: Form) -> tuple[int, ...]:
    return (20, 44, 14, 14, 90) if form.numbers else (26, 44, 90)


def _row(
    page: Any, looks: dict[str, Any], row: int, form: Form, item: Item, told: tuple[str, str], language: str, first: bool, money: Currency
) -> None:  # fmt: skip
    """Item, what is filled in, unit, and the note on the first row of each item."""
    page.write_string(row, 0, item.word(language), looks["may"])
    what, value = told
    page.write_string(row, 1, what, looks["fill"]) if what else page.write_blank(row, 1, None, looks["fill"])
    if form.numbers:
        style = looks["fill"] if item.number else None
        _amount(page, row, value, style)
        page.write_string(row, 3, _unit(item, language, money))
    if first:
        page.write_string(row, 4 if form.numbers else 2, say(f"form.about_{item.name}", language))


def _amount(page: Any, row: int, value: str, style: Any) -> None:
    """A number as one; what a person wrote otherwise (1,250 or 2%) as it stands."""
    try:
        page.write_number(row, 2, float(value), style) if value else page.write_blank(row, 2, None, style)
    except ValueError:
        page.write_string(row, 2, value, style)


def _unit(item: Item, language: str, money: Currency) -> str:
    if item.unit == "large":
        return money.large_zh if language == "zh" else money.large_en
    return say(f"form.unit_{item.unit}", language) if item.unit else ""


def _word(item: Item, what: str, language: str) -> str:
    """A choice in words; anything else as it is."""
    return next((zh if language == "zh" else en for i, zh, en in item.choices if i == what), what)


def _offer(page: Any, row: int, item: Item, lists: Lists, language: str) -> None:
    """The drop-down of what an item may name; a warning only, since ids are read too."""
    if item.choices:
        source = lists.range(tuple(zh if language == "zh" else en for _, zh, en in item.choices))
    elif item.source == "flag":
        source = lists.range(("是", "否") if language == "zh" else ("yes", "no"))
    elif item.source == "schools":
        table = TABLES["schools"]
        name = table.zh if language == "zh" else table.name
        letter = xl_col_to_name([c.name for c in table.columns].index("name"))
        source = f"='{name}'!${letter}$2:${letter}${MOST_SCHOOLS}"
    else:
        return
    page.data_validation(row, 1, row, 1, {"validate": "list", "source": source, "error_type": "warning"})


def _told(form: Form, item: Item, county: County | None) -> tuple[tuple[str, str], ...]:
    """What a county already says about an item: its settings, and every row of its own scenario sheet."""
    if county is None:
        return ()
    if form.name == "scenario":
        said = understood(form, county.asked)[0]
        return tuple((_id_of(known, row), row.value) for known, row in said if known.name == item.name)
    known: dict[str, tuple[str, ...]] = {
        "name": (county.name,), "name_en": (county.name_en,), "year": (str(county.year),),
        "fictional": ("yes",) if county.fictional else (), "standards": county.standard_files, "modelled": county.modelled,
        "season": (county.travel.season,) if county.travel.season != "normal" else (), "ferries": ("yes",) if county.travel.ferries else (),
    }  # fmt: skip
    return tuple((text, "") for text in known.get(item.name, ()) if text)


def _id_of(item: Item, row: Row) -> str:
    """What a row names by its id, so that it is said in the new workbook's language; else as it stands."""
    return (chosen_id(item, row)[0] or row.what) if item.choices else row.what
