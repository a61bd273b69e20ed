"""A county's school network alone, least travel: the project's rules in Pyomo, and written once more in linopy.

Which bands stay, who attends where, classes, closures and their pace (`models.formulation.network`), without teachers, money
and imbalance. This is what stating a county takes in linopy when the coefficients are found in the county's tables
by linopy's own means: sums over groups, selections, broadcasts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.arrays import handed, handed_over, shape, through
from benchmarks.cases import Found, Setting
from benchmarks.county_ways import ready, sets_and_data
from geodata.contract.county import County
from models.formulation.network import NETWORK_RULES, choice_groups, network_variables, pupil_minutes
from models.problem.instance import Instance

Read = Callable[[], County]


def in_pyomo(inst: Instance) -> Any:
    """The project's own rules, with travel as goal."""
    import pyomo.environ as pyo

    model = pyo.ConcreteModel()
    network_variables(model, inst)
    for rule in NETWORK_RULES:
        rule(model, inst)
    model.goal_travel = pyo.Objective(expr=pupil_minutes(model, inst) / float(inst.groups["pupils"].sum()))
    return model


def with_pyomo(read: Read, setting: Setting) -> Iterator[Found]:
    """The project: stated in Pyomo, handed over by its bridge."""
    from optimizer.solver.bridge import Bridge

    inst = sets_and_data(read)[2]
    yield Found("data")
    model = in_pyomo(inst)
    yield Found("build")
    bridge = Bridge(model, {"travel": model.goal_travel})
    yield Found("hand over", shape=shape(bridge.highs))
    yield through(bridge, "travel", setting, relaxed=True)[0]
    yield through(bridge, "travel", setting, relaxed=False)[0]


def with_highspy(read: Read, setting: Setting) -> Iterator[Found]:
    """No modelling layer: the ready matrix."""
    made = ready(in_pyomo(sets_and_data(read)[2]))
    yield Found("data")
    yield from handed_over(handed(made.arrays), setting)


def with_linopy(read: Read, setting: Setting) -> Iterator[Found]:
    """The rules once more, by linopy's own means."""
    import linopy

    inst = sets_and_data(read)[2]
    yield Found("data")
    m = in_linopy(inst)
    yield Found("build")
    yield from handed_over(linopy.io.to_highspy(m), setting)


# in linopy: dimensions are whole numbers, the places in the tables


def _array(values: Any, dim: str) -> Any:
    import xarray as xr

    values = np.asarray(values)
    return xr.DataArray(values, coords={dim: np.arange(len(values))}, dims=[dim])


def _at(what: Any, places: Any, dim: str) -> Any:
    """A variable or expression at places of its only dimension, laid along another one."""
    (old,) = what.coord_dims if hasattr(what, "coord_dims") else what.dims
    expression = what.to_linexpr() if hasattr(what, "to_linexpr") else what
    found = expression.isel({old: np.asarray(places, dtype=int)})
    return found.assign_coords({old: np.arange(len(places))}).rename({old: dim})


def _sums(what: Any, label: Any, dim: str, many: int) -> Any:
    """Sums over the rows of a label, one for each of so many labels."""
    import xarray as xr

    expression = what.to_linexpr() if hasattr(what, "to_linexpr") else what
    (old,) = expression.coord_dims
    group = xr.DataArray(
        np.asarray(label, dtype=int), coords={old: expression.coords[old]}, dims=[old], name=dim
    )
    return expression.groupby(group).sum().reindex({dim: np.arange(many)}).fillna(0)


class _Tables:
    """The instance's tables with places instead of names."""

    def __init__(self, inst: Instance):
        self.inst = inst
        self.bands = inst.bands.reset_index()
        self.place = {k: i for i, k in enumerate(inst.bands.index)}
        self.bands["unit"] = inst.units.index.get_indexer(self.bands["unit_id"])
        self.bands["site"] = inst.school_cap.index.get_indexer(self.bands["school_id"])
        pairs = inst.pairs
        self.pairs = pairs.assign(k=self.band_of(pairs["school_id"], pairs["band"]))
        moving = choice_groups(inst).reset_index()
        reach = pairs[["g", "school_id"]].drop_duplicates().rename(columns={"g": "zone_row"})
        follow = moving.merge(reach, on="zone_row")
        follow = follow[follow["school_id"] != follow["today_school_id"]].reset_index(drop=True)
        follow["home"] = self.band_of(follow["today_school_id"], follow["band"])
        self.follow = follow.assign(k=self.band_of(follow["school_id"], follow["band"]))

    def band_of(self, school: pd.Series, band: pd.Series) -> list[int]:
        """Places in the table of bands; -1 where the school does not take part with that band."""
        return [self.place.get(k, -1) for k in zip(school, band, strict=True)]


def in_linopy(inst: Instance) -> Any:
    """`in_pyomo` in linopy."""
    import linopy

    m, t = linopy.Model(), _Tables(inst)
    lock = t.bands["lock"]
    unit_rooms = inst.units["rooms"].to_numpy()
    opened = m.add_variables(
        _array(1.0 * (lock == "open"), "band"), _array(1.0 * (lock != "closed"), "band"), integer=True, name="open"
    )  # fmt: skip
    v = {
        "open": opened,
        "attend": m.add_variables(binary=True, coords=[pd.RangeIndex(len(t.pairs), name="pair")], name="attend"),
        "unit_open": m.add_variables(0, _array(np.ones(len(inst.units)), "unit"), name="unit_open"),
        "pupils": m.add_variables(0, _array(inst.units["most"].to_numpy(float), "unit"), name="pupils"),
        "classes": m.add_variables(0, _array(1.0 * unit_rooms[t.bands["unit"]], "band"), integer=True, name="classes"),
        "closed": m.add_variables(0, _array(np.ones(len(inst.school_cap)), "site"), name="closed"),
        "band_pupils": m.add_variables(0, _array(np.full(len(t.bands), np.inf), "band"), name="band_pupils"),
    }  # fmt: skip
    if len(t.follow):
        v["follow"] = m.add_variables(0, _array(np.ones(len(t.follow)), "follow"), name="follow")
    _opening(m, t, v)
    _attending(m, t, v)
    if len(t.follow):
        _following(m, t, v)
    _counting(m, t, v)
    _classes(m, t, v)
    _pace(m, t, v)
    minutes = t.pairs["pupils"] * t.pairs["minutes"] / float(inst.groups["pupils"].sum())
    m.add_objective((_array(minutes, "pair") * v["attend"]).sum())
    return m


def _opening(m: Any, t: _Tables, v: dict[str, Any]) -> None:
    """`unit_opens`, `bands_from_top`, `junior_per_township`."""
    inst, bands = t.inst, t.bands
    m.add_constraints(_at(v["unit_open"], bands["unit"], "band") - v["open"] >= 0, name="unit_open_above")
    m.add_constraints(
        v["unit_open"] - _sums(v["open"], bands["unit"], "unit", len(inst.units)) <= 0, name="unit_open_below"
    )
    m.add_constraints(_at(v["closed"], bands["site"], "band") + v["open"] <= 1, name="site_closed")
    teaching = np.unique(bands["site"])
    of_site = _sums(v["open"], np.searchsorted(teaching, bands["site"]), "site", len(teaching))
    m.add_constraints(_at(v["closed"], teaching, "site") + of_site >= 1, name="site_counted")
    upper = [
        k
        for k, b in enumerate(bands["band"])
        if b == "g4_6" and (bands.at[k, "school_id"], "g1_3") in t.place
    ]
    if upper:
        lower = [t.place[bands.at[k, "school_id"], "g1_3"] for k in upper]
        m.add_constraints(_at(v["open"], upper, "row") - _at(v["open"], lower, "row") <= 0, name="from_top")
    junior = np.flatnonzero(bands["band"] == "g7_9")
    town, towns = pd.factorize(bands["unit_id"].map(inst.units["township"]).iloc[junior])
    if len(towns):
        m.add_constraints(
            _sums(_at(v["open"], junior, "row"), town, "town", len(towns)) >= 1, name="junior_kept"
        )


def _attending(m: Any, t: _Tables, v: dict[str, Any]) -> None:
    """`assign_groups`, `attend_open`, `no_bus_past_school`."""
    pairs, blocked = t.pairs, t.inst.blocked_bus
    group, groups = pd.factorize(pairs["g"])
    m.add_constraints(_sums(v["attend"], group, "group", len(groups)) == 1, name="assign")
    lock = np.array([*t.bands["lock"], ""])[pairs["k"]]
    free = np.flatnonzero(lock != "open")
    key, keys = pd.factorize(pd.MultiIndex.from_frame(pairs.iloc[free][["g", "k"]]))
    attending = _sums(_at(v["attend"], free, "free"), key, "row", len(keys))
    m.add_constraints(attending - _at(v["open"], [k for _, k in keys], "row") <= 0, name="attend_open")
    if len(blocked):
        past = _at(v["open"], t.band_of(blocked["school_id"], blocked["band"]), "row")
        m.add_constraints(_at(v["attend"], blocked["p"], "row") + past <= 1, name="no_bus_past")


def _following(m: Any, t: _Tables, v: dict[str, Any]) -> None:
    """Choice groups of `count_pupils`: they stay while their school keeps the band, else follow their village."""
    follow = t.follow
    number = follow.reset_index(names="f")[["f", "zone_row", "school_id"]].rename(columns={"zone_row": "g"})
    along = t.pairs.reset_index(names="p").merge(number, on=["g", "school_id"])
    village = _sums(_at(v["attend"], along["p"], "along"), along["f"], "follow", len(follow))
    stays = _at(v["open"], follow["home"], "follow")
    m.add_constraints(v["follow"] - village + stays >= 0, name="choice_follows")
    group, groups = pd.factorize(follow["g"])
    home = follow.drop_duplicates("g")["home"]
    placed = _sums(v["follow"], group, "group", len(groups))
    m.add_constraints(placed + _at(v["open"], home, "group") == 1, name="choice_placed")


def _counting(m: Any, t: _Tables, v: dict[str, Any]) -> None:
    """`count_pupils` and `site_size`."""
    inst, many = t.inst, len(t.bands)
    choice = inst.groups[~inst.groups["main"]].groupby(["today_school_id", "band"])["pupils"].sum()
    stay = choice.reindex(inst.bands.index.set_names(["today_school_id", "band"])).fillna(0.0)
    there = np.flatnonzero(t.pairs["k"] >= 0)
    some = _array(t.pairs["pupils"].to_numpy(float)[there], "there") * _at(v["attend"], there, "there")
    total = v["band_pupils"] - _array(stay.to_numpy(), "band") * v["open"]
    total = total - _sums(some, t.pairs["k"].to_numpy()[there], "band", many)
    come = np.flatnonzero(t.follow["k"] >= 0)
    if len(come):
        more = _array(t.follow["pupils"].to_numpy(float)[come], "come") * _at(v["follow"], come, "come")
        total = total - _sums(more, t.follow["k"].to_numpy()[come], "band", many)
    m.add_constraints(total == 0, name="count_band")
    of_unit = _sums(v["band_pupils"], t.bands["unit"], "unit", len(inst.units))
    m.add_constraints(v["pupils"] - of_unit == 0, name="count_unit")
    most = _array(inst.units["most"].to_numpy(float), "unit")
    m.add_constraints(v["pupils"] - most * v["unit_open"] <= 0, name="capacity")
    site, sites = pd.factorize(inst.units["school_id"])
    shared = np.flatnonzero(np.bincount(site) > 1)
    if len(shared):
        cap = _array(inst.school_cap.loc[sites[shared]].to_numpy(float), "site")
        m.add_constraints(
            _at(_sums(v["pupils"], site, "site", len(sites)), shared, "site") <= cap, name="site_cap"
        )


def _classes(m: Any, t: _Tables, v: dict[str, Any]) -> None:
    """`class_count`."""
    units, bands = t.inst.units, t.bands
    cap = _array(units["class_cap"].to_numpy(float)[bands["unit"]], "band")
    m.add_constraints(v["band_pupils"] - cap * v["classes"] <= 0, name="class_size")
    least = _array(bands["min_classes"].to_numpy(float), "band")
    m.add_constraints(v["classes"] - least * v["open"] >= 0, name="class_least")
    used = np.unique(bands["unit"])
    of_unit = _sums(v["classes"], np.searchsorted(used, bands["unit"]), "unit", len(used))
    rooms = _array(units["rooms"].to_numpy(float)[used], "unit")
    m.add_constraints(of_unit - rooms * _at(v["unit_open"], used, "unit") <= 0, name="class_rooms")


def _pace(m: Any, t: _Tables, v: dict[str, Any]) -> None:
    """`pace`."""
    inst, value, hard = t.inst, t.inst.standards.value, t.inst.standards.hard
    home = inst.units.drop_duplicates("school_id").set_index("school_id")["township"]
    sites = [k for k, j in enumerate(inst.school_cap.index) if j in home.index]
    closing = _at(v["closed"], sites, "row")
    if hard("closures_township"):
        town, towns = pd.factorize(home.loc[inst.school_cap.index[sites]])
        m.add_constraints(
            _sums(closing, town, "town", len(towns)) <= value("closures_township"), name="pace_township"
        )
    if hard("closures_share"):
        m.add_constraints(
            closing.sum() <= int(value("closures_share") * len(sites) + 1e-9), name="pace_county"
        )
    if hard("moved_share"):
        changed = np.flatnonzero(t.pairs["changed"])
        moved = (
            _array(t.pairs["pupils"].to_numpy(float)[changed], "row") * _at(v["attend"], changed, "row")
        ).sum()
        leaving = choice_groups(inst)
        pupils = leaving["pupils"].to_numpy(float)
        if len(leaving):
            kept = _at(v["open"], t.band_of(leaving["today_school_id"], leaving["band"]), "row")
            moved = moved - (_array(pupils, "row") * kept).sum()
        most = value("moved_share") * float(inst.groups["pupils"].sum())
        m.add_constraints(moved <= most - float(pupils.sum()), name="pace_pupils")
