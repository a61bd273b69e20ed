"""Published instances read from ../shared (see the SOURCE.md files there); nothing is copied."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.sparse.csgraph import shortest_path

from models.districting.contiguity import Adjacency, adjacency
from models.districting.single_source import SingleSource

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def service_area(name: str) -> tuple[SingleSource, Adjacency, dict[int, tuple[float, float]]]:
    """A Gongyi or ZY instance: the problem, the borders of its units, their places in km."""
    table = pd.read_csv(DATA / "gongyi" / f"{name}.txt", sep="\t").set_index("OID")
    borders = pd.read_csv(DATA / "gongyi" / f"{name.split('_')[0]}_connectivity.txt").iloc[:, 1:3]
    units = [int(u) for u in table.index]
    graph = adjacency(units, [(int(a), int(b)) for a, b in borders.itertuples(index=False)])
    schools = table[table["fcapacity"] > 0]
    homes = [int(j) for j in schools.index]
    sites = pd.DataFrame(
        {"room": schools["fcapacity"].astype(float), "fixed": 0.0, "home": homes}, index=homes
    )
    xy = table[["PointX", "PointY"]].to_numpy(float) / 1000
    away = np.hypot(
        *(xy[:, None] - schools[["PointX", "PointY"]].to_numpy(float)[None] / 1000).transpose(2, 0, 1)
    )
    demand = table["pop"].astype(float)
    pairs = pd.DataFrame(
        {"unit": np.repeat(units, len(homes)), "site": np.tile(homes, len(units)),
         "cost": (away * demand.to_numpy()[:, None]).ravel()}
    )  # fmt: skip
    place = {u: (float(a), float(b)) for u, (a, b) in zip(units, xy, strict=True)}
    return SingleSource(demand, sites, pairs), graph, place


def published_service_areas() -> pd.DataFrame:
    """Index inst: obj, gap ('opt' or the gap left), time (s) of CPLEX 12.6."""
    return pd.read_csv(DATA / "gongyi" / "cplex_results.csv").set_index("inst")


def facility(family: str, number: int) -> tuple[SingleSource, float]:
    """A Holmberg or Yang instance and its published optimum."""
    folder = DATA / "sscflp" / family
    text = (folder / f"p{number}").read_text().split("\0")[0]  # many files are padded with NUL
    words = np.array(text.split(), dtype=float)
    m, n = int(words[0]), int(words[1])
    if len(words) != 2 + 2 * m + n + m * n:
        raise ValueError(f"{family}/p{number}: {len(words)} numbers for {m} sites and {n} units")
    site, rest = words[2 : 2 + 2 * m].reshape(m, 2), words[2 + 2 * m :]
    cost = rest[n : n + m * n].reshape(m, n)
    pairs = pd.DataFrame(
        {"unit": np.tile(np.arange(n), m), "site": np.repeat(np.arange(m), n), "cost": cost.ravel()}
    )
    sites = pd.DataFrame({"room": site[:, 0], "fixed": site[:, 1], "home": -1})
    optimum = float((folder / "os").read_text().split()[number - 1])
    return SingleSource(pd.Series(rest[:n]), sites, pairs), optimum


def p_median(number: int) -> tuple[np.ndarray, int]:
    """A p-median instance of the OR-Library: distances between all nodes, and p."""
    words = np.array((DATA / "orlib" / f"pmed{number}.txt").read_text().split(), dtype=int)
    nodes, edges, p = (int(w) for w in words[:3])
    arcs = words[3 : 3 + 3 * edges].reshape(edges, 3)
    length = np.zeros((nodes, nodes))
    for i, j, cost in arcs:  # of an edge given twice the last cost counts
        length[i - 1, j - 1] = length[j - 1, i - 1] = cost
    return shortest_path(csr_array(length), directed=False), p
