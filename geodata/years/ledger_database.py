"""A ledger of years as a table of a PostgreSQL database that several people share: the same contract as the file.

The table takes new rows only; one writer at a time, by a lock that the server gives up with the connection.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from geodata.contract.findings import Finding, InputProblems
from geodata.folder.databases import opened_database
from geodata.folder.interrupts import put_off
from geodata.folder.target import note_placed
from geodata.years.chain import ENTRY_COLUMNS, Chain, NextEntries, YearEntry, chained

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,40}(\.[A-Za-z_][A-Za-z0-9_]{0,40})?")
SCHEMA = "junheng"
FORM = """
create table if not exists {table} (
  number integer primary key, year integer not null, kind text not null, county text not null, content text not null,
  payload text not null, previous text not null unique, seal text not null unique);
create table if not exists {head} (id integer primary key check (id = 1), count integer not null, seal text not null);
insert into {head} values (1, 0, '') on conflict do nothing;
create or replace function {schema}.append_only() returns trigger language plpgsql as
  $$ begin raise exception 'append-only'; end $$;
drop trigger if exists stays on {table};
create trigger stays before update or delete or truncate on {table} for each statement execute function {schema}.append_only();
"""


class LedgerDatabase:
    """A ledger in a database.

    Parameters
    ----------
    connection : str
        What libpq takes, without a password.
    table : str
        ``schema.table``, or a table of the schema `SCHEMA`.

    Raises
    ------
    InputProblems
        A name that no table should have.
    """

    def __init__(self, connection: str, table: str):
        if not NAME.fullmatch(table):
            raise InputProblems([Finding("error", "supervision.table_name", {}, "--table", value=table)])
        self.connection = connection
        schema, _, name = table.rpartition(".")
        self.parts = {"schema": schema or SCHEMA, "name": name}
        self.label = f"{self.parts['schema']}.{name}"

    def _names(self) -> dict[str, Any]:
        from psycopg import sql

        schema, name = self.parts["schema"], self.parts["name"]
        return {
            "schema": sql.Identifier(schema),
            "table": sql.Identifier(schema, name),
            "head": sql.Identifier(schema, f"{name}_head"),
        }

    def read(self) -> Chain:
        """All entries.

        Raises
        ------
        InputProblems
            No connection, no such table.
        """
        with opened_database(self.connection, self.label) as link:
            link.read_only = True
            return self._chain(link, missing=False)

    def append(self, wanted: NextEntries) -> list[YearEntry]:
        """Add what ``wanted`` asks for, all of it or nothing; the table is made with the first entry.

        Raises
        ------
        InputProblems
            No connection, another run is writing, what ``wanted`` raises.
        """
        from psycopg import sql

        names = self._names()
        columns = sql.SQL(", ").join(map(sql.Identifier, ENTRY_COLUMNS))
        marks = sql.SQL(", ").join(sql.Placeholder() * len(ENTRY_COLUMNS))
        put = sql.SQL("insert into {table} ({c}) values ({m})").format(c=columns, m=marks, **names)
        move = sql.SQL("update {head} set count = %s, seal = %s").format(**names)
        with opened_database(self.connection, self.label) as link:
            alone = link.execute("select pg_try_advisory_xact_lock(hashtext(%s))", (self.label,)).fetchone()
            if not alone or not alone[0]:
                raise InputProblems([Finding("error", "supervision.busy", {}, self.label)])
            chain = self._chain(link, missing=True)
            entries = chained(chain, wanted(chain))
            if not chain.entries and entries:
                known = "select 1 from pg_namespace where nspname = %s"
                if link.execute(known, (self.parts["schema"],)).fetchone() is None:
                    link.execute(sql.SQL("create schema {schema}").format(**names))
                link.execute(sql.SQL(FORM).format(**names))  # type: ignore[arg-type,unused-ignore]
            for entry in entries:
                link.execute(put, [getattr(entry, c) for c in ENTRY_COLUMNS])
                link.execute(move, (entry.number, entry.seal))
            with put_off():
                link.commit()
                if entries:
                    note_placed(Path(self.label))
        return entries

    def _chain(self, link: Any, missing: bool) -> Chain:
        """The ledger; an empty one where there is none yet and that may be."""
        from psycopg import sql

        names = self._names()
        there = link.execute("select to_regclass(%s)", (names["table"].as_string(link),)).fetchone()
        if there is None or there[0] is None:
            if missing:
                return Chain(self.label)
            raise InputProblems([Finding("error", "supervision.no_ledger", {}, self.label)])
        columns = sql.SQL(", ").join(map(sql.Identifier, ENTRY_COLUMNS))
        rows = link.execute(
            sql.SQL("select {c} from {table} order by number").format(c=columns, **names)
        ).fetchall()
        head = link.execute(sql.SQL("select count, seal from {head}").format(**names)).fetchone()
        count, seal = head or (0, "")
        return Chain(self.label, tuple(YearEntry(*row) for row in rows), int(count), str(seal))
