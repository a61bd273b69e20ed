"""`PlanResult` -> one JSON payload: everything the map shows, in both languages, nothing computed twice.

Names, notes and other table text travel only in here and reach the page only through ``textContent``.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

import pandas as pd

from geodata.contract.groups import kind_in
from geodata.contract.placenames import given_latin, latin_name, search_keys
from geodata.contract.tables import TABLES
from geodata.messages import LANGUAGES, catalogue, say
from geodata.standards.scheme import Norms
from maps.dossier.public import is_public
from maps.extent import Extent, county_extent, crowded_part
from maps.front.text import goal_in_words
from maps.lettered import ENGLISH, place_names
from maps.web import background
from maps.wording import band, indicator, modelled_names, reason, stage
from models.impact.certainty import goal_unit
from models.plan.decisions import PlanResult

JSON_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
ESCAPES = {c: f"\\u{ord(c):04x}" for c in "<>&{}`\u2028\u2029"}
ORDER = ("better", "worse", "other", "same")
TINY = 1e-9
PLANNED = ("closures", "bands_closed", "pupils_changed", "staff_moved", "hires", "cost")
"""Measures of what a plan changes, which say nothing where nothing is planned."""


def escaped_json(value: object) -> str:
    r"""JSON that is inert inside a page and inside a template.

    Within texts the characters ``< > & { } ` `` and the two Unicode line separators are written as
    ``\uXXXX``, so that a name can neither close the script element nor start a template expression.

    Parameters
    ----------
    value : object
        Plain data; numbers must be finite.

    Returns
    -------
    str
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return JSON_TEXT.sub(lambda m: "".join(ESCAPES.get(c, c) for c in m[0]), text)


def _number(value: Any, digits: int = 4) -> float | None:
    """A finite rounded number, or None."""
    if value is None or pd.isna(value) or not math.isfinite(float(value)):
        return None
    rounded = round(float(value), digits)
    return int(rounded) if rounded == int(rounded) else rounded


def _flag(value: Any) -> bool:
    return not pd.isna(value) and bool(value)


def _answer(value: Any) -> bool | None:
    """Yes, no, or None for what is not assessed."""
    return None if pd.isna(value) else bool(value)


def direction(today: float | None, plan: float | None, better: str) -> str:
    """``better``, ``worse``, ``same``, or ``other`` for a number that has no good direction."""
    if today is None or plan is None:
        return "other"
    if abs(plan - today) <= TINY * max(1.0, abs(today)):
        return "same"
    if better not in ("low", "high"):
        return "other"
    return "better" if (plan < today) == (better == "low") else "worse"


def measures(result: PlanResult, audited: bool = False) -> list[dict[str, object]]:
    """Headline numbers now -> plan: what got better, then what got worse, then the rest; of an audit those of today."""
    rows: list[dict[str, object]] = []
    for r in result.verdict.measures.itertuples():
        if audited and r.measure in PLANNED:
            continue
        today, plan = _number(r.today, 6), _number(r.plan, 6)
        way = direction(today, plan, str(r.better))
        rows.append({"id": str(r.measure), "unit": str(r.unit), "today": today, "plan": plan, "way": way})
    return sorted(rows, key=lambda row: ORDER.index(str(row["way"])))


def _indicators(result: PlanResult) -> dict[str, list[dict[str, object]]]:
    """The indicators of every unit, by unit id."""
    found: dict[str, list[dict[str, object]]] = {}
    for r in result.verdict.indicators.itertuples():
        found.setdefault(str(r.unit_id), []).append(
            {
                "id": str(r.indicator),
                "threshold": _number(r.threshold),
                "ratio": [_number(r.ratio_today), _number(r.ratio_plan)],
                "met": [_answer(r.met_today), _answer(r.met_plan)],
                "gap": [_number(r.gap_today), _number(r.gap_plan)],
                "assessed": [_flag(r.assessed_today), _flag(r.assessed_plan)],
            }
        )
    return found


def _units(result: PlanResult) -> dict[str, list[dict[str, object]]]:
    """Units with their indicators, by school id."""
    indicators = _indicators(result)
    found: dict[str, list[dict[str, object]]] = {}
    for r in result.verdict.units.itertuples():
        found.setdefault(str(r.school_id), []).append(
            {
                "stage": str(r.stage),
                "open": [_flag(r.open_today), _flag(r.open_plan)],
                "pupils": [_number(r.pupils_today), _number(r.pupils_plan)],
                "classes": [_number(r.classes_today), _number(r.classes_plan)],
                "staff": [_number(r.staff_today), _number(r.staff_plan)],
                "capacity": _number(r.capacity),
                "passes": [_answer(r.passes_today), _answer(r.passes_plan)],
                "count_met": [_number(r.indicators_met_today), _number(r.indicators_met_plan)],
                "count_tested": [_number(r.indicators_tested_today), _number(r.indicators_tested_plan)],
                "indicators": indicators.get(str(r.unit_id), []),
            }
        )
    return found


def _lost_bands(result: PlanResult) -> dict[str, list[str]]:
    bands = result.plan.bands
    lost = bands[bands["was_open"] & ~bands["open"]]
    return {
        str(s): [b for b in result.county.scheme.band_ids if b in set(g)]
        for s, g in lost.groupby("school_id")["band"]
    }


def _action(units: list[dict[str, object]], lost: list[str], arrivals: int) -> str:
    """What the plan does to a site: close, reduce, receive, keep; ``outside`` takes no part in it."""
    if not units:
        return "outside"
    flags = [flags for unit in units if isinstance(flags := unit["open"], list)]
    if any(today for today, _ in flags) and not any(plan for _, plan in flags):
        return "close"
    if lost:
        return "reduce"
    return "receive" if arrivals > 0 else "keep"


def _reasons(result: PlanResult) -> dict[str, dict[str, list[str]]]:
    """Reasons of closures and reductions as sentences in both languages, by school id."""
    actions = result.actions
    told = actions[actions["action"].isin(["close", "reduce", "receive"])]
    found: dict[str, dict[str, list[str]]] = {}
    names = place_names(result.county)
    for r in told.itertuples():
        if not isinstance(r.reason_key, str) or not r.reason_key:
            continue
        key = r.reason_key if "." in r.reason_key else f"reasons.{r.reason_key}"
        texts = found.setdefault(str(r.school_id), {language: [] for language in LANGUAGES})
        fields = dict(r.reason_fields or {})
        for language in LANGUAGES:
            texts[language].append(
                reason(key, names.within(fields) if language == ENGLISH else fields, language)
            )
    return found


def schools(result: PlanResult) -> list[dict[str, object]]:
    """Every site with its units before and after, its action and the money spent on it."""
    units, lost, reasons = _units(result), _lost_bands(result), _reasons(result)
    travel = result.verdict.travel
    moved = travel[travel["changed"].astype(bool)]
    arrivals = moved.groupby("school_id")["pupils"].sum()
    costs = result.verdict.costs
    spent = costs[costs["charged"].astype(bool)].groupby("school_id")["yuan"].sum()
    bought = _bought(result)
    rows = []
    for r in result.county.schools.itertuples():
        own = units.get(r.school_id, [])
        rows.append(
            {
                "id": r.school_id,
                **_names(r),
                "kind": r.kind,
                "zone": r.zone,
                "at": [round(float(r.lat), 5), round(float(r.lon), 5)],
                "action": _action(own, lost.get(r.school_id, []), int(arrivals.get(r.school_id, 0))),
                "arrivals": int(arrivals.get(r.school_id, 0)),
                "lost": lost.get(r.school_id, []),
                "units": own,
                "bought": bought.get(str(r.school_id), []),
                "yuan": _number(spent.get(r.school_id, 0), 0),
                "reasons": reasons.get(r.school_id, {language: [] for language in LANGUAGES}),
            }
        )
    return rows


def _names(row: Any) -> dict[str, object]:
    """A place's name and township as the tables have them, in Latin letters, and what else it is found by."""
    name, town = str(row.name), str(row.township)
    return {"name": name, "latin": given_latin(row), "keys": search_keys(name), "town": town, "town_latin": latin_name(town)}  # fmt: skip


def _bought(result: PlanResult) -> dict[str, list[list[object]]]:
    """What is bought for each school: resource, quantity, yuan, unit of the quantity."""
    costs = result.verdict.costs
    rows = costs[(costs["action"] == "purchase") & costs["charged"].astype(bool)]
    found: dict[str, list[list[object]]] = {}
    sums = rows.groupby(["school_id", "item", "unit"], as_index=False)[["quantity", "yuan"]].sum()
    for r in sums.itertuples():
        bought: list[object] = [str(r.item), _number(r.quantity), _number(r.yuan, 0), str(r.unit)]
        found.setdefault(str(r.school_id), []).append(bought)
    return found


def moves(result: PlanResult) -> list[dict[str, object]]:
    """Teachers who move from one site to another, by pair of sites and stage that they leave."""
    place = {str(s): i for i, s in enumerate(result.county.schools["school_id"])}
    sums = result.plan.staff_moves.groupby(["from_school_id", "to_school_id", "from_stage"], as_index=False)[
        "heads"
    ].sum()
    return [
        {"from": place[str(r.from_school_id)], "to": place[str(r.to_school_id)], "stage": str(r.from_stage), "heads": int(r.heads)}
        for r in sums.itertuples()
        if str(r.from_school_id) in place and str(r.to_school_id) in place
    ]  # fmt: skip


def villages(result: PlanResult) -> list[dict[str, object]]:
    """Every village with where its groups of pupils go, minutes before and after."""
    place = {s: i for i, s in enumerate(result.county.schools["school_id"])}
    groups: dict[str, list[dict[str, object]]] = {}
    for r in result.verdict.travel.itertuples():
        over = [_over(r.minutes_today, r.limit), _over(r.minutes, r.limit)]
        groups.setdefault(str(r.village_id), []).append(
            {
                "band": str(r.band),
                "zone": kind_in(r.group) == "zone",
                "pupils": int(r.pupils),
                "to": [place.get(str(r.today_school_id), -1), place.get(str(r.school_id), -1)],
                "mode": [str(r.today_mode), str(r.mode)],
                "minutes": [_minutes(r.minutes_today), _minutes(r.minutes)],
                "limit": _number(r.limit, 1),
                "over": over,
                "kept": over[1] and _no_longer(r),
                "changed": _flag(r.changed),
            }
        )
    cells, _ = background.village_cells(result.county)
    return [
        {
            "id": r.village_id,
            **_names(r),
            "at": [round(float(r.lat), 5), round(float(r.lon), 5)],
            "groups": groups.get(r.village_id, []),
            "cell": cell,
        }
        for r, cell in zip(result.county.villages.itertuples(), cells, strict=True)
    ]


def _no_longer(row: Any) -> bool:
    """Whether a way beyond its limit is no longer than today; those who by-pass by choice have no limit that is eased."""
    eased = kind_in(row.group) != "zone" or _flag(row.grandfathered)
    today, plan = _minutes(row.minutes_today), _minutes(row.minutes)
    return eased and today is not None and plan is not None and plan <= today


def _minutes(value: Any) -> float | None:
    """Minutes to a tenth, None where no travel time is known."""
    return _number(value, 1)


def _over(minutes: Any, limit: Any) -> bool:
    known = _minutes(minutes) is not None and _number(limit) is not None
    return known and float(minutes) > float(limit) + 1e-6


def flows(result: PlanResult) -> list[dict[str, object]]:
    """Pupils who change school, by pair of schools; ``closed`` where the old site gives up their band."""
    travel = result.verdict.travel
    moved = travel[travel["changed"].astype(bool)]
    bands = result.plan.bands
    gone = bands.loc[bands["was_open"] & ~bands["open"], ["school_id", "band"]].assign(closed=True)
    moved = moved.merge(
        gone.rename(columns={"school_id": "today_school_id"}), on=["today_school_id", "band"], how="left"
    )
    moved["closed"] = moved["closed"].notna()
    place = {s: i for i, s in enumerate(result.county.schools["school_id"])}
    keys = ["today_school_id", "school_id", "band", "closed"]
    table = moved.groupby(keys, sort=True)["pupils"].sum().reset_index()
    return [
        {
            "from": place[str(r.today_school_id)], "to": place[str(r.school_id)], "band": str(r.band),
            "pupils": int(r.pupils), "closed": bool(r.closed),
        }
        for r in table.itertuples()
        if str(r.today_school_id) in place and str(r.school_id) in place
    ]  # fmt: skip


def unknown_names(result: PlanResult, language: str) -> list[str]:
    """Tables and columns that are not known, or not everywhere, by their titles."""
    names = []
    for table, column in result.county.unknown:
        zh = (
            TABLES[table].zh
            if not column
            else next((c.zh for c in TABLES[table].columns if c.name == column), column)
        )
        names.append(zh if language == "zh" else column or table)
    return names


def heading(result: PlanResult, audited: bool = False) -> dict[str, object]:
    """What the page says about the plan as a whole, or about today where a county is audited and nothing is planned."""
    county, solve = result.county, result.solve
    crow_fly = county.roads is None or result.times.source == "crow_fly"
    goal, status = next(((g.goal, g.status) for g in solve.goals), ("imbalance", solve.status))
    return {
        "name": {"zh": county.name, "en": county.name_en or county.name},
        "year": county.year,
        "plan": result.plan.plan_id,
        "gap": _number(solve.gap, 4),
        "reached": {language: _goal_said(solve.objective, goal, language) for language in LANGUAGES},
        "bound": {language: _goal_said(solve.bound, goal, language) for language in LANGUAGES},
        "status": status,
        "goal": {language: say(f"goals.{goal}", language) for language in LANGUAGES},
        "fictional": county.fictional,
        "modelled": {language: modelled_names(county, language) for language in LANGUAGES},
        "crow_fly": crow_fly,
        "public": is_public(),
        "audit": audited,
        "large": county.scheme.currency.large,
        "osm": county.roads is not None and not county.fictional and "roads" not in county.modelled,
    }


def _goal_said(value: float, goal: str, language: str) -> str | None:
    """A goal's value with its unit, None where there is none."""
    return None if _number(value) is None else goal_in_words(value, goal_unit(goal), language)


def _corners(extent: Extent) -> list[list[float]]:
    """South-west and north-east corner, [lat, lon] each."""
    west, south, east, north = (round(float(x), 5) for x in extent)
    return [[south, west], [north, east]]


def _seat(result: PlanResult, county: Extent) -> list[list[float]] | None:
    """Corners of what is drawn enlarged; None where schools stand apart."""
    part = crowded_part(result, county)
    return None if part is None else _corners(part)


def _words(language: str, norms: Norms) -> dict[str, str]:
    """The page's words of one language, by name without the room; measures and indicators as everywhere.

    Stages, bands and indicators of the county's own standards carry the names that their file gives.
    """
    shared = ("rules.measure_", "rules.indicator_", "rules.resource_")
    kept = {k: text for k, text in catalogue(language).items() if k.startswith(("map.", *shared))}
    words = {key.partition(".")[2]: text for key, text in kept.items()}
    units = {k: text for k, text in catalogue(language).items() if k.startswith("rules.unit_")}
    words |= {f"counted_{k.removeprefix('rules.unit_')}": text for k, text in units.items()}
    own = {f"stage_{s}": stage(s, language, norms) for s in norms.scheme.stage_ids}
    own |= {b: band(b, language, norms) for b in norms.scheme.band_ids}
    named = {f"indicator_{i.id}": indicator(i.id, language, norms) for i in norms.indicators.values()}
    return own | words | named


def build_payload(result: PlanResult, language: str = "zh", audited: bool = False) -> dict[str, object]:
    """Everything the page shows, as plain data.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}
        The language the page opens in; the words of both are inside.
    audited : bool
        The plan is today's arrangement: only where the county stands is shown, and nothing as a proposal.

    Returns
    -------
    dict
        ``language, words, stages, head, bounds, seat, measures, schools, villages, neighbours, flows, moves, roads,
        townships, border, waters``; minutes, pupils and yuan as in the tables, points as [lat, lon], lines as
        in `maps.web.background.deltas`.

    Raises
    ------
    ValueError
        For a language that has no catalogue.
    """
    if language not in LANGUAGES:
        raise ValueError(f"language {language!r} is not one of {', '.join(LANGUAGES)}")
    county = result.county
    extent = county_extent(county)
    return {
        "language": language,
        "words": {name: _words(name, county.norms) for name in LANGUAGES},
        "stages": {
            "all": county.scheme.band_ids,
            **{s: county.scheme.bands_of(s) for s in county.scheme.stage_ids},
        },
        "head": heading(result, audited),
        "bounds": _corners(extent),
        "seat": _seat(result, extent),
        "measures": measures(result, audited),
        "schools": schools(result),
        "villages": villages(result),
        "neighbours": background.village_cells(county)[1],
        "flows": flows(result),
        "moves": moves(result),
        "roads": background.roads(county),
        "townships": background.townships(county),
        "border": background.border(county),
        "waters": background.waters(county),
    }
