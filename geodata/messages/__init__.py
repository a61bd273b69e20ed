"""Every word a user sees, in Chinese and English, from one catalogue.

The catalogue is a folder per language of small TOML files, one per room (``tables.toml``,
``map.toml``, ``workbook.toml`` ...). A key is ``<file>.<name>``; fields in braces are filled by
`say`. A test keeps the two languages' keys and fields the same.

What a county's standards call their money, stages and grade bands stands over the catalogue's own words while
`in_terms` is open: ``{currency}`` and ``{large}`` in a message are the money of the tables and its large unit.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

LANGUAGES = ("zh", "en")


@dataclass(frozen=True)
class Terms:
    """What one county calls its things.

    Parameters
    ----------
    large : float
        How much of the currency one large unit is (10,000 yuan are 1 万元).
    words : tuple of (str, str, str)
        Language, key and text; ``currency`` and ``large`` are the names of the money.
    """

    large: float = 10_000.0
    words: tuple[tuple[str, str, str], ...] = (
        ("zh", "currency", "元"), ("en", "currency", "yuan"), ("zh", "large", "万元"), ("en", "large", "10,000 yuan"),
    )  # fmt: skip


_TERMS: ContextVar[Terms] = ContextVar("terms", default=Terms())  # noqa: B039 - frozen


@contextmanager
def in_terms(terms: Terms) -> Iterator[None]:
    """Speak in these terms until the block ends."""
    before = _TERMS.set(terms)
    try:
        yield
    finally:
        _TERMS.reset(before)


def speak(terms: Terms) -> None:
    """Speak in these terms from here on, in this context (`contextvars`)."""
    _TERMS.set(terms)


def large_unit() -> float:
    """How much of the currency the large unit is, in the terms spoken in."""
    return _TERMS.get().large


def catalogue(language: str) -> dict[str, str]:
    """All messages of one language, in the terms spoken in.

    Parameters
    ----------
    language : str
        ``zh`` or ``en``.

    Returns
    -------
    dict of str to str
        ``{"map.title": "...", ...}``, ordered by file and then as written.

    Raises
    ------
    ValueError
        For a language that has no catalogue.
    """
    if language not in LANGUAGES:
        raise ValueError(f"language {language!r} is not one of {', '.join(LANGUAGES)}")
    return _in_terms(language, _TERMS.get())


@cache
def _in_terms(language: str, terms: Terms) -> dict[str, str]:
    """The catalogue with the names of the money filled in and the county's own names over its words."""
    own = {key: text for spoken, key, text in terms.words if spoken == language}
    money = {f"{{{key}}}": own.pop(key) for key in ("currency", "large")}
    found = {**_read(language), **own}
    for field, text in money.items():
        found = {key: told.replace(field, text) for key, told in found.items()}
    return found


@cache
def _read(language: str) -> dict[str, str]:
    folder = files(__package__) / language
    found: dict[str, str] = {}
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml"):
            entries = tomllib.loads(file.read_text(encoding="utf-8"))
            found.update({f"{file.name[:-5]}.{name}": text for name, text in entries.items()})
    return found


def learn(language: str, words: Mapping[str, str]) -> None:
    """Words that a part of the program brings itself; those of the catalogue stay as they are.

    Parameters
    ----------
    language : str
    words : dict of str to str
        By key.
    """
    known = _read(language)
    if words.keys() - known.keys():
        for key, text in words.items():
            known.setdefault(key, text)
        _in_terms.cache_clear()


def say(key: str, language: str = "en", **fields: object) -> str:
    """One message with its fields filled in.

    Parameters
    ----------
    key : str
        ``<file>.<name>``, for example ``tables.missing_column``.
    language : str
        ``zh`` or ``en``.
    **fields : object
        Values for the names in braces.

    Returns
    -------
    str

    Raises
    ------
    KeyError
        For an unknown key or a field that the message asks for and was not given.
    """
    return catalogue(language)[key].format(**fields)
