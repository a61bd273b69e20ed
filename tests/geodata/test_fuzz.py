"""A hundred damaged counties: each is read or refused with words that name the place; nothing is written."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pytest

from geodata.contract.county import County
from geodata.contract.findings import Finding, InputProblems
from geodata.demo.roads import save_roads
from geodata.folder.reading import read_county
from geodata.messages import LANGUAGES
from tests.damage import cells, contents, write
from tests.maps.conftest import make_county

CASES = 100  # a thousand of more kinds: `python -m benchmarks fuzz`
PARTS = 4
"""The cases run in parts, so that a failure names a few."""
TABLES = (
    "schools", "school_stage", "villages", "demand", "attendance", "staff_category", "staff_stock", "unit_costs",
    "budget",
)  # fmt: skip
CELLS = (
    "", " ", "abc", "十二", "-1", "-0", "1e9", "1e400", "99999999999999999999", "NaN", "inf", "None", "NULL", "１２",
    "３．５", "12,5", "1,234", "12.", ".5", "0x1F", "1_000", "2025-09-01", "2025/9/1", "45000.5", "=A1+B1", "#REF!",
    "#DIV/0!", "TRUE", "是", "pri", "小学", '"', "a,b", "'; drop table", "\u200b", "\ufeff1", "\t7", "5\n6", "🙂", "½", "²",
    "EPSG:4548", "EPSG:0", "EPSG:99999", "epsg", "gcj02", "bd09", "S1", "V01", "x" * 5000, "\\N", "1-6", "9-1", "1..3",
    "٣", "Ⅳ", "1 000", "1 000", "%", "50%", "１８０．０", "-180", "90.0000001",
)  # fmt: skip
TOML = (
    ("year = 2025", "year = 1200"), ("year = 2025", 'year = "soon"'), ("year = 2025", "year = 2026"),
    ("year = 2025", "year = 2025.5"), ("year = 2025", ""), ("year = 2025", "year = 2025\nyear = 2026"),
    ("year = 2025", "year = 2025\ncolour = 3"), ("name =", "nme ="), ("name =", "= "), ("name =", "name = ["),
    ('roads = "roads.graphml"', 'roads = "nowhere.pbf"'), ('roads = "roads.graphml"', 'roads = "schools.csv"'),
    ('roads = "roads.graphml"', "roads = 7"), ('roads = "roads.graphml"', 'roads = "."'),
    ('roads = "roads.graphml"', 'roads = "../.."'), ('roads = "roads.graphml"', 'roads = ""'),
    ('roads = "roads.graphml"', 'waters = "county.toml"'), ('roads = "roads.graphml"', 'townships = "schools.csv"'),
    ('roads = "roads.graphml"', 'workbook = "schools.csv"'), ('roads = "roads.graphml"', 'workbook = "."'),
    ('roads = "roads.graphml"', 'mapping = "county.toml"'), ('roads = "roads.graphml"', 'mapping = "none.toml"'),
    ('roads = "roads.graphml"', '[files]\nschools = "nothing.csv"'), ('roads = "roads.graphml"', '[files]\nzoo = "z.csv"'),
    ('roads = "roads.graphml"', '[files]\nschools = "villages.csv"'), ('roads = "roads.graphml"', '[files]\nschools = "."'),
    ('roads = "roads.graphml"', '[files]\nschools = ""'), ('roads = "roads.graphml"', '[crs]\nschools = "moon"'),
    ('roads = "roads.graphml"', '[crs]\nzoo = "wgs84"'), ('roads = "roads.graphml"', '[travel]\nseason = "monsoon"'),
    ('roads = "roads.graphml"', '[travel]\nareas = "schools.csv"'), ('roads = "roads.graphml"', '[travel]\ndem = "schools.csv"'),
    ('roads = "roads.graphml"', '[travel]\nconsolidate_m = -4'), ('roads = "roads.graphml"', "[travel]\nzoo = 1"),
    ('roads = "roads.graphml"', 'standards = "cn_layout"'), ('roads = "roads.graphml"', "modelled = [1]"),
    ('roads = "roads.graphml"', 'name_en = "\\u0000"'), ("year", "\x00"), ("year", "\t\tyear"),
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    folder: Path
    dice: random.Random

    def table(self) -> str:
        return self.dice.choice(TABLES)

    def file(self) -> Path:
        return self.dice.choice(sorted(p for p in self.folder.iterdir() if p.is_file()))


def some_cells(case: Case) -> None:
    table = case.table()
    frame = cells(case.folder, table)
    for _ in range(case.dice.randint(1, 3)):
        frame.iat[case.dice.randrange(len(frame)), case.dice.randrange(frame.shape[1])] = case.dice.choice(
            CELLS
        )
    write(case.folder, table, frame)


def a_column_of_cells(case: Case) -> None:
    table = case.table()
    frame = cells(case.folder, table)
    frame[case.dice.choice(list(frame.columns))] = case.dice.choice(CELLS)
    write(case.folder, table, frame)


def rows(case: Case) -> None:
    table = case.table()
    frame = cells(case.folder, table)
    some = [case.dice.randrange(len(frame)) for _ in range(case.dice.randint(1, 5))]
    how = case.dice.choice(("double", "drop", "shuffle", "none", "blank"))
    if how == "double":
        frame = frame.iloc[[*range(len(frame)), *some]]
    elif how == "drop":
        frame = frame.drop(index=frame.index[some])
    elif how == "shuffle":
        frame = frame.iloc[case.dice.sample(range(len(frame)), len(frame))]
    elif how == "none":
        frame = frame.iloc[:0]
    else:
        frame.iloc[some] = ""
    write(case.folder, table, frame)


def columns(case: Case) -> None:
    table = case.table()
    frame = cells(case.folder, table)
    at = case.dice.randrange(frame.shape[1])
    names = list(frame.columns)
    how = case.dice.choice(("drop", "rename", "double", "shuffle", "blank"))
    if how == "drop":
        frame = frame.drop(columns=names[at])
    elif how == "double":
        frame = frame.iloc[:, [*range(len(names)), at]]
    elif how == "shuffle":
        frame = frame.iloc[:, case.dice.sample(range(len(names)), len(names))]
    else:
        names[at] = (
            "" if how == "blank" else case.dice.choice(("lon", "经度", "pupils", "zzz", " 学校 ", "NaN"))
        )
        frame.columns = names
    write(case.folder, table, frame)


def cut(case: Case) -> None:
    file = case.file()
    data = file.read_bytes()
    file.write_bytes(data[: case.dice.randrange(len(data))])


def noise(case: Case) -> None:
    file = case.file()
    data = bytearray(file.read_bytes())
    for _ in range(case.dice.randint(1, 20)):
        data[case.dice.randrange(len(data))] = case.dice.randrange(256)
    file.write_bytes(bytes(data))


def other_bytes(case: Case) -> None:
    file = case.file()
    file.write_bytes(
        case.dice.choice(
            (b"", b"\x00" * 64, b"PK\x03\x04", b"\xff\xfe", b"\n\n\n", b",,,\n,,,", case.dice.randbytes(400))
        )
    )


def encoding(case: Case) -> None:
    file = case.file()
    text = file.read_text(encoding="utf-8-sig")
    file.write_bytes(
        text.encode(case.dice.choice(("gb18030", "utf-16", "big5", "utf-8-sig", "latin-1")), "replace")
    )


def gone(case: Case) -> None:
    file = case.file()
    file.unlink()
    if case.dice.random() < 0.3:
        file.mkdir()


def lines(case: Case) -> None:
    file = case.folder / f"{case.table()}.csv"
    text = file.read_text(encoding="utf-8-sig").splitlines()
    at = case.dice.randrange(len(text))
    text[at] = case.dice.choice(
        (text[at] + ",x,y", text[at].replace(",", ";"), '"' + text[at], text[at][::-1], "", ",")
    )
    file.write_text("\n".join(text) + "\n", encoding="utf-8")


def toml(case: Case) -> None:
    file = case.folder / "county.toml"
    old, new = case.dice.choice(TOML)
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def workbook(case: Case) -> None:
    """Some tables move into a workbook, with damaged sheets, cells and bytes."""
    book = openpyxl.Workbook()
    for table in case.dice.sample(TABLES, 4):
        sheet = book.create_sheet(case.dice.choice((table, table, table, "zoo", table.upper())))
        frame = cells(case.folder, table)
        for row in [list(frame.columns), *frame.to_numpy().tolist()]:
            sheet.append([v if "\x00" not in v else "" for v in row])
        hit = sheet.cell(case.dice.randint(1, 4), case.dice.randint(1, frame.shape[1]))
        if case.dice.random() < 0.6:
            hit.value = case.dice.choice((None, True, 1.5, -3, "=1/0", "=A1", "十", 1e300, "abc"))
        if case.dice.random() < 0.7:
            (case.folder / f"{table}.csv").unlink()
    path = case.folder / "book.xlsx"
    book.save(path)
    if case.dice.random() < 0.3:
        data = bytearray(path.read_bytes())
        for _ in range(5):
            data[case.dice.randrange(len(data))] ^= 0xFF
        path.write_bytes(bytes(data[: case.dice.randint(10, len(data))]))
    file = case.folder / "county.toml"
    file.write_text('workbook = "book.xlsx"\n' + file.read_text(encoding="utf-8"), encoding="utf-8")


def a_road_file(case: Case) -> None:
    file = case.folder / "roads.graphml"
    data = file.read_bytes()
    how = case.dice.randrange(4)
    if how == 0:
        data = data[: case.dice.randrange(len(data))]
    elif how == 1:
        data = data.replace(case.dice.choice((b"<node", b"<edge", b"<data", b"epsg")), b"<zoo", 1)
    elif how == 2:
        data = data.replace(b"118.", case.dice.choice((b"nan", b"1e9", b"", b"x", b"-118.")), 1)
    else:
        data = data.replace(b"LINESTRING", b"POINT")[::-1][case.dice.randrange(200) :][::-1]
    file.write_bytes(data)


DAMAGE: tuple[Callable[[Case], None], ...] = (
    some_cells, some_cells, some_cells, a_column_of_cells, rows, columns, cut, noise, other_bytes, encoding, gone,
    lines, toml, toml, workbook, a_road_file,
)  # fmt: skip


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    """A county of seven schools and ten villages with a small road file, as a folder."""
    folder = tmp_path_factory.mktemp("fuzz") / "small"
    folder.mkdir()
    county = make_county()
    for name, table in county.tables().items():
        if len(table):
            write(folder, name, table.assign(unit="yuan") if name == "unit_costs" else table)
    save_roads(county.roads, folder / "roads.graphml")
    head = 'name = "示例县"\nyear = 2025\nroads = "roads.graphml"\n'
    (folder / "county.toml").write_text(head, encoding="utf-8")
    return folder


def outcome(folder: Path) -> tuple[str, list[Finding]]:
    """Read or refused, and what was said; any other exception is a failure of its own."""
    try:
        county = read_county(folder)
    except InputProblems as problem:
        return "refused", problem.findings
    assert isinstance(county, County)
    return "read", list(county.findings)


def unplaced(findings: list[Finding]) -> list[str]:
    """Errors without a file, or about a cell without its row or column, or that cannot be said."""
    bad = [f.key for f in findings if f.severity == "error" and not f.file]
    of_cell = (
        "not_number",
        "not_whole",
        "not_flag",
        "out_of_range",
        "empty",
        "unknown_id",
        "not_degrees",
        "swapped",
    )
    bad += [
        f.key
        for f in findings
        if f.key in {f"tables.{k}" for k in of_cell} and (f.row is None or f.row < 2 or not f.column)
    ]
    for f in findings:
        for language in LANGUAGES:
            said = f.sentence(language)
            if not said.strip() or "Traceback" in said or (f.file and f.file not in said):
                bad.append(f.key)
    return bad


def test_the_undamaged_county_is_read(small):
    kind, findings = outcome(small)
    assert kind == "read"
    assert [f for f in findings if f.severity == "error"] == []


@pytest.mark.parametrize("part", range(PARTS))
def test_damaged_counties_are_read_or_refused_in_words(small, tmp_path, part):
    seen: Counter[str] = Counter()
    for number in range(part, CASES, PARTS):
        dice = random.Random(number)
        folder = Path(shutil.copytree(small, tmp_path / f"case{number}"))
        damage = DAMAGE[number // PARTS % len(DAMAGE)]
        damage(Case(folder, dice))
        before = contents(folder)
        where = f"case {number}: {damage.__name__}"
        try:
            kind, findings = outcome(folder)
        except Exception as problem:
            raise AssertionError(f"{where}: {type(problem).__name__}: {problem}") from problem
        assert kind == "read" or any(f.severity == "error" for f in findings), where
        assert unplaced(findings) == [], where
        assert contents(folder) == before, where
        shutil.rmtree(folder)
        seen[kind] += 1
    assert seen["read"] > 0 and seen["refused"] > 0  # damage that is never noticed, or always, tests little
