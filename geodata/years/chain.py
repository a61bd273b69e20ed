"""Entries that are sealed one to the other: what is changed, removed or reordered is found and named.

    seal(n) = SHA-256 of (number, year, kind, county, content, payload, seal(n - 1))

A ledger also keeps the number and the seal of its last entry, so that entries cut off its end are missed. Whoever rewrites a
whole ledger with all its seals is only found out by a seal that stands elsewhere: on last year's report.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from geodata.contract.findings import Finding

Kind = Literal["tables", "plan"]
KINDS: tuple[Kind, ...] = ("tables", "plan")


@dataclass(frozen=True)
class YearEntry:
    """One entry.

    Parameters
    ----------
    number : int
        From 1.
    year : int
    kind : str
        ``tables``: a county as its tables stood, with its audit; ``plan``: a plan made for them.
    county : str
    content : str
        Hash of the county's tables, or the plan's id.
    payload : str
        JSON.
    previous, seal : str
        Of the entry before (empty for the first), and its own.
    """

    number: int
    year: int
    kind: str
    county: str
    content: str
    payload: str = field(repr=False)
    previous: str = ""
    seal: str = ""


ENTRY_COLUMNS = ("number", "year", "kind", "county", "content", "payload", "previous", "seal")


@dataclass(frozen=True)
class Chain:
    """A ledger as it was read.

    Parameters
    ----------
    label : str
        Where it is, for messages.
    entries : tuple of YearEntry
        In the order of their numbers.
    count : int
        Number of the last entry, as the ledger keeps it apart.
    head : str
        Its seal, likewise.
    """

    label: str
    entries: tuple[YearEntry, ...] = ()
    count: int = 0
    head: str = ""


NextEntries = Callable[[Chain], list[YearEntry]]
"""Says, with the ledger locked and read, which entries come next; their number and seals are not looked at."""


def canonical_json(content: Any) -> str:
    """JSON in one form: the same content, the same text."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def seal_of(entry: YearEntry) -> str:
    """The seal that an entry must bear."""
    parts = [entry.number, entry.year, entry.kind, entry.county, entry.content, entry.payload, entry.previous]
    return hashlib.sha256(canonical_json(parts).encode()).hexdigest()


def chained(chain: Chain, wanted: list[YearEntry]) -> list[YearEntry]:
    """The entries numbered and sealed to the end of a ledger."""
    number, seal, done = chain.count, chain.head, []
    for one in wanted:
        number += 1
        bare = replace(one, number=number, previous=seal)
        seal = seal_of(bare)
        done.append(replace(bare, seal=seal))
    return done


def chain_findings(chain: Chain, known: str = "") -> list[Finding]:
    """What is wrong with a ledger, entry by entry; nothing where it is whole.

    Parameters
    ----------
    chain : Chain
    known : str
        A seal, or its first eight digits or more, that an earlier report names: the ledger must still have it.

    Returns
    -------
    list of Finding
        Errors.
    """
    found = [*_missing(chain), *_changed(chain), *_unlinked(chain)]
    last = chain.entries[-1] if chain.entries else YearEntry(0, 0, "", "", "", "")
    if (last.number, last.seal) != (chain.count, chain.head) and not any(
        f.key == "supervision.missing" for f in found
    ):
        found.append(_error(chain, "head", number=last.number, count=chain.count))
    if known and not any(e.seal.startswith(known.lower()) for e in chain.entries):
        found.append(_error(chain, "unknown_seal", seal=known))
    return found


def _error(chain: Chain, key: str, **fields: object) -> Finding:
    return Finding("error", f"supervision.{key}", fields, file=chain.label)


def _about(entry: YearEntry) -> dict[str, object]:
    return {"number": entry.number, "year": str(entry.year), "what": entry.content[:8]}


def _missing(chain: Chain) -> list[Finding]:
    have = [e.number for e in chain.entries]
    most = max([chain.count, *have], default=0)
    lost = sorted(set(range(1, most + 1)) - set(have))
    twice = sorted({n for n in have if have.count(n) > 1})
    return [
        *(_error(chain, "missing", number=n) for n in lost),
        *(_error(chain, "twice", number=n) for n in twice),
    ]


def _changed(chain: Chain) -> list[Finding]:
    """Entries whose own seal does not fit: with another number it may, then they were reordered."""
    found = []
    for entry in chain.entries:
        if seal_of(entry) == entry.seal:
            continue
        was = next(
            (n for n in range(1, len(chain.entries) + 1) if seal_of(replace(entry, number=n)) == entry.seal),
            None,
        )
        key, more = ("changed", {}) if was is None else ("reordered", {"was": was})
        found.append(_error(chain, key, **_about(entry), **more))
    return found


def _unlinked(chain: Chain) -> list[Finding]:
    """Entries that are sealed to another one than stands before them: that one was replaced."""
    found = []
    before: YearEntry | None = None
    for entry in chain.entries:
        follows = entry.number == (before.number if before else 0) + 1
        sound = seal_of(entry) == entry.seal and (before is None or seal_of(before) == before.seal)
        if follows and sound and entry.previous != (before.seal if before else ""):
            found.append(_error(chain, "unlinked", **_about(entry), before=entry.number - 1))
        before = entry
    return found
