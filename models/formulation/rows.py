"""Which rows of a table belong together, as plain lists: what the rules sum over."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pandas as pd


def rows_by(table: pd.DataFrame, *columns: str) -> dict[Any, list[Any]]:
    """Index labels of a table by the values of columns or index levels, sorted by these.

    A GroupBy makes a small table for each group, which takes most of the time where groups are many and
    small (1,000 sites: 15 of 20 s of stating a model).

    Parameters
    ----------
    table : DataFrame
    columns : str
        One: the keys are its values. More: tuples of theirs.

    Returns
    -------
    dict of key to list of index labels
    """
    values = [_values(table, c) for c in columns]
    keys: list[Hashable] = values[0] if len(values) == 1 else list(zip(*values, strict=True))
    found: dict[Any, list[Any]] = {}
    for key, label in zip(keys, table.index.tolist(), strict=True):
        found.setdefault(key, []).append(label)
    return dict(sorted(found.items()))


def _values(table: pd.DataFrame, column: str) -> list[Any]:
    source = table[column] if column in table.columns else table.index.get_level_values(column)
    return list(source.tolist())
