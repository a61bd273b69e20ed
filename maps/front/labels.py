"""Names and numbers in a drawing that do not cover each other or the symbols."""

from __future__ import annotations

from collections.abc import Sequence

from maps.extent import overlap

TextBox = tuple[float, float, float, float]
"""Left, top, right, bottom in the drawing's units."""
CHINESE = 0x2E80
"""The first letter as wide as it is high."""


def text_width(text: str, size: float) -> float:
    """About how wide a text is set in letters of a size."""
    return sum(1.03 if ord(c) > CHINESE else 0.57 for c in text) * size


def text_box(text: str, x: float, base: float, anchor: str, size: float) -> TextBox:
    """What a text covers that starts, ends or has its middle (``anchor``) at a point of its base line."""
    wide = text_width(text, size)
    left = x - {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor] * wide
    return left, base - 0.92 * size, left + wide, base + 0.25 * size


class Placing:
    """What is covered already, and where the next text hides least.

    Parameters
    ----------
    symbols : sequence of TextBox
        What no text should hide.
    width, height : float
        Of the drawing: a text that would leave it is put elsewhere.
    """

    def __init__(self, symbols: Sequence[TextBox], width: float, height: float):
        self._taken = list(symbols)
        self._edge = (0.0, 0.0, width, height)

    def best(self, boxes: Sequence[TextBox]) -> int:
        """Which of the boxes is the first that hides nothing, or hides least; it is covered from now on."""

        def cost(box: TextBox) -> float:
            outside = (box[2] - box[0]) * (box[3] - box[1]) - overlap(box, self._edge)
            return 10 * outside + sum(overlap(box, taken) for taken in self._taken)

        costs = [cost(box) for box in boxes]
        found = costs.index(min(costs))
        self._taken.append(boxes[found])
        return found
