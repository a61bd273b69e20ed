"""Tables of a PostGIS database: only where the user named the host, only read, no password but by SCRAM.

A mapping comes with the county's files, so it may name any host. Nothing is sent anywhere until the user
has named the same host himself, on the command line or to `read_county`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from pyproj import CRS

from geodata.bureau.workbooks import SourceSheet
from geodata.contract.findings import Finding, InputProblems, input_problem
from geodata.layers.spatial_tables import as_sheet

KNOWN = frozenset(("host", "hostaddr", "port", "dbname", "user", "service", "connect_timeout", "sslmode"))
"""What a mapping may say about a connection; files of keys and passwords are the user's own affair."""
SAFE_MODES = ("require", "verify-ca", "verify-full", "prefer")


def _stated(connection: str, label: str) -> dict[str, str]:
    """A connection's parts.

    Raises
    ------
    InputProblems
        psycopg not installed, a password, or parts that a mapping may not state.
    """
    try:
        from psycopg import Error
        from psycopg.conninfo import conninfo_to_dict
    except ImportError:
        raise input_problem("bureau.no_psycopg", label) from None
    try:
        stated = {k: str(v) for k, v in conninfo_to_dict(connection).items() if v not in (None, "")}
    except Error:  # its text may hold a piece of a password
        raise input_problem("bureau.database", label, why="host=... dbname=... user=...") from None
    if "password" in stated:
        raise input_problem("bureau.password", label)
    others = sorted(set(stated) - KNOWN)
    if stated.get("sslmode", "prefer") not in SAFE_MODES:
        others.append("sslmode")
    if others:
        raise input_problem("bureau.connection_parts", label, parts=", ".join(others))
    return stated


def _hosts(stated: dict[str, str]) -> list[str]:
    """Every host that a connection may go to; ``service:name`` where the user's service file says it."""
    named = [h for part in ("host", "hostaddr") for h in stated.get(part, "").split(",") if h]
    if named:
        return named
    return [f"service:{stated['service']}"] if "service" in stated else ["localhost"]


def _near(host: str) -> bool:
    return host.startswith(("/", "127.")) or host in ("localhost", "::1")


def refuse_databases(connections: Iterable[tuple[str, str]], named: Iterable[str]) -> list[Finding]:
    """Connections to hosts that the user has not named.

    Parameters
    ----------
    connections : iterable of (label, connection)
    named : iterable of str
        Hosts as the user wrote them.

    Returns
    -------
    list of Finding
        One error a host, with what to write.
    """
    known, found = set(named), []
    for label, connection in connections:
        try:
            hosts = _hosts(_stated(connection, label))
        except InputProblems as problem:
            found += problem.findings
            continue
        found += [
            Finding("error", "bureau.host_not_named", {"host": h}, label) for h in hosts if h not in known
        ]
    return found


@contextmanager
def opened_database(connection: str, label: str) -> Iterator[Any]:
    """A connection of psycopg and one transaction: kept at the end of the block, undone by whatever goes wrong in it.

    Raises
    ------
    InputProblems
        psycopg not installed, no connection, a password or parts that nobody should write there, an error of the server.
    """
    stated = _stated(connection, label)
    import psycopg

    near = all(_near(h) for h in _hosts(stated))
    # a password is never sent as it is; a server beside us may trust us without any
    methods = "scram-sha-256,gss,sspi,none" if near else "scram-sha-256,gss,sspi"
    try:
        with psycopg.connect(connection, connect_timeout=10, require_auth=methods) as link:
            yield link
    except psycopg.Error as problem:
        why = re.sub(r"\s+", " ", str(problem))[:300]
        raise input_problem("bureau.database", label, why=why) from None


def read_postgis(
    connection: str, layer: str, label: str, epsg: int | None, declared: str | None
) -> SourceSheet:
    """A table of a PostGIS database as a sheet, read in a read-only transaction.

    Parameters
    ----------
    connection : str
        What libpq takes: ``host=... dbname=... user=...``, a URL, or ``service=...``; the password comes
        from PGPASSWORD or the user's .pgpass, never from the mapping.
    layer : str
        ``schema.table`` or ``table`` (schema public).

    Returns
    -------
    SourceSheet
        Rows numbered from 1 in the order of the primary key (else of all columns).

    Raises
    ------
    InputProblems
        psycopg not installed, no connection, no such table, a password in the mapping.
    """
    with opened_database(connection, label) as link:
        link.read_only = True
        frame = _postgis_frame(link, layer, label)
    return as_sheet(frame, label, epsg, declared, [], None)


_COLUMNS = """
select a.attname, t.typname, coalesce(a.attnum = any(i.indkey), false)
from pg_attribute a join pg_type t on t.oid = a.atttypid
left join pg_index i on i.indrelid = a.attrelid and i.indisprimary
where a.attrelid = to_regclass(%s) and a.attnum > 0 and not a.attisdropped order by a.attnum
"""


def _postgis_frame(link: Any, layer: str, label: str) -> pd.DataFrame:
    from psycopg import sql

    parts = layer.split(".") if "." in layer else ["public", layer]
    table = sql.Identifier(*parts)
    columns = link.execute(_COLUMNS, (table.as_string(link),)).fetchall()
    if not columns:
        raise input_problem("bureau.no_layer", label, layer=layer, known="-")
    shapes = [name for name, kind, _ in columns if kind in ("geometry", "geography")]
    names = [name for name, _, _ in columns if name not in shapes]
    wanted = [sql.SQL("{}::text").format(sql.Identifier(n)) for n in names]
    if shapes:
        shape = sql.SQL("{}::geometry").format(sql.Identifier(shapes[0]))
        wanted += [sql.SQL("ST_AsBinary({})").format(shape), sql.SQL("ST_SRID({})").format(shape)]
    key = [sql.Identifier(n) for n, _, primary in columns if primary]
    order = ", ".join(k.as_string(link) for k in key or [sql.Identifier(n) for n in names])
    query = sql.SQL("select {} from {} order by {}").format(
        sql.SQL(", ").join(wanted), table, sql.SQL(order or "1")
    )
    rows = link.execute(query).fetchall()
    frame = pd.DataFrame([r[: len(names)] for r in rows], columns=names, dtype=object)
    if not shapes:
        return frame
    systems = sorted({r[-1] for r in rows if r[-1]})
    if len(systems) > 1:
        raise input_problem("bureau.two_systems", label, own=systems[0], epsg=systems[1])
    points = shapely.from_wkb([r[-2] for r in rows])
    crs = CRS.from_epsg(systems[0]) if systems else None
    return gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(points, crs=crs))
