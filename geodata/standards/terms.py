"""The terms of a county: what its standards call their money, stages and grade bands."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, wraps
from typing import Protocol, TypeVar, cast

from geodata.contract.county import County
from geodata.messages import LANGUAGES, Terms, in_terms
from geodata.standards.reading import BASE, read_bundled
from geodata.standards.schema import Band, Stage
from geodata.standards.scheme import Scheme

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
        with in_terms(terms_of(result.county.scheme)):
            return write(result, *args, **kwargs)

    return cast(Writer, written)


def terms_of(scheme: Scheme) -> Terms:
    """The names that a scheme gives, over the catalogue's words where they are not the default's.

    Parameters
    ----------
    scheme : Scheme

    Returns
    -------
    Terms
    """
    money, words = scheme.currency, []
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
        ]
    return Terms(money.large, tuple(words))


def _names(stages: Iterable[Stage], bands: Iterable[Band]) -> dict[tuple[str, str, str], str]:
    rows: list[tuple[str, Stage | Band]] = [*(("stage", s) for s in stages), *(("band", b) for b in bands)]
    return {(kind, row.id, lang): getattr(row, lang) for kind, row in rows for lang in LANGUAGES}


@cache
def _usual() -> dict[tuple[str, str, str], str]:
    """The names of the bundled base, for which the catalogue has longer words."""
    base = read_bundled(BASE)
    return _names(base.stage, base.band)
