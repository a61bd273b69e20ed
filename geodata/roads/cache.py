"""What is kept of a computation: plain tables under the hash of everything they were computed from.

A changed input has another hash, so it never meets another's result. No pickle. Where entries are kept is
in `geodata.roads.store`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import shapely

from geodata.contract.findings import Finding
from geodata.roads.extracts import KEPT_TAGS

FORM = 2
"""Raise it when what is computed from the same input changes."""
LIBRARIES = ("geopandas", "numpy", "osmium", "osmnx", "pyproj", "scipy", "shapely")


def digest(*parts: object) -> str:
    """SHA-256 over texts, numbers, arrays and tables, with the versions that results depend on.

    Raises
    ------
    TypeError
        For anything whose content is not plain.
    """
    total = hashlib.sha256(f"{FORM} {_versions()}".encode())
    for part in parts:
        for piece in _pieces(part):
            total.update(len(piece).to_bytes(8, "big"))
            total.update(piece)
    return total.hexdigest()


@cache
def _versions() -> list[str]:
    return [version(name) for name in LIBRARIES]


def _pieces(part: object) -> list[bytes]:
    if isinstance(part, bytes):
        return [part]
    if isinstance(part, str | int | float | bool | None):
        return [repr(part).encode()]
    if isinstance(part, tuple | list):
        return [b"several", str(len(part)).encode(), *(piece for p in part for piece in _pieces(p))]
    if isinstance(part, pd.DataFrame):
        return [piece for name in part.columns for piece in (str(name).encode(), *_pieces(part[name]))]
    if isinstance(part, pd.Series):
        if part.dtype.kind in "iufb":
            return _pieces(part.to_numpy())
        return [part.isna().to_numpy().tobytes(), json.dumps(part.astype(str).tolist()).encode()]
    if isinstance(part, np.ndarray) and part.dtype.kind in "iufbUS":
        return [f"{part.dtype.str}{part.shape}".encode(), np.ascontiguousarray(part).tobytes()]
    raise TypeError(f"no content hash for {type(part).__name__}")


def file_digest(path: Path | None) -> str:
    """SHA-256 of a file's bytes; empty without a file."""
    if path is None:
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def graph_digest(graph: nx.MultiDiGraph[Any]) -> str:
    """Hash of everything in a road graph that times or findings depend on."""
    places = np.array([(d["x"], d["y"]) for _, d in graph.nodes(data=True)], dtype=np.float64)
    rows = [
        (u, v, d["length"], {tag: d[tag] for tag in KEPT_TAGS if tag in d})
        for u, v, d in graph.edges(data=True)
    ]
    lines = np.array([d.get("geometry") for _, _, d in graph.edges(data=True)], dtype=object)
    drawn = b"".join(line or b"-" for line in shapely.to_wkb(lines).tolist())
    text = json.dumps([list(graph.nodes), rows, graph.graph], default=str, ensure_ascii=False)
    return digest(text, places, drawn)


@dataclass(frozen=True)
class Entry:
    """Tables by name, and what else there is to keep, as plain JSON."""

    tables: dict[str, pd.DataFrame]
    notes: dict[str, Any]


def plain_json(value: object) -> object:
    """A number of numpy as plain JSON takes it.

    Raises
    ------
    TypeError
        For anything else.
    """
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} cannot be kept as JSON")


def findings_as_notes(findings: tuple[Finding, ...] | list[Finding]) -> list[dict[str, Any]]:
    """Findings as plain JSON."""
    return [asdict(f) for f in findings]


def findings_of_notes(notes: list[dict[str, Any]]) -> list[Finding]:
    """The findings that `findings_as_notes` made."""
    return [Finding(**note) for note in notes]


def graph_as_entry(graph: nx.MultiDiGraph[Any]) -> Entry:
    """A road graph as two tables; attributes as JSON, lines as WKB."""
    nodes = pd.DataFrame(
        [(n, json.dumps(d, ensure_ascii=False, default=plain_json)) for n, d in graph.nodes(data=True)],
        columns=["node", "data"],
    )
    edges = pd.DataFrame(
        [
            (u, v, k, json.dumps({a: x for a, x in d.items() if a != "geometry"}, ensure_ascii=False, default=plain_json))
            for u, v, k, d in graph.edges(keys=True, data=True)
        ],
        columns=["u", "v", "key", "data"],
    )  # fmt: skip
    lines = np.array([d.get("geometry") for _, _, d in graph.edges(data=True)], dtype=object)
    edges["line"] = shapely.to_wkb(lines)
    return Entry({"nodes": nodes, "edges": edges}, {"graph": graph.graph})


def graph_of_entry(entry: Entry) -> nx.MultiDiGraph[Any]:
    """The graph that `graph_as_entry` kept, in the same order."""
    graph: nx.MultiDiGraph[Any] = nx.MultiDiGraph(**entry.notes["graph"])
    nodes, edges = entry.tables["nodes"], entry.tables["edges"]
    graph.add_nodes_from(zip(nodes["node"].tolist(), _of_json(nodes["data"].tolist()), strict=True))
    lines = shapely.from_wkb(edges["line"].to_numpy(dtype=object))
    ends = (edges[c].tolist() for c in ("u", "v", "key"))
    for u, v, key, data, line in zip(*ends, _of_json(edges["data"].tolist()), lines, strict=True):
        if line is not None:
            data["geometry"] = line
        graph.add_edge(u, v, key, **data)
    return graph


def _of_json(texts: Iterable[str]) -> list[dict[str, Any]]:
    """Many small JSON texts read as one, which is several times faster."""
    rows: list[dict[str, Any]] = json.loads(f"[{','.join(texts)}]")
    return rows
