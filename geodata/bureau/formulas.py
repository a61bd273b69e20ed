"""Numbers worked out of a bureau's cells: formulas over columns, shares of a total, decimal points that were lost.

Everything is exact (fractions) until the number is written down again. A formula has four operations, brackets, numbers and
headings in square brackets. Python's own grammar reads it, and whatever else could be written in that is refused, so a
mapping that came from elsewhere does nothing but sums.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

LONGEST = 400
"""Characters of a formula."""
PLACES = 9
_HEADING = re.compile(r"\[([^\[\]]+)\]")
_REST = re.compile(r"[-+*/().0-9\s]*")
_DO: dict[type, Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
}  # fmt: skip


@dataclass(frozen=True)
class Formula:
    """A formula over columns.

    Parameters
    ----------
    text : str
        As written, each heading as the name ``h0``, ``h1`` ... of its place in ``headings``.
    headings : tuple of str
        Each once.
    tree : ast.expr
        The four operations, signs, numbers and these names, nothing else.
    """

    text: str
    headings: tuple[str, ...]
    tree: ast.expr

    def value(self, cells: Mapping[str, Fraction]) -> Fraction | None:
        """The number it gives for the cells of a row; None where it divides by nought."""
        try:
            return self._of(self.tree, {f"h{i}": cells[h] for i, h in enumerate(self.headings)})
        except ZeroDivisionError:
            return None

    def _of(self, node: ast.expr, cells: Mapping[str, Fraction]) -> Fraction:
        if isinstance(node, ast.BinOp):
            return _DO[type(node.op)](self._of(node.left, cells), self._of(node.right, cells))
        if isinstance(node, ast.UnaryOp):
            return -self._of(node.operand, cells)
        if isinstance(node, ast.Name):
            return cells[node.id]
        return Fraction(self.text[node.col_offset : node.end_col_offset])  # as written: 0.1 is a tenth


def read_formula(text: str) -> Formula | None:
    """A formula such as ``[boys] + [girls]`` or ``0.6 * ([total] - [boarders])``; None for anything else."""
    if len(text) > LONGEST or not _REST.fullmatch(_HEADING.sub("", text)):
        return None
    headings = tuple(dict.fromkeys(h.strip() for h in _HEADING.findall(text)))
    named = _HEADING.sub(lambda hit: f" h{headings.index(hit[1].strip())} ", text)
    plain = " ".join(named.split())
    try:
        tree = ast.parse(plain, mode="eval").body
    except (SyntaxError, RecursionError, MemoryError):
        return None
    return Formula(plain, headings, tree) if headings and _only_sums(tree) else None


def _only_sums(node: ast.expr) -> bool:
    """Whether a tree has nothing but the four operations, minus signs, numbers and names."""
    if isinstance(node, ast.BinOp):
        return type(node.op) in _DO and _only_sums(node.left) and _only_sums(node.right)
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.USub) and _only_sums(node.operand)
    return isinstance(node, (ast.Name, ast.Constant))


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
