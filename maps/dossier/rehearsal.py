"""What can be drawn is known before the solve: layers and map are made once from today.

Whatever a county's layers hold, drawing never costs a plan: what fails is left out and named.
"""

from __future__ import annotations

from collections.abc import Callable

from geodata.areas.export import area_layers
from geodata.contract.county import County
from geodata.contract.findings import Finding, InputProblems
from maps.web import background


def drawn(name: str, make: Callable[[], object]) -> Finding | None:
    """Make one part of an output; a warning if it cannot be made.

    A full disk and the like are no fault of the part, so they go on to the caller.
    """
    try:
        make()
    except OSError:
        raise
    except InputProblems as problem:
        why = "; ".join(f.sentence("en") for f in problem.findings)
    except Exception as problem:  # GDAL, GEOS, PROJ, xlsxwriter, jinja2 each raise kinds of their own
        why = f"{type(problem).__name__}: {problem}"
    else:
        return None
    return Finding("warning", "workbook.not_drawn", {"why": " ".join(why.split())[:300]}, file=name)


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
        drawn("plan.gpkg", lambda: area_layers(county, county.attendance)),
        drawn("map.html", under),
    )
    return [f for f in tried if f is not None]
