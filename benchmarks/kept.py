"""A table of results that grows run by run: what was measured stays measured."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from benchmarks.results import FOLDER


def path(name: str) -> Path:
    return FOLDER / f"{name}.csv"


def kept(name: str) -> pd.DataFrame:
    """Rows kept so far, index ``inst``."""
    if not path(name).exists():
        return pd.DataFrame().rename_axis("inst")
    return pd.read_csv(path(name), index_col="inst")


def keep(name: str, inst: str, row: dict[str, object]) -> None:
    """Add or replace one row."""
    table = kept(name)
    table = table[table.index != inst]
    new = pd.DataFrame([row], index=pd.Index([inst], name="inst"))
    table = pd.concat([table, new]) if len(table) else new
    FOLDER.mkdir(exist_ok=True)
    table.sort_index().to_csv(path(name))
