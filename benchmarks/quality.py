"""What plans win and what they lose: scenarios by name on real, fictional and generated counties.

Run ``python -m benchmarks quality [counties ...] [--scenarios default standards_first ...] [--seconds 600]
[--keep FOLDER]``; every run replaces its own row of benchmarks/results/quality.csv, and the page is written anew.
``--keep`` keeps each plan for reading: its ledger, record, workbook and front page. A scenario is ``default``
or the id of a preset. The measures are those of `models.plan.quality.plan_quality`. Rutland and Fermanagh
read their data from the shared folder beside the project, or from ``--data``.
"""

from __future__ import annotations

import argparse
import datetime
import tempfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from benchmarks.generated import generated_county
from benchmarks.kept import keep, kept
from benchmarks.modelled import write_place
from benchmarks.real import PLACES, SEED, SHARED
from benchmarks.results import report
from geodata.contract.county import County
from geodata.demo.county import write_demo_county
from geodata.folder.reading import read_county
from geodata.messages import say
from geodata.travel.times import travel_times
from maps.dossier.dossier import save_plan
from maps.dossier.gains import about_words, gains_table
from maps.dossier.workbook import write_workbook
from maps.front.pages import front_page
from models.plan.decisions import PlanResult
from models.plan.quality import plan_quality
from optimizer.outcomes import Defect, Infeasible, Rejected, StoppedWithoutPlan
from optimizer.scenario import Scenario
from optimizer.verbs.plan import plan

NAME = "quality"
PRESETS = ("standards_first", "equity_first", "nearest_first", "thrift_first", "least_disruption")
WHEN = "measured|"
"""Column with the day of a run: rows are measured on days of their own."""
READ = (
    "What generated-30 shows: standards first and least disruption bring most units to pass, the first with the caps relieved, the "
    "second with less money; equity first brings more coefficients within their limits and fewer units to pass; nearest first alone "
    "brings pupils within the limit of their way; thrift first spends nothing and changes nothing. Who pays: pupils with longer ways "
    "(by up to five minutes, 14 minutes with nearest first), and schools of the county seat, which give teachers to small ones.",
    "Of 27 November only generated-30/standards_first is of the rules of that evening (no bus away from a walk, no filling at the "
    "school's own expense, nothing won by giving up grades or by ending a choice of families); the other rows are older. "
    "The school that nearest first closes there, and the one that equity first fills, are what these rules forbid.",
)
"""What a reader should know of the rows that are there; to be written anew with them."""
SHOWN = {
    "units_passing", "units_won", "units_lost", "units_gone", "cells_won", "cells_lost", "cells_gone", "units_losing", "cv_within",
    "pupils_longer", "pupils_newly_beyond", "groups_past_own", "exchanges", "classes_cut", "rules_broken",
}  # fmt: skip
"""Measures that stand in the page even where they are zero: a loss that does not happen is a result."""


def _nanpu(folder: Path, data: Path) -> County:
    del data
    write_demo_county(folder / "nanpu", SEED)
    return read_county(folder / "nanpu")


def _place(name: str) -> Callable[[Path, Path], County]:
    def read(folder: Path, data: Path) -> County:
        # its roads lie in the shared folder, which is where they stay
        return read_county(write_place(PLACES[name](data / name), folder / name, SEED), allow_outside=True)

    return read


def _generated(sites: int, zones: int) -> Callable[[Path, Path], County]:
    return lambda *_: generated_county(sites, zones, seed=1, budget=8e6 * sites / 90)


COUNTIES: dict[str, Callable[[Path, Path], County]] = {
    "nanpu": _nanpu,
    "rutland": _place("rutland"),
    "fermanagh": _place("fermanagh"),
    "generated-30": _generated(30, 60),
    "generated-60": _generated(60, 120),
}


def scenario_named(name: str, seconds: float) -> Scenario:
    """The scenario of a name: the default one, or a preset.

    Raises
    ------
    ValidationError
        For a preset that does not exist.
    """
    return Scenario.model_validate(({} if name == "default" else {"preset": name}) | {"seconds": seconds})


def keep_plan(result: PlanResult, folder: Path) -> None:
    """What a reader of the plan needs, in English: the dossier without its maps and documents, which take a minute to draw."""
    save_plan(result, folder, "en", overwrite=True)
    write_workbook(result, folder / "plan.xlsx", "en")
    (folder / "index.html").write_text(front_page(result, "en"), encoding="utf-8")


def measured(
    county: County, scenario: Scenario, folder: Path | None = None
) -> tuple[dict[str, float], pd.DataFrame | None]:
    """The measures of a plan by ``measure|about``, and as a table of words; without a plan, how it ended.

    The plan is kept in ``folder``, if one is given.
    """
    try:
        result = plan(county, scenario, times=travel_times(county))
    except (Defect, Infeasible, Rejected, StoppedWithoutPlan) as ended:
        print(repr(ended), flush=True)
        return {f"ended|{type(ended).__name__}": 1.0}, None
    if folder is not None:
        keep_plan(result, folder)
    table = plan_quality(result)
    keys = table["measure"] + "|" + table["about"]
    return dict(zip(keys, table["value"].round(6), strict=True)), gains_table(result, "en")


def page(rows: pd.DataFrame) -> list[str]:
    """A table for each county: measures down, scenarios across."""
    lines = [
        "What each scenario's plan wins and loses (`models.plan.quality`), wins and losses never netted. Seconds are those of the "
        "solves on a shared machine.",
        *(line for told in READ for line in ("", told)),
    ]  # fmt: skip
    where = rows.index.to_series().str.split("/", expand=True)
    for county, some in rows.groupby(where[0], sort=False):
        some = some.dropna(axis="columns", how="all")
        names = [str(n).split("/")[1] for n in some.index]
        lines += [
            "",
            f"## {county}",
            "",
            f"| measure | | {' | '.join(names)} |",
            "|---" * (2 + len(names)) + "|",
        ]
        for key in some.columns:
            measure, about = key.split("|")
            values = some[key]
            if key == WHEN:
                lines.append(f"| measured | | {' | '.join(values.fillna('-').astype(str))} |")
                continue
            if measure not in SHOWN and not values.fillna(0).ne(0).any():
                continue
            label = (
                f"ended: {about}"
                if measure == "ended"
                else f"{say(f'quality.{measure}')} | {about_words(measure, about, 'en')}"
            )
            label = label if " | " in label else f"{label} | "
            lines.append(f"| {label} | {' | '.join(_shown(measure, v) for v in values)} |")
    return lines


def _shown(measure: str, value: float) -> str:
    if pd.isna(value):
        return "-"
    if measure == "gap":
        return f"{100 * value:.1f} %"
    return f"{value:,.0f}" if abs(value) >= 1000 or value == round(value) else f"{value:.3g}"


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks quality", description=__doc__)
    parser.add_argument("counties", nargs="*", help=f"of {', '.join(COUNTIES)}; none: all")
    parser.add_argument("--scenarios", nargs="+", default=list(PRESETS), help="default, or ids of presets")
    parser.add_argument("--seconds", type=float, default=600.0, help="time that the solves of a plan share")
    parser.add_argument("--data", type=Path, default=SHARED, help="folder of the real places' data")
    parser.add_argument("--keep", type=Path, help="folder in which each plan is kept for reading")
    asked = parser.parse_args(words)
    unknown = sorted(set(asked.counties) - set(COUNTIES))
    if unknown:
        parser.error(f"no county is called {', '.join(unknown)}; known: {', '.join(COUNTIES)}")
    for name in asked.counties or COUNTIES:
        with tempfile.TemporaryDirectory() as work:
            county = COUNTIES[name](Path(work), asked.data)
            for scenario in asked.scenarios:
                kept_in = None if asked.keep is None else asked.keep / f"{name}-{scenario}"
                row, told = measured(county, scenario_named(scenario, asked.seconds), kept_in)
                keep(NAME, f"{name}/{scenario}", dict(row) | {WHEN: str(datetime.date.today())})
                print(
                    f"{name}/{scenario}",
                    "" if told is None else f"\n{told.to_string(index=False)}",
                    flush=True,
                )
    report(NAME, "Plans side by side: what they win and lose", page(kept(NAME)))


if __name__ == "__main__":
    main()
