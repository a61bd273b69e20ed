"""Norms of one county: its standards files with its own rows (T14) on top."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from geodata.contract.county import County
from geodata.contract.findings import Finding, InputProblems
from geodata.contract.groups import admission
from geodata.standards.reading import norms_about
from geodata.standards.schema import Indicator, Norm, Resource
from geodata.standards.scheme import Norms, Scheme


@dataclass(frozen=True, eq=False)
class Standards:
    """All norms that apply to one county.

    Parameters
    ----------
    indicators : tuple of Indicator
        In the order of the files, stage by stage.
    rules : dict of str to Norm
    resources : dict of str to Resource
        Everything that is declared, counted by an indicator or only by a rule.
    scheme : Scheme
        Stages, grade bands and money.
    """

    indicators: tuple[Indicator, ...]
    rules: dict[str, Norm]
    resources: dict[str, Resource]
    scheme: Scheme

    def __repr__(self) -> str:
        """A line: how much is asked for."""
        return f"Standards({len(self.indicators)} indicators, {len(self.rules)} rules, {len(self.resources)} resources)"

    def rule(self, rule_id: str) -> Norm:
        """The rule of that id (KeyError if the standards have none)."""
        return self.rules[rule_id]

    def get(self, rule_id: str) -> Norm | None:
        """The rule of that id; None where the standards have no such norm: the rule is then off."""
        return self.rules.get(rule_id)

    def kind(self, rule_id: str) -> str:
        """How binding: hard, soft, report, procedure or off; off where there is no such norm."""
        found = self.rules.get(rule_id)
        return "off" if found is None else found.kind

    def value(self, rule_id: str) -> float:
        """A rule's number (KeyError if the standards have none)."""
        return self.rules[rule_id].value

    def limit(self, rule_id: str, absent: float) -> float:
        """A rule's number, or what stands for it where the standards have no such norm or turn it off."""
        return absent if self.kind(rule_id) == "off" else self.rules[rule_id].value

    def about(self, rule_id: str) -> str:
        """The resource that a rule is about; empty where it names none or the standards have no such norm."""
        found = self.rules.get(rule_id)
        return "" if found is None else found.resource

    def hard(self, rule_id: str) -> bool:
        """Whether a plan must keep the rule."""
        return self.kind(rule_id) == "hard"

    def of_stage(self, stage: str) -> tuple[Indicator, ...]:
        """The stage's indicators, in the order of the files."""
        return tuple(i for i in self.indicators if i.stage == stage)

    def to_meet(self, stage: str) -> int:
        """How many of the stage's tested indicators a unit must meet in full: k of n.

        ``k_of_n_<stage>`` where the standards have it, else ``k_of_n``, else all of them.
        """
        tested = sum(i.tested for i in self.of_stage(stage))
        asked = self.limit(f"k_of_n_{stage}", self.limit("k_of_n", tested))
        return int(min(asked, tested))

    @cached_property
    def measured(self) -> dict[str, tuple[str, ...]]:
        """Resources that the stage's indicators count, by stage."""
        return {s: tuple(i.resource for i in self.of_stage(s)) for s in self.scheme.stage_ids}

    @cached_property
    def counted(self) -> tuple[str, ...]:
        """Resources that an indicator of any stage counts, in the order of declaration."""
        used = {r for rs in self.measured.values() for r in rs}
        return tuple(r for r in self.resources if r in used)

    @cached_property
    def heads(self) -> tuple[str, ...]:
        """Declared resources that are staff."""
        return tuple(r for r, x in self.resources.items() if x.kind == "heads")

    @cached_property
    def watched(self) -> tuple[str, ...]:
        """Those of `heads` that an indicator counts or a norm in force is about: of the others there is nothing to tell."""
        asked = {n: one.resource for n, one in self.rules.items() if one.kind != "off"}
        told = {*self.counted, *asked.values()}
        return tuple(r for r in self.heads if r in told or norms_about(r) & set(asked))

    @cached_property
    def items(self) -> tuple[str, ...]:
        """Counted resources that are things: rooms first, then values, then areas."""
        order = ("rooms", "value", "area")
        things = (r for r in self.counted if self.resources[r].kind in order)
        return tuple(sorted(things, key=lambda r: order.index(self.resources[r].kind)))

    @cached_property
    def movable_items(self) -> tuple[str, ...]:
        """Those of `items` that go to other schools when theirs closes."""
        return tuple(r for r in self.items if self.resources[r].movable)


def load_standards(county: County) -> Standards:
    """The standards named by a county, with its own T14 rows on top.

    Parameters
    ----------
    county : County

    Returns
    -------
    Standards

    Raises
    ------
    InputProblems
        For a file or a rule id that does not exist.
    """
    norms: Norms = county.norms
    rules = dict(norms.rules)
    problems = []
    for number, row in enumerate(county.standards.itertuples(), start=2):
        if row.id not in rules:
            problems.append(
                Finding(
                    "error",
                    "rules.unknown_rule",
                    file="standards",
                    row=number,
                    column="id",
                    value=str(row.id),
                )
            )
            continue
        if row.kind == "indicator":
            problems.append(
                Finding(
                    "error", "rules.not_an_indicator", {"rule": str(row.id)}, file="standards", row=number,
                    column="kind", value=str(row.kind),
                )
            )  # fmt: skip
            continue
        rules[row.id] = replace(rules[row.id], value=float(row.value), kind=str(row.kind))  # type: ignore[arg-type]
    if problems:
        raise InputProblems(problems)
    if admission(county.school_stage, county.attendance) is None:
        rules.pop("group_access", None)  # where no groups are told apart there is nothing to keep
    return Standards(tuple(norms.indicators.values()), rules, norms.resources, norms.scheme)


__all__ = ["Indicator", "Norm", "Resource", "Standards", "load_standards"]
