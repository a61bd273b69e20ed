"""Alternatives as a folder: ``alternatives.xlsx``, ``alternatives.json``."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from geodata.standards.terms import in_its_words
from maps.dossier.notices import percent
from maps.dossier.tables import Sheet
from maps.dossier.workbook import write_told
from maps.folders.frontier import TOLD_MEASURES, analysis_word, change_columns, changes_said
from maps.folders.told_page import told_page
from maps.folders.writing import Output, called, write_folder
from maps.lettered import lettered_table
from maps.wording import name, not_real
from models.study.analysis import Alternatives

MARKER = "alternatives.json"
KIND = Output(MARKER, frozenset(("alternatives.xlsx",)))


def alternatives_said(found: Alternatives, language: str) -> list[str]:
    """Sentences for the front: how many plans, how near the best, what the costs mean."""
    best = found.plans[0]
    county = found.county.name if language == "zh" else found.county.name_en
    said = [
        analysis_word("alternatives_title", language, county=county),
        analysis_word(
            "alternatives_about", language, count=len(found.plans), within=percent(found.within), objective=f"{best.objective:.4f}",
            bound=f"{found.bound:.4f}", solver=found.solver,
        ),
        analysis_word("alternatives_cost_about", language),
    ]  # fmt: skip
    gap = max(0.0, best.objective - found.bound) / max(best.objective, 1e-9)
    for i, p in enumerate(found.plans):
        if p.worse < 0:
            fields = {"number": str(i + 1), "share": percent(-p.worse), "gap": percent(gap)}
            said.append(analysis_word("alternatives_better", language, **fields))
    if found.interrupted:
        said.append(analysis_word("alternatives_interrupted", language, count=len(found.plans)))
    elif found.exhausted:
        said.append(analysis_word("alternatives_no_more", language))
    elif found.stopped:
        said.append(analysis_word("alternatives_fewer", language))
    return said + not_real(found.county, language)


def cost(value: float, proven: bool, language: str) -> str:
    """A replacement cost; infinite ones and those not looked for in words."""
    if math.isnan(value):
        return analysis_word("not_looked", language)
    if math.isfinite(value):
        return f"{value:.4f}"
    return analysis_word("impossible" if proven else "none_found", language)


def plans_sheet(found: Alternatives, language: str) -> Sheet:
    """One row a plan."""
    rows = []
    for i, p in enumerate(found.plans):
        values = p.verdict.measures.set_index("measure")["plan"]
        row: dict[str, object] = {
            analysis_word("number", language): f"{i + 1}", analysis_word("objective", language): p.objective, analysis_word("worse", language): percent(p.worse),
            analysis_word("differs", language): float(p.differs), analysis_word("apart", language): float(p.apart),
            analysis_word("apart_most", language): float(p.apart_most),
        }  # fmt: skip
        row |= {name("measure", m, language): float(values[m]) for m in (*TOLD_MEASURES, "cost")}
        row[analysis_word("changed_best", language)] = changes_said(p.changes, language, most=8) if i else ""
        rows.append(row)
    table = pd.DataFrame(rows)
    formats = {h: "number" for h in table.columns if table[h].dtype == "float64"}
    return Sheet("plans", table, formats | {analysis_word("objective", language): "fine"})


def decisions_sheet(found: Alternatives, language: str) -> Sheet:
    """One row a school whose bands are free."""
    d = found.decisions
    impossible = [not math.isfinite(v) for v in d["cost_least"]]
    columns: dict[str, list[Any]] = {
        analysis_word("township", language): list(d["township"]), analysis_word("school", language): list(d["school"]),
        analysis_word("best_decision", language): [analysis_word(f"decision_{v}", language) for v in d["best"]],
        analysis_word("closes", language): [analysis_word("times_of", language, closes=c, of=n) for c, n in zip(d["closes"], d["of"], strict=True)],
        analysis_word("recurs", language): [analysis_word(f"recurs_{v}", language) for v in d["recurs"]],
        analysis_word("other", language): [analysis_word(f"decision_{v}", language) for v in d["other"]],
        analysis_word("cost_least", language): [cost(v, True, language) for v in d["cost_least"]],
        analysis_word("cost_most", language): [cost(v, p, language) for v, p in zip(d["cost_most"], impossible, strict=True)],
    }  # fmt: skip
    return Sheet("decisions", pd.DataFrame(columns), {})


def alternatives_changes_sheet(found: Alternatives, language: str) -> Sheet:
    """Every amount in which a plan differs from the best."""
    parts = [p.changes.assign(number=i + 1) for i, p in enumerate(found.plans)]
    c = pd.concat(parts, ignore_index=True)
    columns = {
        analysis_word("number", language): [str(n) for n in c["number"]],
        **change_columns(c, language),
    }
    return Sheet(
        "changes", pd.DataFrame(columns), {analysis_word(k, language): "number" for k in ("before", "after")}
    )


def alternatives_record(found: Alternatives, folder: Path | None = None) -> dict[str, Any]:
    """Every figure as plain data; infinite ones are null."""
    decisions = found.decisions.replace([math.inf], [None])
    return {
        "county": found.county.name, "county_en": found.county.name_en, "fictional": found.county.fictional,
        "input_hash": found.county.content_hash, **called(found, folder), "scenario": found.scenario, "within": found.within, "bound": found.bound,
        "solver": found.solver, "exhausted": found.exhausted, "interrupted": found.interrupted, "seconds": round(found.seconds, 1),
        "plans": [
            {
                "plan_id": p.plan.plan_id, "objective": p.objective, "worse": p.worse, "differs": p.differs,
                "apart": p.apart, "apart_most": p.apart_most,
                "measures": {r.measure: r.plan for r in p.verdict.measures.itertuples()},
                "changes": json.loads(p.changes.to_json(orient="records", force_ascii=False)),
            }
            for p in found.plans
        ],
        "decisions": json.loads(decisions.to_json(orient="records", force_ascii=False)),
    }  # fmt: skip


@in_its_words
def write_alternatives(
    found: Alternatives, folder: Path, language: str = "zh", overwrite: bool = False
) -> None:
    """Write the folder of several plans.

    Parameters
    ----------
    found : Alternatives
    folder : Path
    language : {"zh", "en"}
    overwrite : bool

    Raises
    ------
    InputProblems
        When the folder may not be written.
    Undrawn
        The workbook could not be made; the record is written.
    """
    parts = (("alternatives.xlsx", lambda file: _write_workbook(found, file, language)),)
    write_folder(folder, KIND, overwrite, alternatives_record(found, folder), parts, language)


def _sheets(found: Alternatives, language: str) -> list[tuple[str, Sheet]]:
    """All sheets with their headings."""
    named = replace(
        found, decisions=lettered_table(found.decisions, found.county, language),
        plans=tuple(replace(p, changes=lettered_table(p.changes, found.county, language)) for p in found.plans),
    )  # fmt: skip
    sheets = [make(named, language) for make in (plans_sheet, decisions_sheet, alternatives_changes_sheet)]
    return [(analysis_word(f"sheet_{sheet.key}", language), sheet) for sheet in sheets]


def _write_workbook(found: Alternatives, path: Path, language: str) -> None:
    said = (analysis_word("sheet_about", language), alternatives_said(found, language))
    write_told(path, found.county.name, language, said, _sheets(found, language))


def alternatives_page(found: Alternatives, language: str, place: Path | None = None) -> str:
    """The page: sentences and every table but that of single changes; ``place`` is not needed."""
    shown = [(h, s) for h, s in _sheets(found, language) if s.key != "changes"]
    return told_page(alternatives_said(found, language), shown, language)
