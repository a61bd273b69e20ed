"""Every word a user sees, in Chinese and English, from one catalogue.

The catalogue is a folder per language of small TOML files, one per room (``tables.toml``,
``map.toml``, ``workbook.toml`` ...). A key is ``<file>.<name>``; fields in braces are filled by
`say`. A test keeps the two languages' keys and fields the same.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

LANGUAGES = ("zh", "en")


@cache
def catalogue(language: str) -> dict[str, str]:
    """All messages of one language.

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
    known = catalogue(language)
    for key, text in words.items():
        known.setdefault(key, text)


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
