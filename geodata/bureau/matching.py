"""Ids that lost digits and schools written under another name: found again, with the doubt shown.

Nothing is matched in silence. An id is restored only where exactly one known id can be meant; a name
is taken for another only above a threshold, clear of the runner-up and without a contradicting mark
(第一 and 第二, 东 and 西, 小学 and 初中), and every such match is a warning until a person settles it
in the mapping.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import pandas as pd

from geodata.contract.cells import plain
from geodata.contract.findings import Severity

CLEAR_OF_NEXT = 0.1
"""How much more alike the best name must be than the second best."""
_EXPONENT = re.compile(r"^(\d)(?:\.(\d+))?[eE]\+?(\d{1,2})$")
_FRACTION = re.compile(r"^(\d+)\.0+$")
_NUMERALS = re.compile(r"[0-9一二三四五六七八九十百]+")
_SIDES = re.compile(r"[东西南北上下前后新老]")
_SAME_WORDS = (
    ("九年一贯制学校", "学校"), ("完全小学", "小学"), ("完小", "小学"), ("教学点", "小学"), ("中心校", "中心小学"),
    ("初级中学", "初中"), ("中学校", "中学"),
)  # fmt: skip
_LEVELS = ("幼儿园", "小学", "初中", "高中", "中学")


@dataclass(frozen=True)
class Doubt:
    """What was decided about one value of an id column.

    Parameters
    ----------
    severity, key : str
        Of the finding it becomes.
    fields : dict
    value : str
        As written.
    """

    severity: Severity
    key: str
    fields: dict[str, object]
    value: str


Resolved = tuple[str, Doubt | None]


def expanded(text: str) -> tuple[str, int | None]:
    """An id without the traces of a number format: 3418000001.0, 3.418000001E+09.

    Returns
    -------
    text : str
    kept : int or None
        How many leading digits are certain where the display form lost the others (3.42E+09: 3).
    """
    text = plain(text)
    whole = _FRACTION.match(text)
    if whole:
        return whole.group(1), None
    short = _EXPONENT.match(text)
    if not short:
        return text, None
    lead, rest, power = short.group(1), short.group(2) or "", int(short.group(3))
    digits = str(int(Decimal(f"{lead}.{rest or '0'}").scaleb(power)))
    certain = 1 + len(rest)
    return digits, certain if certain < power + 1 else None


def own_id(text: str, digits: int | None) -> Resolved:
    """An id where it is defined: only what the mapping states about its length can restore it."""
    value, certain = expanded(text)
    if certain is not None:
        return value, Doubt("error", "bureau.id_lost", {}, text)
    full = value.zfill(digits) if digits is not None and value.isdigit() else value
    if full == plain(text):
        return full, None
    return full, Doubt("note", "bureau.id_restored", {"id": full}, text)


def known_id(text: str, known: list[str]) -> Resolved:
    """An id that another table defines.

    Parameters
    ----------
    text : str
        As written.
    known : list of str
        Ids that exist.

    Returns
    -------
    str, Doubt or None
        The id meant, if exactly one can be; an unknown one is left for the check of ids.
    """
    value, certain = expanded(text)
    if value in known and certain is None:
        return value, None if value == plain(text) else Doubt(
            "note", "bureau.id_restored", {"id": value}, text
        )
    if not value.isdigit():
        return plain(text), None
    if certain is None:
        meant = [k for k in known if k.isdigit() and k.lstrip("0") == value.lstrip("0")]
    else:
        meant = [k for k in known if rounds_to(k, text)]
    if len(meant) == 1:
        severity: Severity = "note" if certain is None else "warning"
        key = "bureau.id_restored" if certain is None else "bureau.id_guessed"
        return meant[0], Doubt(severity, key, {"id": meant[0]}, text)
    if meant:
        fields: dict[str, object] = {"count": len(meant), "known": ", ".join(meant[:5])}
        return value, Doubt("error", "bureau.id_ambiguous", fields, text)
    return value, None


def rounds_to(known: str, shown: str) -> bool:
    """Whether a spreadsheet would show this id in that short form."""
    if not known.isdigit() or not known.lstrip("0"):
        return False
    short = _EXPONENT.match(plain(shown))
    places = len(short.group(2) or "") if short else 0
    lead, _, power = f"{Decimal(known):.{places}E}".partition("E")
    return bool(short) and Decimal(plain(shown)) == Decimal(f"{lead}E{power}")


def core(name: str, county: str) -> str:
    """A name without the county's own name, blanks, brackets and spellings that mean the same."""
    text = re.sub(r"[\s·()（）\-—]", "", plain(name))
    for prefix in (county, county.rstrip("县市区旗")):
        if prefix and text.startswith(prefix) and len(text) > len(prefix) + 2:
            text = text.removeprefix(prefix)
            break
    text = re.sub(r"^[县市区](?=.{3,})", "", text)
    for written, meant in _SAME_WORDS:
        text = text.replace(written, meant)
    return text


def _level(text: str) -> str:
    for level in _LEVELS:
        if level in text:
            return "初中" if level == "中学" else level
    return ""


def _stem(text: str) -> str:
    """The part that tells schools apart: 大坝小学 and 大岭小学 share half their letters for nothing."""
    bare = text
    for word in (*_LEVELS, "学校"):
        bare = bare.replace(word, "")
    return bare or text


def _contradict(a: str, b: str) -> bool:
    """Marks that tell two schools apart however alike their names are."""
    if _NUMERALS.findall(a) != _NUMERALS.findall(b):
        return True
    if sorted(_SIDES.findall(a)) != sorted(_SIDES.findall(b)):
        return True
    return bool(_level(a) and _level(b) and _level(a) != _level(b))


def alike(a: str, b: str, county: str = "") -> float:
    """How alike two names are, 0 to 1; 0 where a numeral, a side or the level contradicts."""
    one, other = core(a, county), core(b, county)
    if one == other:
        return 1.0
    if _contradict(one, other):
        return 0.0
    return difflib.SequenceMatcher(None, _stem(one), _stem(other), autojunk=False).ratio()


def known_name(
    text: str, known: dict[str, list[str]], settled: dict[str, str], county: str, likeness: float
) -> Resolved:
    """The id of a school or village given by name.

    Parameters
    ----------
    text : str
        The name as written.
    known : dict
        ``{name: ids that bear it}``.
    settled : dict
        ``{name: id}`` decided by a person in the mapping.
    county : str
        Name of the county; left out in front of a name.
    likeness : float
        Threshold.

    Returns
    -------
    str, Doubt or None
        No doubt only for the very same name borne once; else a warning with the likeness and the
        runner-up, or an error that lists the candidates.
    """
    written = plain(text)
    if not written:
        return "", None
    if written in settled:
        return settled[written], Doubt("note", "bureau.name_settled", {"id": settled[written]}, text)
    same = known.get(written, [])
    if len(same) == 1:
        return same[0], None
    if len(same) > 1:
        fields: dict[str, object] = {"known": ", ".join(same)}
        return written, Doubt("error", "bureau.name_borne_twice", fields, text)
    scores = sorted(((alike(written, n, county), n) for n in known), key=lambda s: (-s[0], s[1]))
    shown = ", ".join(f"{n} {score:.0%}" for score, n in scores[:3])
    best, name = scores[0] if scores else (0.0, "")
    second = scores[1][0] if len(scores) > 1 else 0.0
    if best < likeness:
        return written, Doubt("error", "bureau.name_unknown", {"near": shown}, text)
    if best - second < CLEAR_OF_NEXT or len(known[name]) > 1:
        return written, Doubt("error", "bureau.name_ambiguous", {"near": shown}, text)
    fields = {"name": name, "id": known[name][0], "likeness": f"{best:.0%}", "near": shown}
    return known[name][0], Doubt("warning", "bureau.name_matched", fields, text)


def resolve(
    cells: pd.Series, decide: Callable[[str], Resolved]
) -> tuple[pd.Series, list[tuple[int, int, Doubt]]]:
    """A column with each distinct value decided once.

    Returns
    -------
    cells : Series of str
    doubts : list of (position, count, Doubt)
        First position and number of rows of every value about which something must be said.
    """
    decided = {v: decide(v) for v in dict.fromkeys(cells) if plain(v)}
    doubts = []
    for value, (_, doubt) in decided.items():
        if doubt is not None:
            hit = (cells == value).to_numpy()
            doubts.append((int(hit.argmax()), int(hit.sum()), doubt))
    return cells.map(lambda v: decided[v][0] if v in decided else ""), doubts


__all__ = ["Doubt", "Resolved", "alike", "core", "known_id", "known_name", "own_id", "resolve"]
