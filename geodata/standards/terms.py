"""The terms of a county: what its standards and tables call their money, stages, grade bands, things and kinds of staff."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache, wraps
from typing import Protocol, TypeVar, cast

from geodata.contract.county import County
from geodata.messages import LANGUAGES, Terms, catalogue, in_terms
from geodata.standards.reading import BASE, BY_STAFF, read_bundled, rule_families
from geodata.standards.schema import Band, Resource, Stage
from geodata.standards.scheme import Norms

ROOMS = ("workbook.{}_", "map.{}_", "cli.{}_", "template.word_{}_")
"""Where the catalogue names stages and bands by id."""
_ABOUT_STAFF = {
    "floor_backbone_pupils": ("floor_backbone", "b"), "floor_arts_point_share": ("floor_arts", "a"), "rotation_backbone": ("", "b"),
    "concession_min": ("", "a"), "concession_max": ("", "a"),
}  # fmt: skip
"""Norms that name the staff they are about: the rule that they belong to, and whom the bundled files mean."""
Writer = TypeVar("Writer", bound=Callable[..., object])


class OfCounty(Protocol):
    """A result that knows its county."""

    @property
    def county(self) -> County:
        """The county that it is about."""
        ...


def in_its_words(write: Writer) -> Writer:
    """Have a writer speak in the terms of the county that its first argument is about."""

    @wraps(write)
    def written(result: OfCounty, *args: object, **kwargs: object) -> object:
        with in_terms(county_terms(result.county)):
            return write(result, *args, **kwargs)

    return cast(Writer, written)


def county_terms(county: County) -> Terms:
    """`terms_of` the county's standards, and what its table of staff categories calls them.

    Parameters
    ----------
    county : County

    Returns
    -------
    Terms
    """
    terms = terms_of(county.norms)
    own = category_names(county)
    words = [
        (language, f"rules.category_{c}", names[i])
        for c, names in own.items()
        for i, language in enumerate(LANGUAGES)
        if names[i]
    ]
    return replace(terms, words=(*terms.words, *words))


def terms_of(norms: Norms) -> Terms:
    """The names that standards give, over the catalogue's words where they are not the default's.

    Parameters
    ----------
    norms : Norms

    Returns
    -------
    Terms
    """
    scheme, words = norms.scheme, []
    money = scheme.currency
    for language in LANGUAGES:
        coin, large = getattr(money, language), getattr(money, f"large_{language}")
        words += [
            (language, "currency", coin),
            (language, "large", large or f"{money.large:,.0f} {coin}"),
            *(
                (language, room.format(kind) + key, own)
                for (kind, key, spoken), own in _names(scheme.stages, scheme.bands).items()
                if spoken == language and own and _usual().get((kind, key, spoken), "") != own
                for room in ROOMS
            ),
            *_norm_words(norms, language),
        ]
    return Terms(money.large, tuple(words))


def _norm_words(norms: Norms, language: str) -> list[tuple[str, str, str]]:
    """Names of the norms that end in a stage, band or kind of staff for which the catalogue has none, or another."""
    with in_terms(Terms()):
        known = catalogue(language)
    families, plain = rule_families()
    places: list[Stage | Band] = [*norms.scheme.stages, *norms.scheme.bands]
    ends: dict[str, Stage | Band | Resource] = {x.id: x for x in places}
    words = _thing_words(norms, language, known)
    for norm in (n for n in norms.rules if n not in plain):
        family = next((f for f in families if norm.startswith(f)), "")
        last = norm.removeprefix(family)
        row = norms.resources.get(last) if families.get(family) == BY_STAFF else ends.get(last)
        own = "" if row is None else getattr(row, language)
        key = f"rules.rule_{norm}"
        if own and (key not in known or own != usual_name(last, language)):
            words.append((language, key, known[f"rules.norm_{family[:-1]}"].format(place=own)))
            if f"{key}_about" in known and f"rules.rule_{family[:-1]}_about" in known:
                words.append((language, f"{key}_about", known[f"rules.rule_{family[:-1]}_about"]))
    return words + _about_words(norms, language, known)


def _thing_words(norms: Norms, language: str, known: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """What standards call their things and staff, and the indicators that count them, where it is not the default's."""
    words = []
    own = {k: getattr(r, language) for k, r in norms.resources.items()}
    others = {k: name for k, name in own.items() if name and name != usual_name(k, language)}
    for key, name in others.items():
        words.append((language, f"rules.resource_{key}", name))
        if norms.resources[key].kind == "heads":
            words.append((language, f"rules.item_{key}", known["rules.norm_itinerant"].format(place=name)))
    for one in norms.indicators.values():
        told = getattr(one, language)
        if not told and (one.resource in others or f"rules.indicator_{one.id}" not in known):
            thing = others.get(one.resource) or known.get(f"rules.resource_{one.resource}", one.resource)
            told = known["rules.norm_indicator"].format(
                place=thing[:1].upper() + thing[1:], scale=f"{one.scale:g}"
            )
        if told and told != known.get(f"rules.indicator_{one.id}"):
            words += [(language, f"rules.indicator_{one.id}{end}", told) for end in ("", "_about")]
    return words


def _about_words(norms: Norms, language: str, known: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Norms of the base that are about one kind of staff, where these standards mean another, or call it otherwise."""
    words = []
    conceding = next((k for k, r in norms.resources.items() if r.concession), "")
    for norm, (rule, usual) in _ABOUT_STAFF.items():
        if norm not in norms.rules:
            continue
        key = conceding if norm.startswith("concession_") else norms.rules[norm].resource
        own = getattr(norms.resources[key], language) if key in norms.resources else ""
        if own and (key != usual or own != usual_name(usual, language)):
            words += [
                (language, f"rules.rule_{one}{end}", known[f"rules.norm_{one}{end}"].format(place=own))
                for one in filter(None, (norm, rule))
                for end in ("", "_about")
            ]
    return words


def category_names(county: County) -> dict[str, tuple[str, str]]:
    """What the table of staff categories calls each of them, by id: Chinese and English; empty where it does not say.

    A category of several stages that they call differently has all its names.
    """
    table = county.staff_category
    if "name" not in table and "name_en" not in table:
        return {}
    told: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
    none = [""] * len(table)
    columns = (table[c].tolist() if c in table else none for c in ("name", "name_en"))
    for cat, *names in zip(table["cat_id"], *columns, strict=True):
        both = told.setdefault(str(cat), ({}, {}))
        for found, name in zip(both, names, strict=True):
            found.update({name: None} if name else {})
    joined = {c: (" / ".join(zh), " / ".join(en)) for c, (zh, en) in told.items()}
    return {c: (zh or en, en or zh) for c, (zh, en) in joined.items()}


def _names(stages: Iterable[Stage], bands: Iterable[Band]) -> dict[tuple[str, str, str], str]:
    rows: list[tuple[str, Stage | Band]] = [*(("stage", s) for s in stages), *(("band", b) for b in bands)]
    return {(kind, row.id, lang): getattr(row, lang) for kind, row in rows for lang in LANGUAGES}


@cache
def _usual() -> dict[tuple[str, str, str], str]:
    """The names of the bundled base, for which the catalogue has longer words."""
    base = read_bundled(BASE)
    return _names(base.stage, base.band)


def usual_name(key: str, language: str) -> str:
    """What the bundled base calls a stage, a band or a kind of staff; empty for another id."""
    base = read_bundled(BASE)
    rows: list[Stage | Band | Resource] = [*base.stage, *base.band, *base.resource]
    return next((getattr(r, language) for r in rows if r.id == key), "")
