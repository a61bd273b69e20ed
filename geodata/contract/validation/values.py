"""Cells to values: numbers, flags, choices and texts as people and programs write them."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pandas as pd

from geodata.contract.cells import EMPTY, bare, id_like, id_text, is_id, made_a_date, plain
from geodata.contract.columns import Column
from geodata.messages import LANGUAGES, catalogue

TRUE, FALSE = {"true", "1", "yes", "y", "是", "有"}, {"false", "0", "no", "n", "否", "无"}
GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?")
"""A number with thousands separators where they belong; 30,91 is a decimal comma and is refused."""


DECIMAL_COMMA = re.compile(r"[+-]?[0-9.]*,[0-9]+")


def _cleaner(column: Column) -> Callable[[str], str]:
    if is_id(column):
        return id_text
    if column.name == "grades_served":
        return _ranges
    if column.kind in ("whole", "number"):
        return _digits
    return plain if column.kind == "text" and not id_like(column) else bare


def _ranges(text: str) -> str:
    """Grades as they are meant: 1-6 for ``1 - 6``, 1–6, 1～6; a date that a spreadsheet made of them stays one."""
    one = bare(text)
    if made_a_date(one):
        return one
    return re.sub(r"[\u2010-\u2015\u2212~]", "-", re.sub(r"\s+", "", one)).replace("、", ",")


def _digits(text: str) -> str:
    return bare(text).replace("\u2212", "-")  # the minus sign of typeset tables


def texts(column: Column, raw: pd.Series) -> list[str]:
    """Cells as text; words for an empty cell count as such, but in a required text they are names."""
    text = [_cleaner(column)(cell) for cell in raw.fillna("")]
    if column.kind == "text" and column.required:
        return text
    return ["" if one.lower() in EMPTY else one for one in text]


def _number(column: Column, text: list[str], index: pd.Index) -> tuple[pd.Series, pd.Series]:
    """Numbers, and where the text is none; thousands separators are accepted in their places only."""
    cleaned = [one.replace(",", "") if "," in one and GROUPED.fullmatch(one) else one for one in text]
    cells = pd.Series([one or None for one in cleaned], index=index, dtype=object)
    value = pd.to_numeric(cells, errors="coerce").astype("float64")
    number = value.to_numpy()
    wrong = np.array([one != "" for one in text], dtype=bool) & ~np.isfinite(number)
    if column.kind == "whole":
        with np.errstate(invalid="ignore"):
            wrong |= ~np.isnan(number) & (number % 1 != 0)
    return value, pd.Series(wrong, index=index)


def _flag(text: list[str], index: pd.Index) -> tuple[pd.Series, pd.Series]:
    words = dict.fromkeys(TRUE, True) | dict.fromkeys(FALSE, False)
    value = pd.Series([words.get(one.lower(), np.nan) for one in text], index=index, dtype=object)
    return value, pd.Series([one != "" for one in text], index=index, dtype=bool) & value.isna()


def choice_words(column: Column) -> dict[str, str]:
    """The words for a column's choices, in every language: ``{"小学": "pri", ...}``.

    The template workbook offers the Chinese ones; reading takes them for the choice itself.
    """
    words = {
        bare(word): choice
        for language in LANGUAGES
        for choice in column.choices
        if (word := catalogue(language).get(f"template.word_{column.name}_{choice}"))
    }
    return words | {bare(word): choice for word, choice in column.words}


def choices_said(column: Column) -> dict[str, str]:
    """A column's choices as a message lists them: what drop-downs offer in each language."""
    words = catalogue("zh")
    chinese = "、".join(words.get(f"template.word_{column.name}_{c}", c) for c in column.choices)
    return {"zh": chinese, "en": ", ".join(column.choices)}


def coerce(column: Column, cells: pd.Series) -> tuple[pd.Series, pd.Series]:
    """One column's values and where they could not be read."""
    text = texts(column, cells)
    if column.kind in ("whole", "number"):
        return _number(column, text, cells.index)
    if column.kind == "flag":
        return _flag(text, cells.index)
    if column.kind == "choice":
        words = choice_words(column) | {c: c for c in column.choices}
        written = [bare(cell) for cell in cells.fillna("")]
        # "none" may be a choice
        text = [was if was in column.choices else one for was, one in zip(written, text, strict=True)]
        text = [words.get(one, one) for one in text]
    values = pd.Series([one or None for one in text], index=cells.index, dtype=object)
    return values, pd.Series(False, index=cells.index)
