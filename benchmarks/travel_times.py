"""Engines side by side: our matrix against networkx, igraph, pandana and a contraction hierarchy.

Run from the repository's root with the extra ``bench``: ``python -m benchmarks.travel_times``. Every engine
gets the same arcs and points and returns the pairs (point, school) with seconds; set-up is part of
its time. Answers must be the same: each engine's tolerance is stated. An engine that would take
minutes is timed on a few schools and its time multiplied (marked ~).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.results import report
from benchmarks.rutland_matrix import PBF
from geodata.roads.shortest_paths import matrix
from geodata.roads.snapping import Net, Snaps, Streets, network, streets_of
from geodata.roads.speeds import mode_network

Table = np.ndarray  # seconds, shape (points, schools), infinite beyond the limit


@dataclass(frozen=True)
class Task:
    name: str
    net: Net
    xy: np.ndarray  # of the nodes, for engines that order them by place
    points: np.ndarray
    schools: np.ndarray
    limit: float

    def few(self, count: int) -> Task:
        return replace(self, schools=self.schools[:count])


def generated(nodes: int, schools: int, points: int, limit: float, seed: int = 1) -> Task:
    """A country road net: jittered grid, a sixth of the links missing, a tenth one-way, four speeds."""
    random = np.random.default_rng(seed)
    side = round(nodes**0.5)
    number = np.arange(side * side).reshape(side, side)
    tail = np.concatenate([number[:, :-1].ravel(), number[:-1].ravel()])
    head = np.concatenate([number[:, 1:].ravel(), number[1:].ravel()])
    kept = random.random(len(tail)) > 1 / 6
    tail, head = tail[kept], head[kept]
    xy = np.stack(np.unravel_index(number.ravel(), number.shape), axis=1) * 300.0
    xy += random.uniform(-100, 100, xy.shape)
    metres = np.hypot(*(xy[tail] - xy[head]).T) * random.uniform(1.0, 1.4, len(tail))
    one_way = random.random(len(tail)) < 0.1
    ahead = random.random(len(tail)) < 0.5
    pace = 3.6 / random.choice([15.0, 25.0, 40.0, 60.0], len(tail), p=[0.3, 0.4, 0.2, 0.1])
    none, words = np.empty(0, dtype=object), np.full(len(tail), "")
    streets = Streets(
        len(xy), tail, head, metres, ahead | ~one_way, ~ahead | ~one_way, words, words, words, none, none, "",
    )  # fmt: skip
    return placed(f"generated {len(xy):,}", network(streets, pace, on_foot=False), xy, schools, points, limit)


def rutland(schools: int, points: int, limit: float) -> Task:
    from geodata.roads.graph import read_roads

    graph = read_roads(PBF)
    xy = np.array([(d["x"] * 66_000, d["y"] * 111_200) for _, d in graph.nodes(data=True)])
    net = mode_network(streets_of(graph), "bus")
    return placed(f"Rutland {len(xy):,}", net, xy, schools, points, limit)


def placed(name: str, net: Net, xy: np.ndarray, schools: int, points: int, limit: float) -> Task:
    random = np.random.default_rng(2)
    inside = np.unique(np.concatenate([net.streets.tail[net.main], net.streets.head[net.main]]))
    chosen = random.permutation(inside)
    return Task(name, net, xy, chosen[:points], chosen[-schools:], limit)


def arcs(task: Task) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Arcs turned round, so that one search from a school finds all its points; cheapest of parallel ones."""
    start, end, cost = task.net.arcs()
    order = np.lexsort((cost, start, end))
    start, end, cost = start[order], end[order], cost[order]
    first = np.ones(len(start), dtype=bool)
    first[1:] = (start[1:] != start[:-1]) | (end[1:] != end[:-1])
    return end[first], start[first], cost[first]


def at_nodes(task: Task, nodes: np.ndarray) -> Snaps:
    """Points standing on nodes, as snaps on a street that ends there."""
    s = task.net.streets
    street = np.full(s.node_count, -1)
    own = np.flatnonzero(task.net.main)
    street[s.head[own]] = own
    street[s.tail[own]] = own
    chosen = street[nodes]
    offset = np.where(s.tail[chosen] == nodes, 0.0, s.metres[chosen])
    return Snaps(chosen, offset, np.zeros(len(nodes)), np.zeros(len(nodes), dtype=bool))


def ours(task: Task) -> Table:
    point, school, seconds = matrix(
        task.net, at_nodes(task, task.points), at_nodes(task, task.schools), task.limit
    )
    table = np.full((len(task.points), len(task.schools)), np.inf)
    table[point, school] = seconds
    return table


def with_networkx(task: Task) -> Table:
    import networkx as nx

    graph = nx.DiGraph()
    graph.add_nodes_from(range(task.net.streets.node_count))
    graph.add_weighted_edges_from(zip(*(a.tolist() for a in arcs(task)), strict=True))
    cutoff = None if np.isinf(task.limit) else task.limit
    columns = []
    for school in task.schools.tolist():
        found = nx.single_source_dijkstra_path_length(graph, school, cutoff=cutoff)
        columns.append([found.get(p, np.inf) for p in task.points.tolist()])
    return np.array(columns).T


def with_igraph(task: Task) -> Table:
    import igraph

    start, end, cost = arcs(task)
    graph = igraph.Graph(n=task.net.streets.node_count, edges=np.stack([start, end], axis=1), directed=True)
    columns = graph.distances(task.schools.tolist(), task.points.tolist(), weights=cost.tolist(), mode="out")
    return cut(np.array(columns).T, task.limit)


def with_pandana(task: Task) -> Table:
    import pandana
    import pandas as pd

    start, end, cost = arcs(task)
    place = pd.DataFrame(task.xy, columns=["x", "y"])
    graph = pandana.Network(
        place["x"], place["y"], pd.Series(start), pd.Series(end), pd.DataFrame({"cost": cost}), twoway=False
    )
    schools = np.repeat(task.schools, len(task.points))
    points = np.tile(task.points, len(task.schools))
    seconds = np.array(graph.shortest_path_lengths(schools, points))
    seconds[seconds > 4e6] = np.inf  # pandana's "no way"
    return cut(seconds.reshape(len(task.schools), len(task.points)).T, task.limit)


def with_hierarchy(task: Task) -> Table:
    """routingkit-cch: a customisable contraction hierarchy; whole milliseconds."""
    import routingkit_cch as rk

    start, end, cost = arcs(task)
    start, end = start.astype(np.uint32), end.astype(np.uint32)
    order = rk.compute_order_inertial(
        task.net.streets.node_count, start, end, task.xy[:, 1].astype(np.float32), task.xy[:, 0].astype(np.float32)
    )  # fmt: skip
    hierarchy = rk.CCH(order, start, end, False)
    metric = rk.CCHMetric(hierarchy, np.round(cost * 1000).astype(np.uint32))
    search = rk.CCHOneToMany(metric, task.points.astype(np.uint32))
    columns = [
        [np.inf if d is None else d / 1000 for d in search.distances_from(school)]
        for school in task.schools.tolist()
    ]
    return cut(np.array(columns).T, task.limit)


def cut(table: Table, limit: float) -> Table:
    return np.where(table <= limit, table, np.inf)


ENGINES: dict[str, tuple[Callable[[Task], Table], float]] = {  # seconds that answers may differ by
    "junheng (scipy)": (ours, 0.0),
    "networkx": (with_networkx, 0.003),  # ours: at least 1 ms for the step on and off the road
    "igraph": (with_igraph, 0.003),
    "routingkit-cch": (with_hierarchy, 0.5),  # rounds every arc to 1 ms
    "pandana": (with_pandana, 0.5),  # rounds every arc to 1 ms and less
}
FEW = {"networkx": {0: 0, 50_000: 6, 200_000: 3}, "igraph": {0: 0, 200_000: 10}}
"""Schools that slow engines are timed on, from a number of nodes; 0 is all."""
LARGEST = {"pandana": 50_000}
"""Nodes beyond which an engine is left out: pandana takes five minutes at 100,000 nodes."""


def compared(task: Task) -> list[str]:
    """One table row per engine; stops if an answer differs."""
    rows: list[tuple[str, float, bool]] = []
    whole = None
    for name, (engine, tolerance) in ENGINES.items():
        if task.net.streets.node_count > LARGEST.get(name, np.inf):
            continue
        steps = FEW.get(name, {0: 0})
        count = steps[max(n for n in steps if n <= task.net.streets.node_count)]
        part = task.few(count) if count else task
        setup = 0.0
        if count:
            started = time.perf_counter()
            engine(task.few(1))
            setup = time.perf_counter() - started
        started = time.perf_counter()
        table = engine(part)
        seconds = time.perf_counter() - started
        if count:
            seconds = setup + max(seconds - setup, 0.0) / (count - 1) * (len(task.schools) - 1)
        whole = table if whole is None else whole
        check(name, whole[:, : table.shape[1]], table, tolerance, task.limit)
        rows.append((name, seconds, bool(count)))
        print(task.name, name, f"{seconds:.2f}", file=sys.stderr)
    fastest = min(s for _, s, _ in rows)
    return [
        f"| {task.name} | {len(task.schools)} x {len(task.points):,} | {limit_text(task.limit)} | {name} | "
        f"{'~' if guessed else ''}{seconds:.2f} | {seconds / fastest:.1f} |"
        for name, seconds, guessed in rows
    ]


def limit_text(limit: float) -> str:
    return "none" if np.isinf(limit) else f"{limit / 60:g} min"


def check(name: str, want: Table, have: Table, tolerance: float, limit: float) -> None:
    """The same pairs with the same seconds, but for pairs within the tolerance of the limit."""
    both = np.isfinite(want) & np.isfinite(have)
    one = np.where(np.isfinite(want), want, have)[np.isfinite(want) != np.isfinite(have)]
    worst = float(np.abs(want[both] - have[both]).max(initial=0.0))
    if worst > tolerance or (limit - one > tolerance).any():
        raise SystemExit(f"{name}: answers differ by {worst} s; {len(one)} pairs in one only")


def main() -> None:
    half_hour = 1800.0
    tasks = [
        rutland(26, 4900, half_hour),
        rutland(26, 4900, np.inf),
        generated(10_000, 100, 5_000, half_hour),
        generated(10_000, 100, 5_000, np.inf),
        generated(100_000, 300, 20_000, half_hour),
        generated(100_000, 100, 20_000, np.inf),
        generated(500_000, 500, 50_000, half_hour),
        generated(500_000, 50, 50_000, np.inf),
    ]
    lines = [
        "Seconds in all, set-up of the engine's own graph included. `~`: timed on a few schools, multiplied.",
        "All engines gave the same pairs; seconds within 0.003 s (networkx, igraph) or 0.5 s (those that round).",
        "pandana is left out above 50,000 nodes, where it takes minutes.",
        "", "| graph, nodes | schools x points | limit | engine | s | times the fastest |", "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for task in tasks:
        lines += compared(task)
        report("travel_times", "Travel-time engines", lines)


if __name__ == "__main__":
    main()
