"""What a county's tables hold, told in numbers: a table changed in place is another county to the referee."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import TypeVar

import pandas as pd

from geodata.contract.county import County


def content_numbers(county: County) -> tuple[int, ...]:
    """What the tables of a county hold, in numbers.

    Parameters
    ----------
    county : County

    Returns
    -------
    tuple of int
        One a column, within this process; other numbers where any cell is another.
    """
    return _numbers(county.tables())


def _numbers(tables: dict[str, pd.DataFrame]) -> tuple[int, ...]:
    return tuple(
        hash((name, column, _hashed(cells)))
        for name, table in tables.items()
        for column, cells in table.items()
    )


def _hashed(cells: pd.Series) -> int:
    """A column in a number; pandas' own hash of a table takes nearly twice as long for tables as short as a county's."""
    values = cells.to_numpy()
    if values.dtype.kind in "bifu":
        return hash((values.dtype.str, values.tobytes()))
    unknown = pd.isna(values)  # two cells without a value are alike, whatever stands for none
    return hash((unknown.tobytes(), tuple((values[~unknown] if unknown.any() else values).tolist())))


Found = TypeVar("Found")
KEPT = 8
"""Counties of other content that a function remembers what it found for."""


def once_by_content(*tables: str) -> Callable[[Callable[[County], Found]], Callable[[County], Found]]:
    """Reckon what follows from some of a county's tables and its stages alone once while they hold the same.

    Parameters
    ----------
    *tables : str
        All of the tables that the function reads.

    Returns
    -------
    callable
        A decorator for a function of a county. What it returns is shared by all who ask: only read.
    """

    def remembered(function: Callable[[County], Found]) -> Callable[[County], Found]:
        known: OrderedDict[tuple[object, ...], Found] = OrderedDict()

        @wraps(function)
        def asked(county: County) -> Found:
            key = (county.scheme, _numbers({n: getattr(county, n) for n in tables}))
            if key in known:
                with suppress(KeyError):  # another thread may just have let it go
                    return known[key]
            found = known[key] = function(county)
            if len(known) > KEPT:
                known.popitem(last=False)
            return found

        return asked

    return remembered
