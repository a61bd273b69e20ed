"""Who goes where, for the page: villages with their groups, pupils who change school, teachers who move."""

from __future__ import annotations

from typing import Any

from geodata.contract.groups import kind_in
from maps.web import background
from maps.web.plain import plain_flag, plain_number
from maps.web.sites import names_of
from models.plan.decisions import PlanResult


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
                "limit": plain_number(r.limit, 1),
                "over": over,
                "kept": over[1] and _no_longer(r),
                "changed": plain_flag(r.changed),
            }
        )
    cells, _ = background.village_cells(result.county)
    return [
        {
            "id": r.village_id,
            **names_of(r),
            "at": [round(float(r.lat), 5), round(float(r.lon), 5)],
            "groups": groups.get(r.village_id, []),
            "cell": cell,
        }
        for r, cell in zip(result.county.villages.itertuples(), cells, strict=True)
    ]


def _no_longer(row: Any) -> bool:
    """Whether a way beyond its limit is no longer than today; those who by-pass by choice have no limit that is eased."""
    eased = kind_in(row.group) != "zone" or plain_flag(row.grandfathered)
    today, plan = _minutes(row.minutes_today), _minutes(row.minutes)
    return eased and today is not None and plan is not None and plan <= today


def _minutes(value: Any) -> float | None:
    """Minutes to a tenth, None where no travel time is known."""
    return plain_number(value, 1)


def _over(minutes: Any, limit: Any) -> bool:
    known = _minutes(minutes) is not None and plain_number(limit) is not None
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
