"""What a county's tables hold, told in numbers: a table changed in place is another county to the referee."""

from __future__ import annotations

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
    values = cells.to_numpy()
    if values.dtype.kind in "bifu":
        return hash((values.dtype.str, values.tobytes()))
    unknown = pd.isna(values)  # two cells without a value are alike, whatever stands for none
    return hash((unknown.tobytes(), tuple((values[~unknown] if unknown.any() else values).tolist())))
