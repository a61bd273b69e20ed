from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import openpyxl
import pandas as pd
import pytest
from pyproj import Geod

import geodata.folder.reading as reading
from geodata.contract.findings import InputProblems
from geodata.contract.tables import TABLES
from geodata.contract.validation.placed import Placed
from geodata.folder.own_tables import read_csv
from geodata.folder.reading import check, read_county
from geodata.folder.sharing import split_shared
from geodata.layers.coordinates import from_wgs84
from geodata.standards.reading import DEFAULT, merge
from tests.damage import bad, cells, contents, lines, put, settings, write, write_lines


@pytest.fixture(scope="module")
def county(nanpu):
    return read_county(nanpu)


def same_tables(one, two) -> None:
    for name, table in one.tables().items():
        pd.testing.assert_frame_equal(table, two.tables()[name], obj=name)


def to_workbook(folder, zh: bool) -> None:
    """All CSVs into one workbook, numbers as numbers, and the CSVs gone."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, table in TABLES.items():
        file = folder / f"{name}.csv"
        if not file.is_file():
            continue
        sheet = book.create_sheet(table.zh if zh else name)
        frame = cells(folder, name)
        heads = {c.name: c.zh for c in table.columns}
        sheet.append([heads[c] if zh else c for c in frame.columns])
        for row in frame.itertuples(index=False):
            sheet.append([_typed(v, c) for v, c in zip(row, frame.columns, strict=True)])
        file.unlink()
    book.create_sheet("说明").append(["read me"])
    book.save(folder / "county.xlsx")
    settings(folder, "townships =", 'workbook = "county.xlsx"\ntownships =')


def _typed(value: str, column: str) -> object:
    if column.endswith("_id") or not value:
        return value or None
    return {"True": True, "False": False}.get(
        value, float(value) if value.replace(".", "", 1).isdigit() else value
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_every_usual_encoding_gives_the_same_county(nanpu, county, county_folder, encoding):
    for file in county_folder.glob("*.csv"):
        write(county_folder, file.stem, cells(county_folder, file.stem), encoding)
    head = county_folder / "county.toml"
    head.write_text(head.read_text(encoding="utf-8"), encoding="utf-8-sig")  # as Notepad does
    same_tables(county, read_county(county_folder))


@pytest.mark.parametrize("zh", [True, False])
def test_one_workbook_gives_the_same_county_and_names_the_sheet_not_read(county, county_folder, zh):
    to_workbook(county_folder, zh)
    read = read_county(county_folder)
    same_tables(county, read)
    assert ("tables.extra_sheet", "county.xlsx [说明]") in {(f.key, f.file) for f in read.findings}


def test_a_fault_in_a_workbook_is_named_by_sheet_row_and_header(county_folder):
    put(county_folder, "school_stage", 7, "pupils", "-4")
    to_workbook(county_folder, zh=True)
    assert bad(check(county_folder)) == [
        ("tables.out_of_range", "county.xlsx [学段情况]", 7, "在校生数", "-4")
    ]


def test_a_table_in_two_places_is_refused_not_chosen(county_folder):
    table = cells(county_folder, "budget")
    to_workbook(county_folder, zh=False)
    write(county_folder, "budget", table)
    (one,) = [f for f in check(county_folder) if f.severity == "error"]
    assert one.key == "tables.two_sources" and one.file == "budget.csv"
    assert "county.xlsx [budget]" in one.sentence("en")


def test_a_workbook_named_but_absent_or_broken_is_one_fault(county_folder):
    to_workbook(county_folder, zh=False)
    (county_folder / "county.xlsx").write_bytes(b"PK not a workbook")
    assert [f[:2] for f in bad(check(county_folder))] == [("tables.not_a_workbook", "county.xlsx")]
    (county_folder / "county.xlsx").unlink()
    assert [f[:2] for f in bad(check(county_folder))] == [("tables.no_file", "county.xlsx")]


def test_row_order_columns_order_and_blank_rows_change_nothing(county, county_folder):
    for file in sorted(county_folder.glob("*.csv")):
        table = cells(county_folder, file.stem).iloc[::-1]
        write(county_folder, file.stem, table[table.columns[::-1]])
        text = lines(county_folder, file.stem)
        blank = "," * text[0].count(",")
        write_lines(county_folder, file.stem, [*text[:3], blank, "", *text[3:], blank])
    same_tables(county, read_county(county_folder))


def test_rows_after_blank_lines_are_named_as_the_spreadsheet_counts(county_folder):
    text = lines(county_folder, "school_stage")
    last = text[-1].split(",")
    last[1] = "senior"
    write_lines(county_folder, "school_stage", [text[0], "", "", *text[1:-1], ",".join(last)])
    assert bad(check(county_folder)) == [
        ("tables.not_a_choice", "school_stage.csv", len(text) + 2, "stage", "senior")
    ]


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (lambda t: [t[0], *(line + "," for line in t[1:])], "tables.not_a_table"),
        (lambda t: [*t[:4], t[4] + ",9", *t[5:]], "tables.not_a_table"),
        (lambda t: [t[0] + ",pupils", *(line + ",9" for line in t[1:])], "tables.twice"),
        (lambda t: [*t[:3], '"' + t[3], *t[4:]], "tables.not_a_table"),
        (lambda t: t[:1], "tables.no_rows"),
        (lambda t: [], "tables.not_a_table"),
    ],
    ids=["surplus comma everywhere", "surplus cell", "header twice", "open quote", "header only", "nothing"],
)
def test_a_csv_that_could_be_misread_is_refused(county_folder, change, key):
    """Each of these pandas would read by shifting, renaming or dropping cells."""
    write_lines(county_folder, "school_stage", change(lines(county_folder, "school_stage")))
    found = bad(check(county_folder))
    assert [f[:2] for f in found] == [(key, "school_stage.csv")]


def test_a_short_row_has_empty_cells_at_its_end(county_folder):
    text = lines(county_folder, "school_stage")
    text[4] = ",".join(text[4].split(",")[:5])
    write_lines(county_folder, "school_stage", text)
    found = check(county_folder)
    assert bad(found) == []  # what is measured may be empty: it is not known, and said
    gaps = {
        f.column: f.fields["count"]
        for f in found
        if f.key in ("tables.unknown_measure", "tables.unknown_places")
    }
    assert gaps["area_teaching"] == gaps["capacity_pupils"] == 1


@pytest.mark.parametrize("encoding", ["utf-16", "big5"])
def test_another_encoding_is_refused_and_says_what_to_save(county_folder, encoding):
    file = county_folder / "villages.csv"
    text = "\n".join(lines(county_folder, "villages")[:1]) + "\nV1,\u7881\u7881\u9f98\n"
    file.write_bytes(text.encode(encoding, "replace") + (b"\xff" if encoding == "big5" else b""))
    with pytest.raises(InputProblems) as problem:
        read_csv(file)
    assert problem.value.findings[0].key == "tables.encoding"
    assert "CSV UTF-8" in problem.value.findings[0].text("zh")


def test_coordinates_of_every_declared_system_come_out_in_wgs84_and_it_is_noted(county, county_folder):
    schools = cells(county_folder, "schools")
    for k, crs in enumerate(("gcj02", "bd09", "cgcs2000")):
        rows = schools.index[k::4]
        lon, lat = from_wgs84(
            schools.loc[rows, "lon"].to_numpy(float), schools.loc[rows, "lat"].to_numpy(float), crs
        )
        schools.loc[rows, "lon"], schools.loc[rows, "lat"] = lon.astype(str), lat.astype(str)
        schools.loc[rows, "crs"] = crs
    write(county_folder, "schools", schools)
    read = read_county(county_folder)
    a, b = county.schools, read.schools
    away = Geod(ellps="WGS84").inv(a["lon"], a["lat"], b["lon"], b["lat"])[2]
    assert np.max(away) < 0.01
    assert set(read.schools["crs"]) == {"wgs84"}
    notes = {f.fields["crs"]: f.fields["count"] for f in read.findings if f.key == "tables.converted"}
    assert notes == {"gcj02": len(schools.index[0::4]), "bd09": len(schools.index[1::4])}


def test_the_demo_s_own_faulty_rows_are_told_apart(county_folder):
    """One row with swapped axes is refused, one in BD-09 is converted (sources.md 7)."""
    schools = cells(county_folder, "schools")
    faulty = pd.read_csv(county_folder / "import_test" / "schools_bad.csv", dtype=str, keep_default_na=False)
    at = [schools.index[schools["school_id"] == i][0] for i in faulty["school_id"]]
    schools.loc[at, faulty.columns] = faulty.to_numpy()
    write(county_folder, "schools", schools)
    assert [f[:3] for f in bad(check(county_folder))] == [("tables.swapped", "schools.csv", at[0] + 2)]
    lon, lat = schools.loc[at[0], ["lon", "lat"]]
    schools.loc[at[0], ["lon", "lat"]] = [lat, lon]
    write(county_folder, "schools", schools)
    found = check(county_folder)
    assert not bad(found)
    assert [(f.fields["crs"], f.fields["count"]) for f in found if f.key == "tables.converted"] == [
        ("bd09", 1)
    ]


def stage_rows(*rows) -> pd.DataFrame:
    columns = [
        "school_id",
        "stage",
        "pupils",
        "shared_assets",
        "rooms_multimedia",
        "rooms_multimedia_working",
    ]
    frame = pd.DataFrame(rows, columns=columns)
    for area in ("area_teaching", "area_indoor_sport", "area_sport_ground", "equip_value"):
        frame[area] = np.where(frame["shared_assets"], 23226.0, 500.0)
    return frame


def divided(table, kind="nine_year", above=0):
    schools = pd.DataFrame({"school_id": table["school_id"].unique(), "kind": kind, "pupils_above": above})
    return split_shared(table, schools, merge(DEFAULT, {}))


@pytest.mark.parametrize(
    ("kind", "rows", "above", "shares"),
    [
        ("complete_secondary", [("N", "jun", 300, True, 9, 9)], 250, [300 / (300 + 1.2 * 250)]),
        (
            "twelve_year",
            [("N", "pri", 600, True, 60, 60), ("N", "jun", 300, True, 60, 60)],
            200,
            [600 / (600 + 330 + 264), 330 / (600 + 330 + 264)],
        ),
    ],
)
def test_grades_above_take_their_share(kind, rows, above, shares):
    # sources.md 1.4: complete secondary 1 : 1.2, twelve-year 1 : 1.1 : 1.32; what is left is not the county's
    done, _ = divided(stage_rows(*rows), kind, above)
    assert done["area_teaching"].tolist() == pytest.approx([23226.0 * s for s in shares])
    assert done["rooms_multimedia"].sum() <= rows[0][4]


def test_grades_above_must_be_known(county_folder):
    text = lines(county_folder, "schools")
    head = text[0].split(",")
    at = next(i for i, line in enumerate(text) if ",junior," in line)
    cells_of = text[at].split(",")
    cells_of[head.index("kind")] = "complete_secondary"
    text[at] = ",".join(cells_of)
    write_lines(county_folder, "schools", text)
    stage = lines(county_folder, "school_stage")
    shared = stage[0].split(",").index("shared_assets")
    for i, line in enumerate(stage):
        if line.startswith(cells_of[0] + ","):
            parts = line.split(",")
            parts[shared] = "true"
            stage[i] = ",".join(parts)
    write_lines(county_folder, "school_stage", stage)
    assert ("tables.pupils_above", "schools.csv", at + 1) in [f[:3] for f in bad(check(county_folder))]


def test_shared_assets_are_divided_as_in_the_published_example():
    # sources.md 1.4, golden test 2: 166 primary and 210 junior pupils, 23,226 books: 9,711.6 and 13,514.4
    done, ids = divided(
        stage_rows(
            ("N", "jun", 210, True, 26, 23), ("N", "pri", 166, True, 26, 23), ("P", "pri", 99, False, 4, 4)
        )
    )
    assert ids == ["N"]
    assert done["area_teaching"].round(1).tolist() == [13514.4, 9711.6, 500.0]
    assert done["rooms_multimedia"].tolist() == [15, 11, 4]
    assert (done["rooms_multimedia_working"] <= done["rooms_multimedia"]).all()
    assert done["rooms_multimedia_working"].iloc[:2].sum() == 23


@pytest.mark.parametrize("pupils", [(0, 0), (1, 0), (0, 7), (51, 49)])
def test_divided_assets_add_up_whatever_the_sizes(pupils):
    done, _ = divided(stage_rows(("N", "pri", pupils[0], True, 7, 6), ("N", "jun", pupils[1], True, 7, 6)))
    assert done["rooms_multimedia"].sum() == 7 and done["rooms_multimedia_working"].sum() == 6
    assert done["equip_value"].sum() == pytest.approx(23226.0)
    assert (done["rooms_multimedia"] >= 0).all()


def test_a_table_of_no_shared_assets_is_left_alone():
    table = stage_rows(("P", "pri", 99, False, 4, 4))
    done, ids = divided(table)
    assert ids == [] and done is table


def test_dividing_is_noted_and_the_demo_s_totals_are_kept(nanpu, county):
    written = cells(nanpu, "school_stage")
    shared = written[written["shared_assets"] == "True"]
    assert shared["school_id"].nunique() == 1 and len(shared) == 2
    school = shared["school_id"].iloc[0]
    assert [f.value for f in county.findings if f.key == "tables.shared_split"] == [school]
    rows = county.school_stage[county.school_stage["school_id"] == school]
    for column in ("area_teaching", "equip_value", "rooms_multimedia", "rooms_multimedia_working"):
        assert rows[column].sum() == pytest.approx(float(shared[column].iloc[0]))


@pytest.mark.parametrize(
    ("text", "key", "column"),
    [
        ("yaer = 2025\n", "settings.unknown_key", "yaer"), ('modelled = "all"\n', "settings.not_list", "modelled"),
        ('files = "schools.csv"\n', "settings.not_section", "files"), ("workbook = 7\n", "settings.not_text", "workbook"),
        ('[files]\nschool = "schools.csv"\n', "tables.unknown_table", "files"),
        ('[files]\nschools = "pupils.csv"\n', "tables.no_file", ""),
    ],
)  # fmt: skip
def test_county_toml_is_held_to_its_keys(county_folder, text, key, column):
    file = county_folder / "county.toml"
    file.write_text(file.read_text(encoding="utf-8") + text, encoding="utf-8")
    found = [f for f in check(county_folder) if f.severity == "error"]
    assert (found[0].key, found[0].column) == (key, column)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("year = 2025", "year = 1925", "settings.out_of_range"), ("year = 2025", 'year = "soon"', "settings.not_whole"),
        ("year = 2025", "", "settings.missing_key"), ("fictional = true", 'fictional = "perhaps"', "settings.not_flag"),
        ("year = 2025", "year = ", "settings.not_toml"), ("townships.geojson", "cells.geojson", "tables.no_file"),
        ("waters.geojson", "rivers.geojson", "tables.no_file"), ("waters.geojson", "budget.csv", "tables.unknown_layer"),
        ("year = 2025", 'year = 2025\nroads = "budget.csv"', "roads.unknown_kind"),
        ("year = 2025", 'year = 2025\nroads = "ways.graphml"', "tables.no_file"),
    ],
)  # fmt: skip
def test_a_wrong_value_in_county_toml_is_named(county_folder, old, new, key):
    settings(county_folder, old, new)
    found = [f for f in check(county_folder) if f.severity == "error"]
    assert [f.key for f in found] == [key]
    assert found[0].sentence("zh") != found[0].sentence("en")


def test_county_toml_in_gbk_is_refused_with_the_fix(county_folder):
    file = county_folder / "county.toml"
    file.write_text(file.read_text(encoding="utf-8"), encoding="gb18030")
    assert [f[:2] for f in bad(check(county_folder))] == [("settings.encoding", "county.toml")]


def test_without_roads_the_county_is_read_and_says_so(county_folder):
    read = read_county(county_folder)
    assert read.roads is None
    assert "tables.no_roads" in {f.key for f in read.findings if f.severity == "warning"}


def test_check_lists_errors_first_and_changes_no_file(county_folder):
    put(county_folder, "school_stage", 5, "pupils", "-1")
    before = contents(county_folder)
    order = [f.severity for f in check(county_folder)]
    assert order == sorted(order, key=["error", "warning", "note"].index)
    assert set(order) == {"error", "warning", "note"}
    assert contents(county_folder) == before


def test_reading_twice_gives_the_same_hash_and_another_county_another(nanpu, county, county_folder):
    assert read_county(nanpu).content_hash == county.content_hash
    put(county_folder, "school_stage", 2, "area_teaching", "9657")
    assert read_county(county_folder).content_hash != county.content_hash


def test_one_missing_file_per_table(county_folder):
    shutil.rmtree(county_folder / "import_test")
    for file in county_folder.glob("*.csv"):
        file.unlink()
    found = bad(check(county_folder))
    assert {f[1] for f in found if f[0] == "tables.no_table"} == {
        f"{t.name}.csv" for t in TABLES.values() if t.required and t.name != "enrolment_by_grade"
    }
    assert len(found) == len({f[1] for f in found})


@pytest.mark.parametrize("key", ["roads", "waters", "workbook", "mapping"])
def test_an_empty_file_name_is_refused_by_its_key(county_folder, key):
    file = county_folder / "county.toml"
    text = [one for one in file.read_text(encoding="utf-8").splitlines() if not one.startswith(key)]
    file.write_text("\n".join([f'{key} = ""', *text]) + "\n", encoding="utf-8")
    assert bad(check(county_folder)) == [("settings.empty", "county.toml", None, key, "")]


def test_a_far_point_or_a_broken_table_does_not_make_a_province_of_the_county(nanpu):
    tables = {
        n: Placed(t, f"{n}.csv", pd.Series(range(len(t)))) for n, t in read_county(nanpu).tables().items()
    }
    want = reading._box(tables)
    far = tables["villages"].frame.copy()
    far.loc[far.index[0], "lon"] = 18.3
    inner = reading._box(tables | {"villages": replace(tables["villages"], frame=far)})
    only = reading._box({"villages": tables["villages"]})
    for box in (inner, only):
        assert (
            want.west <= box.west <= box.east <= want.east
            and want.south <= box.south <= box.north <= want.north
        )
    assert reading._box({}) is None


def test_without_any_place_an_osm_file_is_not_read(county_folder):
    (county_folder / "big.osm.pbf").write_bytes(b"")
    settings(county_folder, "townships =", 'roads = "big.osm.pbf"\ntownships =')
    for table in ("schools", "villages"):
        frame = cells(county_folder, table)
        write(county_folder, table, frame.assign(lon="abc"))
    keys = [f.key for f in check(county_folder)]
    assert "roads.not_read" in keys and keys.count("tables.not_number") > 2


def test_another_separator_is_one_problem_not_one_a_column(county_folder):
    file = county_folder / "schools.csv"
    file.write_text(file.read_text(encoding="utf-8").replace(",", ";"), encoding="utf-8")
    assert [f.key for f in check(county_folder) if f.severity == "error"] == ["tables.separator"]
