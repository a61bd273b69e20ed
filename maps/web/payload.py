"""`PlanResult` -> one JSON payload: everything the map shows, in both languages, nothing computed twice.

Names, notes and other table text travel only in here and reach the page only through ``textContent``.
"""

from __future__ import annotations

from geodata.messages import LANGUAGES, catalogue, say
from geodata.standards.scheme import Norms
from maps.dossier.public import is_public
from maps.extent import Extent, county_extent, crowded_part
from maps.front.text import goal_in_words
from maps.web import background
from maps.web.plain import plain_number
from maps.web.sites import schools
from maps.web.ways import flows, moves, villages
from maps.wording import band, indicator, modelled_names, stage
from models.impact.certainty import goal_unit
from models.plan.decisions import PlanResult

ORDER = ("better", "worse", "other", "same")
TINY = 1e-9
PLANNED = ("closures", "bands_closed", "pupils_changed", "staff_moved", "hires", "cost")
"""Measures of what a plan changes, which say nothing where nothing is planned."""


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
        today, plan = plain_number(r.today, 6), plain_number(r.plan, 6)
        way = direction(today, plan, str(r.better))
        rows.append({"id": str(r.measure), "unit": str(r.unit), "today": today, "plan": plan, "way": way})
    return sorted(rows, key=lambda row: ORDER.index(str(row["way"])))


def heading(result: PlanResult, audited: bool = False) -> dict[str, object]:
    """What the page says about the plan as a whole, or about today where a county is audited and nothing is planned."""
    county, solve = result.county, result.solve
    crow_fly = county.roads is None or result.times.source == "crow_fly"
    goal, status = next(((g.goal, g.status) for g in solve.goals), ("imbalance", solve.status))
    return {
        "name": {"zh": county.name, "en": county.name_en or county.name},
        "year": county.year,
        "plan": result.plan.plan_id,
        "gap": plain_number(solve.gap, 4),
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
    return None if plain_number(value) is None else goal_in_words(value, goal_unit(goal), language)


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
