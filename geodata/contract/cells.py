"""Cells as text: blanks, invisible characters, words for nothing, error values of spreadsheets."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache

import pandas as pd

from geodata.contract.columns import Column

EMPTY = {"", "nan", "none", "null", "na", "<na>", "n/a"}
"""Words that programs write for an empty cell; in a text that must be filled in they are names."""
NO_VALUE = {
    "-", "--", "\u2013", "\u2014", "\u2014\u2014", "\u2015", "/", "\\", "?", "无", "没有", "空", "缺", "未知", "不详", "未填", "暂无", "unknown", "nil", "n.a.", "..",
    "...", "......",
}  # fmt: skip
"""Signs and words that people write where there is none or where it is not known: which of the two is theirs to say."""
ERROR_VALUES = {
    "#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#GETTING_DATA",
    "#FIELD!", "#BLOCKED!", "#UNKNOWN!", "#BUSY!", "#CONNECT!", "#EXTERNAL!",
}  # fmt: skip
ID_LIKE = (
    "school_id", "village_id", "cat_id", "parent_id", "township", "item", "id", "grades_served", "protected", "stage", "group",
    "groups",
)  # fmt: skip
"""Text columns that are compared with others: a character nobody sees must not make two of one."""
IDS = ("school_id", "village_id", "cat_id", "parent_id")
FILLERS = {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0}
"""Characters that are drawn as nothing and are no format characters by category."""
LOOK_ALIKE = dict(zip("АВЕЅІЈКМНОРСТУХЗаеѕіјорсухΑΒΕΖΗΙΚΜΝΟΡΤΥΧοѵԁԛԝ", "ABESIJKMHOPCTYX3aesijopcyxABEZHIKMNOPTYXovdqw", strict=True))  # fmt: skip
"""Cyrillic and Greek letters that look like Latin ones."""


def texts_in_python() -> None:
    """Have pandas keep text columns as Python strings in this process, not in Arrow's arrays.

    A county's tables are short: taking rows of an Arrow column costs more than all else that is done with them. A verdict
    takes 0.7 of its time (benchmarks/results/method.md). For processes that are ours alone, not for a notebook's pandas.
    """
    pd.options.mode.string_storage = "python"


@lru_cache(maxsize=100_000)
def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()


def plain(text: object) -> str:
    """Full-width letters and digits made plain, surrounding blanks gone."""
    return _plain(str(text))


def _unseen(char: str) -> bool:
    code = ord(char)
    return (
        unicodedata.category(char) == "Cf" or code in FILLERS or 0xFE00 <= code <= 0xFE0F
        or (code < 32 and char not in "\t\n\r\x0b\x0c") or 0x7F <= code <= 0x9F
    )  # fmt: skip


@lru_cache(maxsize=100_000)
def _bare(text: str) -> str:
    seen = text if text.isascii() and text.isprintable() else "".join(c for c in text if not _unseen(c))
    return _plain("".join(c for c in _plain(seen) if not _unseen(c)))


def bare(text: object) -> str:
    """`plain` without characters that nobody sees: zero-width ones, marks of direction, byte order marks."""
    return _bare(str(text))


_WRAPPED = re.compile(r"""^=?(["'])([^"']*)\1$|^'([^"']+)$""")
_GROUPS = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+")
_ROUNDED = re.compile(r"[0-9](?:\.[0-9]+)?e\+[0-9]{1,2}", re.IGNORECASE)
_DATED = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2} 00:00:00|[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}|[0-9]{1,2}月[0-9]{1,2}日"
    r"|[0-9]{1,2}-(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)|(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)-[0-9]{1,2}",
    re.IGNORECASE,
)


@lru_cache(maxsize=100_000)
def id_text(text: str) -> str:
    """An id without what spreadsheets and programs add to it: ``'A1``, ``="A1"``, 3418000001.0, 3,418,000,001."""
    one = bare(text)
    if wrapped := _WRAPPED.match(one):
        one = (wrapped[2] or wrapped[3] or "").strip()
    if re.fullmatch(r"[0-9]+\.0", one):
        return one[:-2]
    return one.replace(",", "") if _GROUPS.fullmatch(one) else one


def lost_digits(text: str) -> bool:
    """Whether a spreadsheet shows a long number so (3.418E+10): the digits that it left out are lost."""
    return _ROUNDED.fullmatch(text) is not None


def made_a_date(text: str) -> bool:
    """Whether a spreadsheet made a date of what somebody wrote (1-6: 6-Jan, 1月6日)."""
    return _DATED.fullmatch(text) is not None


@lru_cache(maxsize=100_000)
def _codes(text: str) -> str:
    if text.isascii() and text.isprintable():
        return ""
    return ", ".join(sorted({f"U+{ord(c):04X}" for c in text if _unseen(c)}))


def invisible(text: object) -> str:
    """Code points of the characters of a cell that nobody sees, as ``U+200B, U+FEFF``; mostly empty."""
    return _codes(str(text))


def header_word(text: object) -> str:
    """What makes two headings the same: full width, blanks, line breaks and the unseen do not count."""
    return re.sub(r"\s+", "", bare(text)).lower()


def is_id(column: Column) -> bool:
    """Whether a column holds ids, not words: a number format that a program left on one is no part of it."""
    return column.name in IDS


def id_like(column: Column) -> bool:
    """Whether a text column is compared with others, so that unseen characters are left out."""
    return column.name in ID_LIKE


@lru_cache(maxsize=10_000)
def skeleton(text: str) -> str:
    """A text as the eye takes it: Latin for Cyrillic and Greek look-alikes, O for 0, l and I for 1; no blanks, no leading zeros."""
    seen = "".join(LOOK_ALIKE.get(c, c) for c in re.sub(r"\s+", "", bare(text)))
    plain_marks = re.sub(r"[\u2010-\u2015\u2212_]", "-", seen).upper()
    one = plain_marks.replace("O", "0").replace("I", "1").replace("L", "1")
    return one.lstrip("0") or one


def fifteen(text: str) -> str:
    """The digits that a spreadsheet keeps of a longer number, or nothing for any other id."""
    return text[:15] if len(text) > 15 and text.isascii() and text.isdigit() else ""


def code_points(text: str, other: str) -> str:
    """Characters in which two texts differ, with their code points."""
    ours, theirs = Counter(text), Counter(other)
    told = [*(ours - theirs), *(theirs - ours)]
    return ", ".join(f"{c} U+{ord(c):04X}" for c in told) or "-"
