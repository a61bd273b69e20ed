"""Which versions are at work: of the program, of Python, of the solver and of the libraries of maps."""

from __future__ import annotations

import platform
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def at_work() -> dict[str, str]:
    """Version by name, as a report of a fault needs them.

    Returns
    -------
    dict of str to str
        Of junheng, Python, HiGHS, GDAL, PROJ and GEOS: those that are loaded, not those that were asked for.
    """
    # imported here, one by one: what asks for versions may want them because an import of the rest fails
    import highspy
    import pyogrio
    import pyproj
    import shapely

    # a solver's own answer would come with its banner
    solver = (highspy.HIGHS_VERSION_MAJOR, highspy.HIGHS_VERSION_MINOR, highspy.HIGHS_VERSION_PATCH)
    return {
        "junheng": _own(), "Python": platform.python_version(), "HiGHS": ".".join(map(str, solver)),
        "GDAL": pyogrio.__gdal_version_string__, "PROJ": pyproj.proj_version_str, "GEOS": shapely.geos_version_string,
    }  # fmt: skip


def _own() -> str:
    """The version installed, else the one that the source tree states."""
    try:
        return version("junheng")
    except PackageNotFoundError:
        project = Path(__file__).resolve().parents[1] / "pyproject.toml"
        return str(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"])
