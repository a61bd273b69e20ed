"""Texts of tables: how they are encoded, how their cells are separated, where a row does not end."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from openpyxl.utils import get_column_letter

from geodata.bureau.bounds import MOST_AREA, MOST_COLUMNS, MOST_ROWS, refuse_large
from geodata.bureau.kinds import content_of
from geodata.contract.findings import Finding, InputProblems
from geodata.messages import LANGUAGES, say

SEP_LINE = re.compile(r"\ufeff?\"?sep=(.)\"?\r?\n", re.IGNORECASE)
"""The first line with which Excel is told the separator; no part of the table."""
DOS_END = "\x1a"
"""The sign with which DOS programs end a text."""
LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
BLANK: list[str] = []
"""Stands for every row without a text: there may be millions below a table."""
MOST_LINES = 5_000_000
LOOKED_AT = 200_000
OTHERS = ";\t|，,"
"""Separators that a header of one cell may show."""
UTF8_LETTER = re.compile(rb"[\xe3-\xef][\x80-\xbf][\x80-\xbf]|[\xc3-\xc5][\x80-\xbf]")
RARE = 0.3
"""A Chinese text has fewer characters outside GB2312 than this share, also where names are rare ones [A]."""


def both(key: str, **fields: object) -> dict[str, str]:
    """A message in every language, as a field of a `Finding`."""
    return {language: say(key, language, **fields) for language in LANGUAGES}


def _refused(key: str, label: str, row: int | None = None, **fields: object) -> InputProblems:
    return InputProblems([Finding("error", key, fields, file=label, row=row)])


def decoded(path: Path, label: str) -> tuple[str, list[Finding]]:
    """A text: UTF-8 (with or without byte order mark), then GB18030, strictly; what is doubtful about it is said.

    Raises
    ------
    InputProblems
        Another encoding, two encodings in one file, or no text at all.
    """
    refuse_large(path, label)
    if (kind := content_of(path)) in ("locked", "xls", "xlsx", "xlsb", "ods", "numbers", "zip", "pdf"):
        raise _refused("tables.no_text", label, kind=f".{kind}" if kind != "locked" else ".xlsx")
    content = path.read_bytes().rstrip(b"\0")
    if content.count(b"\0") > len(content) // 10:  # UTF-16 without its mark
        raise _refused("tables.encoding", label)
    try:
        return content.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        _refuse_mixed(content, label)
    try:
        text = content.decode("gb18030")
    except UnicodeDecodeError:
        raise _refused("tables.encoding", label) from None
    return text, _doubtful(text, label)


def _refuse_mixed(content: bytes, label: str) -> None:
    """A text of which most lines are UTF-8 and some are not would be garbled as a whole in any other encoding."""
    good, bad = 0, []
    for number, line in enumerate(re.finditer(rb"[^\n]*\n?", content), 1):
        try:
            line[0].decode("utf-8")
            good += UTF8_LETTER.search(line[0]) is not None
        except UnicodeDecodeError:
            bad.append(number)
    if good > len(bad):
        raise _refused("tables.encodings_mixed", label, bad[0], count=len(bad))


def _doubtful(text: str, label: str) -> list[Finding]:
    """A text read as GB18030 that hardly is Chinese: Latin letters with accents, or traditional characters in Big5."""
    letters = [c for c in text[:LOOKED_AT] if not c.isascii()]
    rare = [c for c in letters if not c.encode("gb2312", "ignore")]
    if len(rare) <= RARE * len(letters):
        return []
    at = text.index(rare[0])
    shown = re.split(r"[,;\t\r\n]", text[:at])[-1] + re.split(r"[,;\t\r\n]", text[at:])[0]
    row = text.count("\n", 0, at) + 1
    return [Finding("warning", "tables.encoding_doubtful", {"shown": shown[:40]}, file=label, row=row)]


def _refuse_unbounded(label: str, row: int, filled: int, widest: int, cells: list[str]) -> None:
    """Refuse, while it is read, what is too large to be a table of a county."""
    if filled > MOST_ROWS or row > MOST_LINES:
        fields: dict[str, object] = {"most": f"{MOST_ROWS:,}", "row": row}
        found = Finding("error", "bureau.too_many_rows", fields, file=label, value=",".join(cells)[:60])
    elif len(cells) > MOST_COLUMNS and any(cells[MOST_COLUMNS:]):
        fields = {"most": f"{MOST_COLUMNS:,}", "column": get_column_letter(min(len(cells), 16_384))}
        found = Finding("error", "bureau.too_many_columns", fields, file=label, value=cells[-1][:60])
    elif filled * widest > MOST_AREA:
        found = Finding("error", "bureau.workbook_cells", {"most": f"{MOST_AREA:,}"}, file=label)
    else:
        return
    raise InputProblems([found])


def csv_rows(path: Path, label: str) -> tuple[list[list[str]], list[Finding]]:
    """Rows of a CSV as they are, short or long, and what is said about them.

    A first line ``sep=;`` names the separator and is no row; the end sign of DOS is left out.

    Raises
    ------
    InputProblems
        Another encoding, another separator, a quotation mark without its partner.
    """
    text, found = decoded(path, label)
    text = text.rstrip().removesuffix(DOS_END) if text.rstrip().endswith(DOS_END) else text
    told = SEP_LINE.match(text)
    begin, separator = (told.end(), told[1]) if told else (0, ",")
    rows: list[list[str]] = []
    filled = widest = 0
    try:
        for row in csv.reader(
            (line[0] for line in LINE.finditer(text, begin)), delimiter=separator, strict=True
        ):
            if not any(map(str.strip, row)):
                rows.append(BLANK)
                continue
            rows.append(row)
            filled, widest = filled + 1, max(widest, len(row))
            _refuse_unbounded(label, len(rows), filled, widest, row)
    except (csv.Error, TypeError) as problem:  # TypeError: a separator that cannot be one
        why = both("tables.why_quotes") if '"' in text else str(problem)
        raise _refused("tables.not_a_table", label, len(rows) + 1, why=why) from None
    while rows and rows[-1] is BLANK:
        rows.pop()
    first = rows[0] if rows else []
    if len(first) == 1 and (other := next((c for c in OTHERS if c in first[0]), "")):
        shown = {"\t": "Tab"}.get(other, other)
        if other != "," or separator != ",":
            raise _refused("tables.separator", label, found=shown)
    return rows, found
