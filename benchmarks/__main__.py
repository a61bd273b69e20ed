"""Run benchmarks and write the table: ``python -m benchmarks [--list] [--seconds 30] [patterns ...]``.

Every way of every case runs in a process of its own. Rows are kept in results/registry.csv: a run replaces the
rows of what it ran. The page beside it, registry.md, is written from them.
"""

from __future__ import annotations

import argparse
import datetime
import json
import resource
import signal
import subprocess
import sys
import tempfile
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from benchmarks.cases import Case, measured
from benchmarks.registry import CASES, IMPORTS, STUDIES, chosen, missing, study
from benchmarks.registry_page import NAME, keep_rows, page
from benchmarks.results import report

ROOT = Path(__file__).resolve().parents[1]


def listing() -> str:
    """Every case with its ways, then the studies with a command of their own."""
    lines = ["Cases: python -m benchmarks [patterns]"]
    for case in CASES:
        ways = [f"{w} ({why})" if (why := missing(case, w)) else w for w in case.ways]
        lines.append(f"  {case.name:<30}{', '.join(ways)}")
    lines.append("Studies, each with a command and a page of results of its own:")
    lines += [f"  python -m benchmarks.{name:<17}{study(name)}" for name in STUDIES]
    return "\n".join(lines)


def run_study(name: str, words: list[str]) -> int:
    """Run a study as its own command does."""
    return subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *words], cwd=ROOT).returncode


def one(name: str, seconds: float, most: int, rows: Path) -> None:
    """In the process of its own: run a way of a case and write a line of JSON after each phase."""
    resource.setrlimit(resource.RLIMIT_CPU, (most, most + 5))
    ((case, way),) = chosen([name])
    with rows.open("w", encoding="utf-8") as out:
        for row in measured(case, way, seconds):
            out.write(json.dumps(asdict(row)) + "\n")
            out.flush()


def apart(case: Case, way: str, seconds: float, most: int) -> pd.DataFrame:
    """Rows of one way of a case, measured in a process of its own that may take so many processor seconds."""
    with tempfile.TemporaryDirectory() as work:
        rows = Path(work) / "rows"
        command = [
            sys.executable, "-m", "benchmarks", "--one", f"{case.name}/{way}", str(rows), "--seconds", str(seconds),
            "--most", str(most),
        ]  # fmt: skip
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        lines = rows.read_text(encoding="utf-8").splitlines() if rows.exists() else []
    found = [json.loads(line) for line in lines]
    if ended.returncode:
        last = (ended.stderr.strip().splitlines() or [f"ended with {ended.returncode}"])[-1]
        over = ended.returncode == -signal.SIGXCPU
        why = f"over {most} s of processor" if over else f"failed: {last}"
        found.append({"model": case.model, "size": case.size, "way": way, "phase": "later", "status": why})
    used = ", ".join(f"{p} {version(p)}" for p in IMPORTS[way])
    return pd.DataFrame(found).assign(
        gap_asked=case.gap,
        limit=seconds,
        published=case.published,
        versions=used,
        date=str(datetime.date.today()),
    )


def main() -> int:
    if sys.argv[1:2] and sys.argv[1] in STUDIES:
        return run_study(sys.argv[1], sys.argv[2:])
    asked = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    asked.add_argument(
        "patterns", nargs="*", help="names or patterns (model/size or model/size/way); none: all"
    )
    asked.add_argument("--list", action="store_true", help="name the cases, their ways and the studies")
    asked.add_argument("--seconds", type=float, default=30.0, help="limit of a solve, seconds of processor")
    asked.add_argument("--most", type=int, default=200, help="limit of a way of a case, seconds of processor")
    asked.add_argument("--one", nargs=2, metavar=("NAME", "FILE"), help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.one:
        one(given.one[0], given.seconds, given.most, Path(given.one[1]))
        return 0
    if given.list:
        print(listing())
        return 0
    try:
        todo = chosen(given.patterns)
    except ValueError as wrong:
        asked.error(str(wrong))
    failed = False
    for case, way in todo:
        if why := missing(case, way):
            print(f"{case.name}/{way}: skipped, {why}", flush=True)
            continue
        rows = apart(case, way, given.seconds, given.most)
        keep_rows(rows)
        failed |= bool(rows["status"].str.startswith("failed").any())
        print(rows[["model", "size", "way", "phase", "value", "bound", "cpu", "status"]].to_string(index=False, header=False), flush=True)  # fmt: skip
    report(NAME, "Cases side by side", page())
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
