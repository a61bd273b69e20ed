"""The first screen: the plan in plain words, the cards, and what is broken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from geodata.messages import say
from maps.front.text import hundredths, large, minutes, named_few, of_unit, phrase, place_words, share, whole
from maps.wording import name
from models.impact.certainty import UNTESTED, certainty
from models.impact.losses import longer_ways, losing_units, unit_changes, unknown_ways
from models.plan.decisions import PlanResult
from models.rules.record import BINDING


@dataclass(frozen=True)
class Card:
    """One number with today's beside it; ``kind`` is good, bad or empty."""

    label: str
    value: str
    unit: str
    note: str
    kind: str = ""


@dataclass(frozen=True)
class Alarm:
    """A rule that does not hold: its name, how binding it is, where it is worst."""

    rule: str
    kind: str
    places: str
    worst: str


def paragraph(result: PlanResult, language: str) -> list[str]:
    """The plan in sentences: what changes, what it reaches and costs, who pays for it, how sure it is.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}

    Returns
    -------
    list of str
    """
    m = result.verdict.measures.set_index("measure")
    at = m["plan"]
    shut = (
        result.actions.loc[result.actions["action"] == "reduce", "school_id"].nunique()
        if len(result.actions)
        else 0
    )
    everybody = int(result.plan.attendance["pupils"].sum())
    closed = int(at["closures"])
    closes = (
        "closes_both"
        if closed and shut
        else "closes_some"
        if closed
        else "reduces_some"
        if shut
        else "closes_none"
    )
    sentences = [
        phrase(closes, language, closed=_schools(closed, language), reduced=_schools(shut, language))
        + phrase("para_pupils", language, pupils=whole(at["pupils_changed"]), share=share(at["pupils_changed"] / max(everybody, 1))),
        phrase(
            "para_reach", language, before=whole(m.at["units_passing", "today"]), after=whole(at["units_passing"]),
            of=whole(at["units_assessed"]), moved=whole(at["staff_moved"]), hired=whole(at["hires"]), cost=large(at["cost"]),
            money=large(result.verdict.budget["available"].sum()),
        ),
        _losses(result, language),
        phrase(
            "para_rules_broken" if len(alarms(result, language)) else "para_rules_hold", language,
            rules=len(result.verdict.rules), broken=len(alarms(result, language)),
        ) + _eased(result, language),
    ]  # fmt: skip
    return [*sentences, *_sure(result, language)]


def _schools(count: int, language: str) -> str:
    """So many schools, one or several."""
    return phrase("one_school" if count == 1 else "many_schools", language, count=whole(count))


def _eased(result: PlanResult, language: str) -> str:
    """Where a rule holds only because its limit is passed today already: "all rules hold" does not cover that."""
    many = int(result.verdict.violations["grandfathered"].astype(bool).sum())
    return phrase("para_eased", language, places=whole(many)) if many else ""


def _losses(result: PlanResult, language: str) -> str:
    longer, units = longer_ways(result.verdict.travel), losing_units(unit_changes(result))
    unknown = int(unknown_ways(result.verdict.travel)["pupils"].sum())
    fewer = units[(units["net"] < 0) & units["open_plan"].astype(bool)]
    text = phrase(
        "para_losses", language, pupils=whole(longer["pupils"].sum()), most=minutes(longer["added"].max() if len(longer) else 0),
        beyond=whole(longer.loc[longer["beyond"], "pupils"].sum()), cells=whole(units["lost"].map(len).sum()),
        units=whole(len(fewer)), heads=whole(-fewer["net"].sum()),
    )  # fmt: skip
    return text + (phrase("para_unknown", language, pupils=whole(unknown)) if unknown else "")


def _sure(result: PlanResult, language: str) -> list[str]:
    table = certainty(result)
    if table.empty:
        return [phrase("para_by_hand", language)]
    table = table[table["sure"] != UNTESTED]
    if table.empty:
        return [phrase("para_sure_nothing", language)]
    loose = table[table["sure"].isin(["far", "none"])]
    names = [goal(g, language) for g in loose["goal"]]
    fields = {"proven": len(table) - len(loose), "goals": len(table), "names": named_few(names, language)}
    return [phrase("para_sure_part" if names else "para_sure", language, **fields)]


def goal(key: str, language: str) -> str:
    """The name of a goal."""
    return say(f"goals.{key}", language)


def alarms(result: PlanResult, language: str) -> list[Alarm]:
    """Every rule that does not hold, hard ones first; a reported rule is no less broken.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}

    Returns
    -------
    list of Alarm
    """
    bad = result.verdict.rules[~result.verdict.rules["ok"].astype(bool)]
    return [
        Alarm(
            name("rule", r.rule, language),
            say(f"workbook.kind_{r.kind}", language),
            whole(r.broken),
            worst_place(result, r, language),
        )
        for r in bad.sort_values("kind", key=lambda k: k.map(BINDING.index), kind="stable").itertuples()
    ]


def worst_place(result: PlanResult, rule: Any, language: str) -> str:
    """The place furthest beyond a rule's limit, with value and limit; one without a value only where all are.

    Parameters
    ----------
    result : PlanResult
    rule : row of `Verdict.rules`
    language : {"zh", "en"}

    Returns
    -------
    str
        Nothing for a rule that holds.
    """
    table = result.verdict.violations
    mine = (table["rule"] == rule.rule) & (table["kind"] == rule.kind) & ~table["grandfathered"].astype(bool)
    rows = table[mine]
    if rows.empty:
        return "" if rule.ok else str(rule.worst)
    excess = (
        pd.to_numeric(rows["amount"], errors="coerce") - pd.to_numeric(rows["limit"], errors="coerce")
    ).abs()
    one = rows.iloc[int(excess.fillna(-1.0).to_numpy().argmax())]
    place = place_words(str(one["place"]), result.county.norms, language)
    return phrase(
        "alarm_worst",
        language,
        place=place,
        amount=of_unit(one["amount"], one["unit"]),
        limit=of_unit(one["limit"], one["unit"]),
        unit="" if one["unit"] == "ratio" else name("unit", one["unit"], language),
    )


def cards(result: PlanResult, language: str) -> list[Card]:
    """The numbers that a meeting asks for first, each with today's.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}

    Returns
    -------
    list of Card
    """
    m = result.verdict.measures.set_index("measure")
    longer = longer_ways(result.verdict.travel)

    def both(measure: str, better: str = "") -> Card:
        today, plan = float(m.at[measure, "today"]), float(m.at[measure, "plan"])
        kind = (
            "" if not better or today == plan else "good" if (plan > today) == (better == "more") else "bad"
        )
        return Card(
            name("measure", measure, language),
            whole(plan),
            _unit(m.at[measure, "unit"], language),
            phrase("card_today", language, value=whole(today)),
            kind,
        )

    def of(measure: str, every: str) -> Card:
        card = both(measure, "more")
        today, plan = (
            f"{whole(m.at[measure, end])} / {whole(m.at[every, end])}" for end in ("today", "plan")
        )
        if not m.at[every, "plan"]:
            plan = phrase("not_assessed", language)
        return Card(card.label, plan, "", phrase("card_today", language, value=today), card.kind)

    most = phrase("card_most", language, minutes=minutes(longer["added"].max() if len(longer) else 0))
    money = phrase("card_available", language, money=large(result.verdict.budget["available"].sum()))
    cv = result.verdict.cv
    worst = (cv["cv_plan"] / cv["limit"]).max()
    return [
        of("units_passing", "units_assessed"),
        of("cells_met", "cells_assessed"),
        Card(
            name("measure", "cv_ok", language), of("cv_ok", "cv_assessed").value, "",
            phrase("card_cv", language, today=whole(m.at["cv_ok", "today"]), worst=hundredths(worst)), of("cv_ok", "cv_assessed").kind,
        ),
        both("pupils_changed"),
        Card(phrase("card_longer", language), whole(longer["pupils"].sum()), _unit("pupils", language), most, "bad" if len(longer) else ""),
        both("pupils_over_limit", "less"),
        both("staff_moved"),
        Card(name("measure", "cost", language), large(m.at["cost", "plan"]), _unit("large", language), money),
    ]  # fmt: skip


def _unit(unit: object, language: str) -> str:
    return name("unit", unit, language)
