"""A fixed plan of the demonstration county in 200 futures, by the real command on two worker processes.

Run from the repository's root: ``python -m benchmarks.futures [PLAN] [FUTURES]``; PLAN is a dossier, a run.json or a plan.csv,
without it today's decisions are the plan. Wall time depends on what else the machine does: processor time of all processes and the
load stand beside it. Writes benchmarks/results/futures.md.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.results import report

FUTURES, WORKERS = 200, 2
COMMAND = "from optimizer.cli.start import start; start()"


def as_it_is(folder: Path, file: Path) -> Path:
    """Today's decisions of a county as a plan's ledger."""
    import junheng as jh
    from models.plan.record import write_ledger

    county = jh.read_county(folder)
    write_ledger(jh.today_as_plan(county, jh.load_standards(county), jh.travel_times(county)), file)
    return file


def processor_seconds() -> float:
    """Of the children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(plan: Path | None, futures: int) -> list[str]:
    """Lines of the page."""
    from geodata.demo.county import write_demo_county
    from optimizer.study.stress.futures import read_template

    with tempfile.TemporaryDirectory() as work:
        place = Path(work)
        county = write_demo_county(place / "nanpu", 2026)
        asked = read_template().replace("futures = 200", f"futures = {futures}")
        (place / "futures.toml").write_text(asked, encoding="utf-8")
        given = plan or as_it_is(county, place / "plan.csv")
        words = [
            "stress",
            county,
            "--scenarios",
            place / "futures.toml",
            "--plan",
            given,
            "--out",
            place / "out",
        ]
        before, load, clock = processor_seconds(), os.getloadavg()[0], time.perf_counter()
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", COMMAND, *map(str, words), "--workers", str(WORKERS)],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        wall, used = time.perf_counter() - clock, processor_seconds() - before
        rows = (place / "out" / "fixed.csv").read_text(encoding="utf-8").count("\n") - 1
    return [
        f"Nanpu (`write_demo_county`, seed 2026), {'a plan that was given' if plan else 'today as the plan'}, the futures of "
        f"`junheng stress --template`, {WORKERS} workers: reading the county, judging, sheets and charts together.", "",
        "| futures judged | processor, s | a future, s | wall, s | load before | load after |",
        "|---|---|---|---|---|---|",
        f"| {rows} | {used:.0f} | {used / rows:.2f} | {wall:.0f} | {load:.1f} | {os.getloadavg()[0]:.1f} |",
    ]  # fmt: skip


def main() -> None:
    """Run it and write the page."""
    plan = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    futures = int(sys.argv[2]) if len(sys.argv) > 2 else FUTURES
    report("futures", f"A fixed plan in {futures} futures", run(plan, futures))


if __name__ == "__main__":
    main()
