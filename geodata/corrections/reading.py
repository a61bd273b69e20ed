"""A correction sheet that came back: every row checked in words before anything is written."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import pandas as pd

from geodata.bureau.bounds import cells_of
from geodata.bureau.grids import cell_text, open_values
from geodata.bureau.workbooks import heading_key
from geodata.contract.cells import plain
from geodata.contract.columns import Column
from geodata.contract.containment import stands_at
from geodata.contract.county import County
from geodata.contract.declared import declared_tables
from geodata.contract.findings import Finding, InputProblems, errors
from geodata.corrections.cells import MINUTES, correctable, key_columns, value_text, way_text
from geodata.corrections.sheet import SHEET_COLUMNS, correction_titles, title_of
from geodata.corrections.trail import Correction, digest_of
from geodata.messages import LANGUAGES
from geodata.travel.times import travel_times

NEEDED = ("reason", "who", "date")
SAME_MINUTES = 0.051


@dataclass(frozen=True)
class Returned:
    """A sheet read back.

    Parameters
    ----------
    corrections : tuple of Correction
    findings : tuple of Finding
        Notes and warnings.
    """

    corrections: tuple[Correction, ...]
    findings: tuple[Finding, ...]


def read_corrections(path: Path, county: County) -> Returned:
    """The corrections of a sheet.

    Parameters
    ----------
    path : Path
    county : County
        Whose tables they are about, as they are now.

    Returns
    -------
    Returned

    Raises
    ------
    InputProblems
        Every row that cannot be used, with sheet, row, column, value and what to do; or nothing was filled in.
    """
    rows, label = _rows(path)
    digest = digest_of(path)
    found: list[Finding] = []
    done: dict[tuple[str, str, str], Correction] = {}
    now = _Now(county)
    for number, row in rows:
        if not row["should"]:
            continue
        correction, told = _correction(row, now, path.name, digest)
        found += [_placed(f, label, number, row) for f in told]
        if correction is None:
            continue
        where = (correction.table, correction.row, correction.column)
        if where in done and done[where].new != correction.new:
            found.append(_placed(Finding("error", "corrections.twice", column="should"), label, number, row))
        done[where] = correction
    if not done and not errors(found):
        found.append(Finding("error", "corrections.nothing", file=label))
    if errors(found):
        raise InputProblems(found)
    return Returned(tuple(done.values()), tuple(found))


def _placed(finding: Finding, label: str, number: int, row: dict[str, str]) -> Finding:
    heading = row.get(f"heading_{finding.column}", "")
    value = finding.value or row.get(finding.column, "")
    return Finding(
        finding.severity, finding.key, finding.fields, label, finding.table, number, heading, value
    )


def _rows(path: Path) -> tuple[list[tuple[int, dict[str, str]]], str]:
    """Rows of the sheet by their number, cells by the name of their column."""
    if stands_at(path) != "file":
        raise InputProblems([Finding("error", "plan.not_there", {"why": path.name}, file=str(path))])
    book = open_values(path, path.name)
    titles = {plain(t) for t in correction_titles().values()}
    page = next((p for p in book.worksheets if plain(p.title) in titles), None)
    if page is None:
        fields: dict[str, object] = {"sheet": " / ".join(correction_titles().values())}
        raise InputProblems([Finding("error", "corrections.no_sheet", fields, file=path.name)])
    label = f"{path.name} [{page.title}]"
    cells = cells_of(page, label)
    head = [cell_text(v) for v in cells[0]] if cells else []
    keys = [heading_key(h) for h in head]
    at, lost = {}, []
    for name in SHEET_COLUMNS:
        known = [title_of(name, language) for language in LANGUAGES]
        at[name] = next((keys.index(heading_key(t)) for t in known if heading_key(t) in keys), -1)
        if at[name] < 0:
            lost.append(Finding("error", "plan.no_column", {"heading": " / ".join(known)}, file=label))
    if lost:
        raise InputProblems(lost)
    headings = {f"heading_{n}": head[c] for n, c in at.items()}
    found = []
    for number, row in enumerate(cells[1:], start=2):
        texts = {n: _date_or_text(row[c]) for n, c in at.items()}
        found.append((number, texts | headings))
    return found, label


def _date_or_text(value: object) -> str:
    if isinstance(value, datetime):
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, date) else plain(cell_text(value))


class _Now:
    """A county's values as they are now."""

    def __init__(self, county: County):
        self.county, self.tables = county, county.tables()
        self.contracts = declared_tables(county.norms)
        self._ways: dict[tuple[str, str, str], str] | None = None

    def column(self, table: str, column: str) -> Column | None:
        """The contract of a column that may be corrected."""
        if table not in self.contracts:
            return None
        return next((c for c in correctable(self.contracts[table]) if c.name == column), None)

    def strangers(self, key: dict[str, str]) -> list[Finding]:
        """Ids of a key that the county does not have."""
        known = {"school_id": self.tables["schools"], "village_id": self.tables["villages"]}
        return [
            Finding("error", f"corrections.unknown_{c.removesuffix('_id')}", {"id": key[c]}, column="place")
            for c, frame in known.items()
            if c in key and key[c] not in set(frame[c].astype(str))
        ]

    def value(self, table: str, key: dict[str, str], column: str) -> str | None:
        """What the table says; None where it has no such row."""
        if table == MINUTES:
            return self._minutes().get((key["village_id"], key["school_id"], key["mode"]))
        rows = rows_with(self.tables[table], key)
        return value_text(rows[column].iloc[0]) if len(rows) == 1 else None

    def _minutes(self) -> dict[tuple[str, str, str], str]:
        if self._ways is None:
            pairs = travel_times(self.county).pairs
            self._ways = {
                (str(r.village_id), str(r.school_id), str(r.mode)): way_text(r.minutes)
                for r in pairs.itertuples()
            }
        return self._ways


def rows_with(frame: pd.DataFrame, key: dict[str, str]) -> pd.DataFrame:
    """Rows of a table with a key, texts compared."""
    here = pd.Series(True, index=frame.index)
    for column, value in key.items():
        here &= frame[column].map(value_text) == value if column in frame else False
    return frame[here]


def _correction(
    row: dict[str, str], now: _Now, source: str, digest: str
) -> tuple[Correction | None, list[Finding]]:
    """One filled row as a correction, or what is wrong with it."""
    try:
        table, key, column = json.loads(row["address"])
        key = {str(k): str(v) for k, v in key.items()}
    except (ValueError, AttributeError, TypeError, RecursionError):
        return None, [Finding("error", "corrections.no_address", column="place")]
    contract = now.column(table, column)
    fits = contract is not None and set(key) == set(key_columns(now.tables[table], now.contracts[table]))
    if contract is None or not fits:
        return None, [Finding("error", "corrections.no_address", column="place")]
    found = now.strangers(key)
    if found:
        return None, found
    value = now.value(table, key, column)
    if value is None:
        return None, [Finding("error", "corrections.no_row", column="place")]
    if not _same(value, row["used"], table):
        fields: dict[str, object] = {"now": value or "-", "used": row["used"] or "-"}
        return None, [Finding("error", "corrections.other_value", fields, column="used")]
    new, found = _number(row["should"], contract)
    found += [Finding("error", f"corrections.no_{n}", column=n) for n in NEEDED if not row[n]]
    found += _dated(row["date"])
    if not row["evidence"]:
        found.append(Finding("warning", "corrections.no_evidence", column="evidence"))
    if new is not None and _same(new, value, table):
        found.append(Finding("note", "corrections.same", column="should"))
        new = None
    if new is None or errors(found):
        return None, found
    cell = ", ".join(f"{c}={key[c]}" for c in key_columns(now.tables[table], now.contracts[table]))
    return Correction(
        row["date"], row["who"], table, cell, column, value, new, row["reason"], row["evidence"], source, digest
    ), found  # fmt: skip


def _same(one: str, other: str, table: str) -> bool:
    if one == other or not one or not other:
        return one == other
    room = SAME_MINUTES if table == MINUTES else 1e-6
    a, b = (pd.to_numeric(t.replace(",", ""), errors="coerce") for t in (one, other))
    return bool(abs(a - b) <= room * (1.0 if table == MINUTES else max(1.0, abs(a))))


def _number(text: str, column: Column) -> tuple[str | None, list[Finding]]:
    """A number within the contract's range."""
    value = pd.to_numeric(text.replace(",", ""), errors="coerce")
    if value != value or abs(value) == float("inf"):
        return None, [Finding("error", "plan.cell_number", column="should")]
    if column.kind == "whole" and value % 1:
        return None, [Finding("error", "tables.not_whole", column="should")]
    low, high = column.low, column.high
    if (low is not None and value < low) or (high is not None and value > high):
        fields: dict[str, object] = {"low": f"{low:g}", "high": f"{high:g}", "unit": column.unit}
        return None, [Finding("error", "corrections.range", fields, column="should")]
    return value_text(float(value)), []


def _dated(text: str) -> list[Finding]:
    try:
        if text:
            date.fromisoformat(text)
    except ValueError:
        return [Finding("error", "corrections.bad_date", column="date")]
    return []
