"""Candidates for what all futures have in common: networks (and purchases) of plans, and of what plans agree on.

| candidate | bands closed | purchases, where these are in common too |
|---|---|---|
| of a plan | those that it closes | those that it makes |
| ``always`` | those that every future's own plan closes | the least that every one of them buys |
| ``mostly`` | those that more than half of them close | their median, where more than half buy |
| ``joint`` | those of the model that decides all futures together | - |
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median_low

import pandas as pd

from models.plan.decisions import Plan
from models.plan.keeping import HELD_COLUMNS
from models.plan.ledger import CLOSED, OPEN

COMMON_BANDS, COMMON_PURCHASES = "bands", "purchases"
COMMON = (COMMON_BANDS, COMMON_PURCHASES)
"""What may be in common: which bands are taught where, what is bought."""
ALWAYS, MOSTLY, JOINT, GIVEN = "always", "mostly", "joint", "given"
BandKey = tuple[str, str]


@dataclass(frozen=True, eq=False)
class CommonChoice:
    """Decisions that every future has to keep.

    Parameters
    ----------
    number : int
        From 1.
    source : str
        Number of the future whose own plan it is of; ``given``, ``always``, ``mostly``, ``joint``.
    held : DataFrame
        Rows of `models.plan.keeping.Held`.
    plan : Plan
        From which a search with these decisions begins.
    """

    number: int
    source: str
    held: pd.DataFrame
    plan: Plan

    @property
    def key(self) -> tuple[object, ...]:
        """What tells two candidates apart."""
        return key_of(self.held)

    @property
    def closed(self) -> list[BandKey]:
        """Bands that are taught today and not any more."""
        rows = self.held[(self.held["was"] == OPEN) & (self.held["state"] == CLOSED)]
        return list(zip(rows["school_id"], rows["band"], strict=True))


def key_of(held: pd.DataFrame) -> tuple[object, ...]:
    """Held decisions as something that can be compared."""
    return tuple(sorted(zip(held["row_id"], held["state"], held["quantity"], strict=True)))


def held_rows(plan: Plan, common: Iterable[str], states: Mapping[BandKey, str] | None = None) -> pd.DataFrame:
    """The decisions of a plan that are in common, as rows to be held.

    Parameters
    ----------
    plan : Plan
    common : iterable of str
        Of `COMMON`.
    states : mapping of (school, band) to str, or None
        Whether a band is taught, in place of the plan's own state.
    """
    ledger, parts = plan.ledger, []
    if COMMON_BANDS in common:
        bands = ledger[ledger["action"] == "band"].assign(held_state=True, quantity=0.0)
        if states is not None:
            own = zip(bands["school_id"], bands["band"], bands["state"], strict=True)
            bands = bands.assign(state=[states.get((j, b), s) for j, b, s in own])
        parts.append(bands)
    if COMMON_PURCHASES in common:
        parts.append(ledger[ledger["action"] == "buy"].assign(held_quantity=True))
    rows = pd.concat(parts, ignore_index=True) if parts else ledger.iloc[:0]
    for column in (c for c in HELD_COLUMNS if c.startswith("held_")):
        rows[column] = rows[column].eq(True) if column in rows else False
    return rows[HELD_COLUMNS]


def candidates_of(
    base: Plan, given: Plan | None, own: Mapping[int, Plan], common: tuple[str, ...], joint: Mapping[BandKey, str] | None
) -> tuple[CommonChoice, ...]:  # fmt: skip
    """All different candidates, the base plan's first.

    Parameters
    ----------
    base : Plan
        Today's own plan.
    given : Plan or None
        A plan whose decisions are compared with.
    own : mapping of int to Plan
        The own plans of futures, by number.
    common : tuple of str
    joint : mapping of (school, band) to str, or None
        States of bands that the model of all futures together has.
    """
    plans = list(own.values())
    found = [("0", held_rows(base, common), base)]
    if given is not None:
        found.append((GIVEN, held_rows(given, common), given))
    found += [(str(n), held_rows(plan, common), plan) for n, plan in own.items()]
    if plans:
        found.append((ALWAYS, _agreed(base, plans, common, len(plans)), base))
        found.append((MOSTLY, _agreed(base, plans, common, len(plans) // 2 + 1), base))
    if joint is not None:
        found.append((JOINT, held_rows(base, common, joint), base))
    distinct: dict[tuple[object, ...], tuple[str, pd.DataFrame, Plan]] = {}
    for source, held, plan in found:
        distinct.setdefault(key_of(held), (source, held, plan))
    return tuple(CommonChoice(i, *one) for i, one in enumerate(distinct.values(), start=1))


def _agreed(base: Plan, plans: list[Plan], common: tuple[str, ...], most: int) -> pd.DataFrame:
    """What at least so many of some plans decide; the rest stays as it is today."""
    times: dict[BandKey, int] = {}
    for plan in plans:
        for r in plan.bands[plan.bands["was_open"] & ~plan.bands["open"]].itertuples():
            times[r.school_id, r.band] = times.get((r.school_id, r.band), 0) + 1
    taught = zip(base.bands["school_id"], base.bands["band"], base.bands["was_open"], strict=True)
    states = {(j, b): OPEN if was and times.get((j, b), 0) < most else CLOSED for j, b, was in taught}
    rows = held_rows(base, [c for c in common if c == COMMON_BANDS], states)
    return pd.concat([rows, _bought(plans, most)], ignore_index=True) if COMMON_PURCHASES in common else rows


def _bought(plans: list[Plan], most: int) -> pd.DataFrame:
    """Purchases that at least so many plans make: the least quantity where all do, else their median."""
    rows: dict[str, pd.Series] = {}
    amounts: dict[str, list[float]] = {}
    for plan in plans:
        for _, row in held_rows(plan, [COMMON_PURCHASES]).iterrows():
            rows.setdefault(row["row_id"], row)
            amounts.setdefault(row["row_id"], []).append(float(row["quantity"]))
    some = [r for r in sorted(rows) if len(amounts[r]) >= most]
    of_all = min if most == len(plans) else median_low
    table = [rows[r].to_dict() | {"quantity": of_all(amounts[r])} for r in some]
    return pd.DataFrame(table, columns=HELD_COLUMNS)
