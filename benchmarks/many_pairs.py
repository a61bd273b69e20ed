"""A million demand points x ten thousand schools: memory follows the pairs inside the limit.

Run from the repository's root: ``python -m benchmarks.many_pairs``.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.results import report
from benchmarks.travel_times import generated
from geodata.roads.shortest_paths import matrix
from geodata.roads.snapping import Net, Snaps

SIZES = ((100_000, 1_000, 100_000, 15), (250_000, 1_000, 250_000, 15), (250_000, 1_000, 250_000, 20), (500_000, 10_000, 1_000_000, 15))  # fmt: skip
"""Nodes, schools, demand points, minutes."""


def scattered(net: Net, count: int, random: np.random.Generator) -> Snaps:
    """Points anywhere along the streets, up to 300 m beside them."""
    street = random.choice(np.flatnonzero(net.main), count)
    offset = random.random(count) * net.streets.metres[street]
    return Snaps(street, offset, random.random(count) * 300.0, np.zeros(count, dtype=bool))


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def one(nodes: int, schools: int, points: int, minutes: int) -> str:
    net = generated(nodes, schools, 1, 60.0 * minutes).net
    random = np.random.default_rng(5)
    origins, goals = scattered(net, points, random), scattered(net, schools, random)
    before, started = peak_mb(), time.perf_counter()
    pairs = len(matrix(net, origins, goals, 60.0 * minutes, 0.9)[0])
    seconds = time.perf_counter() - started
    return f"| {nodes:,} | {schools:,} x {points:,} | {minutes} | {pairs:,} | {seconds:.1f} | {before:.0f} | {peak_mb():.0f} |"


def main() -> None:
    if len(sys.argv) == 5:
        print(one(*(int(a) for a in sys.argv[1:])))
        return
    lines = [
        "Each row is a process of its own; all pairs of the last row as one table would take 80,000 MB.", "",
        "| nodes | schools x points | limit, min | pairs inside | s | MB before | MB peak |", "|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for size in SIZES:
        command = [sys.executable, "-m", "benchmarks.many_pairs", *map(str, size)]
        root = Path(__file__).parents[1]
        lines.append(
            subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout.strip()
        )
    report("many_pairs", "A million demand points x ten thousand schools", lines)


if __name__ == "__main__":
    main()
