"""The cache folder: what is read from it was sealed by this user, what is removed from it was put there.

An entry is a folder ``<kind>-<hash>`` with Parquet tables and a manifest that holds the hashes of
everything in it, sealed with a key that only this user's machine has: a flipped byte, a forged manifest
and a cache that came along with somebody else's county are all not believed. The folder carries a mark,
and nothing without this user's seal is ever removed. A failure of the cache costs time, never a result.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import os
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from geodata.contract.containment import inside, resolved
from geodata.contract.findings import Finding
from geodata.roads.cache import Entry, plain_json
from geodata.roads.ownership import OWNER, alive, owner_seal, regular, user_folder

KEPT = 24
"""Entries kept of a kind; older ones are removed when one is added."""
MARK, MANIFEST = "junheng-cache", "manifest.json"
MARKED = "Made by junheng; holds nothing that cannot be computed again. It may be deleted at any time.\n"
ENTRY = re.compile(r"[a-z]+-[0-9a-f]{40}")
ASIDE = re.compile(r"new-([0-9]+)-[0-9a-f]{8}")
OURS = re.compile(rf"{re.escape(MANIFEST)}|{OWNER}|[a-z_]+\.parquet")


@dataclass(frozen=True)
class Cache:
    """A cache folder; it appears with the first entry.

    Parameters
    ----------
    folder : Path
    spoiled : list of str
        Entries that were asked for, are there and could not be believed, by their kind.
    lost : list of str
        Entries that could not be kept, by their kind.
    """

    folder: Path
    spoiled: list[str] = field(default_factory=list, compare=False)
    lost: list[str] = field(default_factory=list, compare=False)

    def get(self, kind: str, key: str) -> Entry | None:
        """The entry of that hash, or None where there is none or it is not this user's, whole and unchanged."""
        try:
            place = self._place(kind, key)
            if not self._marked() or not os.path.lexists(place):
                return None
            told = None if place.is_symlink() else self._manifest(place, key)
            if told is not None:
                tables = {
                    name: _table(place / f"{name}.parquet", digest) for name, digest in told["tables"].items()
                }
                return Entry(tables, told["notes"])
        except Exception:  # whatever it is, the work is done again
            pass
        self.spoiled.append(kind)
        return None

    def put(self, kind: str, key: str, entry: Entry) -> bool:
        """Keep an entry; False where the folder is not ours or cannot be written, or the entry not kept."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if not self._marked() and not self._mark():
                self.lost.append(kind)
                return False
            self._sweep()
            aside = self.folder / f"new-{os.getpid()}-{secrets.token_hex(4)}"
            aside.mkdir()
            (aside / OWNER).write_text(owner_seal(aside.name), encoding="ascii")
            names = _write(aside, key, entry)
            _move(aside, self._place(kind, key), names)
            self._forget(kind)
        except (
            Exception
        ):  # TypeError: a user's graph with attributes that JSON does not know; a full disk ...
            self.lost.append(kind)
            return False
        return True

    def said(self) -> list[Finding]:
        """What went wrong with it, as notes."""
        keys = {"roads.cache_damaged": self.spoiled, "roads.cache_unwritable": self.lost}
        return [Finding("note", key, {"folder": self.folder.name}) for key, kinds in keys.items() if kinds]

    def _place(self, kind: str, key: str) -> Path:
        """Every user has places of his own, so that no one meets another's entries."""
        return self.folder / f"{kind}-{owner_seal(f'{kind} {key}')[:40]}"

    def _marked(self) -> bool:
        mark = self.folder / MARK
        return not self.folder.is_symlink() and regular(mark) and MARKED.startswith(mark.read_text("utf-8"))

    def _mark(self) -> bool:
        """Make an empty folder ours; one that holds anything is somebody's."""
        if self.folder.is_symlink() or any(self.folder.iterdir()):
            return False
        (self.folder / MARK).write_text(MARKED, encoding="utf-8")
        return True

    def _manifest(self, place: Path, key: str) -> dict[str, Any] | None:
        """An entry's manifest if this user sealed it for that key."""
        file = place / MANIFEST
        if not regular(file):
            return None
        outer = json.loads(file.read_text(encoding="utf-8"))
        body = str(outer["body"])
        if not hmac.compare_digest(owner_seal(body), str(outer["seal"])):
            return None
        told: dict[str, Any] = json.loads(body)
        return told if not key or told["key"] == key else None

    def _own(self, place: Path) -> bool:
        """Whether an entry is of our form to its last file, and sealed by this user."""
        try:
            if not ENTRY.fullmatch(place.name) or not _only_ours(place):
                return False
            told = self._manifest(place, "")
            return told is not None and place == self._place(place.name.split("-")[0], told["key"])
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def _forget(self, kind: str) -> None:
        own = [p for p in self.folder.glob(f"{kind}-*") if self._own(p)]
        for place in sorted(own, key=lambda p: (p.stat().st_mtime_ns, p))[:-KEPT]:
            _remove(place)

    def _sweep(self) -> None:
        """Remove what runs that were killed have left."""
        for place in self.folder.glob("new-*"):
            name = ASIDE.fullmatch(place.name)
            if name is not None and _only_ours(place) and not alive(int(name[1])) and self._left(place):
                _remove(place)

    def _left(self, place: Path) -> bool:
        """Whether an entry that is not in its place is this user's: killed at its first or last step it has no whole owner's seal."""
        owner, seal = place / OWNER, owner_seal(place.name)
        if not regular(owner):
            return not any(place.iterdir()) or self._manifest(place, "") is not None
        told = owner.read_text(encoding="ascii")
        return told == seal or (seal.startswith(told) and len(list(place.iterdir())) == 1)


def _only_ours(place: Path) -> bool:
    return place.is_dir() and not place.is_symlink() and all(
        regular(p) and OURS.fullmatch(p.name) for p in place.iterdir()
    )  # fmt: skip


def _table(file: Path, digest: str) -> pd.DataFrame:
    """A table from the very bytes that its hash was taken of."""
    content = file.read_bytes() if regular(file) else b""
    if hashlib.sha256(content).hexdigest() != digest:
        raise ValueError("another content")
    return pd.read_parquet(io.BytesIO(content))


def _write(place: Path, key: str, entry: Entry) -> list[str]:
    """An entry's files, the manifest last; returns their names in that order."""
    hashes = {}
    for name, table in entry.tables.items():
        content = io.BytesIO()
        table.to_parquet(content, index=False)
        (place / f"{name}.parquet").write_bytes(content.getvalue())
        hashes[name] = hashlib.sha256(content.getvalue()).hexdigest()
    told = {"key": key, "tables": hashes, "notes": entry.notes}
    body = json.dumps(told, ensure_ascii=False, default=plain_json)
    (place / MANIFEST).write_text(json.dumps({"body": body, "seal": owner_seal(body)}), encoding="utf-8")
    return [*(f"{name}.parquet" for name in hashes), MANIFEST]


def _move(aside: Path, place: Path, names: list[str]) -> None:
    """Put a finished entry in its place; a damaged one there is written over, file by file."""
    if place.exists():
        for name in names:
            (aside / name).replace(place / name)
        _remove(aside)
        return
    (aside / OWNER).unlink()
    aside.rename(place)


def _remove(place: Path) -> None:
    """Remove a folder of ours: its files by name, and itself if nothing else is in it."""
    for file in [*place.glob("*.parquet"), place / MANIFEST, place / OWNER]:
        file.unlink(missing_ok=True)
    place.rmdir()


def open_cache(home: Path | None, name: str) -> tuple[Cache | None, list[Finding]]:
    """The cache that a county's settings name, inside its folder or the user's own cache folder.

    Parameters
    ----------
    home : Path or None
        The county's folder; a county without one has no cache.
    name : str
        As in county.toml; empty for none.

    Returns
    -------
    Cache or None
    findings : list of Finding
        Why the named folder is not used.
    """
    if home is None or not name:
        return None, []
    place = resolved(home, name)
    if place is None or not (inside(home, place) or inside(user_folder(), place)):
        return None, [
            Finding(
                "warning", "roads.cache_outside", file="county.toml", column="travel.cache", value=name[:80]
            )
        ]
    return Cache(place), []
