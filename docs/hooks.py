"""MkDocs hook: parts of the documentation that are written from the code, so that they cannot go stale.

A page asks for a part with a line ``<!-- generated: name -->``; the names are the keys of `PARTS`. An unknown
name stops the build.
"""

from __future__ import annotations

import inspect
import re
import typing
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd
from mkdocs.exceptions import PluginError
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from geodata.contract.columns import Column, Table
from geodata.contract.tables import TABLES
from geodata.folder.reading import Head
from geodata.messages import catalogue
from geodata.standards.reading import DEFAULT, bundled, merge
from models.referee.verdict import MEASURES
from models.rules.registry import every_rule
from models.standards.norms import Standards
from optimizer.scenario import Goal, Scenario
from optimizer.scenario_sheet import SCENARIO
from optimizer.search.method import Method
from optimizer.study.province.asked import CountyAsked, ProvinceAsked
from optimizer.study.stress.factors.registry import FACTORS
from optimizer.study.stress.futures import Failing, Futures, Uncertain

ROOT = Path(__file__).resolve().parent.parent
MARK = re.compile(r"^<!-- generated: ([\w-]+) -->$", re.MULTILINE)
STAGES = {"pri": "primary", "jun": "junior", "all": "both"}
TAGS = {"V": "verified", "R": "recalled", "A": "assumed"}


def cell(value: object) -> str:
    """Text that is safe inside a Markdown table."""
    return str(value).replace("|", "\\|").replace("\n", " ").strip()


def grid(head: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    """A Markdown table."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(cell(c) for c in line) + " |" for line in lines)


def number(value: float) -> str:
    """A number without needless decimals."""
    if value != int(value):
        return f"{value:g}"
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.0f}"  # years and small numbers plain


def words(key: str) -> str:
    """An English message as the program has it."""
    return catalogue("en")[key]


def _allowed(column: Column) -> str:
    if column.kind == "choice":
        return ", ".join(f"`{c}`" for c in column.choices)
    if column.kind == "flag":
        return "true or false (是, 否)"
    if column.kind == "text":
        return "text"
    kind = "whole" if column.kind == "whole" else "number"
    return f"{kind}, {number(column.low or 0)} to {number(column.high or 0)}"


def _needed(column: Column) -> str:
    if column.measure:
        return "may be unknown"
    if column.required:
        return "required"
    return "optional" if column.default in (None, "") else f"optional, else `{column.default}`"


def _one_table(table: Table) -> str:
    rows: list[tuple[object, ...]] = [
        (f"`{c.name}`", c.zh, _allowed(c), c.unit, _needed(c)) for c in table.columns
    ]
    about = [f"One row for each {' + '.join(f'`{k}`' for k in table.key)}."]
    about += [f"`{c}` must exist in `{t}`." for c, t, _ in table.refers]
    if not table.required:
        about.append("The table may be left out.")
    return (
        f"### `{table.name}` {table.zh} ({table.code})\n\n{' '.join(about)}\n\n"
        + grid(("column", "Chinese header", "values", "unit", "needed"), rows)
    )  # fmt: skip


def tables() -> str:
    """Every table contract."""
    return "\n\n".join(_one_table(t) for t in TABLES.values())


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value: Any = field.get_default(call_default_factory=True)
    if value is None or value is PydanticUndefined or value == "":
        return "not set"
    if isinstance(value, BaseModel):
        return "as below"
    if isinstance(value, tuple) and value and isinstance(value[0], Goal):
        return ", ".join(f"{g.name} {g.tolerance:g}" for g in value)
    return f"`{list(value) if isinstance(value, tuple) else value}`"


def _bounds(field: FieldInfo) -> str:
    said = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    return ", ".join(
        f"{word} {number(getattr(m, name))}" for m in field.metadata for name, word in said.items() if hasattr(m, name)
    )  # fmt: skip


def _choices(annotation: Any) -> str:
    return ", ".join(f"`{a}`" for a in _literals(annotation))


def _literals(annotation: Any) -> list[object]:
    if typing.get_origin(annotation) is typing.Literal:
        return list(typing.get_args(annotation))
    return [x for part in typing.get_args(annotation) for x in _literals(part)]


def _keys(model: type[Any], about: dict[str, str]) -> str:
    rows: list[tuple[object, ...]] = []
    for name, field in model.model_fields.items():
        if name not in about:
            raise PluginError(
                f"the documentation says nothing about the key {name!r}: add it to docs/hooks.py"
            )
        limits = "; ".join(x for x in (_choices(field.annotation), _bounds(field)) if x)
        rows.append((f"`{name}`", about[name], limits, _default(field)))
    return grid(("key", "what it says", "allowed", "if left out"), rows)


ABOUT_SCENARIO = {
    "require": "Goals that every plan must keep: `passing`, `cv_limits`, or a goal with `at_most` or `at_least`.",
    "preset": "An order of goals by id or Chinese name; the default is standards first (达标优先).",
    "goals": "The goals in order of importance, in any order, each once; without them the preset's.",
    "budget": "Yuan by earmark; an earmark not named has nothing. Left out: the county's `budget` table.",
    "keep_open": "Ids of schools that keep every band they teach.",
    "close": "Ids of schools that must close, whatever protects them.",
    "cost_level": "Which column of `unit_costs` is charged.",
    "gap": "How close to the proven bound the first goal must come, as a share, before the solver may stop.",
    "nodes": "Nodes of the search after which a solve keeps its best plan: the same on every run and machine.",
    "seconds": "Longest time of one solve; a run has several. The best plan so far is kept, and that is said.",
    "method": "How the search goes about it: a section `[method]`, every knob of which is listed below.",
    "seed": "Handed to the solver; the same seed and input give the same plan while no time limit is reached.",
}
ABOUT_GOAL = {
    "name": "The goal.",
    "tolerance": "How much later goals may worsen this one, as a share of the value it reached.",
    "gap": "How close to its bound this goal must come; left out: the scenario's `gap`, or `slow_gap` or `later_gap` of the method.",
}
ABOUT_HEAD = {
    "name": "The county's name in its own language.",
    "name_en": "Its name in Latin letters; left out, the same as `name`.",
    "fictional": "True for an invented county; every output then says so.",
    "year": "The planning year: which rows of `demand` and `budget` are used.",
    "standards": "Files of norms that apply; later ones win.",
    "modelled": "Names of tables or columns that are modelled, not observed; every output says so.",
    "workbook": "An Excel file whose sheets carry the names of tables, English or Chinese.",
    "files": "Other file names, as `table = \"file.csv\"`; left out, `<table>.csv`.",
    "crs": "Coordinate system of a whole file, as `schools = \"EPSG:4545\"`; a row's own `crs` cell wins.",
    "mapping": "A file that says which column of which file of the bureau feeds which column here.",
    "travel": "How roads are read and slowed: a section of its own, `[travel]`.",
    "roads": "The road file; without one, times are straight-line estimates and every output says so.",
    "townships": "Background polygons with a column `township`, in any format GDAL reads.",
    "waters": "Background rivers and lakes.",
    "zones": "The villages' own polygons, with a column `village_id` if there is one; left out, zones are computed.",
}  # fmt: skip


def scenario() -> str:
    """Every key of a scenario and of a goal in it."""
    return (
        _keys(Scenario, ABOUT_SCENARIO)
        + "\n\nA goal has three keys of its own:\n\n"
        + _keys(Goal, ABOUT_GOAL)
    )


def scenario_sheet() -> str:
    """Every item of a workbook's scenario sheet."""
    rows: list[tuple[object, ...]] = []
    for item in SCENARIO.items:
        names = ", ".join(f"{en}" for _, _, en in item.choices) or ("a school" if item.source else "")
        unit = {"large": "10,000 yuan (万元)", "percent": "per cent"}.get(item.unit, item.unit or "number")
        unit = unit if item.number else ""
        about = words(f"form.about_{item.name}")
        rows.append((f"{item.word('en')} ({item.word('zh')})", names, unit, about))
    return grid(("item", "names", "value", "what it says"), rows)


def method_knobs() -> str:
    """Every knob of the method."""
    about = {
        name: (field.description or "").capitalize() + "." for name, field in Method.model_fields.items()
    }
    return _keys(Method, about)


def _from_docstring(model: type[BaseModel]) -> dict[str, str]:
    """What a settings class says about its keys, from the Parameters of its docstring."""
    text = inspect.getdoc(model) or ""
    found = re.findall(r"^(\w+) : .*\n((?: {4}.*(?:\n|$))+)", text, re.MULTILINE)
    return {name: " ".join(about.split()) for name, about in found}


def county_toml() -> str:
    """Every key of county.toml, and of the sections in it."""
    parts = [_keys(Head, ABOUT_HEAD)]
    for name, field in Head.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            parts.append(f"Keys of the section `[{name}]`:\n\n{_keys(kind, _from_docstring(kind))}")
    return "\n\n".join(parts)


def norms() -> dict[str, Standards]:
    """Each standards file that comes with junheng, and ``all`` of the default ones together."""
    found = {}
    for name in bundled():
        merged = merge((name,), {})
        found[name] = Standards(
            tuple(merged.indicators.values()), merged.rules, merged.resources, merged.scheme
        )
    both = merge(DEFAULT, {})
    return found | {
        "all": Standards(tuple(both.indicators.values()), both.rules, both.resources, both.scheme)
    }


def rules() -> str:
    """Every rule that the referee checks, how binding it is and which norms set its numbers."""
    standards = norms()["all"]
    rows: list[tuple[object, ...]] = []
    for rule in every_rule():
        numbers = [n for n in rule.norm_ids(standards) if n in standards.rules]
        rows.append((
            f"`{rule.id}`", f"**{words(f'rules.rule_{rule.id}')}**. {words(f'rules.rule_{rule.id}_about')}",
            rule.kind(standards), ", ".join(f"`{n}`" for n in numbers),
        ))  # fmt: skip
    return grid(("rule id", "what it asks", "kind", "norms with its number"), rows)


def norm_values() -> str:
    """Every norm of the standards files with its value, kind, evidence and source."""
    parts = []
    for name, standards in norms().items():
        if name == "all" or not standards.rules:
            continue
        rows: list[tuple[object, ...]] = [
            (f"`{r.id}`", catalogue("en").get(f"rules.rule_{r.id}_about", r.quantity), f"{r.operator} {number(r.value)} {'' if r.unit == '1' else r.unit}",
             r.kind, TAGS[r.tag], r.source)
            for r in standards.rules.values()
        ]  # fmt: skip
        head = ("norm id", "what it says", "value", "kind", "evidence", "source")
        parts.append(f"### Standards `{name}`\n\n{grid(head, rows)}")
    return "\n\n".join(parts)


def indicators() -> str:
    """The indicators of the default standards with the thresholds and CV limits of each stage."""
    standards = norms()["all"]
    rows: list[tuple[object, ...]] = []
    for key in dict.fromkeys(i.id for i in standards.indicators):
        here = {i.stage: i for i in standards.indicators if i.id == key}
        numbers = [here.get(s) for s in standards.scheme.stage_ids]
        rows.append((
            f"`{key}`", words(f"rules.indicator_{key}"), words(f"rules.indicator_{key}_about"),
            number(next(iter(here.values())).scale), *("" if i is None else number(i.threshold) for i in numbers),
            *("" if i is None else f"{i.cv_limit:.2f}" for i in numbers),
        ))  # fmt: skip
    stages = [s.en for s in standards.scheme.stages]
    head = (
        "id", "indicator", "counts", "scale", *(f"{s} at least" for s in stages),
        *(f"CV limit {s}" for s in stages),
    )  # fmt: skip
    return grid(head, rows)


def measures() -> str:
    """The headline measures."""
    better = {"low": "lower", "high": "higher", "": "neither"}
    rows: list[tuple[object, ...]] = [
        (f"`{m}`", words(f"rules.measure_{m}"), words(f"rules.measure_{m}_about"), better[b])
        for m, _, b in MEASURES
    ]
    return grid(("id", "measure", "what it is", "better"), rows)


def _listed(prefix: str) -> list[str]:
    return [text for key, text in catalogue("en").items() if key.startswith(prefix)]


def sheets() -> str:
    """The sheets of the workbook."""
    return "\n".join(f"1. {title}" for title in _listed("workbook.sheet_"))


def views() -> str:
    """The map's views."""
    return "\n".join(f"1. {title}" for title in _listed("map.view_"))


def speeds() -> str:
    """Free-flow speeds by mode; classes that go at the same speeds share a line."""
    with (files("geodata.roads") / "speeds.csv").open(encoding="utf-8") as file:
        table = pd.read_csv(file, keep_default_na=False)
    modes = list(dict.fromkeys(table["mode"]))
    wide = table.pivot(index="highway", columns="mode", values="kmh")[modes].fillna(0.0)
    wide = wide[(wide > 0).any(axis=1)].sort_index()
    groups = sorted(wide.groupby(modes).groups.items(), reverse=True)
    rows: list[tuple[object, ...]] = [
        (", ".join("any other class" if c == "*" else f"`{c}`" for c in classes), *[number(v) if v else "-" for v in kmh])
        for kmh, classes in groups
    ]  # fmt: skip
    return grid(("road class", *[f"{m} km/h" for m in modes]), rows)


def commands() -> str:
    """The README's commands, word for word."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(python3 -m venv .*?)```$", text, re.MULTILINE | re.DOTALL)
    if len(blocks) != 2:
        raise PluginError("README.md is expected to hold two commands that begin with python3 -m venv")
    return (
        f"Make the demonstration county and its plan:\n\n```sh\n{blocks[0]}```\n\n"
        f"Run the tests:\n\n```sh\n{blocks[1]}```"
    )


def factors() -> str:
    """Factors of stress tests, in the order in which they are applied."""
    rows = [
        (
            f"`{f.id}`",
            words(f"stress.factor_{f.id}"),
            words(f"stress.factor_{f.id}_about"),
            f"{f.low:g} to {f.high:g}",
        )
        for f in FACTORS.values()
    ]
    return grid(("id", "factor", "what it does", "range"), rows)


def futures() -> str:
    """Keys of a file of futures."""
    parts = [_keys(m, _from_docstring(m)) for m in (Futures, Uncertain, Failing)]
    return "\n\nEach `[[factor]]`:\n\n".join(parts[:2]) + "\n\n`[failure]`:\n\n" + parts[2]


def province() -> str:
    """Keys of a province's file."""
    parts = [_keys(m, _from_docstring(m)) for m in (ProvinceAsked, CountyAsked)]
    return "\n\nEach `[[county]]`:\n\n".join(parts)


PARTS = {
    "tables": tables, "county-toml": county_toml, "scenario": scenario, "scenario-sheet": scenario_sheet, "method": method_knobs, "rules": rules, "norms": norm_values,
    "indicators": indicators, "measures": measures, "sheets": sheets, "views": views, "speeds": speeds,
    "commands": commands, "factors": factors, "futures": futures, "province": province,
}  # fmt: skip


def expand(markdown: str) -> str:
    """A page's text with every generated part filled in.

    Raises
    ------
    PluginError
        For a part that does not exist.
    """

    def part(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in PARTS:
            raise PluginError(f"there is no generated part {name!r}; known: {', '.join(PARTS)}")
        return PARTS[name]()

    return MARK.sub(part, markdown)


def on_page_markdown(markdown: str, **_: object) -> str:
    """MkDocs calls this with every page."""
    return expand(markdown)
