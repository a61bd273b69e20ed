"""How a sheet is printed: A4, or A3 for wide ones, one page wide, with headings and page numbers."""

from __future__ import annotations

import math
from typing import Any

from maps.wording import word

A3, A4 = 8, 9
WIDE = 9
"""Columns beyond which a sheet is printed on A3."""
READABLE = 320
"""Letters beside each other on A3 that can still be read; wider sheets take several pages across, each with the first column."""


def paper(page: Any, language: str, last: int, top: int, end: int, letters: float = 0.0) -> None:
    """Set a sheet's paper, margins, repeated rows, print area and footer.

    Parameters
    ----------
    page : xlsxwriter worksheet
    language : {"zh", "en"}
    last : int
        Its last column, from 0.
    top, end : int
        Row of the headings, last row.
    letters : float
        Width of all columns together.
    """
    page.set_landscape()
    page.set_paper(A3 if last >= WIDE else A4)
    across = max(1, math.ceil(letters / READABLE))
    page.fit_to_pages(across, 0)
    if across > 1:
        page.repeat_columns(0)
    page.repeat_rows(0, top)
    page.print_area(0, 0, max(end, top + 1), last)
    page.center_horizontally()
    page.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.6)
    page.set_footer(f"&L{word('draft_mark', language)}&R{word('page_of', language, page='&P', pages='&N')}")
