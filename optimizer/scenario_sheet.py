"""The scenario sheet of a workbook that is a county: schools by name, budgets in 万元, words for goals; to a `Scenario`.

Everything that is not understood is a finding with sheet, row, column, value and what to write instead.
"""

from __future__ import annotations

import difflib
import math
import re
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from geodata.contract.county import County
from geodata.contract.findings import Finding, InputProblems, errors
from geodata.contract.settings import model_findings
from geodata.contract.tables import EARMARKS
from geodata.contract.validation.values import GROUPED
from geodata.workbook.forms import SHOWN, Form, Item, Row, chosen_id, offered, understood, worded
from models.formulation.model import GOALS
from models.plan.names import Names
from models.problem.request import COUNTED_GOALS
from optimizer.amounts import doubtful_amounts
from optimizer.presets import PRESETS
from optimizer.scenario import BY_NAME, Scenario, check_scenario

LEVELS = ("low", "base", "high")
SMALLEST_SHARE = 0.05
"""Per cent below which a share was probably formatted as one: a cell that shows 1% holds 0.01."""


_GOALS = worded("goals.", GOALS)

SCENARIO = Form(
    "scenario",
    (
        Item("preset", worded("form.preset_", tuple(PRESETS)), start=(("standards_first", ""),)),
        Item("goal", _GOALS, number=True, unit="percent", rows=8),
        Item("at_most", (*worded("form.named_", tuple(BY_NAME)), *_GOALS), number=True, rows=3),
        Item("at_least", tuple(g for g in _GOALS if g[0] in COUNTED_GOALS), number=True, rows=2),
        Item("keep_open", source="schools", rows=6), Item("close", source="schools", rows=6),
        Item("budget", worded("template.word_earmark_", EARMARKS), number=True, unit="large", rows=len(EARMARKS), start=tuple((e, "") for e in EARMARKS)),
        Item("cost_level", worded("form.level_", LEVELS), start=(("base", ""),)),
        Item("gap", number=True, unit="percent", start=(("", "1"),)), Item("seconds", number=True, unit="seconds", start=(("", "600"),)),
        Item("nodes", number=True, start=(("", "300"),)), Item("seed", number=True, start=(("", "0"),)),
    ),
)  # fmt: skip
"""Every item of a scenario sheet."""
ONCE = ("preset", "cost_level", "gap", "seconds", "nodes", "seed")
SHARES = ("gap", "goal")
WITHOUT_NAME = tuple(i.name for i in SCENARIO.items if not i.choices and not i.source)


@dataclass
class _Reading:
    """What was read so far, and where each part of the scenario stands: (column, value) or (column, "")."""

    county: County
    names: Names
    values: dict[str, Any] = field(default_factory=dict)
    places: dict[tuple[str, str], Row] = field(default_factory=dict)
    found: list[Finding] = field(default_factory=list)

    def wrong(self, finding: Finding) -> None:
        self.found.append(finding)

    def at(self, column: str, value: str, row: Row) -> None:
        self.places.setdefault((column, value), row)
        self.places.setdefault((column, ""), row)

    def placed(self, finding: Finding) -> Finding:
        """A finding about the scenario, moved to the cell that it is about."""
        column = finding.column.split("[")[0]
        row = self.places.get((column, finding.value)) or self.places.get((column, ""))
        if row is None:
            return finding
        part = "value" if column.startswith("budget") or column in WITHOUT_NAME else "what"
        return row.finding(finding.key, part, finding.severity, **finding.fields)


def sheet_scenario(county: County) -> tuple[Scenario | None, list[Finding]]:
    """What a county's scenario sheet asks for.

    Parameters
    ----------
    county : County

    Returns
    -------
    Scenario or None
        None where there is no sheet, or nothing on it.
    list of Finding
        Doubts and notes; errors are raised.

    Raises
    ------
    InputProblems
        Everything on the sheet that is not understood.
    """
    said, unknown = understood(SCENARIO, county.asked)
    if not said and not unknown:
        return None, []
    reading = _Reading(county, Names(county), found=unknown)
    for item, row in said:
        _read(reading, item, row)
    _settle_budget(reading)
    if reading.values.get("goals") and (named := reading.places.get(("preset", ""))):
        reading.wrong(named.finding("form.goals_count", "what", "note"))
    if errors(reading.found):
        raise InputProblems(reading.found)
    try:
        scenario = Scenario(**reading.values)
        check_scenario(scenario, county)
    except ValidationError as problem:
        faults = model_findings(problem, Scenario, "scenario")
        raise InputProblems([*reading.found, *map(reading.placed, faults)]) from None
    except InputProblems as problem:
        raise InputProblems([*reading.found, *map(reading.placed, problem.findings)]) from None
    doubts = [reading.placed(f) for f in doubtful_amounts(scenario.budget, county, large=True)]
    if doubts:
        raise InputProblems([*reading.found, *doubts])
    return scenario, reading.found


def asked_of(county: County, otherwise: Scenario | None = None) -> tuple[Scenario, tuple[Finding, ...]]:
    """The scenario of a county's sheet; where it has none, another one or the default."""
    scenario, found = sheet_scenario(county)
    return scenario or otherwise or Scenario(), tuple(found)


def _read(reading: _Reading, item: Item, row: Row) -> None:
    """One row, into the values of the scenario."""
    if item.name in ONCE and (item.name, "") in reading.places:
        first = reading.places[item.name, ""]
        return reading.wrong(row.finding("form.said_twice", "item", row=first.number))
    named = _named(reading, item, row)
    number = _number(reading, item, row)
    if named is None or number is None:
        return None
    values = reading.values
    if item.name in ("preset", "cost_level"):
        values[item.name] = named
        reading.at(item.name, named, row)
    elif item.name in ("keep_open", "close"):
        values[item.name] = (*values.get(item.name, ()), named)
        reading.at(item.name, named, row)
    elif item.name == "goal":
        values["goals"] = (
            *values.get("goals", ()),
            {"name": named, "tolerance": number if number == number else 0.0},
        )
        reading.at("goals", named, row)
    elif item.name in ("at_most", "at_least"):
        _require(reading, item, row, named, number)
    elif item.name == "budget":
        if number == number:
            if named in values.setdefault("budget", {}):
                first = reading.places[f"budget.{named}", ""]
                return reading.wrong(row.finding("form.said_twice", "what", row=first.number))
            values["budget"][named] = number * county_large(reading.county)
            reading.at(f"budget.{named}", "", row)
    elif number == number:
        values[item.name] = int(number) if number == int(number) else number
        reading.at(item.name, "", row)
    return None


def county_large(county: County) -> float:
    """Yuan in the unit in which a sheet gives its budgets: 10,000 (万元) unless the standards say otherwise."""
    return county.scheme.currency.large


def _require(reading: _Reading, item: Item, row: Row, named: str, number: float) -> None:
    if named in BY_NAME:
        if number == number:
            return reading.wrong(row.finding("form.no_number_here", "value"))
        reading.values["require"] = (*reading.values.get("require", ()), named)
    else:
        if number != number:
            return reading.wrong(row.finding("form.no_value", "what"))
        amount = int(number) if item.name == "at_least" and number == int(number) else number
        reading.values["require"] = (*reading.values.get("require", ()), {"goal": named, item.name: amount})
    return reading.at("require", str(BY_NAME.get(named, {"goal": named})["goal"]), row)


def _named(reading: _Reading, item: Item, row: Row) -> str | None:
    """The id of what a row names; "" for items that name nothing, None where it is not understood."""
    if item.name in WITHOUT_NAME:
        if not row.what:
            return ""
        reading.wrong(row.finding("form.nothing_to_name", "what"))
        return None
    if not row.what:
        reading.wrong(row.finding("form.nothing_named", "item"))
        return None
    if item.source == "schools":
        return _school(reading, row)
    key, wrong = chosen_id(item, row)
    if wrong is not None:
        reading.wrong(wrong)
        return None
    return key


def _school(reading: _Reading, row: Row) -> str | None:
    """A school by name, id or label; a name that several bear is asked about."""
    schools = reading.county.schools
    key, doubt = reading.names.resolve("school", row.what)
    if key in set(schools["school_id"]):
        if doubt is not None:
            label = reading.names.label("school", key, "zh")
            reading.wrong(row.finding("plan.cell_taken", "what", "warning", label=label))
        return key
    same = schools[schools["name"] == row.what]
    if len(same) > 1:
        listed = [f"{r.school_id} ({r.township})" for r in same.itertuples()]
        reading.wrong(row.finding("form.name_twice", "what", count=len(same), choices=", ".join(listed)))
        return None
    labels = {r.name: f"{r.name} [{r.school_id}]" for r in schools.itertuples()}
    near = difflib.get_close_matches(row.what, list(labels), 5, 0.5) or list(labels)[:SHOWN]
    reading.wrong(row.finding("form.no_school", "what", choices=", ".join(labels[n] for n in near)))
    return None


def _number(reading: _Reading, item: Item, row: Row) -> float | None:
    """The number of a row: NaN where it is left empty, None where it is none; per cent become shares."""
    text = row.value
    if not text:
        return math.nan
    if not item.number:
        reading.wrong(row.finding("form.no_number_here", "value"))
        return None
    try:
        value = float(text.replace(",", "") if re.fullmatch(GROUPED, text) else text.removesuffix("%"))
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        reading.wrong(row.finding("form.not_a_number", "value"))
        return None
    if item.unit == "percent":
        if 0 < value < SMALLEST_SHARE and not text.endswith("%"):
            meant = f"{100 * value:g}"
            reading.wrong(row.finding("form.share_meant", "value", "warning", meant=meant))
        return value / 100.0
    return value


def _settle_budget(reading: _Reading) -> None:
    """Earmarks that are left empty where others are filled have nothing, and that is said."""
    budget = reading.values.get("budget")
    if not budget:
        return
    empty = [e for e in EARMARKS if e not in budget]
    first = next(row for (column, _), row in reading.places.items() if column.startswith("budget."))
    if empty:
        known = next(i for i in SCENARIO.items if i.name == "budget").choices
        listed = offered(c for c in known if c[0] in empty)
        reading.wrong(
            replace(first.finding("form.earmarks_nothing", "item", "note", earmarks=listed), value="")
        )
