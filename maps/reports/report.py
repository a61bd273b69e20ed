"""What a report is made of; pages, sheets and documents are drawn from the same parts."""

from __future__ import annotations

from dataclasses import dataclass

from geodata.messages import say
from maps.front.text import PageCell, PageTable


@dataclass(frozen=True)
class Portion:
    """A heading, sentences, drawings and a table; whatever is empty is left out."""

    heading: str = ""
    sentences: tuple[str, ...] = ()
    table: PageTable | None = None
    drawings: tuple[str, ...] = ()


@dataclass(frozen=True)
class OfficialReport:
    """One of the twelve reports.

    Parameters
    ----------
    id : str
    title, tab : str
        Its full title, and the short one that fits the tab of a sheet.
    blocks : tuple of Portion
    """

    id: str
    title: str
    tab: str
    blocks: tuple[Portion, ...]


def report_word(key: str, language: str, **fields: object) -> str:
    """A message of the reports' room."""
    return say(f"reports.{key}", language, **fields)


def columns(language: str, *keys: str) -> tuple[PageCell, ...]:
    """Headings by their words; those that end in ``#`` stand above numbers."""
    return tuple(
        PageCell(report_word("col_" + k.rstrip("#"), language), "n" if k.endswith("#") else "") for k in keys
    )


def made(report_id: str, language: str, *blocks: Portion) -> OfficialReport:
    """A report with its titles."""
    return OfficialReport(
        report_id,
        report_word(f"title_{report_id}", language),
        report_word(f"tab_{report_id}", language),
        blocks,
    )
