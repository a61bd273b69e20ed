"""Benchmark results as pages: what was run, with which versions, on what, when."""

from __future__ import annotations

import datetime
import os
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

FOLDER = Path(__file__).parent / "results"
NAMED = (
    "geopandas", "igraph", "networkx", "numpy", "osmium", "osmnx", "pandana", "pandas", "routingkit-cch",
    "scipy", "shapely",
)  # fmt: skip


def versions() -> str:
    found = [f"Python {platform.python_version()}"]
    for name in NAMED:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} (not installed)")
    return ", ".join(found)


PATH = re.compile(r"(?<![\w.:/)])/(?:[\w.~-]+/)+")
"""Folders of a machine: a page keeps the last part of a path, what lies where is nobody's business."""


def report(name: str, title: str, lines: list[str]) -> None:
    """Print the page and write it to benchmarks/results/<name>.md."""
    head = [
        f"# {title}", "",
        f"{datetime.date.today()}, {os.cpu_count()} cores ({platform.machine()}), shared with other work.",
        f"{versions()}.", "",
    ]  # fmt: skip
    FOLDER.mkdir(exist_ok=True)
    text = PATH.sub("", "\n".join([*head, *lines])) + "\n"
    (FOLDER / f"{name}.md").write_text(text, encoding="utf-8")
    print(text)
