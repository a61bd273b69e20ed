"""A thousand damaged inputs: ``python -m benchmarks fuzz [--cases 1000]``.

Tables, layers, roads, county.toml, the cache and paths are damaged in turn (`tests.mutations`). Each county is
checked; every fourth is also used where it is accepted: audited, its model stated, judged as it stands today. Counted: tracebacks,
files written or changed outside the county's cache, connections, and counties that were accepted and then crashed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.cases import peak_mb
from benchmarks.results import report
from tests.mutations import KINDS, Looked, a_county, listening, looked


def in_parts(first: int, cases: int, seconds: float, stated: int) -> list[Looked]:
    """Cases one after another, as far as the time goes; every ``stated``-th is used as well."""
    begun, found = time.monotonic(), []
    with tempfile.TemporaryDirectory() as work, listening() as (address, asked):
        sound = a_county(Path(work) / "sound")
        for number in range(first, first + cases):
            if time.monotonic() - begun > seconds:
                break
            place = Path(work) / "case"
            one = looked(sound, place, number, address, asked, stated > 0 and number % stated == 0)
            found.append(one)
            if one.wrong:
                print(number, one.kind, one.damage, one.wrong, flush=True)
            shutil.rmtree(place, ignore_errors=True)
    return found


def page(found: list[Looked], seconds: float, stated: int) -> list[str]:
    """The results as a page."""
    lines = [
        f"`python -m benchmarks fuzz`: {len(found)} damaged counties in {seconds:.0f} s ({os.getloadavg()[0]:.1f} processes wanted the",
        f"machine at the end), every {stated}th used as well where it was accepted. *Told* are refusals in words. Memory is the largest of the process that read all of them, libraries and",
        "all cases together.", "",
        "| what is damaged | cases | accepted | told | tracebacks | written outside | connections | accepted, then crashed |",
        "|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for kind in KINDS:
        rows = [f for f in found if f.kind == kind]
        wrong = Counter(w for f in rows for w in f.wrong)
        accepted = sum(f.accepted for f in rows)
        counts = [len(rows), accepted, len(rows) - accepted - wrong["traceback"]]
        counts += [wrong[w] for w in ("traceback", "written", "connection", "crashed")]
        lines.append(f"| {kind} | {' | '.join(map(str, counts))} |")
    slow = max(found, key=lambda f: f.seconds)
    lines += [
        "",
        f"Largest memory {peak_mb():.0f} MB; slowest check {slow.seconds:.1f} s (case {slow.number}, {slow.damage}).",
    ]
    return lines + [f"- case {f.number}, {f.damage}: {', '.join(f.wrong)}: {f.why}" for f in found if f.wrong]


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m benchmarks fuzz", description=__doc__)
    asked.add_argument("--cases", type=int, default=1000)
    asked.add_argument("--first", type=int, default=0, help="number of the first case: a case is its number")
    asked.add_argument("--stated", type=int, default=4, help="use every n-th as well, where it is accepted")
    asked.add_argument("--seconds", type=float, default=7200.0, help="begin no case after so many seconds")
    given = asked.parse_args()
    begun = time.monotonic()
    found = in_parts(given.first, given.cases, given.seconds, given.stated)
    report("fuzz", "Damaged inputs", page(found, time.monotonic() - begun, given.stated))


if __name__ == "__main__":
    main()
