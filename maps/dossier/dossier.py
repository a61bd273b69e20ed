"""The dossier: a plan as a folder, every file made from one `PlanResult`."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Collection
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2

from geodata.contract.findings import Finding, InputProblems
from geodata.folder.target import claim
from maps.dossier.completeness import balance_sentence
from maps.dossier.notices import notices
from maps.dossier.rehearsal import UNFINISHED, Undrawn, draw_parts, mark_unfinished
from maps.dossier.tables import Sheet, actions, budget, coefficients, gap_counts, summary
from maps.dossier.workbook import write_workbook
from maps.layers import write_layers
from maps.web.proposal import write_map
from maps.wording import word
from models.plan.decisions import PlanResult
from models.plan.record import LEDGER_CSV, ledger_record, write_ledger

MARKER = "run.json"
NAMES = frozenset((LEDGER_CSV, "index.html", "map.html", "plan.xlsx", "plan.gpkg", MARKER, UNFINISHED))
"""Everything of a dossier; what else lies in its folder is the planner's."""
PACKAGES = ("junheng", "pyomo", "highspy", "osmnx", "geopandas", "folium", "pandas", "numpy", "scipy")
DECIMALS = {"cv": 2, "money": 1, "minutes": 0, "whole": 0, "ratio": 2, "number": 2}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "from the source tree"


def _seen_from(county: Path | None, folder: Path | None) -> str | None:
    """A county's folder relative to a dossier, so that both may be moved together; None where there is none."""
    if county is None or folder is None:
        return None
    try:
        return Path(os.path.relpath(county.absolute(), folder.absolute())).as_posix()
    except ValueError:  # two drives of Windows
        return county.absolute().as_posix()


def _known(value: float) -> float | None:
    """A number, or nothing where there is none."""
    return value if math.isfinite(value) else None


def run_record(result: PlanResult, folder: Path | None = None) -> dict[str, Any]:
    """Everything needed to make the plan again, and how sure it is.

    Parameters
    ----------
    result : PlanResult
    folder : Path or None
        Where the record will lie: the county's folder is named as seen from there.

    Returns
    -------
    dict
        Input hash, versions, seed, scenario, goals with objective, bound, gap, seconds and nodes,
        measures, findings as sentences, the plan row by row.
    """
    solve = result.solve
    goals = [vars(g) for g in solve.goals]
    return {
        "county": result.county.name, "county_en": result.county.name_en, "fictional": result.county.fictional,
        "modelled": list(result.county.modelled), "year": result.county.year, "input_hash": result.county.content_hash,
        "county_folder": _seen_from(result.county.folder, folder), "plan_id": result.plan.plan_id, "travel_times": result.times.source, "scenario": result.scenario,
        "versions": {p: _version(p) for p in PACKAGES} | {"solver": solve.solver}, "seed": solve.seed, "status": solve.status,
        "objective": solve.objective, "bound": _known(solve.bound), "gap": _known(solve.gap), "seconds": round(solve.seconds, 2), "goals": goals,
        "measures": {r.measure: {"today": r.today, "plan": r.plan, "unit": r.unit} for r in result.verdict.measures.itertuples()},
        "referee": {"accepted": result.verdict.accepted, "rules": len(result.verdict.rules)},
        "findings": [{"severity": f.severity, "text": f.sentence("en")} for f in result.findings],
        "ledger": ledger_record(result.plan),
    }  # fmt: skip


def _shown(sheet: Sheet) -> dict[str, Any]:
    """A sheet's table as texts for the front page, each with True where it is a number."""
    digits = [DECIMALS.get(sheet.formats.get(heading, "")) for heading in sheet.table.columns]
    rows = [
        [_text(value, d) for value, d in zip(row, digits, strict=True)]
        for row in sheet.table.itertuples(index=False)
    ]
    return {
        "head": [(h, d is not None) for h, d in zip(sheet.table.columns, digits, strict=True)],
        "rows": rows,
    }


def _text(value: object, digits: int | None) -> tuple[str, bool]:
    if digits is None or isinstance(value, str):
        return str(value), digits is not None
    shown = f"{float(str(value)):,.{digits}f}"
    return (shown[:-3] if shown.endswith(".00") else shown), True


def front_page(result: PlanResult, language: str, lost: Collection[str] = ()) -> str:
    """``index.html``: headline, notices, links; autoescaped, and it asks nothing of the network.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}
    lost : collection of str
        Files that could not be made and are not linked.
    """
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    template = environment.from_string(
        (files("maps.web") / "page" / "index.html").read_text(encoding="utf-8")
    )
    chosen = actions(result, language)
    big = result.actions["action"].isin(["close", "reduce", "receive", "bus"]).to_numpy()
    large = Sheet(chosen.key, chosen.table[big], chosen.formats)
    return str(template.render(
        language=language, title=word("title", language, county=result.county.name if language == "zh" else result.county.name_en),
        draft=word("draft_mark", language), notices=notices(result, language),
        links=[(f, word(f"link_{k}", language)) for f, k in (("map.html", "map"), ("plan.xlsx", "xlsx"), ("plan.gpkg", "gpkg"), (LEDGER_CSV, "csv"), ("run.json", "run")) if f not in lost],
        sections=[
            (word("sheet_summary", language), _shown(summary(result, language))),
            (word("front_actions", language), _shown(large)),
            (word("sheet_cv", language), _shown(coefficients(result, language))),
            (word("sheet_budget", language), _shown(budget(result, language))),
            (word("sheet_gaps", language), _shown(gap_counts(result, language))),
        ],
        balance=balance_sentence(result, language),
    ))  # fmt: skip


def is_dossier(folder: Path) -> bool:
    """Whether a folder holds an earlier dossier, which may be replaced when asked."""
    return (folder / MARKER).is_file()


def is_unfinished(folder: Path) -> bool:
    """Whether a folder holds a dossier that is not drawn to the end."""
    return is_dossier(folder) and (folder / UNFINISHED).is_file()


def _may_write(folder: Path, overwrite: bool) -> None:
    """Only an empty place or, when asked, an earlier dossier is written to."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not overwrite:
        raise InputProblems([Finding("error", "workbook.exists", file=str(folder))])
    if not is_dossier(folder):
        raise InputProblems([Finding("error", "workbook.not_a_dossier", file=str(folder))])


def _decisions(result: PlanResult, folder: Path) -> None:
    """The plan's ledger as CSV and the run record: what the plan is, before anything is drawn from it."""
    write_ledger(result.plan, folder / LEDGER_CSV)
    record = json.dumps(run_record(result, folder), ensure_ascii=False, indent=1, default=str)
    (folder / MARKER).write_text(record + "\n", encoding="utf-8")


def save_plan(result: PlanResult, folder: Path, language: str = "zh", overwrite: bool = False) -> Path:
    """Write the plan's ledger and ``run.json``, whole and at once, so that nothing later can lose the plan.

    Parameters
    ----------
    result : PlanResult
    folder : Path
    language : {"zh", "en"}
    overwrite : bool
        As in `write_dossier`.

    Returns
    -------
    Path
        Where it is, as `geodata.folder.target.HeldTarget.replace` says.

    Raises
    ------
    InputProblems
        When the folder may not be written.
    """

    def fill(draft: Path) -> None:
        _decisions(result, draft)
        mark_unfinished(draft, language)

    with claim(folder, NAMES) as target:
        _may_write(folder, overwrite)
        return target.replace(fill)


def draw_plan(result: PlanResult, folder: Path, language: str = "zh") -> list[Finding]:
    """Write the whole dossier over a saved plan: what cannot be drawn is left out and said.

    Parameters
    ----------
    result : PlanResult
    folder : Path
        As `save_plan` returned it.
    language : {"zh", "en"}

    Returns
    -------
    list of Finding
        A warning for each file that could not be made.
    """
    missing: list[Finding] = []
    parts: tuple[tuple[str, Callable[[Path], object]], ...] = (
        ("plan.xlsx", lambda file: write_workbook(result, file, language)),
        ("plan.gpkg", lambda file: write_layers(result, file)),
        ("map.html", lambda file: write_map(result, file, language)),
    )

    def fill(draft: Path) -> None:
        _decisions(result, draft)
        missing.extend(draw_parts(draft, parts, language))
        lost = {f.file for f in missing}
        (draft / "index.html").write_text(front_page(result, language, lost), encoding="utf-8")

    with claim(folder, NAMES) as target:
        target.replace(fill)
    return missing


def write_dossier(result: PlanResult, folder: Path, language: str = "zh", overwrite: bool = False) -> Path:
    """Write a plan's dossier: plan.csv, run.json, then index.html, map.html, plan.xlsx, plan.gpkg.

    The plan's ledger is written first; then everything is made beside the folder and put in place
    as a whole, by renaming.

    Parameters
    ----------
    result : PlanResult
    folder : Path
    language : {"zh", "en"}
    overwrite : bool
        Replace the files of an earlier dossier, and nothing else in its folder; any other folder that
        is not empty is never touched.

    Returns
    -------
    Path

    Raises
    ------
    InputProblems
        When the folder may not be written.
    Undrawn
        A part of the dossier could not be made; the plan and the other parts are written.
    """
    with claim(folder, NAMES):
        place = save_plan(result, folder, language, overwrite)
        missing = draw_plan(result, folder, language)
    if missing:
        raise Undrawn(missing, place)
    return place
