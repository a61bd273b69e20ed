"""`Plan`: what is decided, as tables; `PlanResult`: the one object every output is made from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from typing import Any

import pandas as pd

from geodata.contract.county import County
from geodata.contract.findings import Finding
from geodata.travel.times import TravelTimes
from models.plan.ledger import LEDGER_COLUMNS, VIEW, canonical, rows_of, view_of
from models.plan.showing import made_by_others

PLAN_COLUMNS: dict[str, list[str]] = {name: list(action.columns) for name, action in VIEW.items()}
"""Columns of every view of a `Plan`, besides ``row_id``."""


@dataclass(frozen=True, init=False, eq=False)
class Plan:
    """What is decided, and nothing that follows from it: one ledger, one row a decision.

    ``dataclasses.replace(plan, hires=table)`` is the same plan with another table in place of a view.

    Parameters
    ----------
    ledger : DataFrame
        See `models.plan.ledger.LEDGER`; canonical order, each row with its ``row_id``.
    years : tuple of int
        The years planned; a plan of one year is a horizon of length one.
    **tables : DataFrame
        Tables that take the place of views; a column ``year`` is read where there is one.
    """

    ledger: pd.DataFrame
    years: tuple[int, ...]

    def __init__(self, ledger: pd.DataFrame, years: tuple[int, ...], **tables: pd.DataFrame):
        unknown = sorted(tables.keys() - VIEW.keys())
        if unknown:
            raise KeyError(f"a plan has no table {unknown}")
        parts = [ledger]
        if tables:
            kept = ledger[~ledger["action"].isin([VIEW[name].name for name in tables])]
            parts = [kept, *(rows_of(name, table, years[0]) for name, table in tables.items())]
        object.__setattr__(self, "ledger", canonical(*parts))
        object.__setattr__(self, "years", tuple(years))

    @cached_property
    def bands(self) -> pd.DataFrame:
        """One row per site and grade band taught today or opened: was it, is it open, with how many classes."""
        return view_of(self.ledger, "bands")

    @cached_property
    def attendance(self) -> pd.DataFrame:
        """Who goes where.

        ``group`` is ``zone`` (the village's own pupils, kept together) or ``choice`` (pupils who by-pass
        their zone today and stay while their school stays); ``today_school_id`` is where they go now.
        """
        return view_of(self.ledger, "attendance")

    @cached_property
    def staff_moves(self) -> pd.DataFrame:
        """Whole heads by joint category (T8), from unit to unit."""
        return view_of(self.ledger, "staff_moves")

    @cached_property
    def hires(self) -> pd.DataFrame:
        """Whole heads by joint category (T8)."""
        return view_of(self.ledger, "hires")

    @cached_property
    def purchases(self) -> pd.DataFrame:
        """``kind`` is a resource that can be bought (`Standards.resources`), ``quantity`` in its unit."""
        return view_of(self.ledger, "purchases")

    @cached_property
    def item_moves(self) -> pd.DataFrame:
        """What units that close leave of resources that move."""
        return view_of(self.ledger, "item_moves")

    def tables(self) -> dict[str, pd.DataFrame]:
        """The views by name."""
        return {name: getattr(self, name) for name in VIEW}

    @cached_property
    def plan_id(self) -> str:
        """Eight hex digits of the plan's content: two equal plans have the same id."""
        text = self.ledger.drop(columns="row_id").to_csv(index=False, lineterminator="\n")
        return hashlib.sha256(f"{self.years}\n{text}".encode()).hexdigest()[:8]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Plan):
            return NotImplemented
        return self.years == other.years and bool(self.ledger.equals(other.ledger))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """A line: its id, its year, how many decisions."""
        return f"Plan({self.plan_id}, {', '.join(map(str, self.years))}: {len(self.ledger)} decisions)"

    def _repr_html_(self) -> str:
        """How many decisions of each kind, for notebooks."""
        counts = self.ledger.groupby("action", sort=False).size().rename("decisions").reset_index()
        return f"<p>{escape(repr(self))}</p>" + str(counts.to_html(index=False))


def make_plan(year: int, **tables: pd.DataFrame) -> Plan:
    """A `Plan` of one year from the tables of its views.

    Parameters
    ----------
    year : int
        The county's planning year.
    **tables : DataFrame
        Any of the views; a missing one is empty.

    Raises
    ------
    KeyError
        For a table or column that a plan does not have.
    """
    return Plan(pd.DataFrame(columns=LEDGER_COLUMNS), (year,), **tables)


@dataclass(frozen=True)
class GoalRecord:
    """How one goal of the ordered list was solved.

    ``objective`` is the final plan's own value, ``bound`` what was proven of the same measure in the goal's turn,
    ``gap`` (objective - bound) / objective; ``status`` is ``proven`` (to the asked gap) or ``stopped`` (limit or a
    request to stop, best plan kept). ``means`` names the measure where the goal is about planned means, by
    "stage/resource": the official coefficients of variation are about the plan's own, and ``bound`` is not theirs.
    ``settled`` is a bound about fewer plans, those that send every group to the same school as this plan and keep the
    goals before: None where it was not looked for. It is never shown without its words and beside ``bound`` only.
    """

    goal: str
    objective: float
    bound: float
    gap: float
    seconds: float
    nodes: int
    status: str
    tolerance: float
    means: dict[str, float] = field(default_factory=dict, hash=False)
    settled: float | None = None


@dataclass(frozen=True)
class SolveRecord:
    """Objective, bound, gap, seconds and versions of a plan's making.

    ``objective`` and ``bound`` are of the first goal; `goals` has all of them in order.
    """

    objective: float
    bound: float
    gap: float
    seconds: float
    status: str
    solver: str
    seed: int
    goals: tuple[GoalRecord, ...]
    notes: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """What the referee recomputed from the raw tables, solver-free.

    Parameters
    ----------
    rules : DataFrame
        ``rule`` (id), ``kind`` (hard, soft, report), ``ok`` (bool), ``checked`` (places),
        ``broken`` (places), ``worst`` (text): one row per rule.
    violations : DataFrame
        ``rule, kind, place_id, place, amount, limit, unit, grandfathered``: one row per place where a
        rule does not hold (or holds only as "no worse than today": ``grandfathered``).
    measures : DataFrame
        ``measure`` (id), ``unit``, ``today``, ``plan``, ``better`` ("low", "high" or ""): the headline
        numbers: see `models.referee.verdict.MEASURES`.
    indicators : DataFrame
        One row per unit x indicator: ``unit_id, school_id, name, township, zone, stage, indicator,
        resource, threshold, assessed_today, assessed_plan, pupils_today, pupils_plan, amount_today,
        amount_plan, ratio_today, ratio_plan, met_today, met_plan, gap_today, gap_plan``; gaps in heads,
        rooms, m2 or yuan; ratio is NaN where the unit has no pupils.
    units : DataFrame
        One row per unit: ``unit_id, school_id, name, township, zone, kind, stage, open_today, open_plan,
        pupils_today, pupils_plan, classes_today, classes_plan, staff_today, staff_plan, capacity,
        passes_today, passes_plan, indicators_met_today, indicators_met_plan``.
    cv : DataFrame
        ``stage, indicator, cv_today, cv_plan, unweighted_today, unweighted_plan, mean_today, mean_plan,
        limit, ok_today, ok_plan, hoover_today, hoover_plan`` for the 14.
    travel : DataFrame
        One row per row of ``plan.attendance``: its columns plus ``village, township, school,
        today_school, today_mode, minutes_today, minutes, limit, km, changed, grandfathered``.
    costs : DataFrame
        ``row_id`` (the ledger row that causes it; empty where no single decision does), ``action`` (hire,
        transfer, itinerant, purchase, item_move, bus, transition, closure, running, public_funds),
        ``earmark``, ``school_id``, ``school``, ``stage``, ``item``, ``quantity``, ``unit``, ``unit_cost``, ``yuan``
        (negative is a saving), ``recurrent`` (bool), ``charged`` (bool: counts against the budget).
    budget : DataFrame
        ``earmark, available, spent, left``.
    goals : DataFrame
        ``goal, today, plan``: every goal's value, see `models.referee.goals.goal_values`.
    """

    rules: pd.DataFrame
    violations: pd.DataFrame
    measures: pd.DataFrame
    indicators: pd.DataFrame
    units: pd.DataFrame
    cv: pd.DataFrame
    travel: pd.DataFrame
    costs: pd.DataFrame
    budget: pd.DataFrame
    goals: pd.DataFrame

    @property
    def accepted(self) -> bool:
        """True when every hard rule holds."""
        return bool(self.rules.loc[self.rules["kind"] == "hard", "ok"].all())

    def __repr__(self) -> str:
        """A line: whether the hard rules hold, and how many rules do not."""
        state = "accepted" if self.accepted else "rejected"
        return f"Verdict({state}: {int((~self.rules['ok'].astype(bool)).sum())} of {len(self.rules)} rules broken)"

    def _repr_html_(self) -> str:
        """The measures today and in the plan, for notebooks."""
        table = self.measures[["measure", "unit", "today", "plan"]]
        return f"<p>{escape(repr(self))}</p>" + str(table.to_html(index=False, float_format="{:,.4g}".format))


@dataclass(frozen=True, eq=False)
class PlanResult:
    """The one result object: workbook, map, GeoPackage and run record are all made from it.

    Parameters
    ----------
    county : County
    scenario : dict
        What was asked for, as plain data (TOML-able): goals, budgets, limits, locks, seed.
    plan : Plan
    verdict : Verdict
    solve : SolveRecord
    times : TravelTimes
    actions : DataFrame
        The plan as a list a bureau could discuss: ``id, action`` (close, reduce, receive, transfer, hire,
        purchase, item_move, bus, itinerant), ``school_id, school, township, stage, what, quantity, unit,
        yuan, earmark, reason_key, reason_fields, rows`` - reasons are message keys under ``reasons.``,
        ``rows`` the ids of the ledger rows that the action is made of.
    findings : tuple of Finding
        Everything imputed, snapped far, unreachable, relaxed, rounded or dropped on the way.
    held : object or None
        `models.plan.keeping.Held`: decisions made by hand that the plan was told to keep.
    """

    county: County
    scenario: dict[str, object]
    plan: Plan
    verdict: Verdict
    solve: SolveRecord
    times: TravelTimes
    actions: pd.DataFrame
    findings: tuple[Finding, ...]
    held: Any = None

    @property
    def goals(self) -> pd.DataFrame:
        """The goals in order: ``goal, today, plan, bound, gap, status, seconds`` (gap as a share of the plan's value)."""
        table = pd.DataFrame(
            [(g.goal, g.objective, g.bound, g.gap, g.status, g.seconds) for g in self.solve.goals],
            columns=["goal", "plan", "bound", "gap", "status", "seconds"],
        )
        today = (
            self.verdict.goals.set_index("goal")["today"]
            if len(self.verdict.goals)
            else pd.Series(dtype=float)
        )
        table.insert(1, "today", table["goal"].map(today))
        return table

    def map(self, language: str = "zh") -> Any:
        """The plan's map: a notebook shows it, ``.save(path)`` writes it.

        Parameters
        ----------
        language : {"zh", "en"}

        Returns
        -------
        maps.web.notebook.PlanMap

        Raises
        ------
        LookupError
            Where ``junheng`` is not imported.
        """
        return made_by_others("map", self, language)

    def compare(self, other: PlanResult, language: str = "zh") -> pd.DataFrame:
        """What another plan decides otherwise, decision by decision, and what each plan gives as the cause.

        Parameters
        ----------
        other : PlanResult
        language : {"zh", "en"}
            Of the causes.

        Returns
        -------
        DataFrame
            `models.plan.differences.edits.differences`; empty for the same decisions.
        """
        from models.plan.differences.edits import differences  # it knows plans, too

        return differences(self, other, language)

    def __repr__(self) -> str:
        """A line: what is decided, whether the rules hold, the first goals."""
        goals = ", ".join(f"{g.goal} {g.objective:.4g} (bound {g.bound:.4g})" for g in self.solve.goals[:3])
        state = "accepted" if self.verdict.accepted else "rejected"
        return f"PlanResult({self.county.name!r}, plan {self.plan.plan_id}, {state}; {goals})"

    def _repr_html_(self) -> str:
        """Goals with their bounds and the measures today and in the plan, for notebooks."""
        measures = self.verdict.measures[["measure", "unit", "today", "plan"]]
        tables = (t.to_html(index=False, float_format="{:,.4g}".format) for t in (self.goals, measures))
        return f"<p>{escape(repr(self))}</p>" + "".join(tables)
