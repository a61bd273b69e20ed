"""Chinese names of places in Latin letters: pinyin for what is a name, English for what is a kind of place."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from geodata.messages import say

HAN = re.compile(r"[\u3400-\u9fff]")
WORDS = re.compile(r"[A-Za-z0-9]+")
BESIDE = re.compile(r"(?<=[\u3400-\u9fff])(?=[A-Za-z0-9])|(?<=[A-Za-z0-9])(?=[\u3400-\u9fff])")
"""Letters and numbers beside Chinese ones are words of their own."""
BRACKETS = re.compile(r"(.*[^\s(（])\s*[(（]([^()（）]+)[)）]")
ENDS = 16
"""Kinds of places that the messages name, the longest word first where one ends in another."""


@cache
def latin_name(name: str) -> str:
    """A name for English pages: "云岭中心小学" is "Yunling Central Primary School".

    Parameters
    ----------
    name : str
        What the tables say; a name without Chinese letters stays as it is.

    Returns
    -------
    str
    """
    if not HAN.search(name):
        return name
    outer, inner = _bracketed(name)
    if inner:
        return f"{latin_name(outer)} ({say('places.private', 'en') if inner == say('places.private', 'zh') else latin_name(inner)})"
    for k in range(ENDS):
        end = say(f"places.end_{k}", "zh")
        if name.endswith(end) and len(name) > len(end):
            return f"{_inner(name[: -len(end)])} {say(f'places.end_{k}', 'en')}"
    return _spelt(name)


def _bracketed(name: str) -> tuple[str, str]:
    """A name and what stands in brackets behind it: "育才学校（民办）"."""
    found = BRACKETS.fullmatch(name)
    return (found[1].strip(), found[2].strip()) if found else (name, "")


def _inner(name: str) -> str:
    """The name before a kind of place, which may itself begin with the place that it lies in: "河口镇|中心"."""
    for k in range(ENDS):
        end = say(f"places.end_{k}", "zh")
        at = name.find(end)
        if at > 0:
            return (
                f"{_spelt(name[:at])} {say(f'places.end_{k}', 'en')} {_spelt(name[at + len(end) :])}".strip()
            )
    return _spelt(name)


def _spelt(name: str) -> str:
    """Syllables in one word with a capital."""
    order, numerals = (say(f"places.{key}", "zh") for key in ("order", "numerals"))
    if len(name) == 2 and name[0] == order and name[1] in numerals:
        return say("places.order", "en") + str(numerals.index(name[1]) + 1)
    text = "".join(_syllables(BESIDE.sub(" ", name))).strip()
    return text[:1].upper() + text[1:]


def _syllables(name: str) -> list[str]:
    from pypinyin import lazy_pinyin  # half a second of dictionaries, which most verbs never open

    return list(lazy_pinyin(name))


@cache
def search_keys(name: str) -> str:
    """What a name is found by besides itself: its pinyin in one word, and the first letters of the syllables.

    Parameters
    ----------
    name : str

    Returns
    -------
    str
        Such as "yunlingzhongxinxiaoxue ylzxxx"; nothing for a name without Chinese letters.
    """
    if not HAN.search(name):
        return ""
    syllables = [s.lower() for part in _syllables(name) for s in WORDS.findall(part)]
    return f"{''.join(syllables)} {''.join(s[0] for s in syllables)}"


def shown_name(name: str, language: str) -> str:
    """A name as a drawing in a language shows it."""
    return latin_name(name) if language == "en" else name


def given_latin(row: Any) -> str:
    """A place's name in Latin letters: that of its table (``name_en``) where it gives one, else made of the Chinese.

    Parameters
    ----------
    row : named tuple
        Of `schools` or `villages`, as ``itertuples`` gives it.

    Returns
    -------
    str
    """
    given = getattr(row, "name_en", "")
    return given if isinstance(given, str) and given else latin_name(str(row.name))


def both_names(name: str, given: str = "") -> str:
    """A name for English pages that can be found in the tables, too: "Yunling Central Primary School 云岭中心小学".

    Parameters
    ----------
    name : str
        What the tables say; a name without Chinese letters stays as it is.
    given : str
        Its name in Latin letters where the tables give one.

    Returns
    -------
    str
    """
    latin = given or latin_name(name)
    return name if latin == name or not name else f"{latin} {name}"
