"""What a county's tables hold, told in numbers: a table changed in place is another county to the referee."""

from __future__ import annotations

import numpy as np
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
    return tuple(
        hash((name, column, _hashed(cells)))
        for name, table in county.tables().items()
        for column, cells in table.items()
    )


def _hashed(cells: pd.Series) -> int:
    """A column in a number; pandas' own hash of a table takes nearly twice as long for tables as short as a county's."""
    if isinstance(cells.dtype, np.dtype) and cells.dtype.kind in "bifu":
        return hash((cells.dtype.str, cells.to_numpy().tobytes()))
    unknown = cells.isna()  # two cells without a value are alike, whatever stands for none
    return hash(
        (unknown.to_numpy().tobytes(), tuple(cells[~unknown].tolist() if unknown.any() else cells.tolist()))
    )
