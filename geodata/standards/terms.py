"""The terms of a county: what its standards call their money, stages and grade bands."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, wraps
from typing import Protocol, TypeVar, cast

from geodata.contract.county import County
from geodata.messages import LANGUAGES, Terms, catalogue, in_terms
from geodata.standards.reading import BASE, BY_STAFF, read_bundled, rule_families
from geodata.standards.schema import Band, Resource, Stage
from geodata.standards.scheme import Norms

ROOMS = ("workbook.{}_", "map.{}_", "cli.{}_", "template.word_{}_")
"""Where the catalogue names stages and bands by id."""
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
        with in_terms(terms_of(result.county.norms)):
            return write(result, *args, **kwargs)

    return cast(Writer, written)


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
    words = []
    for norm in (n for n in norms.rules if n not in plain):
        family = next((f for f in families if norm.startswith(f)), "")
        last = norm.removeprefix(family)
        row = norms.resources.get(last) if families.get(family) == BY_STAFF else ends.get(last)
        own = "" if row is None else getattr(row, language)
        if own and (f"rules.rule_{norm}" not in known or own != usual_name(last, language)):
            words.append(
                (language, f"rules.rule_{norm}", known[f"rules.norm_{family[:-1]}"].format(place=own))
            )
    return words


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
