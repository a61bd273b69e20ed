"""The dossier's tables: every sheet of the workbook as one DataFrame with headings in one language."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from geodata.contract.findings import Finding, as_table
from geodata.contract.tables import TABLES
from geodata.messages import large_unit
from geodata.standards.scheme import Norms
from maps.dossier.completeness import by_name
from maps.dossier.gains import gains_table
from maps.front.headline import worst_place
from maps.wording import band, group_word, indicator, name, reason, stage, what, word
from models.impact.composite import mean_cvs
from models.plan.decisions import PlanResult
from models.plan.quality import plan_quality


@dataclass(frozen=True)
class Sheet:
    """One sheet: a key of the catalogue, a table with translated headings, and what its columns hold.

    Parameters
    ----------
    key : str
    table : DataFrame
    formats : dict
        By heading, one of whole, cv, money, minutes, ratio, share, mark, number (as the row's unit asks).
    totals : dict
        By heading, what stands below the column.
    units : tuple of str
        Id of each row's unit, where rows differ in it.
    over : tuple of (heading, heading)
        Columns that are red where they exceed another.
    """

    key: str
    table: pd.DataFrame
    formats: dict[str, str]
    totals: dict[str, float] = field(default_factory=dict, hash=False)
    units: tuple[str, ...] = ()
    over: tuple[tuple[str, str], ...] = ()


def _sheet(key: str, language: str, columns: dict[str, tuple[pd.Series | list[object], str]]) -> Sheet:
    """Build a sheet from ``{word: (values, format)}``."""
    table = pd.DataFrame({word(c, language): list(v) for c, (v, _) in columns.items()})
    formats = {word(c, language): f for c, (_, f) in columns.items() if f}
    return Sheet(key, table, formats)


def _summed(
    sheet: Sheet, language: str, *columns: str, where: Any = None, over: tuple[tuple[str, str], ...] = ()
) -> Sheet:
    """The sheet with totals of some columns and marks for what exceeds another column."""
    names = [word(c, language) for c in columns]
    rows = sheet.table if where is None else sheet.table[np.asarray(where, dtype=bool)]
    totals = {n: float(pd.to_numeric(rows[n]).sum()) for n in names}
    return replace(sheet, totals=totals, over=tuple((word(a, language), word(b, language)) for a, b in over))


def mark(met: Any, language: str) -> str:
    """A mark that is read without colour; what is not assessed is neither met nor unmet."""
    return word("not_assessed" if pd.isna(met) else "met" if bool(met) else "unmet", language)


def _stages(stages: pd.Series, language: str, norms: Norms) -> list[object]:
    """Names of stages; nothing for what is about a whole site."""
    return [stage(s, language, norms) if s else "" for s in stages]


def summary(result: PlanResult, language: str) -> Sheet:
    """Headline measures: what got better first, then worse, then the rest."""
    m = result.verdict.measures
    change = m["plan"] - m["today"]
    gain = np.where(m["better"] == "low", -change, np.where(m["better"] == "high", change, np.nan))
    order = np.where(gain > 1e-9, 0, np.where(gain < -1e-9, 1, 2))
    kind = ["better", "worse", "plain"]
    rows = in_large(
        m.assign(order=order, change=change).sort_values("order", kind="stable"), "today", "plan", "change"
    )
    sheet = _sheet(
        "summary", language,
        {
            "measure": ([name("measure", k, language) for k in rows["measure"]], ""),
            "unit": ([name("unit", u, language) for u in rows["unit"]], ""),
            "today": (rows["today"], "number"), "plan": (rows["plan"], "number"), "change": (rows["change"], "number"),
            "verdict": ([word(kind[k], language) for k in rows["order"]], "mark"),
        },
    )  # fmt: skip
    # minutes are whole, but a change that is told as better or worse must be seen
    alike = rows["unit"].eq("minutes") & rows["change"].abs().gt(5e-3) & rows["change"].abs().lt(1)
    return replace(sheet, units=tuple(rows["unit"].mask(alike, "1")))


def in_large(table: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """A table of mixed units with yuan told in 10,000 yuan."""
    yuan = table["unit"] == "yuan"
    told = {c: table[c].where(~yuan, table[c].astype(float) / large_unit()) for c in columns}
    return table.assign(**told, unit=table["unit"].where(~yuan, "large"))


def coefficients(result: PlanResult, language: str) -> Sheet:
    """The coefficients of variation, official and unweighted; below them their mean where the standards limit it."""
    norms, means = result.county.norms, mean_cvs(result)
    cv = pd.concat([result.verdict.cv, means], ignore_index=True) if len(means) else result.verdict.cv
    named = [
        word("cv_mean", language) if pd.isna(i) else indicator(i, language, norms) for i in cv["indicator"]
    ]
    sheet = _sheet(
        "cv", language,
        {
            "stage": ([stage(s, language, norms) for s in cv["stage"]], ""), "indicator": (named, ""),
            "cv_today": (cv["cv_today"], "cv"), "cv_plan": (cv["cv_plan"], "cv"), "limit": (cv["limit"], "cv"),
            "met_today": ([mark(v, language) for v in cv["ok_today"]], "mark"),
            "met_plan": ([mark(v, language) for v in cv["ok_plan"]], "mark"),
            "unweighted_today": (cv["unweighted_today"], "cv"), "unweighted_plan": (cv["unweighted_plan"], "cv"),
            "hoover_today": (cv["hoover_today"], "cv"), "hoover_plan": (cv["hoover_plan"], "cv"),
            "mean_today": (cv["mean_today"], "ratio"), "mean_plan": (cv["mean_plan"], "ratio"),
        },
    )  # fmt: skip
    return _summed(sheet, language, over=(("cv_today", "limit"), ("cv_plan", "limit")))


def budget(result: PlanResult, language: str) -> Sheet:
    """Money by earmark, in 10,000 yuan; what an earmark lacks, the money for any purpose pays."""
    b = result.verdict.budget
    lacking = (b["spent"] - b["available"]).clip(lower=0).where(b["earmark"] != "any", 0.0)
    sheet = _sheet(
        "budget", language,
        {
            "earmark": ([name("earmark", e, language) for e in b["earmark"]], ""),
            "available": (b["available"] / large_unit(), "money"), "spent": (b["spent"] / large_unit(), "money"), "from_any": (lacking / large_unit(), "money"),
            "left": ((b["left"] + lacking) / large_unit(), "money"),
        },
    )  # fmt: skip
    return _summed(sheet, language, "available", "from_any", "left")


def actions(result: PlanResult, language: str) -> Sheet:
    """Every action with cost and reason."""
    a = result.actions
    said = [
        reason(k, f, language, result.county.norms)
        for k, f in zip(a["reason_key"], a["reason_fields"], strict=True)
    ]
    sheet = _sheet(
        "actions", language,
        {
            "action": ([name("action", k, language) for k in a["action"]], ""), "school": (a["school"], ""),
            "school_id": (a["school_id"], ""), "township": (a["township"], ""), "stage": (_stages(a["stage"], language, result.county.norms), ""),
            "what": ([what(w, language, result.county.norms) if w else "" for w in a["what"]], ""), "quantity": (a["quantity"], "number"),
            "unit": ([name("unit", u, language) for u in a["unit"]], ""), "cost_large": (a["yuan"] / large_unit(), "money"),
            "earmark": ([name("earmark", e, language) if e else "" for e in a["earmark"]], ""), "reason": (said, ""),
            "row_id": (a["id"], ""),
        },
    )  # fmt: skip
    return _summed(sheet, language, "cost_large")


def staff(result: PlanResult, language: str) -> Sheet:
    """Transfers, from school to school."""
    s = result.plan.staff_moves
    school = result.county.schools.set_index("school_id")
    sheet = _sheet(
        "staff", language,
        {
            "from": (s["from_school_id"].map(school["name"]), ""), "from_township": (s["from_school_id"].map(school["township"]), ""),
            "to": (s["to_school_id"].map(school["name"]), ""), "to_township": (s["to_school_id"].map(school["township"]), ""),
            "stage": ([stage(v, language, result.county.norms) for v in s["from_stage"]], ""),
            "to_stage": ([stage(v, language, result.county.norms) for v in s["to_stage"]], ""),
            "category": ([name("category", c, language) for c in s["cat_id"]], ""), "heads": (s["heads"], "whole"),
        },
    )  # fmt: skip
    return _summed(sheet, language, "heads")


def purchases(result: PlanResult, language: str) -> Sheet:
    """Hires, purchases and moved equipment: every charged or reported cost line."""
    c = result.verdict.costs
    sheet = _sheet(
        "costs", language,
        {
            "action": ([name("action", k, language) for k in c["action"]], ""), "school": (c["school"], ""),
            "stage": (_stages(c["stage"], language, result.county.norms), ""), "item": ([what(i, language, result.county.norms) for i in c["item"]], ""), "quantity": (c["quantity"], "number"),
            "unit": ([name("unit", u, language) for u in c["unit"]], ""), "unit_cost": (c["unit_cost"], "number"),
            "cost_large": (c["yuan"] / large_unit(), "money"), "earmark": ([name("earmark", e, language) if e else "" for e in c["earmark"]], ""),
            "recurrent": ([word("yes" if v else "no", language) for v in c["recurrent"]], ""),
            "charged": ([word("yes" if v else "no", language) for v in c["charged"]], ""), "row_id": (c["row_id"], ""),
        },
    )  # fmt: skip
    return _summed(sheet, language, "cost_large", where=c["charged"])


def attendance(result: PlanResult, language: str) -> Sheet:
    """Where each village attends, with minutes before and after."""
    t = result.verdict.travel.sort_values(["township", "village", "band", "group"], kind="stable")
    minutes = t["minutes"]
    before = t["minutes_today"]
    sheet = _sheet(
        "attendance", language,
        {
            "township": (t["township"], ""), "village": (t["village"], ""), "band": ([band(b, language, result.county.norms) for b in t["band"]], ""),
            "group": ([group_word(g, language) for g in t["group"]], ""), "pupils": (t["pupils"], "whole"),
            "school_today": (t["today_school"], ""), "school_plan": (t["school"], ""),
            "changed": ([word("yes" if v else "no", language) for v in t["changed"]], ""),
            "mode_today": ([word(f"mode_{m}", language) for m in t["today_mode"].fillna("walk")], ""),
            "mode_plan": ([word(f"mode_{m}", language) for m in t["mode"]], ""),
            "minutes_today": (before, "minutes"), "minutes_plan": (minutes, "minutes"), "limit": (t["limit"], "minutes"),
            "grandfathered": ([word("yes" if v else "no", language) for v in t["grandfathered"]], ""),
        },
    )  # fmt: skip
    return _summed(sheet, language, "pupils", over=(("minutes_today", "limit"), ("minutes_plan", "limit")))


def indicators(result: PlanResult, language: str) -> Sheet:
    """School x indicator, before and after, with the gap in heads, rooms, m2 or yuan."""
    i = result.verdict.indicators
    return _sheet(
        "indicators", language,
        {
            "township": (i["township"], ""), "school": (i["name"], ""), "stage": ([stage(s, language, result.county.norms) for s in i["stage"]], ""),
            "indicator": ([indicator(k, language, result.county.norms) for k in i["indicator"]], ""), "threshold": (i["threshold"], "ratio"),
            "assessed": ([word("yes" if v else "no", language) for v in i["assessed_plan"]], ""),
            "pupils_today": (i["pupils_today"], "whole"), "pupils_plan": (i["pupils_plan"], "whole"),
            "value_today": (i["ratio_today"], "ratio"), "value_plan": (i["ratio_plan"], "ratio"),
            "met_today": ([mark(v, language) for v in i["met_today"]], "mark"),
            "met_plan": ([mark(v, language) for v in i["met_plan"]], "mark"),
            "gap_today": (i["gap_today"], "number"), "gap_plan": (i["gap_plan"], "number"),
        },
    )  # fmt: skip


def units(result: PlanResult, language: str) -> Sheet:
    """Schools before and after: pupils, classes, staff, the standards' verdict."""
    u = result.verdict.units
    sheet = _sheet(
        "units", language,
        {
            "township": (u["township"], ""), "school": (u["name"], ""), "school_id": (u["school_id"], ""),
            "stage": ([stage(s, language, result.county.norms) for s in u["stage"]], ""),
            "open": ([word("yes" if v else "no", language) for v in u["open_plan"]], ""),
            "pupils_today": (u["pupils_today"], "whole"), "pupils_plan": (u["pupils_plan"], "whole"), "capacity": (u["capacity"], "whole"),
            "classes_today": (u["classes_today"], "whole"), "classes_plan": (u["classes_plan"], "whole"),
            "staff_today": (u["staff_today"], "whole"), "staff_plan": (u["staff_plan"], "whole"),
            "indicators_today": (u["indicators_met_today"], "whole"), "indicators_plan": (u["indicators_met_plan"], "whole"),
            "passes_today": ([mark(v, language) for v in u["passes_today"]], "mark"),
            "passes_plan": ([mark(v, language) for v in u["passes_plan"]], "mark"),
        },
    )  # fmt: skip
    return _summed(
        sheet,
        language,
        "pupils_today",
        "pupils_plan",
        "capacity",
        "classes_today",
        "classes_plan",
        "staff_today",
        "staff_plan",
        over=(("pupils_today", "capacity"), ("pupils_plan", "capacity")),
    )


def rules(result: PlanResult, language: str) -> Sheet:
    """What the referee checked."""
    r = result.verdict.rules
    eased = result.verdict.violations
    many = (
        eased[eased["grandfathered"].astype(bool)].groupby("rule").size()
        if len(eased)
        else pd.Series(dtype=int)
    )
    return _sheet(
        "rules", language,
        {
            "rule": ([name("rule", k, language) for k in r["rule"]], ""), "kind": ([word(f"kind_{k}", language) for k in r["kind"]], ""),
            "holds": ([word("rule_holds" if v else "rule_broken", language) for v in r["ok"]], "mark"), "broken": (r["broken"], "whole"),
            "eased": ([int(many.get(k, 0)) for k in r["rule"]], "whole"), "worst": ([worst_place(result, one, language) for one in r.itertuples()], ""),
        },
    )  # fmt: skip


def quality(result: PlanResult, language: str) -> Sheet:
    """Everything found about the data: place, value, sentence."""
    f = as_table(result.findings, language)
    return _sheet(
        "quality", language,
        {
            "severity": ([word(f"severity_{s}", language) for s in f["severity"]], ""), "file": (f["file"], ""), "row": (f["row"].astype(object), ""),
            "column": ([column_told(x, language) for x in result.findings], ""), "value": (f["value"], ""), "sentence": (f["message"], ""),
        },
    )  # fmt: skip


def column_told(finding: Finding, language: str) -> str:
    """The column that a finding is about, by its Chinese header on a Chinese sheet."""
    table = TABLES.get(finding.table)
    if language != "zh" or table is None:
        return finding.column or ""
    return next((c.zh for c in table.columns if c.name == finding.column), finding.column or "")


def gaps(result: PlanResult, language: str) -> Sheet:
    """The completeness report by name: imputed, far from roads, unreachable, doubled, outside, left out."""
    g = by_name(result, language)
    return _sheet(
        "gaps", language,
        {
            "gap_kind": (g["kind"], ""), "gap_table": (g["table"], ""), "gap_id": (g["id"], ""), "gap_name": (g["name"], ""),
            "gap_detail": (g["detail"], ""),
        },
    )  # fmt: skip


def gains(result: PlanResult, language: str) -> Sheet:
    """What the plan wins and what it loses, never netted (`models.plan.quality`)."""
    ids = plan_quality(result)
    yuan = (ids["unit"] == "yuan").to_numpy()
    g = gains_table(result, language)
    units = np.where(yuan, "large", ids["unit"])
    sheet = _sheet(
        "gains", language,
        {
            "measure": (g["measure"], ""), "about": (g["about"], ""), "value": (g["value"].where(~yuan, g["value"] / large_unit()), "number"),
            "unit": (g["unit"].where(~yuan, name("unit", "large", language)), ""),
        },
    )  # fmt: skip
    return replace(sheet, units=tuple(units))


def all_sheets(result: PlanResult, language: str) -> list[Sheet]:
    """The workbook's sheets in order."""
    makers = (
        summary,
        gains,
        coefficients,
        budget,
        actions,
        staff,
        purchases,
        attendance,
        units,
        indicators,
        rules,
        gaps,
        quality,
    )
    return [make(result, language) for make in makers]
