"""Rules about places, size and classes; what breaks one today holds as "no worse than today".

| rule | equation |
|---|---|
| capacity | P[u] <= max(places, P0) open[u] |
| school_size | sum_s P[j,s] <= max(cap, P0[j]) |
| class_size | P[j,b,g] <= max(cap, P0/c0) grade_classes[j,b,g]; combined grades: P[u] <= max(cap, P0/c0) classes[u], + P0 where no class is told |
| rooms | sum_b classes[j,b] <= max(places // cap, c0) open[u] |
| min_classes | grade_classes[j,b,g] >= open[j,b]; combined: classes[u] >= open[u] |
| classes_kept | sum_b classes[j,b] >= sum_b c0[j,b] (open[j,b] - (pupils who leave) / P0[j,b]) |

P[j,b,g] counts today's pupils of a grade in proportion to who stays, and a third of each newcomer group.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geodata.arrays import Flags, Floats
from models.formulation.network import grade_pupils, leaving
from models.formulation.rows import rows_by
from models.plan.before import site_pupils
from models.rules.record import EPS, Rows, Rule, Slack, all_of, broken, looked_up, none

if TYPE_CHECKING:
    from models.plan.outcome import After

CAPS = ("class_cap_{stage}",)
SIZES = ("school_cap", "school_cap_nine", "school_cap_relief", "school_cap_nine_relief")


def _capacity(rows: Rows) -> None:
    most = rows.inst.units["most"].astype(float)
    rows.add(list(most.index), lambda m, u: m.pupils[u] <= most[u] * m.unit_open[u])


def check_capacity(after: After) -> pd.DataFrame:
    """P[u] <= places, or no more than today."""
    if not (after.new["pupils"].to_numpy(float) > after.new["capacity"].to_numpy(float)).any():
        return none()
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
    if not (site_pupils(after.new) > after.today.cap_of_site).any():
        return none()
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
    old, new = after.units, after.new
    cap = _cap_by_row(after, new["stage"])
    stands = new["open"].to_numpy(bool) & ~np.isnan(cap)
    combined = after.combined.to_numpy(bool)
    with np.errstate(invalid="ignore"):  # no cap and no class
        most = np.maximum(cap, _mean(old["pupils"], old["classes"])) * new["classes"].to_numpy(float)
    # pupils without any class told today
    most += np.where(old["classes"].to_numpy(float) == 0, old["pupils"].to_numpy(float), 0.0)
    over = stands & combined & (new["pupils"].to_numpy(float) > most + EPS)
    rows, parts = new[over].reset_index(), []
    if over.any():
        norm = "class_cap_" + rows["stage"]
        parts.append(broken(rows, "unit_id", "name", rows["pupils"], most[over], "pupils", norm=norm))
    return all_of([*parts, _over_class(after, stands & ~combined)])


def _cap_by_row(after: After, stages: pd.Series) -> Floats:
    """Cap of class by row; infinite without a norm, NaN for a stage that the standards do not have."""
    cap = _caps(after)
    return np.array([cap.get(s, np.nan) for s in stages], dtype=float)


def _mean(pupils: pd.Series, classes: pd.Series) -> Floats:
    """Pupils a class; 0 without classes."""
    people, many = pupils.to_numpy(float), classes.to_numpy(float)
    mean: Floats = np.nan_to_num(np.divide(people, many, out=np.zeros(len(people)), where=many > 0))
    return mean


def _over_class(after: After, apart: Flags) -> pd.DataFrame:
    """Bands that have fewer classes than their grades need together, of units whose grades are taught apart."""
    grades, today = after.grades, after.today
    unit = today.unit_of_band[today.band_of_grade]
    kept = np.flatnonzero(grades["open"].to_numpy(bool) & (unit >= 0) & apart[unit])
    limit = np.maximum(
        _cap_by_row(after, grades["stage"]), _mean(grades["pupils_today"], grades["classes_today"])
    )
    # a third of a group may round up
    with np.errstate(divide="ignore", invalid="ignore"):
        need = np.ceil(np.maximum(grades["pupils"].to_numpy(float) - 1.0, 0.0) / limit - EPS)
    need = np.maximum(np.nan_to_num(need, posinf=np.inf), 0)
    band = today.band_of_grade[kept]
    of_band = np.bincount(band, need[kept], minlength=len(today.bands)).astype(float)
    classes = after.bands["classes"].to_numpy()
    wrong = np.flatnonzero(np.isin(np.arange(len(of_band)), band) & (classes < of_band))
    if not len(wrong):
        return none()
    rows = today.bands.iloc[wrong][["school_id", "band"]].assign(classes=classes[wrong], need=of_band[wrong])
    rows["norm"] = "class_cap_" + rows["band"].map(after.standards.scheme.band_stage)
    return broken(rows, "school_id", "band", rows["classes"], rows["need"], "classes", norm=rows["norm"])


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
    parts = [broken(bad, "school_id", "band", bad["classes"], need[bad.index], "classes")]
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
    some = [k for k in inst.bands.index if inst.bands.at[k, "pupils"] > 0 and today.get(k, 0) > 0]
    of_unit = rows_by(inst.bands, "unit_id")
    mine = rows_by(inst.bands.loc[some], "unit_id")
    gone = leaving(rows.model, inst)
    size = inst.bands["pupils"].to_dict()
    rows.add(
        list(mine),
        lambda m, u: (
            sum(m.classes[k] for k in of_unit[u])
            >= sum(int(today[k]) * (m.open[k] - gone.get(k, 0) / float(size[k])) for k in mine[u])
        ),
    )


def check_classes_kept(after: After) -> pd.DataFrame:
    """A unit keeps today's classes for the bands that stay, less only in proportion to the pupils who leave them.

    The unit and not the band: a year's grades differ in size, and a school deals its classes out anew every year.
    """
    rows = after.band_rows
    told, today = rows["classes_today"].to_numpy(float), rows["pupils_today"].to_numpy(float)
    is_open = rows["open"].to_numpy(bool)
    share = np.divide(after.moved[1], today, out=np.ones(len(rows)), where=is_open & (today > 0))
    unit, ids = pd.factorize(rows["unit_id"])
    need = np.ceil(np.bincount(unit, told * (1.0 - share), len(ids)) - EPS)
    have = np.bincount(unit, np.where(is_open, rows["classes"].to_numpy(float), 0.0), len(ids))
    short = have < need
    if not short.any():
        return none()
    wrong = pd.DataFrame(
        {"unit_id": ids[short], "name": looked_up(pd.Series(ids[short]), after.units["name"])}
    )
    return broken(wrong, "unit_id", "name", have[short], need[short], "classes")


SEATS, ROOM = Slack("pupils", "seats"), Slack("classes", "seats")
RULES = (
    Rule("capacity", "classes", check_capacity, _capacity, ("capacity",), SEATS),
    Rule("school_size", "classes", check_school_size, _school_size, SIZES, SEATS),
    Rule("class_size", "classes", check_class_size, _class_size, CAPS, SEATS),
    Rule("rooms", "classes", check_rooms, _rooms, ("rooms",), ROOM),
    Rule("min_classes", "classes", check_min_classes, _min_classes, ("min_classes",), ROOM),
    Rule("classes_kept", "classes", check_classes_kept, _classes_kept, ("classes_kept",), ROOM),
)  # fmt: skip
