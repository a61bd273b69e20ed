"""Formulas, shares, factors and lost decimal points of a mapping; rows of a national list that are the county's."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata.bureau.conversion import convert, wanted
from geodata.bureau.cutting import filtered
from geodata.bureau.formulas import factor_of, read_formula, repairable, share_of, with_point
from geodata.bureau.grids import Grid
from geodata.bureau.mapping import Bound, Source, read_mapping
from geodata.bureau.workbooks import decimal, read_sheet
from geodata.contract.findings import InputProblems, errors
from geodata.folder.reading import check, read_county

F = Fraction


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[a]+[b]", 5), ("[a] - [b] * 2", -4), ("([a]-[b])*2", -2), ("-[a] + 10/[b]", F(4, 3)), ("[a]/3/2", F(1, 3)), ("-(-[a])", 2), ("0.5*[a]", 1), ("2--[b]", 5),
    ],
)  # fmt: skip
def test_formulas(text, value):
    assert read_formula(text).value({"a": F(2), "b": F(3)}) == value


@pytest.mark.parametrize(
    "text",
    ["", "[a]+", "[a] [b]", "([a]", "[a])", "()", "5", "[a]**2", "a+b", "__import__('os')", "[a]+" * 200 + "[a]", "*[a]", "[]", "(" * 300 + "[a]"],
)  # fmt: skip
def test_what_is_no_formula(text):
    assert read_formula(text) is None


def test_dividing_by_nought_gives_no_number():
    assert read_formula("[a]/([b]-[b])").value({"a": F(2), "b": F(3)}) is None


@given(st.integers(0, 10**6), st.lists(st.integers(1, 20), min_size=1, max_size=9))
def test_shares_of_heads_add_up(total, weights):
    parts = [F(w, sum(weights)) for w in weights]
    done = [share_of(F(total), sum(parts[:i], F(0)), p, True) for i, p in enumerate(parts)]
    assert sum(done) == total
    assert all(d.denominator == 1 and abs(d - total * p) < 1 for d, p in zip(done, parts, strict=True))


def test_a_decimal_point_goes_back_into_its_range():
    assert with_point(F(10234567), F(100), F(105)) == F("102.34567")
    assert with_point(F("-7722292"), F("-8.3"), F("-5")) == F("-7.722292")
    assert with_point(F(102), F(100), F(105)) == 102
    assert with_point(F(99), F(100), F(105)) is None and with_point(F(10**40), F(100), F(105)) is None
    assert repairable(100, 105) and repairable(-8, -5)
    assert not any(
        repairable(*r) for r in ((5, 1), (-1, 1), (1, 10), (0, 5), (float("nan"), 2), (1, float("inf")))
    )


@pytest.mark.parametrize(
    ("given", "value"),
    [(7.25, F("7.25")), ("1/7", F(1, 7)), (1e-7, F(1, 10**7)), ("0", None), (-1.0, None), ("1/0", None), (float("inf"), None), (float("nan"), None), ("1e9999999", None), ("x", None)],
)  # fmt: skip
def test_factors(given, value):
    assert factor_of(given) == value


@pytest.mark.parametrize("text", ["1e999999999", "-1e999999999", "1e-999999999", "9" * 5000])
def test_a_number_without_end_is_no_number(text):
    """An exact sum with it would take all memory."""
    assert decimal(text) is None


def made(rows, **keys):
    source = Source(table="school_stage", file="a.csv", **keys)
    sheet = read_sheet(Grid("a.csv", rows), wanted(source))
    sheet, told = filtered(source, sheet)
    pieces, found = convert(source, sheet, {})
    return pieces, [*told, *found]


LIST = [
    ["id", "boys", "girls", "cost", "area"],
    ["1", "10", "11", "1,000", "N"],
    ["2", "7", "", "5.5", "S"],
    ["3", "x", "4", "", "N"],
]


def test_columns_are_worked_out_and_said():
    pieces, found = made(
        LIST,
        columns={
            "school_id": "id", "pupils": Bound(formula="[boys]+[girls]"),
            "equip_value": Bound(heading="cost", factor="9.1", unit="pounds"),
        },
        constants={"stage": "pri"},
    )  # fmt: skip
    (piece,) = pieces
    assert list(piece.frame["pupils"]) == ["21", "", "x"]
    assert list(piece.frame["equip_value"]) == ["9100", "50.05", ""]
    assert {"bureau.formula_done", "bureau.times"} <= {f.key for f in found} and not errors(found)


def test_a_total_is_shared_out_over_blocks():
    def block(stage, share):
        return {
            "columns": {"pupils": Bound(heading="boys", share=share)},
            "constants": {"stage": stage},
        }

    pieces, _ = made(LIST[:3], columns={"school_id": "id"}, blocks=[block("pri", "2/3"), block("jun", "1/3")])
    assert [list(p.frame["pupils"]) for p in pieces] == [["7", "5"], ["3", "2"]]


def test_rounded_results_and_divisions_by_nought_are_said():
    rows = [["id", "a", "b"], ["1", "7", "2"], ["2", "7", "0"]]
    pieces, found = made(rows, columns={"school_id": "id", "pupils": Bound(formula="[a]/[b]")})
    assert pieces == []
    assert {("bureau.rounded", 2), ("bureau.formula_nought", 3)} <= {(f.key, f.row) for f in found}


def test_rows_are_kept_and_left_by_words():
    pieces, found = made(LIST, columns={"school_id": "id"}, keep={"area": ("N", "Nn")}, leave={"id": (3,)})
    assert list(pieces[0].frame["school_id"]) == ["1"]
    said = {f.key: f for f in found}
    assert said["bureau.filtered"].fields == {"count": 2, "kept": 1}
    assert said["bureau.filter_word"].value == "Nn" and said["bureau.filter_word"].fields["near"] == "N"
    assert {f.key for f in made(LIST, columns={"school_id": "id"}, keep={"area": ("W",)})[1]} >= {
        "bureau.filter_empty"
    }


BAD = {
    'pupils = { heading = "a", formula = "[b]" }': "heading_or_formula",
    "pupils = {}": "heading_or_formula",
    'pupils = { formula = "[a" }': "formula_form",
    'pupils = { heading = "a", factor = "x" }': "factor_form",
    'pupils = { heading = "a", share = 0 }': "factor_form",
    'pupils = { heading = "a", share = 1.5 }': "shares",
    'equip_value = { heading = "a", unit = "万元", factor = 2 }': "unit_and_factor",
    'pupils = { heading = "a", between = [1, 100] }': "between_form",
    'stage = { heading = "a", factor = 2 }': "no_sums",
}


@pytest.mark.parametrize("line", BAD)
def test_what_a_mapping_cannot_ask(tmp_path, line):
    text = f'[[source]]\ntable = "school_stage"\nfile = "a.csv"\n[source.columns]\nschool_id = "id"\n{line}\n'
    (tmp_path / "m.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InputProblems) as problem:
        read_mapping(tmp_path / "m.toml")
    assert {f.key for f in problem.value.findings} == {f"bureau.{BAD[line]}"}


NATIONAL = """code,school,area,type,lon,lat,y1-3,y4-6,rooms,state
11,Alder,Erne,primary,1183000,30.90,40,41,6,open
12,Birch,Erne,primary,118.34,3091,31,20,6,open
13,Cedar,Erne,primary,118.36,30.92,22,30,5,shut
14,Dogwood,Bann,primary,118.39,30.93,22,30,5,open
15,Elder,Bann,primary,119.90,30.93,22,30,5,open
16,Fir,Erne,college,118.31,30.91,22,30,5,open
"""
FIGURES = "school code,seats,sqm\n11,150,900\n12,120,800\n14,110,700\n99,1,1\n15,500,1\n"
ALL_IN_MAPPING = """
[[source]]
table = "schools"
file = "national.csv"
keep = { type = ["primary"] }
leave = { state = ["shut"] }
within = "boundary.geojson"
[source.columns]
school_id = "code"
name = "school"
township = "area"
lon = { heading = "lon", between = [110, 125] }
lat = { heading = "lat", between = [30, 32] }
[source.constants]
crs = "wgs84"
kind = "primary"
zone = "rural"
public = true
status = "open"
grades_served = "1-6"
[[source]]
table = "school_stage"
file = "national.csv"
known = true
[source.columns]
school_id = "code"
pupils = { formula = "[y1-3] + [y4-6]" }
classes = "rooms"
[source.constants]
stage = "pri"
[[source]]
table = "school_stage"
join = true
known = true
file = "figures.csv"
constants = { stage = "pri" }
[source.columns]
school_id = "school code"
capacity_pupils = "seats"
area_teaching = "sqm"
[[source]]
table = "villages"
file = "national.csv"
keep = { type = ["primary"] }
leave = { state = ["shut"] }
within = "boundary.geojson"
[source.columns]
village_id = "code"
name = "school"
township = "area"
lon = { heading = "lon", between = [110, 125] }
lat = { heading = "lat", between = [30, 32] }
[source.constants]
crs = "wgs84"
[[source]]
table = "demand"
file = "national.csv"
known = true
constants = { year = 2025 }
columns = { village_id = "code" }
blocks = [
  { columns = { pupils_base = "y1-3" }, constants = { band = "g1_3" } },
  { columns = { pupils_base = "y4-6" }, constants = { band = "g4_6" } },
]
"""


@pytest.fixture
def national(tmp_path):
    (tmp_path / "county.toml").write_text('name = "Erne"\nyear = 2025\nmapping = "mapping.toml"\n')
    (tmp_path / "national.csv").write_text(NATIONAL)
    (tmp_path / "figures.csv").write_text(FIGURES)
    (tmp_path / "mapping.toml").write_text(ALL_IN_MAPPING)
    square = [[118, 30], [119, 30], [119, 32], [118, 32], [118, 30]]
    layer = {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [square]}}]}  # fmt: skip
    (tmp_path / "boundary.geojson").write_text(json.dumps(layer))
    return tmp_path


def test_a_national_list_becomes_a_county_within_the_mapping(national):
    county = read_county(national)
    assert county.schools["school_id"].to_list() == ["11", "12", "14"]
    assert county.schools["lon"].to_list() == [118.3, 118.34, 118.39]
    assert county.schools["lat"].to_list() == [30.9, 30.91, 30.93]
    assert county.school_stage["pupils"].to_list() == [81, 51, 52]
    assert county.school_stage["capacity_pupils"].to_list() == [150, 120, 110]
    assert county.demand["pupils_base"].sum() == 184
    said = {f.key for f in county.findings}
    assert {"bureau.filtered", "bureau.cut", "bureau.known_only", "bureau.point_back"} <= said


def test_a_row_without_a_point_is_one_problem(national):
    text = NATIONAL.replace("1183000,30.90", ",")
    (national / "national.csv").write_text(text)
    wrong = {(f.key, f.file, f.row, f.column) for f in errors(check(national)) if f.table == "schools"}
    assert wrong == {("bureau.no_point", "national.csv", 2, "lon, lat")}


def test_a_boundary_stays_in_the_folder(national):
    mapping = ALL_IN_MAPPING.replace('within = "boundary.geojson"', 'within = "../../b.geojson"')
    (national / "mapping.toml").write_text(mapping)
    assert {f.key for f in errors(check(national))} == {"tables.outside"}


def test_a_boundary_elsewhere_and_a_range_that_fits_nothing_are_errors(national):
    layer = (national / "boundary.geojson").read_text().replace("118,", "18,").replace("119,", "19,")
    (national / "boundary.geojson").write_text(layer)
    assert "bureau.cut_empty" in {f.key for f in errors(check(national))}
    (national / "mapping.toml").write_text(ALL_IN_MAPPING.replace("[30, 32]", "[45, 50]"))
    assert "bureau.not_between" in {f.key for f in errors(check(national))}
