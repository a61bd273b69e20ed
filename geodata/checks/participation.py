"""Who takes part, and whether schools, stages, grades and pupils speak of the same county.

A model needs at least one school, one pupil and one place for every grade that somebody is of; what
is missing is said here, before anything is planned.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from geodata.contract.findings import Finding, Severity
from geodata.contract.validation.placed import Tables
from geodata.standards.scheme import Scheme

SMALL_DIFFERENCE = 0.01
"""Enrolment and demand that differ by less than this share are noted, not warned of [A]."""
NAMED = 5


def taking_part(schools: pd.DataFrame) -> pd.Series:
    """Open, public, ordinary schools: those that a plan is about."""
    ordinary = ~schools["kind"].str.startswith(("special", "private")).fillna(True).astype(bool)
    return ordinary & schools["public"].eq(True) & schools["status"].eq("open")


def grades_of(served: str) -> set[int]:
    """Grades of a text such as ``1-6``, ``1-3,7-9`` or ``K-5`` (K is grade 0); unreadable parts give none."""
    found: set[int] = set()
    for part in re.split("[,，]", str(served).upper().replace("K", "0")):
        ends = part.strip().split("-")
        if len(ends) <= 2 and all(e.strip().isdigit() for e in ends):
            found.update(range(int(ends[0]), int(ends[-1]) + 1))
    return found


def upwards(served: str) -> bool:
    """Whether grades are written as 1-6, 1-3,7-9 or K-5, each part upwards."""
    if not re.fullmatch(r"(K|[0-9]+)(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*", served):
        return False
    ends = [[int(n) for n in part.replace("K", "0").split("-")] for part in served.split(",")]
    return all(part[0] <= part[-1] for part in ends)


def _legible(schools: pd.DataFrame) -> pd.Series:
    """Whether the grades of a school can be read."""
    return schools["grades_served"].map(lambda served: upwards(str(served))).astype(bool)


def _stage_grades(scheme: Scheme) -> dict[str, set[int]]:
    return {s.id: set(range(s.grades[0], s.grades[1] + 1)) for s in scheme.stages}


def stages_taught(tables: Tables, scheme: Scheme) -> list[Finding]:
    """Every stage that a school of the plan teaches has its row in school_stage, and every row is taught."""
    schools, units = tables["schools"].all_rows(), tables["school_stage"].all_rows()
    rows, of_stage = units.known_keys(), _stage_grades(scheme)
    unclear = {school for school, stage in rows if stage not in of_stage}
    if any(not school for school, _ in rows):
        return []  # whose row it is is not known
    part = taking_part(schools.frame) & schools.frame["school_id"].notna() & _legible(schools.frame)
    taught = {s: grades_of(g) for s, g in zip(schools.frame["school_id"], schools.frame["grades_served"], strict=True)}  # fmt: skip
    found = []
    for i in np.flatnonzero(part):
        school, name = (str(schools.frame[c].iloc[i]) for c in ("school_id", "name"))
        for stage, grades in of_stage.items():
            if taught[school] & grades and (school, stage) not in rows and school not in unclear:
                at = schools.at("schools", int(i), "grades_served", schools.frame["grades_served"].iloc[i])
                fields: dict[str, object] = {
                    "school": school,
                    "name": name,
                    "stage": stage,
                    "target": units.file,
                }
                found.append(Finding("error", "tables.stage_row_missing", fields, **at))
    planned = set(schools.frame.loc[part, "school_id"])
    for n, row in enumerate(units.frame.itertuples()):
        if (
            row.school_id in planned
            and row.stage in of_stage
            and not taught[row.school_id] & of_stage[row.stage]
        ):
            at = units.at("school_stage", n, "stage", row.stage)
            fields = {
                "school": row.school_id,
                "stage": row.stage,
                "pupils": row.pupils,
                "target": schools.file,
            }
            severity: Severity = "error" if not pd.isna(row.pupils) and row.pupils > 0 else "warning"
            found.append(Finding(severity, "tables.stage_not_taught", fields, **at))
    return found


def somebody(tables: Tables) -> list[Finding]:
    """At least one school takes part, has pupils and is counted."""
    schools, units = tables["schools"], tables["school_stage"]
    part = taking_part(schools.frame)
    if not part.any():
        return [Finding("error", "tables.nobody_takes_part", {"count": len(part)}, schools.file, "schools")]
    planned = units.frame[units.frame["school_id"].isin(schools.frame.loc[part, "school_id"])]
    if not len(planned) and not units.frame["school_id"].isin(schools.known("school_id")).any():
        return []  # every id is unknown, which is said
    if not len(planned):
        return [
            Finding("error", "tables.nobody_takes_part", {"count": len(part)}, units.file, "school_stage")
        ]
    if not planned["pupils"].sum() > 0 and planned["pupils"].notna().any():
        return [Finding("error", "tables.no_pupils", {"count": len(planned)}, units.file, "school_stage", column="pupils")]  # fmt: skip
    if not schools.frame.loc[part, "counted"].astype(bool).any():
        return [Finding("warning", "tables.nobody_assessed", {}, schools.file, "schools", column="counted")]
    return []


def demand_met(tables: Tables, year: int, scheme: Scheme) -> list[Finding]:
    """There is demand in the planning year, and a school for every band of it."""
    placed = tables["demand"].all_rows()
    rows = placed.frame[placed.frame["year"] == year]
    if not len(rows):
        return []  # said by `has_year`
    if not rows["pupils_base"].sum() > 0:
        none = Finding(
            "error", "tables.no_demand", {"year": year}, placed.file, "demand", column="pupils_base"
        )
        return [none] if placed.whole else []
    schools = tables["schools"].all_rows().frame
    served = schools.loc[taking_part(schools), "grades_served"]
    known = schools[["kind", "public", "status"]].notna().all(axis=None) and _legible(schools).all()
    if not len(served) or not known:
        return []  # said already, or not known
    offered = [grades_of(g) for g in served]
    pupils = rows.groupby("band")["pupils_base"].sum()
    return [
        Finding(
            "error", "tables.band_without_school", {"band": band, "pupils": int(pupils[band]), "year": year,
            "grades": f"{scheme.band_grades[band][0]}-{scheme.band_grades[band][-1]}"}, placed.file, "demand", column="band", value=band,
        )
        for band in scheme.band_ids
        if pupils.get(band, 0) > 0 and not any(set(scheme.band_grades[band]) <= g for g in offered)
    ]  # fmt: skip


def enrolment_and_demand(tables: Tables, year: int, scheme: Scheme) -> list[Finding]:
    """Pupils at school today against the pupils of the planning year, stage by stage.

    A plan for fewer pupils than today's looks better for that alone, so the difference is always said.
    """
    units, demand = tables["school_stage"].frame, tables["demand"]
    schools = tables["schools"].frame
    planned = units[units["school_id"].isin(schools.loc[taking_part(schools), "school_id"])]
    if not len(planned):
        return []  # said already
    if planned["pupils"].isna().any():
        return []  # nothing to compare with
    today = planned.groupby("stage")["pupils"].sum()
    rows = demand.frame[demand.frame["year"] == year]
    then = rows["pupils_base"].groupby(rows["band"].map(scheme.band_stage)).sum()
    found = []
    for stage in scheme.stage_ids:
        have, want = int(today.get(stage, 0)), int(then.get(stage, 0))
        if have == want or not len(rows):
            continue
        severity: Severity = "note" if abs(want - have) <= SMALL_DIFFERENCE * have else "warning"
        fields: dict[str, object] = {
            "stage": stage, "have": have, "want": want, "difference": f"{want - have:+d}", "year": year,
        }  # fmt: skip
        found.append(Finding(severity, "tables.enrolment_demand", fields, demand.file, "demand"))
    return found


def attendance_taught(tables: Tables, scheme: Scheme) -> list[Finding]:
    """Pupils that attend a school which does not teach their grades, or take no part in the plan."""
    placed, schools = tables["attendance"], tables["schools"].all_rows().frame
    schools = schools[schools["school_id"].notna() & _legible(schools)]
    rows = placed.frame.reset_index(drop=True)
    taught = {s: grades_of(g) for s, g in zip(schools["school_id"], schools["grades_served"], strict=True)}
    wrong = [
        p > 0 and s in taught and not taught[s] & set(scheme.band_grades[b])
        for s, b, p in zip(rows["school_id"], rows["band"], rows["pupils"], strict=True)
    ]
    if not any(wrong):
        return []
    first = int(np.flatnonzero(wrong)[0])
    at = placed.at("attendance", first, "school_id", rows["school_id"].iloc[first])
    schools_named = list(dict.fromkeys(rows.loc[wrong, "school_id"]))
    fields: dict[str, object] = {
        "count": sum(wrong), "pupils": int(rows.loc[wrong, "pupils"].sum()), "band": rows["band"].iloc[first],
        "names": ", ".join(schools_named[:NAMED]) + (" ..." if len(schools_named) > NAMED else ""),
    }  # fmt: skip
    return [Finding("warning", "tables.attendance_not_taught", fields, **at)]


def staff_there(tables: Tables, scheme: Scheme) -> list[Finding]:
    """Somebody teaches: a county without a single head is named, stage by stage."""
    placed = tables["staff_stock"]
    if placed.frame.empty:
        return []  # no table at all: said by `unknown`
    heads = placed.frame.groupby("stage")["heads"].sum()
    units = tables["school_stage"].frame
    stages = [s for s in scheme.stage_ids if units.loc[units["stage"] == s, "pupils"].sum() > 0]
    return [
        Finding("warning", "tables.no_staff", {"stage": s}, placed.file, "staff_stock", column="heads")
        for s in stages
        if not heads.get(s, 0) > 0 and not placed.frame.loc[placed.frame["stage"] == s, "heads"].isna().any()
    ]
