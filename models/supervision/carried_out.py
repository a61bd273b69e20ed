"""What became of every action of last year's plan, as far as this year's tables tell: done, in part, slipped, or not to be told."""

from __future__ import annotations

from typing import Any

import pandas as pd

from geodata.contract.county import County
from models.plan.before import target_category
from models.plan.decisions import Plan
from models.plan.ledger import CLOSED, OPEN
from models.plan.reasons.effects import MOVING
from models.problem.baseline import grades
from models.problem.building import lower_categories
from models.standards.norms import load_standards
from models.supervision.matching import Matching, relabelled
from models.supervision.stocks import (
    ANYTHING,
    SAME,
    Happened,
    Key,
    Move,
    Stocks,
    came,
    left,
    lumped_schools,
    planned_flows,
    resource_units,
    settled,
)

ACTION_COLUMNS = [
    "row_id", "action", "school_id", "village_id", "stage", "band", "group", "item", "from_id", "from_stage", "to_id", "to_stage",
    "unit", "planned", "least", "most", "was", "now", "status", "why",
]  # fmt: skip
STATUSES = ("done", "part", "slipped", "unknown")
IDS = ("school_id", "from_id", "to_id")


def carried_out(before: County, plan: Plan, after: County, matching: Matching) -> pd.DataFrame:
    """Every action of a plan beside the tables of the year after.

    Parameters
    ----------
    before : County
        Whom the plan was made for.
    plan : Plan
    after : County
    matching : Matching

    Returns
    -------
    DataFrame
        One row a decision that changes something (`ACTION_COLUMNS`), under this year's ids: ``action`` is close, open (a grade
        band), attend, transfer, hire, buy or move_item; ``planned, least, most`` in ``unit``: what was decided, and what of it
        happened at least and at most; ``was, now``: what the tables say at the place that it is about.
    """
    earlier = relabelled(before, matching.schools, matching.villages)
    rows = plan.ledger.copy()
    for column in IDS:
        rows[column] = rows[column].map(lambda i: matching.schools.get(i, i))
    rows["village_id"] = rows["village_id"].map(lambda i: matching.villages.get(i, i))
    done = [
        *_bands(rows, after, _perhaps_renamed(matching)),
        *_attendance(rows, earlier, after),
        *_stocked(rows, earlier, plan, after),
    ]
    table = pd.DataFrame(done, columns=ACTION_COLUMNS)
    return table.astype(dict.fromkeys(("planned", "least", "most", "was", "now"), float))


def _line(
    row: dict[str, Any], share: Happened, action: str, unit: str, was: float, now: float, planned: float
) -> dict[str, Any]:
    return {
        **row, "action": action, "unit": unit, "planned": planned, "least": share.least * planned, "most": share.most * planned,
        "was": was, "now": now, "status": share.status, "why": share.why,
    }  # fmt: skip


# --- grade bands


def _perhaps_renamed(matching: Matching) -> set[str]:
    """Schools that are gone where another one of their township appeared: it may be the same under a new id and name."""
    table = matching.table[matching.table["kind"] == "school"]
    come = set(table.loc[table["state"] == "new", "township"])
    gone = table[(table["state"] == "gone") & table["township"].isin(come)]
    return set(gone["before_id"])


def _bands(rows: pd.DataFrame, after: County, perhaps: set[str]) -> list[dict[str, Any]]:
    """Bands that the plan closes or opens: what of their grades is taught this year."""
    changed = rows[(rows["action"] == "band") & (rows["was"] != rows["state"])]
    schools = after.schools.set_index("school_id")
    enrolled = after.enrolment_by_grade.groupby(["school_id", "grade"])["pupils"].sum().to_dict()
    pupils = after.school_stage.groupby("school_id")["pupils"].sum(min_count=1).to_dict()
    done = []
    for row in changed.to_dict("records"):
        wanted = set(after.scheme.band_grades.get(row["band"], ()))
        taught, why = 1.0, ""
        if row["school_id"] not in schools.index:
            taught, why = 0.0, "gone"
        else:
            about = schools.loc[row["school_id"]]
            here = (
                grades(about["grades_served"]) & wanted if about["status"] in ("open", "closing") else set()
            )
            taught = len(here) / max(1, len(wanted))
            silent = wanted - here
            left_there = any(enrolled.get((row["school_id"], g), 0) > 0 for g in silent)
            shut = about["status"] not in ("open", "closing") and pupils.get(row["school_id"], 0) > 0
            why = "still_pupils" if left_there or shut else ""
        closes = row["state"] == CLOSED
        if why == "still_pupils" or row["school_id"] in perhaps:
            share = Happened(*ANYTHING, why)
        elif closes:
            share = Happened(1.0 - taught, 1.0 - taught)
        else:
            share = Happened(*ANYTHING, "gone") if why else Happened(taught, taught)
        was = float(row["was"] == OPEN)
        done.append(_line(row, share, "close" if closes else "open", "bands", was, taught, 1.0))
    return done


# --- who goes where


def _attendance(rows: pd.DataFrame, before: County, after: County) -> list[dict[str, Any]]:
    """Groups that the plan sends elsewhere: how much of the rise of their new school this year's attendance shows."""
    going = rows[rows["action"] == "attend"]
    key = ["village_id", "band"]
    whole = going.groupby(key)["quantity"].sum()
    was = going.groupby([*key, "from_id"])["quantity"].sum()
    wanted = going.groupby([*key, "to_id"])["quantity"].sum()
    seen = after.attendance.groupby([*key, "school_id"])["pupils"].sum().astype(float)
    counted = seen.groupby(key).sum()
    known = set(after.villages["village_id"])
    done = []
    for row in going[(going["from_id"] != going["to_id"]) & (going["quantity"] > 0)].to_dict("records"):
        at = (row["village_id"], row["band"])
        place = (*at, row["to_id"])
        then = float(was.get(place, 0.0)) / float(whole[at])
        rise = float(wanted[place]) / float(whole[at]) - then
        now = float(seen.get(place, 0.0))
        if row["village_id"] not in known:
            share = Happened(*ANYTHING, "no_village")
        elif float(counted.get(at, 0.0)) <= 0:
            share = Happened(*ANYTHING, "no_attendance")
        elif rise <= SAME:
            share = Happened(*ANYTHING, "both_ways")
        else:
            people = float(counted[at])
            share = _risen(now - then * people, rise * people)
        done.append(_line(row, share, "attend", "pupils", float(was.get(place, 0.0)), now, row["quantity"]))
    return done


def _risen(rise: float, wanted: float) -> Happened:
    """A rise in pupils beside the one that was wanted; one pupil more or less is rounding."""
    if rise >= wanted - 1.0:
        return Happened(1.0, 1.0)
    part = 0.0 if rise <= min(1.0, wanted / 2) else rise / wanted
    return Happened(part, part)


# --- heads and things


def _stocked(rows: pd.DataFrame, before: County, plan: Plan, after: County) -> list[dict[str, Any]]:
    """Transfers, hires, purchases and moved things: net changes of what the units have."""
    mine = rows[rows["action"].isin(MOVING) & (rows["quantity"] > 0)].copy()
    standards = load_standards(before)
    lumped = lumped_schools(before, after)
    then, now = Stocks(before, standards, lumped), Stocks(after, load_standards(after), lumped)
    moves = mine[mine["action"] == "transfer"].rename(columns={"item": "cat_id"})
    mine["there"] = mine["item"]
    mine.loc[moves.index, "there"] = target_category(lower_categories(before, standards).to_dict(), moves)
    lines = [(row, *_ends(row, then)) for row in mine.to_dict("records")]
    moves = [Move(start, end, float(row["quantity"])) for row, start, end in lines]
    planned = planned_flows((m.start, m.end, m.quantity) for m in moves)
    ends = {m.end: came(then, now, m.end, planned[m.end]) for m in moves}
    starts = {m.start: left(then, now, m.start, planned[m.start]) for m in moves if m.start is not None}
    units = resource_units(standards)
    done = []
    for (row, _, end), share in zip(lines, settled(moves, ends, starts), strict=True):
        heads = row["action"] in ("transfer", "hire")
        why = _uncounted(row, now, heads)
        told = Happened(*ANYTHING, why) if why else share
        unit = "heads" if heads else str(units.get(row["item"], ""))
        done.append(_line(row, told, row["action"], unit, then.amount(end), now.amount(end), row["quantity"]))
    return done


def _ends(row: dict[str, Any], then: Stocks) -> tuple[Key | None, Key]:
    """The stock that a row takes from, if any, and the one that it adds to."""
    if row["action"] in ("hire", "buy"):
        return None, then.key(row["school_id"], row["stage"], row["item"])
    start = then.key(row["from_id"], row["from_stage"], row["item"])
    return start, then.key(row["to_id"], row["to_stage"], row["there"])


def _uncounted(row: dict[str, Any], now: Stocks, heads: bool) -> str:
    """Why this year's tables do not count what a row is about; nothing where they do."""
    if heads:
        known = (row["to_stage"] or row["stage"], row["there"]) in now.categories
        return "" if known else "no_category"
    return "" if row["item"] in now.things else "no_thing"
