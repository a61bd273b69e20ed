"""Reports about schools and pupils: layout plan, closures one by one, ways to school, risk points."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from geodata.messages import say
from maps.dossier.public import FEW
from maps.front.headline import paragraph
from maps.front.losers import longer_villages, zone_word
from maps.front.picture import drawings
from maps.front.text import (
    DASH,
    PageCell,
    PageTable,
    minutes,
    named_few,
    number,
    plainly,
    school_page,
    share,
    signed,
    village_page,
    whole,
)
from maps.reports.report import OfficialReport, Portion, columns, made, report_word
from maps.wording import band, name, resource, stage, unit_word
from models.impact.losses import longer_ways
from models.plan.decisions import PlanResult

PARTS = (15.0, 30.0, 45.0)
"""Minutes between the parts of a report on ways to school (sources.md 5.1)."""


def layout(result: PlanResult, language: str) -> OfficialReport:
    """The draft of the layout plan: every site with its pupils and classes today and in the plan, and what happens to it.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}

    Returns
    -------
    OfficialReport
    """
    about = (
        *paragraph(result, language),
        report_word("cutoff", language, year=result.county.year, plan=result.plan.plan_id),
    )
    return made(
        "layout",
        language,
        Portion("", about, None, tuple(drawings(result, language))),
        Portion(report_word("h_sites", language), (), _sites_table(result, language)),
    )


def _sites_table(result: PlanResult, language: str) -> PageTable:
    """Every site's pupils and classes today and in the plan, what happens to it, and the sums."""
    acts = result.actions
    if len(acts):
        acts = acts[acts["action"].isin(["close", "reduce", "receive"])]
    done = acts.groupby("school_id")["action"].first().to_dict() if len(acts) else {}
    norms, units = result.county.norms, result.verdict.units

    def happens(school_id: str) -> PageCell:
        if school_id not in done:
            return PageCell(report_word("keeps", language))
        act = done[school_id]
        return PageCell(name("action", act, language), "bad" if act in ("close", "reduce") else "")

    def numbers(row: Any) -> tuple[PageCell, ...]:
        return (
            number(whole(row.pupils_today)), number(whole(row.pupils_plan)), number(signed(whole(row.pupils_plan - row.pupils_today))),
            number(whole(row.classes_today)), number(whole(row.classes_plan)),
        )  # fmt: skip

    rows = tuple(
        (
            PageCell(str(r.township)), PageCell(str(r.name), "", school_page(r.school_id)), PageCell(zone_word(r.zone, language)),
            PageCell(stage(str(r.stage), language, norms)), *numbers(r), happens(r.school_id),
        )
        for r in units.sort_values(["township", "school_id", "stage"], kind="stable").itertuples()
    )  # fmt: skip
    sums = units[["pupils_today", "pupils_plan", "classes_today", "classes_plan"]].sum()
    foot = (PageCell(report_word("total", language)), *[PageCell("")] * 3, *numbers(sums), PageCell(""))
    head = columns(
        language, "township", "school", "zone", "stage", "pupils_today#", "pupils_plan#", "change#", "classes_today#", "classes_plan#",
        "action",
    )  # fmt: skip
    return PageTable(head, rows, foot)


def closures(result: PlanResult, language: str) -> OfficialReport:
    """One record for each school that closes or ends some grades.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}

    Returns
    -------
    OfficialReport
    """
    bands = result.plan.bands
    shut = bands[bands["was_open"].astype(bool) & ~bands["open"].astype(bool)]
    schools = result.county.schools.set_index("school_id")
    blocks = [
        _closure(result, str(j), set(rows["band"]), str(schools.at[j, "name"]), language)
        for j, rows in shut.groupby("school_id")
    ]
    return made("closures", language, *(blocks or [Portion("", (report_word("no_closures", language),))]))


def _closure(result: PlanResult, school_id: str, lost: set[str], title: str, language: str) -> Portion:
    """Pupils by band with receiver and way, teachers and things by where they go; what people fill in."""
    travel = result.verdict.travel
    gone = travel[
        (travel["today_school_id"].astype(str) == school_id)
        & travel["changed"].astype(bool)
        & travel["band"].isin(lost)
    ]
    rows = []
    for (b, receiver), group in gone.groupby(["band", "school"], sort=False):
        weights = group["pupils"].astype(float)
        known = group[["minutes", "minutes_today"]].notna().all(axis=1)
        mean = [
            float(np.average(group.loc[known, c], weights=weights[known])) if known.any() else None
            for c in ("minutes_today", "minutes")
        ]
        worst = group.sort_values("minutes", ascending=False, kind="stable").iloc[0]
        rows.append(
            (
                PageCell(band(str(b), language, result.county.norms)), number(whole(weights.sum())), PageCell(str(receiver)), number(minutes(mean[0])),
                number(minutes(mean[1])), number(minutes(group["minutes_today"].max())), number(minutes(group["minutes"].max())),
                PageCell(str(worst["village"]), "", village_page(worst["village_id"])), number(whole(weights[group["mode"] == "bus"].sum())),
            )
        )  # fmt: skip
    head = columns(
        language,
        "band",
        "pupils#",
        "receiver",
        "mean_today#",
        "mean_plan#",
        "most_today#",
        "most_plan#",
        "worst_village",
        "riders#",
    )
    names = result.county.schools.set_index("school_id")["name"]
    moves = result.plan.staff_moves[result.plan.staff_moves["from_school_id"].astype(str) == school_id]
    teachers = [
        f"{names.get(j, j)} {whole(n)}" for j, n in moves.groupby("to_school_id")["heads"].sum().items()
    ]
    things = result.plan.item_moves[result.plan.item_moves["from_school_id"].astype(str) == school_id]
    items = [
        f"{names.get(r.to_school_id, r.to_school_id)} {_thing(result, r.kind, float(r.quantity), language)}"
        for r in things.itertuples()
    ]
    said = (
        report_word("teachers_to", language, names=named_few(teachers, language, 20) or DASH), report_word("items_to", language, names=named_few(items, language, 20) or DASH),
        report_word("to_fill", language),
    )  # fmt: skip
    return Portion(title, said, PageTable(head, tuple(rows)))


def _thing(result: PlanResult, kind: str, quantity: float, language: str) -> str:
    """So much of a resource with its unit."""
    norms = result.county.norms
    unit = unit_word(kind, language, norms)
    return f"{resource(kind, language, norms)} {plainly(quantity)} {unit}".rstrip()


def school_ways(result: PlanResult, language: str) -> OfficialReport:
    """Pupils by minutes and mode, by-passers included, and villages beyond the limit by name.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}

    Returns
    -------
    OfficialReport
    """
    travel = result.verdict.travel
    over = travel[travel["minutes"] > travel["limit"] + 1e-6].sort_values(
        ["minutes", "village_id"], ascending=[False, True], kind="stable"
    )
    return made(
        "ways",
        language,
        Portion("", (report_word("ways_about", language),), _by_minutes(travel, language)),
        Portion(
            report_word("h_beyond", language, pupils=whole(over["pupils"].sum())),
            (),
            _beyond_table(result, over, language),
        ),
    )


def _by_minutes(travel: pd.DataFrame, language: str) -> PageTable:
    """Pupils by minutes of their way and by mode, today and in the plan."""
    rows = []
    for end, mode, at in (("today", "today_mode", "minutes_today"), ("plan", "mode", "minutes")):
        for one, group in travel.groupby(travel[mode].fillna("walk")):
            people = (
                group["pupils"].groupby(_part(group[at])).sum().reindex(range(len(PARTS) + 2), fill_value=0)
            )
            rows.append(
                (
                    PageCell(report_word(end, language)),
                    PageCell(say(f"workbook.mode_{one}", language)),
                    *(number(whole(n)) for n in people),
                    number(whole(people.sum())),
                )
            )
    between = (f"{a:.0f}–{b:.0f}" for a, b in pairwise(PARTS))
    spans = (f"≤ {PARTS[0]:.0f}", *between, f"> {PARTS[-1]:.0f}")
    head = (
        *columns(language, "side", "mode"),
        *(PageCell(report_word("span", language, span=s), "n") for s in spans),
        *columns(language, "unknown#", "all#"),
    )
    return PageTable(head, tuple(rows))


def _beyond_table(result: PlanResult, over: pd.DataFrame, language: str) -> PageTable:
    """Ways beyond their limit, a village a row."""
    norms = result.county.norms
    rows = tuple(
        (
            PageCell(str(r.village), "", village_page(r.village_id)), PageCell(str(r.township)), PageCell(band(str(r.band), language, norms)),
            number(whole(r.pupils)), PageCell(str(r.school)), number(minutes(r.minutes_today)), number(minutes(r.minutes)), number(minutes(r.limit)),
            PageCell(report_word("held" if r.grandfathered else "beyond", language), "" if r.grandfathered else "bad"),
        )
        for r in over.itertuples()
    )  # fmt: skip
    head = columns(
        language, "village", "township", "band", "pupils#", "school", "most_today#", "most_plan#", "limit#", "note"
    )  # fmt: skip
    return PageTable(head, rows)


def _part(values: pd.Series) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Which part a way belongs to; the last one is for ways that nobody knows."""
    known = values.astype(float)
    return np.where(
        known.isna(), len(PARTS) + 1, np.searchsorted(PARTS, known.fillna(0.0).to_numpy(), side="left")
    )


def risks(result: PlanResult, language: str) -> OfficialReport:
    """Points for the assessment of risks to social stability: who is affected, who of them is vulnerable, what is not known.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}

    Returns
    -------
    OfficialReport
    """
    travel = result.verdict.travel
    moved = travel[travel["changed"].astype(bool)]
    longer = longer_ways(travel)
    rows = [
        _point("changed", whole(moved["pupils"].sum()), language), _point("villages", whole(moved["village_id"].nunique()), language),
        _point("longer", whole(longer["pupils"].sum()), language), _point("most_added", minutes(longer["added"].max() if len(longer) else 0), language),
        _point("closing", whole(result.verdict.measures.set_index("measure").at["closures", "plan"]), language),
        *(_point(column, _vulnerable(result, moved, column, language), language) for column in ("left_behind", "disabled", "boarders")),
    ]  # fmt: skip
    rows += [
        _point(key, report_word("not_in_data", language), language)
        for key in ("petitions", "consent", "mitigation")
    ]
    head = columns(language, "point", "value#")
    return made(
        "risks",
        language,
        Portion("", (report_word("risks_about", language),), PageTable(head, tuple(rows))),
        Portion(report_word("h_longer", language), (), longer_villages(result, language, None)),
    )


def _point(key: str, value: str, language: str) -> tuple[PageCell, PageCell]:
    return PageCell(report_word(f"point_{key}", language)), number(value)


def _vulnerable(result: PlanResult, moved: pd.DataFrame, column: str, language: str) -> str:
    """Pupils of a vulnerable kind at the units that others leave; no number where the column is empty, none below five."""
    stages = moved["band"].map(result.county.scheme.band_stage).astype(str)
    senders = set(moved["today_school_id"].astype(str) + "/" + stages)
    table = result.county.school_stage
    at = table[(table["school_id"].astype(str) + "/" + table["stage"].astype(str)).isin(senders)]
    told = pd.to_numeric(at[column], errors="coerce")
    if told.isna().any():
        return report_word("not_filled", language)
    return f"< {FEW}" if 0 < told.sum() < FEW else whole(told.sum())


def moved_share(part: float, of: float) -> str:
    """A share of two counts; a dash over nothing."""
    return share(part / of) if of else DASH
