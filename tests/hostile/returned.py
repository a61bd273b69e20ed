"""Damage to what comes back from others: sheets of corrections, the trail of them, edited plans, ledgers."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import openpyxl
import pandas as pd
from openpyxl.styles import PatternFill

from geodata.corrections.cells import used_cells
from geodata.corrections.sheet import write_correction_sheet
from geodata.corrections.trail import COLUMNS
from maps.dossier.workbook import write_workbook
from models.plan.record import write_ledger
from tests.geodata.test_fuzz import CELLS, Case
from tests.hostile.books import CORNERS, VALUES
from tests.hostile.county import at, outside
from tests.maps.conftest import make_county, make_result


@cache
def sound_sheets() -> dict[str, bytes]:
    """A sheet of corrections, a plan's workbook and its ledger, by their names."""
    result = make_result(make_county())
    ways = pd.DataFrame(columns=["village_id", "school_id", "mode", "minutes"])
    with TemporaryDirectory() as folder:
        place = Path(folder)
        cells = used_cells(result.county, ways, ["S1", "S2"], ["V01"])
        write_correction_sheet(place / "returned.xlsx", result.county, cells)
        write_workbook(result, place / "plan.xlsx")
        write_ledger(result.plan, place / "plan.csv")
        return {p.name: p.read_bytes() for p in place.iterdir()}


def a_workbook(case: Case) -> None:
    """Cells of a sheet of corrections or of an edited plan: filled in, far out, of another kind; or its bytes."""
    name = case.dice.choice(("returned.xlsx", "plan.xlsx"))
    file = case.folder / name
    file.write_bytes(sound_sheets()[name])
    how = case.dice.randrange(8)
    if how == 0:
        content = bytearray(file.read_bytes())
        for _ in range(5):
            content[case.dice.randrange(len(content))] ^= 0xFF
        file.write_bytes(bytes(content[: case.dice.randint(10, len(content))]))
        return
    book = openpyxl.load_workbook(file)
    sheet = case.dice.choice(book.worksheets)
    if how in (1, 2):
        cell = sheet[case.dice.choice(CORNERS)]
        cell.value = case.dice.choice(("x", None))
        cell.fill = PatternFill("solid", fgColor="FFFF00")
    elif how == 3:
        sheet.title = case.dice.choice(("zoo", "更正", " " + sheet.title))
    for _ in range(case.dice.randint(1, 6)):
        row, column = (
            case.dice.randint(1, min(sheet.max_row, 30)),
            case.dice.randint(1, min(sheet.max_column, 14)),
        )
        value = case.dice.choice((*VALUES, *CELLS))
        try:
            sheet.cell(row, column).value = (
                value.replace("{at}", at(case)) if isinstance(value, str) else value
            )
        except Exception:  # merged, or a character that openpyxl itself does not write
            continue
    book.save(file)


def the_trail(case: Case) -> None:
    """The trail of earlier corrections: rows, columns, quotes, bytes, a link in its place, its size."""
    file = case.folder / "corrections.csv"
    how = case.dice.randrange(6)
    if how == 0:
        file.symlink_to(outside(case) / "secret.csv")
        return
    if how == 1:
        with file.open("wb") as out:  # a file of holes
            out.truncate(2_000_000_000)
        return
    with file.open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(COLUMNS if how != 2 else COLUMNS[:-1])
        for _ in range(case.dice.choice((1, 3, 5000))):
            rows.writerow(
                [
                    case.dice.choice(("2025-09-01", "x", "", "\x00", "{zoo}", "\u202e", "9" * 90))
                    for _ in range(case.dice.choice((3, len(COLUMNS), 15)))
                ]
            )
    if how == 3:
        file.write_bytes(file.read_bytes() + b"\xff\xfe\x00")
    elif how == 4:
        file.write_text(file.read_text(encoding="utf-8") + '"' + "x" * 300_000, encoding="utf-8")


def a_ledger(case: Case) -> None:
    """A plan's ledger as a table, damaged as tables are."""
    text = sound_sheets()["plan.csv"].decode("utf-8-sig")
    rows = text.splitlines()
    for _ in range(case.dice.randint(1, 4)):
        row = case.dice.randrange(len(rows))
        cells = rows[row].split(",")
        cells[case.dice.randrange(len(cells))] = case.dice.choice(CELLS).replace("\n", " ")
        rows[row] = case.dice.choice(
            (",".join(cells), ",".join(cells), rows[row][::-1], "", rows[row] + ",x")
        )
    (case.folder / "plan.csv").write_text("\n".join(rows), encoding="utf-8", errors="surrogatepass")


DAMAGE = (a_workbook, a_workbook, the_trail, a_ledger)
