"""Tables on a narrow terminal and in a file: every cell is there to be read."""

from __future__ import annotations

import io

import pytest
from rich.table import Table
from rich.text import Text

from optimizer.cli.terminal.paper import NARROWEST, Paper

CELLS = (("语文", "12,345.6", "no limit at all"), ("mathematics", "7", Text("[b]")))


def printed(width: int, terminal: bool) -> list[str]:
    grid = Table("indicator", "mean", "limit")
    for row in CELLS:
        grid.add_row(*row)
    out = io.StringIO()
    Paper(file=out, width=width, force_terminal=terminal, color_system=None, highlight=False).print(grid)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("width", [0, 5, 20])
def test_a_narrow_terminal_gets_a_line_a_cell(width):
    lines = printed(width, True)
    assert lines[0] == "indicator: 语文" and "  mean: 12,345.6" in lines and "  limit: [b]" in lines
    assert Paper(width=width).width >= NARROWEST


@pytest.mark.parametrize(("width", "terminal"), [(20, False), (0, False), (100, True)])
def test_with_room_or_in_a_file_it_is_a_grid_of_whole_rows(width, terminal):
    lines = printed(width, terminal)
    row = next(line for line in lines if "语文" in line)
    assert "12,345.6" in row and "no limit at all" in row and "…" not in "".join(lines)
