"""Plans made again in futures of the demonstration county, by the real command on two worker processes.

Run from the repository's root: ``python -m benchmarks remade PLAN [PLANS] [SECONDS]``; PLAN is a dossier, a run.json or a plan.csv. The
measure: 40 plans in at most 20 minutes, each with what is proven. Wall time depends on what else the machine does: processor time of all
processes and the load stand beside it. The tables of the study are reckoned once more here, by a few lines. Writes
benchmarks/results/remade.md.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

from benchmarks.futures import COMMAND, WORKERS, processor_seconds
from benchmarks.results import report

PLANS, SECONDS = 40, 55.0
TOLD_GOALS = ("over_cap", "failing", "deficit")
"""Goals of the default whose values and bounds are told; the deficit's bound is about planned means, not about the figure beside it."""


def figures(folder: Path) -> list[str]:
    """What the plans reach and what is proven, as rows of a page."""
    made = pd.read_csv(folder / "remade.csv")
    lines = [
        "| goal | plans found: least, median, most | proven bounds: least, median, most | at their bound |",
        "|---|---|---|---|",
    ]
    for goal in TOLD_GOALS:
        found, bound = made[f"goal_{goal}"], made[f"bound_{goal}"]
        told = [" / ".join(f"{x.quantile(q):,.1f}" for q in (0, 0.5, 1)) for x in (found, bound)]
        proven = "-" if goal == "deficit" else f"{int((found <= bound + 1e-6).sum())} of {len(made)}"
        lines.append(f"| {goal} | {told[0]} | {told[1]} | {proven} |")
    states = ", ".join(f"{n} {s}" for s, n in made["solve"].value_counts().items())
    return [
        *lines,
        "",
        f"Solves: {states}; {int(made['accepted'].eq(1).sum())} plans that the referee accepts.",
    ]


def wrong_cells(folder: Path) -> tuple[int, int]:
    """Cells of the study's tables that a few plain lines reckon otherwise, and how many were looked at."""
    fixed, made, told = (pd.read_csv(folder / f"{n}.csv") for n in ("fixed", "remade", "measures"))
    alpha = json.loads((folder / "stress.json").read_text(encoding="utf-8"))["futures"]["alpha"]
    rows = fixed[(fixed["future"] > 0) & (fixed["status"] == "done")]
    wrong = seen = 0

    def compare(own: float, other: float) -> None:
        nonlocal wrong, seen
        seen += 1
        wrong += not math.isclose(own, other, rel_tol=1e-9, abs_tol=1e-9)

    for m in told[told["better"].notna()].itertuples():
        x = sorted(rows[m.measure].dropna(), reverse=m.better == "low")
        if not x:
            continue
        room = alpha * len(x)
        whole = int(room)
        rest = (room - whole) * (x[whole] if whole < len(x) else 0.0)
        compare((sum(x[:whole]) + rest) / room, m.cvar)
        compare(x[0], m.worst)
    here, there = fixed.set_index("future"), made.set_index("future")
    for r in pd.read_csv(folder / "regret.csv").itertuples():
        compare(here.at[r.future, r.measure] - there.at[r.future, r.measure], r.regret)
        if r.bound == r.bound:
            bound = there.at[r.future, "bound_" + r.measure.removeprefix("goal_")]
            compare(here.at[r.future, r.measure] - bound, r.regret_most)
    return wrong, seen


def page(
    folder: Path, plans: int, seconds: float, used: float, wall: float, loads: tuple[float, float]
) -> list[str]:
    """Lines of the page."""
    wrong, seen = wrong_cells(folder)
    return [
        f"Nanpu (`write_demo_county`, seed 2026), the plan of `junheng demo`, the futures of `junheng stress --template`: 200 judged and {plans} "
        f"of them with a plan made again (`--remake {plans} --seconds {seconds:g}`), {WORKERS} workers, the real command from start to charts. "
        "Each plan begins from the fixed plan as far as it can be kept there, and has a bound for every goal.", "",
        "| plans | wall, min | processor, s | a plan, processor s | load before | load after |", "|---|---|---|---|---|---|",
        f"| {plans} | {wall / 60:.1f} | {used:.0f} | {used / plans:.0f} | {loads[0]:.1f} | {loads[1]:.1f} |", "",
        *figures(folder), "",
        f"CVaR, worst values, regrets and their bounds reckoned once more by other lines: {wrong} of {seen} cells differ.",
    ]  # fmt: skip


def run(plan: Path, plans: int, seconds: float) -> list[str]:
    """Run the command; lines of the page."""
    from geodata.demo.county import write_demo_county
    from optimizer.study.stress.futures import read_template

    with tempfile.TemporaryDirectory() as work:
        place = Path(work)
        county = write_demo_county(place / "nanpu", 2026)
        (place / "futures.toml").write_text(read_template(), encoding="utf-8")
        words = [
            "stress", county, "--scenarios", place / "futures.toml", "--plan", plan, "--out", place / "out", "--remake", plans,
            "--seconds", seconds, "--workers", WORKERS,
        ]  # fmt: skip
        before, load, clock = processor_seconds(), os.getloadavg()[0], time.perf_counter()
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", COMMAND, *map(str, words)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        wall, used = time.perf_counter() - clock, processor_seconds() - before
        return page(place / "out", plans, seconds, used, wall, (load, os.getloadavg()[0]))


def main() -> None:
    """Run it and write the page."""
    plans = int(sys.argv[2]) if len(sys.argv) > 2 else PLANS
    seconds = float(sys.argv[3]) if len(sys.argv) > 3 else SECONDS
    report("remade", f"{plans} plans made again", run(Path(sys.argv[1]), plans, seconds))


if __name__ == "__main__":
    main()
