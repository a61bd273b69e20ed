from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pyproj import Geod, Proj, Transformer

from geodata.contract.validation.headers import Raw
from geodata.folder.reading import check, read_county
from geodata.layers.projecting import in_degrees, system
from tests.damage import bad, cells, put, settings, write

GEOD = Geod(ellps="GRS80")
# sources.md 3.2 and the EPSG register: 6 degree zones 13-23 and 3 degree zones 25-45, with and without the
# zone number before the easting; independent of the register, as (first code, first centre, step, zone)
ZONES = [
    (code + k, centre + k * step, zone and zone + k)
    for code, centre, step, zone, count in (
        (4491, 75, 6, 13, 11), (4502, 75, 6, 0, 11), (4513, 75, 3, 25, 21), (4534, 75, 3, 0, 21),
    )
    for k in range(count)
]  # fmt: skip


def raw(lon, lat, crs) -> Raw:
    return Raw(pd.DataFrame({"name": "a", "lon": lon, "lat": lat, "crs": crs}, dtype=str), "villages.csv")


def moved(lon, lat, crs) -> tuple[list, pd.DataFrame]:
    done = in_degrees({"villages": raw(lon, lat, crs)}, {})
    return list(done.findings), done.raws["villages"].frame


@pytest.mark.parametrize(("code", "centre", "zone"), ZONES)
def test_gauss_krueger_zones_of_cgcs2000_come_back_within_a_millimetre(code, centre, zone):
    lon, lat = np.array([centre - 1.2, centre + 0.3, centre + 1.4]), np.array([38.0, 39.2, 40.1])
    if centre >= 129:  # the register's area of these zones lies in the north-east only
        lat += 8
    # defined here by its parameters, not by the register: scale 1, 500 km false easting, zone millions
    x, y = Proj(proj="tmerc", lon_0=centre, k=1, x_0=500_000 + zone * 1_000_000, ellps="GRS80")(lon, lat)
    findings, frame = moved([f"{v:.4f}" for v in x], [f"{v:.4f}" for v in y], f"EPSG:{code}")
    assert [f.key for f in findings] == ["tables.converted"]
    _, _, off = GEOD.inv(lon, lat, frame["lon"].astype(float), frame["lat"].astype(float))
    assert max(off) < 0.001
    assert set(frame["crs"]) == {"wgs84"}


@pytest.mark.parametrize("code", [4326, 4490, 32650, 3857, 4547])
def test_other_systems_come_back_within_a_metre(code):
    lon, lat = np.array([118.325, 118.4]), np.array([30.916, 31.0])
    x, y = Transformer.from_crs(4326, code, always_xy=True).transform(lon, lat)
    findings, frame = moved([repr(float(v)) for v in x], [repr(float(v)) for v in y], f"epsg {code}")
    assert [f.key for f in findings] == ["tables.converted"]
    _, _, off = GEOD.inv(lon, lat, frame["lon"].astype(float), frame["lat"].astype(float))
    assert max(off) < 0.001


@pytest.mark.parametrize("code", [4214, 4610, 2385])
def test_another_datum_is_converted_with_a_warning(code):
    x, y = Transformer.from_crs(4326, code, always_xy=True).transform([118.3], [30.9])
    findings, _ = moved([repr(x[0])], [repr(y[0])], f"EPSG:{code}")
    assert [(f.severity, f.key) for f in findings] == [
        ("note", "tables.converted"), ("warning", "tables.other_datum"),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["EPSG:4545", "epsg:4545", "EPSG 4545", "ＥＰＳＧ：４５４５", "epsg4545"])
def test_a_system_may_be_written_as_people_write_it(text):
    assert system(text).to_epsg() == 4545


@pytest.mark.parametrize("text", ["", "4545", "EPSG:", "EPSG:1", "EPSG:999999", "EPSG:5773", "gcj02"])
def test_no_system_no_guess(text):
    assert system(text) is None


def plane(folder, table, code=4548):
    """A place table in a plane system (CGCS2000, centre 117 E) with an empty crs column."""
    frame = cells(folder, table)
    to = Transformer.from_crs(4490, code, always_xy=True)
    x, y = to.transform(frame["lon"].astype(float), frame["lat"].astype(float))
    frame["lon"], frame["lat"], frame["crs"] = [f"{v:.4f}" for v in x], [f"{v:.4f}" for v in y], ""
    write(folder, table, frame)


def declare(folder, **systems):
    file = folder / "county.toml"
    lines = "".join(f'{t} = "{c}"\n' for t, c in systems.items())
    file.write_text(file.read_text(encoding="utf-8") + f"\n[crs]\n{lines}", encoding="utf-8")


def test_a_system_declared_for_the_files_gives_the_same_county(nanpu, county_folder):
    want = read_county(nanpu)
    for table in ("schools", "villages"):
        plane(county_folder, table)
    declare(county_folder, schools="EPSG:4548", villages="EPSG:4548")
    have = read_county(county_folder)
    for table in ("schools", "villages"):
        a, b = getattr(want, table), getattr(have, table)
        _, _, off = GEOD.inv(a["lon"], a["lat"], b["lon"], b["lat"])
        assert max(off) < 0.01
    said = [(f.key, f.file) for f in have.findings if f.key == "tables.crs_of_file"]
    assert said == [("tables.crs_of_file", "schools.csv"), ("tables.crs_of_file", "villages.csv")]


def test_a_row_s_own_system_wins_over_the_file_s(county_folder):
    plane(county_folder, "villages")
    put(county_folder, "villages", 3, "lon", "118.0")
    put(county_folder, "villages", 3, "lat", "30.9")
    put(county_folder, "villages", 3, "crs", "wgs84")
    declare(county_folder, villages="EPSG:4548")
    (found,) = [f for f in check(county_folder) if f.key == "tables.crs_of_file"]
    assert found.fields["count"] == len(cells(county_folder, "villages")) - 1


def test_a_file_without_the_column_takes_the_declared_system(county_folder):
    write(county_folder, "villages", cells(county_folder, "villages").drop(columns="crs"))
    assert bad(check(county_folder)) == [("tables.missing_column", "villages.csv", None, "crs", "")]
    declare(county_folder, villages="wgs84")
    assert bad(check(county_folder)) == []


def test_an_unknown_system_in_county_toml_is_named(county_folder):
    declare(county_folder, villages="EPSG:4")
    assert ("tables.not_a_system", "county.toml", None, "crs.villages", "EPSG:4") in bad(check(county_folder))


def test_an_unknown_table_under_crs_is_named(county_folder):
    declare(county_folder, demand="wgs84")
    (found,) = check(county_folder)
    assert (found.severity, found.file, found.column) == ("error", "county.toml", "crs.demand")


@pytest.mark.parametrize(
    ("row", "key", "column"),
    [
        ({"crs": "EPSG:999999"}, "tables.not_a_system", "crs"),
        ({"crs": "EPSG-4548"}, "tables.not_a_system", "crs"),
        ({"crs": "utm"}, "tables.not_a_system", "crs"),
        ({"crs": "EPSG:4548", "lon": "x"}, "tables.not_number", "lon"),
        ({"crs": "EPSG:4548", "lon": ""}, "tables.empty", "lon"),
        ({"crs": "EPSG:4548", "lon": "3423000", "lat": "596000"}, "tables.swapped", "lon, lat"),
        ({"crs": "EPSG:4548", "lon": "39596000", "lat": "3423000"}, "tables.outside_system_try", "lon, lat"),
        ({"crs": "wgs84", "lon": "596,000.5", "lat": "30.9"}, "tables.not_degrees", "lon"),
        ({"crs": "wgs84", "lon": "118325123", "lat": "30.9"}, "tables.not_degrees", "lon"),
    ],
)
def test_what_cannot_be_converted_is_an_error_at_its_cell(county_folder, row, key, column):
    for name, value in row.items():
        put(county_folder, "villages", 5, name, value)
    (found,) = [f for f in check(county_folder) if f.severity == "error"]
    assert (found.key, found.file, found.row, found.column) == (key, "villages.csv", 5, column)
    for language in ("en", "zh"):
        assert found.sentence(language)


def test_a_system_in_chinese_headers_is_read(county_folder):
    plane(county_folder, "villages")
    frame = cells(county_folder, "villages").assign(crs="EPSG:4548")
    write(county_folder, "villages", frame.rename(columns={"lon": "经度", "lat": "纬度", "crs": "坐标系"}))
    assert bad(check(county_folder)) == []


def test_county_toml_declares_and_settings_stay_strict(county_folder):
    settings(county_folder, "townships =", 'crs = "EPSG:4548"\ntownships =')
    (found,) = check(county_folder)
    assert (found.file, found.column, found.severity) == ("county.toml", "crs", "error")
