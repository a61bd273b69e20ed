"""A table as it was found, and its headers to the contract's names."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from geodata.contract.cells import bare, header_word, invisible
from geodata.contract.columns import Table
from geodata.contract.findings import Finding

MOST_ROWS_ABOVE = 30
NO_TABLE = ("tables.no_header", "tables.header_below")
"""What is said where no heading is one of the table's."""


@dataclass(frozen=True)
class Raw:
    """A table as it was found: every cell text, headers as written.

    Parameters
    ----------
    frame : DataFrame of str
    file : str
        Name for messages (``schools.csv`` or ``book.xlsx [学校]``).
    first_row : int
        Row number of the first data row as a spreadsheet shows it.
    told : tuple of Finding
        What was found while it was read.
    """

    frame: pd.DataFrame
    file: str
    first_row: int = 2
    told: tuple[Finding, ...] = ()


def rename(table: Table, raw: Raw) -> tuple[pd.DataFrame, dict[str, str], list[Finding]]:
    """Headers to contract names, in English or Chinese; what is missing or unknown is said."""
    known = {header_word(word): c.name for c in table.columns for word in (c.name, c.zh)}
    at, names, written, found = [], [], {}, []
    for position, header in enumerate(raw.frame.columns):
        name = known.get(header_word(header))
        hidden = invisible(header)
        if hidden:
            fields: dict[str, object] = {"count": 1, "codes": hidden}
            place = (raw.file, table.name, None, name or bare(header))
            found.append(Finding("note", "tables.invisible", fields, *place))
        if name is None:
            if not bare(header) and (raw.frame.iloc[:, position].map(bare) == "").all():
                continue  # an empty column, as spreadsheets leave behind
            found.append(
                Finding("note", "tables.extra_column", file=raw.file, table=table.name, column=str(header))
            )
        elif name in written:
            found.append(
                Finding("error", "tables.twice", {"name": name}, raw.file, table.name, None, str(header))
            )
        else:
            # by position: two columns may carry the same header
            at.append(position)
            names.append(name)
            written[name] = str(header)
    if not written and len(raw.frame.columns):
        return raw.frame.iloc[:, []], {}, [_no_header(table, raw)]
    for c in table.columns:
        if c.must and c.name not in written:
            fields = {"zh": c.zh, "unit": c.unit or c.kind}
            found.append(
                Finding("error", "tables.missing_column", fields, raw.file, table.name, None, c.name)
            )
    return raw.frame.iloc[:, at].set_axis(names, axis=1), written, found


def _no_header(table: Table, raw: Raw) -> Finding:
    """None of the headings is one of the table: said once, with what stands there and, where it is below, the row of the header."""
    known = {header_word(word) for c in table.columns for word in (c.name, c.zh)}
    shown = ", ".join(h for h in (bare(h) for h in raw.frame.columns) if h)[:120]
    fields: dict[str, object] = {"columns": ", ".join(f"{c.name} / {c.zh}" for c in table.columns if c.must)}
    for index, cells in zip(raw.frame.index[:MOST_ROWS_ABOVE], raw.frame.to_numpy(), strict=False):
        if sum(header_word(cell) in known for cell in cells) > 1:
            row = int(index) + raw.first_row
            return Finding("error", "tables.header_below", {"row": row}, raw.file, table.name, 1, value=shown)
    return Finding("error", "tables.no_header", fields, raw.file, table.name, 1, value=shown)
