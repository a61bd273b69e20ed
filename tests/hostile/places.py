"""Names that lead elsewhere, devices and pipes in a county's place, and damage to the cache."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from geodata.folder.reading import check
from tests.geodata.test_fuzz import Case
from tests.hostile.county import added, at, named, outside

ELSEWHERE = (
    "../outside/secret.csv", "/etc/passwd", "/dev/zero", "/dev/stdin", "/proc/self/environ", "pipe", "link.csv",
    "linked/secret.csv", "http://{at}/a.csv", "/vsicurl/http://{at}/a.geojson", "file:///etc/passwd", "\\\\{at}\\a",
    "a\\u0000b", "con", ".", "..", "~", "~/.ssh/id_rsa", "schools.csv/", "x" * 300, "$HOME", "*.csv", "circle", "socket",
    "/vsizip/a.zip/a.geojson", "GPKG:a.gpkg", "\\ud83d\\ude42.csv", "\\u202egpj.csv", "schools.csv\\u0000.geojson", "/dev/fd/0",
    "PG:host={at}", "deep/" * 60 + "a.csv", "/proc/self/cwd/county.toml", "schools.csv;rm", "link.geojson", "pipe.geojson",
)  # fmt: skip
FILES = (
    "roads.graphml",
    "townships.geojson",
    "schools.csv",
    "demand.csv",
    "county.toml",
    "corrections.csv",
    "standards.toml",
)


def _stand(case: Case) -> None:
    """Links, a pipe, a socket and a circle beside the tables."""
    secret = outside(case) / "secret.csv"
    for name, target in (
        ("link.csv", secret), ("link.geojson", secret), ("linked", outside(case)), ("circle", case.folder / "circle"),
    ):  # fmt: skip
        (case.folder / name).symlink_to(target)
    for name in ("pipe", "pipe.geojson"):
        os.mkfifo(case.folder / name)
    os.mknod(case.folder / "socket", 0o140600)


def a_name(case: Case) -> None:
    """A key of county.toml names something elsewhere, a device, the network, or nothing."""
    name = case.dice.choice(ELSEWHERE).replace("{at}", at(case))
    _stand(case)
    key = case.dice.choice(
        (
            "townships",
            "waters",
            "zones",
            "roads",
            "workbook",
            "mapping",
            "standards",
            "cache",
            "dem",
            "areas",
            "files",
        )
    )
    if key in ("cache", "dem", "areas"):
        added(case, f'[travel]\n{key} = "{name}"\n')
    elif key == "standards":
        added(case, f'standards = ["cn_layout", "./{name}"]\n')
    elif key == "files":
        added(case, f'[files]\n{case.table()} = "{name}"\n')
    else:
        named(case, key, name)


def in_place_of_a_file(case: Case) -> None:
    """A pipe, a folder, a device or a link stands where a file of the county should."""
    file = case.folder / case.dice.choice(FILES)
    file.unlink(missing_ok=True)
    how = case.dice.randrange(7)
    if how == 0:
        os.mkfifo(file)
    elif how == 1:
        file.mkdir()
    elif how == 2:
        file.symlink_to("/dev/zero")
    elif how == 3:
        file.symlink_to(outside(case) / "secret.csv")
    elif how == 4:
        file.symlink_to(file)
    elif how == 5:
        os.mknod(file, 0o140600)
    else:
        file.touch()
        file.chmod(0)


def the_county_itself(case: Case) -> Path:
    """Something that is no county is checked as one."""
    _stand(case)
    county = case.folder
    (outside(case) / "county").symlink_to(county)
    given = (
        county / "pipe", county / "socket", county / "circle", Path("/dev/null"), Path("/dev/zero"), county / "nowhere",
        county / "schools.csv", county / "county.toml", county / "link.csv", Path("/proc/self"), Path("/proc/self/mem"),
        outside(case), Path("x" * 300), Path("a\u0000b"), county / "schools.csv" / "a", Path("http://" + at(case)),
        outside(case) / "county", county / "nowhere.xlsx", county / "townships.geojson", Path(),
    )  # fmt: skip
    return case.dice.choice(given)


def cache(case: Case) -> None:
    """The cache of an earlier reading, damaged: bytes flipped, files gone, a folder, a link or a pipe in their place."""
    check(case.folder)
    home = case.folder / ".cache"
    files = sorted(p for p in home.rglob("*") if p.is_file())
    if not files:
        return
    file = case.dice.choice(files)
    how = case.dice.randrange(9)
    data = bytearray(file.read_bytes())
    if how == 0 and data:
        for _ in range(case.dice.randint(1, 75)):
            data[case.dice.randrange(len(data))] ^= 1 << case.dice.randrange(8)
        file.write_bytes(bytes(data))
    elif how == 1:
        file.write_bytes(bytes(data[: len(data) // 2]))
    elif how == 6:
        shutil.move(home, outside(case) / "cache")
        home.symlink_to(outside(case) / "cache")
    elif how == 7:
        shutil.rmtree(home)
        home.write_bytes(b"a file")
    elif how == 8:
        shutil.rmtree(home)
        shutil.copytree(outside(case), home)
    else:
        file.unlink()
        if how == 2:
            file.mkdir()
        elif how == 3:
            os.mkfifo(file)
        elif how == 4:
            file.symlink_to(outside(case) / "secret.csv")


DAMAGE = (a_name, a_name, a_name, in_place_of_a_file, in_place_of_a_file, the_county_itself)
