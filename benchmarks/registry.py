"""Every benchmark by name: the cases (model x size x way) and the studies that have a command of their own.

``python -m benchmarks --list`` prints them. A case is added here and nowhere else: `python -m benchmarks` runs
it, the table shows it, and tests/test_benchmarks.py states it.
"""

from __future__ import annotations

import ast
import tempfile
from collections.abc import Callable, Mapping
from fnmatch import fnmatch
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import county_ways, network_ways
from benchmarks.cases import Case, Way
from benchmarks.generated import generated_county
from benchmarks.instances import DATA, facility, p_median, service_area
from benchmarks.network_ways import Network
from geodata.contract.county import County
from models.districting.single_source import SingleSource
from tests.samples import small_county
from tests.warehouse import OPTIMUM, warehouses

NETWORK: Mapping[str, Way] = {
    "junheng": network_ways.with_pyomo, "linopy": network_ways.with_linopy, "highspy": network_ways.with_highspy,
}  # fmt: skip
LOCATED: Mapping[str, Way] = {**NETWORK, "spopt": network_ways.with_spopt}
"""spopt states how many sites are open, but no costs of opening them."""
COUNTY: Mapping[str, Way] = {
    "junheng": county_ways.with_pyomo, "linopy": county_ways.with_linopy, "highspy": county_ways.with_highspy,
}  # fmt: skip
LARGE: Mapping[str, Way] = {**COUNTY, "junheng": partial(county_ways.with_pyomo, method=False)}
"""The method takes minutes there (results/method.md)."""
IMPORTS = {
    "junheng": ("pyomo", "highspy"), "spopt": ("spopt", "pulp", "highspy"), "linopy": ("linopy", "highspy"), "highspy": ("highspy",)
}  # fmt: skip
"""Packages whose versions a way's figures depend on."""
STUDIES = (
    "alternatives", "counties", "frontier", "futures", "fuzz", "kills", "many_pairs", "province", "quality", "real", "remade", "rutland_matrix", "service_areas", "single_source", "travel_times",
)  # fmt: skip
"""Modules of their own, slow or with other data: ``python -m benchmarks.<name>``."""


def _facility(number: int) -> Callable[[], Network]:
    def read() -> Network:
        problem = facility("holmberg", number)[0]
        pairs = problem.pairs.sort_values(["unit", "site"], ignore_index=True)
        return Network(SingleSource(problem.demand, problem.sites, pairs))

    return read


def _of(problem: SingleSource, many: int, rooms: bool = True) -> Network:
    """So many sites open; without rooms each may serve everyone."""
    sites = problem.sites.assign(fixed=1.0)
    if not rooms:
        sites["room"] = float(problem.demand.sum())
    return Network(SingleSource(problem.demand, sites, problem.pairs), many)


def _pmed(number: int) -> Callable[[], Network]:
    def read() -> Network:
        length, p = p_median(number)
        n = len(length)
        pairs = pd.DataFrame(
            {"unit": np.repeat(np.arange(n), n), "site": np.tile(np.arange(n), n), "cost": length.ravel()}
        )
        sites = pd.DataFrame({"room": float(n), "fixed": 1.0, "home": -1}, index=np.arange(n))
        return Network(SingleSource(pd.Series(np.ones(n)), sites, pairs), p)

    return read


def _nanpu() -> County:
    from geodata.demo.county import write_demo_county
    from geodata.folder.reading import read_county

    with tempfile.TemporaryDirectory() as work:
        write_demo_county(Path(work) / "nanpu", 2026)
        return read_county(Path(work) / "nanpu")


def _cases() -> list[Case]:
    cases = [Case("warehouse", "5x10", lambda: Network(warehouses()), NETWORK, published=OPTIMUM, small=True)]
    holmberg = {1: 8848.0, 24: 10273.0, 31: 13331.0, 56: 21103.0}
    for number, best in holmberg.items():
        cases.append(
            Case("facility", f"holmberg-{number}", _facility(number), NETWORK, published=best, needs=("sscflp",))
        )  # fmt: skip
    cases.append(Case("p-median", "5x10", lambda: _of(warehouses(), 2, rooms=False), LOCATED, small=True))
    for number, best in {1: 5819.0, 5: 1355.0, 15: 1729.0, 25: 1828.0}.items():
        cases.append(
            Case("p-median", f"pmed{number}", _pmed(number), LOCATED, published=best, needs=("orlib",))
        )
    cases.append(Case("p-median-rooms", "5x10", lambda: _of(warehouses(), 4), LOCATED, small=True))
    for area, many in (("zy_17b", 16), ("gy_37a", 33)):
        cases.append(
            Case("p-median-rooms", f"{area}-{many}", lambda a=area, n=many: _of(service_area(a)[0], n), LOCATED, gap=1e-4, needs=("gongyi",))
        )  # fmt: skip
    counties: dict[str, Callable[[], County]] = {
        "hand-sized": small_county, "nanpu": _nanpu, "generated-90": lambda: generated_county(90, 180),
        "generated-300": lambda: generated_county(300, 1000),
    }  # fmt: skip
    for model, ways, gap in (("county", COUNTY, 0.01),):
        for size, read in counties.items():
            small, large = size == "hand-sized", size.startswith("generated")
            those = LARGE if large and model == "county" else ways
            cases.append(Case(model, size, read, those, gap=1e-4 if small else gap, small=small))
    return cases


CASES = _cases()


def chosen(patterns: list[str]) -> list[tuple[Case, str]]:
    """Cases and ways that a pattern names: ``county/*``, ``p-median/pmed1``, ``*/linopy``; none names all.

    Raises
    ------
    ValueError
        A pattern that names nothing.
    """
    every = [(case, way) for case in CASES for way in case.ways]
    found: set[str] = set()
    for pattern in patterns or ["*"]:
        hits = {
            f"{c.name}/{w}" for c, w in every if fnmatch(f"{c.name}/{w}", pattern) or fnmatch(c.name, pattern)
        }
        if not hits:
            raise ValueError(f"nothing is called {pattern}: see --list")
        found |= hits
    return [(c, w) for c, w in every if f"{c.name}/{w}" in found]


def missing(case: Case, way: str) -> str:
    """Why a way cannot run here; empty if it can."""
    lacking = [p for p in IMPORTS[way] if find_spec(p) is None]
    if lacking:
        return f"{', '.join(lacking)} not installed (the extra bench)"
    absent = [f for f in case.needs if not (DATA / f).is_dir()]
    return f"no data: {', '.join(absent)}" if absent else ""


def study(name: str) -> str:
    """First line of a study's own description."""
    text = (Path(__file__).parent / f"{name}.py").read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(text)) or "").splitlines()[0]
