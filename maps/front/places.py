"""A page for every school and every village that changes: the numbers used, the reasons, the rules, how to object."""

from __future__ import annotations

from typing import Any

import pandas as pd

from geodata.messages import catalogue, say
from geodata.standards.terms import in_its_words
from maps.front.losers import zone_word
from maps.front.pages import render
from maps.front.place_parts import Known, Part, Place, correction_sheet, rules_here, split_by_place, way_cells
from maps.front.text import (
    DASH,
    PageCell,
    PageTable,
    headings,
    hundredths,
    large,
    minutes,
    number,
    phrase,
    plainly,
    school_page,
    signed,
    village_page,
    whole,
)
from maps.lettered import lettered
from maps.wording import band, group_word, indicator, name, reason, resource, stage, what
from models.impact.losses import unit_changes
from models.plan.decisions import PlanResult

PROTECTED = "none"


@in_its_words
def schools_page(result: PlanResult, language: str) -> str:
    """``schools.html``: every school where the plan changes anything.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}

    Returns
    -------
    str
    """
    result = lettered(result, language)
    changes = unit_changes(result)
    ids = set(changes.loc[changes["changes"], "school_id"].astype(str))
    ids |= set(result.actions["school_id"].astype(str)) if len(result.actions) else set()
    table = result.county.schools
    table = table[table["school_id"].astype(str).isin(ids)].sort_values(
        ["township", "school_id"], kind="stable"
    )
    places = school_places(result, [str(j) for j in table["school_id"]], language)
    return render(
        "places.html",
        result,
        language,
        phrase("page_schools", language),
        places=places,
        explain=phrase("explain_about", language),
    )


@in_its_words
def villages_page(result: PlanResult, language: str) -> str:
    """``villages.html``: every village of which pupils change school or way.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}

    Returns
    -------
    str
    """
    result = lettered(result, language)
    travel = result.verdict.travel
    other_way = (travel["minutes"].astype(float) - travel["minutes_today"].astype(float)).abs() > 1e-6
    ids = set(travel.loc[travel["changed"].astype(bool) | other_way, "village_id"])
    table = result.county.villages
    table = table[table["village_id"].isin(ids)].sort_values(["township", "village_id"], kind="stable")
    places = village_places(result, [str(v) for v in table["village_id"]], language)
    return render(
        "places.html", result, language, phrase("page_villages", language), places=places, explain=""
    )


def school_places(result: PlanResult, ids: list[str], language: str) -> list[Place]:
    """Schools in the order of their ids, with everything that their pages tell."""
    changes, known = unit_changes(result), split_by_place(result)
    staff = changes.groupby(changes["school_id"].astype(str))[["out", "into", "hired"]].sum().to_dict("index")
    rows = {str(r["school_id"]): r for r in result.county.schools.to_dict("records")}
    return [_school(result, rows[j], known, staff, language) for j in ids]


def village_places(result: PlanResult, ids: list[str], language: str) -> list[Place]:
    """Villages in the order of their ids, likewise."""
    known = split_by_place(result)
    rows = {str(r["village_id"]): r for r in result.county.villages.to_dict("records")}
    return [_village(result, rows[v], known, language) for v in ids]


def _school(
    result: PlanResult, row: dict[str, Any], known: Known, staff: dict[str, Any], language: str
) -> Place:
    school_id = str(row["school_id"])
    units = known.units.get(school_id, [])
    about = [
        phrase(
            "school_about",
            language,
            township=row["township"],
            zone=zone_word(row["zone"], language),
            kind=say(f"map.kind_{row['kind']}", language),
            id=school_id,
        )
    ]
    if not pd.isna(row["built_year"]):
        about.append(phrase("built", language, year=int(row["built_year"])))
    if row["protected"] and row["protected"] != PROTECTED:
        about.append(phrase("protected", language, mark=_protection(str(row["protected"]), language)))
    heads = staff.get(school_id, {"out": 0, "into": 0, "hired": 0})
    about.append(phrase("gives_teachers", language, **{k: whole(v) for k, v in heads.items()}))
    actions = _actions(result, known.actions.get(school_id, []), language)
    cells = [r for u in units for r in known.indicators.get(str(u.unit_id), [])]
    parts = (
        Part(phrase("h_numbers", language), _numbers(result, units, language)),
        Part(phrase("h_indicators", language), _indicators(result, cells, language)),
        Part(
            phrase("h_pupils", language),
            _pupils(result, known, school_id, language),
            phrase("no_pupils_move", language),
        ),
        Part(phrase("h_actions", language), actions, phrase("no_actions_here", language)),
        Part(
            phrase("h_rules", language),
            rules_here(result, known.violations, [school_id, *(str(u.unit_id) for u in units)], language),
            phrase("all_hold", language),
        ),
    )
    return Place(
        school_id,
        f"s-{school_id}",
        str(row["name"]),
        " · ".join(about),
        parts,
        (),
        correction_sheet(_used(result, units, cells, language), language),
    )


def _protection(mark: str, language: str) -> str:
    """A mark of protection in words: "lock_until(2030)" is "kept until 2030"."""
    kind, _, year = mark.rstrip(")").partition("(")
    return catalogue(language).get(f"front.protected_{kind}", mark).format(year=year)


def _numbers(result: PlanResult, units: list[Any], language: str) -> PageTable:
    """Pupils, classes, teachers and the verdict, today and in the plan, by stage."""
    rows: list[tuple[PageCell, ...]] = []
    for u in units:
        title = stage(str(u.stage), language, result.county.norms)
        for key in ("pupils", "classes", "staff"):
            today, plan = getattr(u, f"{key}_today"), getattr(u, f"{key}_plan")
            rows.append(
                (
                    PageCell(title),
                    PageCell(phrase(f"row_{key}", language)),
                    number(whole(today)),
                    number(whole(plan)),
                    number(signed(whole(plan - today))),
                )
            )
        rows.append(
            (
                PageCell(title),
                PageCell(phrase("row_capacity", language)),
                number(whole(u.capacity)),
                number(whole(u.capacity)),
                PageCell(""),
            )
        )
        sides = [_passes(u, end, language) for end in ("today", "plan")]
        rows.append((PageCell(title), PageCell(phrase("row_passes", language)), *sides, PageCell("")))
    return PageTable(headings(language, "stage", "item", "today#", "plan#", "change#"), tuple(rows))


def _passes(unit: Any, end: str, language: str) -> PageCell:
    if not getattr(unit, f"open_{end}"):
        return number(phrase("closed_then", language), "bad")
    passes = getattr(unit, f"passes_{end}")
    if pd.isna(passes):
        return number(phrase("not_assessed", language))
    met, tested = getattr(unit, f"indicators_met_{end}"), getattr(unit, f"indicators_tested_{end}")
    return number(
        phrase("passes" if passes else "fails", language, met=met, tested=tested), "good" if passes else "bad"
    )


def _indicators(result: PlanResult, cells: list[Any], language: str) -> PageTable:
    """The standards' indicators with threshold, value, mark and gap."""
    norms = result.county.norms
    rows = []
    for r in cells:
        both = not pd.isna(r.met_today) and not pd.isna(r.met_plan)
        lost = both and bool(r.met_today) and not bool(r.met_plan)
        rows.append(
            (
                PageCell(stage(str(r.stage), language, norms)), PageCell(indicator(str(r.indicator), language, norms)), number(hundredths(r.threshold)),
                _marked(r.ratio_today, r.met_today), _marked(r.ratio_plan, r.met_plan, lost),
                number(plainly(r.gap_plan) if not pd.isna(r.gap_plan) and r.gap_plan > 0 else DASH),
            )
        )  # fmt: skip
    return PageTable(
        headings(language, "stage", "indicator", "standard#", "today#", "plan#", "gap#"), tuple(rows)
    )


def _marked(ratio: Any, met: Any, lost: bool = False) -> PageCell:
    if pd.isna(ratio):
        return number(DASH)  # a unit without pupils meets and misses nothing
    mark = "" if pd.isna(met) else " ✓" if met else " ✗"
    return number(hundredths(ratio) + mark, "bad" if lost else "")


def _pupils(result: PlanResult, known: Known, school_id: str, language: str) -> PageTable | None:
    """Groups that leave and come, with the way before and after."""
    rows = []
    for way, groups, other in (("goes", known.leave, "school_id"), ("comes", known.come, "today_school_id")):
        for r in (one._asdict() for one in groups.get(school_id, [])):
            across = r["school"] if other == "school_id" else r["today_school"]
            rows.append(
                (
                    PageCell(phrase(way, language)),
                    PageCell(str(r["village"]), "", village_page(r["village_id"])),
                    PageCell(band(str(r["band"]), language, result.county.norms)),
                    number(whole(r["pupils"])),
                    PageCell(str(across), "", school_page(r[other])),
                    *way_cells(r, language),
                )
            )
    head = headings(
        language,
        "direction",
        "village",
        "band",
        "pupils#",
        "other",
        "mode",
        "minutes_today#",
        "minutes_plan#",
        "added#",
        "limit#",
    )
    return PageTable(head, tuple(rows)) if rows else None


def _actions(result: PlanResult, table: list[Any], language: str) -> PageTable | None:
    """The ledger's actions at a school, each with cost, reason and row id."""
    norms = result.county.norms
    rows = [
        (
            PageCell(name("action", r.action, language)), PageCell(what(r.what, language, norms) if r.what else ""), number(plainly(r.quantity)),
            PageCell(name("unit", r.unit, language)), number(large(r.yuan)), PageCell(reason(r.reason_key, r.reason_fields, language, norms)), PageCell(r.id, "soft"),
        )
        for r in table
    ]  # fmt: skip
    head = headings(language, "action", "what", "quantity#", "unit", "cost#", "reason", "row")
    return PageTable(head, tuple(rows)) if rows else None


def _used(result: PlanResult, units: list[Any], cells: list[Any], language: str) -> list[tuple[str, str]]:
    """The numbers of today that a school's part of the plan rests on."""
    norms = result.county.norms
    lines = []
    for u in units:
        at = stage(str(u.stage), language, norms)
        lines += [
            (f"{at} · {phrase(f'row_{k}', language)}", whole(getattr(u, f"{k}_today")))
            for k in ("pupils", "classes", "staff")
        ]
        lines.append((f"{at} · {phrase('row_capacity', language)}", whole(u.capacity)))
    first = {(r.unit_id, r.resource): r for r in reversed(cells)}
    for r in (c for c in cells if first[c.unit_id, c.resource] is c):
        lines.append(
            (
                f"{stage(str(r.stage), language, norms)} · {resource(str(r.resource), language, norms)}",
                plainly(r.amount_today),
            )
        )
    return lines


def _village(result: PlanResult, row: dict[str, Any], known: Known, language: str) -> Place:
    village_id = str(row["village_id"])
    travel = result.verdict.travel[result.verdict.travel["village_id"].astype(str) == village_id]
    parts = (
        Part(phrase("h_numbers", language), _groups(result, travel, language)),
        Part(
            phrase("h_rules", language),
            rules_here(result, known.violations, [village_id], language),
            phrase("all_hold", language),
        ),
    )
    about = phrase("village_about", language, township=row["township"], id=village_id)
    return Place(
        village_id,
        f"v-{village_id}",
        str(row["name"]),
        about,
        parts,
        tuple(_why_moved(result, travel[travel["changed"].astype(bool)], language)),
        correction_sheet(_village_used(result, travel, language), language),
    )


def _groups(result: PlanResult, travel: pd.DataFrame, language: str) -> PageTable:
    """Where a village's groups of pupils go, and how, before and after."""
    norms = result.county.norms
    rows = tuple(
        (
            PageCell(band(str(r["band"]), language, norms)), PageCell(group_word(r["group"], language)), number(whole(r["pupils"])),
            PageCell(str(r["today_school"]), "", school_page(r["today_school_id"])),
            PageCell(str(r["school"]), "bad" if r["changed"] else "", school_page(r["school_id"])),
            *way_cells(r, language), PageCell(str(r["row_id"]), "soft"),
        )
        for r in travel.to_dict("records")
    )  # fmt: skip
    head = headings(
        language, "band", "group", "pupils#", "school_today", "school_plan", "mode", "minutes_today#", "minutes_plan#", "added#", "limit#",
        "row",
    )  # fmt: skip
    return PageTable(head, rows)


def _village_used(result: PlanResult, travel: pd.DataFrame, language: str) -> list[tuple[str, str]]:
    """The numbers of today that a village's part of the plan rests on."""
    lines = []
    for r in travel.to_dict("records"):
        grades = band(str(r["band"]), language, result.county.norms)
        lines += [
            (f"{grades} · {phrase('row_pupils', language)} → {r['today_school']}", whole(r["pupils"])),
            (f"{grades} · {phrase('col_minutes_today', language)}", minutes(r["minutes_today"])),
        ]
    return lines


def _why_moved(result: PlanResult, moved: pd.DataFrame, language: str) -> list[str]:
    """Why pupils of a village change school: who receives them, then who gives them up."""
    if result.actions.empty:
        return []
    rows, left = set(moved["row_id"]), set(moved["today_school_id"].astype(str))
    every = list(result.actions.itertuples())
    told = [a for a in every if a.action in ("receive", "bus") and rows & set(a.rows)]
    told += [a for a in every if a.action in ("close", "reduce") and str(a.school_id) in left]
    norms = result.county.norms
    return [
        f"{a.school} · {name('action', a.action, language)}: {reason(a.reason_key, a.reason_fields, language, norms)}"
        for a in told
    ]
