"""Rules about places, size and classes; what breaks one today holds as "no worse than today".

| rule | equation |
|---|---|
| capacity | P[u] <= max(places, P0) open[u] |
| school_size | sum_s P[j,s] <= max(cap, P0[j]) |
| class_size | P[j,b,g] <= max(cap, P0/c0) grade_classes[j,b,g]; combined grades: P[u] <= max(cap, P0/c0) classes[u], + P0 where no class is told |
| rooms | sum_b classes[j,b] <= max(places // cap, c0) open[u] |
| min_classes | grade_classes[j,b,g] >= open[j,b]; combined: classes[u] >= open[u] |
| classes_kept | classes[j,b] >= c0 open[j,b] - c0 (pupils who leave) / P0 |

P[j,b,g] counts today's pupils of a grade in proportion to who stays, and a third of each newcomer group.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from models.formulation.network import grade_pupils, leaving
from models.formulation.rows import rows_by
from models.rules.record import EPS, Rows, Rule, Slack, all_of, broken, looked_up

if TYPE_CHECKING:
    from models.plan.outcome import After

CAPS = ("class_cap_{stage}",)
SIZES = ("school_cap", "school_cap_nine", "school_cap_relief", "school_cap_nine_relief")


def _capacity(rows: Rows) -> None:
    most = rows.inst.units["most"].astype(float)
    rows.add(list(most.index), lambda m, u: m.pupils[u] <= most[u] * m.unit_open[u])


def check_capacity(after: After) -> pd.DataFrame:
    """P[u] <= places, or no more than today."""
    rows = after.new.reset_index()
    today = looked_up(rows["unit_id"], after.units["pupils"])
    over = rows["pupils"] > rows["capacity"]
    eased = rows["pupils"] <= today
    bad = rows[over]
    return broken(bad, "unit_id", "name", bad["pupils"], bad["capacity"], "pupils", eased[bad.index])


def _school_size(rows: Rows) -> None:
    inst = rows.inst
    today = inst.units.groupby("school_id")["pupils"].sum().astype(float)
    sites = {j: r for j, r in rows_by(inst.units, "school_id").items() if np.isfinite(inst.school_cap[j])}
    for norm in SIZES:
        some = [j for j in sites if inst.size_norm[j] == norm]
        rows.add(
            some,
            lambda m, j: sum(m.pupils[u] for u in sites[j]) <= max(float(inst.school_cap[j]), today[j]),
            norm=norm,
            part=norm,
        )


def check_school_size(after: After) -> pd.DataFrame:
    """Site total within its size cap, or no more than today."""
    total = after.new.groupby("school_id")["pupils"].sum().rename("pupils").reset_index()
    today = total["school_id"].map(after.units.groupby("school_id")["pupils"].sum())
    total["cap"], total["norm"] = (
        total["school_id"].map(after.site_cap),
        total["school_id"].map(after.size_norm),
    )
    total["name"] = total["school_id"].map(after.county.schools.set_index("school_id")["name"])
    wrong = total[total["pupils"] > total["cap"]]
    eased = (total["pupils"] <= today)[wrong.index]
    return broken(wrong, "school_id", "name", wrong["pupils"], wrong["cap"], "pupils", eased, wrong["norm"])


def _class_cap(inst: Any, unit: str, pupils: float, classes: float) -> float:
    """Most pupils a class, or today's mean where that is more."""
    return max(float(inst.of_unit(unit, "class_cap")), pupils / classes if classes > 0 else 0.0)


def _class_size(rows: Rows) -> None:
    inst = rows.inst
    grades, units = inst.grades, inst.units
    of_unit = rows_by(inst.bands, "unit_id")
    for stage in inst.standards.scheme.stage_ids:
        norm = f"class_cap_{stage}"
        mine = [u for u in of_unit if units.at[u, "stage"] == stage]
        if not rows.binds(norm) or not mine:
            continue
        combined = [u for u in mine if units.at[u, "combined"]]
        mean = {u: _class_cap(inst, u, units.at[u, "pupils"], units.at[u, "classes"]) for u in combined}
        # pupils without any class told today stay as they are
        untold = {u: 0.0 if units.at[u, "classes"] > 0 else float(units.at[u, "pupils"]) for u in combined}
        rows.add(
            combined,
            lambda m, u, mean=mean, untold=untold: (
                m.pupils[u] <= mean[u] * sum(m.classes[k] for k in of_unit[u]) + untold[u]
            ),
            norm=norm,
            part=f"{stage}_combined",
        )
        apart = set(mine) - set(combined)
        some = grades[grades["unit_id"].isin(apart)]
        keys = list(some.index)
        cap = {
            k: _class_cap(inst, u, pupils, classes)
            for k, u, pupils, classes in zip(
                keys, some["unit_id"], some["pupils"], some["classes"], strict=True
            )
        }
        rows.add(
            keys,
            lambda m, *k, cap=cap: grade_pupils(m, inst, k) <= cap[k] * m.grade_classes[k],
            norm=norm,
            part=stage,
        )


def _caps(after: After) -> dict[str, float]:
    return {s: after.number(f"class_cap_{s}") for s in after.standards.scheme.stage_ids}


def check_class_size(after: After) -> pd.DataFrame:
    """Every grade fits its classes, at most the cap or today's mean a class.

    The plan says classes by band: it has to be as many as its grades need together. Where grades are
    taught together today, the unit's classes hold all its pupils.
    """
    cap = _caps(after)
    units = after.new[after.new["open"] & after.new["stage"].isin(cap)].reset_index()
    units["cap"], units["norm"] = units["stage"].map(cap).astype(float), "class_cap_" + units["stage"]
    old = units[["unit_id"]].join(after.units[["pupils", "classes"]], on="unit_id")
    mean = (old["pupils"] / old["classes"].where(old["classes"] > 0)).fillna(0.0)
    combined = looked_up(units["unit_id"], after.combined).astype(bool)
    most = np.maximum(units["cap"], mean) * units["classes"]
    most += old["pupils"].where(old["classes"] == 0, 0)  # pupils without any class told today
    wrong = units[combined & (units["pupils"] > most + EPS)]
    parts = [
        broken(wrong, "unit_id", "name", wrong["pupils"], most[wrong.index], "pupils", norm=wrong["norm"])
    ]
    grades = after.grades
    grades = grades[grades["open"] & grades["unit_id"].isin(units.loc[~combined, "unit_id"])]
    grades = grades.assign(norm="class_cap_" + grades["stage"])
    limit = grades["stage"].map(cap).astype(float)
    today = (grades["pupils_today"] / grades["classes_today"].where(grades["classes_today"] > 0)).fillna(0.0)
    # a third of a group may round up
    need = np.ceil((grades["pupils"] - 1.0).clip(lower=0) / np.maximum(limit, today) - EPS)
    grades["need"] = np.maximum(need, 0)
    band = grades.groupby(["school_id", "band", "name", "norm", "classes"], as_index=False)["need"].sum()
    wrong = band[band["classes"] < band["need"]]
    parts.append(
        broken(wrong, "school_id", "name", wrong["classes"], wrong["need"], "classes", norm=wrong["norm"])
    )
    return all_of(parts)


def _rooms(rows: Rows) -> None:
    of_unit = rows_by(rows.inst.bands, "unit_id")
    rooms = rows.inst.units["rooms"].to_dict()
    rows.add(
        list(of_unit), lambda m, u: sum(m.classes[k] for k in of_unit[u]) <= int(rooms[u]) * m.unit_open[u]
    )


def check_rooms(after: After) -> pd.DataFrame:
    """Classes of a unit fit its rooms: places // cap, or today's classes."""
    rows = after.new.reset_index()
    cap = rows["stage"].map(_caps(after)).astype(float)
    by_places = (rows["capacity"] // cap).replace(np.inf, 0)
    most = np.maximum(by_places, looked_up(rows["unit_id"], after.units["classes"]))
    wrong = rows[rows["classes"] > most]
    return broken(wrong, "unit_id", "name", wrong["classes"], most[wrong.index], "classes")


def _min_classes(rows: Rows) -> None:
    inst = rows.inst
    of_unit = rows_by(inst.bands, "unit_id")
    combined = {u for u in of_unit if inst.units.at[u, "combined"]}
    least = {u: min(1, int(inst.units.at[u, "classes"])) for u in combined}
    rows.add(
        sorted(combined), lambda m, u: sum(m.classes[k] for k in of_unit[u]) >= least[u] * m.unit_open[u],
        part="combined",
    )  # fmt: skip
    some = inst.grades[~inst.grades["unit_id"].isin(combined)]
    one = {k: min(1, int(n)) for k, n in some["classes"].items()}
    rows.add(list(one), lambda m, j, b, g: m.grade_classes[j, b, g] >= one[j, b, g] * m.open[j, b])


def check_min_classes(after: After) -> pd.DataFrame:
    """Every grade of an open band has a class, where grades are not taught together today."""
    rows = after.band_rows
    combined = looked_up(rows["unit_id"], after.combined).astype(bool)
    need = np.minimum(rows["grades"], rows["classes_today"])
    bad = rows[~combined & rows["open"] & (rows["classes"] < need)]
    parts = [broken(bad, "school_id", "name", bad["classes"], need[bad.index], "classes")]
    units = after.open_units
    some = units[looked_up(units["unit_id"], after.combined).astype(bool)]
    short = some[some["classes"] < np.minimum(1, looked_up(some["unit_id"], after.units["classes"]))]
    parts.append(broken(short, "unit_id", "name", short["classes"], 1, "classes"))
    extra = rows[~rows["open"] & (rows["classes"] > 0)]
    parts.append(broken(extra, "school_id", "name", extra["classes"], 0, "classes"))
    return all_of(parts)


def _classes_kept(rows: Rows) -> None:
    inst = rows.inst
    today = inst.grades.groupby(level=["school_id", "band"])["classes"].sum()
    keys = [k for k in inst.bands.index if inst.bands.at[k, "pupils"] > 0 and today.get(k, 0) > 0]
    gone = leaving(rows.model, inst)
    size = inst.bands["pupils"].to_dict()
    rows.add(
        keys,
        lambda m, j, b: (
            m.classes[j, b] >= int(today[j, b]) * (m.open[j, b] - gone.get((j, b), 0) / float(size[j, b]))
        ),
    )


def check_classes_kept(after: After) -> pd.DataFrame:
    """A band that stays keeps today's classes, less only in proportion to the pupils who leave it."""
    rows = after.band_rows
    rows = rows[rows["open"] & (rows["pupils_today"] > 0)].copy()
    travel = after.travel[after.travel["changed"]]
    gone = travel.groupby(["today_school_id", "band"])["pupils"].sum()
    left = [gone.get(k, 0) for k in zip(rows["school_id"], rows["band"], strict=True)]
    need = np.ceil(rows["classes_today"] * (1.0 - np.array(left) / rows["pupils_today"]) - EPS)
    wrong = rows[rows["classes"] < need]
    return broken(wrong, "school_id", "name", wrong["classes"], need[wrong.index], "classes")


SEATS, ROOM = Slack("pupils", "seats"), Slack("classes", "seats")
RULES = (
    Rule("capacity", "classes", check_capacity, _capacity, ("capacity",), SEATS),
    Rule("school_size", "classes", check_school_size, _school_size, SIZES, SEATS),
    Rule("class_size", "classes", check_class_size, _class_size, CAPS, SEATS),
    Rule("rooms", "classes", check_rooms, _rooms, ("rooms",), ROOM),
    Rule("min_classes", "classes", check_min_classes, _min_classes, ("min_classes",), ROOM),
    Rule("classes_kept", "classes", check_classes_kept, _classes_kept, ("classes_kept",), ROOM),
)  # fmt: skip
