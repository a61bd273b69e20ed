"""A page for every school and every village that changes: the numbers used, the reasons, the rules, how to object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from geodata.messages import say
from geodata.standards.terms import in_its_words
from maps.front.losers import zone_word
from maps.front.pages import render
from maps.front.text import (
    DASH,
    PageCell,
    PageTable,
    headings,
    hundredths,
    large,
    minutes,
    number,
    of_unit,
    phrase,
    place_words,
    plainly,
    school_page,
    signed,
    village_page,
    whole,
)
from maps.wording import band, group_word, indicator, name, reason, stage, what
from models.impact.losses import unit_changes
from models.plan.decisions import PlanResult

PROTECTED = "none"


@dataclass(frozen=True)
class Part:
    """A table of a place under its heading; a sentence stands where there is nothing to tell."""

    title: str
    table: PageTable | None
    empty: str = ""


@dataclass(frozen=True)
class Place:
    """One school or village.

    Parameters
    ----------
    id, anchor : str
        Its id in the tables and on the page.
    name, about : str
    parts : tuple of Part
    reasons : tuple of str
    correct : PageTable
        The sheet on which somebody corrects the numbers used.
    """

    id: str
    anchor: str
    name: str
    about: str
    parts: tuple[Part, ...]
    reasons: tuple[str, ...]
    correct: PageTable


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
    changes = unit_changes(result)
    ids = set(changes.loc[changes["changes"], "school_id"].astype(str))
    ids |= set(result.actions["school_id"].astype(str)) if len(result.actions) else set()
    table = result.county.schools
    table = table[table["school_id"].astype(str).isin(ids)].sort_values(
        ["township", "school_id"], kind="stable"
    )
    places = [_school(result, row, changes, language) for row in table.to_dict("records")]
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
    travel = result.verdict.travel
    other_way = (travel["minutes"].astype(float) - travel["minutes_today"].astype(float)).abs() > 1e-6
    ids = set(travel.loc[travel["changed"].astype(bool) | other_way, "village_id"])
    table = result.county.villages
    table = table[table["village_id"].isin(ids)].sort_values(["township", "village_id"], kind="stable")
    places = [_village(result, row, language) for row in table.to_dict("records")]
    return render(
        "places.html", result, language, phrase("page_villages", language), places=places, explain=""
    )


def _school(result: PlanResult, row: dict[str, Any], changes: pd.DataFrame, language: str) -> Place:
    school_id = str(row["school_id"])
    units = result.verdict.units[result.verdict.units["school_id"].astype(str) == school_id]
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
        about.append(phrase("protected", language, mark=row["protected"]))
    staff = changes[changes["school_id"].astype(str) == school_id][["out", "into", "hired"]].sum()
    about.append(phrase("gives_teachers", language, **{k: whole(v) for k, v in staff.items()}))
    actions = _actions(result, school_id, language)
    parts = (
        Part(phrase("h_numbers", language), _numbers(result, units, language)),
        Part(phrase("h_indicators", language), _indicators(result, units, language)),
        Part(
            phrase("h_pupils", language),
            _pupils(result, school_id, language),
            phrase("no_pupils_move", language),
        ),
        Part(phrase("h_actions", language), actions, phrase("no_actions_here", language)),
        Part(
            phrase("h_rules", language),
            _rules(result, _places_of(units, school_id), language),
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
        _correction(_used(result, units, language), language),
    )


def _numbers(result: PlanResult, units: pd.DataFrame, language: str) -> PageTable:
    """Pupils, classes, teachers and the verdict, today and in the plan, by stage."""
    rows: list[tuple[PageCell, ...]] = []
    for u in units.itertuples():
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


def _indicators(result: PlanResult, units: pd.DataFrame, language: str) -> PageTable:
    """The standards' indicators with threshold, value, mark and gap."""
    table = result.verdict.indicators
    table = table[table["unit_id"].isin(units["unit_id"])]
    norms = result.county.norms
    rows = []
    for r in table.itertuples():
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


def _pupils(result: PlanResult, school_id: str, language: str) -> PageTable | None:
    """Groups that leave and come, with the way before and after."""
    travel = result.verdict.travel
    moved = travel[travel["changed"].astype(bool)]
    rows = []
    for way, mine, other in (
        ("goes", "today_school_id", "school_id"),
        ("comes", "school_id", "today_school_id"),
    ):
        for r in moved[moved[mine].astype(str) == school_id].to_dict("records"):
            across = r["school"] if other == "school_id" else r["today_school"]
            rows.append(
                (
                    PageCell(phrase(way, language)),
                    PageCell(str(r["village"]), "", village_page(r["village_id"])),
                    PageCell(band(str(r["band"]), language, result.county.norms)),
                    number(whole(r["pupils"])),
                    PageCell(str(across), "", school_page(r[other])),
                    *_way(r, language),
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


def _way(row: dict[str, Any], language: str) -> tuple[PageCell, ...]:
    """How a group travels: mode, minutes today and in the plan, the difference, the limit."""
    added = float(row["minutes"]) - float(row["minutes_today"])
    over = row["minutes"] > row["limit"]
    return (
        PageCell(say(f"workbook.mode_{row['mode']}", language)), number(minutes(row["minutes_today"])), number(minutes(row["minutes"]), "bad" if over else ""),
        number(signed(minutes(added)) if added == added else phrase("unknown", language), "bad" if added > 0 else ""), number(minutes(row["limit"])),
    )  # fmt: skip


def _actions(result: PlanResult, school_id: str, language: str) -> PageTable | None:
    """The ledger's actions at a school, each with cost, reason and row id."""
    table = result.actions
    table = table[table["school_id"].astype(str) == school_id] if len(table) else table
    norms = result.county.norms
    rows = [
        (
            PageCell(name("action", r.action, language)), PageCell(what(r.what, language, norms) if r.what else ""), number(plainly(r.quantity)),
            PageCell(name("unit", r.unit, language)), number(large(r.yuan)), PageCell(reason(r.reason_key, r.reason_fields, language, norms)), PageCell(r.id, "soft"),
        )
        for r in table.itertuples()
    ]  # fmt: skip
    head = headings(language, "action", "what", "quantity#", "unit", "cost#", "reason", "row")
    return PageTable(head, tuple(rows)) if rows else None


def _places_of(units: pd.DataFrame, school_id: str) -> set[str]:
    return {school_id, *units["unit_id"].astype(str)}


def _rules(result: PlanResult, places: set[str], language: str) -> PageTable | None:
    """Rules that do not hold at a place, or hold only as no worse than today."""
    table = result.verdict.violations
    here = [str(p) in places or str(p).rsplit("/", 1)[0] in places for p in table["place_id"]]
    rows = [
        (
            PageCell(name("rule", r.rule, language)), PageCell(say(f"workbook.kind_{r.kind}", language)), PageCell(place_words(str(r.place), result.county.norms, language)), number(of_unit(r.amount, r.unit)),
            number(of_unit(r.limit, r.unit)), PageCell(name("unit", r.unit, language)),
            PageCell(phrase("rule_eased" if r.grandfathered else "rule_broken", language), "warn" if r.grandfathered else "bad"),
        )
        for r in table[pd.Series(here, index=table.index, dtype=bool)].itertuples()
    ]  # fmt: skip
    head = headings(language, "rule", "kind", "place", "amount#", "rule_limit#", "unit", "holds")
    return PageTable(head, tuple(rows)) if rows else None


def _used(result: PlanResult, units: pd.DataFrame, language: str) -> list[tuple[str, str]]:
    """The numbers of today that a school's part of the plan rests on."""
    norms = result.county.norms
    lines = []
    for u in units.itertuples():
        at = stage(str(u.stage), language, norms)
        lines += [
            (f"{at} · {phrase(f'row_{k}', language)}", whole(getattr(u, f"{k}_today")))
            for k in ("pupils", "classes", "staff")
        ]
        lines.append((f"{at} · {phrase('row_capacity', language)}", whole(u.capacity)))
    cells = result.verdict.indicators
    for r in (
        cells[cells["unit_id"].isin(units["unit_id"])].drop_duplicates(["unit_id", "resource"]).itertuples()
    ):
        lines.append(
            (
                f"{stage(str(r.stage), language, norms)} · {name('resource', r.resource, language)}",
                plainly(r.amount_today),
            )
        )
    return lines


def _correction(lines: list[tuple[str, str]], language: str) -> PageTable:
    rows = tuple((PageCell(item), number(used), PageCell(""), PageCell("")) for item, used in lines)
    return PageTable(headings(language, "item", "used#", "correct", "proof"), rows)


def _village(result: PlanResult, row: dict[str, Any], language: str) -> Place:
    village_id = str(row["village_id"])
    travel = result.verdict.travel[result.verdict.travel["village_id"].astype(str) == village_id]
    norms = result.county.norms
    rows, used = [], []
    for r in travel.to_dict("records"):
        grades = band(str(r["band"]), language, norms)
        rows.append(
            (
                PageCell(grades),
                PageCell(group_word(r["group"], language)),
                number(whole(r["pupils"])),
                PageCell(str(r["today_school"]), "", school_page(r["today_school_id"])),
                PageCell(str(r["school"]), "" if not r["changed"] else "bad", school_page(r["school_id"])),
                *_way(r, language),
                PageCell(str(r["row_id"]), "soft"),
            )
        )
        used += [
            (f"{grades} · {phrase('row_pupils', language)} → {r['today_school']}", whole(r["pupils"])),
            (f"{grades} · {phrase('col_minutes_today', language)}", minutes(r["minutes_today"])),
        ]
    head = headings(
        language,
        "band",
        "group",
        "pupils#",
        "school_today",
        "school_plan",
        "mode",
        "minutes_today#",
        "minutes_plan#",
        "added#",
        "limit#",
        "row",
    )
    moved = set(travel.loc[travel["changed"].astype(bool), "row_id"])
    reasons = []
    for a in result.actions.itertuples() if len(result.actions) else ():
        if a.action in ("receive", "bus") and moved & set(a.rows):
            reasons.append(
                f"{a.school} · {name('action', a.action, language)}: {reason(a.reason_key, a.reason_fields, language, norms)}"
            )
    left = set(travel.loc[travel["changed"].astype(bool), "today_school_id"].astype(str))
    for a in result.actions.itertuples() if len(result.actions) else ():
        if a.action in ("close", "reduce") and str(a.school_id) in left:
            reasons.append(
                f"{a.school} · {name('action', a.action, language)}: {reason(a.reason_key, a.reason_fields, language, norms)}"
            )
    parts = (
        Part(phrase("h_numbers", language), PageTable(head, tuple(rows))),
        Part(
            phrase("h_rules", language), _rules(result, {village_id}, language), phrase("all_hold", language)
        ),
    )
    about = phrase("village_about", language, township=row["township"], id=village_id)
    return Place(
        village_id,
        f"v-{village_id}",
        str(row["name"]),
        about,
        parts,
        tuple(reasons),
        _correction(used, language),
    )
