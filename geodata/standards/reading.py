"""Reading standards files: bundled by name, a county's own by file name inside its folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from geodata.contract.findings import Finding, InputProblems, Severity, errors
from geodata.contract.settings import model_findings, settings_text, toml_content
from geodata.standards.schema import (
    RESERVED,
    About,
    Band,
    Currency,
    ExtraColumn,
    Indicator,
    Norm,
    Resource,
    Share,
    Stage,
)
from geodata.standards.scheme import Norms, Scheme

DEFAULT = ("cn_2017_quality", "cn_layout")
"""Standards of a county that names none."""
BASE = "base"
"""The bundled file that is always read first."""
BY_PLACE, BY_STAFF = "place", "staff"
"""What the id of a norm may end in: a stage or band, a kind of staff."""
UNBUNDLED = {"k_of_n_": BY_PLACE, "cv_mean_": BY_PLACE}
"""Beginnings that exist whether a bundled file has one or not."""


class StandardsFile(BaseModel):
    """One standards file; an unknown key is an error, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    about: About | None = None
    currency: Currency | None = None
    stage: tuple[Stage, ...] = ()
    band: tuple[Band, ...] = ()
    share: tuple[Share, ...] = ()
    column: tuple[ExtraColumn, ...] = ()
    resource: tuple[Resource, ...] = ()
    indicator: tuple[Indicator, ...] = ()
    rule: tuple[Norm, ...] = ()


@dataclass
class _Merged:
    """What the files said so far, each entry with the file that said it."""

    stages: tuple[Stage, ...] = ()
    bands: tuple[Band, ...] = ()
    currency: Currency | None = None
    shares: dict[str, Share] = field(default_factory=dict)
    columns: dict[tuple[str, str], ExtraColumn] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)
    indicators: dict[tuple[str, str], tuple[Indicator, str, int]] = field(default_factory=dict)
    rules: dict[str, tuple[Norm, str, int]] = field(default_factory=dict)

    def add(self, name: str, content: StandardsFile) -> None:
        """A file on top of those before; stages and bands are replaced as a whole."""
        if content.stage or content.band:
            self.stages, self.bands = content.stage, content.band
        self.currency = content.currency or self.currency
        self.shares |= {s.kind: s for s in content.share}
        self.columns |= {(c.table, c.name): c for c in content.column}
        self.resources |= {r.id: r for r in content.resource}
        rows = enumerate(content.indicator, start=1)
        self.indicators |= {(i.stage, i.id): (i, name, n) for n, i in rows}
        for n, rule in enumerate(content.rule, start=1):
            before = self.rules.get(rule.id)
            about = rule.resource or (before[0].resource if before else "")
            self.rules[rule.id] = (replace(rule, resource=about), name, n)


def bundled() -> tuple[str, ...]:
    """Names of the standards that come with the program."""
    here = (f.name for f in files("geodata.standards").iterdir())
    return tuple(sorted(n[:-5] for n in here if n.endswith(".toml") and n[:-5] != BASE))


def is_file(name: str) -> bool:
    """Whether a name in county.toml means a file of the county folder."""
    return name.endswith(".toml")


def parse(text: str, name: str) -> StandardsFile:
    """A standards file from its text.

    Raises
    ------
    InputProblems
        Not TOML, or every entry and key that is wrong in it.
    """
    content = toml_content(text, name)
    try:
        return StandardsFile(**content)
    except ValidationError as problem:
        raise InputProblems(model_findings(problem, StandardsFile, name)) from None


@cache
def read_bundled(name: str) -> StandardsFile:
    """A bundled file.

    Raises
    ------
    InputProblems
        There are no standards of that name.
    """
    file = files("geodata.standards") / f"{name}.toml"
    if name != BASE and name not in bundled():
        fields: dict[str, object] = {"name": name, "known": ", ".join(bundled())}
        raise InputProblems([Finding("error", "rules.unknown_standards", fields, file="county.toml")])
    return parse(file.read_text(encoding="utf-8"), f"{name}.toml")


def read_local(folder: Path | None, name: str) -> StandardsFile:
    """A standards file of a county folder; whether it may be opened is asked before (`refuse_outside`).

    Raises
    ------
    InputProblems
        No such file, or wrong inside.
    """
    path = None if folder is None else folder / name
    fields: dict[str, object] = {"name": name}
    if path is None or not path.is_file():
        raise InputProblems([Finding("error", "rules.no_standards_file", fields, file="county.toml")])
    return parse(settings_text(path, name), name)


def read_files(names: Iterable[str], folder: Path | None) -> dict[str, StandardsFile]:
    """The county's own files by name (bundled ones are not among them).

    Raises
    ------
    InputProblems
        Every file that cannot be used.
    """
    done, found = {}, []
    for name in names:
        if is_file(name):
            try:
                done[name] = read_local(folder, name)
            except InputProblems as problem:
                found += problem.findings
    if found:
        raise InputProblems(found)
    return done


def merge(names: Iterable[str], local: Mapping[str, StandardsFile]) -> Norms:
    """What the named files say together, later ones winning.

    Parameters
    ----------
    names : iterable of str
        As in county.toml.
    local : mapping
        Content of those that are files (`read_files`).

    Raises
    ------
    InputProblems
        Unknown names; entries that contradict each other or name what is not declared.
    """
    norms, found = merged(names, local)
    if norms is None or errors(found):
        raise InputProblems(errors(found))
    return norms


def merged(names: Iterable[str], local: Mapping[str, StandardsFile]) -> tuple[Norms | None, list[Finding]]:
    """As `merge`, without the entries that are wrong, and everything found.

    Returns
    -------
    norms : Norms or None
        None where it is not known which stages and bands there are.
    found : list of Finding
    """
    held = _Merged()
    held.add(BASE, read_bundled(BASE))
    found: list[Finding] = []
    for name in names:
        try:
            held.add(name, local[name] if is_file(name) else read_bundled(name))
        except InputProblems as problem:
            found += problem.findings
    found += _stages_wrong(held, [*local])
    found += [
        Finding("error", "rules.reserved", file=file, column=f"resource[{n}].id", value=one.id)
        for file, content in local.items()
        for n, one in enumerate(content.resource, start=1)
        if one.id in RESERVED
    ]
    if found:
        return None, found
    assert held.currency is not None  # base.toml has one
    scheme = Scheme(_upwards(held.stages), _upwards(held.bands), held.currency)
    indicators, notes = _indicators(held, scheme)
    rules, more = _rules(held, scheme)
    notes += more
    shares = {
        k: s for k, s in held.shares.items() if set(s.weights) & set(scheme.stage_ids)
    }  # of a scheme with other stages nothing is left
    norms = Norms(
        scheme, held.resources, indicators, rules, tuple(held.columns.values()), shares, tuple(notes)
    )
    return norms, notes


@cache
def default_scheme() -> Scheme:
    """Stages, bands and money of a county that declares none."""
    return merge(DEFAULT, {}).scheme


T = TypeVar("T", Stage, Band)


def _upwards(rows: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(sorted(rows, key=lambda r: r.grades))


def _stages_wrong(merged: _Merged, local: list[str]) -> list[Finding]:
    """Stages and bands that overlap, leave grades out or name a stage that is not declared."""
    file = local[-1] if local else ""
    found = []

    def wrong(key: str, value: str, **fields: object) -> None:
        found.append(Finding("error", f"rules.{key}", fields, file=file, column="band", value=value))

    taken: dict[int, str] = {}
    for s in merged.stages:
        for g in range(s.grades[0], s.grades[1] + 1):
            if g in taken:
                wrong("grade_twice", s.id, grade=g, other=taken[g])
            taken[g] = s.id
        have = sorted(g for b in merged.bands if b.stage == s.id for g in b.all_grades)
        if have != list(range(s.grades[0], s.grades[1] + 1)):
            wrong("bands_differ", s.id, first=s.grades[0], last=s.grades[1])
    known = {s.id for s in merged.stages}
    for b in merged.bands:
        if b.stage not in known:
            wrong("no_such_stage", b.stage, known=", ".join(sorted(known)))
    return found


def _indicators(merged: _Merged, scheme: Scheme) -> tuple[dict[tuple[str, str], Indicator], list[Finding]]:
    """Indicators of the county's stages; each counts a resource of its own that is declared."""
    kept: dict[tuple[str, str], Indicator] = {}
    found: list[Finding] = []
    counted: dict[tuple[str, str], str] = {}
    for (stage, name), (one, file, number) in merged.indicators.items():

        def say(key: str, value: str, severity: Severity = "error", **fields: object) -> None:
            column = f"indicator[{number}]"  # noqa: B023 - called at once
            found.append(Finding(severity, f"rules.{key}", fields, file=file, column=column, value=value))  # noqa: B023

        if stage not in scheme.stage_ids:
            known = ", ".join(scheme.stage_ids)
            say("no_such_stage", stage, "error" if is_file(file) else "note", known=known)
        elif one.resource not in merged.resources:
            say("no_such_resource", one.resource, known=", ".join(merged.resources))
        elif (stage, one.resource) in counted:
            say("counted_twice", one.resource, other=counted[stage, one.resource], name=name)
        else:
            counted[stage, one.resource] = name
            kept[stage, name] = one
    return kept, found


@cache
def rule_families() -> tuple[dict[str, str], tuple[str, ...]]:
    """Beginnings of the norm ids that end in a stage, a band or a kind of staff, and the ids that end in none.

    Taken from the bundled files: what no bundled file has, nothing in the program asks for.

    Returns
    -------
    begin : dict of str to str
        `BY_PLACE` or `BY_STAFF`, what they end in, by beginning; longer ones first.
    plain : tuple of str
    """
    begin, plain = dict(UNBUNDLED), set()
    base = read_bundled(BASE)
    for content in map(read_bundled, bundled()):
        places: list[Stage | Band] = [*base.stage, *content.stage, *base.band, *content.band]
        ends = {x.id: BY_PLACE for x in places}
        ends |= {r.id: BY_STAFF for r in (*base.resource, *content.resource) if r.kind == "heads"}
        for rule in content.rule:
            mine = [e for e in ends if rule.id.endswith(f"_{e}")]
            if mine:
                last = max(mine, key=len)
                begin[rule.id.removesuffix(last)] = ends[last]
            else:
                plain.add(rule.id)
    return dict(sorted(begin.items(), key=lambda b: -len(b[0]))), tuple(sorted(plain))


@cache
def _usual_norms() -> dict[str, Norm]:
    """A bundled norm by id, and one of each family by its beginning: how the program reads all of them."""
    families, plain = rule_families()
    every = [r for name in bundled() for r in read_bundled(name).rule]
    found = {r.id: r for r in every if r.id in plain}
    found["k_of_n_"] = found["k_of_n"]
    for one in (r for r in every if r.id not in plain):
        found.setdefault(next(f for f in families if one.id.startswith(f)), one)
    return found


def _read_otherwise(rule: Norm, family: str | None) -> tuple[str, str, str] | None:
    """A key of a norm that says what the program does not read: the key, what stands there and how it is read."""
    usual = _usual_norms().get(rule.id) or _usual_norms().get(family or "")
    if usual is None:
        return None
    if rule.operator != usual.operator:
        return "operator", rule.operator, usual.operator
    if rule.applies_to not in ("all", usual.applies_to):
        return "applies_to", rule.applies_to, usual.applies_to
    if rule.grandfather and not usual.grandfather:
        return "grandfather", "true", "false"
    return None


def norms_about(staff: str) -> set[str]:
    """Ids that the norms about a kind of staff have: a band that bears its name has others."""
    return {f"{begin}{staff}" for begin, ends in rule_families()[0].items() if ends == BY_STAFF}


def _rules(merged: _Merged, scheme: Scheme) -> tuple[dict[str, Norm], list[Finding]]:
    """Rules that something asks for and that belong to the county's stages, bands and kinds of staff."""
    kept: dict[str, Norm] = {}
    found: list[Finding] = []
    staff = tuple(r for r, x in merged.resources.items() if x.kind == "heads")
    ends = {BY_PLACE: (*scheme.stage_ids, *scheme.band_ids), BY_STAFF: staff}
    families, plain = rule_families()
    for name, (rule, file, number) in merged.rules.items():

        def say(key: str, field: str, value: str, known: Iterable[str], severity: Severity = "error") -> None:
            fields: dict[str, object] = {"known": ", ".join(known)}
            column = f"rule[{number}].{field}"  # noqa: B023 - called at once
            found.append(Finding(severity, f"rules.{key}", fields, file=file, column=column, value=value))  # noqa: B023

        family = next((f for f in families if name.startswith(f)), None)
        if rule.resource and rule.resource not in merged.resources:
            say("no_such_resource", "resource", rule.resource, merged.resources)
        elif name in plain and rule.stage in ("all", *scheme.stage_ids):
            kept[name] = rule
        elif family is not None and name not in plain:
            known = ends[families[family]]
            if name.removeprefix(family) in known:
                kept[name] = rule
            else:
                say("not_used", "id", name, known, "error" if is_file(file) else "note")
        elif name in plain:
            say("not_used", "id", name, ends[BY_PLACE], "error" if is_file(file) else "note")
        else:
            say("unknown_norm", "id", name, (*plain, *(f"{f}..." for f in families)))
        if name in kept and is_file(file) and (other := _read_otherwise(rule, family)):
            key, value, usual = other
            # the number would mean the opposite; the other keys are only what the rule is about
            say("read_otherwise", key, value, (usual,), "error" if key == "operator" else "warning")
    return kept, found
