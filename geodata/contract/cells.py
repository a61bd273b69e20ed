"""Cells as text: blanks, invisible characters, words for nothing, error values of spreadsheets."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import pandas as pd

from geodata.contract.tables import Column

EMPTY = {"", "nan", "none", "null"}
"""Words that programs write for an empty cell; in a text that must be filled in they are names."""
ERROR_VALUES = {
    "#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#GETTING_DATA",
    "#FIELD!", "#BLOCKED!", "#UNKNOWN!", "#BUSY!", "#CONNECT!", "#EXTERNAL!",
}  # fmt: skip
ID_LIKE = (
    "school_id", "village_id", "cat_id", "parent_id", "township", "item", "id", "grades_served", "protected", "stage", "group",
    "groups",
)  # fmt: skip
"""Text columns that are compared with others: a character nobody sees must not make two of one."""
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


def id_like(column: Column) -> bool:
    """Whether a text column is compared with others, so that unseen characters are left out."""
    return column.name in ID_LIKE


@lru_cache(maxsize=10_000)
def skeleton(text: str) -> str:
    """A text as the eye takes it: Latin for Cyrillic and Greek look-alikes, O for 0, l and I for 1."""
    seen = "".join(LOOK_ALIKE.get(c, c) for c in bare(text))
    return (
        re.sub(r"[\u2010-\u2015\u2212_]", "-", seen)
        .upper()
        .replace("O", "0")
        .replace("I", "1")
        .replace("L", "1")
    )


def code_points(text: str) -> str:
    """Characters of a text that are not plain Latin letters, digits or marks, with their code points."""
    return ", ".join(f"{c} U+{ord(c):04X}" for c in dict.fromkeys(text) if not c.isascii()) or "-"
