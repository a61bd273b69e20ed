"""A page for each school and village asked about, and a list of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import partial

import pandas as pd

from geodata.messages import say
from geodata.standards.terms import in_its_words
from maps.front.pages import part, render
from maps.front.place_parts import Part, Place
from maps.front.places import school_places, village_places
from maps.front.text import PageCell, PageTable, large, minutes, number, plainly, share, signed, whole
from maps.lettered import ENGLISH, lettered, lettered_county, place_names
from maps.why.words import (
    answer_said,
    better_said,
    flip_said,
    goal_value,
    goal_word,
    place_name,
    reasons_said,
    told_decision,
    why_word,
)
from maps.wording import band, name
from models.study.why import OTHER, Reasoned, Turned, Whys

CORRECTIONS = "corrections.xlsx"
FREE = "free"
MOST_ON_FRONT = 12
"""Decisions told on the front page; the folder's own list has all."""
LOOKS = {FREE: "", "limit": "warn", "eased": "warn", "broken": "bad"}


@dataclass(frozen=True)
class Shown:
    """A decision as its section tells it."""

    outcome: str
    decision: str
    answer: str
    look: str
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    flips: tuple[str, ...]
    parts: tuple[Part, ...]


def file_of(place: Reasoned, number_of: int) -> str:
    """The name of a place's page: its id where that can be a file's name, else its number."""
    kind = "s" if place.kind == "school" else "v"
    safe = re.fullmatch(r"[A-Za-z0-9_-]{1,60}", place.place_id) is not None
    return f"{kind}-{place.place_id}.html" if safe else f"{kind}-no-{number_of}.html"


@in_its_words
def why_page(whys: Whys, place: Reasoned, language: str, dossier: str = "") -> str:
    """The page of one place.

    Parameters
    ----------
    whys : Whys
    place : Reasoned
    language : {"zh", "en"}
    dossier : str
        Where the dossier is, seen from the page; empty where there is none.

    Returns
    -------
    str
        A page that asks nothing of the network.
    """
    whys, place = _lettered(whys, (place,), language), _lettered(whys, (place,), language).places[0]
    turned = [_shown(t, whys, language) for t in place.turned]
    return render(
        "why.html", whys.result, language, why_word("title", language, name=place.name), place=_numbers(whys, place, language, dossier),
        turned=turned, dossier=f"{dossier}index.html" if dossier else "", workbook=CORRECTIONS, word=partial(_word, language),
    )  # fmt: skip


def _lettered(whys: Whys, places: tuple[Reasoned, ...], language: str) -> Whys:
    """Some of the answers with names of places as a language prints them."""
    if language != ENGLISH:
        return replace(whys, places=places)
    names, result = place_names(whys.county), whys.result

    def turned(t: Turned) -> Turned:
        return replace(t, moved=names.table(t.moved), reasons=names.findings(t.reasons))

    named = tuple(replace(p, name=names.text(p.name), turned=tuple(map(turned, p.turned))) for p in places)
    return replace(
        whys, county=lettered_county(whys.county), told=lambda: lettered(result, language), places=named
    )


def _word(language: str, key: str, **fields: object) -> str:
    return why_word(key, language, **fields)


@in_its_words
def why_index(whys: Whys, files: dict[str, str], language: str, dossier: str = "") -> str:
    """The list of all places asked about, a line a decision.

    Parameters
    ----------
    whys : Whys
    files : dict
        Page of each place by kind and id, "school A1".
    language : {"zh", "en"}
    dossier : str
        As in `why_page`.
    """
    whys = _lettered(whys, whys.places, language)
    table = _answers(whys, files, language)
    return render(
        "whys.html", whys.result, language, why_word("index_title", language), table=table, workbook=CORRECTIONS,
        dossier=f"{dossier}index.html" if dossier else "", word=partial(_word, language),
        explained=why_word("index_about", language, same=share(whys.same)),
    )  # fmt: skip


def _answers(whys: Whys, files: dict[str, str], language: str, way: str = "") -> PageTable:
    """A line a decision: the plan's, what is proven where it is turned round, what flips it."""
    rows = [
        (
            PageCell(p.name, "", way + files[f"{p.kind} {p.place_id}"]), PageCell(told_decision(t, whys.county, language)),
            PageCell(answer_said(t, whys.county, language), _look(t)),
            PageCell(" ".join(flip_said(f, whys.county, language) for f in t.flips)),
        )
        for p in whys.places
        for t in p.turned
    ]  # fmt: skip
    return PageTable(_heads(language, "col_place", "col_decision", "col_answer", "h_flips"), tuple(rows))


@in_its_words
def whys_on_front(whys: Whys, files: dict[str, str], way: str, language: str) -> str:
    """What the front page tells of decisions that were turned round, with links to their pages.

    Parameters
    ----------
    whys : Whys
    files : dict
        As in `why_index`.
    way : str
        Where these are, seen from the front page.
    language : {"zh", "en"}
    """
    table = _answers(_lettered(whys, whys.places, language), files, language, way)
    shown = replace(table, rows=table.rows[:MOST_ON_FRONT])
    about = why_word("index_about", language, same=share(whys.same))
    return part(
        "asked.html",
        language,
        table=shown,
        count=len(table.rows),
        first=MOST_ON_FRONT,
        link=f"{way}index.html",
        about=about,
    )


def _numbers(whys: Whys, place: Reasoned, language: str, dossier: str) -> Place:
    """The numbers used as the dossier's own page has them, with links that lead there."""
    make = school_places if place.kind == "school" else village_places
    found = make(whys.result, [place.place_id], language)[0]
    return replace(found, parts=tuple(replace(p, table=_leading(p.table, dossier)) for p in found.parts))


def _leading(table: PageTable | None, dossier: str) -> PageTable | None:
    if table is None:
        return None

    def led(cell: PageCell) -> PageCell:
        return replace(cell, link=f"{dossier}{cell.link}" if cell.link and dossier else "")

    return replace(table, rows=tuple(tuple(led(c) for c in row) for row in table.rows))


def _look(turned: Turned) -> str:
    return "good" if turned.because else "bad" if turned.outcome == OTHER else "warn"


def _heads(language: str, *keys: str) -> tuple[PageCell, ...]:
    return tuple(PageCell(why_word(k.rstrip("#"), language), "n" if k.endswith("#") else "") for k in keys)


def _shown(turned: Turned, whys: Whys, language: str) -> Shown:
    county = whys.county
    notes = [better_said(turned, language), why_word("accepted", language) if turned.accepted else ""]
    tables = [
        Part(why_word("h_goals", language), _goals(turned, language)) if turned.accepted is not None else None,
        _part("h_measures", _measures(turned, language), language),
        _part("h_moved", _moved(turned, whys, language), language, count=len(turned.moved)),
        Part(why_word("h_rules", language), _rules(turned, language), why_word("rules_about", language)) if len(turned.rules) else None,
        _part("h_barred", _barred(turned, whys, language), language),
    ]  # fmt: skip
    return Shown(
        turned.outcome, told_decision(turned, county, language), answer_said(turned, county, language), _look(turned),
        tuple(reasons_said(turned, county, language)), tuple(n for n in notes if n),
        tuple(flip_said(f, county, language) for f in turned.flips), tuple(p for p in tables if p is not None),
    )  # fmt: skip


def _part(title: str, table: PageTable, language: str, **fields: object) -> Part | None:
    return Part(why_word(title, language, **fields), table) if table.rows else None


def _goals(turned: Turned, language: str) -> PageTable:
    """Every goal in order: the plan, the other decision, what is proven of it."""
    rows = []
    for r in turned.goals.itertuples():
        change = goal_value(r.goal, abs(r.other - r.plan))
        sign = (
            "" if r.other != r.other or not abs(r.other - r.plan) > 1e-9 else "+" if r.other > r.plan else "−"
        )
        kind = "bad" if r.goal == turned.goal and turned.outcome == "plan" else ""
        rows.append(
            (
                PageCell(goal_word(r.goal, language), kind), number(goal_value(r.goal, r.plan)), number(goal_value(r.goal, r.other), kind),
                number(sign + change), number(goal_value(r.goal, r.bound), kind),
            )
        )  # fmt: skip
    return PageTable(
        _heads(language, "col_goal", "col_plan#", "col_other#", "col_change#", "col_bound#"), tuple(rows)
    )


def _measures(turned: Turned, language: str) -> PageTable:
    """Measures that differ."""
    rows = [
        (
            PageCell(name("measure", r.measure, language)), number(_told(r.plan, r.unit)), number(_told(r.other, r.unit)),
            number(signed(_told(r.change, r.unit))), PageCell(name("unit", "large" if r.unit == "yuan" else r.unit, language)),
        )
        for r in turned.measures.itertuples()
        if abs(r.change) >= 0.005
    ]  # fmt: skip
    heads = _heads(language, "col_measure", "col_plan#", "col_other#", "col_change#", "col_unit")
    return PageTable(heads, tuple(rows))


def _told(value: float, unit: object) -> str:
    """A measure as bureaus print it: money in its large unit with one decimal, heads whole; small changes of minutes are told."""
    if unit == "yuan":
        return large(value)
    return plainly(value) if unit in ("minutes", "1") else whole(value)


def _moved(turned: Turned, whys: Whys, language: str) -> PageTable:
    """Villages that attend another school with the other decision."""
    rows = [
        (
            PageCell(r.village), PageCell(band(r.band, language, whys.county.norms)), number(whole(r.pupils)), PageCell(r.school_plan),
            PageCell(r.school_other), number(minutes(r.minutes_plan)), number(minutes(r.minutes_other)),
        )
        for r in turned.moved.itertuples()
    ]  # fmt: skip
    keys = ("village", "band", "pupils#", "school_plan", "school_other", "minutes_plan#", "minutes_other#")
    return PageTable(_heads(language, *(f"col_{k}" for k in keys)), tuple(rows))


def _rules(turned: Turned, language: str) -> PageTable:
    """What each rule says; those that say most first."""
    order = {"broken": 0, "eased": 1, "limit": 2, FREE: 3, "": 3}
    table = turned.rules.assign(first=[min(order[a], order[b]) for a, b in zip(turned.rules["plan"], turned.rules["other"], strict=True)])  # fmt: skip
    rows = [
        (
            PageCell(name("rule", r.rule, language)), PageCell(say(f"workbook.kind_{r.kind}", language)), _said(r.plan, language),
            _said(r.other, language), PageCell(name("rule", f"{r.rule}_about", language), "soft"),
        )
        for r in table.sort_values("first", kind="stable").itertuples()
    ]  # fmt: skip
    heads = _heads(language, "col_rule", "col_kind", "col_plan", "col_other", "col_asks")
    return PageTable(heads, tuple(rows))


def _said(state: str, language: str) -> PageCell:
    return PageCell(why_word(f"said_{state}", language), LOOKS[state]) if state else PageCell("")


def _barred(turned: Turned, whys: Whys, language: str) -> PageTable:
    """Ways that a rule bars, those nearest to being allowed first."""
    county = whys.county
    rows = [
        (
            PageCell(place_name(county, r.village_id, "village")), PageCell(band(r.band, language, county.norms)),
            PageCell(place_name(county, r.school_id)), PageCell(say(f"workbook.mode_{r.mode}", language)), number(minutes(r.minutes)),
            number(minutes(r.limit)), PageCell(name("rule", r.rule, language)),
            number("" if pd.isna(r.excess) else plainly(r.excess)),
        )
        for r in turned.barred.itertuples()
    ]  # fmt: skip
    keys = ("village", "band", "school", "mode", "minutes#", "limit#", "rule", "excess#")
    return PageTable(_heads(language, *(f"col_{k}" for k in keys)), tuple(rows))
