"""The workbook to fill in: what it asks for is what reading wants, and filled in it is read."""

from __future__ import annotations

import openpyxl
import pandas as pd
import pytest

from geodata.contract.cells import plain
from geodata.contract.findings import InputProblems
from geodata.contract.tables import TABLES
from geodata.contract.validation.values import choice_words, coerce
from geodata.folder.reading import read_county
from geodata.folder.template import ROWS, choices, note, sheet_name
from geodata.messages import LANGUAGES, catalogue
from geodata.standards.reading import DEFAULT, merge
from models.standards.norms import load_standards
from optimizer.verbs.template import write_template
from tests.geodata.bureau_files import tables


def typed(spec, text: str, language: str) -> object:
    """What a person types or picks from the list."""
    if spec.kind in ("whole", "number"):
        return float(text)
    if spec.kind == "choice":
        return choices(spec, language)[spec.choices.index(text)]
    if spec.kind == "flag" and language == "zh":
        return {"True": "是", "False": "否"}[text]
    return text


def filled(folder, language) -> None:
    """The template with Nanpu's tables typed in, in place of the CSV files."""
    path = write_template(folder / "填报.xlsx", language)
    book = openpyxl.load_workbook(path)
    for name, frame in tables(folder).items():
        page = book[sheet_name(TABLES[name], language)]
        headings = {c.value: c.column for c in page[1]}
        for column in frame.columns:
            spec = TABLES[name].column(column)
            at = headings[spec.zh if language == "zh" else spec.name]
            for row, text in enumerate(frame[column], 2):
                if not text:
                    continue
                page.cell(row, at).value = typed(spec, text, language)
        (folder / f"{name}.csv").unlink()
    book.save(path)
    head = folder / "county.toml"
    head.write_text('workbook = "填报.xlsx"\n' + head.read_text(encoding="utf-8"), encoding="utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
def test_filled_template_reads_the_same_county(county_folder, language):
    wanted = read_county(county_folder)
    filled(county_folder, language)
    county = read_county(county_folder)
    for name, table in wanted.tables().items():
        if name == "standards":  # the norms that apply anyway
            assert load_standards(county).rules == load_standards(wanted).rules
            continue
        pd.testing.assert_frame_equal(county.tables()[name], table, check_exact=True, obj=name)


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    return openpyxl.load_workbook(write_template(tmp_path_factory.mktemp("template") / "t.xlsx"))


def test_a_sheet_per_table_and_only_prices_and_norms_filled_in(book):
    assert book.sheetnames[1:] == ["县情设置", "方案要求", *(t.zh for t in TABLES.values()), "_lists"]
    for table in TABLES.values():
        page = book[table.zh]
        assert [c.value for c in page[1]] == [c.zh for c in table.columns]
        assert page.max_row == {"unit_costs": 29, "standards": 1 + len(merge(DEFAULT, {}).rules)}.get(
            table.name, 1
        )


def test_headings_carry_notes_with_unit_range_and_choices(book):
    land = TABLES["schools"].column("land_area")
    comment = next(c.comment.text for c in book["学校"][1] if c.value == land.zh)
    assert "m2" in comment and "400,000" in comment and "选填" in comment
    assert "nine_year = 九年一贯制学校" in note(TABLES["schools"], TABLES["schools"].column("kind"), "zh")
    assert all(c.comment is not None for t in TABLES.values() for c in book[t.zh][1])


def rules(page) -> dict[str, object]:
    """Data validations by heading."""
    found = {}
    for rule in page.data_validations.dataValidation:
        (area,) = rule.sqref.ranges
        found[page.cell(1, area.min_col).value] = rule
        assert (area.min_row, area.max_row) == (2, ROWS + 1)
    return found


def test_choices_and_ids_of_other_sheets_have_drop_downs(book):
    school = rules(book["学校"])
    assert school["城乡类型"].formula1 == '"县城（城区）,镇区,乡村"'
    assert school["是否公办"].formula1 == '"是,否"'
    assert school["中心校标识码"].formula1 == f"'学校'!$B$2:$B${ROWS + 1}"
    attendance = rules(book["就读去向"])
    assert attendance["村编号"].formula1 == f"'村和社区'!$B$2:$B${ROWS + 1}"
    assert attendance["学校标识码"].formula1 == f"'学校'!$B$2:$B${ROWS + 1}"
    pupils = attendance["学生数"]
    assert (pupils.type, float(pupils.formula1), float(pupils.formula2)) == ("whole", 0, 20_000)


def test_the_words_of_a_column_tell_its_choices_apart_and_fit_excels_lists():
    for table in TABLES.values():
        for column in table.columns:
            words = choice_words(column)
            for language in LANGUAGES:
                offered = choices(column, language)
                assert [words.get(w, w) for w in map(plain, offered)] == list(column.choices)
                assert len(",".join(offered)) <= 255 and not any("," in w for w in offered)


@pytest.mark.parametrize(
    ("written", "read"),
    [("none", "none"), ("不通路", "none"), ("土路", "track"), ("no road", "none"), ("nan", None)],
)
def test_choices_in_words_and_a_choice_called_none(written, read):
    cells, wrong = coerce(TABLES["villages"].column("road_access"), pd.Series([written], dtype=str))
    assert not wrong.any()
    assert cells.iloc[0] == read or (read is None and pd.isna(cells.iloc[0]))


def test_id_columns_are_text_so_that_leading_zeros_stay(book):
    assert book["学校"].column_dimensions["A"].number_format == "@"


def test_every_choice_has_a_word_in_both_languages():
    for language in LANGUAGES:
        words = catalogue(language)
        missing = [
            f"{c.name}_{choice}"
            for t in TABLES.values()
            for c in t.columns
            for choice in c.choices
            if c.name != "operator" and f"template.word_{c.name}_{choice}" not in words
        ]
        assert not missing


def test_the_same_template_is_the_same_file(tmp_path):
    one, two = write_template(tmp_path / "1.xlsx"), write_template(tmp_path / "2.xlsx")
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize(("name", "key"), [("t.xlsx", "template.exists"), ("t.xls", "template.suffix")])
def test_nothing_is_overwritten(tmp_path, name, key):
    (tmp_path / "t.xlsx").write_bytes(b"mine")
    with pytest.raises(InputProblems) as problem:
        write_template(tmp_path / name)
    assert problem.value.findings[0].key == key
    assert (tmp_path / "t.xlsx").read_bytes() == b"mine"
