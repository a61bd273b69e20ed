"""Last year's plan and tables beside this year's: one plain object that the report is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geodata.contract.county import County
from geodata.contract.findings import Finding
from models.plan.decisions import Plan
from models.supervision.carried_out import ACTION_COLUMNS, STATUSES, carried_out
from models.supervision.filed import Filed, filed_findings
from models.supervision.matching import match, relabelled
from models.supervision.moved import Years, moved, norm_changes, units_passing
from models.supervision.problems import problems_of, rectified


@dataclass(frozen=True)
class Supervision:
    """What became of a year.

    Parameters
    ----------
    before, after : County
        As they were filed.
    plan : Plan or None
        Of the year before.
    actions : DataFrame
        What was carried out: `models.supervision.carried_out.carried_out`; no rows without a plan.
    moved : DataFrame
        `models.supervision.moved.moved`.
    units : DataFrame
        `models.supervision.moved.units_passing`.
    norms : DataFrame
        `models.supervision.moved.norm_changes`.
    problems : DataFrame
        Of the year after: `models.supervision.problems.problems_of`, with ``since`` (old: a problem of the year before too; new).
    rectified : DataFrame
        `models.supervision.problems.rectified`.
    matching : DataFrame
        Schools and villages of both years: `models.supervision.matching.Matching`.
    seals : dict of str to str
        Seals of the entries that it is made from, by ``tables 2025``, ``plan 2025`` and the like; ``head`` is the ledger's last.
    input_hash : str
        Of this year's county when it was filed.
    findings : tuple of Finding
    """

    before: County
    after: County
    plan: Plan | None
    actions: pd.DataFrame
    moved: pd.DataFrame
    units: pd.DataFrame
    norms: pd.DataFrame
    problems: pd.DataFrame
    rectified: pd.DataFrame
    matching: pd.DataFrame
    seals: dict[str, str]
    input_hash: str
    findings: tuple[Finding, ...] = ()

    @property
    def county(self) -> County:
        """As it stands in the later year."""
        return self.after

    @property
    def counts(self) -> pd.DataFrame:
        """Actions by kind and what became of them: ``action, planned, done, part, slipped, unknown``."""
        if self.actions.empty:
            return pd.DataFrame(columns=["action", "planned", *STATUSES])
        by = pd.crosstab(self.actions["action"], self.actions["status"]).reindex(
            columns=list(STATUSES), fill_value=0
        )
        by.insert(0, "planned", by.sum(axis=1))
        order = dict.fromkeys(self.actions["action"])
        return by.reindex(list(order)).rename_axis(columns=None).reset_index()

    def __repr__(self) -> str:
        """A line: which years, how much was done."""
        told = self.actions["status"].value_counts()
        parts = ", ".join(f"{told.get(s, 0)} {s}" for s in STATUSES)
        return f"Supervision({self.after.name!r}, {self.before.year} to {self.after.year}: {parts} of {len(self.actions)} actions)"

    def _repr_html_(self) -> str:
        """What became of the actions by kind, for notebooks."""
        return str(self.counts.to_html(index=False))


def supervised(
    before: Filed, after: Filed, label: str, head: str = "", same: Mapping[str, str] | None = None
) -> Supervision:
    """Compare two years of a ledger.

    Parameters
    ----------
    before, after : Filed
    label : str
        The ledger, for messages.
    head : str
        Seal of its last entry.
    same : mapping of str to str or None
        This year's school id by last year's, where somebody knows it.

    Returns
    -------
    Supervision
    """
    matching = match(before.county, after.county, same)
    years = Years(relabelled(before.county, matching.schools, matching.villages), after.county)
    found = [*filed_findings(before, label), *filed_findings(after, label), *matching.findings]
    actions = pd.DataFrame(columns=ACTION_COLUMNS)
    if before.plan is None:
        found.append(Finding("warning", "supervision.no_plan", {"year": str(before.year)}, label))
    else:
        actions = carried_out(before.county, before.plan, after.county, matching)
    norms = norm_changes(years)
    if len(norms):
        named = ", ".join(f"{r.norm} {r.what} {r.before:g} → {r.after:g}" for r in norms.itertuples())
        found.append(Finding("warning", "supervision.norms_changed", {"what": named}))
    table = moved(years)
    then, now = problems_of(years, 0), problems_of(years, 1)
    now["since"] = np.where(now["problem"].isin(then["problem"]), "old", "new")
    seals = {
        f"{e.kind} {e.year}": e.seal for e in (before.tables, before.entry, after.tables) if e is not None
    }
    return Supervision(
        before.county, after.county, before.plan, actions, table, units_passing(years, table), norms, now,
        rectified(years, None if before.plan is None else actions), matching.table, {**seals, "head": head}, after.tables.content,
        tuple(found),
    )  # fmt: skip
