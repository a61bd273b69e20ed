"""Where a county stands today, as a workbook and a map: the output of the verb ``audit``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from geodata.messages import say
from geodata.standards.scheme import Norms
from maps.dossier.tables import Sheet, mark
from maps.dossier.workbook import write_told
from maps.folders.writing import Output, write_folder
from maps.lettered import lettered_table
from maps.web.proposal import write_map
from maps.wording import indicator, listed, modelled_names, name, stage, yes_or_no
from models.plan.decisions import PlanResult
from models.referee.audit import Audit

AUDIT_MARKER = "audit.json"
KIND = Output(AUDIT_MARKER, frozenset((AUDIT_MARKER, "audit.xlsx", "map.html")))


def _head(name: str, language: str) -> str:
    return say(f"cli.col_{name}", language)


def cv_sheet(found: Audit, norms: Norms, language: str) -> Sheet:
    """One row an indicator and stage: mean, official CV, limit."""
    c = found.cv
    columns = {
        "stage": [stage(str(s), language, norms) for s in c["stage"]],
        "indicator": [indicator(str(i), language, norms) for i in c["indicator"]],
        "mean": c["mean_today"], "cv": c["cv_today"], "unweighted": c["unweighted_today"], "limit": c["limit"],
        "ok": [mark(v, language) for v in c["ok_today"]],
    }  # fmt: skip
    formats = {_head(k, language): "ratio" for k in ("mean", "cv", "unweighted", "limit")}
    over = ((_head("cv", language), _head("limit", language)),)
    return Sheet("cv", _table(columns, language), formats | {_head("ok", language): "mark"}, over=over)


def units_sheet(found: Audit, norms: Norms, language: str) -> Sheet:
    """One row a school and stage: pupils, indicators met, whether it passes."""
    u = found.units
    met = [f"{a}/{b}" for a, b in zip(u["indicators_met_today"], u["indicators_tested_today"], strict=True)]
    columns = {
        "school": u["name"], "township": u["township"], "stage": [stage(str(s), language, norms) for s in u["stage"]],
        "pupils": u["pupils_today"], "met": met, "passes": [mark(v, language) for v in u["passes_today"]],
    }  # fmt: skip
    pupils = _head("pupils", language)
    formats = {pupils: "whole", _head("passes", language): "mark"}
    return Sheet("units", _table(columns, language), formats, {pupils: float(u["pupils_today"].sum())})


def gaps_sheet(found: Audit, norms: Norms, language: str) -> Sheet:
    """One row an indicator that a school does not meet, with what is missing in the resource's unit."""
    c = found.indicators
    c = c[c["assessed_today"] & c["met_today"].eq(False).fillna(False)]
    unit_of = {(i.stage, i.id): i.unit for i in norms.indicators.values()}
    units = tuple(unit_of.get(key, "") for key in zip(c["stage"], c["indicator"], strict=True))
    columns = {
        "school": c["name"], "stage": [stage(str(s), language, norms) for s in c["stage"]],
        "indicator": [indicator(str(i), language, norms) for i in c["indicator"]],
        "today": c["ratio_today"], "limit": c["threshold"], "gap_here": c["gap_today"], "unit": [name("unit", u, language) for u in units],
    }  # fmt: skip
    formats = {
        _head("today", language): "ratio",
        _head("limit", language): "ratio",
        _head("gap_here", language): "number",
    }
    return Sheet("gaps", _table(columns, language), formats, units=units)


def _table(columns: dict[str, Any], language: str) -> pd.DataFrame:
    return pd.DataFrame({_head(k, language): list(v) for k, v in columns.items()})


def write_audit(
    found: Audit, today: PlanResult, folder: Path, language: str = "zh", overwrite: bool = False
) -> Path:
    """Write the folder of an audit: the figures as a record, ``audit.xlsx`` and ``map.html``.

    Parameters
    ----------
    found : Audit
    today : PlanResult
        Today's arrangement as a plan, for the map.
    folder : Path
    language : {"zh", "en"}
    overwrite : bool

    Returns
    -------
    Path

    Raises
    ------
    InputProblems
        When the folder may not be written.
    Undrawn
        A part could not be made; the record is written.
    """
    county, norms = today.county, today.county.norms
    told = replace(
        found,
        units=lettered_table(found.units, county, language),
        indicators=lettered_table(found.indicators, county, language),
    )
    sheets = [make(told, norms, language) for make in (cv_sheet, units_sheet, gaps_sheet)]
    named = [(say(f"workbook.audit_{s.key}", language), s) for s in sheets]
    title = say(
        "workbook.audit_title",
        language,
        county=county.name if language == "zh" else county.name_en or county.name,
    )
    notes = [f.sentence(language) for f in county.findings if f.severity == "warning"]
    if county.fictional:
        notes.insert(0, say("workbook.fictional", language))
    if county.modelled:
        notes.insert(
            0, say("workbook.modelled", language, what=listed(modelled_names(county, language), language))
        )
    said = (say("workbook.audit_about", language), [title, *_stages(found, norms, language), *notes])
    record = {
        "county": county.name, "county_en": county.name_en, "fictional": county.fictional, "year": county.year, "input_hash": county.content_hash,
        **{name: _plain(getattr(found, name)) for name in ("stages", "cv", "units", "indicators")},
    }  # fmt: skip
    parts = (
        ("audit.xlsx", lambda file: write_told(file, county.name, language, said, named)),
        ("map.html", lambda file: write_map(today, file, language, audited=True)),
    )
    return write_folder(folder, KIND, overwrite, record, parts, language)


def _stages(found: Audit, norms: Norms, language: str) -> list[str]:
    return [
        say(
            "cli.audit_stage", language, stage=stage(str(r.stage), language, norms), units=r.units, passing=r.units_passing,
            cvs=r.cvs, within=r.cvs_ok, passes=yes_or_no(r.passes, language),
        )
        for r in found.stages.itertuples()
    ]  # fmt: skip


def _plain(table: pd.DataFrame) -> list[dict[str, object]]:
    """A table as plain data; what is not known is null."""
    return [
        {str(k): None if pd.isna(v) else v for k, v in r.items()}
        for r in table.astype(object).to_dict("records")
    ]
