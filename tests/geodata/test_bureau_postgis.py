"""Tables read from a real PostgreSQL with PostGIS, started for the tests."""

from __future__ import annotations

import pandas as pd
import psycopg
import pytest

from geodata.contract.findings import InputProblems
from geodata.folder.databases import read_postgis
from geodata.folder.reading import check, read_county
from tests.geodata import postgis
from tests.geodata.bureau_files import bind, tables, village_points

pytestmark = pytest.mark.skipif(bool(postgis.why_not()), reason=postgis.why_not() or "-")
HOST = ("127.0.0.1",)
MAPPING = """
[[source]]
table = "villages"
postgis = "{connection}"
layer = "land.村庄"
[source.columns]
village_id = "村编号"
name = "村名"
township = "所在乡镇"
road_access = "通路"
terrain = "地形"
island_or_dyke = "圩堤"
"""


@pytest.fixture(scope="module")
def database():
    with postgis.server() as connection:
        yield connection


@pytest.fixture
def link(database):
    """A connection to an empty schema ``land``."""
    with psycopg.connect(database, autocommit=True) as one:
        one.execute("drop schema if exists land cascade")
        one.execute("create schema land")
        yield one


def fill(link, plain, srid: int = 4490) -> None:
    """The villages as the land bureau keeps them, in an order of its own."""
    points = village_points(plain).to_crs(srid).iloc[::-1]
    columns = ", ".join(f'"{c}" text' for c in points.columns if c not in ("geometry", "圩堤"))
    link.execute(
        f'create table land."村庄" ({columns}, "圩堤" boolean, geom geometry(Point, {srid}), primary key ("村编号"))'
    )
    rows = [
        (*row[:-2], row[-2] == "是", row[-1].wkb_hex)
        for row in points.itertuples(index=False, name=None)
    ]  # fmt: skip
    with link.cursor() as cursor:
        cursor.executemany(
            f'insert into land."村庄" values (%s, %s, %s, %s, %s, %s, ST_SetSRID(%s::geometry, {srid}))', rows
        )


def bound(folder, database) -> dict[str, pd.DataFrame]:
    plain = tables(folder)
    (folder / "villages.csv").unlink()
    bind(folder, MAPPING.format(connection=database))
    return plain


def test_villages_from_postgis_read_the_same_county(county_folder, database, link):
    wanted = read_county(county_folder)
    fill(link, bound(county_folder, database))
    county = read_county(county_folder, databases=HOST)
    for name, table in wanted.tables().items():
        pd.testing.assert_frame_equal(county.tables()[name], table, check_exact=True, obj=name)


def test_plane_coordinates_are_converted_and_said(county_folder, database, link):
    wanted = read_county(county_folder)
    fill(link, bound(county_folder, database), srid=4549)  # CGCS2000, 3-degree belt of 120 E
    county = read_county(county_folder, databases=HOST)
    assert (county.villages[["lon", "lat"]] - wanted.villages[["lon", "lat"]]).abs().max().max() < 1e-8
    notes = [f for f in county.findings if f.key == "bureau.reprojected"]
    assert [f.file for f in notes] == ["PostGIS [land.村庄]"]


def test_a_fault_is_named_with_table_row_and_column(county_folder, database, link):
    fill(link, bound(county_folder, database))
    link.execute("""update land."村庄" set "地形" = '山地' where "村编号" = 'C003'""")
    (fault,) = [
        f
        for f in check(county_folder, databases=HOST)
        if f.severity == "error" and f.key == "tables.not_a_choice"
    ]
    assert (fault.file, fault.row, fault.column, fault.value) == ("PostGIS [land.村庄]", 3, "地形", "山地")


def test_the_database_is_only_read(database, link):
    link.execute("create table land.one (name text)")
    link.execute("create function land.grow() returns text volatile language sql as "
                 "$$ insert into land.one values ('x'); select 'x' $$")  # fmt: skip
    link.execute("create view land.trap as select land.grow() as name")
    with pytest.raises(InputProblems) as problem:
        read_postgis(database, "land.trap", "trap", None, None)
    assert problem.value.findings[0].key == "bureau.database"
    assert link.execute("select count(*) from land.one").fetchone() == (0,)


def test_names_are_never_taken_for_sql(database, link):
    link.execute('create table land."a""; drop schema land" ("x"";" text)')
    link.execute('insert into land."a""; drop schema land" values (%s)', ("甲",))
    sheet = read_postgis(database, 'land.a"; drop schema land', "odd", None, None)
    assert (sheet.headings, sheet.frame.iloc[0, 0]) == (('x";',), "甲")


def test_a_host_that_the_user_has_not_named_is_never_asked(county_folder, database):
    bound(county_folder, database)
    for databases in ((), ("localhost",), ("db.example.org",)):
        (fault,) = [f for f in check(county_folder, databases=databases) if f.severity == "error"]
        assert (fault.key, fault.fields["host"]) == ("bureau.host_not_named", "127.0.0.1")


@pytest.mark.parametrize(
    ("connection", "layer", "key"),
    [
        ("{good} password=secret", "land.村庄", "bureau.password"),
        ("postgresql://postgres:secret@127.0.0.1/x", "land.村庄", "bureau.password"),
        ("{good} passfile=/etc/secret", "land.村庄", "bureau.connection_parts"),
        ("{good} sslmode=disable", "land.村庄", "bureau.connection_parts"),
        ("{good} require_auth=password", "land.村庄", "bureau.connection_parts"),
        ("host=h password=a secret", "land.村庄", "bureau.database"),
        ("{good}", "land.nothing", "bureau.no_layer"),
        ("host=127.0.0.1 port=1 dbname=x user=x", "land.村庄", "bureau.database"),
        ("no connection at all", "land.村庄", "bureau.database"),
    ],
)
def test_what_cannot_be_read_is_said(database, link, connection, layer, key):
    with pytest.raises(InputProblems) as problem:
        read_postgis(connection.format(good=database), layer, "db", None, None)
    (fault,) = problem.value.findings
    assert fault.key == key
    assert "secret" not in fault.sentence()
