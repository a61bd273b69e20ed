"""Reports about indicators, coefficients, teachers, devices and money."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from maps.front.losers import zones
from maps.front.money import earmarks, uses
from maps.front.text import (
    DASH,
    PageCell,
    PageTable,
    hundredths,
    large,
    number,
    plainly,
    school_page,
    share,
    whole,
)
from maps.reports.network import moved_share
from maps.reports.report import OfficialReport, Portion, columns, made, report_word
from maps.wording import indicator, name, resource, stage
from models.plan.decisions import PlanResult
from models.plan.quality import flagged_moves

ROTATION, BACKBONE = "rotation_share", "rotation_backbone"
"""The norms that transfers are compared with; the second names its kind of staff."""


def indicator_matrix(result: PlanResult, language: str) -> OfficialReport:
    """Units by indicators in the plan: value and mark, by stage.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}

    Returns
    -------
    OfficialReport
    """
    norms, table = result.county.norms, result.verdict.indicators
    table = table[table["assessed_plan"].astype(bool)]
    blocks = [Portion("", (report_word("matrix_about", language),))]
    for s in result.county.scheme.stage_ids:
        here = table[table["stage"] == s]
        known = {
            i.id: i for i in norms.indicators.values() if i.stage == s and i.id in set(here["indicator"])
        }
        if not known:
            continue
        head = (
            *columns(language, "township", "school"),
            *(
                PageCell(f"{resource(i.resource, language, norms)} ≥ {plainly(i.threshold)}", "n")
                for i in known.values()
            ),
            *columns(language, "met#"),
        )
        rows = []
        for unit, group in here.groupby("unit_id", sort=False):
            at = group.set_index("indicator")
            first = group.iloc[0]
            cells = [
                _mark(at.loc[i], known[i].tolerance, language) if i in at.index else number(DASH)
                for i in known
            ]
            count = f"{int(at['met_plan'].eq(True).fillna(False).sum())}/{int(at['met_plan'].notna().sum())}"
            rows.append(
                (
                    PageCell(str(first["township"])),
                    PageCell(str(first["name"]), "", school_page(str(unit).rsplit("/", 1)[0])),
                    *cells,
                    number(count),
                )
            )
        blocks.append(Portion(stage(s, language, norms), (), PageTable(head, tuple(rows))))
    return made("matrix", language, *blocks)


def _mark(row: pd.Series, tolerance: float, language: str) -> PageCell:
    """Value with its mark: met, within the tolerance, below it; and what is short."""
    if pd.isna(row["met_plan"]) or pd.isna(row["ratio_plan"]):
        return number(DASH)
    value = hundredths(row["ratio_plan"])
    if row["met_plan"]:
        return number(f"{value} ✓")
    near = row["ratio_plan"] >= tolerance * row["threshold"] - 1e-9
    gap = report_word("short", language, gap=plainly(row["gap_plan"]))
    return number(f"{value} {'△' if near else '✗'} {gap}", "warn" if near else "bad")


def spread(result: PlanResult, language: str) -> OfficialReport:
    """Mean, standard deviation S and coefficient of variation with its limit, today and in the plan, unweighted beside.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}

    Returns
    -------
    OfficialReport
    """
    norms = result.county.norms
    rows = []
    for r in result.verdict.cv.to_dict("records"):
        sides = []
        for end in ("today", "plan"):
            mean, cv = float(r[f"mean_{end}"]), float(r[f"cv_{end}"])
            sides += [
                number(hundredths(mean)),
                number(hundredths(mean * cv)),
                number(hundredths(cv), "bad" if cv > r["limit"] else ""),
            ]
        ok = r["ok_plan"]
        mark = report_word("not_assessed" if pd.isna(ok) else "within" if ok else "exceeds", language)
        loose = [number(hundredths(r[f"unweighted_{end}"])) for end in ("today", "plan")]
        rows.append(
            (
                PageCell(stage(str(r["stage"]), language, norms)),
                PageCell(indicator(str(r["indicator"]), language, norms)),
                *sides,
                number(hundredths(r["limit"])),
                PageCell(mark),
                *loose,
            )
        )
    head = columns(
        language,
        "stage",
        "indicator",
        "mean_now#",
        "s_now#",
        "cv_now#",
        "mean_then#",
        "s_then#",
        "cv_then#",
        "cv_limit#",
        "verdict",
        "loose_now#",
        "loose_then#",
    )
    return made(
        "spread",
        language,
        Portion("", (report_word("spread_about", language),), PageTable(head, tuple(rows))),
    )


def teachers(result: PlanResult, language: str) -> OfficialReport:
    """Transfers, the shares that rotation is measured by, and the net flow by zone.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}

    Returns
    -------
    OfficialReport
    """
    moves, kinds = flagged_moves(result.county, result.plan)
    names, norms = result.county.schools.set_index("school_id")["name"], result.county.norms
    rows = tuple(
        (
            PageCell(str(names.get(r.from_school_id, r.from_school_id)), "", school_page(r.from_school_id)), PageCell(stage(str(r.from_stage), language, norms)),
            PageCell(str(names.get(r.to_school_id, r.to_school_id)), "", school_page(r.to_school_id)), PageCell(stage(str(r.to_stage), language, norms)),
            PageCell(name("category", r.cat_id, language)), number(whole(r.heads)), PageCell(""),
        )
        for r in moves.itertuples()
    )  # fmt: skip
    total = (
        PageCell(report_word("total", language)),
        *[PageCell("")] * 4,
        number(whole(moves["heads"].sum())),
        PageCell(""),
    )
    eligible = pd.to_numeric(result.county.staff_stock["eligible_rotation"], errors="coerce")
    everybody = float(eligible.sum()) if eligible.notna().all() and len(eligible) else 0.0
    all_moved = float(moves["heads"].sum())
    said = [report_word("rotation_share", language, share=moved_share(all_moved, everybody), moved=whole(all_moved), eligible=whole(everybody) if everybody else report_word("not_filled", language))]  # fmt: skip
    asked, among = norms.rules.get(ROTATION), norms.rules.get(BACKBONE)
    if asked is not None and among is not None:
        backbone = float(moves[among.resource].sum()) if among.resource in kinds else math.nan
        staff = resource(among.resource, language, norms)
        said += [
            report_word("backbone_share", language, share=moved_share(backbone, all_moved), moved=whole(backbone), staff=staff),
            report_word("rotation_limits", language, share=share(asked.value), backbone=share(among.value), staff=staff),
        ]  # fmt: skip
    said.append(report_word("rotation_gaps", language))
    head = columns(language, "from", "stage", "to", "stage", "category", "heads#", "term")
    return made(
        "teachers",
        language,
        Portion("", tuple(said), PageTable(head, rows, total if rows else ())),
        Portion(report_word("h_zones", language), (), zones(result, language)),
    )


def devices(result: PlanResult, language: str) -> OfficialReport:
    """What is bought and moved, with unit price, estimate and source of funds.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}

    Returns
    -------
    OfficialReport
    """
    costs = result.verdict.costs
    costs = costs[costs["action"].isin(["purchase", "item_move"]) & costs["charged"].astype(bool)]
    norms = result.county.norms
    rows = tuple(
        (
            PageCell(str(r.school), "", school_page(r.school_id)), PageCell(stage(str(r.stage), language, norms)), PageCell(name("action", r.action, language)),
            PageCell(resource(str(r.item), language, norms)), *_priced(r, language),
            number(large(r.yuan)), PageCell(name("earmark", r.earmark, language)),
        )
        for r in costs.itertuples()
    )  # fmt: skip
    total = (
        PageCell(report_word("total", language)),
        *[PageCell("")] * 6,
        number(large(costs["yuan"].sum())),
        PageCell(""),
    )
    head = columns(
        language, "school", "stage", "action", "item", "quantity#", "unit", "price#", "cost#", "source"
    )
    return made(
        "devices",
        language,
        Portion("", (report_word("devices_about", language),), PageTable(head, rows, total if rows else ())),
    )


def _priced(row: Any, language: str) -> tuple[PageCell, ...]:
    """Quantity, unit and unit price; what is counted in money has its estimate only."""
    if row.unit == "yuan":
        return number(DASH), PageCell(DASH), number(DASH)
    return (
        number(plainly(row.quantity)),
        PageCell(name("unit", row.unit, language)),
        number(plainly(row.unit_cost)),
    )


def years(result: PlanResult, language: str) -> OfficialReport:
    """The plan's one year with its money; the order of several years is not planned yet.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}

    Returns
    -------
    OfficialReport
    """
    said = (report_word("years_not_planned", language, year=result.county.year),)
    return made(
        "years",
        language,
        Portion("", said, earmarks(result, language)),
        Portion(report_word("h_uses", language), (), uses(result, language)),
    )


def problems(result: PlanResult, language: str) -> OfficialReport:
    """What still falls short in the plan, to be given to somebody with a date.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}

    Returns
    -------
    OfficialReport
    """
    table = result.verdict.indicators
    short = table[table["assessed_plan"].astype(bool) & table["met_plan"].eq(False).fillna(False)]
    norms = result.county.norms
    unit_of = {(i.stage, i.id): i.unit for i in norms.indicators.values()}
    rows = tuple(
        (
            number(str(k)), PageCell(str(r.township)), PageCell(str(r.name), "", school_page(r.school_id)), PageCell(stage(str(r.stage), language, norms)),
            PageCell(indicator(str(r.indicator), language, norms)), number(hundredths(r.threshold)), number(hundredths(r.ratio_plan), "bad"),
            number(plainly(r.gap_plan)), PageCell(name("unit", unit_of.get((r.stage, r.indicator), ""), language)), PageCell(""), PageCell(""),
        )
        for k, r in enumerate(short.itertuples(), start=1)
    )  # fmt: skip
    head = columns(
        language,
        "number#",
        "township",
        "school",
        "stage",
        "indicator",
        "standard#",
        "value#",
        "gap#",
        "unit",
        "owner",
        "due",
    )
    return made(
        "problems",
        language,
        Portion("", (report_word("problems_about", language, cells=len(short)),), PageTable(head, rows)),
    )
