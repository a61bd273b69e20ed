"""Names of rules, measures, indicators, actions in one language, and sentences with such names inside."""

from __future__ import annotations

from typing import Any

from geodata.messages import catalogue, say

BAND_KEYS = {"g1_3": "workbook.band_g1_3", "g4_6": "workbook.band_g4_6", "g7_9": "workbook.band_g7_9"}


def name(kind: str, key: object, language: str) -> str:
    """``rules.<kind>_<key>`` in a language; ids that come from user data stay as they are."""
    return catalogue(language).get(f"rules.{kind}_{key}", str(key))


def word(key: str, language: str, **fields: object) -> str:
    """A message of the workbook's room."""
    return say(f"workbook.{key}", language, **fields)


def band(key: str, language: str) -> str:
    """A grade band, or several separated by commas."""
    parts = [p.strip() for p in key.split(",")]
    return say("findings.comma", language).join(say(BAND_KEYS[p], language) if p in BAND_KEYS else p for p in parts)


def what(value: str, language: str) -> str:
    """The object of an action: a band, a resource or a staff category."""
    if all(p.strip() in BAND_KEYS for p in value.split(",")):
        return band(value, language)
    return name("resource", value, language)


def reason(key: str, fields: dict[str, Any], language: str) -> str:
    """A reason with the names in its fields translated."""
    told = dict(fields)
    if "indicator" in told:
        told["indicator"] = name("indicator", told["indicator"], language)
    return say(key, language, **told)
