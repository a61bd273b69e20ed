"""What a transfer, hire, purchase or move really serves: the plan's own numbers with it and without it.

Every statement is a comparison of the verdict with the same verdict less one row: an indicator that is met
only with the row, a gap that is smaller with it, a one-sided or whole imbalance that is lower with it; and where none of these
changes, the rule that the referee finds broken when the row is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from geodata.contract.county import County
from models.plan.before import target_category
from models.plan.decisions import Plan, Verdict
from models.problem.building import lower_categories
from models.problem.indicators import category_flags, unit_table
from models.standards.norms import Standards

Judge = Callable[[Plan], pd.DataFrame]
"""A plan -> the referee's violations (`models.referee.verdict.Trial.violations`)."""
MOVING = ("transfer", "hire", "buy", "move_item")
"""Actions that bring something to a unit."""
SEEN = 1e-4
"""A change of the imbalance below this is not shown, and so not claimed."""
SEEN_LACK = 0.01
"""The same of `deficit`, per 1,000 pupils."""


@dataclass(frozen=True)
class Effect:
    """What a row serves: a message key under ``reasons.`` and its fields."""

    key: str
    fields: dict[str, object]


@dataclass(frozen=True)
class Change:
    """One ledger row as amounts of resources at units.

    Parameters
    ----------
    row_id, action : str
    to_unit, from_unit : str
        ``from_unit`` is empty for what is hired or bought.
    gains, losses : tuple of str
        Resources of the indicators that rise at ``to_unit`` and fall at ``from_unit``.
    quantity : float
    """

    row_id: str
    action: str
    to_unit: str
    from_unit: str
    gains: tuple[str, ...]
    losses: tuple[str, ...]
    quantity: float


def changes(county: County, standards: Standards, plan: Plan) -> list[Change]:
    """The rows of a plan that bring something to a unit."""
    flags = category_flags(county.staff_category, standards)
    counts = {(str(s), str(c)): tuple(flags.columns[row == 1]) for (s, c), row in flags.iterrows()}
    made = []
    into = target_category(lower_categories(county, standards).to_dict(), plan.staff_moves)
    for r, category in zip(plan.staff_moves.itertuples(), into, strict=True):
        gains, losses = counts.get((r.to_stage, category), ()), counts.get((r.from_stage, r.cat_id), ())
        ends = f"{r.to_school_id}/{r.to_stage}", f"{r.from_school_id}/{r.from_stage}"
        made.append(Change(r.row_id, "transfer", *ends, gains, losses, float(r.heads)))
    for r in plan.hires.itertuples():
        gains = counts.get((r.stage, r.cat_id), ())
        made.append(Change(r.row_id, "hire", f"{r.school_id}/{r.stage}", "", gains, (), float(r.heads)))
    for r in plan.purchases.itertuples():
        unit = f"{r.school_id}/{r.stage}"
        made.append(Change(r.row_id, "buy", unit, "", (r.kind,), (), float(r.quantity)))
    for r in plan.item_moves.itertuples():
        ends = f"{r.to_school_id}/{r.to_stage}", f"{r.from_school_id}/{r.from_stage}"
        made.append(Change(r.row_id, "move_item", *ends, (r.kind,), (), float(r.quantity)))
    return made


@dataclass(frozen=True)
class Cell:
    """One indicator at one assessed unit of the plan, numbers as in `models.plan.decisions.Verdict.indicators`.

    ``tested`` says whether the standards ask for a threshold; others are only compared. ``near`` is the share of the threshold that
    the one indicator may be at that a unit which ``passes`` does not meet.
    """

    stage: str
    indicator: str
    threshold: float
    pupils: float
    amount: float
    ratio: float
    gap: float
    met_today: bool
    met: bool
    tested: bool
    near: float = 0.0
    passes: bool = False

    def less(self, amount: float) -> Cell:
        """The same cell with so much less."""
        ratio = self.ratio * (self.amount - amount) / self.amount if self.amount > 0 else self.ratio
        needed = self.threshold / self.ratio * self.amount if self.ratio > 0 else float("inf")
        short = max(0.0, min(amount, needed - (self.amount - amount)))
        met = self.amount - amount >= needed - 1e-6
        return replace(self, amount=self.amount - amount, ratio=ratio, met=met, gap=self.gap + short)

    def is_near(self) -> bool:
        """Whether a unit that passes may be at this amount."""
        needed = self.threshold / self.ratio * self.amount if self.ratio > 0 else float("inf")
        return self.amount >= self.near * needed - 1e-6


class Lack:
    """`deficit` of a verdict (docs/model/goals.md), asked what it would be without some amount.

    1,000 sum over open units of max(0, P - x / t)^2 / P / N; t is the larger of threshold and today's mean of the assessed.
    """

    def __init__(self, verdict: Verdict, standards: Standards):
        table = verdict.indicators
        self._at: dict[tuple[str, str], tuple[float, float, float, float]] = {}
        for one in (i for i in standards.indicators if i.tested):
            mine = table[(table["stage"] == one.stage) & (table["indicator"] == one.id)]
            counted = mine[mine["assessed_today"] & mine["amount_today"].notna()]
            mean = counted["amount_today"].sum() / max(1.0, counted["pupils_today"].sum())
            target = max(one.threshold / one.scale, float(mean))
            weight = 1000.0 / max(1.0, float(mine["pupils_today"].sum()))
            some = mine[(mine["pupils_plan"] > 0) & mine["amount_plan"].notna()]
            for unit, pupils, amount in zip(
                some["unit_id"], some["pupils_plan"], some["amount_plan"], strict=True
            ):
                self._at[unit, one.resource] = float(pupils), float(amount), target, weight
        self.value = sum(_lack(*found) for found in self._at.values())

    def without(self, less: dict[tuple[str, str], float]) -> float:
        """Its value with so much less of a resource at a unit."""
        change = 0.0
        for key, amount in less.items():
            if key in self._at:
                pupils, have, target, weight = self._at[key]
                change += _lack(pupils, have - amount, target, weight) - _lack(pupils, have, target, weight)
        return self.value + change


def _lack(pupils: float, amount: float, target: float, weight: float) -> float:
    return weight * max(0.0, pupils - amount / target) ** 2 / pupils


class Cells:
    """The verdict's indicators, asked what they would be without some amount.

    ``counted`` says in which unit another one is assessed: a place that is no school counts with its parent.
    """

    def __init__(self, verdict: Verdict, counted: dict[str, str], standards: Standards):
        self._counted = counted
        self._at: dict[tuple[str, str], list[Cell]] = {}
        near = {(i.stage, i.id): i.tolerance for i in standards.indicators}
        passes = verdict.units.set_index("unit_id")["passes_plan"].eq(True).fillna(False).to_dict()
        self._sums: dict[tuple[str, str], tuple[float, float, float]] = {}
        table = verdict.indicators
        known = table["assessed_plan"] & (table["pupils_plan"] > 0) & table["amount_plan"].notna()
        for r in table[known].itertuples():
            tested = not pd.isna(r.met_plan)
            cell = Cell(
                r.stage, r.indicator, float(r.threshold), float(r.pupils_plan), float(r.amount_plan), float(r.ratio_plan),
                float(r.gap_plan) if tested else 0.0, tested and not pd.isna(r.met_today) and bool(r.met_today),
                tested and bool(r.met_plan), tested, near.get((r.stage, r.indicator), 1.0), bool(passes.get(r.unit_id)),
            )  # fmt: skip
            self._at.setdefault((r.unit_id, r.resource), []).append(cell)
            squares, total, pupils = self._sums.get((r.stage, r.indicator), (0.0, 0.0, 0.0))
            squares += cell.amount**2 / cell.pupils
            self._sums[r.stage, r.indicator] = squares, total + cell.amount, pupils + cell.pupils

    def at(self, unit: str, resource: str) -> list[Cell]:
        """The indicators that a resource at a unit counts for."""
        return self._at.get((self._counted.get(unit) or unit, resource), [])

    def imbalance(self, less: dict[tuple[str, str], float] | None = None) -> float:
        """Sum of the squared official CVs, with so much less of a resource at a unit."""
        sums = dict(self._sums)
        for (unit, resource), amount in (less or {}).items():
            for cell in self.at(unit, resource):
                squares, total, pupils = sums[cell.stage, cell.indicator]
                squares += ((cell.amount - amount) ** 2 - cell.amount**2) / cell.pupils
                sums[cell.stage, cell.indicator] = squares, total - amount, pupils
        return sum(n * squares / total**2 - 1 for squares, total, n in sums.values() if total > 0)


def _on_indicators(
    cells: Cells, change: Change, together: dict[tuple[str, str], float], unit: str
) -> Iterator[tuple[int, Effect]]:
    """Indicators newly met, kept or less short because of a row, each with its rank."""
    for resource in change.gains:
        for cell in cells.at(change.to_unit, resource):
            other = cell.less(change.quantity)
            told: dict[str, object] = {
                "indicator": cell.indicator, "with_it": round(cell.ratio, 2), "without": round(other.ratio, 2),
                "threshold": cell.threshold,
            }  # fmt: skip
            if cell.met and not other.met:
                yield (
                    (1, Effect("serves_keeps", told)) if cell.met_today else (0, Effect("serves_meets", told))
                )
            elif cell.passes and not cell.met and cell.is_near() and not other.is_near():
                yield 0, Effect("serves_near", told | {"share": round(100 * cell.near)})
            elif cell.met and not cell.met_today:
                if not cell.less(together[change.to_unit, resource]).met:
                    yield 5, Effect("serves_together", told)
            elif cell.tested and not cell.met and round(other.gap) > round(cell.gap):
                fields = {
                    "indicator": cell.indicator,
                    "short": round(cell.gap),
                    "before": round(other.gap),
                    "unit": unit,
                }
                yield 2, Effect("serves_narrows", fields)


def _on_balance(cells: Cells, lack: Lack, change: Change) -> Iterator[tuple[int, Effect]]:
    """What is short of the target everywhere, which nothing is gained for by levelling down, before the whole imbalance."""
    less = {(change.to_unit, r): change.quantity for r in change.gains}
    less |= {(change.from_unit, r): -change.quantity for r in change.losses}
    if (without := lack.without(less)) - lack.value >= SEEN_LACK:
        yield 3, Effect("serves_deficit", {"with_it": f"{lack.value:.2f}", "without": f"{without:.2f}"})
    whole = cells.imbalance()
    if (without := cells.imbalance(less)) - whole >= SEEN:
        yield 4, Effect("serves_imbalance", {"with_it": f"{whole:.4f}", "without": f"{without:.4f}"})


def _batches(rows: list[Change]) -> list[list[Change]]:
    """Rows that may be left out together: no two touch one unit, so what breaks is told apart."""
    batches: list[tuple[set[str], list[Change]]] = []
    for row in rows:
        ends = {row.to_unit, row.from_unit} - {""}
        for taken, batch in batches:
            if not taken & ends:
                taken |= ends
                batch.append(row)
                break
        else:
            batches.append((set(ends), [row]))
    return [batch for _, batch in batches]


def _on_rules(
    county: County, plan: Plan, verdict: Verdict, rows: list[Change], judge: Judge
) -> dict[str, Effect]:
    """The hard or soft rule that the referee finds broken without a row, at a place of that row."""
    town = county.schools.set_index("school_id")["township"].to_dict()
    known = set(zip(verdict.violations["rule"], verdict.violations["place_id"], strict=True))

    def without(some: list[Change]) -> pd.DataFrame:
        left_out = {row.row_id for row in some}
        broken = judge(replace(plan, ledger=plan.ledger[~plan.ledger["row_id"].isin(left_out)]))
        broken = broken[broken["kind"].isin(["hard", "soft"]) & ~broken["grandfathered"].astype(bool)]
        new = [k not in known for k in zip(broken["rule"], broken["place_id"], strict=True)]
        return broken[np.array(new, dtype=bool)]

    def places(row: Change) -> set[str]:
        schools = [u.rsplit("/", 1)[0] for u in (row.to_unit, row.from_unit) if u]
        return {row.to_unit, row.from_unit, *schools, town.get(schools[0], "")} - {""}

    # one verdict without all of them shows where to look; a rule kept only by leaving out more than one shows when
    # they are taken out (`optimizer.verbs.finishing.tidy`)
    touched = set(without(rows)["place_id"])
    rows = [row for row in rows if places(row) & touched]
    found: dict[str, Effect] = {}
    for batch in _batches(rows) if len(rows) > 1 else [rows] * len(rows):
        broken = without(batch)
        for row in batch:
            at = broken[broken["place_id"].isin(places(row))]
            if len(at):
                found[row.row_id] = Effect(
                    "serves_rule", {"rule": at["rule"].iloc[0], "place": at["place"].iloc[0]}
                )
    return found


def effects(
    county: County,
    standards: Standards,
    plan: Plan,
    verdict: Verdict,
    units: dict[str, str],
    judge: Judge | None = None,
) -> dict[str, Effect]:
    """What each row that brings something to a unit serves, by row id.

    Parameters
    ----------
    county : County
    standards : Standards
    plan : Plan
    verdict : Verdict
    units : dict
        What a row's quantity is counted in, by row id.
    judge : callable or None
        The referee; None leaves rules unlooked at.

    Returns
    -------
    dict of str to Effect
        The first that is true of: an indicator newly met or near enough for its unit to pass, one kept, one less short, less lacking of the target, a lower
        imbalance, a rule kept, an indicator newly met that would be without this one row, too; else that nothing
        changes.
    """
    counted = unit_table(county, standards)["assessed_as"].to_dict()
    cells, lack = Cells(verdict, counted, standards), Lack(verdict, standards)
    rows = changes(county, standards, plan)
    together: dict[tuple[str, str], float] = {}
    for row in rows:
        for r in row.gains:
            together[row.to_unit, r] = together.get((row.to_unit, r), 0.0) + row.quantity
    best: dict[str, Effect] = {}
    idle = []
    for row in rows:
        found = [
            *_on_indicators(cells, row, together, units.get(row.row_id, "")),
            *_on_balance(cells, lack, row),
        ]
        found.sort(key=lambda f: f[0])
        best[row.row_id] = found[0][1] if found else Effect("serves_nothing", {})
        if not found or found[0][0] > 4:
            idle.append(row)
    return best | (_on_rules(county, plan, verdict, idle, judge) if judge and idle else {})
