"""A 20-point frontier of the demonstration county against one solve of the verb ``plan``.

Run from the repository's root: ``python -m benchmarks frontier [GOAL] [POINTS]``; with a goal the default scenario with that goal first,
without one the studies' own. The measure: at most five times one solve. Wall time depends on what else the machine does; processor time is
given beside it. Writes benchmarks/results/frontier.md, or frontier_GOAL.md.
"""

from __future__ import annotations

import sys
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
    """Run it and write the page."""
    goal = sys.argv[1] if len(sys.argv) > 1 else ""
    points = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    from geodata.demo.county import write_demo_county
    from geodata.folder.reading import read_county
    from geodata.travel.times import travel_times
    from optimizer.scenario import Scenario
    from optimizer.study.frontier import frontier
    from optimizer.study.robust.robust import about
    from optimizer.verbs.plan import plan

    with tempfile.TemporaryDirectory() as work:
        write_demo_county(Path(work) / "nanpu", 2026)
        county = read_county(Path(work) / "nanpu")
        times = travel_times(county)
        asked = about(Scenario(), goal) if goal else None
        found, wall, used = timed(lambda: frontier(county, asked, points=points, times=times))
        lines = [
            f"Nanpu (`write_demo_county`, seed 2026), {goal + ' first, then the default goals' if goal else 'goals of studies'}, {points} budgets; times of the solves alone.", "",
            f"Least budget with a plan: {found.least_found:.4f} of the scenario's; below {found.least_proven:.4f} none exists (proven). "
            f"{found.networks} networks compared.", "",
            f"| share | budget, 10,000 yuan | {found.goal} | proven bound | gap | spent, 10,000 yuan | amounts changed |",
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
        one, one_wall, one_used = timed(lambda: plan(county, asked, times=times))
    lines += [
        "", "| | wall, s | processor, s |", "|---|---|---|", f"| frontier, {points} points | {wall:.0f} | {used:.0f} |",
        f"| one `plan` ({one.goals['goal'].iloc[0]} {one.solve.objective:.4f}, bound {one.solve.bound:.4f}) | {one_wall:.0f} | {one_used:.0f} |",
        f"| ratio | {wall / one_wall:.1f} | {used / one_used:.1f} |", "",
        "The measure: at most five times one solve. `plan` settles the means for its own run; those of the frontier are the "
        "relaxation's at the scenario's budget.",
    ]  # fmt: skip
    report(f"frontier_{goal}" if goal else "frontier", f"A frontier of {points} budgets", lines)


if __name__ == "__main__":
    main()
