"""The trail of a corrected county: ``corrections.csv`` beside its tables, a row a cell that was changed."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from geodata.contract.containment import refused
from geodata.contract.findings import Finding, InputProblems
from geodata.contract.settings import settings_text

TRAIL = "corrections.csv"
MOST_BYTES = 20_000_000
"""A larger file is no trail of corrections that people made."""


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
    bad = refused(folder, TRAIL, file=TRAIL)
    if bad is not None:
        return (), [replace(bad, severity="warning")]
    if not (folder / TRAIL).is_file():
        return (), []
    try:
        rows = list(csv.DictReader(io.StringIO(settings_text(folder / TRAIL, TRAIL, MOST_BYTES), newline="")))
        done = tuple(Correction(**{c: str(r[c] or "") for c in COLUMNS}) for r in rows)
    except InputProblems as problem:
        lost = Finding("warning", "corrections.trail_lost", file=TRAIL)
        return (), [*(replace(f, severity="warning") for f in problem.findings), lost]
    except (KeyError, csv.Error) as problem:
        return (), [Finding("warning", "corrections.trail_unreadable", {"why": str(problem)}, file=TRAIL)]
    return done, [
        Finding("note", "corrections.made", c.told(), file=TRAIL, row=n) for n, c in enumerate(done, 2)
    ]


def digest_of(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
