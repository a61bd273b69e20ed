"""Schools for the page: units and indicators before and after, the action, its reasons, what is bought."""

from __future__ import annotations

from typing import Any

from geodata.contract.placenames import given_latin, latin_name, search_keys
from geodata.messages import LANGUAGES
from maps.lettered import ENGLISH, place_names
from maps.web.plain import plain_answer, plain_flag, plain_number
from maps.wording import reason
from models.plan.decisions import PlanResult


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
                **names_of(r),
                "kind": r.kind,
                "zone": r.zone,
                "at": [round(float(r.lat), 5), round(float(r.lon), 5)],
                "action": _action(own, lost.get(r.school_id, []), int(arrivals.get(r.school_id, 0))),
                "arrivals": int(arrivals.get(r.school_id, 0)),
                "lost": lost.get(r.school_id, []),
                "units": own,
                "bought": bought.get(str(r.school_id), []),
                "yuan": plain_number(spent.get(r.school_id, 0), 0),
                "reasons": reasons.get(r.school_id, {language: [] for language in LANGUAGES}),
            }
        )
    return rows


def _indicators(result: PlanResult) -> dict[str, list[dict[str, object]]]:
    """The indicators of every unit, by unit id."""
    found: dict[str, list[dict[str, object]]] = {}
    for r in result.verdict.indicators.itertuples():
        found.setdefault(str(r.unit_id), []).append(
            {
                "id": str(r.indicator),
                "threshold": plain_number(r.threshold),
                "ratio": [plain_number(r.ratio_today), plain_number(r.ratio_plan)],
                "met": [plain_answer(r.met_today), plain_answer(r.met_plan)],
                "gap": [plain_number(r.gap_today), plain_number(r.gap_plan)],
                "assessed": [plain_flag(r.assessed_today), plain_flag(r.assessed_plan)],
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
                "open": [plain_flag(r.open_today), plain_flag(r.open_plan)],
                "pupils": [plain_number(r.pupils_today), plain_number(r.pupils_plan)],
                "classes": [plain_number(r.classes_today), plain_number(r.classes_plan)],
                "staff": [plain_number(r.staff_today), plain_number(r.staff_plan)],
                "capacity": plain_number(r.capacity),
                "passes": [plain_answer(r.passes_today), plain_answer(r.passes_plan)],
                "count_met": [plain_number(r.indicators_met_today), plain_number(r.indicators_met_plan)],
                "count_tested": [
                    plain_number(r.indicators_tested_today),
                    plain_number(r.indicators_tested_plan),
                ],
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


def _bought(result: PlanResult) -> dict[str, list[list[object]]]:
    """What is bought for each school: resource, quantity, yuan, unit of the quantity."""
    costs = result.verdict.costs
    rows = costs[(costs["action"] == "purchase") & costs["charged"].astype(bool)]
    found: dict[str, list[list[object]]] = {}
    sums = rows.groupby(["school_id", "item", "unit"], as_index=False)[["quantity", "yuan"]].sum()
    for r in sums.itertuples():
        bought: list[object] = [str(r.item), plain_number(r.quantity), plain_number(r.yuan, 0), str(r.unit)]
        found.setdefault(str(r.school_id), []).append(bought)
    return found


def names_of(row: Any) -> dict[str, object]:
    """A place's name and township as the tables have them, in Latin letters, and what else it is found by."""
    name, town = str(row.name), str(row.township)
    return {"name": name, "latin": given_latin(row), "keys": search_keys(name), "town": town, "town_latin": latin_name(town)}  # fmt: skip
