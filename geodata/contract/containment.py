"""Files that a county names lie in the county's folder, and are files.

A county is handed from desk to desk; what its settings name is opened by whoever checks it. So every
name is resolved, links included, before anything is opened: outside the folder it is refused unless the
user allows it, and devices, pipes and what the system makes up (``/proc``) are never opened.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from geodata.contract.findings import Finding, InputProblems

NEVER = tuple(Path(p) for p in ("/proc", "/sys"))
"""Folders of the system whose files are no data, whatever they look like."""
WITH_COMPANIONS = (".shp", ".tab", ".gpkg", ".tif", ".tiff")
"""Formats whose files are read together with others of their stem."""


@dataclass(frozen=True)
class Allowed:
    """What the user lets a county's settings do beyond opening files of its own folder.

    Parameters
    ----------
    outside : bool
        Open files outside the folder.
    databases : tuple of str
        Hosts that may be connected to.
    """

    outside: bool = False
    databases: tuple[str, ...] = ()


NOTHING = Allowed()


def resolved(folder: Path, name: str) -> Path | None:
    """Where a name in a county's settings leads, links followed; None for what is no name of a file."""
    try:
        return (folder / name).resolve()
    except (OSError, RuntimeError, ValueError):  # too long, a circle of links, a null character
        return None


def whole_path(place: Path) -> Path:
    """The place that a user named for something to be written, links followed.

    Raises
    ------
    InputProblems
        It has no name of its own (the root of a disk), or is a circle of links.
    """
    try:
        whole = place.resolve()
        circle = whole.is_symlink()
    except (OSError, RuntimeError, ValueError):  # too long, a circle of links, a null character
        whole, circle = place, True
    if circle or not whole.name:
        shown = str(place)[:80]
        raise InputProblems([Finding("error", "tables.no_place", file=shown, value=shown)])
    return whole


def stands_at(place: Path) -> Literal["file", "folder", "nothing"]:
    """What stands at a place that the user named; links are followed.

    Raises
    ------
    InputProblems
        A device, a pipe or a file of the system, which is never opened; or what is no name of a file.
    """
    try:
        real = place.resolve()
        kind = place.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return "nothing"
    except (OSError, RuntimeError, ValueError):  # too long, a circle of links, a null character
        shown = str(place)[:80]
        raise InputProblems([Finding("error", "tables.no_place", file=shown, value=shown)]) from None
    if any(real.is_relative_to(root) for root in NEVER) or not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
        raise InputProblems([Finding("error", "tables.no_regular_file", file=str(place), value=place.name)])
    return "folder" if stat.S_ISDIR(kind) else "file"


def inside(folder: Path, place: Path) -> bool:
    """Whether a resolved place lies below a folder."""
    home = folder.resolve()
    return place != home and place.is_relative_to(home)


def refused(
    folder: Path, name: str, outside: bool = False, file: str = "county.toml", column: str = ""
) -> Finding | None:
    """Why a named file may not be opened, or None; a file that does not exist is nothing to refuse.

    Parameters
    ----------
    folder : Path
        The county's folder.
    name : str
        As written in a settings file.
    outside : bool
        The user allows files outside the folder.
    file, column : str
        Where the name stands, for the message.
    """
    place = resolved(folder, name)
    if place is None:
        return Finding("error", "tables.no_file_name", file=file, column=column, value=name[:80])
    if any(place.is_relative_to(root) for root in NEVER):
        return Finding("error", "tables.no_regular_file", file=file, column=column, value=name)
    if not outside and not inside(folder, place):
        return Finding("error", "tables.outside", file=file, column=column, value=name)
    try:
        kind = place.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:  # a name too long, a circle of links
        return Finding("error", "tables.no_file_name", file=file, column=column, value=name[:80])
    if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
        return Finding("error", "tables.no_regular_file", file=file, column=column, value=name)
    return None


def companions(folder: Path, name: str) -> list[str]:
    """Files that are read along with a layer: those of the same stem (.dbf, .prj, .cpg, -wal ...)."""
    if not name.lower().endswith(WITH_COMPANIONS):
        return []
    try:
        place = folder / name
        stem = place.name.split(".")[0]
        beside = [p.name for p in place.parent.iterdir() if p.name != place.name]
    except (OSError, ValueError):
        return []
    before = "" if Path(name).parent == Path() else f"{Path(name).parent.as_posix()}/"
    return sorted(before + n for n in beside if n.startswith((f"{stem}.", f"{place.name}-")))


def refuse_outside(
    folder: Path, names: Iterable[tuple[str, str]], outside: bool = False, file: str = "county.toml"
) -> list[Finding]:
    """What is wrong with the places of named files and of the files read along with them.

    Parameters
    ----------
    folder : Path
    names : iterable of (key, name)
        The key under which a settings file has the name.
    outside : bool
    file : str
        The settings file.

    Returns
    -------
    list of Finding
        Errors, one a name.
    """
    found: dict[tuple[str, str], Finding] = {}
    for key, name in names:
        for one in (name, *companions(folder, name)):
            problem = refused(folder, one, outside, file, key)
            if problem is not None:
                found.setdefault((key, one), problem)
    return list(found.values())


def require(folder: Path, name: str, outside: bool = False, file: str = "county.toml") -> Path:
    """The path of a named file that may be opened.

    Raises
    ------
    InputProblems
    """
    problem = refused(folder, name, outside, file)
    if problem is not None:
        raise InputProblems([problem])
    return folder / name
