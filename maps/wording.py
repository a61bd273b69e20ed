"""Names of rules, measures, indicators, actions in one language, and sentences with such names inside."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from geodata.contract.county import County
from geodata.contract.groups import group_in, kind_in
from geodata.contract.tables import TABLES
from geodata.messages import catalogue, say
from geodata.standards.schema import Indicator, Resource
from geodata.standards.scheme import Norms
from geodata.standards.terms import usual_name

PLACES = ("band", "stage", "mode")
"""Kinds of ids that may stand in a reason, with words of the workbook's room."""
OBJECTS = ("resource", "category", "item")


def name(kind: str, key: object, language: str) -> str:
    """``rules.<kind>_<key>`` in a language; ids that come from user data stay as they are."""
    return catalogue(language).get(f"rules.{kind}_{key}", str(key))


def word(key: str, language: str, **fields: object) -> str:
    """A message of the workbook's room."""
    return say(f"workbook.{key}", language, **fields)


def group_word(label: str, language: str) -> str:
    """A group of attendance, with the name of the group of pupils where they are of one."""
    kind = word(f"group_{kind_in(label)}", language)
    return f"{kind} · {group_in(label)}" if group_in(label) else kind


def _declared(norms: Norms | None, key: str, language: str) -> str | None:
    """The name that a standards file gives a stage, a band, an indicator or a resource."""
    if norms is None:
        return None
    if (found := norms.scheme.name(key, language)) is not None:
        return found
    rows: list[Indicator | Resource] = [*norms.indicators.values(), *norms.resources.values()]
    texts = [x.zh if language == "zh" else x.en for x in rows if x.id == key]
    return next((t for t in texts if t), None)


def _named(room: str, key: str, language: str, norms: Norms | None) -> str:
    """The catalogue's word where it has one, else the standards' own, else the id."""
    return catalogue(language).get(f"{room}_{key}") or _declared(norms, key, language) or key


def band(key: str, language: str, norms: Norms | None = None) -> str:
    """The name of a grade band; ``norms`` has those of bands that a standards file declares."""
    return _named("workbook.band", key, language, norms)


def stage(key: str, language: str, norms: Norms | None = None) -> str:
    """The name of a stage, likewise."""
    return _named("workbook.stage", key, language, norms)


def resource(key: str, language: str, norms: Norms | None = None) -> str:
    """The name of what a unit has: staff of some kind, rooms, areas; the standards' own where it is not the default's."""
    own = None if norms is None or key not in norms.resources else getattr(norms.resources[key], language)
    if own and own != usual_name(key, language):
        return str(own)
    return name("resource", key, language)


def unit_word(key: str, language: str, norms: Norms) -> str:
    """What a resource is counted in; empty for one that is not declared."""
    return name("unit", norms.resources[key].unit, language) if key in norms.resources else ""


def indicator(key: str, language: str, norms: Norms | None = None) -> str:
    """The name of an indicator: the standards' own where their file gives one."""
    own = None
    if norms is not None:
        texts = [i.zh if language == "zh" else i.en for i in norms.indicators.values() if i.id == key]
        own = next((t for t in texts if t), None)
    return own or name("indicator", key, language)


def listed(parts: list[str], language: str) -> str:
    """Parts with the language's comma between them."""
    return say("map.comma", language).join(parts)


def what(value: str, language: str, norms: Norms | None = None) -> str:
    """The object of an action: bands, a resource, a staff category or a cost item."""
    parts = [p.strip() for p in value.split(",")]
    bands = [band(p, language, norms) for p in parts]
    if all(n != p for n, p in zip(bands, parts, strict=True)):
        return listed(bands, language)
    found = [name(kind, value, language) for kind in OBJECTS]
    return next((n for n in found if n != value), None) or _declared(norms, value, language) or value


def reason(key: str, fields: dict[str, Any], language: str, norms: Norms | None = None) -> str:
    """A reason as a sentence: ids in words, lists with commas, whole numbers without decimals."""
    text = say(key, language, **{k: _field(k, v, language, norms) for k, v in fields.items()})
    return say("reasons.from", language, **fields) + text if "from" in fields else text


def _field(key: str, value: Any, language: str, norms: Norms | None) -> object:
    if isinstance(value, list):
        return listed([str(v) for v in value], language)
    if key == "indicator":
        return indicator(value, language, norms)
    if key == "goal":
        return catalogue(language).get(f"goals.{value}", value)
    if key in ("rule", "unit"):
        return name(key, value, language)
    if isinstance(value, str):
        words = (catalogue(language).get(f"workbook.{kind}_{value}") for kind in PLACES)
        own = None if norms is None else norms.scheme.name(value, language)
        return next((w for w in words if w), own or value)
    if isinstance(value, float):
        return "–" if not math.isfinite(value) else int(value) if value == int(value) else value
    return value


def not_real(county: County, language: str) -> list[str]:
    """Sentences about a county that is fictional, or of which a part is modelled; none where all is real."""
    said = [word("fictional", language)] if county.fictional else []
    if county.modelled:
        said.append(word("modelled", language, what=listed(modelled_names(county, language), language)))
    return said


def yes_or_no(value: Any, language: str) -> str:
    """Yes, no, or not assessed."""
    return say("cli.not_assessed" if pd.isna(value) else "cli.yes" if value else "cli.no", language)


def modelled_names(county: County, language: str) -> list[str]:
    """Modelled tables and columns by their titles where the contract knows them.

    Parameters
    ----------
    county : County
    language : {"zh", "en"}

    Returns
    -------
    list of str
    """
    names = []
    for item in county.modelled:
        table, _, column = item.partition(".")
        known = TABLES.get(table)
        if known is None or language != "zh":
            names.append(item.replace("_", " ").replace(".", ": "))
        elif column in {c.name for c in known.columns}:
            names.append(f"{known.zh}·{known.column(column).zh}")
        else:
            names.append(known.zh)
    return names
