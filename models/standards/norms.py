"""Norms as data: indicators and rules from TOML files, overridden by the county's own rows (T14)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from importlib.resources import files

from geodata.contract.county import County
from geodata.contract.findings import Finding, InputProblems


@dataclass(frozen=True)
class Indicator:
    """One of the seven indicators for one stage (sources.md 1.2).

    ``resource`` names the numerator (`models.problem.indicators.RESOURCES`); ratio = scale * x / P.
    """

    id: str
    stage: str
    resource: str
    scale: float
    threshold: float
    tolerance: float
    cv_limit: float
    unit: str
    source: str = ""
    tag: str = ""


@dataclass(frozen=True)
class Rule:
    """One rule: a number, how binding it is, and where it comes from.

    ``kind`` is hard, soft, report, procedure or off; ``tag`` is V (verified), R (recalled) or A
    (assumed), as in sources.md.
    """

    id: str
    quantity: str
    operator: str
    value: float
    unit: str
    kind: str
    stage: str = "all"
    applies_to: str = "all"
    grandfather: bool = False
    source: str = ""
    tag: str = ""
    note: str = ""


@dataclass(frozen=True)
class Standards:
    """All norms that apply to one county."""

    indicators: tuple[Indicator, ...]
    rules: dict[str, Rule]

    def rule(self, rule_id: str) -> Rule:
        """The rule of that id (KeyError if the standards have none)."""
        return self.rules[rule_id]

    def value(self, rule_id: str) -> float:
        """A rule's number."""
        return self.rules[rule_id].value

    def hard(self, rule_id: str) -> bool:
        """Whether a plan must keep the rule."""
        return self.rules[rule_id].kind == "hard"

    def of_stage(self, stage: str) -> tuple[Indicator, ...]:
        """The stage's indicators, in the order of the files."""
        return tuple(i for i in self.indicators if i.stage == stage)


def _read(name: str) -> dict[str, list[dict[str, object]]]:
    file = files("models.standards") / f"{name}.toml"
    if not file.is_file():
        known = sorted(f.name[:-5] for f in files("models.standards").iterdir() if f.name.endswith(".toml"))
        fields: dict[str, object] = {"name": name, "known": ", ".join(known)}
        raise InputProblems([Finding("error", "rules.unknown_standards", fields, file="county.toml")])
    found: dict[str, list[dict[str, object]]] = tomllib.loads(file.read_text(encoding="utf-8"))
    return found


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
    indicators: dict[tuple[str, str], Indicator] = {}
    rules: dict[str, Rule] = {}
    for name in county.standard_files:
        content = _read(name)
        for row in content.get("indicator", []):
            one = Indicator(**row)  # type: ignore[arg-type]
            indicators[one.stage, one.id] = one
        for row in content.get("rule", []):
            rule = Rule(**row)  # type: ignore[arg-type]
            rules[rule.id] = rule
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
        rules[row.id] = replace(rules[row.id], value=float(row.value), kind=str(row.kind))
    if problems:
        raise InputProblems(problems)
    return Standards(tuple(indicators.values()), rules)
