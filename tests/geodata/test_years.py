"""A ledger of years: the same contract as a file and in a real database; whatever was tampered with is found and named."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pandas as pd
import psycopg
import pyogrio
import pytest

from geodata.contract.findings import InputProblems
from geodata.years.chain import Chain, YearEntry, chain_findings, chained, seal_of
from geodata.years.county_record import LEFT_OUT, county_from, county_record
from geodata.years.ledger import YearLedger, open_ledger
from tests.counties import BUNDLED, bundled_county, with_file
from tests.geodata import postgis
from tests.samples import small_county

ROOT = Path(__file__).resolve().parents[2]
needs_postgis = pytest.mark.skipif(bool(postgis.why_not()), reason=postgis.why_not() or "-")
OURS = '[[rule]]\nid = "closures_share"\nquantity = "q"\noperator = "<="\nvalue = 0.2\nunit = "share"\nkind = "hard"\n'


def entry(year: int, payload: str = "{}") -> YearEntry:
    return YearEntry(0, year, "tables", "试县", f"{year:064d}", payload)


def fill(ledger: YearLedger, *years: int) -> None:
    for year in years:
        ledger.append(lambda _, year=year: [entry(year)])


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgis.server() as connection:
        yield connection


@pytest.fixture(params=["file", pytest.param("database", marks=needs_postgis)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty ledger's place: a file, or a schema of the database."""
    if request.param == "file":
        return str(tmp_path / "years.gpkg")
    connection = request.getfixturevalue("server")
    with psycopg.connect(connection, autocommit=True) as link:
        link.execute("drop schema if exists junheng cascade")
    return str(connection)


def meddle(place: str, *statements: str) -> None:
    """Change a ledger behind its back: somebody with the rights to do it takes the triggers away first."""
    if place.endswith(".gpkg"):
        with closing(sqlite3.connect(place)) as base, base:
            base.execute("drop trigger supervision_stays")
            base.execute("drop trigger supervision_keeps")
            for one in statements:
                base.execute(one)
        return
    with psycopg.connect(place, autocommit=True) as link:
        link.execute("set search_path to junheng")
        link.execute("drop trigger stays on supervision")
        for one in statements:
            link.execute(one)


def test_entries_come_back_sealed_to_one_another(place: str) -> None:
    ledger = open_ledger(place)
    with pytest.raises(InputProblems, match=r"archive"):
        ledger.read()
    added = ledger.append(lambda chain: [entry(2024), entry(2025)] if not chain.entries else [])
    fill(ledger, 2026)
    chain = ledger.read()
    assert [e.number for e in chain.entries] == [1, 2, 3] and list(chain.entries[:2]) == added
    assert chain.entries[0].previous == "" and all(seal_of(e) == e.seal for e in chain.entries)
    assert [e.previous for e in chain.entries[1:]] == [e.seal for e in chain.entries[:2]]
    assert (chain.count, chain.head) == (3, chain.entries[-1].seal)
    assert chain_findings(chain) == [] and chain_findings(chain, chain.entries[1].seal[:10]) == []


def test_file_and_database_seal_alike(place: str, tmp_path: Path) -> None:
    fill(open_ledger(place), 2024, 2025)
    other = open_ledger(str(tmp_path / "other.gpkg"))
    fill(other, 2024, 2025)
    assert open_ledger(place).read().entries == other.read().entries


def test_nothing_is_changed_or_removed_by_mistake(place: str) -> None:
    fill(open_ledger(place), 2024)
    for one in ("update supervision set year = 2020", "delete from supervision"):
        if place.endswith(".gpkg"):
            with closing(sqlite3.connect(place)) as base, pytest.raises(sqlite3.Error, match="append-only"):
                base.execute(one)
        else:
            with psycopg.connect(place) as link, pytest.raises(psycopg.Error, match="append-only"):
                link.execute(one.replace("supervision", "junheng.supervision", 1))
    assert chain_findings(open_ledger(place).read()) == []


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (("update supervision set payload = '[1]' where number = 2",), ["entry 2 (2025"]),
        (("update supervision set year = 2023 where number = 1",), ["entry 1 (2023"]),
        (("delete from supervision where number = 2",), ["entry 2 is missing"]),
        (("delete from supervision where number = 4",), ["entry 4 is missing"]),
        (
            ("update supervision set number = 9 where number = 2", "update supervision set number = 2 where number = 3",
             "update supervision set number = 3 where number = 9"),
            ["entry 2 (2026, 00000000) was filed as entry 3", "entry 3 (2025, 00000000) was filed as entry 2"],
        ),
        (
            ("delete from supervision where number = 4",
             "update supervision_head set count = 3"), ["the ledger ends with entry 3, and its head says 3"],
        ),
    ],
)  # fmt: skip
def test_what_was_tampered_with_is_named(place: str, statements: tuple[str, ...], said: list[str]) -> None:
    ledger = open_ledger(place)
    fill(ledger, 2024, 2025, 2026, 2027)
    meddle(place, *statements)
    found = [f.text("en") for f in chain_findings(ledger.read())]
    assert len(found) == len(said) and all(any(s in f for f in found) for s in said), found


def forged(chain: Chain, at: int) -> Chain:
    """The chain with one entry replaced by another that bears a seal of its own."""
    entries = list(chain.entries)
    new = replace(entries[at], payload="[2]")
    entries[at] = replace(new, seal=seal_of(new))
    head = entries[-1].seal if at == len(entries) - 1 else chain.head
    return replace(chain, entries=tuple(entries), head=head)


def test_a_replaced_entry_is_named_and_a_rewritten_ledger_by_an_earlier_seal(tmp_path: Path) -> None:
    ledger = open_ledger(str(tmp_path / "years.gpkg"))
    fill(ledger, 2024, 2025, 2026)
    chain = ledger.read()
    (found,) = chain_findings(forged(chain, 1))
    assert "entry 3 (2026, 00000000) is sealed to another entry than entry 2" in found.text("en")
    whole = replace(chain, entries=(), count=0, head="")
    rewritten = chained(whole, [replace(e, payload="[3]") for e in chain.entries])
    again = replace(chain, entries=tuple(rewritten), head=rewritten[-1].seal)
    assert chain_findings(again) == []  # nothing within the ledger can tell
    (found,) = chain_findings(again, chain.entries[0].seal)
    assert "no entry bears the seal" in found.text("en")
    assert chain_findings(forged(chain, 2)) == [] and chain_findings(forged(chain, 2), chain.head)


def test_a_second_writer_is_told_and_nothing_is_added(place: str) -> None:
    ledger = open_ledger(place)
    fill(ledger, 2024)

    said: list[str] = []

    def meanwhile(_: Chain) -> list[YearEntry]:
        said.append(_apart(place, 2025))
        return [entry(2026)]

    ledger.append(meanwhile)
    assert "another run" in said[0]
    assert [e.year for e in ledger.read().entries] == [2024, 2026]


def _apart(place: str, year: int) -> str:
    """Append from another process: what it says when it is refused."""
    code = (
        "import sys; from geodata.years.ledger import open_ledger; from geodata.years.chain import YearEntry\n"
        "from geodata.contract.findings import InputProblems\n"
        "try: open_ledger(sys.argv[1]).append(lambda c: [YearEntry(0, int(sys.argv[2]), 'tables', 'x', 'y', '{}')])\n"
        "except InputProblems as p: print(p.findings[0].text('en'))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, place, str(year)], cwd=ROOT, capture_output=True, text=True, check=True)  # fmt: skip
    return done.stdout


def _eager(place: str, first: int) -> None:
    for year in range(first, first + 4):
        while True:
            try:
                open_ledger(place).append(lambda _, year=year: [entry(year)])
                break
            except InputProblems as problem:
                assert problem.findings[0].key in ("cli.in_use", "supervision.busy")


def test_two_eager_writers_do_not_fork_the_ledger(place: str) -> None:
    fill(open_ledger(place), 2000)
    context = multiprocessing.get_context("fork")
    hands = [context.Process(target=_eager, args=(place, first)) for first in (2010, 2020)]
    for one in hands:
        one.start()
    for one in hands:
        one.join(60)
    chain = open_ledger(place).read()
    assert [one.exitcode for one in hands] == [0, 0]
    assert chain_findings(chain) == [] and chain.count == 9
    assert {e.year for e in chain.entries} == {2000, *range(2010, 2014), *range(2020, 2024)}


def _killed(place: str) -> None:
    """Append an entry too large for any cache, and die before it is whole."""
    import geodata.years.ledger_database as database
    import geodata.years.ledger_file as file

    def dying(chain: Chain, wanted: list[YearEntry]) -> list[YearEntry]:
        done = chained(chain, wanted)

        class Last:
            def __getattr__(self, _: str) -> object:
                os.kill(os.getpid(), signal.SIGKILL)
                return None

        return [*done, Last()]  # type: ignore[list-item]

    file.chained = database.chained = dying  # type: ignore[assignment]
    open_ledger(place).append(lambda _: [entry(2025, json.dumps("x" * 8_000_000))])


def test_a_killed_write_leaves_the_ledger_whole(place: str) -> None:
    ledger = open_ledger(place)
    fill(ledger, 2024)
    child = multiprocessing.get_context("fork").Process(target=_killed, args=(place,))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    if place.endswith(".gpkg"):
        assert Path(f"{place}-journal").exists()  # it did die half-way
    assert [e.year for e in ledger.read().entries] == [2024]
    fill(ledger, 2026)
    assert [e.year for e in ledger.read().entries] == [2024, 2026] and chain_findings(ledger.read()) == []


def test_a_first_write_that_is_killed_leaves_no_ledger(tmp_path: Path) -> None:
    place = str(tmp_path / "years.gpkg")
    child = multiprocessing.get_context("fork").Process(target=_killed, args=(place,))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL and not Path(place).exists()
    fill(open_ledger(place), 2024)
    assert open_ledger(place).read().count == 1
    assert [p.name for p in tmp_path.iterdir()] == ["years.gpkg"]


def test_the_file_is_a_geopackage_and_its_bytes_follow_from_its_entries(tmp_path: Path) -> None:
    for name in ("a.gpkg", "b.gpkg"):
        fill(open_ledger(str(tmp_path / name)), 2024, 2025)
    assert (tmp_path / "a.gpkg").read_bytes() == (tmp_path / "b.gpkg").read_bytes()
    assert pyogrio.list_layers(tmp_path / "a.gpkg")[:, 0].tolist() == ["supervision", "supervision_head"]
    assert list(pyogrio.read_dataframe(tmp_path / "a.gpkg", layer="supervision")["year"]) == [2024, 2025]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.gpkg", b"plain text"),
        ("a.gpkg", b"SQLite format 3\0" + b"\0" * 2000),
        ("a.gpkg", None),
        ("a.csv", None),
    ],
)
def test_what_is_no_ledger_is_refused_in_words(tmp_path: Path, name: str, content: bytes | None) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    elif name == "a.gpkg":
        pyogrio.write_dataframe(pd.DataFrame({"a": [1]}), path, layer="other", driver="GPKG")
    before = path.read_bytes() if path.exists() else None
    with pytest.raises(InputProblems, match=r"ledger of years"):
        fill(open_ledger(str(path)), 2024)
    assert (path.read_bytes() if path.exists() else None) == before


@needs_postgis
def test_a_database_is_refused_without_its_rights_or_with_a_password(server: str) -> None:
    for place, table, said in (
        (f"{server} password=secret", "years", "PGPASSWORD"),
        ("host=127.0.0.1 port=1 dbname=x user=y", "years", "cannot be read"),
        (server, "years; drop table x", "is no name for a table"),
    ):
        with pytest.raises(InputProblems) as caught:
            fill(open_ledger(place, table), 2024)
        assert said in caught.value.findings[0].text("en") and "secret" not in str(caught.value)


@pytest.mark.parametrize("names", sorted(BUNDLED))
def test_a_county_is_kept_whole(names: tuple[str, ...]) -> None:
    county = bundled_county(names)
    again = county_from(json.loads(json.dumps(county_record(county))))
    for name, table in county.tables().items():
        if name not in LEFT_OUT:
            pd.testing.assert_frame_equal(again.tables()[name], table, obj=name)
    assert again.content_hash == county.content_hash


def test_own_standards_are_kept() -> None:
    county = with_file(small_county(), OURS)
    again = county_from(json.loads(json.dumps(county_record(county))))
    assert again.norms.rules["closures_share"].value == 0.2
    assert again.content_hash == county.content_hash
