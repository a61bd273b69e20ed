"""Numbers as bureaus print them, and the cells and tables of a page."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from geodata.messages import large_unit, say
from geodata.standards.scheme import Norms
from maps.wording import band, indicator, name, resource, stage

MINUS = "−"
DASH = "–"


def phrase(key: str, language: str, **fields: object) -> str:
    """A message of the front page's room."""
    return say(f"front.{key}", language, **fields)


def _plain(value: Any, digits: int) -> str:
    """A number with a thousands mark; a dash for what is not known. Halves go up, as on paper."""
    number = math.nan if value is None else float(value)
    if not math.isfinite(number):
        return DASH
    step = 10**digits
    rounded = math.floor(abs(number) * step + 0.5 + 1e-9) / step
    return (MINUS if number < 0 and rounded else "") + f"{rounded:,.{digits}f}"


def whole(value: Any) -> str:
    """Pupils, teachers, schools, rooms: whole."""
    return _plain(value, 0)


def minutes(value: Any) -> str:
    """Whole minutes."""
    return _plain(value, 0)


def large(yuan: Any) -> str:
    """Money in the currency's large unit (万元) with one decimal."""
    return _plain(None if yuan is None else float(yuan) / large_unit(), 1)


def hundredths(value: Any) -> str:
    """Coefficients of variation and ratios: two decimals."""
    return _plain(value, 2)


def plainly(value: Any) -> str:
    """A quantity that may be whole (rooms) or not (m2): as few decimals as it has, two at most."""
    text = _plain(value, 2)
    return text.rstrip("0").rstrip(".") if "." in text else text


def of_unit(value: Any, unit: object) -> str:
    """A rule's value as its unit is printed: minutes whole, ratios with two decimals."""
    if unit == "minutes":
        return minutes(value)
    return hundredths(value) if unit == "ratio" else plainly(value)


def measure_values(unit: object, *values: Any) -> tuple[str, ...]:
    """Values of one measure as its unit is printed: money in the large unit, minutes and heads whole.

    Values that differ and would print alike have two decimals, so that a change is seen.
    """
    known = [float(v) for v in values if v is not None and math.isfinite(float(v))]
    parts = unit == "1" and any(v != int(v) for v in known)
    form = {"yuan": large, "minutes": minutes}.get(str(unit), hundredths if parts else whole)
    told = tuple(map(form, values))
    alike = (
        len(set(told)) < len(told) and unit != "yuan" and len(known) > 1 and max(known) - min(known) > 5e-3
    )
    return tuple(_plain(v, 2) for v in values) if alike else told


def measure_unit(unit: object) -> str:
    """The id of the unit that a measure is printed in."""
    return "large" if unit == "yuan" else str(unit)


def goal_amount(value: float, unit: str) -> str:
    """A goal's value in its own unit; counts are whole, a mean of minutes and shares have two decimals."""
    if unit == "large":
        return large(value * large_unit())
    return hundredths(value) if unit in ("1", "minutes", "percent") else whole(value)


MOST_DIGITS = 6
"""Decimals at most where fewer would print two values that differ as one."""


def _apart(digits: int, *values: float) -> tuple[str, ...]:
    """Numbers with these decimals, or with as many more as it takes to see that they differ."""
    differ = len({_plain(v, MOST_DIGITS) for v in values} - {DASH})
    for more in range(digits, MOST_DIGITS + 1):
        told = tuple(_plain(v, more) for v in values)
        if len(set(told) - {DASH}) >= differ:
            return told
    return tuple(_plain(v, digits) for v in values)


def goal_amounts(unit: str, *values: float) -> tuple[str, ...]:
    """Values of one goal side by side: as `goal_amount` prints them, with more decimals where they would look the same.

    Heads, units and cells stay whole where the first of the values, a plan's own, is whole.
    """
    told = tuple(goal_amount(v, unit) for v in values)
    parts = unit in ("1", "minutes", "percent", "large") or not float(values[0]).is_integer()
    return _apart(_decimals(told), *values) if parts else told


def change_amounts(unit: object, *values: float) -> tuple[str, ...]:
    """Values of one measure that changed, so that the change is seen: as `measure_values`, with the decimals it takes."""
    in_large = [v / large_unit() for v in values] if unit == "yuan" else list(values)
    return _apart(_decimals(measure_values(unit, *values)), *in_large)


def _decimals(told: tuple[str, ...]) -> int:
    return max(len(t.partition(".")[2]) for t in told)


def goal_in_words(value: float, unit: str, language: str) -> str:
    """A goal's value with its unit, as in a sentence."""
    return f"{goal_amount(value, unit)} {phrase(f'unit_{unit}', language)}".rstrip()


def share(value: Any) -> str:
    """A share in per cent with one decimal."""
    text = _plain(None if value is None else 100 * float(value), 1)
    return text if text == DASH else f"{text}%"


def signed(text: str) -> str:
    """A number with its sign; nothing before zero."""
    zero = not text.strip("0.,")
    return text if zero or text.startswith(MINUS) or text == DASH else f"+{text}"


@dataclass(frozen=True)
class PageCell:
    """One cell: its text, how it looks (``n`` number, ``bad``, ``good``, ``warn``, ``soft``), where it leads."""

    text: str
    kind: str = ""
    link: str = ""


def number(text: str, kind: str = "") -> PageCell:
    """A cell with a number."""
    return PageCell(text, f"n {kind}".strip())


@dataclass(frozen=True)
class PageTable:
    """A table of a page.

    Parameters
    ----------
    head : tuple of PageCell
    rows : tuple of tuple of PageCell
    foot : tuple of PageCell
        The row of totals; empty without one.
    """

    head: tuple[PageCell, ...]
    rows: tuple[tuple[PageCell, ...], ...]
    foot: tuple[PageCell, ...] = ()


def headings(language: str, *keys: str) -> tuple[PageCell, ...]:
    """Headings by their words; those that end in ``#`` stand above numbers."""
    return tuple(
        PageCell(phrase("col_" + k.rstrip("#"), language), "n" if k.endswith("#") else "") for k in keys
    )


def school_page(school_id: object) -> str:
    """Where a school's own page begins."""
    return f"schools.html#s-{school_id}"


def village_page(village_id: object) -> str:
    """Where a village's own page begins."""
    return f"villages.html#v-{village_id}"


def place_words(place: str, norms: Norms | None, language: str) -> str:
    """A place of a violation with the id behind its name in words: indicator, stage, band, thing, category, mode, earmark."""
    first, _, last = place.rpartition(" ")
    if not first:
        return name("earmark", place, language)
    shown = stage(last, language, norms)
    shown = shown if shown != last else band(last, language, norms)
    shown = shown if shown != last else indicator(last, language, norms)
    shown = shown if shown != last else resource(last, language, norms)
    shown = shown if shown != last else name("category", last, language)
    if shown == last and last in ("walk", "bus"):
        shown = say(f"workbook.mode_{last}", language)
    return f"{first} {shown}"


def named_few(names: list[str] | tuple[str, ...], language: str, most: int = 6) -> str:
    """The first names, and how many more there are."""
    shown = say("map.comma", language).join(names[:most])
    return shown + (phrase("and_more", language, count=len(names) - most) if len(names) > most else "")
