"""A table that grows on disk, a row a finished job; what a killed run has written is read back and goes on."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pandas as pd

from optimizer.study.jobs.folder import ASIDE

TEXT = ("status", "why", "broken", "solve")
"""Columns that hold words."""


def cell(value: object) -> str:
    """A value as text that gives the same value back; nothing for what is not known."""
    if value is None or (isinstance(value, float) and value != value):
        return ""
    return repr(float(value)) if isinstance(value, float) else str(value)


def _line(cells: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


class GrowingTable:
    """A CSV file that is appended to.

    Parameters
    ----------
    path : Path
        Made with its heads where it does not exist. Of an earlier run's file the last line is dropped
        where it is not whole.
    columns : list of str
        The first is the job's number.
    """

    def __init__(self, path: Path, columns: list[str]):
        self.path, self.columns = path, columns
        heads = _line(columns)
        if path.exists():
            whole = path.read_bytes()
            whole = whole[: whole.rfind(b"\n") + 1]
            if whole.startswith(heads.encode()):
                _write(path, whole)
                return
        _write(path, heads.encode())

    def add(self, cells: dict[str, object]) -> None:
        """Append a row and hand it to the system: a kill of this process loses nothing.

        Raises
        ------
        KeyError
            A cell without a column.
        """
        unknown = sorted(cells.keys() - set(self.columns))
        if unknown:
            raise KeyError(f"the table has no column {unknown}")
        with self.path.open("ab") as file:
            file.write(_line([cell(cells.get(c)) for c in self.columns]).encode())

    def read(self) -> pd.DataFrame:
        """The rows by number, the last one of each: numbers as numbers, words as texts."""
        texts = pd.read_csv(self.path, dtype=str, keep_default_na=False, encoding="utf-8")
        table = pd.DataFrame({c: texts[c] if c in TEXT else _numbers(texts[c]) for c in texts.columns})
        first = self.columns[0]
        return table.drop_duplicates(first, keep="last").sort_values(first).reset_index(drop=True)

    def settle(self) -> pd.DataFrame:
        """Put the rows in order on disk; the rows."""
        table = self.read()
        _write(self.path, table_text(table).encode())
        return table


def _numbers(cells: pd.Series) -> pd.Series:
    """RowCells as numbers, exactly as they were written: whole ones where all are, NaN for nothing."""
    if cells.str.fullmatch(r"-?\d+").all():
        return cells.map(int).astype("int64")
    return pd.Series([float(c) if c else float("nan") for c in cells], index=cells.index, dtype="float64")


def table_text(table: pd.DataFrame) -> str:
    """A table as CSV text: the same bytes for the same figures, in whatever order their rows came."""
    rows = [_line(list(map(str, table.columns)))]
    rows += [_line([cell(v) for v in row]) for row in table.itertuples(index=False)]
    return "".join(rows)


def _write(path: Path, content: bytes) -> None:
    """Write a file aside and rename it."""
    aside = path.with_name(f".{path.name}{ASIDE}")
    aside.write_bytes(content)
    aside.replace(path)
