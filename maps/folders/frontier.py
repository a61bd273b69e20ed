"""The budget frontier as a folder: ``frontier.xlsx``, ``frontier.png``, ``frontier.json``."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from geodata.messages import large_unit, say
from geodata.standards.terms import in_its_words
from maps.chart import draw_frontier
from maps.dossier.notices import percent
from maps.dossier.tables import Sheet
from maps.dossier.workbook import write_told
from maps.folders.budgets import budget_sheets, budgets_record, budgets_said, frontier_goal
from maps.folders.curve import CHOOSE, STYLE_OF_CURVES, curves_block
from maps.folders.told_page import told_page
from maps.folders.writing import Output, called, csv_writer, finite, parquet_writer, write_folder
from maps.front.text import large
from maps.lettered import lettered_table
from maps.wording import band, listed, name, not_real, what
from models.formulation.goals import UPPER
from models.formulation.money import EARMARKED
from models.plan.differences.comparison import amounts
from models.study.analysis import Frontier, FrontierPoint

MARKER = "frontier.json"
KIND = Output(
    MARKER, frozenset(("frontier.xlsx", "frontier.png", "frontier.html", "points.csv", "decisions.parquet"))
)
TOLD_MEASURES = (
    "imbalance", "cv_ok", "worst_cv_ratio", "units_passing", "cells_met", "closures", "bands_closed", "mean_minutes",
    "max_minutes", "pupils_changed", "staff_moved", "hires",
)  # fmt: skip
"""Measures shown for every point, from the referee's table."""
PLANNED_MEANS = ("imbalance", "deficit")
"""Goals that a frontier measures about planned means."""


def analysis_word(key: str, language: str, **fields: object) -> str:
    """A message of the analysis room."""
    return say(f"analysis.{key}", language, **fields)


def spent(point: FrontierPoint) -> dict[str, float]:
    """Yuan charged by earmark."""
    if point.verdict is None:
        return dict.fromkeys(EARMARKED, math.nan)
    found = point.verdict.budget.set_index("earmark")["spent"]
    return {e: float(found[e]) for e in EARMARKED}


def point_measures(point: FrontierPoint) -> dict[str, float]:
    """The headline measures of a point's plan."""
    if point.verdict is None:
        return dict.fromkeys(TOLD_MEASURES, math.nan)
    found = point.verdict.measures.set_index("measure")["plan"]
    return {m: float(found[m]) for m in TOLD_MEASURES}


def shown(value: float) -> str:
    """A number for a sentence: no needless decimals, thousands apart."""
    return f"{value:,.0f}" if abs(value) >= 100 or value == round(value) else f"{value:,.1f}"


def changes_said(changes: pd.DataFrame, language: str, most: int = 4) -> str:
    """What changed, as one sentence: bands by school, then totals of what arrives."""
    said = []
    bands = changes[changes["change"] == "band"]
    for r in bands.head(most).itertuples():
        key = "takes_up" if r.after > r.before else "gives_up"
        said.append(analysis_word(key, language, school=r.school, band=band(str(r.what), language)))
    if len(bands) > most:
        said.append(analysis_word("more_bands", language, count=len(bands) - most))
    rest = changes[~changes["change"].isin(["band", "pupils"])]
    kinds = rest.assign(
        what=[
            w if c in ("purchase", "item_move") else ""
            for c, w in zip(rest["change"], rest["what"], strict=True)
        ]
    )
    for (change, thing, unit), rows in kinds.groupby(["change", "what", "unit"], sort=False):
        more = float((rows["after"] - rows["before"]).sum())
        if abs(more) >= 0.5:
            amount = large(abs(more)) if unit == "yuan" else shown(abs(more))
            said.append(
                analysis_word(
                    "total", language, action=name("action", str(change), language), what=what(thing, language) if thing else "",
                    more=f"{'+' if more > 0 else '−'}{amount}", unit=name("unit", "large" if unit == "yuan" else str(unit), language),
                )
            )  # fmt: skip
    if said:
        return listed(said, language)
    return analysis_word("elsewhere" if len(changes) else "no_change", language)


def points_sheet(found: Frontier, language: str) -> Sheet:
    """One row a budget."""
    rows = []
    for p in found.points:
        row: dict[str, object] = {
            analysis_word("share", language): p.share, analysis_word("budget_large", language): p.yuan / large_unit(),
            analysis_word("state", language): analysis_word(f"state_{'carried' if p.carried else p.status}", language),
            objective_word(found, language): p.objective, analysis_word("bound", language): p.bound, analysis_word("gap", language): percent(p.gap) if p.plan else "",
            analysis_word("cost_large", language): sum(spent(p).values()) / large_unit(),
        }  # fmt: skip
        row |= {
            analysis_word("spent_large", language, earmark=name("earmark", e, language)): v / large_unit()
            for e, v in spent(p).items()
        }
        row |= {name("measure", m, language): v for m, v in point_measures(p).items()}
        row[analysis_word("changed", language)] = (
            changes_said(p.changes, language) if p is not found.points[0] else ""
        )
        rows.append(row)
    table = pd.DataFrame(rows)
    formats = {h: "number" for h in table.columns if table[h].dtype == "float64"}
    formats |= dict.fromkeys((objective_word(found, language), analysis_word("bound", language)), "fine")
    return Sheet("frontier", table, formats)


def objective_word(found: Frontier, language: str) -> str:
    """The heading of a frontier's objective: its goal."""
    return analysis_word("objective_of", language, goal=frontier_goal(found, language))


def change_columns(c: pd.DataFrame, language: str) -> dict[str, Any]:
    """The columns of `models.plan.differences.comparison.plan_changes` in words."""
    return {
        analysis_word("change", language): [analysis_word(f"change_{k}", language) for k in c["change"]],
        analysis_word("township", language): list(c["township"]), analysis_word("school", language): list(c["school"]),
        analysis_word("what", language): [what(w, language) for w in c["what"]],
        analysis_word("before", language): list(c["before"]), analysis_word("after", language): list(c["after"]),
        analysis_word("unit", language): [name("unit", u, language) for u in c["unit"]],
    }  # fmt: skip


def frontier_changes_sheet(found: Frontier, language: str) -> Sheet:
    """Every amount that differs from the next smaller budget's plan."""
    parts = [p.changes.assign(share=p.share) for p in found.points if len(p.changes)]
    c = pd.concat(parts, ignore_index=True) if parts else found.points[0].changes.assign(share=0.0)
    columns = {analysis_word("share", language): list(c["share"]), **change_columns(c, language)}
    formats = {analysis_word(k, language): "number" for k in ("share", "before", "after")}
    return Sheet("changes", pd.DataFrame(columns), formats)


def frontier_said(found: Frontier, language: str) -> list[str]:
    """Sentences for the front: what varies, how sure, what the least budget is, what the county is."""
    varies = (
        analysis_word("whole_budget", language)
        if found.earmark == "all"
        else name("earmark", found.earmark, language)
    )
    solved = [p for p in found.points if p.plan is not None]
    county = found.county.name if language == "zh" else found.county.name_en
    said = [
        analysis_word("frontier_title", language, county=county),
        analysis_word(
            "frontier_about", language, varies=varies, points=len(found.points), networks=found.networks, solver=found.solver,
            gap=percent(max(p.gap for p in solved)),
        ),
        analysis_word("bound_none" if found.goal in UPPER else "bound_about", language, goal=frontier_goal(found, language)),
    ]  # fmt: skip
    if found.goal in PLANNED_MEANS:
        said.append(analysis_word("bound_means", language))
    if math.isfinite(found.least_found):
        own = _own_budget(found)
        said.append(
            analysis_word(
                "least", language, found=f"{found.least_found:.3f}", amount=f"{found.least_found * own / large_unit():,.1f}",
                proven=f"{found.least_proven:.3f}",
            )
        )  # fmt: skip
    said += budgets_said(found, language)
    if found.interrupted:
        said.append(analysis_word("frontier_interrupted", language, count=len(solved)))
    return said + not_real(found.county, language)


def _own_budget(found: Frontier) -> float:
    """The scenario's own budget of what varies, in yuan: told by any point that has some of it."""
    some = next((p for p in found.points if p.share > 0), None)
    if some is None:
        return 0.0
    return sum(v for e, v in some.budget.items() if found.earmark in ("all", e)) / some.share


def frontier_record(found: Frontier, folder: Path | None = None) -> dict[str, Any]:
    """Every figure of a frontier as plain data; what is not known is null."""
    return {
        "county": found.county.name, "county_en": found.county.name_en, "fictional": found.county.fictional,
        "input_hash": found.county.content_hash, **called(found, folder), "scenario": found.scenario, "earmark": found.earmark, "solver": found.solver,
        "least_found": finite(found.least_found), "least_proven": finite(found.least_proven), "networks": found.networks,
        "interrupted": found.interrupted, "seconds": round(found.seconds, 1),
        "points": [
            {
                "share": p.share, "budget": p.budget, "status": p.status, "objective": finite(p.objective), "bound": finite(p.bound),
                "gap": finite(p.gap), "carried": p.carried, "plan_id": p.plan.plan_id if p.plan else None,
                "spent": {e: finite(v) for e, v in spent(p).items()}, "measures": {m: finite(v) for m, v in point_measures(p).items()},
                "changes": json.loads(p.changes.to_json(orient="records", force_ascii=False)),
            }
            for p in found.points
        ],
        **budgets_record(found),
    }  # fmt: skip


@in_its_words
def write_frontier(found: Frontier, folder: Path, language: str = "zh", overwrite: bool = False) -> str:
    """Write a frontier's folder.

    Parameters
    ----------
    found : Frontier
    folder : Path
    language : {"zh", "en"}
    overwrite : bool
        Replace an earlier frontier; any other folder that is not empty is never touched.

    Returns
    -------
    str
        The language of the chart: English where no Chinese font is installed.

    Raises
    ------
    InputProblems
        When the folder may not be written.
    Undrawn
        The workbook or the chart could not be made; the rest is written.
    """
    languages: list[str] = []
    parts = (
        ("frontier.xlsx", lambda file: _write_workbook(found, file, language)),
        ("frontier.png", lambda file: languages.append(draw_frontier(found, file, language))),
        ("frontier.html", lambda file: file.write_text(frontier_page(found, language), encoding="utf-8")),
        ("points.csv", csv_writer(points_table(found))),
        ("decisions.parquet", parquet_writer(decided_table(found), found.county)),
    )
    write_folder(folder, KIND, overwrite, frontier_record(found, folder), parts, language)
    return languages[0]


def _sheets(found: Frontier, language: str) -> list[tuple[str, Sheet]]:
    """All sheets with their headings."""
    points = tuple(
        replace(p, changes=lettered_table(p.changes, found.county, language)) for p in found.points
    )
    found = replace(found, points=points)
    sheets = (points_sheet(found, language), frontier_changes_sheet(found, language))
    named = [(analysis_word(f"sheet_{sheet.key}", language), sheet) for sheet in sheets]
    return named + [(say(f"worth.sheet_{s.key}", language), s) for s in budget_sheets(found, language)]


def _write_workbook(found: Frontier, path: Path, language: str) -> None:
    said = (analysis_word("sheet_about", language), frontier_said(found, language))
    write_told(path, found.county.name, language, said, _sheets(found, language))


def frontier_page(found: Frontier, language: str, place: Path | None = None) -> str:
    """The page: sentences, curves to choose from, every table but that of single changes; ``place`` is not needed."""
    shown = [(h, s) for h, s in _sheets(found, language) if s.key != "changes"]
    curves = curves_block(found, language)
    return told_page(frontier_said(found, language), shown, language, curves, STYLE_OF_CURVES, CHOOSE)


def points_table(found: Frontier) -> pd.DataFrame:
    """A row a budget for further work: share, yuan, state, goal, bound, gap, money by earmark, measures."""
    rows = [
        {
            "share": p.share, "yuan": p.yuan, "status": "carried" if p.carried else p.status, "goal": found.goal, "objective": p.objective,
            "bound": p.bound, "gap": p.gap, **{f"spent_{e}": v for e, v in spent(p).items()}, **point_measures(p),
        }
        for p in found.points
    ]  # fmt: skip
    return pd.DataFrame(rows)


def decided_table(found: Frontier) -> pd.DataFrame:
    """Every decided amount of every budget's plan: ``share, yuan, change, school_id, what, unit, quantity``."""
    units = {k: one.unit for k, one in found.county.norms.resources.items()}
    parts = [
        amounts(p.plan, units).assign(share=p.share, yuan=p.yuan) for p in found.points if p.plan is not None
    ]
    columns = ["share", "yuan", "change", "school_id", "what", "unit", "quantity"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)
