"""Where a ledger of years is: a GeoPackage, or a table of a database; both keep the same contract."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from geodata.contract.findings import Finding, InputProblems
from geodata.years.chain import Chain, NextEntries, YearEntry
from geodata.years.ledger_database import LedgerDatabase
from geodata.years.ledger_file import LedgerFile

TABLE = "supervision"


class YearLedger(Protocol):
    """A ledger that only grows."""

    label: str

    def read(self) -> Chain:
        """All entries."""
        ...

    def append(self, wanted: NextEntries) -> list[YearEntry]:
        """Add entries, all or none."""
        ...


def open_ledger(place: str, table: str = TABLE) -> YearLedger:
    """The ledger at a place.

    Parameters
    ----------
    place : str
        A file ending in ``.gpkg``; or a connection: ``host=... dbname=... user=...``, ``service=...``, ``postgresql://...``.
    table : str
        Of a database.

    Raises
    ------
    InputProblems
        It is neither.
    """
    if "://" in place or "=" in place.partition(" ")[0]:
        return LedgerDatabase(place, table)
    if Path(place).suffix.lower() != ".gpkg":
        raise InputProblems([Finding("error", "supervision.kind_of_ledger", {}, place)])
    return LedgerFile(Path(place))
