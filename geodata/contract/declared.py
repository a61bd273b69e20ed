"""The tables as one county's standards need them: its stages, bands and grades, columns that a file adds."""

from __future__ import annotations

from dataclasses import replace

from geodata.contract.columns import Column, Table
from geodata.contract.findings import Finding
from geodata.contract.tables import TABLES
from geodata.standards.reading import norms_about
from geodata.standards.scheme import Norms


def declared_tables(norms: Norms) -> dict[str, Table]:
    """The contract of every table for a county's standards.

    Columns that an indicator counts are asked for, and an empty cell of a school's is not known; those that a default indicator would count and nothing
    here does are not. Grades and the choices of ``stage`` and ``band`` are the county's.

    Parameters
    ----------
    norms : Norms

    Returns
    -------
    dict of str to Table
        As `geodata.contract.tables.TABLES`.
    """
    counted = _counted(norms)
    may = {c for r in norms.resources.values() for c in (*r.flags, *(name for name, _ in r.terms))}
    done = {}
    for name, table in TABLES.items():
        known = {c.name for c in table.columns}
        extra = tuple(
            Column(
                c.name,
                c.zh,
                c.kind,
                c.required or c.name in counted,
                0,
                c.high,
                c.unit,
                measure=name == "school_stage" and c.name in counted,
            )
            for c in norms.columns
            if c.table == name and c.name not in known
        )
        columns = [_column(c, norms, name, counted, may) for c in table.columns]
        done[name] = replace(table, columns=(*columns, *extra))
    return done


def undeclared_columns(norms: Norms, tables: dict[str, Table]) -> list[Finding]:
    """Resources that an indicator counts from columns that no table has."""
    found = []
    for name in dict.fromkeys(i.resource for i in norms.indicators.values()):
        one = norms.resources[name]
        table = "staff_category" if one.kind == "heads" else "school_stage"
        known = {c.name for c in tables[table].columns if c.kind in ("whole", "number")}
        asked = one.flags if one.kind == "heads" else tuple(c for c, _ in one.terms)
        fields: dict[str, object] = {"name": name, "table": table}
        found += [
            Finding("error", "rules.no_such_column", fields, file="county.toml", column="standards", value=c)
            for c in asked
            if c not in known
        ]
    return found


def _counted(norms: Norms) -> set[str]:
    """Columns that indicators or floors count."""
    used = {i.resource for i in norms.indicators.values()}
    resources = [r for name, r in norms.resources.items() if name in used]
    counted = {c for r in resources for c in (*r.flags, *(name for name, _ in r.terms))}
    asked = {
        name
        for name, r in norms.resources.items()
        for n in norms.rules.values()
        if n.kind != "off" and (n.resource == name or (r.kind == "heads" and n.id in norms_about(name)))
    }  # a rule may be about staff that no indicator counts
    return counted | {f for name in asked for f in norms.resources[name].flags}


def _column(column: Column, norms: Norms, table: str, counted: set[str], may: set[str]) -> Column:
    """One column of the default contract as the standards need it."""
    scheme = norms.scheme
    if column.name == "stage":
        more = ("all",) if table == "standards" else ()
        words = tuple((w, s.id) for s in scheme.stages for w in (s.zh, s.en))
        return replace(column, choices=(*scheme.stage_ids, *more), words=words)
    if column.name == "band":
        words = tuple((w, b.id) for b in scheme.bands for w in (b.zh, b.en))
        return replace(column, choices=scheme.band_ids, words=words)
    if column.name in ("grade", "grade_min", "grade_max"):
        low, high = scheme.grades
        return replace(column, low=low, high=high)
    if table in ("school_stage", "staff_category"):
        if column.name in counted:
            return replace(column, required=True, default=None, measure=table == "school_stage")
        if column.name in may and column.required:
            return replace(column, required=False, default=0, measure=False)
    return column
