"""Inputs of the kinds that once cost hours, gigabytes or a traceback, each small: all end in words, and soon."""

from __future__ import annotations

import json
import logging
import os
import time
import warnings

import openpyxl
import pytest
from openpyxl.styles import PatternFill
from shapely.geometry import MultiPolygon, Polygon, box, mapping
from typer.testing import CliRunner

from geodata.bureau.grids import open_book
from geodata.contract.findings import InputProblems, errors
from geodata.corrections.reading import read_corrections
from geodata.corrections.trail import TRAIL, read_trail
from geodata.folder import reading
from geodata.folder.reading import check, read_county
from geodata.layers import surroundings
from geodata.layers.tangles import MOST_CROSSINGS, crossings
from geodata.messages import LANGUAGES
from models.plan.record import MOST_RECORD, read_plan, read_record
from models.plan.sheets import read_edited
from optimizer.cli.main import app
from optimizer.scenario import read_scenario
from optimizer.study.province.asked import read_province
from tests.geodata.test_fuzz import Case
from tests.hostile.county import a_county, added, feature, named
from tests.hostile.returned import sound_sheets


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return a_county(tmp_path_factory.mktemp("hostile") / "county")


@pytest.fixture
def county(tmp_path):
    return a_county(tmp_path / "county")


def keys(found):
    """Keys of the errors, once each can be said in both languages."""
    assert all(f.sentence(language) for f in found for language in LANGUAGES)
    return [f.key for f in errors(found)]


def refusal(read, *given):
    with pytest.raises(InputProblems) as problem:
        read(*given)
    return keys(problem.value.findings)


def test_what_is_no_folder_is_told_what_it_is(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    for place in (tmp_path / "pipe", "/dev/null", "/dev/zero", "/proc/self", "/proc/self/mem"):
        assert keys(check(place)) == ["tables.no_regular_file"], place
    for place in ("x" * 300, "a\0b", tmp_path / "circle"):
        assert keys(check(place)) == ["tables.no_place"], place
    assert keys(check(tmp_path / "nowhere")) == ["tables.no_folder"]
    assert keys(check(tmp_path / "pipe" / "a")) == ["tables.no_folder"]


def test_what_is_modelled_is_a_table_or_a_column(county):
    added(
        Case(county, None),
        'modelled = ["zoo", "schools", "schools.zoo", "school_stage.equip_value", "schools."]\n',
    )
    found = errors(check(county))
    assert [(f.key, f.column, f.value) for f in found] == [
        ("tables.unknown_table", "modelled", "zoo"),
        ("bureau.unknown_column", "modelled", "schools.zoo"),
        ("bureau.unknown_column", "modelled", "schools."),
    ]


def test_a_budget_beyond_all_money_is_told_its_limit(tmp_path):
    file = tmp_path / "scenario.toml"
    file.write_text("[budget]\nany = 1e308\n")
    with pytest.raises(InputProblems) as problem:
        read_scenario(file)
    said = problem.value.findings[0].sentence("en")
    assert "1,000,000,000,000,000" in said and len(said) < 200


def test_what_libraries_say_about_a_layer_is_a_note_of_ours(county, monkeypatch, capfd):
    plain = surroundings.open_layer

    def chatty(path, label):
        warnings.warn("a field was cut", RuntimeWarning, stacklevel=1)
        logging.getLogger("pyogrio._io").warning("an index\nis missing")
        return plain(path, label)

    monkeypatch.setattr(surroundings, "open_layer", chatty)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = check(county)
    said = [f.sentence("en") for f in found if f.key == "tables.layer_remark"]
    assert len(said) == 2 and "a field was cut" in said[1] and "an index is missing" in said[0]
    assert capfd.readouterr() == ("", "")


def teeth(count):
    """A comb whose closing line crosses every tooth."""
    return Polygon([[118 + i / 400_000, 30.6 + (i % 2) / 10] for i in range(count)])


def test_a_shape_that_crosses_itself_thousands_of_times_is_refused_at_once(county):
    squares = MultiPolygon([box(118.0, 30.6, 118.6, 31.1)] * 1500)
    for shape in (teeth(40_000), squares):
        text = json.dumps(
            {"type": "FeatureCollection", "features": [feature(mapping(shape), township="河口镇")]}
        )
        (county / "townships.geojson").write_text(text)
        begun = time.process_time()
        found = [f for f in check(county) if f.key == "tables.layer_tangled"]
        assert time.process_time() - begun < 20  # it took hours, and gigabytes
        assert [(f.severity, f.row, f.file) for f in found] == [("error", 1, "townships.geojson")]


def test_crossings_are_counted_and_little_ones_mended():
    bow = Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    assert (crossings(bow), crossings(box(0, 0, 1, 1))) == (1, 0)
    assert crossings(teeth(1000)) == 997
    assert crossings(teeth(40_000)) > MOST_CROSSINGS
    circle = Polygon(box(0, 0, 1, 1).buffer(1, quad_segs=5000).exterior)
    assert crossings(circle) == 0


def test_records_are_read_no_further_than_records_go(tmp_path, sound):
    large = tmp_path / "run.json"
    with large.open("wb") as file:
        file.truncate(MOST_RECORD + 1)
    pipe = tmp_path / "pipe.json"
    os.mkfifo(pipe)
    for read in (read_record, read_plan):
        assert refusal(read, large) == ["settings.too_large"]
        assert refusal(read, pipe) == ["tables.no_regular_file"]
    assert refusal(read_province, large) == ["settings.too_large"]
    (tmp_path / "digits.json").write_text('{"ledger": [' + "9" * 6000 + "]}")
    assert refusal(read_record, tmp_path / "digits.json") == ["plan.not_a_record"]
    assert refusal(read_record, tmp_path) == ["settings.too_large"]  # the folder's run.json


def test_workbooks_of_other_programs_in_a_mapping_are_told_to_be_saved(county):
    for ending in ("ods", "xls", "et"):
        (county / f"bureau.{ending}").write_bytes(b"PK\x03\x04")
        text = f'[[source]]\ntable = "schools"\nfile = "bureau.{ending}"\n[source.columns]\nschool_id = "a"\n'
        (county / "mapping.toml").write_text(text)
        (county / "schools.csv").unlink(missing_ok=True)
        named(Case(county, None), "mapping", "mapping.toml")
        found = [f for f in check(county) if f.file == f"bureau.{ending}"]
        assert [f.key for f in found] == ["bureau.old_excel"] and ".xlsx" in found[0].sentence("en")


@pytest.mark.parametrize("name", ["returned.xlsx", "plan.xlsx"])
def test_the_far_corner_of_what_comes_back_costs_nothing(sound, tmp_path, name):
    read = read_corrections if name == "returned.xlsx" else read_edited
    book_read = read_county(sound)
    file = tmp_path / name
    file.write_bytes(sound_sheets()[name])
    book = openpyxl.load_workbook(file)
    for sheet in book.worksheets:
        sheet["XFD1048576"].fill = PatternFill("solid", fgColor="FFFF00")
    book.save(file)
    begun = time.process_time()
    if name == "plan.xlsx":
        assert read(file, book_read).plan.ledger.shape[0] > 10
    else:
        assert refusal(read, file, book_read) == ["corrections.nothing"]
    assert time.process_time() - begun < 10  # it made a cell for every blank one up to the corner
    for sheet in book.worksheets:
        sheet["B1048576"] = "x"
    book.save(file)
    assert refusal(read, file, book_read)[0] == "bureau.too_many_rows"


def test_a_trail_that_is_none_is_said_and_not_followed(tmp_path):
    folder = tmp_path / "county"
    folder.mkdir()
    (tmp_path / "secret.csv").write_text("a\n")
    for target, key in ((tmp_path / "secret.csv", "tables.outside"), ("/dev/zero", "tables.outside")):
        (folder / TRAIL).symlink_to(target)
        assert [(f.severity, f.key) for f in read_trail(folder)[1]] == [("warning", key)]
        (folder / TRAIL).unlink()
    with (folder / TRAIL).open("wb") as file:
        file.truncate(2_000_000_000)
    assert [f.key for f in read_trail(folder)[1]] == ["settings.too_large", "corrections.trail_lost"]


def test_a_workbook_without_formulas_is_opened_once(tmp_path, monkeypatch):
    times = []
    plain = openpyxl.load_workbook

    def counted(*given, **more):
        times.append(more)
        return plain(*given, **more)

    monkeypatch.setattr("geodata.bureau.grids.openpyxl.load_workbook", counted)
    book = openpyxl.Workbook()
    book.worksheets[0].append(["=nothing", 1])
    book.worksheets[0]["A1"].data_type = "s"  # a text that begins like a formula
    book.save(tmp_path / "a.xlsx")
    open_book(tmp_path / "a.xlsx", "a")
    assert len(times) == 1
    book.worksheets[0]["B1"] = "=1+1"
    book.save(tmp_path / "a.xlsx")
    assert (
        open_book(tmp_path / "a.xlsx", "a").formulas.worksheets[0]["B1"].value == "=1+1" and len(times) == 3
    )


def test_check_reads_a_county_once(sound, monkeypatch):
    reads = []
    plain = reading._assemble

    def counted(*given):
        reads.append(given)
        return plain(*given)

    monkeypatch.setattr(reading, "_assemble", counted)
    result = CliRunner().invoke(app, ["check", str(sound), "--lang", "en"])
    assert result.exit_code == 0, result.output
    assert len(reads) == 1
