"""An OSM file as osmium is to read it: its kind by its first bytes, and what the file itself says of objects that are gone."""

from __future__ import annotations

import bz2
import gzip
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import osmium

XML, GZIP, BZIP2, PBF = "osm", "osm.gz", "osm.bz2", "osm.pbf"
MOST_UNPACKED = 50_000_000_000
"""A larger text is no extract of one province."""
DELETED = re.compile(rb"<(node|way)\b([^>]*\baction\s*=\s*['\"]delete['\"][^>]*)>")
OWN_ID = re.compile(rb"\bid\s*=\s*['\"](-?[0-9]+)['\"]")
MOST_TAG = 1 << 16


def packing_of(path: Path) -> str | None:
    """How an OSM file is packed, by its first bytes whatever its name says; None for what is no such file."""
    with path.open("rb") as file:
        head = file.read(64)
    if head[:2] == b"\x1f\x8b":
        return GZIP
    if head[:3] == b"BZh":
        return BZIP2
    if b"OSMHeader" in head:
        return PBF
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    return XML if text[:1] == b"<" or head[:2] in (b"\xff\xfe", b"\xfe\xff") else None


def as_osmium(path: Path, kind: str) -> Any:
    """The file under its true kind."""
    return osmium.io.File(str(path), kind)


def unpacked(path: Path, folder: Path) -> Path:
    """A bzip2 file of several parts, as parallel packers write them, as plain text: osmium may stop after the first.

    Raises
    ------
    OSError, EOFError, ValueError
        It is damaged, or larger than any extract.
    """
    target, size = folder / "unpacked.osm", 0
    with bz2.open(path) as source, target.open("wb") as out:
        while chunk := source.read(1 << 22):
            size += len(chunk)
            if size > MOST_UNPACKED:
                raise ValueError(f"more than {MOST_UNPACKED // 1_000_000_000} GB unpacked")
            out.write(chunk)
    return target


def deleted_in_editor(path: Path, kind: str) -> dict[str, set[int]]:
    """Ids of nodes and ways that an editor marked with ``action='delete'`` and has not uploaded yet."""
    gone: dict[str, set[int]] = {"node": set(), "way": set()}
    openers: dict[str, Callable[[Path, str], Any]] = {GZIP: gzip.open, BZIP2: bz2.open, XML: open}
    if kind not in openers:
        return gone
    try:
        with openers[kind](path, "rb") as file:
            rest = b""
            while chunk := file.read(1 << 20):
                text = rest + chunk
                last = max(text.rfind(b"<"), 0)
                rest = text[last:][-MOST_TAG:]
                for name, attributes in DELETED.findall(text[:last] if len(chunk) == 1 << 20 else text):
                    number = OWN_ID.search(attributes)
                    if number:
                        gone[name.decode()].add(int(number[1]))
    except (OSError, EOFError, zlib.error):
        pass  # the reader says what is wrong with the file
    return gone
