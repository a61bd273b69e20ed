"""A simulated province: counties of varied size from seeds, their frontiers, the split, and how it grows.

Run ``python -m benchmarks.province N [--scale 0.2] [--seconds 5]``: N counties of the 104 that are simulated, spread evenly
over their sizes, in one process so that each is timed alone. No county is a real one. Writes benchmarks/results/province.md:
what was measured, then what a power of the number of sites says of all 104 at full size, labelled as extrapolated.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.generated import generated_county
from benchmarks.results import report
from optimizer.scenario import Scenario
from optimizer.solver.limits import SOLVER
from optimizer.study.province.asked import default_scenario, read_province
from optimizer.study.province.province import province

MANY = 104
"""County-level units of the province that is simulated: as many as Anhui has; nothing else is taken from there."""
MIDDLE, SPREAD, LEAST = 90, 0.5, 8
"""Sites of a county: median and spread of a lognormal, and the fewest."""
PER_SITE = 15_000.0
"""Yuan that the province has for every site of its counties."""


def simulated_sizes(many: int = MANY, scale: float = 1.0, seed: int = 1) -> list[int]:
    """Sites of every county, the same for the same seed."""
    draws = np.random.default_rng(seed).lognormal(np.log(MIDDLE * scale), SPREAD, many)
    return [max(LEAST, round(float(x))) for x in draws]


def simulated_province(
    folder: Path, numbers: list[int], sizes: list[int], budget: float | None = None
) -> list[int]:
    """Write some counties of a simulated province and their ``province.toml``; each county's seed is its number.

    Returns
    -------
    list of int
        Sites of every county written.
    """
    made = []
    for n in numbers:
        money = np.random.default_rng([n, 2]).uniform(0.3, 1.2)  # some counties are poor
        county = generated_county(sizes[n], 2 * sizes[n], seed=n, budget=8e6 * sizes[n] / 90 * money)
        county = replace(county, name=f"模拟县{n:03d}", name_en=f"Simulated county {n:03d}")
        place = folder / f"c{n:03d}"
        place.mkdir()
        for name, table in county.tables().items():
            if len(table):
                table.to_csv(place / f"{name}.csv", index=False)
        head = (
            f'name = "{county.name}"\nname_en = "{county.name_en}"\nyear = {county.year}\nfictional = true\n'
        )
        (place / "county.toml").write_text(head, encoding="utf-8")
        made.append(len(county.schools))
    yuan = sum(sizes[n] for n in numbers) * PER_SITE if budget is None else budget
    text = f'name = "模拟省"\nname_en = "Simulated province"\nbudget = {yuan:.0f}\n'
    (folder / "province.toml").write_text(text, encoding="utf-8")
    return made


def growth(sites: list[int], seconds: list[float]) -> tuple[float, float]:
    """Power and factor of ``seconds = factor * sites ** power`` by least squares of logarithms."""
    power, factor = np.polyfit(np.log(sites), np.log(seconds), 1)
    return float(power), float(np.exp(factor))


def measured(count: int, scale: float, scenario: Scenario) -> list[str]:
    """Run some counties and say what was found, what was measured and what follows."""
    sizes = simulated_sizes(scale=scale)
    order = sorted(range(MANY), key=lambda n: (sizes[n], n))
    numbers = sorted({order[round(i)] for i in np.linspace(0, MANY - 1, count)})
    clock: list[float] = [time.monotonic()]
    with tempfile.TemporaryDirectory() as work:
        sites = simulated_province(Path(work), numbers, sizes)
        given = read_province(Path(work) / "province.toml", scenario)
        begun = time.monotonic()

        def told(question: str, done: int, count: int, left: float) -> None:
            clock.append(time.monotonic())
            print(f"{question} {done} of {count}: {clock[-1] - clock[-2]:.0f} s", flush=True)

        clock[0] = time.monotonic()
        found = province(given, Path(work) / "out", told=told)
        whole = time.monotonic() - begun
    each = list(np.diff(clock))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rows = found.counties.to_dict("records")
    lines = [
        f"Simulated, no real county: {len(numbers)} of {MANY} counties of random sizes (`benchmarks.province`, sizes times {scale:g}), random "
        f"villages and schools as the crow flies (`benchmarks.generated`). {SOLVER}; {scenario.seconds:g} s a plan, "
        f"{len(found.points) // len(rows)} grants a county, one process.", "",
        "## Measured", "",
        "| county | sites | pupils | s | units assessed | failing: own money | equal parts (bound) | split (bound) | equal, yuan | split, yuan |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for r, n, s in zip(rows, sites, each, strict=True):
        if r["status"] != "done":
            lines.append(f"| {r['name_en']} | {n} | {r['pupils']:.0f} | {s:.0f} | {r['status']} {r['why']} |")
            continue
        lines.append(
            f"| {r['name_en']} | {n} | {r['pupils']:.0f} | {s:.0f} | {r['assessed']:.0f} | {r['value_own']:g} | {r['value_equal']:g} "
            f"({r['bound_equal']:g}) | {r['value_split']:g} ({r['bound_split']:g}) | {r['grant_equal']:,.0f} | {r['grant_split']:,.0f} |"
        )
    lines += [
        "", f"Budget {found.budget:,.0f} yuan. Units that fail: {found.value_own:g} with own money, {found.value_equal:g} with equal parts "
        f"(no plans below {found.bound_equal:g}), {found.value_split:g} with the split; no split into these grants goes below {found.grid:g}, "
        f"none at all below {found.bound:g}. Better by {found.gain:g}; at most {found.most_gain:g} can be had.", "",
        f"Whole study {whole:.0f} s from folders to split, reading included; {peak:.0f} MB at most.", "",
    ]  # fmt: skip
    return [
        *lines,
        *_extrapolated(sites, each, sizes, scale, len(found.points) // len(rows) * scenario.seconds),
    ]


def _extrapolated(
    sites: list[int], each: list[float], sizes: list[int], scale: float, limit: float
) -> list[str]:
    """What the measured counties say of all, at this scale and at full size."""
    if len(set(sites)) < 2:
        return ["Too few sizes to extrapolate from."]
    power, factor = growth(sites, each)
    lines = [
        "## Extrapolated, not measured", "",
        f"Seconds of a county as a power of its sites, fitted to the rows above: {factor:.2g} · sites^{power:.2f} "
        f"({min(sites)} to {max(sites)} sites). The plans' own limits are {limit:g} s a county; stating models and reading come on top, and grow faster: beyond the sizes "
        "measured the hours are likely too few.", "",
        "| province | largest county, sites | process hours | hours on two workers |", "|---|---|---|---|",
    ]  # fmt: skip
    full = simulated_sizes()
    for name, some in ((f"{MANY} counties, sizes times {scale:g}", sizes), (f"{MANY} counties, full size", full)):  # fmt: skip
        hours = sum(factor * n**power for n in some) / 3600
        beyond = " (beyond the sizes measured)" if max(some) > max(sites) else ""
        lines.append(f"| {name} | {max(some)}{beyond} | {hours:.1f} | {hours / 2:.1f} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=4)
    parser.add_argument("--scale", type=float, default=0.2)
    parser.add_argument("--seconds", type=float, default=5.0)
    asked = parser.parse_args()
    scenario = default_scenario("failing").model_copy(update={"seconds": asked.seconds})
    report("province", "A simulated province", measured(asked.count, asked.scale, scenario))


if __name__ == "__main__":
    main()
