"""What a table's contract is made of: `Column` and `Table`; the tables themselves stand in `geodata.contract.tables`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["text", "whole", "number", "flag", "choice"]


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    name, zh : str
        Header in English (used inside) and in Chinese.
    kind : {"text", "whole", "number", "flag", "choice"}
        ``whole`` is an integer, ``flag`` a yes/no.
    required : bool
        The column must be there and every cell filled.
    low, high : float or None
        Inclusive range of a number.
    unit : str
        Unit as printed in headers: heads, m2, yuan, minutes.
    choices : tuple of str
        Allowed values of a ``choice``.
    default : object
        Value of an absent optional column; filling it in is reported.
    words : tuple of (str, str)
        Words that mean a choice, besides those of the messages: (word, choice).
    measure : bool
        Something measured: an empty cell, or a column that is absent, is not known. It is never taken for zero.
    spare : bool
        Most counties do without it: where it is absent, or empty throughout, the table has no such column at all.
    """

    name: str
    zh: str
    kind: Kind
    required: bool = True
    low: float | None = None
    high: float | None = None
    unit: str = ""
    choices: tuple[str, ...] = ()
    default: object = None
    words: tuple[tuple[str, str], ...] = ()
    measure: bool = False
    spare: bool = False

    @property
    def must(self) -> bool:
        """Whether every cell has to be filled."""
        return self.required and not self.measure


@dataclass(frozen=True)
class Table:
    """One table: its columns, its key and the tables its ids must be found in.

    Parameters
    ----------
    name, zh, code : str
        File or sheet name, Chinese title, code in sources.md 3.4.
    columns : tuple of Column
    key : tuple of str
        Columns that together identify a row.
    required : bool
        A county cannot be read without it.
    refers : dict
        ``{column: (table, column)}``: ids that must exist elsewhere.
    finer : tuple of str
        Spare columns that tell rows apart as well, where the table has them.
    """

    name: str
    zh: str
    code: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    required: bool = True
    refers: tuple[tuple[str, str, str], ...] = ()
    finer: tuple[str, ...] = ()

    def having(self, spare: Collection[str]) -> Table:
        """The contract with those of its spare columns only."""
        columns = tuple(c for c in self.columns if not c.spare or c.name in spare)
        return replace(self, columns=columns, key=(*self.key, *(c for c in self.finer if c in spare)))

    def column(self, name: str) -> Column:
        """The column of that name.

        Raises
        ------
        KeyError
            If the table has no such column.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name}.{name}")
