"""`Rule`: what one rule is, and `Rows`: how its rows get into a model.

| norm is | rows | slack | check |
|---|---|---|---|
| hard | yes | none | yes, a plan that breaks it is rejected |
| soft | yes | priced: least of all that soft rules give way, before any goal | yes, told |
| report | none | none | yes, told |
| off (or unknown to the standards) | none | none | none |
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd
import pyomo.environ as pyo

from models.problem.minutes import PLANNED_MODES
from models.standards.norms import Standards

if TYPE_CHECKING:
    from models.plan.outcome import After
    from models.problem.instance import Instance

Model: TypeAlias = Any  # Pyomo has no types
BINDING = ("hard", "soft", "report", "procedure", "off")
STATED = ("hard", "soft")
"""Kinds of a rule that state rows in the model."""
PART = "__"
"""Between a rule's id and the part of it in the name of a component."""
FAMILIES = ("floors", "minutes", "seats", "pace", "budget")
"""Families of rules that may give way, from the one to be touched last to the one that gives way most easily."""


@dataclass(frozen=True)
class Slack:
    """How a rule gives way where it is soft, or where no plan keeps it.

    Parameters
    ----------
    unit : str
        What a slack of 1 is: pupils, heads, minutes, sites, yuan.
    family : str
        One of `FAMILIES`: rules of a family are weighed against each other, families are not.
    weight : float
        Of a slack of 1 within its family.
    """

    unit: str
    family: str
    weight: float = 1.0


@dataclass(frozen=True)
class Words:
    """A rule's name and what it asks, in both languages."""

    zh: tuple[str, str]
    en: tuple[str, str]


@dataclass(frozen=True)
class Rule:
    """One rule.

    Parameters
    ----------
    id : str
        The norm's id, the prefix of its components in the model, the key of its words, the anchor in the docs.
    family : str
        File of `models.rules` it stands in.
    check : callable
        `After` -> violations (`broken`), by a derivation of its own from the plan and the raw tables.
    state : callable or None
        Writes its rows through `Rows`; None where the model cannot break it by its form.
    norms : tuple of str
        Ids of the norms that say how binding it is; none: always hard. ``{stage}``, ``{band}``, ``{mode}`` and
        ``{heads}`` stand for each of the standards' own. With several, the column ``norm`` of a violation says
        which one it breaks.
    slack : Slack or None
        None: cannot give way.
    words : Words or None
        Of a rule that brings its own; the others' stand in `geodata.messages` under ``rules.rule_<id>``.
    """

    id: str
    family: str
    check: Callable[[After], pd.DataFrame]
    state: Callable[[Rows], None] | None = None
    norms: tuple[str, ...] = ()
    slack: Slack | None = None
    words: Words | None = None

    def kind(self, standards: Standards, norm: str = "") -> str:
        """How binding the rule is: of one norm, or the most binding of all of them."""
        if not self.norms:
            return "hard"
        kinds = [kind_of(standards, n) for n in ((norm,) if norm else self.norm_ids(standards))]
        return min(kinds, key=BINDING.index, default="off")

    def norm_ids(self, standards: Standards) -> tuple[str, ...]:
        """Ids of its norms for the stages, bands and kinds of staff of some standards."""
        every = {
            "{stage}": standards.scheme.stage_ids, "{band}": standards.scheme.band_ids, "{mode}": PLANNED_MODES,
            "{heads}": standards.heads,
        }  # fmt: skip
        found = list(self.norms)
        for mark, ids in every.items():
            found = [n.replace(mark, i) for n in found for i in (ids if mark in n else ("",))]
        return tuple(found)


def kind_of(standards: Standards, norm: str) -> str:
    """How binding a norm is; off where the standards have none of that id."""
    return standards.kind(norm)


@dataclass
class Softened:
    """Slacks of one component: ``slacks`` by key, in ``unit``."""

    rule: str
    norm: str
    component: str
    slack: Slack
    slacks: Any
    hard: bool = False


@dataclass
class Rows:
    """Where a rule's `state` writes its rows, as far as its norms bind.

    Parameters
    ----------
    model : ConcreteModel
    inst : Instance
    rule : Rule
    loosened : bool
        Every row gets a slack, whatever its norm says: the search for what would have to give.
    """

    model: Model
    inst: Instance
    rule: Rule
    loosened: bool = False
    names: list[str] = field(default_factory=list)

    def binds(self, norm: str = "") -> bool:
        """Whether rows of a norm are stated: hard or soft."""
        return self.rule.kind(self.inst.standards, norm) in STATED

    def value(self, norm: str) -> float:
        """A norm's number."""
        return self.inst.standards.value(norm)

    def add(
        self,
        keys: Iterable[Any],
        relation: Callable[..., Any],
        norm: str = "",
        part: str = "",
        scale: Callable[[Any], float] | None = None,
        firm: bool = False,
    ) -> None:
        """State one component of the rule.

        Parameters
        ----------
        keys : iterable
            Index of the rows.
        relation : callable
            (model, *key) -> a Pyomo relation.
        norm : str
            The norm that it states; empty: the rule's own.
        part : str
            What of the rule it is, where there is more than one component.
        scale : callable or None
            Key -> what a slack of 1 adds to the row's bound; 1 where None.
        firm : bool
            No slack: another part of the rule gives way for it.
        """
        kind = self.rule.kind(self.inst.standards, norm)
        known = list(keys)
        if kind not in STATED or not known:
            return
        name = f"{self.rule.id}{PART}{part}" if part else self.rule.id
        component = pyo.Constraint(known, rule=relation)
        self.model.add_component(name, component)
        self.names.append(name)
        if self.rule.slack is not None and not firm and (kind == "soft" or self.loosened):
            self._loosen(name, component, norm, scale or (lambda k: 1.0), kind == "hard")

    def _loosen(
        self, name: str, component: Any, norm: str, scale: Callable[[Any], float], hard: bool
    ) -> None:
        """Replace a component's relations by the same with a slack: body <= upper + scale slack."""
        keys = list(component)
        slacks = pyo.Var(keys, domain=pyo.NonNegativeReals)
        self.model.add_component(f"slack_{name}", slacks)

        def rule(m: Model, *key: Any) -> Any:
            k = key[0] if len(key) == 1 else key
            old, extra = component[k], scale(k) * slacks[k]
            if old.upper is not None and old.lower is None:
                return old.body <= old.upper + extra
            if old.upper is None:
                return old.body >= old.lower - extra
            return old.body + extra >= old.lower  # an equation that falls short

        self.model.add_component(f"eased_{name}", pyo.Constraint(keys, rule=rule))
        component.deactivate()
        assert self.rule.slack is not None
        self.model.softened.append(
            Softened(self.rule.id, norm or self.rule.id, name, self.rule.slack, slacks, hard)
        )


def rule_of(component: str) -> str:
    """Rule id of a component's name, with or without a row's key: ``class_size__grade[...]`` -> class_size."""
    name = component.partition("[")[0]
    for prefix in ("slack_", "eased_"):
        name = name.removeprefix(prefix)
    return name.partition(PART)[0]


COLUMNS = ["place_id", "place", "amount", "limit", "unit", "grandfathered", "norm"]
EPS = 1e-6


def broken(
    rows: pd.DataFrame,
    place_id: str,
    place: str,
    amount: object,
    limit: object,
    unit: str | pd.Series,
    grandfathered: object = False,
    norm: object = "",
) -> pd.DataFrame:
    """Violations in the verdict's shape from the rows where a rule does not hold.

    Parameters
    ----------
    rows : DataFrame
    place_id, place : str
        Columns of ``rows`` with the place's id and name, or what it is about there: a band, a thing. The referee puts the
        school's or village's name before it.
    amount, limit, unit, grandfathered, norm : scalar or Series
    """
    if rows.empty:
        return none()  # most rules hold most of the time: this halves the referee's work
    told = {
        "place_id": rows[place_id].astype(str), "place": rows[place].astype(str), "amount": amount, "limit": limit,
        "unit": unit, "grandfathered": grandfathered, "norm": norm,
    }  # fmt: skip
    cells = {c: _in_order(v, rows.index) for c, v in told.items()}
    return pd.DataFrame(cells, index=pd.RangeIndex(len(rows)))[COLUMNS]


def _in_order(value: object, index: pd.Index) -> object:
    """A column's cells in the order of some rows; anything but a Series is in it."""
    if not isinstance(value, pd.Series):
        return value
    return (value if value.index.equals(index) else value.reindex(index)).array


@cache
def none() -> pd.DataFrame:
    """No violation; typed, so that joining it to others changes nothing. One table for all: never written to."""
    types = {"place_id": "str", "place": "str", "amount": "float64", "limit": "float64", "unit": "str"}
    table = pd.DataFrame(columns=COLUMNS).astype({**types, "grandfathered": "bool", "norm": "str"})
    return table


def looked_up(keys: pd.Series, values: pd.Series) -> pd.Series:
    """Values by key with the type of the values, also where there is no key (`Series.map` gives text then)."""
    return pd.Series(values.reindex(keys).to_numpy(), index=keys.index)


def all_of(parts: Collection[pd.DataFrame]) -> pd.DataFrame:
    """Several tables of violations as one."""
    filled = [p for p in parts if len(p)]
    return pd.concat(filled, ignore_index=True) if filled else none()


def county_row(after: After, amount: float, limit: float, unit: str) -> pd.DataFrame:
    """A violation of the county as a whole."""
    row = pd.DataFrame({"place_id": ["county"], "name": [after.county.name]})
    return broken(row, "place_id", "name", amount, limit, unit)
