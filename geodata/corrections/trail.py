"""The trail of a corrected county: ``corrections.csv`` beside its tables, a row a cell that was changed."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from geodata.contract.findings import Finding

TRAIL = "corrections.csv"


@dataclass(frozen=True)
class Correction:
    """One cell of a county's tables that somebody corrected.

    Parameters
    ----------
    when, who : str
        ISO date and name, as on the sheet.
    table, row, column : str
        ``school_stage``, ``school_id=A1, stage=pri``, ``capacity_pupils``.
    old, new : str
        Empty where it was not known.
    reason, evidence : str
    source, source_sha256 : str
        The sheet's file name and the hash of its bytes.
    """

    when: str
    who: str
    table: str
    row: str
    column: str
    old: str
    new: str
    reason: str
    evidence: str
    source: str
    source_sha256: str

    def told(self) -> dict[str, object]:
        """As the fields of a message, or plain data of a record."""
        return asdict(self)


COLUMNS = tuple(f.name for f in fields(Correction))


def write_trail(path: Path, rows: Iterable[Correction]) -> None:
    """Write a trail."""
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(COLUMNS)
        out.writerows([getattr(r, c) for c in COLUMNS] for r in rows)


def read_trail(folder: Path) -> tuple[tuple[Correction, ...], list[Finding]]:
    """The trail in a county's folder, and what it tells; nothing where there is none.

    Returns
    -------
    tuple of Correction
    list of Finding
        A note for each correction; a warning for a trail that cannot be read.
    """
    path = folder / TRAIL
    if not path.is_file():
        return (), []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        done = tuple(Correction(**{c: str(r[c] or "") for c in COLUMNS}) for r in rows)
    except (OSError, UnicodeDecodeError, KeyError, csv.Error) as problem:
        return (), [Finding("warning", "corrections.trail_unreadable", {"why": str(problem)}, file=TRAIL)]
    return done, [
        Finding("note", "corrections.made", c.told(), file=TRAIL, row=n) for n, c in enumerate(done, 2)
    ]


def digest_of(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
