"""Random counties of any size through the verb ``plan``: gap, seconds and memory by step.

Run ``python -m benchmarks.counties SITES ZONES [--seconds 600] [--preset balance_first]``; every run replaces its own row of
benchmarks/results/counties.csv, and the page is written anew. Budgets are 8 m yuan for 90 sites, in
proportion otherwise. The plan passes the referee, or there is no row.
"""

from __future__ import annotations

import argparse
import resource
import time

from benchmarks.generated import generated_county
from benchmarks.kept import keep, kept
from benchmarks.results import report
from geodata.travel.times import travel_times
from optimizer.scenario import Scenario
from optimizer.solver.limits import SOLVER
from optimizer.verbs.plan import plan

NAME = "counties"


def measure(sites: int, zones: int, seconds: float, preset: str) -> dict[str, object]:
    """One county, from its tables in memory to a refereed plan."""
    county = generated_county(sites, zones, seed=1, budget=8e6 * sites / 90)
    clock, cpu = time.monotonic(), time.process_time()
    result = plan(county, Scenario(seconds=seconds, preset=preset), travel_times(county))
    solve = result.solve
    return {
        "sites": sites, "zones": zones, "preset": preset, "objective": solve.objective, "bound": solve.bound, "gap": solve.gap,
        "status": solve.status, "seconds": time.monotonic() - clock, "cpu": time.process_time() - cpu, "limit": seconds,
        "goals": "; ".join(f"{g.goal} {g.objective:.4g} >= {g.bound:.4g} ({100 * g.gap:.1f} %)" for g in solve.goals),
        "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "solver": SOLVER,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sites", type=int)
    parser.add_argument("zones", type=int)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--preset", default="standards_first")
    asked = parser.parse_args()
    row = measure(asked.sites, asked.zones, asked.seconds, asked.preset)
    keep(NAME, f"{asked.sites}x{asked.zones} {asked.preset}", row)
    lines = [
        "Random fictional counties (`benchmarks.generated`, seed 1); seconds from tables in memory to the",
        "refereed plan. *Limit* is the scenario's: the time all solves share; where it ended one, another run may differ.", "",
        "| sites | zones | preset | first goal | bound | gap | status | s | CPU s | limit, s | MB | goals: value >= bound (gap) |", "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for r in kept(NAME).fillna({"goals": ""}).sort_values(["sites", "preset"]).itertuples():
        lines.append(
            f"| {r.sites} | {r.zones} | {r.preset} | {r.objective:.4f} | {r.bound:.4f} | {100 * r.gap:.2f} % | {r.status} | {r.seconds:.0f} "
            f"| {r.cpu:.0f} | {r.limit:.0f} | {r.mb:.0f} | {r.goals} |"
        )
    report(NAME, "Large counties", lines)


if __name__ == "__main__":
    main()
