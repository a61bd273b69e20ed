"""Schools and villages written by name where a table wants an id: found in the tables of places, the doubt shown.

An id is taken as it stands. Otherwise a name that one place bears is its id; a name that is only like one is taken for it
with a warning; a name that several bear, or that is like several, is refused with the candidates.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from geodata.bureau.mapping import NAMED
from geodata.bureau.matching import alike, core, known_name
from geodata.contract.cells import EMPTY, bare, id_text, plain
from geodata.contract.columns import Table
from geodata.contract.findings import Finding
from geodata.contract.placenames import HAN
from geodata.contract.validation.headers import Raw, rename

KEYS = {"schools": "school_id", "villages": "village_id"}
LIKENESS = 0.75
"""How much alike a name must be to be taken for another, with a warning; as in a plan's workbook."""
SHOWN = 5


@dataclass(frozen=True)
class _Places:
    """Ids of a table of places, and who bears which name, in either kind of letters."""

    ids: frozenset[str]
    borne: dict[str, list[str]]
    about: dict[str, str]

    def named(self, text: str) -> str:
        """A name without the id behind it: ``甲镇小学 [A1]`` has its id in brackets."""
        return text[text.rindex("[") + 1 : -1].strip() if text.endswith("]") and "[" in text else text


def _places(table: Table, raw: Raw) -> _Places | None:
    """The places that a table defines; None where its ids or names cannot be read."""
    frame = rename(table, raw)[0]
    key = KEYS[table.name]
    if key not in frame or "name" not in frame:
        return None
    ids = [id_text(t) for t in frame[key].fillna("")]
    borne: dict[str, list[str]] = {}
    for column in ("name", "name_en"):
        for i, name in zip(ids, frame.get(column, pd.Series("", frame.index)).fillna(""), strict=True):
            if i and plain(name) and i not in borne.setdefault(plain(name), []):
                borne[plain(name)].append(i)
    towns = frame.get("township", pd.Series("", frame.index)).fillna("")
    about = {i: f"{i} ({plain(t)})" if plain(t) else i for i, t in zip(ids, towns, strict=True)}
    return _Places(frozenset(ids), {n: i for n, i in borne.items() if i}, about)


def ids_for_names(
    raws: Mapping[str, Raw], contracts: Mapping[str, Table], county: str, settled: Collection[str] = ()
) -> tuple[dict[str, Raw], list[Finding]]:
    """Tables whose cells name places by id.

    Parameters
    ----------
    raws : dict of str to Raw
        As they were found.
    contracts : dict of str to Table
    county : str
        Its name is left out in front of a place's.
    settled : collection of str
        Tables that a mapping has read, and so has ids already.

    Returns
    -------
    dict of str to Raw
        The same, names replaced where it is certain enough which place is meant.
    list of Finding
        A note for each column that had names, a warning for each name that is only like one, an error for one that several
        places bear.
    """
    known = {t: _places(contracts[t], raws[t]) for t in KEYS if t in raws}
    done, found = dict(raws), []
    for table, raw in raws.items():
        if table in settled:
            continue
        for position, header, column in _columns(contracts[table], raw):
            target = NAMED[column]
            places = known.get(target)
            if places is None or (target == table and column == KEYS[target]):
                continue
            raw, said = _replaced(raw, table, position, header, places, county)
            found += said
        done[table] = raw
    return done, found


def _columns(table: Table, raw: Raw) -> list[tuple[int, str, str]]:
    """Columns that hold ids of places: position, heading, name in the contract."""
    written = rename(table, raw)[1]
    heads = list(raw.frame.columns)
    return [(heads.index(h), h, name) for name, h in written.items() if name in NAMED]


def _replaced(
    raw: Raw, table: str, position: int, header: str, places: _Places, county: str
) -> tuple[Raw, list[Finding]]:
    """One column with ids for names."""
    cells = raw.frame.iloc[:, position].fillna("").astype(str)
    decided: dict[str, str] = {}
    found: list[Finding] = []
    exact: list[str] = []
    for text in cells.unique():
        written = plain(text)
        if id_text(text) in places.ids or written.lower() in EMPTY or not written:
            continue
        key, words, fields = _meant(written, places, county)
        if key:
            decided[text] = key
        if not words:
            if key:
                exact.append(text)
            continue
        rows = [int(i) + raw.first_row for i in cells.index[cells == text]]
        if key:
            place = (raw.file, table, rows[0], header, bare(text))
            found.append(Finding("warning", words, {**fields, "count": len(rows)}, *place))
        else:
            found += [Finding("error", words, fields, raw.file, table, r, header, bare(text)) for r in rows]
            decided[text] = ""  # said; the check of ids need not say it again
    if exact:
        count = int(cells.isin(exact).sum())
        first = int(cells.index[cells.isin(exact)][0]) + raw.first_row
        found.append(
            Finding("note", "tables.named", {"count": count}, raw.file, table, first, header, exact[0])
        )
    if not decided:
        return raw, found
    frame = raw.frame.copy()
    frame.isetitem(position, cells.map(lambda t: decided.get(t, t)))
    return replace(raw, frame=frame), found


def _meant(written: str, places: _Places, county: str) -> tuple[str, str, dict[str, object]]:
    """The id meant, with the doubt: key of a message, its fields. Neither where it is no name at all."""
    inner = places.named(written)
    if inner != written and inner in places.ids:
        return inner, "", {}
    same = places.borne.get(written, [])
    if len(same) == 1:
        return same[0], "", {}
    if len(same) > 1:
        listed = ", ".join(places.about[i] for i in same)
        return "", "tables.name_twice", {"count": len(same), "choices": listed}
    if not HAN.search(written):
        return "", "", {}  # an id that is not there, which is said where ids are compared
    key, doubt = known_name(written, places.borne, {}, county, LIKENESS)
    if doubt is None:
        return "", "", {}
    if doubt.severity == "warning":
        return key, "tables.name_taken", {"name": doubt.fields["name"], "id": key}
    near = sorted(places.borne, key=lambda n: (-alike(written, n, county), core(n, county)))[:SHOWN]
    listed = ", ".join(f"{n} [{i}]" for n in near for i in places.borne[n] if alike(written, n, county) > 0.4)
    return ("", "tables.name_alike", {"choices": listed}) if listed else ("", "", {})
