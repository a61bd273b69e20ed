"""`Instance`: a county and a request turned into the sets and data of the model (docs/model).

Everything here is a table indexed as the mathematics is; the constraint families read it and nothing
else. An instance of a few townships has the same form as that of a whole county.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pandas as pd

from geodata.contract.county import County
from models.problem.indicators import LENT, lends, merged_units
from models.problem.request import Request
from models.standards.norms import Standards


@dataclass(frozen=True)
class Instance:
    """Sets and data of one planning model.

    Parameters
    ----------
    units : DataFrame
        Index unit_id; ``school_id, stage, township, zone, kind, rural, pupils`` (of the planning demand
        that attend today), ``classes, capacity, rooms, class_cap, most`` (places, or today's pupils where more),
        ``largest`` (the same, or everybody of the stage where places do not bind),
        ``free`` (places left), ``over`` (above a cap today), ``combined`` (grades taught together), ``assessed,
        may_grow`` (could pass the assessment threshold) and a column per resource (today's amount).
    bands : DataFrame
        Index (school_id, band): ``unit_id, full, grades, lock`` (open, closed, free), ``lock_by`` (the rule that
        locks it open), ``large`` (too large to give it up), ``pupils`` today.
    school_cap, size_norm : Series
        Largest allowed size by school_id, and the norm that says so.
    grades : DataFrame
        Index (school_id, band, grade): ``share`` of the band's pupils today, ``classes`` today, ``pupils`` today.
    groups : DataFrame
        Index g: `models.problem.baseline.today_groups`.
    pairs, barred, past, softened : DataFrame
        Ways to school: see `models.problem.ways.Ways`. Only ``pairs`` can be decided.
    stock : DataFrame
        Index (unit_id, cat_id): ``heads, fixed`` (heads that leave only if the unit closes), ``near`` (near
        retirement), ``eligible`` (heads that may be moved; NaN where the table does not say).
    categories : DataFrame
        Index (stage, cat_id): movable, hireable, annual_cost, a column (0 or 1) per declared resource
        that is staff, ``down``: (stage, cat_id) in which its heads may also work, lower stages, same flags.
    links : tuple of (township, township)
        Townships between which staff may move, same township included.
    centres : dict
        (stage, resource) -> m, the planned mean ratio per pupil, of every counted resource.
    means : dict
        The same today: what `deficit` measures against, whatever the plan's means.
    population : dict
        (stage, resource) -> N, pupils of the assessed population about which the measure is scaled: of units
        whose amount is known.
    unknown : frozenset of (unit_id, resource)
        Amounts that are not known; ``units`` has zeros there, which no goal and no rule reads.
    unstaffed : frozenset of unit_id
        Units whose staff is not known: nobody is moved to or from them.
    unpriced : frozenset of str
        Resources that cannot be bought, because no price or no money is known; ``hires`` says that of staff.
    """

    county: County
    standards: Standards
    request: Request
    units: pd.DataFrame
    bands: pd.DataFrame
    school_cap: pd.Series
    size_norm: pd.Series
    grades: pd.DataFrame
    groups: pd.DataFrame
    pairs: pd.DataFrame
    barred: pd.DataFrame
    past: pd.DataFrame
    softened: pd.DataFrame
    stock: pd.DataFrame
    categories: pd.DataFrame
    links: tuple[tuple[str, str], ...]
    costs: dict[str, float]
    budget: dict[str, float]
    centres: dict[tuple[str, str], float]
    population: dict[tuple[str, str], float]
    means: dict[tuple[str, str], float]
    unknown: frozenset[tuple[str, str]] = frozenset()
    unstaffed: frozenset[str] = frozenset()
    unpriced: frozenset[str] = frozenset()
    hires: bool = True

    @cached_property
    def lent(self) -> dict[tuple[str, str], float]:
        """Heads that a concession lends today, by unit and resource: they count for indicators alone."""
        small = lends(merged_units(self.units, self.standards), self.standards)
        columns = {r: f"{r}{LENT}" for r in self.standards.heads if f"{r}{LENT}" in self.units}
        return {
            (str(u), r): float(n)
            for r, c in columns.items()
            for u, n in self.units.loc[small, c].items()
            if n > 0
        }

    @cached_property
    def guests(self) -> dict[str, tuple[str, ...]]:
        """Places that do not count as schools, by the unit with which they are assessed."""
        found: dict[str, tuple[str, ...]] = {}
        for u, host in self.units["assessed_as"].items():
            if host and host != u:
                found[str(host)] = (*found.get(str(host), ()), str(u))
        return found

    def with_guests(self, unit: str) -> tuple[str, ...]:
        """A unit and the places that are assessed with it."""
        return (unit, *self.guests.get(unit, ()))

    def counted_today(self, unit: str, resource: str) -> float:
        """What an indicator counts of a unit today: its own amount, its guests' and what is lent to it."""
        every = sum(float(self.of_unit(u, resource)) for u in self.with_guests(unit))
        return every + self.lent.get((unit, resource), 0.0)

    def judged_today(self, unit: str) -> float:
        """Pupils over whom an indicator of a unit is reckoned today."""
        return sum(float(self.of_unit(u, "pupils")) for u in self.with_guests(unit))

    def known(self, unit: str, resource: str) -> bool:
        """Whether a unit's amount of a resource is known."""
        return (unit, resource) not in self.unknown

    def of_unit(self, unit: str, column: str) -> Any:
        """One cell of `units`: rules ask for tens of thousands, and a look-up that is kept takes a hundredth of a table's."""
        kept = self._columns
        if column not in kept:
            kept[column] = self.units[column].to_dict()
        return kept[column][unit]

    @cached_property
    def _columns(self) -> dict[str, dict[str, Any]]:
        return {}

    def centred(
        self, centres: dict[tuple[str, str], float], population: dict[tuple[str, str], float]
    ) -> Instance:
        """The same instance about another planned mean (docs/model/imbalance.md, re-centring)."""
        return replace(self, centres=centres, population=population)

    @property
    def large(self) -> float:
        """How much of the currency its large unit is: money stands in it in the model, so that coefficients are near one."""
        return self.county.scheme.currency.large

    @cached_property
    def heads_today(self) -> dict[tuple[str, str], int]:
        """Heads by unit and category."""
        return {k: int(n) for k, n in self.stock["heads"].to_dict().items()}

    @cached_property
    def counting(self) -> dict[tuple[str, str], list[str]]:
        """(stage, resource that is staff, or "all") -> categories whose heads count."""
        found = {}
        of = self.categories.index.get_level_values("stage")
        for stage in self.standards.scheme.stage_ids:
            table = self.categories[of == stage].droplevel("stage")
            found[stage, "all"] = list(table.index)
            found.update({(stage, r): list(table.index[table[r] == 1]) for r in self.standards.heads})
        return found

    @cached_property
    def items(self) -> tuple[str, ...]:
        """Counted resources that are things."""
        return self.standards.items

    @cached_property
    def movable_items(self) -> tuple[str, ...]:
        """Those that go to other schools when theirs closes."""
        return self.standards.movable_items

    @cached_property
    def measured(self) -> dict[str, tuple[str, ...]]:
        """Resources whose spread is measured, by stage: counted by an indicator, and the county has some.

        A stage in which nobody is assessed measures nothing (docs/indicators.md).
        """
        counted = merged_units(self.units, self.standards)
        counted = counted[counted["assessed"]]
        return {
            s: tuple(r for r in rs if counted.loc[counted["stage"] == s, r].sum() > 0)
            for s, rs in self.standards.measured.items()
        }

    @cached_property
    def stage_of(self) -> dict[str, str]:
        """Stage by unit."""
        return dict(self.units["stage"])
