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
from geodata.contract.tables import BAND_STAGE, STAGES
from geodata.travel.times import TravelTimes
from models.problem.baseline import FAR_MINUTES, scaled_minutes, site_bands, sites, today_groups
from models.problem.indicators import RESOURCES, unit_table
from models.problem.request import Request, budgets
from models.standards.norms import Standards

HEAD_FLAGS = {"q": "counts_q", "b": "counts_b", "a": "counts_a"}
ITEMS = ("rooms_multimedia", "equip_value", "area_teaching", "area_sport")
MOVABLE_ITEMS = ("rooms_multimedia", "equip_value")


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
        Index (stage, cat_id): flags, movable, hireable, annual_cost, ``down`` (primary category with
        the same flags, for junior ones).
    links : tuple of (township, township)
        Townships between which staff may move, same township included.
    centres : dict
        (stage, resource) -> m, the planned mean ratio per pupil.
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
        """(stage, q, b, a or "all") -> categories whose heads count."""
        found = {}
        for stage in self.categories.index.unique("stage"):
            table = self.categories.loc[stage]
            found[stage, "all"] = list(table.index)
            found.update({(stage, f): list(table.index[table[c] == 1]) for f, c in HEAD_FLAGS.items()})
        return found

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
    plain = np.where(both, standards.value("school_cap_nine"), standards.value("school_cap"))
    eased = np.where(both, standards.value("school_cap_nine_relief"), standards.value("school_cap_relief"))
    return pd.Series(np.where(relief, eased, plain), index=rows.index, dtype=float)


def _units(county: County, standards: Standards, school_cap: pd.Series) -> pd.DataFrame:
    units = unit_table(county, standards)
    units = units[units["taking_part"]].copy()
    units["rural"] = units["zone"].eq("rural")
    units["class_cap"] = units["stage"].map({s: standards.value(f"class_cap_{s}") for s in STAGES})
    units["rooms"] = np.maximum(units["capacity"] // units["class_cap"], units["classes"]).astype(int)
    most = np.minimum(units["capacity"], units["school_id"].map(school_cap))
    least = standards.value("assessed_min")
    units["may_grow"] = ~units["assessed"] & (most >= least) & (units["pupils"] < least)
    units["most"] = np.maximum(most, 0)
    return units


def _bands(county: County, standards: Standards, request: Request, units: pd.DataFrame) -> pd.DataFrame:
    table = site_bands(county)
    table["unit_id"] = table["school_id"] + "/" + table["band"].map(BAND_STAGE)
    table = table[table["unit_id"].isin(units.index)]
    table = table.merge(units[["rural", "pupils", "kind", "classes"]], left_on="unit_id", right_index=True)
    protected = sites(county).set_index("school_id")["protected"].fillna("none")
    until = protected.str.extract(r"lock_until\((\d+)\)", expand=False).fillna("0").astype(int)
    kept = protected.isin(["lock_open", "donor", "ethnic", "border", "new_asset"]) | (until >= county.year)
    small = table["rural"] & (table["pupils"] < standards.value("closure_max_pupils"))
    locked = table["school_id"].map(kept) | table["school_id"].isin(request.keep_open) | ~small
    table["lock"] = np.where(
        table["school_id"].isin(request.close), "closed", np.where(locked, "open", "free")
    )
    n_bands = table.groupby("unit_id")["band"].transform("count")
    least = np.where(table["kind"] == "point", 1, np.minimum(3, table["grades"]))
    table["min_classes"] = np.minimum(least, np.maximum(1, table["classes"] // n_bands)).astype(int)
    return table.set_index(["school_id", "band"]).sort_index()


def _limits(pairs: pd.DataFrame, standards: Standards) -> pd.Series:
    keys = {(b, m): standards.value(f"travel_{m}_{b}") for b in BAND_STAGE for m in ("walk", "bus")}
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
    walkable = rows[(rows["mode"] == "walk") & (rows["minutes"] <= rows["limit"])]
    # "no worse than today" says nothing where today's way is not known
    today_known = rows["today_minutes"].where(rows["today_minutes"] < FAR_MINUTES, 0.0)
    allowed = rows["minutes"] <= np.maximum(rows["limit"], today_known)
    allowed &= rows["minutes"] - rows["today_minutes"] <= standards.value("travel_increase")
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


def _categories(county: County) -> pd.DataFrame:
    table = county.staff_category.set_index(["stage", "cat_id"]).sort_index()
    flags = ["counts_q", "counts_b", "counts_a"]
    primary = {
        tuple(r): c for c, r in zip(table.loc["pri"].index, table.loc["pri"][flags].to_numpy(), strict=True)
    }
    order = table.loc["pri"][table.loc["pri"]["movable"]]
    primary.update({tuple(r): c for c, r in zip(order.index, order[flags].to_numpy(), strict=True)})
    table["down"] = [
        primary.get(tuple(row[flags]), "") if stage == "jun" and row["movable"] else ""
        for (stage, _), row in table.iterrows()
    ]
    return table


def _stock(county: County, units: pd.DataFrame, categories: pd.DataFrame) -> pd.DataFrame:
    have = county.staff_stock.assign(
        unit_id=county.staff_stock["school_id"] + "/" + county.staff_stock["stage"]
    )
    have = have.set_index(["unit_id", "cat_id"])[["heads", "near_retirement"]]
    index = [(u, c) for u, s in units["stage"].items() for c in categories.loc[s].index]
    table = have.reindex(pd.MultiIndex.from_tuples(index, names=["unit_id", "cat_id"])).fillna(0).astype(int)
    movable = [bool(categories.loc[(units.at[u, "stage"], c), "movable"]) for u, c in table.index]
    table["fixed"] = np.where(movable, table["near_retirement"], table["heads"])
    return table[["heads", "fixed"]]


def mean_ratios(
    units: pd.DataFrame, standards: Standards
) -> tuple[dict[tuple[str, str], float], dict[str, float]]:
    """County ratio of totals per pupil and the assessed pupils, by stage (sources.md 1.4)."""
    del standards
    counted = units[units["assessed"]]
    population = {s: float(counted.loc[counted["stage"] == s, "pupils"].sum()) for s in STAGES}
    centres = {
        (s, r): float(counted.loc[counted["stage"] == s, r].sum()) / max(population[s], 1.0)
        for s in STAGES
        for r in RESOURCES
    }
    return {k: (v if v > 0 else 1e-6) for k, v in centres.items()}, population


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
    categories = _categories(county)
    linked = times.towns[times.towns["minutes"] <= standards.value("commute_minutes")]
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


__all__ = ["FAR_MINUTES", "HEAD_FLAGS", "ITEMS", "MOVABLE_ITEMS", "Instance", "build_instance", "mean_ratios"]
