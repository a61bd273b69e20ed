"""What must agree between tables: ids, sums and units (sources.md 3.4); where things stand is `geodata.checks.places`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from geodata.bureau.matching import rounds_to
from geodata.checks.participation import (
    attendance_taught,
    demand_met,
    enrolment_and_demand,
    somebody,
    staff_there,
    stages_taught,
    upwards,
)
from geodata.checks.places import close_schools, positions
from geodata.contract.cells import code_points, fifteen, lost_digits, made_a_date, skeleton
from geodata.contract.findings import Finding, Severity
from geodata.contract.groups import check_groups
from geodata.contract.tables import TABLES
from geodata.contract.unknown import unknown
from geodata.contract.validation.placed import Tables
from geodata.standards.schema import ABOVE
from geodata.standards.scheme import Norms

SHARED = (
    "area_teaching", "area_indoor_sport", "area_sport_ground", "equip_value", "rooms_multimedia",
    "rooms_multimedia_working",
)  # fmt: skip
"""Assets of a school of several stages that are divided between them."""
PROTECTED = r"none|lock_open|lock_until\([0-9]{4}\)|donor|ethnic|border|new_asset"
"""Reasons for which a school may not be closed; a word of another spelling would protect nothing."""


def unknown_ids(tables: Tables) -> list[Finding]:
    """Ids that another table does not have, in all rows; one that only looks like a known id is shown so."""
    found = []
    for name, placed in tables.items():
        for column, target, key in TABLES[name].refers:
            if target not in tables or not tables[target].known(key):
                continue  # said already: the table cannot be read, or there is none
            known = tables[target].known(key)
            alike = {skeleton(k): k for k in sorted(known)}
            long = {fifteen(k): k for k in sorted(known) if fifteen(k)}
            short = [k for k in known if lost_digits(k)]
            for row, value in placed.all_ids(column):
                if (
                    value in known
                    or not value
                    or lost_digits(value)
                    or any(rounds_to(value, k) for k in short)
                ):
                    continue  # an id without its last digits is said where it stands
                fields: dict[str, object] = {"target": tables[target].file}
                at: dict[str, Any] = {
                    "file": placed.file,
                    "table": name,
                    "row": row,
                    "column": column,
                    "value": value,
                }
                other = alike.get(skeleton(value)) or long.get(fifteen(value))
                if other is not None:
                    fields |= {"other": other, "codes": code_points(value, other)}
                message = "tables.unknown_id" if other is None else "tables.looks_like_id"
                found.append(Finding("error", message, fields, **at))
    return found


def unit_sanity(tables: Tables, norms: Norms) -> list[Finding]:
    """Values that suggest a wrong unit or an impossible class."""
    placed = tables["school_stage"].all_rows()
    f = placed.frame
    found: list[Finding] = []

    def add(
        mask: pd.Series, key: str, column: str, severity: Severity = "warning", **more: pd.Series
    ) -> None:
        for i in np.flatnonzero(mask.fillna(False).to_numpy(bool)):
            value, pupils = f[column].iloc[i], f["pupils"].iloc[i]
            whole = TABLES["school_stage"].column(column).kind == "whole"
            at = placed.at("school_stage", int(i), column, int(value) if whole else value)
            fields: dict[str, object] = {"pupils": "-" if pd.isna(pupils) else int(pupils)}
            fields |= {name: f"{values.iloc[i]:g}" for name, values in more.items()}
            found.append(Finding(severity, key, fields, **at))

    if norms.scheme.currency.en == "yuan":  # what is plausible is known for this money only
        per = f["equip_value"] / f["pupils"].clip(lower=1)
        add(
            (f["pupils"] > 0) & f["shared_assets"].eq(False) & ((per < 300) | (per > 8000)),
            "tables.wan_yuan",
            "equip_value",
        )
    add(f["area_indoor_sport"] > f["area_teaching"], "tables.indoor_more", "area_indoor_sport", "error")
    add(f["boarders"].astype(float) > f["pupils"], "tables.more_boarders", "boarders", "error")
    working = f["rooms_multimedia_working"].astype(float)
    add(working > f["rooms_multimedia"], "tables.more_working", "rooms_multimedia_working", "error")
    add((f["pupils"] > 0) & (f["classes"] == 0), "tables.no_classes", "classes", "error")
    caps = {s: norms.rules.get(f"class_cap_{s}") for s in norms.scheme.stage_ids}
    cap = (
        f["stage"].map({s: np.nan if rule is None else rule.value for s, rule in caps.items()}).astype(float)
    )
    add(f["classes"] * cap < f["pupils"], "tables.big_classes", "classes", cap=cap)
    add(f["capacity_pupils"] < f["pupils"], "tables.over_capacity", "capacity_pupils")
    return found


def sums(tables: Tables, year: int, norms: Norms) -> list[Finding]:
    """Grades against units, attendance against units and demand."""
    found: list[Finding] = []
    units = tables["school_stage"].frame.set_index(["school_id", "stage"])["pupils"]

    def compare(name: str, have: pd.Series, key: str) -> None:
        gone = tables[name].lost("school_id")
        if gone is None:
            return  # rows were left out, and whose they are is not known
        both = pd.DataFrame({"have": have, "want": units}).dropna()
        both = both[np.array([(school,) not in gone for school, _ in both.index], dtype=bool)]
        for (school, stage), row in both[both["have"] != both["want"]].iterrows():
            fields: dict[str, object] = {
                "school": school,
                "stage": stage,
                "have": int(row["have"]),
                "want": int(row["want"]),
            }
            found.append(Finding("warning", key, fields, file=tables[name].file, table=name))

    if len(tables["enrolment_by_grade"].frame):
        grades = tables["enrolment_by_grade"].frame
        stage = grades["grade"].map(norms.scheme.stage_of_grade)
        compare(
            "enrolment_by_grade", grades.groupby(["school_id", stage])["pupils"].sum(), "tables.grades_sum"
        )
    if len(tables["attendance"].frame):
        going = tables["attendance"].frame
        stage = going["band"].map(norms.scheme.band_stage)
        compare("attendance", going.groupby(["school_id", stage])["pupils"].sum(), "tables.attendance_sum")
        demand = tables["demand"].frame
        demand = demand[demand["year"] == year].groupby(["village_id", "band"])["pupils_base"].sum()
        seen = going.groupby(["village_id", "band"])["pupils"].sum()
        both = pd.DataFrame({"have": seen, "want": demand}).dropna()
        gone = [tables[n].lost("village_id", "band") for n in ("attendance", "demand")]
        lost = set[tuple[str, ...]]().union(*(g or () for g in gone))
        both = both[np.array([None not in gone and key not in lost for key in both.index], dtype=bool)]
        off = both[both["have"] != both["want"]]
        if len(off):
            (village, band), row = off.index[0], off.iloc[0]
            fields: dict[str, object] = {
                "count": len(off), "village": village, "band": band, "have": int(row["have"]), "want": int(row["want"]),
            }  # fmt: skip
            found.append(Finding("warning", "tables.demand_sum", fields, file=tables["attendance"].file))
    return found


def has_year(tables: Tables, name: str, year: int, severity: Severity) -> list[Finding]:
    """The planning year stands in the table (demand, budget)."""
    years = tables[name].all_rows().frame["year"]
    if years.empty or years.isna().any() or (years == year).any():
        return []  # no row, none of a year that is not known, or the year is there
    return [Finding(severity, f"tables.no_year_{name}", {"year": year}, file=tables[name].file, table=name)]


ALWAYS = (
    "rotation_subsidy", "itinerant", "bus_pupil", "transition_grant", "mothball", "site_running",
)  # fmt: skip
"""Unit costs that a plan may need whatever the standards count."""


def needed_costs(norms: Norms) -> tuple[str, ...]:
    """Items of unit costs that a plan under these standards may need."""
    counted = [norms.resources[r] for r in dict.fromkeys(i.resource for i in norms.indicators.values())]
    things = [item for r in counted for item in (*r.price, r.move_price) if item]
    funds = [f"public_funds_{s}" for s in norms.scheme.stage_ids if "small_school_funds" in norms.rules]
    return tuple(dict.fromkeys([*ALWAYS, *things, *funds]))


def costs(tables: Tables, norms: Norms) -> list[Finding]:
    """Every unit cost that a plan may need is there."""
    have = tables["unit_costs"].known("item")
    if not have:
        return []  # no prices at all, or none that can be read
    return [
        Finding("error", "tables.no_cost", {"item": item}, file=tables["unit_costs"].file, table="unit_costs")
        for item in needed_costs(norms)
        if item not in have
    ]


def staff_flags(tables: Tables) -> list[Finding]:
    """Staff rows use categories of their own stage, at units that exist."""
    placed = tables["staff_stock"]
    known, units = tables["staff_category"].known_keys(), tables["school_stage"].known_keys()
    schools = tables["schools"].known("school_id") if "schools" in tables else None
    read = set(tables["school_stage"].frame["stage"])
    unclear = {school for school, stage in units if stage not in read}  # which unit it is is not known
    if any(not school for school, _ in units):
        units = set()  # whose row it is is not known
    found = []
    for row, school, stage, cat in placed.ids[["school_id", "stage", "cat_id"]].itertuples(name=None):
        at: dict[str, Any] = {"file": placed.file, "table": "staff_stock", "row": int(row)}
        if stage and cat and known and (cat, stage) not in known:
            fields: dict[str, object] = {"stage": stage}
            found.append(Finding("error", "tables.category_stage", fields, **at, column="cat_id", value=cat))
        there = (schools is None or school in schools) and school not in unclear  # else said already
        if school and stage and units and there and (school, stage) not in units:
            fields = {"stage": stage}
            found.append(Finding("error", "tables.no_unit", fields, **at, column="school_id", value=school))
    return found


def school_words(tables: Tables) -> list[Finding]:
    """Grades are written as 1-6, 1-9 or K-5, upwards; a protection is one that the model knows."""
    placed = tables["schools"].all_rows()
    found = []
    rows = zip(placed.frame["grades_served"], placed.frame["protected"], strict=True)
    for i, (grades, protected) in enumerate(rows):
        if not pd.isna(grades) and not upwards(str(grades)):
            at = placed.at("schools", i, "grades_served", grades)
            key = "tables.grades_dated" if made_a_date(str(grades)) else "tables.grades"
            found.append(Finding("error", key, {}, **at))
        if not pd.isna(protected) and not re.fullmatch(PROTECTED, str(protected)):
            at = placed.at("schools", i, "protected", protected)
            found.append(Finding("error", "tables.protected", {}, **at))
    return found


def shared_assets(tables: Tables) -> list[Finding]:
    """A school that reports its assets as a whole does so on every row, with the same totals."""
    placed = tables["school_stage"].all_rows()
    known = placed.frame[placed.frame["shared_assets"].notna()]
    flagged = known["shared_assets"].astype(bool)
    some = flagged.groupby(known["school_id"]).agg(["any", "all"])
    many = known[flagged].groupby("school_id")[list(SHARED)].nunique() > 1
    columns = {school: many.columns[row] for school, row in many.iterrows() if row.any()}
    columns |= {school: ["shared_assets"] for school in some.index[some["any"] & ~some["all"]]}
    return [
        Finding(
            "error", "tables.shared_disagree", {"columns": ", ".join(which)}, file=placed.file,
            table="school_stage", value=str(school),
        )
        for school, which in sorted(columns.items())
    ]  # fmt: skip


def above_known(tables: Tables, norms: Norms) -> list[Finding]:
    """Shared assets are divided with the grades above, so their pupils must be known."""
    schools, stage = tables["schools"].all_rows(), tables["school_stage"].all_rows().frame
    sharing = set(stage.loc[stage["shared_assets"].eq(True), "school_id"])
    kinds = {k for k, share in norms.shares.items() if ABOVE in share.weights}
    f = schools.frame
    lacking = f["school_id"].isin(sharing) & f["kind"].isin(kinds) & (f["pupils_above"] == 0)
    return [
        Finding(
            "error",
            "tables.pupils_above",
            {},
            **schools.at("schools", int(i), "pupils_above", f["name"].iloc[i]),
        )
        for i in np.flatnonzero(lacking)
    ]


def parents(tables: Tables) -> list[Finding]:
    """A place that does not count as a school names the school in which it is assessed; a name that is none is said."""
    placed = tables["schools"].all_rows()
    f = placed.frame
    counted = set(f.loc[f["counted"].eq(True), "school_id"])
    alone = f["counted"].eq(False) & ~f["parent_id"].isin(counted)
    named = f["parent_id"].fillna("").ne("") & ~f["parent_id"].isin(placed.known("school_id")) & ~alone
    found = []
    for i in np.flatnonzero(alone):
        at = placed.at("schools", int(i), "parent_id", f["name"].iloc[i])
        found.append(Finding("warning", "tables.no_parent", {}, **at))
    for i in np.flatnonzero(named):
        at = placed.at("schools", int(i), "parent_id", f["parent_id"].iloc[i])
        found.append(Finding("warning", "tables.unknown_parent", {}, **at))
    return found


def cross_check(tables: Tables, year: int, norms: Norms) -> list[Finding]:
    """Every check between tables whose tables could be read; a broken table hides no fault of the others."""
    checks: tuple[tuple[str, Callable[[], list[Finding]]], ...] = (
        ("", lambda: unknown_ids(tables)),
        ("", lambda: positions(tables)),
        ("schools", lambda: close_schools(tables)),
        ("schools", lambda: school_words(tables)),
        ("school_stage", lambda: shared_assets(tables)),
        ("schools", lambda: parents(tables)),
        ("schools school_stage", lambda: above_known(tables, norms)),
        ("school_stage", lambda: unit_sanity(tables, norms)),
        ("schools school_stage", lambda: stages_taught(tables, norms.scheme)),
        ("unit_costs", lambda: costs(tables, norms)),
        ("school_stage enrolment_by_grade attendance demand", lambda: sums(tables, year, norms)),
        ("demand", lambda: has_year(tables, "demand", year, "error")),
        ("budget", lambda: has_year(tables, "budget", year, "warning")),
        ("schools demand", lambda: demand_met(tables, year, norms.scheme)),
        ("schools attendance", lambda: attendance_taught(tables, norms.scheme)),
        ("school_stage", lambda: unknown(tables, norms)),
    )
    over_all: tuple[tuple[str, Callable[[], list[Finding]]], ...] = (
        ("schools school_stage", lambda: somebody(tables)),
        ("schools school_stage demand", lambda: enrolment_and_demand(tables, year, norms.scheme)),
        ("school_stage attendance", lambda: check_groups(tables, norms.scheme)),
        ("school_stage staff_stock", lambda: staff_there(tables, norms.scheme)),
    )
    there = {n for n, table in tables.items() if len(table.all_rows().frame) or not TABLES[n].required}
    found = [f for needs, check in checks if set(needs.split()) <= there for f in check()]
    if {"staff_stock", "staff_category", "school_stage"} <= tables.keys() and len(tables["staff_stock"].ids):
        found += staff_flags(tables)
    # sums over a whole table that lost rows would say what is not so
    complete = {n for n, table in tables.items() if table.whole and n in there}
    return found + [f for needs, check in over_all if set(needs.split()) <= complete for f in check()]
