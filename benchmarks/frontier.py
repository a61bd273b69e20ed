"""A 20-point frontier of the demonstration county against one solve of the verb ``plan``.

Run from the repository's root: ``python -m benchmarks.frontier``. The measure: at most five times one
solve. Wall time depends on what else the machine does; processor time is given beside it. Writes
benchmarks/results/frontier.md.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.results import report


def timed(work: Callable[[], object]) -> tuple[object, float, float]:
    """What a call returns, with its wall and processor seconds."""
    wall, used = time.perf_counter(), time.process_time()
    found = work()
    return found, time.perf_counter() - wall, time.process_time() - used


def main() -> None:
    from geodata.demo.county import write_demo_county
    from geodata.folder.reading import read_county
    from geodata.travel.times import travel_times
    from optimizer.study.frontier import frontier
    from optimizer.verbs.plan import plan

    with tempfile.TemporaryDirectory() as work:
        write_demo_county(Path(work) / "nanpu", 2026)
        county = read_county(Path(work) / "nanpu")
        times = travel_times(county)
        found, wall, used = timed(lambda: frontier(county, points=20, times=times))
        lines = [
            "Nanpu (`write_demo_county`, seed 2026), scenario's defaults, 20 budgets; times of the solves alone.", "",
            f"Least budget with a plan: {found.least_found:.4f} of the scenario's; below {found.least_proven:.4f} none exists (proven). "
            f"{found.networks} networks compared.", "",
            "| share | budget, 10,000 yuan | imbalance | proven bound | gap | spent, 10,000 yuan | amounts changed |",
            "|---|---|---|---|---|---|---|",
        ]  # fmt: skip
        for p in found.points:
            spent = (
                p.verdict.measures.set_index("measure").at["cost", "plan"] / 1e4
                if p.verdict is not None
                else 0
            )
            lines.append(
                f"| {p.share:.2f} | {p.yuan / 1e4:.0f} | {p.objective:.4f} | {p.bound:.4f} | {p.gap:.1%} | {spent:.0f} | {len(p.changes)} |"
            )
        print("\n".join(lines), f"\n{wall:.0f} s, {used:.0f} s", flush=True)
        one, one_wall, one_used = timed(lambda: plan(county, times=times))
    lines += [
        "", "| | wall, s | processor, s |", "|---|---|---|", f"| frontier, 20 points | {wall:.0f} | {used:.0f} |",
        f"| one `plan` (imbalance {one.solve.objective:.4f}, bound {one.solve.bound:.4f}) | {one_wall:.0f} | {one_used:.0f} |",
        f"| ratio | {wall / one_wall:.1f} | {used / one_used:.1f} |", "",
        "The measure: at most five times one solve. `plan` settles the means for its own run; those of the frontier are the "
        "relaxation's at the scenario's budget.",
    ]  # fmt: skip
    report("frontier", "A frontier of 20 budgets", lines)


if __name__ == "__main__":
    main()
