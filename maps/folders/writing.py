"""Writing a folder of outputs: complete or not at all, and never over what is not ours."""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from geodata.contract.county import County
from geodata.contract.findings import Finding, InputProblems
from geodata.folder.target import claim, elsewhere, note_placed
from maps.dossier.rehearsal import UNFINISHED, Undrawn, draw_parts, mark_unfinished
from models.study.analysis import Alternatives, Frontier
from models.study.robust import Robust
from models.study.stressed import Stress


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
            with tempfile.TemporaryFile(dir=place, prefix=".draft-"):  # nameless: a kill leaves nothing of it
                pass
        except OSError as problem:
            why: dict[str, object] = {"why": problem.strerror or str(problem)}
            raise InputProblems([Finding("error", "cli.not_writable", why, file=str(folder))]) from None


def seen_from(county: Path | None, folder: Path | None) -> str | None:
    """A county's folder relative to a dossier, so that both may be moved together; None where there is none."""
    if county is None or folder is None:
        return None
    try:
        return Path(os.path.relpath(county.absolute(), folder.absolute())).as_posix()
    except ValueError:  # two drives of Windows
        return county.absolute().as_posix()


def parquet_writer(rows: pd.DataFrame, county: County) -> Callable[[Path], None]:
    """Writes a table with a column ``school_id`` as GeoParquet: every row at its school's point, WGS 84."""
    points = county.points("schools")[["school_id", "name", "township", "geometry"]]
    placed = rows.merge(
        points.drop(columns=[c for c in ("name", "township") if c in rows]), on="school_id", how="left"
    )
    table = gpd.GeoDataFrame(placed, geometry="geometry", crs="EPSG:4326")
    return lambda file: table.to_parquet(file, index=False)


def called(found: Frontier | Alternatives | Stress | Robust, folder: Path | None) -> dict[str, Any]:
    """What a study was called with: the county's folder as seen from the result's, and the verb's options."""
    home = found.county.workbook or found.county.folder
    return {"county_folder": None if folder is None else seen_from(home, folder), "options": found.options}


def finite(value: float) -> float | None:
    """A number for JSON, which has no infinity and no NaN: None for what there is not."""
    return round(float(value), 9) if math.isfinite(value) else None


def rewrite(path: Path, text: str) -> None:
    """Give a page another text: written aside, put in place by renaming."""
    draft = path.with_name(f".{path.name}.draft")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except BaseException:  # a full disk, Ctrl-C: the page stays as it was
        draft.unlink(missing_ok=True)
        raise


def csv_writer(rows: pd.DataFrame) -> Callable[[Path], None]:
    """Writes a table as CSV (UTF-8 with a mark, which spreadsheets need)."""
    return lambda file: rows.to_csv(file, index=False, encoding="utf-8-sig", lineterminator="\n")


def _saved_elsewhere(
    folder: Path, save: Callable[[Path], None], missing: list[Finding], problem: OSError
) -> Path:
    """The record in a folder of another disk, where its own takes nothing."""
    for place in elsewhere(folder):
        with suppress(OSError):
            save(place)
            note_placed(place)
            fields: dict[str, object] = {"why": problem.strerror or str(problem), "folder": str(place)}
            missing.append(Finding("warning", "workbook.saved_elsewhere", fields, file=str(folder)))
            return place
    raise problem


@dataclass(frozen=True)
class Output:
    """One kind of output folder.

    Parameters
    ----------
    marker : str
        The record, by which an earlier output of this kind is known; written before all else.
    names : frozenset of str
        All its files; what a planner put beside them stays.
    """

    marker: str
    names: frozenset[str]


def write_folder(
    folder: Path,
    kind: Output,
    overwrite: bool,
    record: dict[str, Any],
    parts: Iterable[tuple[str, Callable[[Path], object]]],
    language: str,
) -> Path:
    """Write a folder of results: the record at once, then all of it, each time as a whole.

    Parameters
    ----------
    folder : Path
    kind : Output
    overwrite : bool
    record : dict
        The result as plain data.
    parts : iterable of (name, make)
        The files drawn from it.
    language : {"zh", "en"}

    Returns
    -------
    Path
        Where it is, as `geodata.folder.target.HeldTarget.replace` says.

    Raises
    ------
    InputProblems
        When the folder may not be written.
    Undrawn
        A part could not be made; the record and the other parts are written.
    """
    text = json.dumps(record, ensure_ascii=False, indent=1, default=str) + "\n"
    missing: list[Finding] = []

    def save(draft: Path) -> None:
        (draft / kind.marker).write_text(text, encoding="utf-8")
        mark_unfinished(draft, language)

    def fill(draft: Path) -> None:
        (draft / kind.marker).write_text(text, encoding="utf-8")
        missing.extend(draw_parts(draft, parts, language))

    with claim(folder, kind.names | {kind.marker, UNFINISHED}) as target:
        may_write(folder, kind.marker, overwrite)
        try:
            place = target.replace(save)
        except OSError as problem:
            place = _saved_elsewhere(folder, save, missing, problem)
        else:
            place = target.replace(fill)
    if missing:
        raise Undrawn(missing, place)
    return place
