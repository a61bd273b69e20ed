"""Where a county is read from: a folder with county.toml, or a workbook with a settings sheet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from geodata.bureau.grids import Book, open_book
from geodata.contract.containment import NOTHING, Allowed, require, stands_at
from geodata.contract.findings import Finding, InputProblems, errors, input_problem
from geodata.contract.settings import FileName, model_findings, read_settings
from geodata.standards.reading import DEFAULT
from geodata.travel.settings import Travel
from geodata.workbook.settings import Told, told_by


class Head(BaseModel):
    """county.toml; an unknown key is an error, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    name_en: str = ""
    fictional: bool = False
    year: int = Field(ge=2000, le=2060)
    standards: tuple[str, ...] = DEFAULT
    modelled: tuple[str, ...] = ()
    workbook: FileName | None = None
    mapping: FileName | None = None
    files: dict[str, FileName] = {}
    crs: dict[Literal["schools", "villages", "townships", "waters", "zones", "areas"], str] = {}
    roads: FileName | None = None
    townships: FileName | None = None
    waters: FileName | None = None
    zones: str | None = None
    travel: Travel = Travel()


def read_head(folder: Path, allowed: Allowed = NOTHING) -> Head:
    """county.toml of a folder.

    Raises
    ------
    InputProblems
        No such folder, an empty folder, no county.toml, or something wrong in it.
    """
    file = folder / "county.toml"
    if not folder.is_dir():
        raise input_problem("tables.no_folder", str(folder))
    if not any(folder.iterdir()):
        raise input_problem("tables.empty_folder", str(folder))
    if not file.is_file():
        raise input_problem("tables.no_county_toml", str(folder))
    return read_settings(require(folder, "county.toml", allowed.outside), Head)


@dataclass(frozen=True)
class CountySource:
    """Where a county is read from, opened.

    Parameters
    ----------
    folder : Path
        In which what its settings name must lie.
    head : Head
    path : Path or None
        The workbook that is the whole county, with its content and what its settings sheet says.
    book : Book or None
    told : Told or None
    """

    folder: Path
    head: Head
    path: Path | None = None
    book: Book | None = None
    told: Told | None = None

    def placed(self, found: list[Finding]) -> list[Finding]:
        """Findings about the settings, said where they stand."""
        return found if self.told is None else self.told.placed(found)


def open_source(place: Path, allowed: Allowed = NOTHING) -> CountySource:
    """A county's folder or its one workbook.

    Raises
    ------
    InputProblems
        There is neither, or something is wrong in the settings.
    """
    if stands_at(place) != "file":
        if place.suffix.lower() == ".xlsx" and not place.exists():
            raise input_problem("form.no_workbook", str(place))
        return CountySource(place, read_head(place, allowed))
    book = open_book(place, place.name)
    told = told_by(book, place.name)
    try:
        head = Head(**told.values)
    except ValidationError as problem:
        wrong = told.placed(model_findings(problem, Head, "county.toml"))
        said = {(f.row, f.column) for f in told.findings}
        wrong = [f for f in wrong if f.row is None or (f.row, f.column) not in said]
        raise InputProblems([*told.findings, *wrong]) from None
    if errors(told.findings):
        raise InputProblems(told.findings)
    return CountySource(place.parent, head, place, book, told)
