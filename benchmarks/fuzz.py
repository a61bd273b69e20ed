"""A thousand damaged inputs: ``python -m benchmarks fuzz [--cases 1000] [--kept FILE]``.

Everything that a county may hold is damaged in turn, alone and several things together (`tests.mutations`). Each county
is checked in a process of its own, so that its memory is its own; those that are accepted are also used: audited, their
model stated, judged as they stand today. With ``--kept`` the cases are kept as they are done, and a later run of the same
sources goes on where the last one ended.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from benchmarks.results import report
from tests.mutations import KINDS, SEVERAL, WRONG, Looked, a_county, listening, looked, warm_up

ROOT = Path(__file__).parents[1]
SOURCES = (
    "geodata",
    "models",
    "optimizer",
    "maps",
    "tests/hostile",
    "tests/mutations.py",
    "tests/geodata/test_fuzz.py",
)
MOST_MB = 1000.0


def sources_hash() -> str:
    """Hash of everything that a case depends on."""
    total = hashlib.sha256()
    for name in SOURCES:
        place = ROOT / name
        files = (
            [place]
            if place.is_file()
            else sorted(p for p in place.rglob("*") if p.suffix in (".py", ".toml", ".csv"))
        )
        for file in files:
            total.update(file.relative_to(ROOT).as_posix().encode() + file.read_bytes())
    return total.hexdigest()[:16]


def kept_cases(kept: Path | None, sources: str) -> dict[int, Looked]:
    """Cases of an earlier run of the same sources."""
    if kept is None or not kept.exists():
        return {}
    rows = [json.loads(line) for line in kept.read_text(encoding="utf-8").splitlines()]
    return {r["case"]["number"]: Looked(**r["case"]) for r in rows if r["sources"] == sources}


def in_parts(numbers: list[int], seconds: float, stated: int) -> Iterator[Looked]:
    """Cases one after another, as far as the time goes; every ``stated``-th is used as well."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as work, listening() as (address, asked):
        sound = a_county(Path(work) / "sound")
        warm_up(sound)
        for number in numbers:
            if time.monotonic() - begun > seconds:
                break
            place = Path(work) / "case"
            yield looked(sound, place, number, address, asked, stated > 0 and number % stated == 0)
            shutil.rmtree(place, ignore_errors=True)


def page(found: list[Looked], stated: int) -> list[str]:
    """The results as a page."""
    lines = [
        f"`python -m benchmarks fuzz`: {len(found)} damaged counties, {sum(f.seconds for f in found):.0f} s of processor in `check`;",
        f"{'all' if stated == 1 else f'every {stated}th'} used as well where accepted. *Told* are refusals in words. Memory is the largest of a case's own process,",
        "libraries included (about 300 MB of it before anything is read).", "",
        f"| what is damaged | cases | accepted | told | {' | '.join(WRONG)} | most MB in check | most MB in use |",
        "|" + "---|" * (6 + len(WRONG)),
    ]  # fmt: skip
    for kind in (*KINDS, SEVERAL):
        rows = [f for f in found if f.kind == kind]
        wrong = Counter(w for f in rows for w in f.wrong)
        accepted = sum(f.accepted for f in rows)
        counts = [len(rows), accepted, len(rows) - accepted - wrong["traceback"] - wrong["died"]]
        counts += [wrong[w] for w in WRONG]
        counts += [
            round(max((m for f in rows for m in [f.peak_mb]), default=0)),
            round(max((f.used_mb for f in rows), default=0)),
        ]
        lines.append(f"| {kind} | {' | '.join(map(str, counts))} |")
    slow, large = max(found, key=lambda f: f.seconds), max(found, key=lambda f: f.peak_mb)
    over = sum(f.peak_mb > MOST_MB for f in found)
    lines += [
        "",
        f"Largest memory of a check {large.peak_mb:.0f} MB (case {large.number}, {large.damage}); {over} above {MOST_MB:.0f} MB. Slowest check",
        f"{slow.seconds:.1f} s of processor (case {slow.number}, {slow.damage}).",
    ]  # fmt: skip
    return lines + [
        f"- case {f.number}, {f.kind}, {f.damage}: {', '.join(f.wrong)}: {f.why} {f.said}".rstrip()
        for f in found
        if f.wrong
    ]


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m benchmarks fuzz", description=__doc__)
    asked.add_argument("--cases", type=int, default=1000)
    asked.add_argument("--first", type=int, default=0, help="number of the first case: a case is its number")
    asked.add_argument("--stated", type=int, default=1, help="use every n-th as well, where it is accepted")
    asked.add_argument("--seconds", type=float, default=7200.0, help="begin no case after so many seconds")
    asked.add_argument("--kept", type=Path, help="file of the cases that are done, a line each")
    given = asked.parse_args()
    sources = sources_hash()
    done = kept_cases(given.kept, sources)
    wanted = range(given.first, given.first + given.cases)
    for one in in_parts([n for n in wanted if n not in done], given.seconds, given.stated):
        done[one.number] = one
        if one.wrong or one.peak_mb > MOST_MB or one.seconds > 5:
            print(
                one.number,
                one.kind,
                one.damage,
                one.wrong,
                f"{one.peak_mb:.0f} MB {one.seconds:.1f} s",
                one.why,
                one.said,
                flush=True,
            )
        if given.kept is not None:
            with given.kept.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"sources": sources, "case": asdict(one)}) + "\n")
    load = f"{os.getloadavg()[0]:.1f} processes wanted the machine at the end; sources {sources}."
    report("fuzz", "Damaged inputs", [*page([done[n] for n in wanted if n in done], given.stated), "", load])


if __name__ == "__main__":
    main()
