"""What `why` found, as sentences."""

from __future__ import annotations

import math

from geodata.contract.county import County
from geodata.contract.findings import in_language
from geodata.messages import catalogue, large_unit, say
from maps.front.text import DASH, hundredths, place_words, plainly, signed, whole
from maps.wording import listed, name, reason, stage
from models.plan.names import Names
from models.study.why import EVEN, IMPOSSIBLE, NO_CHOICE, OTHER, PLAN, Flip, Reasoned, Turned

COUNTED = ("failing", "cells", "beyond_limit")
"""Goals that are whole numbers."""


def why_word(key: str, language: str, **fields: object) -> str:
    """A message of this room."""
    return say(f"why.{key}", language, **fields)


def place_name(county: County, place_id: str, kind: str = "school") -> str:
    """A school's or village's name without its id."""
    return Names(county).label(kind, place_id, "zh").rsplit(" [", 1)[0]


def goal_word(goal: str, language: str) -> str:
    """A goal by its name."""
    return catalogue(language).get(f"goals.{goal}", goal)


def goal_value(goal: str, value: float) -> str:
    """A goal's value as it is printed: counts whole, others with what tells small ones apart."""
    if value != value or math.isinf(value):
        return DASH
    if goal in COUNTED:
        return whole(value)
    return plainly(value) if abs(value) >= 1 or value == 0 else f"{value:.4f}"


def with_unit(goal: str, text: str, language: str) -> str:
    """A goal's value with its unit where its name does not say it."""
    if text == DASH or goal not in ("cost", "travel"):
        return text
    if goal == "cost":
        return why_word("amount_money", language, amount=text)
    return why_word("amount_minutes", language, amount=text)


def told_decision(turned: Turned, county: County, language: str) -> str:
    """The plan's decision."""
    fields = _ends(turned, county)
    at_home = turned.kind == "goes" and not turned.changes
    return why_word("goes_stay" if at_home else turned.kind, language, **fields)


def _ends(turned: Turned, county: County) -> dict[str, object]:
    village = place_name(county, turned.village_id, "village") if turned.village_id else ""
    return {"school": place_name(county, turned.school_id), "village": village}


def other_said(turned: Turned, county: County, language: str) -> str:
    """The other decision, as the condition of a sentence."""
    fields = _ends(turned, county)
    if turned.kind == "goes" and turned.next_id:
        return why_word("if_goes_next", language, **fields, next=place_name(county, turned.next_id))
    return why_word(f"if_{turned.kind}", language, **fields)


def answer_said(turned: Turned, county: County, language: str) -> str:
    """Why, in a sentence; "because" only where it is proven."""
    if turned.outcome == NO_CHOICE:
        return why_word("told_no_choice", language)
    goal = turned.goal
    rows = turned.goals.set_index("goal")
    own = {
        c: with_unit(goal, goal_value(goal, float(rows.at[goal, c])), language) if goal else DASH
        for c in ("plan", "other", "bound")
    }
    fields: dict[str, object] = {
        "other": other_said(turned, county, language), "goal": goal_word(goal, language), "scope": scope_said(turned, language), "bare": scope_said(turned, language).rstrip("，"),
        "plan": own["plan"], "bound": own["bound"], "value": own["other"],
    }  # fmt: skip
    beyond = (
        bool(goal) and bool(rows.at[goal, "bound"] > rows.at[goal, "plan"]) and own["bound"] != own["plan"]
    )
    free = not bool(goal) or not float(rows.at[goal, "bound"]) > 0
    return why_word(_key(turned, own["other"], beyond, free), language, **fields)


def _key(turned: Turned, other: str, beyond: bool, free: bool) -> str:
    if turned.outcome == PLAN:
        return "told_plan" if beyond else "told_plan_held"
    if turned.outcome in (OTHER, EVEN, IMPOSSIBLE):
        return f"told_{turned.outcome}"
    if other == DASH:
        return "told_open_none"
    return "told_open_free" if free else "told_open"  # no goal can fall below zero


def scope_said(turned: Turned, language: str) -> str:
    """How far what is proven reaches."""
    if turned.whole:
        return why_word("scope_whole", language)
    return why_word("scope_near", language, schools=turned.schools, villages=turned.villages)


def better_said(turned: Turned, language: str) -> str:
    """That the plan itself can be improved around the place; empty where it cannot, or nobody looked."""
    for r in turned.goals.itertuples():
        if r.kept < r.plan - 1e-3 * max(1.0, abs(r.plan)):
            return why_word(
                "better_kept", language, goal=goal_word(r.goal, language), value=goal_value(r.goal, r.kept),
                plan=goal_value(r.goal, r.plan),
            )  # fmt: skip
    return ""


def reasons_said(turned: Turned, county: County, language: str) -> list[str]:
    """What stands in the way of the other decision, or of any choice."""
    found = []
    for f in turned.reasons:
        fields = {
            k: name(k, str(v), language) if k in ("rule", "earmark") else in_language(v, language)
            for k, v in f.fields.items()
        }
        if "places" in fields:
            places = [place_words(p, county.norms, language) for p in str(fields["places"]).split("; ")]
            fields["places"] = listed(places, language)
        found.append(reason(f.key, fields, language, county.norms))
    return found


def amount_said(flip: Flip, amount: float, language: str) -> str:
    """A change with its sign and unit."""
    if not amount:
        return why_word("no_change", language)
    text = hundredths(amount / large_unit()) if flip.quantity == "money" else whole(amount)
    return why_word(f"amount_{flip.quantity}", language, amount=signed(text))


def quantity_said(flip: Flip, county: County, language: str) -> str:
    """Which number it is."""
    village = flip.place_id not in set(county.schools["school_id"])
    fields: dict[str, object] = {"place": "", "other": "", "stage": ""}
    if flip.place_id:
        fields["place"] = place_name(county, flip.place_id, "village" if village else "school")
    if flip.quantity == "minutes":
        fields["other"] = place_name(county, flip.other_id)
    if flip.quantity == "places":
        fields["stage"] = stage(flip.other_id, language, county.norms)
    return why_word(f"quantity_{flip.quantity}", language, **fields)


def flip_said(flip: Flip, county: County, language: str) -> str:
    """Where a decision flips, in a sentence."""
    fields: dict[str, object] = {
        "what": quantity_said(flip, county, language), "below": amount_said(flip, flip.below, language),
        "reach": amount_said(flip, flip.reach, language), "count": len(flip.tried),
        "at": amount_said(flip, flip.at if flip.at == flip.at else 0.0, language), "tried": tried_said(flip, language),
    }  # fmt: skip
    if flip.status != "flips":
        return why_word(f"flip_{flip.status}", language, **fields)
    exact = abs(flip.at - flip.below) <= flip.step * (1 + 1e-9)
    return why_word("flip_exact" if exact else "flip_between", language, **fields)


def tried_said(flip: Flip, language: str) -> str:
    """Every change that was solved with what came out."""
    return listed(
        [
            why_word(
                "flip_tried",
                language,
                amount=amount_said(flip, c, language),
                outcome=why_word(f"outcome_{o}", language),
            )
            for c, o in flip.tried
        ],
        language,
    )


def place_said(place: Reasoned, county: County, language: str) -> list[str]:
    """Everything about a place as lines, for a terminal."""
    lines = [place.name]
    for t in place.turned:
        lines += [f"  {told_decision(t, county, language)}", f"    {answer_said(t, county, language)}"]
        lines += [f"    {s}" for s in (*reasons_said(t, county, language), better_said(t, language)) if s]
        lines += [f"    {flip_said(f, county, language)}" for f in t.flips]
    return lines
