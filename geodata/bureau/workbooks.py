"""Sheets as bureaus keep them: titles above, merged headers of several rows, totals and remarks below.

A sheet becomes a `geodata.bureau.grids.Grid` of text cells; `read_sheet` finds its header, drops what is no record (each
dropped row is named) and keeps the row numbers of the rest, so that every later message can point at
the bureau's own file.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from pathlib import Path

import pandas as pd

from geodata.bureau.grids import Grid
from geodata.bureau.texts import both
from geodata.contract.cells import plain
from geodata.contract.findings import Finding, InputProblems
from geodata.contract.validation.values import GROUPED

MOST_TITLE_ROWS = 30
"""Rows from the top among which the header is sought."""
TOTAL = re.compile(
    r"^((全[县市区镇乡校]|本[页表校])?(合计|总计|共计|累计|小计|总数)(数)?|(?i:(grand|sub)?-?totals?|sum))[::]?$"
)
SUBTOTAL = re.compile(r"小计|本页|(?i:sub-?total)")
REMARK = re.compile(
    r"^(备注|注释?\d*|说明|填表说明|填表人|填报人|制表|审核|单位负责人|负责人|填表单位|填报单位)[::、.\d(]"
)
SENTENCE = re.compile(r"[。;；:：]|^[(（]?[一二三四五六七八九十]+[)）、.]")
BESIDE_HAN = re.compile(r"(?<=[\u2e80-\u9fff\uff00-\uffef]) | (?=[\u2e80-\u9fff\uff00-\uffef])")
LONG_TEXT = 25
TOTAL_ROW = "bureau.total_row"
"""Why a row that sums others is no record."""
COUNTING = ("甲", "乙", "丙", "丁", "戊", "栏次", "序号")


@dataclass(frozen=True)
class SourceSheet:
    """Records of one sheet, layer or table, before anything is converted.

    Parameters
    ----------
    label : str
        Name for messages.
    headings : tuple of str
        Heading of each column; parts of a header of several rows joined by ``/``.
    frame : DataFrame of str
        Columns 0, 1, ... as in ``headings``; index = row number as the program that opens the file
        shows it.
    findings : tuple of Finding
    path : Path or None
        The file, where there is one.
    above : tuple of str
        Texts above the header: title, 单位：万元.
    """

    label: str
    headings: tuple[str, ...]
    frame: pd.DataFrame
    findings: tuple[Finding, ...] = ()
    path: Path | None = field(default=None, compare=False)
    above: tuple[str, ...] = ()


@lru_cache(maxsize=10_000)
def heading_key(text: str) -> str:
    """What makes two headings the same: full width, blanks and line breaks do not count."""
    return re.sub(r"\s+", "", plain(text)).lower()


@lru_cache(maxsize=10_000)
def tidy_heading(text: str) -> str:
    """A heading in one line, as messages show it: blanks beside Chinese characters are of the layout only."""
    return BESIDE_HAN.sub("", " ".join(plain(text).split()))


def _filled(grid: Grid) -> list[list[str]]:
    """Merged cells all carry the text of their first one."""
    cells = [list(row) for row in grid.cells]
    for top, left, bottom, right in grid.merges:
        for r in range(top, min(bottom, len(cells) - 1) + 1):
            for c in range(left, min(right, len(cells[r]) - 1) + 1):
                cells[r][c] = cells[top][left]
    return cells


def _bottom(grid: Grid, top: int) -> int:
    """Last row of a header that starts at ``top``: as far as its merged cells reach.

    A cell merged downwards carries the header along; one merged sideways has at least one row of
    parts under it.
    """
    bottom, grown = top, True
    while grown:
        grown = False
        for first, left, last, right in grid.merges:
            if top <= first <= bottom:
                reach = max(last, last + 1 if right > left else last)
                if reach > bottom:
                    bottom, grown = reach, True
    return min(bottom, len(grid.cells) - 1)


def _headings(cells: list[list[str]], top: int, bottom: int) -> tuple[str, ...]:
    found = []
    for c in range(len(cells[top])):
        parts: list[str] = []
        for r in range(top, bottom + 1):
            part = tidy_heading(cells[r][c])
            if part and (not parts or parts[-1] != part):
                parts.append(part)
        found.append("/".join(parts))
    return tuple(found)


def columns_of(wanted: str, headings: tuple[str, ...]) -> list[int]:
    """Positions of the columns a wanted heading may mean.

    The whole heading first (``教职工数/其中:专任教师``); if there is none, the headings that end with
    it (``专任教师``). Of several that differ in letters' case or blanks only, the one written just so.
    """
    key = heading_key(wanted)
    keys = [heading_key(h) for h in headings]
    whole = [i for i, k in enumerate(keys) if k == key]
    found = whole or [i for i, k in enumerate(keys) if k.endswith("/" + key)]
    own = tidy_heading(wanted)
    return [i for i in found if headings[i] == own or headings[i].endswith("/" + own)] or found


def find_header(grid: Grid, wanted: list[str]) -> tuple[int, int, tuple[str, ...]]:
    """First and last row of the header and its headings: where most of the wanted ones are found.

    Returns
    -------
    top, bottom : int
        Row numbers from 0; (0, 0) if no row has any wanted heading.
    headings : tuple of str
    """
    cells = _filled(grid)
    best, found = 0, (0, 0, _headings(cells, 0, 0))
    for top in range(min(MOST_TITLE_ROWS, len(cells))):
        if len({t for t in cells[top] if t}) < 2 and len(wanted) > 1:
            continue  # a title, or an empty row
        bottom = _bottom(grid, top)
        headings = _headings(cells, top, bottom)
        count = sum(bool(columns_of(w, headings)) for w in wanted)
        if count > best:
            best, found = count, (top, bottom, headings)
    return found


def nearest_headings(wanted: str, headings: tuple[str, ...]) -> str:
    """Up to three headings like the wanted one, else all, for a message."""
    near = difflib.get_close_matches(wanted, [h for h in headings if h], 3, 0.4)
    return ", ".join(near or [h for h in headings if h][:30])


def why_no_record(row: list[str], headers: list[list[str]], across: bool, wanted: set[int]) -> str | None:
    """Message key of the reason why a row is no record, or None.

    A lone text is a remark if it spans columns, stands in a column nobody asked for, or reads like a
    sentence or a section title; a school's name without any figure stays a record and is reported.
    """
    texts = [plain(t) for t in row if plain(t)]
    if texts in headers:
        return "bureau.header_again"
    if any(TOTAL.match(re.sub(r"\s+", "", t)) for t in texts[:3]):
        return TOTAL_ROW
    alone = len(set(texts)) == 1
    column = next(i for i, t in enumerate(row) if plain(t))
    sentence = len(texts[0]) > LONG_TEXT or SENTENCE.search(texts[0])
    if REMARK.match(texts[0]) or (alone and (across or column not in wanted or sentence)):
        return "bureau.remark_row"
    numbers = [t for t in texts if t not in COUNTING]
    if len(numbers) > 2 and numbers == [str(i + 1) for i in range(len(numbers))]:
        return "bureau.counting_row"
    return None


def _surplus(grid: Grid, bottom: int, kept: list[int]) -> list[Finding]:
    """Records of a CSV with cells beyond the header: a comma in a cell has moved the others."""
    width = max(grid.lengths[: bottom + 1], default=0)
    return [
        Finding(
            "error", "tables.not_a_table", {"why": both("tables.why_surplus", have=grid.lengths[r], want=width)}, grid.label,
            row=r + 1, value=",".join(grid.cells[r][width:])[:60],
        )
        for r in kept
        if grid.lengths and grid.lengths[r] > width and any(plain(t) for t in grid.cells[r][width:])
    ]  # fmt: skip


def _down(grid: Grid, first: int, headings: tuple[str, ...]) -> list[Finding]:
    """Cells merged over several records: named, because each record now carries the text."""
    found: dict[int, list[tuple[int, int, str]]] = {}
    for top, left, bottom, _ in grid.merges:
        text = grid.cells[top][left]
        if top >= first and bottom > top and text:
            found.setdefault(left, []).append((top + 1, bottom + 1, text))
    return [
        Finding(
            "note", "bureau.filled_down", {"ranges": ", ".join(f"{t} ({a}-{b})" for a, b, t in ranges)},
            file=grid.label, row=ranges[0][0], column=headings[left],
        )
        for left, ranges in sorted(found.items())
    ]  # fmt: skip


def _header(
    grid: Grid, cells: list[list[str]], wanted: list[str], header: tuple[int, int] | None
) -> tuple[int, int, tuple[str, ...]]:
    """First and last row of the header, and its headings: as stated, else where most of the wanted ones are."""
    if header is None:
        return find_header(grid, wanted)
    if not 1 <= header[0] <= header[1] <= len(cells):
        problem = Finding("error", "bureau.header_rows", {"rows": len(cells)}, file=grid.label)
        raise InputProblems([problem])
    top, bottom = header[0] - 1, header[1] - 1
    return top, bottom, _headings(cells, top, bottom)


def _records(
    grid: Grid, cells: list[list[str]], top: int, bottom: int, columns: set[int]
) -> tuple[list[int], dict[int, str]]:
    """Rows below the header that are records, and the others that say something, with why they are none."""
    across = {r for first, left, last, right in grid.merges if right > left for r in range(first, last + 1)}
    headers = [[plain(t) for t in cells[r] if plain(t)] for r in range(top, bottom + 1)]
    headers += [[plain(t) for t in grid.cells[r] if plain(t)] for r in range(top, bottom + 1)]
    kept, left_out = [], {}
    for r in range(bottom + 1, len(cells)):
        if not any(plain(t) for t in cells[r]):
            continue
        why = why_no_record(cells[r], headers, r in across, columns)
        if why is None:
            kept.append(r)
        else:
            left_out[r] = why
    return kept, left_out


def read_sheet(
    grid: Grid, wanted: list[str], header: tuple[int, int] | None = None, path: Path | None = None
) -> SourceSheet:
    """The records of a sheet.

    Parameters
    ----------
    grid : Grid
    wanted : list of str
        Headings that the mapping asks for; the header is where most of them are.
    header : (first, last) or None
        Row numbers as the spreadsheet shows them, where the mapping states them.

    Returns
    -------
    SourceSheet
        With a finding for every row left out, hidden row read, cell filled down, total that differs.

    Raises
    ------
    InputProblems
        Nothing on the sheet, or stated header rows that it does not have.
    """
    cells = _filled(grid)
    if not any(plain(t) for row in cells for t in row):
        raise InputProblems([Finding("error", "bureau.empty_sheet", file=grid.label)])
    top, bottom, headings = _header(grid, cells, wanted, header)
    columns = sorted({c for w in wanted for c in columns_of(w, headings)})
    kept, left_out = _records(grid, cells, top, bottom, set(columns))
    totals = [r for r, why in left_out.items() if why == TOTAL_ROW]
    found = [*grid.told]
    for r, why in left_out.items():
        text = next(plain(t) for t in cells[r] if plain(t))
        found.append(Finding("note", why, file=grid.label, row=r + 1, value=text[:60]))
    frame = pd.DataFrame(
        [cells[r] for r in kept], index=[r + 1 for r in kept], columns=range(len(headings)), dtype=object
    )
    hidden = [r for r in kept if r in grid.hidden]
    found += [Finding("warning", "bureau.hidden_row", file=grid.label, row=r + 1) for r in hidden]
    found += _surplus(grid, bottom, kept)
    found += [
        Finding("warning", "bureau.hidden_column", file=grid.label, column=headings[c])
        for c in columns
        if c in grid.covered
    ]
    found += _down(grid, bottom + 1, headings)
    seen = set(kept)
    found += [
        Finding("error", "bureau.formula", file=grid.label, row=r + 1, column=headings[c])
        for r, c in grid.unsaved
        if r in seen and c in columns
    ]
    found += _totals(grid.label, frame, headings, cells, totals, columns)
    above = tuple(plain(t) for row in grid.cells[:top] for t in row if plain(t))
    return SourceSheet(grid.label, headings, frame, tuple(found), path, above)


def decimal(text: str) -> Decimal | None:
    """A number as written, thousands separators in their places allowed; None for anything else.

    Also for a number of more than forty places: exact sums with 1e999999999 would never end.
    """
    written = plain(text)
    try:
        value = Decimal(written.replace(",", "") if re.fullmatch(GROUPED, written) else written)
    except InvalidOperation:
        return None
    return value if value.is_finite() and len(written) <= 60 and abs(value.adjusted()) <= 40 else None


def _totals(
    label: str,
    frame: pd.DataFrame,
    headings: tuple[str, ...],
    cells: list[list[str]],
    totals: list[int],
    columns: list[int],
) -> list[Finding]:
    """The sheet's own grand total against the sum of its records, for the columns that are used."""
    grand = [r for r in totals if not SUBTOTAL.search("".join(cells[r]))]
    if len(grand) != 1:
        return []
    found = []
    for c in columns:
        stated = decimal(cells[grand[0]][c])
        if stated is None:
            continue
        have = sum((v for v in frame[c].map(decimal) if v is not None), Decimal(0))
        if have != stated:
            found.append(
                Finding(
                    "warning", "bureau.total_differs", {"sum": f"{have:f}"}, file=label, row=grand[0] + 1,
                    column=headings[c], value=cells[grand[0]][c],
                )
            )  # fmt: skip
    return found


def first_row_sheet(grid: Grid, path: Path | None = None) -> SourceSheet:
    """A sheet whose header is its first row, as our own tables have it; nothing is left out."""
    headings = tuple(grid.cells[0]) if grid.cells else ()
    frame = pd.DataFrame(
        grid.cells[1:], index=range(2, len(grid.cells) + 1), columns=range(len(headings)), dtype=object
    )
    return replace(SourceSheet(grid.label, headings, frame), path=path)
