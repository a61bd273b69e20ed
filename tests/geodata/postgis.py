"""A private PostgreSQL with PostGIS for one test session: own cluster, loopback, free port, stopped at the end."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

USER = "postgres"


def binaries() -> Path | None:
    """Folder of the newest Debian PostgreSQL that has PostGIS, or None."""
    found = [
        p
        for p in Path("/usr/lib/postgresql").glob("*/bin")
        if (p / "initdb").is_file()
        and Path(f"/usr/share/postgresql/{p.parent.name}/extension/postgis.control").is_file()
    ]
    return max(found, key=lambda p: int(re.sub(r"\D", "", p.parent.name) or 0), default=None)


def why_not() -> str:
    """Why no server can be started here, or nothing."""
    if binaries() is None:
        return "PostgreSQL with PostGIS (Debian's postgresql and postgresql-*-postgis-3) is not installed"
    if os.geteuid() == 0 and shutil.which("runuser") is None:
        return "PostgreSQL refuses to run as root and runuser is absent"
    return ""


def _run(*command: str) -> None:
    """A command as the user postgres when we are root, which initdb and postgres refuse."""
    prefix = ("runuser", "-u", USER, "--") if os.geteuid() == 0 else ()
    done = subprocess.run([*prefix, *command], capture_output=True, text=True, cwd="/", check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stdout}{done.stderr}")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def server() -> Iterator[str]:
    """The connection string of a running server with an empty database that has PostGIS."""
    import psycopg

    folder = binaries()
    assert folder is not None
    home = Path(tempfile.mkdtemp(prefix="junheng-postgis-"))  # pytest's folders are closed to other users
    try:
        if os.geteuid() == 0:
            shutil.chown(home, USER)
        data, port = home / "data", _free_port()
        _run(
            str(folder / "initdb"),
            "-D",
            str(data),
            "-U",
            USER,
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "-N",
        )
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories= -c fsync=off"
        control = (str(folder / "pg_ctl"), "-D", str(data), "-w")
        _run(*control, "-l", str(home / "log"), "-o", options, "start")
        try:
            connection = f"host=127.0.0.1 port={port} user={USER} dbname=postgres"
            with psycopg.connect(connection) as link:
                link.execute("create extension postgis")
            yield connection
        finally:
            _run(*control, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)
