"""`Instance`: a county and a request turned into the sets and data of the model (docs/model).

Everything here is a table indexed as the mathematics is; the constraint families read it and nothing
else. An instance of a few townships has the same form as that of a whole county.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from geodata.contract.county import County
from geodata.travel.times import TravelTimes
from models.problem.baseline import FAR_MINUTES, scaled_minutes, site_bands, sites, today_groups
from models.problem.indicators import category_flags, merged_units, unit_table
from models.problem.request import Request, budgets
from models.standards.norms import Standards


@dataclass(frozen=True)
class Instance:
    """Sets and data of one planning model.

    Parameters
    ----------
    units : DataFrame
        Index unit_id; ``school_id, stage, township, zone, kind, rural, pupils, classes, capacity,
        rooms, class_cap, assessed, may_grow`` (could pass the assessment threshold) and a column per
        resource (today's amount).
    bands : DataFrame
        Index (school_id, band): ``unit_id, full, grades, lock`` (open, closed, free),
        ``min_classes``.
    school_cap : Series
        Largest allowed size by school_id.
    groups : DataFrame
        Index g: `today_groups` plus ``zone_row`` (index of the village's zone group).
    pairs : DataFrame
        Index p: admissible ``g, school_id, band, mode, minutes, changed`` (bool), ``stay`` (bool).
    blocked_bus : DataFrame
        ``p, school_id, band``: pair p (a bus) must not be used while that site teaches the band.
    stock : DataFrame
        Index (unit_id, cat_id): ``heads, fixed`` (heads that leave only if the unit closes).
    categories : DataFrame
        Index (stage, cat_id): movable, hireable, annual_cost, a column (0 or 1) per declared resource
        that is staff, ``down``: (stage, cat_id) in which its heads may also work, lower stages, same flags.
    links : tuple of (township, township)
        Townships between which staff may move, same township included.
    centres : dict
        (stage, resource) -> m, the planned mean ratio per pupil, of every counted resource.
    population : dict
        stage -> N, pupils of the assessed population about which the measure is scaled.
    """

    county: County
    standards: Standards
    request: Request
    units: pd.DataFrame
    bands: pd.DataFrame
    school_cap: pd.Series
    groups: pd.DataFrame
    pairs: pd.DataFrame
    blocked_bus: pd.DataFrame
    stock: pd.DataFrame
    categories: pd.DataFrame
    links: tuple[tuple[str, str], ...]
    costs: dict[str, float]
    budget: dict[str, float]
    centres: dict[tuple[str, str], float]
    population: dict[str, float]
    nearest_kept: tuple[int, ...] = ()

    def centred(self, centres: dict[tuple[str, str], float], population: dict[str, float]) -> Instance:
        """The same instance about another planned mean (docs/model/imbalance.md, re-centring)."""
        return replace(self, centres=centres, population=population)

    @cached_property
    def heads_today(self) -> dict[tuple[str, str], int]:
        """Heads by unit and category."""
        return {k: int(n) for k, n in self.stock["heads"].to_dict().items()}

    @cached_property
    def counting(self) -> dict[tuple[str, str], list[str]]:
        """(stage, resource that is staff, or "all") -> categories whose heads count."""
        found = {}
        for stage in self.categories.index.unique("stage"):
            table = self.categories.loc[stage]
            found[stage, "all"] = list(table.index)
            found.update({(stage, r): list(table.index[table[r] == 1]) for r in self.standards.heads})
        return found

    @cached_property
    def items(self) -> tuple[str, ...]:
        """Counted resources that are things."""
        return self.standards.items

    @cached_property
    def movable_items(self) -> tuple[str, ...]:
        """Those that go to other schools when theirs closes."""
        return self.standards.movable_items

    @cached_property
    def measured(self) -> dict[str, tuple[str, ...]]:
        """Resources whose spread is measured, by stage: counted by an indicator, and the county has some.

        A stage in which nobody is assessed measures nothing (docs/indicators.md).
        """
        counted = merged_units(self.units, self.standards)
        counted = counted[counted["assessed"]]
        return {
            s: tuple(r for r in rs if counted.loc[counted["stage"] == s, r].sum() > 0)
            for s, rs in self.standards.measured.items()
        }

    @cached_property
    def stage_of(self) -> dict[str, str]:
        """Stage by unit."""
        return dict(self.units["stage"])


def _school_caps(county: County, standards: Standards, stages: pd.DataFrame) -> pd.Series:
    """Largest allowed size of each site, with the relief of sources.md 1.6 item 4."""
    rows = sites(county).set_index("school_id")
    both = rows["kind"].isin(["nine_year", "twelve_year"])
    migrants = stages.groupby("school_id")["migrants"].sum().astype(float)
    pupils = stages.groupby("school_id")["pupils"].sum()
    relief = rows["built_year"].fillna(9999).le(2010) | (migrants / pupils.clip(lower=1)).gt(0.5).reindex(
        rows.index, fill_value=False
    )
    caps = {i: standards.limit(i, np.inf) for i in ("school_cap", "school_cap_nine")}
    eased_caps = {i: standards.limit(f"{i}_relief", cap) for i, cap in caps.items()}
    plain = np.where(both, caps["school_cap_nine"], caps["school_cap"])
    eased = np.where(both, eased_caps["school_cap_nine"], eased_caps["school_cap"])
    places = stages.groupby("school_id")["capacity_pupils"].sum().reindex(rows.index).fillna(0.0)
    cap = pd.Series(np.where(relief, eased, plain), index=rows.index, dtype=float)
    return cap.where(np.isfinite(cap), places)


def _units(county: County, standards: Standards, school_cap: pd.Series) -> pd.DataFrame:
    units = unit_table(county, standards)
    units = units[units["taking_part"]].copy()
    units["rural"] = units["zone"].eq("rural")
    largest = float(max(units["capacity"].max(), units["pupils"].max(), 1)) if len(units) else 1.0
    # without a norm one class may hold whatever any unit holds
    units["class_cap"] = units["stage"].map(class_caps(standards)).astype(float).clip(upper=largest)
    units["rooms"] = np.maximum(units["capacity"] // units["class_cap"], units["classes"]).astype(int)
    most = np.minimum(units["capacity"], units["school_id"].map(school_cap))
    least = standards.limit("assessed_min", 1.0)
    units["may_grow"] = ~units["assessed"] & (most >= least) & (units["pupils"] < least)
    units["most"] = np.maximum(most, 0)
    return units


def class_caps(standards: Standards) -> dict[str, float]:
    """Largest class by stage; without such a norm any class will do."""
    return {s: standards.limit(f"class_cap_{s}", np.inf) for s in standards.scheme.stage_ids}


def travel_limits(standards: Standards) -> dict[tuple[str, str], float]:
    """Longest way in minutes by (band, mode); infinite where the standards set none."""
    bands, modes = standards.scheme.band_ids, ("walk", "bus")
    return {(b, m): standards.limit(f"travel_{m}_{b}", np.inf) for b in bands for m in modes}


def _bands(county: County, standards: Standards, request: Request, units: pd.DataFrame) -> pd.DataFrame:
    table = site_bands(county)
    table["unit_id"] = table["school_id"] + "/" + table["band"].map(standards.scheme.band_stage)
    table = table[table["unit_id"].isin(units.index)]
    table = table.merge(units[["rural", "pupils", "kind", "classes"]], left_on="unit_id", right_index=True)
    protected = sites(county).set_index("school_id")["protected"].fillna("none")
    until = protected.str.extract(r"lock_until\((\d+)\)", expand=False).fillna("0").astype(int)
    kept = protected.isin(["lock_open", "donor", "ethnic", "border", "new_asset"]) | (until >= county.year)
    small = table["rural"] & (table["pupils"] < standards.limit("closure_max_pupils", np.inf))
    locked = table["school_id"].map(kept) | table["school_id"].isin(request.keep_open) | ~small
    table["lock"] = np.where(
        table["school_id"].isin(request.close), "closed", np.where(locked, "open", "free")
    )
    n_bands = table.groupby("unit_id")["band"].transform("count")
    least = np.where(table["kind"] == "point", 1, table["grades"])  # points may teach grades together
    table["min_classes"] = np.minimum(least, np.maximum(1, table["classes"] // n_bands)).astype(int)
    return table.set_index(["school_id", "band"]).sort_index()


def _limits(pairs: pd.DataFrame, standards: Standards) -> pd.Series:
    keys = travel_limits(standards)
    return pd.Series([keys[k] for k in zip(pairs["band"], pairs["mode"], strict=True)], index=pairs.index)


def _pairs(
    groups: pd.DataFrame, bands: pd.DataFrame, minutes: pd.DataFrame, standards: Standards
) -> tuple[pd.DataFrame, pd.DataFrame, tuple[int, ...]]:
    """Admissible pairs, the bus pairs an open nearer school rules out, and groups without a choice."""
    full = bands[bands["full"] & (bands["lock"] != "closed")].reset_index()[["school_id", "band"]]
    reach = minutes.merge(full, on=["school_id", "band"])
    zone = groups[groups["main"]].reset_index()
    rows = zone.merge(reach, on=["village_id", "band"])
    rows["limit"] = _limits(rows, standards)
    # without a norm for walking no school is "within walking", and nothing forbids the bus
    limited = np.isfinite(rows["limit"])
    walkable = rows[(rows["mode"] == "walk") & limited & (rows["minutes"] <= rows["limit"])]
    # "no worse than today" says nothing where today's way is not known
    today_known = rows["today_minutes"].where(rows["today_minutes"] < FAR_MINUTES, 0.0)
    allowed = rows["minutes"] <= np.maximum(rows["limit"], today_known)
    allowed &= rows["minutes"] - rows["today_minutes"] <= standards.limit("travel_increase", np.inf)
    today = rows["school_id"] == rows["today_school_id"]
    # at today's school the mode may improve to a bus, never become a longer walk than today
    # no bus to a school within walking: a bus is a remedy (sources.md 2.1 school_bus)
    near = walkable[["g", "school_id"]].assign(near=True)
    short = rows.merge(near, on=["g", "school_id"], how="left")["near"].notna().to_numpy()
    rows = rows[
        allowed & ~(today & (rows["mode"] == rows["today_mode"])) & ~((rows["mode"] == "bus") & short)
    ]
    stay = zone.assign(
        school_id=zone["today_school_id"], mode=zone["today_mode"], minutes=zone["today_minutes"]
    )
    both = pd.concat([stay.assign(stay=True), rows.assign(stay=False)], ignore_index=True)
    both["changed"] = both["school_id"] != both["today_school_id"]
    bus = both[(both["mode"] == "bus") & both["changed"]].reset_index()
    key = ["g", "school_id", "band"]
    past = bus.merge(walkable[key].rename(columns={"school_id": "nearer"}), on=["g", "band"])
    # a school that cannot close and can be walked to rules the bus out at once
    locked = bands["lock"].eq("open")
    certain = [bool(locked.get((s, b), False)) for s, b in zip(past["nearer"], past["band"], strict=True)]
    sure = past[np.array(certain, dtype=bool)]
    both = both.drop(index=sure["index"].unique())
    both = both.sort_values(["g", "school_id", "mode"], kind="stable")
    both["old"] = both.index
    both = both.reset_index(drop=True)
    new_row = pd.Series(both.index, index=both["old"])
    past = past[past["index"].isin(new_row.index)]
    blocked = pd.DataFrame(
        {"p": past["index"].map(new_row), "school_id": past["nearer"], "band": past["band"]}
    )
    choices = both.groupby("g").size()
    alone = tuple(int(g) for g in choices.index[choices == 1])
    columns = ["g", "village_id", "band", "school_id", "mode", "minutes", "changed", "stay", "pupils"]
    return (
        both[columns],
        blocked.drop_duplicates().sort_values(["p", "school_id"]).reset_index(drop=True),
        alone,
    )


def _categories(county: County, standards: Standards) -> pd.DataFrame:
    """T8 with what each category counts for, and where its heads may work in a lower stage."""
    counts = category_flags(county.staff_category, standards)
    table = county.staff_category.set_index(["stage", "cat_id"])[["movable", "hireable", "annual_cost"]]
    table = table.join(counts).sort_index()
    table["down"] = lower_categories(county, standards).reindex(table.index)
    return table


def lower_categories(county: County, standards: Standards) -> pd.Series:
    """Where heads of a category may also work: categories of lower stages with the same flags.

    Returns
    -------
    Series
        Index (stage, cat_id) of T8; tuples of (stage, cat_id), movable categories before others.
    """
    counts = category_flags(county.staff_category, standards)
    movable = county.staff_category.set_index(["stage", "cat_id"])["movable"].astype(bool)
    order = sorted(counts.index, key=lambda k: (not movable[k], k))
    same: dict[tuple[object, ...], str] = {}
    for stage, cat in reversed(order):
        same[stage, *counts.loc[(stage, cat)]] = cat
    down = []
    for stage, cat in counts.index:
        flags = tuple(counts.loc[(stage, cat)])
        fits = [(low, same.get((low, *flags))) for low in standards.scheme.lower_stages(stage)]
        down.append(tuple((low, c) for low, c in fits if c is not None) if movable[stage, cat] else ())
    return pd.Series(down, index=counts.index, dtype=object)


def _stock(county: County, units: pd.DataFrame, categories: pd.DataFrame) -> pd.DataFrame:
    have = county.staff_stock.assign(
        unit_id=county.staff_stock["school_id"] + "/" + county.staff_stock["stage"]
    )
    have = have.set_index(["unit_id", "cat_id"])[["heads", "near_retirement"]]
    of_stage: dict[str, list[str]] = {}
    for stage, cat in categories.index:
        of_stage.setdefault(stage, []).append(cat)
    index = [(u, c) for u, s in units["stage"].items() for c in of_stage.get(s, [])]
    keys = pd.MultiIndex.from_frame(pd.DataFrame(index, columns=["unit_id", "cat_id"], dtype=object))
    table = have.reindex(keys).fillna(0).astype(int)
    movable = [bool(categories.loc[(units.at[u, "stage"], c), "movable"]) for u, c in table.index]
    table["fixed"] = np.where(movable, table["near_retirement"], table["heads"])
    return table[["heads", "fixed"]]


def mean_ratios(
    units: pd.DataFrame, standards: Standards
) -> tuple[dict[tuple[str, str], float], dict[str, float]]:
    """County ratio of totals per pupil and the assessed pupils, by stage (sources.md 1.4).

    A resource that the assessed units have none of is counted in its own unit (ratio 1): its spread is
    not measured (`Instance.measured`).
    """
    counted = merged_units(units, standards)
    counted = counted[counted["assessed"]]
    stages = standards.scheme.stage_ids
    population = {s: float(counted.loc[counted["stage"] == s, "pupils"].sum()) for s in stages}
    centres = {
        (s, r): float(counted.loc[counted["stage"] == s, r].sum()) / max(population[s], 1.0)
        for s in stages
        for r in standards.counted
    }
    return {k: (v if v > 0 else 1.0) for k, v in centres.items()}, population


def build_instance(county: County, standards: Standards, request: Request, times: TravelTimes) -> Instance:
    """Turn a county and a request into the data of the model.

    Parameters
    ----------
    county : County
    standards : Standards
    request : Request
    times : TravelTimes

    Returns
    -------
    Instance
    """
    school_cap = _school_caps(county, standards, county.school_stage)
    units = _units(county, standards, school_cap)
    bands = _bands(county, standards, request, units)
    groups = today_groups(county, standards, times)
    groups = groups.rename_axis("g")
    zone_row = (
        groups[groups["main"]].reset_index()[["village_id", "band", "g"]].rename(columns={"g": "zone_row"})
    )
    groups = groups.reset_index().merge(zone_row, on=["village_id", "band"], how="left").set_index("g")
    minutes = scaled_minutes(times, standards)
    pairs, blocked, alone = _pairs(groups, bands, minutes, standards)
    categories = _categories(county, standards)
    linked = times.towns[times.towns["minutes"] <= standards.limit("commute_minutes", np.inf)]
    towns = units["township"].unique()
    links = {(t, t) for t in towns}
    links |= set(zip(linked["from_township"], linked["to_township"], strict=True))
    centres, population = mean_ratios(units, standards)
    level = county.unit_costs.set_index("item")[request.cost_level]
    return Instance(
        county, standards, request, units, bands, school_cap, groups, pairs, blocked,
        _stock(county, units, categories), categories,
        tuple(sorted(k for k in links if k[0] in towns and k[1] in towns)),
        {str(k): float(v) for k, v in level.items()}, budgets(county, request), centres, population, alone,
    )  # fmt: skip


__all__ = ["FAR_MINUTES", "Instance", "build_instance", "class_caps", "mean_ratios", "travel_limits"]
