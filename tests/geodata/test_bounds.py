"""Workbooks are bounded: a cell at the end of a sheet costs nothing, what is too much is said."""

from __future__ import annotations

import zipfile

import openpyxl
import pytest
from openpyxl.styles import Font

from geodata.bureau import bounds
from geodata.bureau.bounds import cells_of, refuse_unbounded
from geodata.bureau.grids import open_book, xlsx_grid
from geodata.contract.findings import Finding, InputProblems, summed
from geodata.folder.annotated import _copy_page, writable


def book_with(tmp_path, *cells):
    book = openpyxl.Workbook()
    page = book.active
    page.append(["a", "b"])
    page.append([1, 2])
    for place, value in cells:
        page[place].value = value
        page[place].font = Font(bold=True)
    book.save(tmp_path / "x.xlsx")
    return tmp_path / "x.xlsx"


@pytest.mark.parametrize("place", ["A1048576", "XFD1", "XFD1048576"])
@pytest.mark.parametrize("value", [None, " "])
def test_a_blank_cell_far_away_costs_nothing(tmp_path, place, value):
    grid = xlsx_grid(open_book(book_with(tmp_path, (place, value)), "x"), "Sheet", "x")
    assert grid.cells == [["a", "b"], ["1", "2"]]


@pytest.mark.parametrize(
    ("place", "key"), [("A1048576", "rows"), ("XFD1", "columns"), ("XFD1048576", "rows")]
)
def test_a_word_far_away_is_named(tmp_path, place, key):
    page = openpyxl.load_workbook(book_with(tmp_path, (place, "stray"))).active
    with pytest.raises(InputProblems) as problem:
        cells_of(page, "x")
    (fault,) = problem.value.findings
    assert (fault.key, fault.value) == (f"bureau.too_many_{key}", "stray")


def rewritten(path, old: bytes, new: bytes):
    """The workbook with a piece of its first sheet replaced."""
    with zipfile.ZipFile(path) as book:
        parts = {n: book.read(n) for n in book.namelist()}
    name = "xl/worksheets/sheet1.xml"
    assert old in parts[name]
    parts[name] = parts[name].replace(old, new)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for n, content in parts.items():
            book.writestr(n, content)
    return path


@pytest.mark.parametrize(("old", "new"), [(b'r="A2"', b'r="A0"'), (b'<row r="2"', b'<row r="0"')])
def test_a_cell_of_row_0_is_never_one_of_the_last_row(tmp_path, old, new):
    """A damaged file: the value stood in the last row of the table, and the marked workbook ended in a traceback."""
    path = rewritten(book_with(tmp_path), old, new)
    page = openpyxl.load_workbook(path).active
    copied = openpyxl.Workbook().active
    _copy_page(page, copied)
    assert copied["A1"].value == "a" and 0 not in copied.row_dimensions
    if any(r == 0 for r, _ in page._cells):
        with pytest.raises(InputProblems) as problem:
            cells_of(page, "x")
        assert [f.key for f in problem.value.findings] == ["tables.not_a_workbook"]
    else:
        assert cells_of(page, "x") == [["a", "b"], [1, 2]]


END = b"</sheetData>"


@pytest.mark.parametrize(
    "more",
    [
        END + b'<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>',
        END + b'<hyperlinks><hyperlink ref="A1:XFD1048576" location="a"/></hyperlinks>',
        b'<row r="9">' + b'<c r="A9" s="1"/>' * 1_100_000 + b"</row>" + END,
        b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + END,
    ],
)
def test_what_would_be_spread_out_is_refused_before_it_is_opened(tmp_path, more):
    with pytest.raises(InputProblems):
        refuse_unbounded(rewritten(book_with(tmp_path), END, more), "x")


def test_a_part_that_unpacks_to_gigabytes_is_refused(tmp_path):
    path = book_with(tmp_path)
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as book,
        book.open("xl/media/a.bin", "w", force_zip64=True) as part,
    ):
        for _ in range(610):
            part.write(bytes(1_000_000))
    with pytest.raises(InputProblems) as problem:
        refuse_unbounded(path, "x")
    assert problem.value.findings[0].key == "bureau.workbook_bytes"


def test_findings_of_a_kind_are_counted_beyond_the_200th():
    many = [Finding("error", "tables.empty", file="a", row=i, column="c") for i in range(1000)]
    other = Finding("note", "tables.no_rows", file="a")
    found = summed([*many, other])
    assert len(found) == 202 and other in found
    assert found[-1].sentence("en").startswith("a, column 'c': 800 more")


def test_what_no_workbook_can_hold_is_left_out():
    assert writable("a\x00\x0b\ufffe\uffff\ud800b\t学") == "ab\t学"
    assert len(writable("x" * 40_000)) == 32_000


@pytest.mark.parametrize("piece", [1, 3, 7, 50, 1000])
def test_the_same_cells_are_counted_in_pieces_of_any_size(tmp_path, monkeypatch, piece):
    path = book_with(tmp_path, ("C3", "long text " * 9))
    whole = counted(path, monkeypatch, 1 << 22)
    assert whole == 5
    assert counted(path, monkeypatch, piece, longest=1 << 22) == whole


def counted(path, monkeypatch, piece, longest=None):
    """Cells that are counted, in pieces of so many bytes."""
    found = []

    def cells(text, label):
        found.append(real(text, label))
        return found[-1]

    real = bounds._cells_in
    with monkeypatch.context() as changed:
        changed.setattr(bounds, "PIECE", piece)
        changed.setattr(bounds, "LONGEST_TAG", longest or 1 << 22)
        changed.setattr(bounds, "_cells_in", cells)
        refuse_unbounded(path, "x")
    return sum(found)


def test_a_part_without_tags_is_not_gathered(tmp_path, monkeypatch):
    """700 MB of blanks in a sheet cost 1.5 GB and 40 s: every piece was looked through with all before it."""
    path = book_with(tmp_path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/worksheets/sheet9.xml", b" " * 100_000)
    seen = []
    real = bounds._cells_in
    monkeypatch.setattr(bounds, "_cells_in", lambda text, label: seen.append(len(text)) or real(text, label))
    monkeypatch.setattr(bounds, "PIECE", 1000)
    refuse_unbounded(path, "x")
    assert sum(seen) < 2 * (100_000 + path.stat().st_size * 20) and max(seen) <= 3000


def test_a_tag_that_never_ends_is_refused(tmp_path, monkeypatch):
    path = book_with(tmp_path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/worksheets/sheet9.xml", b"<c " + b" " * 100_000)
    monkeypatch.setattr(bounds, "PIECE", 1000)
    monkeypatch.setattr(bounds, "LONGEST_TAG", 10_000)
    with pytest.raises(InputProblems) as problem:
        refuse_unbounded(path, "x")
    assert [f.key for f in problem.value.findings] == ["tables.not_a_workbook"]
