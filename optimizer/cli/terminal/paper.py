"""The console that verbs print on: silent once nobody reads it, wide in files, with names as the language has them."""

from __future__ import annotations

import errno
import os
from typing import Any

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from maps.lettered import Lettering

NARROWEST = 20
"""Columns of a terminal below which it is written to as if it had them."""


class Paper(Console):
    """A console that goes silent when nobody reads it any more: what is being made is made all the same."""

    lost: OSError | None = None
    letters: Lettering | None = None
    """Names of places, which an English terminal prints in Latin letters, the tables' own behind them."""

    def __init__(self, **options: Any):
        super().__init__(**options)
        self.width = max(self.width, NARROWEST)  # a width of nothing would never be done with

    def on_broken_pipe(self) -> None:
        """Whoever read the output has closed it."""
        self._lose(BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)))

    def print(self, *objects: Any, as_it_is: bool = False, **options: Any) -> None:
        """As rich prints, unless the output is lost: closed, or on a full disk; ``as_it_is`` leaves names alone."""
        if self.lost is None:
            try:
                if self.letters is not None and not as_it_is:
                    objects = tuple(_lettered(one, self.letters) for one in objects)
                if len(objects) == 1 and isinstance(objects[0], Table):
                    self._print_table(objects[0], options)
                else:
                    super().print(*objects, **options)
            except OSError as problem:
                self._lose(problem)

    def _print_table(self, table: Table, options: dict[str, Any]) -> None:
        """As a grid where there is room for every cell, and always in a file; else a line a cell."""
        room = Measurement.get(self, self.options.update(max_width=100_000), table)
        if not self.is_terminal:
            before = self.width
            self.width = max(before, room.maximum)
            try:
                super().print(table, **options)
            finally:
                self.width = before
        elif room.minimum <= self.width:
            super().print(table, **options)
        else:
            heads = [str(c.header) for c in table.columns]
            for row in zip(*(list(c.cells) for c in table.columns), strict=True):
                for n, (head, cell) in enumerate(zip(heads, row, strict=True)):
                    super().print(Text.assemble("  " if n else "", head, ": ", str(cell)), **options)

    def _lose(self, problem: OSError) -> None:
        self.lost, self.quiet = problem, True


def _lettered(one: Any, letters: Lettering) -> Any:
    """A line, or the cells of a table, with its names as English pages print them."""
    if isinstance(one, str):
        return letters.line(one)
    if isinstance(one, Text) and not one.spans:
        return Text(letters.line(one.plain), style=one.style)
    if isinstance(one, Table):
        for column in one.columns:
            column._cells = [_lettered(cell, letters) for cell in column.cells]
    return one
