"""Writing a folder of outputs: complete or not at all, and never over what is not ours."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from geodata.contract.findings import Finding, InputProblems
from geodata.folder.target import claim


def may_write(folder: Path, marker: str, overwrite: bool) -> None:
    """Only an empty place or, when asked, an earlier output of the same kind is written to.

    Raises
    ------
    InputProblems
    """
    refuse_unwritable(folder)
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not overwrite:
        raise InputProblems([Finding("error", "cli.exists", file=str(folder))])
    if not (folder / marker).is_file():
        raise InputProblems([Finding("error", "analysis.not_ours", {"marker": marker}, file=str(folder))])


def refuse_unwritable(folder: Path) -> None:
    """Find out before a long solve, not after it, that its result could not be written.

    Raises
    ------
    InputProblems
        If no folder or file can be made there.
    """
    there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    for place in {there, there.parent} if there == folder.absolute() else {there}:
        try:
            with tempfile.TemporaryDirectory(dir=place, prefix=".draft-"):
                pass
        except OSError as problem:
            why: dict[str, object] = {"why": problem.strerror or str(problem)}
            raise InputProblems([Finding("error", "cli.not_writable", why, file=str(folder))]) from None


def write_folder(
    folder: Path,
    marker: str,
    overwrite: bool,
    fill: Callable[[Path], None],
    names: frozenset[str] = frozenset(),
) -> Path:
    """Let ``fill`` write into a draft beside the folder, then put it in place as a whole.

    Parameters
    ----------
    folder : Path
    marker : str
        The file by which an earlier output of this kind is known.
    overwrite : bool
    fill : callable
        Takes the draft folder.
    names : frozenset of str
        Files of an earlier output; what a planner put beside them stays.

    Returns
    -------
    Path
        Where it is, as `geodata.folder.target.Target.replace` says.
    """
    with claim(folder, names | {marker}) as target:
        may_write(folder, marker, overwrite)
        return target.replace(fill)
