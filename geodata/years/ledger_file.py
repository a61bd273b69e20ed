"""A ledger of years as a GeoPackage: a table of attributes that takes new rows and gives none away.

An entry is one transaction of SQLite, so a run that is killed leaves the file as it was. Two runs at once: the second is told.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from geodata.contract.findings import InputProblems, input_problem
from geodata.folder.interrupts import put_off
from geodata.folder.target import claim, note_placed
from geodata.layers.drivers import driver_of
from geodata.layers.geopackage import STAMP
from geodata.years.chain import ENTRY_COLUMNS, Chain, NextEntries, YearEntry, chained

TABLE, HEAD = "supervision", "supervision_head"
GPKG = 0x47504B47
FORM = f"""
pragma application_id = {GPKG};
pragma user_version = 10300;
create table gpkg_spatial_ref_sys (
  srs_name text not null, srs_id integer not null primary key, organization text not null,
  organization_coordsys_id integer not null, definition text not null, description text);
insert into gpkg_spatial_ref_sys values
  ('Undefined Cartesian SRS', -1, 'NONE', -1, 'undefined', null), ('Undefined geographic SRS', 0, 'NONE', 0, 'undefined', null),
  ('WGS 84', 4326, 'EPSG', 4326, 'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],'
   || 'PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]]', null);
create table gpkg_contents (
  table_name text not null primary key, data_type text not null, identifier text unique, description text default '',
  last_change datetime not null, min_x double, min_y double, max_x double, max_y double, srs_id integer);
insert into gpkg_contents (table_name, data_type, identifier, last_change) values
  ('{TABLE}', 'attributes', '{TABLE}', '{STAMP}'), ('{HEAD}', 'attributes', '{HEAD}', '{STAMP}');
create table gpkg_geometry_columns (
  table_name text not null, column_name text not null, geometry_type_name text not null, srs_id integer not null,
  z tinyint not null, m tinyint not null, primary key (table_name, column_name));
create table {TABLE} (
  number integer primary key not null, year integer not null, kind text not null, county text not null, content text not null,
  payload text not null, previous text not null unique, seal text not null unique);
create table {HEAD} (id integer primary key check (id = 1), count integer not null, seal text not null);
insert into {HEAD} values (1, 0, '');
create trigger {TABLE}_stays before update on {TABLE} begin select raise(abort, 'append-only'); end;
create trigger {TABLE}_keeps before delete on {TABLE} begin select raise(abort, 'append-only'); end;
"""


class LedgerFile:
    """A ledger in a GeoPackage.

    Parameters
    ----------
    path : Path
        ``.gpkg``; made with the first entry.
    """

    def __init__(self, path: Path):
        self.path = path
        self.label = path.name

    def read(self) -> Chain:
        """All entries.

        Raises
        ------
        InputProblems
            No such file, not a ledger, or another run is writing.
        """
        if not self.path.is_file():
            raise input_problem("supervision.no_ledger", str(self.path))
        with self._opened(self.path) as base:
            return self._chain(base)

    def append(self, wanted: NextEntries) -> list[YearEntry]:
        """Add what ``wanted`` asks for, all of it or nothing; the ledger is locked from its reading to the end.

        Raises
        ------
        InputProblems
            Another run is writing; not a ledger; nothing can be written there; what ``wanted`` raises.
        """
        with claim(self.path) as target:
            if self.path.exists():
                return self._add(self.path, wanted)
            done: list[YearEntry] = []

            def make(file: Path) -> None:
                with closing(sqlite3.connect(file)) as base:
                    base.executescript(FORM)
                done.extend(self._add(file, wanted))

            target.new_file(make)
        return done

    def _add(self, file: Path, wanted: NextEntries) -> list[YearEntry]:
        with self._opened(file) as base:
            base.execute("pragma synchronous = full")
            base.execute("begin immediate")
            try:
                entries = self._write(base, wanted)
            except BaseException:
                base.execute("rollback")
                raise
            with put_off():
                base.execute("commit")
                if file == self.path and entries:
                    note_placed(self.path)
        return entries

    def _write(self, base: sqlite3.Connection, wanted: NextEntries) -> list[YearEntry]:
        chain = self._chain(base)
        entries = chained(chain, wanted(chain))
        marks = ", ".join("?" * len(ENTRY_COLUMNS))
        for entry in entries:
            cells = [getattr(entry, c) for c in ENTRY_COLUMNS]
            base.execute(f"insert into {TABLE} ({', '.join(ENTRY_COLUMNS)}) values ({marks})", cells)
            base.execute(f"update {HEAD} set count = ?, seal = ?", (entry.number, entry.seal))
        return entries

    def _chain(self, base: sqlite3.Connection) -> Chain:
        rows = base.execute(
            f"select {', '.join(ENTRY_COLUMNS)} from {TABLE} order by number, rowid"
        ).fetchall()
        heads = base.execute(f"select count, seal from {HEAD}").fetchall()
        count, seal = heads[0] if heads else (0, "")
        return Chain(self.label, tuple(YearEntry(*row) for row in rows), int(count), str(seal))

    @contextmanager
    def _opened(self, file: Path) -> Iterator[sqlite3.Connection]:
        """A connection; what a run that was killed has left half-way is undone by SQLite itself, before anything is read."""
        address = f"{file.resolve().as_uri()}?mode=rw"
        if file.with_name(f"{file.name}-journal").exists():
            with suppress(sqlite3.Error), closing(sqlite3.connect(address, uri=True, timeout=1.0)) as base:
                base.execute("select count(*) from sqlite_master").fetchone()
        try:
            if driver_of(file, self.label) != "GPKG":
                raise input_problem("supervision.not_a_ledger", self.label)
        except InputProblems:
            raise input_problem("supervision.not_a_ledger", self.label) from None
        try:
            with closing(sqlite3.connect(address, uri=True, timeout=1.0, isolation_level=None)) as base:
                yield base
        except sqlite3.OperationalError as problem:
            why = str(problem)
            if "locked" in why:
                raise input_problem("supervision.busy", self.label) from None
            key = "supervision.not_a_ledger" if "no such" in why else "supervision.unwritten"
            raise input_problem(key, self.label, why=why) from None
        except sqlite3.IntegrityError:  # another run was quicker, or a head that does not fit
            raise input_problem("supervision.busy", self.label) from None
        except sqlite3.DatabaseError as problem:
            raise input_problem("supervision.unwritten", self.label, why=str(problem)) from None
