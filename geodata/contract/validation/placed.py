"""A validated table with the places its rows came from, and what is known of the rows that are wrong."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from geodata.contract.cells import header_word
from geodata.contract.findings import Finding
from geodata.contract.tables import TABLES


@dataclass(frozen=True)
class Placed:
    """A validated table with the file and rows it came from, for messages.

    Parameters
    ----------
    frame : DataFrame
        Rows without a fault of their own, in contract form.
    file : str
    rows : Series of int
        Spreadsheet row of each row of ``frame``.
    name : str
        Of the table.
    ids : DataFrame
        Keys and references of *all* rows as text, empty where unreadable; index = spreadsheet row.
    whole : bool
        No row was left out: sums over the table mean something.
    """

    frame: pd.DataFrame
    file: str
    rows: pd.Series
    name: str = ""
    ids: pd.DataFrame = field(default_factory=pd.DataFrame)
    whole: bool = True
    every: pd.DataFrame | None = None

    def at(self, table: str, index: int, column: str, value: object) -> dict[str, Any]:
        """Where a cell of ``frame`` stands, as fields of a `Finding`."""
        row = int(self.rows.iloc[index])
        return {"file": self.file, "table": table, "row": row, "column": column, "value": str(value)}

    def all_rows(self) -> Placed:
        """The same with all rows: what a cell with a fault would say is not known, what the others say is."""
        if self.every is None:
            return self
        rows = pd.Series(self.every.index, dtype=int)
        return replace(self, frame=self.every.reset_index(drop=True), rows=rows)

    def lost(self, *columns: str) -> set[tuple[str, ...]] | None:
        """Ids under which a row was left out, so that sums over them say nothing; None where that is not known."""
        gone = self.ids[~self.ids.index.isin(self.rows)]
        if self.whole or not set(columns) <= set(gone.columns):
            return set() if self.whole else None
        found = set(gone[list(columns)].itertuples(index=False, name=None))
        return None if any("" in one for one in found) else found

    def known_keys(self) -> set[tuple[str, ...]]:
        """Keys of all rows, also of those with a fault elsewhere in the row."""
        keys = list(TABLES[self.name].key)
        return set(self.ids[keys].itertuples(index=False, name=None)) if len(self.ids) else set()

    def all_ids(self, column: str) -> list[tuple[int, str]]:
        """Spreadsheet row and id of every row, also of those with a fault elsewhere in the row."""
        if column in self.ids:
            return [(int(row), str(value)) for row, value in self.ids[column].items()]
        return list(zip(self.rows.astype(int).tolist(), self.frame[column].astype(str).tolist(), strict=True))

    def known(self, column: str) -> set[str]:
        """Ids of one column in all rows, also of those with a fault elsewhere in the row."""
        return set(self.ids[column]) - {""} if column in self.ids else set(self.frame[column].astype(str))


Tables = dict[str, Placed]


def one_point(found: list[Finding]) -> list[Finding]:
    """Findings in which a row without longitude and latitude is one problem, not three.

    Parameters
    ----------
    found : list of Finding
        About one table.
    """
    heads = {n: {n, header_word(TABLES["schools"].column(n).zh)} for n in ("lon", "lat")}
    empty: dict[tuple[str, int | None], dict[str, str]] = {}
    for f in found:
        for name, words in heads.items():
            if f.key == "tables.empty" and header_word(f.column) in words:
                empty.setdefault((f.file, f.row), {})[name] = f.column
    pointless = {place: names for place, names in empty.items() if len(names) == len(heads)}
    done = []
    for f in found:
        names = pointless.get((f.file, f.row), {})
        if not names or not (
            f.key == "tables.empty_crs" or (f.key == "tables.empty" and f.column in names.values())
        ):
            done.append(f)
        elif f.column == names["lon"]:
            done.append(replace(f, key="bureau.no_point", column=f"{names['lon']}, {names['lat']}"))
    return done
