"""Who loses: villages by added minutes, schools that lose something, zones by kind of teacher."""

from __future__ import annotations

import pandas as pd

from geodata.messages import say
from geodata.standards.scheme import Norms
from maps.front.text import (
    DASH,
    PageCell,
    PageTable,
    headings,
    minutes,
    named_few,
    number,
    phrase,
    school_page,
    signed,
    village_page,
    whole,
)
from maps.wording import band, indicator, resource, stage
from models.impact.losses import longer_ways, losing_units, unit_changes, zone_balance
from models.plan.decisions import PlanResult

FIRST = 12
"""Rows of a table on the front page; the pages of the places have all."""


def longer_villages(result: PlanResult, language: str, most: int | None = FIRST) -> PageTable:
    """Groups whose way grows, longest addition first.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}
    most : int or None
        None for all.

    Returns
    -------
    PageTable
    """
    table = longer_ways(result.verdict.travel)
    rows = [
        (
            PageCell(str(r.village), "", village_page(r.village_id)), PageCell(str(r.township)), PageCell(band(str(r.band), language, result.county.norms)),
            number(whole(r.pupils)), PageCell(str(r.today_school)), PageCell(str(r.school), "", school_page(r.school_id)),
            number(minutes(r.minutes_today)), number(minutes(r.minutes)), number("< 1" if r.added < 0.5 else signed(minutes(r.added)), "bad"),
            number(minutes(r.limit), "bad" if r.beyond else ""),
        )
        for r in table.head(len(table) if most is None else most).itertuples()
    ]  # fmt: skip
    head = headings(
        language,
        "village",
        "township",
        "band",
        "pupils#",
        "school_today",
        "school_plan",
        "minutes_today#",
        "minutes_plan#",
        "added#",
        "limit#",
    )
    total = (
        PageCell(phrase("total", language)),
        PageCell(""),
        PageCell(""),
        number(whole(table["pupils"].sum())),
        *[PageCell("")] * 6,
    )
    return PageTable(head, tuple(rows), total if rows else ())


def losing_schools(result: PlanResult, language: str, most: int | None = FIRST) -> PageTable:
    """Units that close or lose an indicator, teachers or pupils, with what they lose.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}
    most : int or None

    Returns
    -------
    PageTable
    """
    table = losing_units(unit_changes(result))
    norms = result.county.norms
    rows = []
    for r in table.head(len(table) if most is None else most).itertuples():
        lost = named_few([indicator(i, language, norms) for i in r.lost], language)
        lower = named_few(_resources(result, str(r.stage), r.lower, language), language, 8)
        state = (
            PageCell(phrase("unit_closes", language), "bad")
            if not r.open_plan
            else PageCell(lost or DASH, "bad" if lost else "soft")
        )
        rows.append(
            (
                PageCell(str(r.name), "", school_page(r.school_id)), PageCell(stage(str(r.stage), language, norms), "s"), PageCell(str(r.township), "s"), state,
                number(signed(whole(r.net)), "bad" if r.net < 0 else ""), number(signed(whole(r.pupils))), PageCell(lower or DASH, "soft"),
            )
        )  # fmt: skip
    head = headings(language, "school", "stage", "township", "lost", "teachers_net#", "pupils_net#", "lower")
    return PageTable(head, tuple(rows))


def _resources(result: PlanResult, stage_id: str, ids: tuple[str, ...], language: str) -> list[str]:
    """What the indicators count, which is shorter than their names."""
    of = {i.id: i.resource for i in result.county.norms.indicators.values() if i.stage == stage_id}
    return [resource(of.get(i, i), language, result.county.norms) for i in ids]


def zones(result: PlanResult, language: str) -> PageTable:
    """Net flow by zone, pupils and each kind of teacher: who comes less who leaves.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}

    Returns
    -------
    PageTable
    """
    table = zone_balance(result)
    kinds = list(dict.fromkeys(table["kind"]))
    at = table.set_index(["zone", "kind"])
    head = (
        *headings(language, "zone"),
        *(PageCell(kind_word(k, language, result.county.norms), "n") for k in kinds),
    )
    rows = tuple(
        (PageCell(zone_word(z, language)), *(_flow(at.loc[(z, k)], language) for k in kinds))
        for z in dict.fromkeys(table["zone"])
    )
    return PageTable(head, rows)


def _flow(row: pd.Series, language: str) -> PageCell:
    net = int(row["net"])
    text = phrase("flow", language, net=signed(whole(net)), into=whole(row["into"]), out=whole(row["out"]))
    return number(text, "bad" if net < 0 else "")


def kind_word(kind: str, language: str, norms: Norms) -> str:
    """What flows: pupils, all teachers, or those that the standards count apart."""
    return phrase(f"kind_{kind}", language) if kind in ("pupils", "all") else resource(kind, language, norms)


def zone_word(zone: object, language: str) -> str:
    """The name of a zone."""
    return say(f"map.zone_{zone}", language)
