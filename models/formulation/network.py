"""Which bands each site keeps, where every village attends, how many classes follow.

One small function per rule; each adds one named component to the Pyomo model.

| symbol | component | source |
|---|---|---|
| open[j,b] | ``model.open`` | decision |
| attend[i,b,j,m] | ``model.attend[p]``, p a row of ``Instance.pairs`` | decision |
| y (choice group g stays) | ``open[today_school]`` | T6 |
| P[u] | ``model.pupils[u]`` | follows |
| classes[j,b] | ``model.classes`` | decision |
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyomo.environ as pyo

from models.districting.assignment import only_if_open, served_once, within_room
from models.formulation.rows import rows_by
from models.problem.instance import Instance

Model: TypeAlias = Any  # Pyomo has no types


def network_variables(model: Model, inst: Instance) -> None:
    """Declare open, attend, pupils, classes and whole-site closure."""
    keys = list(inst.bands.index)
    model.open = pyo.Var(keys, domain=pyo.Binary)
    for key, lock in inst.bands["lock"].items():
        if lock != "free":
            model.open[key].fix(1 if lock == "open" else 0)
    model.attend = pyo.Var(list(inst.pairs.index), domain=pyo.Binary)
    model.unit_open = pyo.Var(list(inst.units.index), bounds=(0, 1))
    model.pupils = pyo.Var(list(inst.units.index), bounds=lambda m, u: (0, float(inst.units.at[u, "most"])))
    model.classes = pyo.Var(
        keys, domain=pyo.NonNegativeIntegers, bounds=lambda m, j, b: (0, _rooms(inst, j, b))
    )
    model.closed = pyo.Var(list(inst.school_cap.index), bounds=(0, 1))


def _rooms(inst: Instance, school_id: str, band: str) -> int:
    return int(inst.units.at[inst.bands.at[(school_id, band), "unit_id"], "rooms"])


def unit_opens(model: Model, inst: Instance) -> None:
    """A unit is open while it teaches a band: unit_open[u] >= open[j,b], <= sum_b open[j,b]."""
    of_unit = rows_by(inst.bands, "unit_id")
    units = list(inst.units.index)
    model.unit_open_above = pyo.Constraint(
        list(inst.bands.index),
        rule=lambda m, j, b: m.unit_open[inst.bands.at[(j, b), "unit_id"]] >= m.open[j, b],
    )
    model.unit_open_below = pyo.Constraint(
        units, rule=lambda m, u: m.unit_open[u] <= sum(m.open[k] for k in of_unit.get(u, []))
    )
    of_site = rows_by(inst.bands, "school_id")
    sites = [j for j in inst.school_cap.index if j in of_site]
    model.site_closed = pyo.Constraint(
        [(j, b) for j in sites for _, b in of_site[j]], rule=lambda m, j, b: m.closed[j] <= 1 - m.open[j, b]
    )
    model.site_counted = pyo.Constraint(
        sites, rule=lambda m, j: m.closed[j] >= 1 - sum(m.open[k] for k in of_site[j])
    )


def assign_groups(model: Model, inst: Instance) -> None:
    """Every zone group goes whole to one site by one mode: sum_{j,m} attend[i,b,j,m] = 1."""
    served_once(model, rows_by(inst.pairs, "g"))


def attend_open(model: Model, inst: Instance) -> None:
    """Nobody attends a closed band: sum_m attend[i,b,j,m] <= open[j,b]."""
    lock = inst.bands["lock"].to_dict()
    rows = {
        k: r
        for k, r in rows_by(inst.pairs, "g", "school_id", "band").items()
        if lock.get((k[1], k[2])) != "open"
    }
    only_if_open(model, rows, {(g, j, b): model.open[j, b] for g, j, b in rows})


def bands_from_top(model: Model, inst: Instance) -> None:
    """Bands of a stage close from the top: open[j,b] <= open[j,b'], b' the next lower band taught there."""
    rows = [
        (j, upper, lower)
        for j in inst.school_cap.index
        for s in inst.standards.scheme.stage_ids
        for lower, upper in pairwise(
            b for b in inst.standards.scheme.bands_of(s) if (j, b) in inst.bands.index
        )
    ]
    model.from_top = pyo.Constraint(rows, rule=lambda m, j, b, lower: m.open[j, b] <= m.open[j, lower])


def no_bus_past_school(model: Model, inst: Instance) -> None:
    """No bus past a school within walking: attend[i,b,j,bus] + open[j',b] <= 1."""
    rows = [tuple(r) for r in inst.blocked_bus[["p", "school_id", "band"]].itertuples(index=False)]
    model.no_bus_past = pyo.Constraint(rows, rule=lambda m, p, j, b: m.attend[p] + m.open[j, b] <= 1)


def choice_groups(inst: Instance) -> pd.DataFrame:
    """Groups that by-pass their zone today and whose school could give up the band."""
    rows = inst.groups[~inst.groups["main"]]
    lock = inst.bands["lock"]
    may_close = [
        lock.get((s, b), "open") != "open" for s, b in zip(rows["today_school_id"], rows["band"], strict=True)
    ]
    return rows[np.array(may_close, dtype=bool)]


def count_pupils(model: Model, inst: Instance) -> None:
    """Enrolment follows attendance.

    P[j,b] = sum_i n[i,b] attend[i,b,j,.] + choice pupils; a choice group stays while its school keeps
    the band (n open[j,b]) and otherwise follows its village (``follow[g,j] >= attend - open``).
    """
    model.band_pupils = pyo.Var(list(inst.bands.index), domain=pyo.NonNegativeReals)
    zone = rows_by(inst.pairs, "school_id", "band")
    size = inst.pairs["pupils"].astype(int).to_dict()
    stays = {
        k: int(v)
        for k, v in inst.groups[~inst.groups["main"]]
        .groupby(["today_school_id", "band"])["pupils"]
        .sum()
        .items()
    }
    moving = choice_groups(inst)
    reach = inst.pairs[["g", "school_id"]].drop_duplicates()
    follow = moving.reset_index().merge(reach, left_on="zone_row", right_on="g", suffixes=("", "_zone"))
    follow = follow[follow["school_id"] != follow["today_school_id"]]
    keys = [(int(r.g), r.school_id) for r in follow.itertuples()]
    pupils = moving["pupils"].to_dict()
    home = moving["today_school_id"].to_dict()
    band = moving["band"].to_dict()
    model.follow = pyo.Var(keys, bounds=(0, 1))
    of_zone = rows_by(inst.pairs, "g", "school_id")
    zone_row = moving["zone_row"].to_dict()
    model.choice_follows = pyo.Constraint(
        keys,
        rule=lambda m, g, j: (
            m.follow[g, j] >= sum(m.attend[p] for p in of_zone[zone_row[g], j]) - m.open[home[g], band[g]]
        ),
    )
    to: dict[int, list[tuple[int, str]]] = {}
    for key in keys:
        to.setdefault(key[0], []).append(key)
    model.choice_placed = pyo.Constraint(
        sorted(to), rule=lambda m, g: sum(m.follow[k] for k in to[g]) == 1 - m.open[home[g], band[g]]
    )
    arriving: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for g, j in keys:
        arriving.setdefault((j, band[g]), []).append((g, j))

    def rule(m: Model, j: str, b: str) -> Any:
        total = stays.get((j, b), 0) * m.open[j, b]
        total += sum(size[p] * m.attend[p] for p in zone.get((j, b), []))
        total += sum(int(pupils[g]) * m.follow[g, s] for g, s in arriving.get((j, b), []))
        return m.band_pupils[j, b] == total

    model.count_band = pyo.Constraint(list(inst.bands.index), rule=rule)
    of_unit = rows_by(inst.bands, "unit_id")
    model.count_unit = pyo.Constraint(
        list(inst.units.index),
        rule=lambda m, u: m.pupils[u] == sum(m.band_pupils[k] for k in of_unit.get(u, [])),
    )


def site_size(model: Model, inst: Instance) -> None:
    """P[u] <= capacity[u] open[u]; sum_s P[j,s] <= size cap of the site (sources.md 1.6 item 4)."""
    units = list(inst.units.index)
    within_room(
        model, {u: model.pupils[u] for u in units}, inst.units["most"].astype(float).to_dict(),
        {u: model.unit_open[u] for u in units},
    )  # fmt: skip
    many = {j: r for j, r in rows_by(inst.units, "school_id").items() if len(r) > 1}
    model.site_cap = pyo.Constraint(
        list(many), rule=lambda m, j: sum(m.pupils[u] for u in many[j]) <= float(inst.school_cap[j])
    )


def class_count(model: Model, inst: Instance) -> None:
    """P[j,b] <= cap classes[j,b]; sum_b classes <= rooms; an open band has its least classes."""
    cap = {k: float(inst.units.at[u, "class_cap"]) for k, u in inst.bands["unit_id"].items()}
    least = inst.bands["min_classes"].to_dict()
    keys = list(inst.bands.index)
    model.class_size = pyo.Constraint(
        keys, rule=lambda m, j, b: m.band_pupils[j, b] <= cap[j, b] * m.classes[j, b]
    )
    model.class_least = pyo.Constraint(
        keys, rule=lambda m, j, b: m.classes[j, b] >= least[j, b] * m.open[j, b]
    )
    of_unit = rows_by(inst.bands, "unit_id")
    model.class_rooms = pyo.Constraint(
        list(of_unit),
        rule=lambda m, u: (
            sum(m.classes[k] for k in of_unit[u]) <= int(inst.units.at[u, "rooms"]) * m.unit_open[u]
        ),
    )


def junior_per_township(model: Model, inst: Instance) -> None:
    """A township that has classes of the rule's stage keeps a school: sum_j open[j,b] >= 1 over its bands b."""
    rule = inst.standards.get("junior_per_township")
    if rule is None:
        return
    kept = inst.standards.scheme.bands_of(rule.stage)
    rows = inst.bands[inst.bands.index.get_level_values("band").isin(kept)]
    town = rows["unit_id"].map(inst.units["township"])
    keys = {t: list(r.index) for t, r in rows.groupby(town)}
    model.junior_kept = pyo.Constraint(list(keys), rule=lambda m, t: sum(m.open[k] for k in keys[t]) >= 1)


def pace(model: Model, inst: Instance) -> None:
    """Closures a township and in all, pupils whose school changes (sources.md 5.4 C5)."""
    town = inst.units.drop_duplicates("school_id").set_index("school_id")["township"]
    sites = [j for j in inst.school_cap.index if j in town.index]
    of_town = {t: [j for j in sites if town[j] == t] for t in sorted(set(town))}
    value = inst.standards.value
    if inst.standards.hard("closures_township"):
        model.pace_township = pyo.Constraint(
            list(of_town),
            rule=lambda m, t: sum(m.closed[j] for j in of_town[t]) <= value("closures_township"),
        )
    if inst.standards.hard("closures_share"):
        most = int(value("closures_share") * len(sites) + 1e-9)
        model.pace_county = pyo.Constraint(expr=sum(model.closed[j] for j in sites) <= most)
    if inst.standards.hard("moved_share"):
        most_moved = value("moved_share") * float(inst.groups["pupils"].sum())
        moved = pupils_changed(model, inst)
        if not isinstance(moved, int):  # a fixed network that moves nobody leaves a plain 0
            model.pace_pupils = pyo.Constraint(expr=moved <= most_moved)


def pupils_changed(model: Model, inst: Instance) -> Any:
    """Pupils whose school changes, as an expression."""
    rows = inst.pairs[inst.pairs["changed"]]
    moving = choice_groups(inst)
    leave = [int(r.pupils) * (1 - model.open[r.today_school_id, r.band]) for r in moving.itertuples()]
    return sum(int(n) * model.attend[p] for p, n in rows["pupils"].items()) + sum(leave)


def pupil_minutes(model: Model, inst: Instance) -> Any:
    """Pupil-minutes of the zone groups (choice groups that stay are constant), as an expression."""
    rows = inst.pairs
    return sum(
        float(n) * float(t) * model.attend[p]
        for p, n, t in zip(rows.index, rows["pupils"], rows["minutes"], strict=True)
    )


NETWORK_RULES = (
    unit_opens, assign_groups, attend_open, bands_from_top, no_bus_past_school, count_pupils, site_size,
    class_count, junior_per_township, pace,
)  # fmt: skip
