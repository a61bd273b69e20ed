"""Single-source capacitated facility location with the network model: Holmberg (71) and Yang (20).

Run ``python -m benchmarks.single_source [--seconds 600] [family/number ...]``. Results are kept one by one in
results/single_source.csv; instances already proven are not solved again unless they are named.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import pandas as pd

from benchmarks.instances import facility
from benchmarks.kept import keep, kept
from benchmarks.results import report
from models.districting.single_source import cost_of, faults
from optimizer.districting.districting import serve
from optimizer.solver.limits import SOLVER, Limits

NAME = "single_source"
FAMILIES = {"holmberg": 71, "yang": 20}


def measure(inst: str, seconds: float) -> dict[str, object]:
    """One instance from its file to the proof."""
    clock, cpu = time.monotonic(), time.process_time()
    family, number = inst.split("/")
    problem, optimum = facility(family, int(number))
    done = serve(problem, limits=Limits(gap=1e-6, seconds=seconds))
    row: dict[str, object] = {
        "units": len(problem.demand), "sites": len(problem.sites), "status": done.answer.status,
        "value": done.answer.objective, "bound": done.answer.bound, "published": optimum, "nodes": done.answer.nodes,
        "seconds": time.monotonic() - clock, "cpu": time.process_time() - cpu, "limit": seconds, "solver": SOLVER,
    }  # fmt: skip
    if done.served_by:
        wrong = faults(problem, done.served_by)
        if wrong:
            raise AssertionError(f"{inst}: {wrong}")
        row["value"] = cost_of(problem, done.served_by)
    return row


def page(results: pd.DataFrame) -> list[str]:
    """The table and what it comes to."""
    lines = [
        f"{SOLVER}, one thread, gap 1e-6; seconds of clock and of processor from the file to the proof, on a machine "
        "shared with other work. Stopped: at the limit in seconds kept in the csv. A proven row is kept as it was proven.",
        "",
        "| instance | units x sites | found | bound | gap | status | s | CPU s | published |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    order = sorted(results.index, key=lambda i: (i.split("/")[0], int(i.split("/")[1])))
    for inst, r in results.loc[order].iterrows():
        gap = (r["value"] - r["bound"]) / r["value"]
        lines.append(
            f"| {inst} | {r['units']} x {r['sites']} | {r['value']:.0f} | {r['bound']:.2f} | {100 * gap:.4f} % | "
            f"{r['status']} | {r['seconds']:.1f} | {r['cpu']:.1f} | {r['published']:.0f} |"
        )
    lines.append("")
    for family, many in FAMILIES.items():
        rows = results[results.index.str.startswith(family)]
        same = np.isclose(rows["value"], rows["published"], atol=0.5)
        proven = rows["status"] == "proven"
        lines.append(
            f"- {family}: {len(rows)} of {many} measured, {int(same.sum())} reach the published optimum, "
            f"{int((same & proven).sum())} of them proven."
        )
    return lines


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seconds", type=float, default=600.0, help="limit of an instance")
    asked.add_argument("names", nargs="*", help="instances; all that are not proven yet, small ones first")
    given = asked.parse_args()
    have = kept(NAME)
    done = set(have.index[have["status"] == "proven"]) if len(have) else set()
    every = [f"{f}/{i}" for f, many in FAMILIES.items() for i in range(1, many + 1)]
    for inst in given.names or [i for i in every if i not in done]:
        row = measure(inst, given.seconds)
        keep(NAME, inst, row)
        print(inst, {k: v if isinstance(v, str) else round(float(v), 2) for k, v in row.items()}, flush=True)
    report(NAME, "Single-source capacitated facility location", page(kept(NAME)))


if __name__ == "__main__":
    main()
