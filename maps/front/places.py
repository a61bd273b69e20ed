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
    known = _split(result)
    staff = changes.groupby(changes["school_id"].astype(str))[["out", "into", "hired"]].sum().to_dict("index")
    places = [_school(result, row, known, staff, language) for row in table.to_dict("records")]
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
    known = _split(result)
    places = [_village(result, row, known, language) for row in table.to_dict("records")]
    return render(
        "places.html", result, language, phrase("page_villages", language), places=places, explain=""
    )


Rows = dict[str, list[Any]]


@dataclass(frozen=True)
class _Known:
    """Rows of the verdict's tables by the place that they are about, each table gone through once."""

    units: Rows
    indicators: Rows
    leave: Rows
    come: Rows
    actions: Rows
    violations: Rows


def _split(result: PlanResult) -> _Known:
    v = result.verdict
    moved = v.travel[v.travel["changed"].astype(bool)]
    return _Known(
        _by(v.units, "school_id"), _by(v.indicators, "unit_id"), _by(moved, "today_school_id"), _by(moved, "school_id"),
        _by(result.actions, "school_id") if len(result.actions) else {}, _by(v.violations, "place_id"),
    )  # fmt: skip


def _by(table: pd.DataFrame, column: str) -> Rows:
    found: Rows = {}
    for key, row in zip(table[column].astype(str), table.itertuples(), strict=True):
        found.setdefault(key, []).append(row)
    return found


def _school(
    result: PlanResult, row: dict[str, Any], known: _Known, staff: dict[str, Any], language: str
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
        about.append(phrase("protected", language, mark=row["protected"]))
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
            _rules(result, known.violations, [school_id, *(str(u.unit_id) for u in units)], language),
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
        _correction(_used(result, units, cells, language), language),
    )


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


def _pupils(result: PlanResult, known: _Known, school_id: str, language: str) -> PageTable | None:
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


def _rules(result: PlanResult, known: Rows, places: list[str], language: str) -> PageTable | None:
    """Rules that do not hold at a place, or hold only as no worse than today."""
    inner = [k for k in known if k in places or k.rsplit("/", 1)[0] in places]
    here = sorted((r for k in inner for r in known[k]), key=lambda r: r.Index)
    rows = [
        (
            PageCell(name("rule", r.rule, language)), PageCell(say(f"workbook.kind_{r.kind}", language)), PageCell(place_words(str(r.place), result.county.norms, language)), number(of_unit(r.amount, r.unit)),
            number(of_unit(r.limit, r.unit)), PageCell(name("unit", r.unit, language)),
            PageCell(phrase("rule_eased" if r.grandfathered else "rule_broken", language), "warn" if r.grandfathered else "bad"),
        )
        for r in here
    ]  # fmt: skip
    head = headings(language, "rule", "kind", "place", "amount#", "rule_limit#", "unit", "holds")
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
                f"{stage(str(r.stage), language, norms)} · {name('resource', r.resource, language)}",
                plainly(r.amount_today),
            )
        )
    return lines


def _correction(lines: list[tuple[str, str]], language: str) -> PageTable:
    rows = tuple((PageCell(item), number(used), PageCell(""), PageCell("")) for item, used in lines)
    return PageTable(headings(language, "item", "used#", "correct", "proof"), rows)


def _village(result: PlanResult, row: dict[str, Any], known: _Known, language: str) -> Place:
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
            phrase("h_rules", language),
            _rules(result, known.violations, [village_id], language),
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
        tuple(reasons),
        _correction(used, language),
    )
