"""Pieces of one table stacked, and columns of another file joined to their rows, cell by cell traceable."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from geodata.bureau.conversion import Piece
from geodata.contract.cells import plain
from geodata.contract.findings import Finding
from geodata.contract.tables import TABLES


def stacked(pieces: list[Piece]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, list[Finding]]:
    """Rows of all pieces one under the other; a row given twice word for word is kept once.

    Returns
    -------
    frame, piece, row : DataFrame
        Cells; number of the piece and row of its file, cell by cell.
    findings : list of Finding
        A note for every row that is not kept.
    """
    frame = pd.concat([p.frame for p in pieces], ignore_index=True).fillna("")
    number = np.concatenate([np.full(len(p.frame), i) for i, p in enumerate(pieces)]).astype(int)
    rows = np.concatenate([p.rows for p in pieces])
    again = frame.duplicated().to_numpy(bool)
    found = [
        Finding("note", "bureau.same_row", {}, pieces[number[i]].label, pieces[0].table, int(rows[i]))
        for i in np.flatnonzero(again)
    ]
    frame = frame[~again].reset_index(drop=True)
    number, rows = number[~again], rows[~again]
    piece = pd.DataFrame(dict.fromkeys(frame.columns, number))
    row = pd.DataFrame(dict.fromkeys(frame.columns, rows))
    return frame, piece, row, found


def joined(
    frame: pd.DataFrame, piece: pd.DataFrame, row: pd.DataFrame, part: Piece, number: int
) -> list[Finding]:
    """Add one joining piece's columns in place; what finds no partner is named.

    Parameters
    ----------
    frame, piece, row : DataFrame
        As `stacked` gives them; changed.
    part : Piece
    number : int
        Its number among the table's pieces.
    """
    table = TABLES[part.table]
    missing = [k for k in table.key if k not in part.frame]
    at: dict[str, Any] = {"file": part.label, "table": table.name}
    if missing:
        return [Finding("error", "bureau.join_key", {"columns": ", ".join(missing)}, **at)]
    keys = list(table.key)
    place = pd.Series(range(len(frame)), index=pd.MultiIndex.from_frame(frame[keys]))
    place = place[~place.index.duplicated()]
    theirs = pd.MultiIndex.from_frame(part.frame[keys])
    to = place.reindex(theirs).to_numpy(float)
    heading = " + ".join(part.headings.get(k, k) for k in keys)
    shown = part.frame[keys].agg(" / ".join, axis=1)
    found = []
    for i in np.flatnonzero(theirs.duplicated() & ~np.isnan(to)):
        place_of = {**at, "row": int(part.rows[i]), "column": heading, "value": shown.iloc[i]}
        found.append(Finding("error", "bureau.join_twice", {}, **place_of))
    if not (part.by_name & set(keys)):  # names without a partner are named already
        for i in np.flatnonzero(np.isnan(to)):
            place_of = {**at, "row": int(part.rows[i]), "column": heading, "value": shown.iloc[i]}
            found.append(Finding("warning", "bureau.join_extra", {"rows": 1}, **place_of))
    good = np.flatnonzero(~np.isnan(to))
    lines = to[good].astype(int)
    for column in [c for c in part.frame.columns if c not in keys]:
        found += _filled_in(frame, piece, row, part, number, column, good, lines)
    alone = sorted(set(range(len(frame))) - set(lines.tolist()))
    if alone:
        names = frame[keys].iloc[alone[:10]].agg(" / ".join, axis=1)
        fields: dict[str, object] = {"count": len(alone), "names": ", ".join(names)}
        found.append(Finding("warning", "bureau.join_missing", fields, **at))
    return found


def _filled_in(
    frame: pd.DataFrame, piece: pd.DataFrame, row: pd.DataFrame, part: Piece, number: int, column: str,
    good: np.ndarray, lines: np.ndarray,
) -> list[Finding]:  # fmt: skip
    """One joined column; two sources that give one cell differently are an error."""
    cells = part.frame[column].to_numpy(object)[good]
    if column not in frame:
        frame[column], piece[column], row[column] = "", piece.iloc[:, 0], row.iloc[:, 0]
    before = frame[column].to_numpy(object)[lines]
    clash = np.array([plain(b) not in ("", plain(c)) for b, c in zip(before, cells, strict=True)], dtype=bool)
    frame.loc[lines, column] = cells
    piece.loc[lines, column], row.loc[lines, column] = number, part.rows[good]
    heading = part.headings.get(column, column)
    return [
        Finding(
            "error", "bureau.join_conflict", {"other": before[i]}, part.label, part.table, int(part.rows[good[i]]),
            heading, str(cells[i]),
        )
        for i in np.flatnonzero(clash)
    ]  # fmt: skip
