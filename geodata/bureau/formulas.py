"""Numbers worked out of a bureau's cells: formulas over columns, shares of a total, decimal points that were lost.

Everything is exact (fractions) until the number is written down again. A formula has four operations, brackets, numbers and
headings in square brackets; nothing else can be written in it, so a mapping that came from elsewhere does nothing
but sums.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

LONGEST = 400
"""Characters of a formula."""
PLACES = 9
_TOKEN = re.compile(r"\s*(?:\[(?P<heading>[^\[\]]+)\]|(?P<number>\d+(?:\.\d+)?)|(?P<mark>[-+*/()]))")
_RANK = {"+": 1, "-": 1, "*": 2, "/": 2, "minus": 3}


@dataclass(frozen=True)
class Formula:
    """A formula in the order in which it is worked out (operands first).

    Parameters
    ----------
    text : str
        As written.
    steps : tuple of (str, str or Fraction)
        ``("heading", name)``, ``("number", value)`` or ``("do", operation)``.
    """

    text: str
    steps: tuple[tuple[str, str | Fraction], ...]

    @property
    def headings(self) -> tuple[str, ...]:
        """Headings of it, each once."""
        return tuple(dict.fromkeys(str(value) for kind, value in self.steps if kind == "heading"))

    def value(self, cells: Mapping[str, Fraction]) -> Fraction | None:
        """The number it gives for the cells of a row; None where it divides by nought."""
        stack: list[Fraction] = []
        for kind, value in self.steps:
            if kind == "number":
                stack.append(Fraction(value))
            elif kind == "heading":
                stack.append(cells[str(value)])
            elif value == "minus":
                stack.append(-stack.pop())
            else:
                right, left = stack.pop(), stack.pop()
                if value == "/" and right == 0:
                    return None
                stack.append(_done(str(value), left, right))
        return stack[0]


def _done(operation: str, left: Fraction, right: Fraction) -> Fraction:
    if operation == "+":
        return left + right
    if operation == "-":
        return left - right
    return left * right if operation == "*" else left / right


def read_formula(text: str) -> Formula | None:
    """A formula such as ``[boys] + [girls]`` or ``0.6 * ([total] - [boarders])``; None for anything else."""
    tokens = _tokens(text)
    if tokens is None:
        return None
    steps: list[tuple[str, str | Fraction]] = []
    waiting: list[str] = []
    operand = True  # an operand is due next, so that a minus is a sign
    for kind, value in tokens:
        if kind != "mark" or value == "(":
            if not operand:
                return None
            if kind == "mark":
                waiting.append("(")
            else:
                steps.append((kind, Fraction(value) if kind == "number" else value))
                operand = False
        elif value == ")":
            if operand or not _close(waiting, steps):
                return None
        elif operand:
            if value != "-":
                return None
            waiting.append("minus")
        else:
            while waiting and waiting[-1] != "(" and _RANK[waiting[-1]] >= _RANK[value]:
                steps.append(("do", waiting.pop()))
            waiting.append(value)
            operand = True
    if operand or "(" in waiting:
        return None
    steps += [("do", mark) for mark in reversed(waiting)]
    made = Formula(text, tuple(steps))
    return made if made.headings else None


def _tokens(text: str) -> list[tuple[str, str]] | None:
    """Kind and text of each part; None where something else stands in it."""
    if len(text) > LONGEST:
        return None
    found, at, text = [], 0, text.rstrip()
    while at < len(text):
        hit = _TOKEN.match(text, at)
        if hit is None or hit.lastgroup is None:
            return None
        found.append((hit.lastgroup, hit[hit.lastgroup].strip()))
        at = hit.end()
    return found


def _close(waiting: list[str], steps: list[tuple[str, str | Fraction]]) -> bool:
    """Work off what stands in a bracket; whether it was opened."""
    while waiting and waiting[-1] != "(":
        steps.append(("do", waiting.pop()))
    if not waiting:
        return False
    waiting.pop()
    return True


def written(value: Fraction) -> str:
    """A number as text: exact as far as nine decimals go, no exponent."""
    rounded = round(value, PLACES)
    text = f"{Decimal(rounded.numerator) / Decimal(rounded.denominator):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def nearest_whole(value: Fraction) -> int:
    """Halves go up, so that cuts of a running total fit together."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


def share_of(total: Fraction, before: Fraction, share: Fraction, whole: bool) -> Fraction:
    """A share of a total; where it must be whole, shares that follow each other add up to the whole total.

    Parameters
    ----------
    total : Fraction
    before : Fraction
        Sum of the shares that come before this one.
    share : Fraction
    whole : bool
        Heads are not divided: the running total is rounded, and each share is the step that it makes.
    """
    if not whole:
        return total * share
    return Fraction(nearest_whole(total * (before + share)) - nearest_whole(total * before))


def with_point(value: Fraction, low: Fraction, high: Fraction) -> Fraction | None:
    """The number with its decimal point back in a range; itself if it is there already, None if nothing fits.

    The ends of the range have one sign and are less than a factor of ten apart (`repairable`), so that at most one place of
    the point fits.
    """
    for _ in range(20):
        if low <= value <= high:
            return value
        value /= 10
    return None


def repairable(low: float, high: float) -> bool:
    """Whether a range tells where a lost decimal point was."""
    near, far = sorted((abs(low), abs(high)))
    return low < high and low * high > 0 and far < 10 * near


def factor_of(given: float | str) -> Fraction | None:
    """A factor or share as written (``7.2``, ``"1/7"``); None unless it is above nought and no larger than 10^12."""
    try:
        text = f"{Decimal(repr(given)):f}" if isinstance(given, float) else given.strip()
        value = Fraction(text) if len(text) <= 40 and "e" not in text.lower() else None
    except (ValueError, ArithmeticError):
        return None
    return value if value is not None and 0 < value <= 10**12 else None
