"""The corrected copy of a county: its folder written aside, only the corrected tables replaced, the trail beside them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import tomli_w

from geodata.contract.containment import Allowed, refused
from geodata.contract.county import County
from geodata.contract.findings import Finding, InputProblems, errors
from geodata.corrections.cells import MINUTES
from geodata.corrections.reading import read_corrections, rows_with
from geodata.corrections.trail import TRAIL, Correction, write_trail
from geodata.folder.reading import check, read_county
from geodata.folder.source import Head, open_source
from geodata.folder.target import claim
from geodata.standards.reading import is_file

SOURCE = "correction"


def correct(
    place: str | Path, sheet: str | Path, target: str | Path, *, allow_outside: bool = False, databases: tuple[str, ...] = ()
) -> tuple[tuple[Correction, ...], list[Finding]]:  # fmt: skip
    """Check a correction sheet that came back and write the corrected copy of a county.

    Parameters
    ----------
    place : str or Path
        The county's folder or workbook; nothing in it is changed.
    sheet : str or Path
        The workbook, filled in.
    target : str or Path
        New folder.
    allow_outside, databases
        As in `read_county`.

    Returns
    -------
    tuple of Correction
    list of Finding
        About the sheet, and what `check` says of the corrected county.

    Raises
    ------
    InputProblems
        Every row of the sheet that cannot be used; a folder that may not be written; tables that contradict each other.
    """
    county = read_county(place, allow_outside=allow_outside, databases=databases)
    told = read_corrections(Path(sheet), county)
    found = write_corrected(
        Path(place), county, told.corrections, Path(target), Allowed(allow_outside, databases)
    )
    return told.corrections, [*told.findings, *found]


def corrected(county: County, corrections: tuple[Correction, ...]) -> County:
    """The county with corrected tables and the trail of all corrections, its own before these."""
    tables = {n: t.copy() for n, t in county.tables().items() if n in {c.table for c in corrections}}
    for one in corrections:
        key = dict(part.split("=", 1) for part in one.row.split(", "))
        frame, value = tables[one.table], float(one.new)
        rows = rows_with(frame, key)
        if one.table == MINUTES and rows.empty:
            new = {**dict.fromkeys(frame.columns, None), **key, "minutes": value, "source": SOURCE}
            frame = pd.concat(
                [frame, pd.DataFrame([new], columns=frame.columns).astype(frame.dtypes)], ignore_index=True
            )
        else:
            whole = pd.api.types.is_integer_dtype(frame[one.column].dtype)
            frame.loc[rows.index, one.column] = int(value) if whole else value
        tables[one.table] = frame
    return replace(county, corrections=(*county.corrections, *corrections), **tables)


def write_corrected(
    place: Path, county: County, corrections: tuple[Correction, ...], target: Path, allowed: Allowed
) -> list[Finding]:
    """Write the corrected county to a new folder.

    A folder of CSV tables is copied, and the corrected tables replaced in it. A county that is a workbook, or that is read through a
    mapping of a bureau's own files, becomes a folder of CSV tables.

    Parameters
    ----------
    place : Path
        The county's folder or workbook; nothing in it is changed.
    county : County
        As it was read from there.
    corrections : tuple of Correction
    target : Path
        Must not exist, or be empty.
    allowed : Allowed

    Returns
    -------
    list of Finding
        What `check` says of the corrected county, errors never among it.

    Raises
    ------
    InputProblems
        The folder may not be written, or the corrected tables contradict each other; then nothing is written.
    """
    source, done = open_source(place, allowed), corrected(county, corrections)
    own = source.path is None and not source.head.workbook and not source.head.mapping
    found: list[Finding] = []

    def fill(draft: Path) -> None:
        if own:
            _copy_folder(source.folder, source.head, draft)
            for name in sorted({c.table for c in corrections}):
                _save(done.tables()[name], draft / source.head.files.get(name, f"{name}.csv"))
        else:
            _as_folder(source.folder, source.head, done, draft)
        write_trail(draft / TRAIL, done.corrections)
        found.extend(check(draft, allow_outside=allowed.outside, databases=allowed.databases))
        if errors(found):
            raise InputProblems([Finding("error", "corrections.contradict"), *errors(found)])

    with claim(target) as held:  # a finished copy of a run that was killed takes its place now
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise InputProblems([Finding("error", "corrections.taken", file=str(target))])
        if target.exists():
            target.rmdir()
        held.replace(fill)
    return found


def _save(table: pd.DataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(path, index=False, lineterminator="\n", encoding="utf-8")


def _copy_folder(folder: Path, head: Head, draft: Path) -> None:
    """Everything in a county's folder but hidden files (caches, locks)."""
    _refuse_outside(folder, head)
    for item in sorted(folder.iterdir()):
        if item.name.startswith("."):
            continue
        if item.is_dir():
            shutil.copytree(item, draft / item.name)
        elif item.is_file():
            shutil.copyfile(item, draft / item.name)


def _layers(head: Head) -> list[str]:
    named = [head.roads, head.townships, head.waters, head.zones, head.travel.dem, head.travel.areas]
    return [n for n in named if n] + [n for n in head.standards if is_file(n)]


def _refuse_outside(folder: Path, head: Head) -> None:
    """A file outside the county's folder would not be found from the copy."""
    out = [
        n
        for n in (*_layers(head), *head.files.values())
        if refused(folder, str(folder / n), False) is not None
    ]
    if out:
        raise InputProblems(
            [Finding("error", "corrections.outside", file="county.toml", value=n) for n in out]
        )


def _as_folder(folder: Path, head: Head, county: County, draft: Path) -> None:
    """A county as CSV tables with its settings and the layers that they name."""
    _refuse_outside(folder, head.model_copy(update={"files": {}}))
    for name, table in county.tables().items():
        if len(table):
            plain = table.assign(shared_assets=False) if name == "school_stage" else table
            _save(plain, draft / f"{name}.csv")
    for name in _layers(head):
        (draft / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / name, draft / name)
    settings = head.model_dump(
        mode="json", exclude={"workbook", "mapping", "files"}, exclude_defaults=True, exclude_none=True
    )
    # tables of coordinates are in degrees by now
    settings["crs"] = {k: v for k, v in head.crs.items() if k not in ("schools", "villages")}
    (draft / "county.toml").write_text(tomli_w.dumps(settings), encoding="utf-8")
