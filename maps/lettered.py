"""A result with the names of places in Latin letters, the tables' own behind them: what English pages and sheets print.

Drawings have less room: they take ``name_en``, which is filled in here for every place. Ids, numbers and what is decided stay.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from typing import Any

import pandas as pd

from geodata.contract.county import County
from geodata.contract.findings import Finding
from geodata.contract.placenames import both_names, given_latin, latin_name
from geodata.remembered import once_for_each
from models.plan.decisions import PlanResult, Verdict

NAMED = (
    "name", "township", "school", "village", "today_school", "place", "worst", "school_plan", "school_other", "best_school", "next",
)  # fmt: skip
"""Columns that hold names of places, alone or within a text."""
ENGLISH = "en"
COMMAND = "junheng "
"""A line with a command is typed as it stands."""


@dataclass(frozen=True, eq=False)
class LetteredCounty(County):
    """A county whose tables have their names in both kinds of letters, and ``name_en`` for every place."""


class Lettering:
    """The names of a county's places, in Latin letters with the tables' own behind them."""

    def __init__(self, county: County):
        self._shown: dict[str, str] = {}
        if isinstance(county, LetteredCounty):
            self._any = self._alone = None
            return
        for table in (county.schools, county.villages):
            for row in table.itertuples():
                self._add(str(row.name), given_latin(row))
        self._add(county.name, county.name_en if county.name_en != county.name else "")
        towns = county.townships
        named = [] if towns is None or "township" not in towns else towns["township"].astype(str).tolist()
        for name in {*county.schools["township"], *county.villages["township"], *named}:
            self._add(str(name), "")
        known = sorted((n for n, shown in self._shown.items() if n != shown), key=len, reverse=True)
        any_of = "|".join(map(re.escape, known))
        self._any = re.compile(any_of) if known else None
        self._alone = re.compile(rf"(?<![\w/\\])(?:{any_of})(?![\w/\\]|[.-]\w)") if known else None

    def _add(self, name: str, given: str) -> None:
        """Two places of one name that the tables call otherwise in English have what is made of the Chinese."""
        shown = both_names(name, given)
        self._shown[name] = shown if self._shown.get(name, shown) == shown else both_names(name)

    def text(self, value: Any) -> Any:
        """A name, or a text with names in it; whatever else it is stays."""
        if not isinstance(value, str) or not value:
            return value
        if value in self._shown:
            return self._shown[value]
        return self._any.sub(lambda m: self._shown[m[0]], value) if self._any else value

    def line(self, text: str) -> str:
        """A line as a terminal prints it: names that stand alone, none that is lettered already or is part of a path or word."""
        if self._alone is None or COMMAND in text:
            return text
        return self._alone.sub(self._lettered_once, text)

    def _lettered_once(self, found: re.Match[str]) -> str:
        shown = self._shown[found[0]]
        before = found.string[: found.start()]
        return found[0] if before.endswith(shown.removesuffix(found[0])) else shown

    def within(self, value: Any) -> Any:
        """The same in lists and dicts: fields of a sentence."""
        if isinstance(value, dict):
            return {k: self.within(v) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(self.within(v) for v in value)
        return self.text(value)

    def table(self, table: pd.DataFrame, columns: tuple[str, ...] = NAMED) -> pd.DataFrame:
        """A table with its names of places as English pages print them."""
        found = {}
        for column in (c for c in columns if c in table):
            once = {v: self.text(v) for v in table[column].unique() if isinstance(v, str)}
            found[column] = [once.get(v, v) if isinstance(v, str) else v for v in table[column]]
        return table.assign(**found) if found else table

    def findings(self, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
        """Findings whose sentences name places; what a cell of a table holds stays."""
        return tuple(replace(f, fields=self.within(f.fields)) if f.fields else f for f in found)


@once_for_each
def place_names(county: County) -> Lettering:
    """The names of a county, found once."""
    return Lettering(county)


@once_for_each
def lettered_county(county: County) -> County:
    """The county with both kinds of letters in its names."""
    if isinstance(county, LetteredCounty):
        return county
    names = place_names(county)
    parts = {f.name: getattr(county, f.name) for f in fields(county) if f.init}
    for key in ("schools", "villages"):
        table = parts[key]
        given = [given_latin(r) for r in table.itertuples()]  # two of one name may be called otherwise
        parts[key] = names.table(table).assign(
            name=[both_names(str(n), g) for n, g in zip(table["name"], given, strict=True)], name_en=given
        )
    if county.townships is not None and "township" in county.townships:
        towns = [str(t) for t in county.townships["township"]]
        parts["townships"] = county.townships.assign(
            township=[names.text(t) for t in towns], name_en=[latin_name(t) for t in towns]
        )
    parts["findings"] = names.findings(county.findings)
    return LetteredCounty(**parts)


def _verdict(verdict: Verdict, names: Lettering) -> Verdict:
    tables = ("rules", "violations", "indicators", "units", "travel", "costs")
    return replace(verdict, **{t: names.table(getattr(verdict, t)) for t in tables})


@once_for_each
def _english(result: PlanResult) -> PlanResult:
    names = place_names(result.county)
    actions = names.table(result.actions)
    if "reason_fields" in actions:
        actions = actions.assign(reason_fields=[names.within(f) for f in actions["reason_fields"]])
    times = result.times
    return replace(
        result, county=lettered_county(result.county), verdict=_verdict(result.verdict, names), actions=actions,
        findings=names.findings(result.findings), times=replace(times, points=names.table(times.points)),
    )  # fmt: skip


def lettered(result: PlanResult, language: str) -> PlanResult:
    """A result as pages, sheets and documents in a language print it.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}

    Returns
    -------
    PlanResult
        The same in Chinese; in English with names in Latin letters and the tables' own behind them. Made once.
    """
    if language != ENGLISH or isinstance(result.county, LetteredCounty):
        return result
    return _english(result)


def lettered_table(table: pd.DataFrame, county: County, language: str) -> pd.DataFrame:
    """A table with names of places in the columns of `NAMED`, as a language prints them."""
    return table if language != ENGLISH else place_names(county).table(table)
