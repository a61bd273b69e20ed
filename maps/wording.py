"""Names of rules, measures, indicators, actions in one language, and sentences with such names inside."""

from __future__ import annotations

import math
from typing import Any

from geodata.contract.tables import BANDS
from geodata.messages import catalogue, say

WORDS = {
    **{b: f"workbook.band_{b}" for b in BANDS}, **{s: f"workbook.stage_{s}" for s in ("pri", "jun")},
    **{m: f"workbook.mode_{m}" for m in ("walk", "bus")},
}  # fmt: skip
"""Ids that may stand in a reason, with the key of their word."""
OBJECTS = ("resource", "category", "item")


def name(kind: str, key: object, language: str) -> str:
    """``rules.<kind>_<key>`` in a language; ids that come from user data stay as they are."""
    return catalogue(language).get(f"rules.{kind}_{key}", str(key))


def word(key: str, language: str, **fields: object) -> str:
    """A message of the workbook's room."""
    return say(f"workbook.{key}", language, **fields)


def band(key: str, language: str) -> str:
    """The name of a grade band."""
    return word(f"band_{key}", language)


def listed(parts: list[str], language: str) -> str:
    """Parts with the language's comma between them."""
    return say("map.comma", language).join(parts)


def what(value: str, language: str) -> str:
    """The object of an action: bands, a resource, a staff category or a cost item."""
    parts = [p.strip() for p in value.split(",")]
    if all(p in BANDS for p in parts):
        return listed([band(p, language) for p in parts], language)
    found = [name(kind, value, language) for kind in OBJECTS]
    return next((n for n in found if n != value), value)


def reason(key: str, fields: dict[str, Any], language: str) -> str:
    """A reason as a sentence: ids in words, lists with commas, whole numbers without decimals."""
    text = say(key, language, **{k: _field(k, v, language) for k, v in fields.items()})
    return say("reasons.from", language, **fields) + text if "from" in fields else text


def _field(key: str, value: Any, language: str) -> object:
    if isinstance(value, list):
        return listed([str(v) for v in value], language)
    if key in ("indicator", "rule", "unit"):
        return name(key, value, language)
    if isinstance(value, str):
        return say(WORDS[value], language) if value in WORDS else value
    if isinstance(value, float):
        return "–" if not math.isfinite(value) else int(value) if value == int(value) else value
    return value
