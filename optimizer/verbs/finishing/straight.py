"""Nobody passes through a school, and nobody is sent away from where as many are hired: the same heads on a straight way.

A search that no goal holds to few transfers leaves teachers who go from A to B while others of their category go from B to C, and
schools that send heads away and hire as many. Where the townships are linked, A sends to C; and who would be hired at B is
hired where B's teachers would have gone. Every school ends with the heads that it had. Each change is judged by the referee and
kept where no rule breaks and no goal gets worse; what a planner decided by hand stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from geodata.contract.findings import Finding
from models.plan.decisions import Plan, Verdict
from models.plan.keeping import Held, missing_in
from models.referee.verdict import Trial
from optimizer.verbs.finishing.tidy import loss

Unit = tuple[str, str]
"""School and stage."""
ENDS = ["from_school_id", "from_stage", "to_school_id", "to_stage", "cat_id"]
AT = ["school_id", "stage", "cat_id"]


@dataclass(frozen=True)
class Straightened:
    """A plan with straight ways.

    Parameters
    ----------
    plan : Plan
    verdict : Verdict
    joined : int
        Heads that go directly, or stay, where two of a category would have moved.
    hired : int
        Heads hired where a transfer would have ended.
    """

    plan: Plan
    verdict: Verdict
    joined: int = 0
    hired: int = 0

    def notes(self) -> tuple[Finding, ...]:
        """What was changed, for the result."""
        told = (("reasons.joined", self.joined), ("reasons.hired_there", self.hired))
        return tuple(Finding("note", key, {"count": n}) for key, n in told if n)


@dataclass(frozen=True)
class _Way:
    """Heads of a category that leave ``through``, and from where others come to it: None where they are hired there."""

    category: str
    source: Unit | None
    through: Unit
    target: Unit


def straightened(plan: Plan, verdict: Verdict, trial: Trial, held: Held, tries: int = 24) -> Straightened:
    """Join transfers through a school, and hire where a transfer would have ended, as long as nothing is lost.

    Parameters
    ----------
    plan : Plan
        Of one year.
    verdict : Verdict
        Of ``plan``.
    trial : Trial
        The referee's own of ``plan`` (`models.referee.verdict.try_plan`).
    held : Held
        Decisions made by hand; none of their rows changes.
    tries : int
        Plans tried at most.

    Returns
    -------
    Straightened
    """
    town = dict(zip(*(trial.after.county.schools[c] for c in ("school_id", "township")), strict=True))
    links = trial.after.staff_links()
    done = Straightened(plan, verdict)
    refused: set[_Way] = set()
    while tries > 0:
        open_ways = (w for w in _ways(done.plan, held) if w not in refused and _linked(w, town, links))
        way = next(open_ways, None)
        if way is None:
            break
        asked, heads = _taken(done.plan, way)
        if len(missing_in(asked, held)) > len(missing_in(done.plan, held)):
            refused.add(way)  # a decision made by hand is in the way: no need to ask the referee
            continue
        tried, tries = trial.but(asked), tries - 1
        if loss(done.verdict, tried) is not None:
            refused.add(way)
            continue
        joined = heads if way.source else 0
        done = Straightened(asked, tried.verdict(), done.joined + joined, done.hired + heads - joined)
    return done


def _linked(way: _Way, town: dict[str, str], links: set[tuple[str, str]]) -> bool:
    """Whether the ends of a joined transfer may exchange teachers; a hire needs no link."""
    if way.source is None:
        return True
    a, b = town[way.source[0]], town[way.target[0]]
    return a == b or (a, b) in links


def _ways(plan: Plan, held: Held) -> Iterator[_Way]:
    """Chains within a stage, then transfers out of where heads of that category are hired, to any stage; in the ledger's order."""
    mine = set(held.rows["row_id"])
    moves = plan.staff_moves[~plan.staff_moves["row_id"].isin(mine) & (plan.staff_moves["heads"] > 0)]
    hires = plan.hires[~plan.hires["row_id"].isin(mine) & (plan.hires["heads"] > 0)]
    inward: dict[tuple[str, str, str], list[Unit]] = {}
    every = list(moves[ENDS].itertuples(index=False, name=None))
    legs = [leg for leg in every if leg[1] == leg[3]]
    for j, s, k, t, c in legs:
        inward.setdefault((k, t, c), []).append((j, s))
    for j, s, k, t, c in legs:
        for source in inward.get((j, s, c), []):
            yield _Way(c, source, (j, s), (k, t))
    hired = set(hires[AT].itertuples(index=False, name=None))
    for j, s, k, t, c in every:  # where the other stage has no such category, the referee refuses
        if (j, s, c) in hired:
            yield _Way(c, None, (j, s), (k, t))


def _taken(plan: Plan, way: _Way) -> tuple[Plan, int]:
    """The plan with as many heads as both legs have on the straight way, and how many they are."""
    moves = plan.staff_moves.groupby(ENDS)["heads"].sum().to_dict()
    hires = plan.hires.groupby(AT)["heads"].sum().to_dict()
    category, leg = way.category, (*way.through, *way.target, way.category)
    if way.source is None:
        heads = min(moves[leg], hires[*way.through, category])
        hires[*way.through, category] -= heads
        hires[*way.target, category] = hires.get((*way.target, category), 0) + heads
    else:
        first, direct = (*way.source, *way.through, category), (*way.source, *way.target, category)
        heads = min(moves[leg], moves[first])
        moves[first] -= heads
        if way.source != way.target:  # else they stay where they are
            moves[direct] = moves.get(direct, 0) + heads
            back = (*way.target, *way.source, category)
            same = min(moves[direct], moves.get(back, 0))  # three in a ring: who would come back stays
            moves |= {direct: moves[direct] - same, back: moves.get(back, 0) - same}
    moves[leg] -= heads
    tables = {"staff_moves": _table(moves, ENDS), "hires": _table(hires, AT)}
    return Plan(plan.ledger, plan.years, **tables), int(heads)


def _table(heads: dict[tuple[str, ...], int], columns: list[str]) -> pd.DataFrame:
    """Rows of a view from its heads; none for nobody."""
    rows = [(*key, n) for key, n in heads.items() if n]
    return pd.DataFrame(rows, columns=[*columns, "heads"])
