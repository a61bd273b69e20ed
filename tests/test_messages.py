"""The catalogue of words: same keys and fields in both languages, nothing missing, nothing unused."""

from __future__ import annotations

import re
import string
from functools import cache
from pathlib import Path

import pytest

from geodata.messages import LANGUAGES, catalogue, say
from models.plan.decisions import PLAN_COLUMNS

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("geodata", "models", "optimizer", "maps")
FILE_ENDINGS = {
    "pdf",
    "osm",
    "html",
    "css",
    "js",
    "json",
    "xlsx",
    "csv",
    "docx",
    "toml",
    "graphml",
    "geojson",
    "gpkg",
    "py",
    "svg",
}
ROOMS = sorted({key.split(".")[0] for key in catalogue("en")})


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@cache
def source() -> str:
    """Code and data of the packages, the words themselves left out."""
    kinds = {".py", ".js", ".html", ".toml", ".csv"}
    files = sorted(p for package in PACKAGES for p in (ROOT / package).rglob("*") if p.suffix in kinds)
    return "\n".join(p.read_text(encoding="utf-8") for p in files if p.parent.parent.name != "messages")


@cache
def literals() -> frozenset[str]:
    """Every piece of quoted text, also the words within it."""
    quoted = re.findall(r"\"([^\"\n]*)\"|'([^'\n]*)'|`([^`\n]*)`", source())
    whole = {part for group in quoted for part in group if part}
    return frozenset(whole | {word for one in whole for word in re.findall(r"[\w/]+", one)})


@cache
def prefixes() -> frozenset[str]:
    """What stands before a part filled in at run time: f"far_snap_{mode}", "legend_minutes_" + i."""
    filled = re.findall(r"[\"'`.]([a-z_0-9]*_)\{", source())
    added = re.findall(r"[\"'`.]([a-z_0-9]*_)[\"'`]", source())
    return frozenset(filled + added)


@cache
def named() -> frozenset[str]:
    """Names of columns, keyword arguments and bare keys, which also choose messages."""
    return frozenset(re.findall(r"\b[A-Za-z]\w*(?=\s*[:=,])|\b\d\b", source()))


def in_two(text: str, known: frozenset[str]) -> bool:
    """Whether a text is two known parts, as in f"word_{column}_{choice}"."""
    return any(text[:i] in known and text[i + 1 :] in known for i, letter in enumerate(text) if letter == "_")


def used(key: str) -> bool:
    """Named in full, by its name in a room, or put together from a prefix and a part that the code knows."""
    name = key.split(".", 1)[1].removesuffix("_about")
    known = literals() | named()
    if key in literals() or name in literals():
        return True
    cuts = [i for i, letter in enumerate(name) if letter == "_"]
    for i in cuts:
        head, rest = name[:i], name[i + 1 :]
        if (name[: i + 1] in prefixes() or head in literals()) and (rest in known or in_two(rest, known)):
            return True
    ends = re.findall(r"\.\{\w+\}(_\w+)\"", source())  # f"roads.{kind}_unreachable"
    return any(name.endswith(end) and name.removesuffix(end) in literals() for end in ends)


def test_both_languages_have_the_same_keys_in_the_same_order():
    assert list(catalogue("zh")) == list(catalogue("en"))
    assert len(catalogue("en")) > 500


def test_both_languages_ask_for_the_same_fields():
    zh, en = catalogue("zh"), catalogue("en")
    assert {k: (fields(zh[k]), fields(en[k])) for k in en if fields(zh[k]) != fields(en[k])} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_message_is_empty_and_fields_are_plain_names(language):
    for key, text in catalogue(language).items():
        assert text.strip() or ".unit_" in key, key  # counted things may have no unit
        assert all(name.isidentifier() for name in fields(text)), key


def test_chinese_messages_are_chinese_and_english_ones_are_not():
    han = re.compile(r"[\u4e00-\u9fff]")
    english = {k: t for k, t in catalogue("en").items() if han.search(t)}
    # two words of the input itself, and the link to the other language, stand in Chinese on purpose
    assert {k for k in english if not re.search(r"万元|是|否|中文|[（(“'‘]", english[k])} == set()
    same = {
        k
        for k, t in catalogue("zh").items()
        if t == catalogue("en")[k] and re.search(r"[A-Za-z]{4,} [a-z]{3,}", t)
    }
    assert same == set()


def test_every_key_named_in_the_code_exists():
    rooms = "|".join(ROOMS)
    found = set(re.findall(rf"[\"'`]((?:{rooms})\.[a-z0-9_]+)[\"'`]", source()))
    keys = {k for k in found if k.split(".")[1] not in FILE_ENDINGS and not k.endswith("_")}
    keys -= {f"plan.{view}" for view in PLAN_COLUMNS}  # views of a plan, named in docstrings
    assert len(keys) > 80
    assert sorted(keys - set(catalogue("en"))) == []


def test_every_prefix_filled_in_the_code_has_keys():
    rooms = "|".join(ROOMS)
    for room, prefix in re.findall(rf"f[\"']({rooms})\.([a-z0-9_]+_)\{{", source()):
        assert any(k.startswith(f"{room}.{prefix}") for k in catalogue("en")), f"{room}.{prefix}"


def test_no_message_is_unused():
    assert [key for key in catalogue("en") if not used(key)] == []


def test_unused_messages_would_be_noticed():
    assert not used("tables.zebra_crossing")
    assert not used("map.legend_zebra")


def test_say_refuses_unknown_keys_languages_and_missing_fields():
    with pytest.raises(KeyError):
        say("tables.zebra_crossing")
    with pytest.raises(KeyError):
        say("tables.no_cost", "zh")
    with pytest.raises(ValueError, match="fr"):
        say("cli.yes", "fr")
    assert (
        say("tables.no_cost", "en", item="{braces} stay")
        == "the item '{braces} stay' is missing. Add its unit cost."
    )
