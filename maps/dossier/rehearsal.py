"""What can be drawn is known before the solve: layers and map are made once from today.

Whatever a county's layers hold, drawing never costs a plan: what fails is left out and named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from geodata.areas.export import area_layers
from geodata.contract.county import County
from geodata.contract.findings import Finding, InputProblems
from geodata.messages import say
from maps.web import background

UNFINISHED = "unfinished.txt"
NOT_WRITTEN = "workbook.not_written"
"""What the system refused: a full disk, a missing permission."""


class Undrawn(InputProblems):
    """All that could be made is written; the findings name what could not, ``folder`` where the rest is."""

    def __init__(self, findings: list[Finding], folder: Path):
        self.folder = folder
        super().__init__(findings)
        self.args = ("\n".join(f.sentence() for f in findings),)


def attempt(name: str, make: Callable[[], object]) -> Finding | None:
    """Make one part of an output; a warning if it cannot be made, the disk being full or not: no part costs another."""
    key = "workbook.not_drawn"
    try:
        make()
    except InputProblems as problem:
        why = "; ".join(f.sentence("en") for f in problem.findings)
    except (
        Exception,
        SystemExit,
    ) as problem:  # GDAL, GEOS, PROJ, xlsxwriter, jinja2 each raise kinds of their own
        why = f"{type(problem).__name__}: {problem}"
        if isinstance(problem, OSError) and problem.errno is not None:
            key, why = NOT_WRITTEN, str(problem)
    else:
        return None
    return Finding("warning", key, {"why": " ".join(why.split())[:300]}, file=name)


def draw_parts(
    folder: Path, parts: Iterable[tuple[str, Callable[[Path], object]]], language: str
) -> list[Finding]:
    """Make the files of an output one by one; those that cannot be made are left out and named in a file.

    Parameters
    ----------
    folder : Path
    parts : iterable of (name, make)
        ``make`` takes the path of the file.
    language : {"zh", "en"}
    """
    missing: list[Finding] = []
    for name, make in parts:
        found = attempt(name, partial(make, folder / name))
        if found is not None:
            missing.append(found)
            for left in folder.glob(f"{name}*"):
                left.unlink()
    if missing:
        mark_unfinished(folder, language, missing)
    return missing


def mark_unfinished(folder: Path, language: str, missing: Iterable[Finding] = ()) -> None:
    """Say in the folder itself that not everything is drawn, and how to make the rest."""
    lines = [say("workbook.unfinished", language), *(f.sentence(language) for f in missing)]
    (folder / UNFINISHED).write_text("\n".join(lines) + "\n", encoding="utf-8")


def rehearse(county: County) -> list[Finding]:
    """What of a dossier could not be drawn, tried with today's arrangement.

    Parameters
    ----------
    county : County

    Returns
    -------
    list of Finding
        A warning for each file that will be missing.
    """

    def under() -> None:
        background.roads(county)
        background.townships(county)
        background.border(county)
        background.waters(county)
        background.village_cells(county)

    tried = (
        attempt("plan.gpkg", lambda: area_layers(county, county.attendance)),
        attempt("map.html", under),
    )
    return [f for f in tried if f is not None]
