"""A county, standards and a request put together as an `Instance`: its tables, built one by one."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geodata.checks.crosschecks import needed_costs
from geodata.contract.county import County
from geodata.contract.groups import admission
from geodata.contract.unknown import unknown_staff
from geodata.travel.times import TravelTimes
from models.problem.baseline import (
    grades,
    require_pupils,
    site_bands,
    sites,
    today_groups,
)
from models.problem.indicators import category_flags, merged_units, unit_table
from models.problem.instance import Instance
from models.problem.minutes import all_ways
from models.problem.request import Request, budgets, money_known
from models.problem.ways import admissible_ways
from models.standards.norms import Standards


def _school_caps(county: County, standards: Standards, stages: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Largest allowed size of each site, with the relief of sources.md 1.6 item 4, and the norm that says so."""
    rows = sites(county).set_index("school_id")
    both = rows["kind"].isin(["nine_year", "twelve_year"])
    migrants = stages.groupby("school_id")["migrants"].sum().astype(float)
    pupils = stages.groupby("school_id")["pupils"].sum()
    share = (migrants / pupils.clip(lower=1)).reindex(rows.index)
    relief = rows["built_year"].astype(float).le(standards.limit("relief_built", -np.inf))
    relief |= share.gt(standards.limit("relief_migrants", np.inf))
    norm = pd.Series("school_cap", index=rows.index)
    for some, ending in ((both, "_nine"), (relief, "_relief")):
        narrower = norm + ending  # where the standards say nothing of such schools they are as any other
        norm = norm.mask(some & narrower.isin(standards.rules), narrower)
    return norm.map({n: standards.limit(n, np.inf) for n in norm.unique()}).astype(float), norm


def _units(
    county: County, standards: Standards, school_cap: pd.Series, here: pd.Series, bands: pd.DataFrame
) -> pd.DataFrame:
    """Units with today's pupils of the planning demand, so that today and plan are about the same pupils."""
    units = unit_table(county, standards, here)
    units = units[units["taking_part"]].copy()
    # where the places are not known, nobody more comes than is there today
    units["capacity"] = units["capacity"].astype(float).fillna(units["pupils"])
    units["rural"] = units["zone"].eq("rural")
    largest = float(max(units["capacity"].max(), units["pupils"].max(), 1)) if len(units) else 1.0
    # without a norm one class may hold whatever any unit holds
    units["class_cap"] = units["stage"].map(class_caps(standards)).astype(float).clip(upper=largest)
    units["rooms"] = np.maximum(units["capacity"] // units["class_cap"], units["classes"]).astype(int)
    site = units["school_id"].map(school_cap)
    total = units.groupby("school_id")["pupils"].transform("sum")
    places = np.minimum(units["capacity"], np.maximum(site, 0))
    units["over"] = (units["pupils"] > places) | (total > site)
    units["over"] |= units["pupils"] > units["class_cap"] * units["classes"].clip(lower=1)
    units["free"] = np.minimum((units["capacity"] - units["pupils"]), site - total).clip(lower=0)
    least = standards.limit("assessed_min", 1.0)
    units["most"] = np.maximum(places, units["pupils"])
    everybody = units.groupby("stage")["pupils"].transform("sum")
    units["largest"] = units["most"] if standards.hard("capacity") else np.maximum(everybody, units["most"])
    own = units["assessed_as"].eq(units.index)
    with_guests = [
        units[c].groupby(units["assessed_as"]).sum().reindex(units.index) for c in ("largest", "pupils")
    ]
    units["may_grow"] = own & ~units["assessed"] & (with_guests[0] >= least) & (with_guests[1] < least)
    taught = bands.groupby("unit_id")["grades"].sum().reindex(units.index).fillna(0)
    units["combined"] = units["classes"] < taught
    return units


def class_caps(standards: Standards) -> dict[str, float]:
    """Largest class by stage; without such a norm any class will do."""
    return {s: standards.limit(f"class_cap_{s}", np.inf) for s in standards.scheme.stage_ids}


def _taught(county: County, standards: Standards) -> pd.DataFrame:
    table = site_bands(county)
    table["unit_id"] = table["school_id"] + "/" + table["band"].map(standards.scheme.band_stage)
    stages = county.school_stage["school_id"] + "/" + county.school_stage["stage"]
    return table[table["unit_id"].isin(set(stages))]


def _bands(
    county: County,
    standards: Standards,
    request: Request,
    table: pd.DataFrame,
    units: pd.DataFrame,
    here: pd.Series,
) -> pd.DataFrame:
    """Bands with their locks, and today's classes and pupils."""
    table = table[table["unit_id"].isin(units.index)]
    table = table.merge(units[["rural", "pupils", "kind", "classes"]], left_on="unit_id", right_index=True)
    protected = sites(county).set_index("school_id")["protected"].fillna("none")
    until = protected.str.extract(r"lock_until\((\d+)\)", expand=False).fillna("0").astype(int)
    kept = protected.isin(["lock_open", "donor", "ethnic", "border", "new_asset"]) | (until >= county.year)
    large = standards.rules.get("closure_max_pupils")
    small = table["rural"] & (table["pupils"] < (np.inf if large is None else large.value))
    by_rule = table["school_id"].map(kept) | table["school_id"].isin(request.keep_open)
    held = by_rule | (~small & (large is not None and large.kind == "hard"))
    table["large"] = ~small
    table["lock_by"] = np.where(by_rule, "protected", np.where(held, "closure_max_pupils", ""))
    table["lock"] = np.where(table["school_id"].isin(request.close), "closed", np.where(held, "open", "free"))
    table = table.rename(columns={"classes": "unit_classes", "pupils": "unit_pupils"})
    table = table.set_index(["school_id", "band"]).sort_index()
    table["pupils"] = here.reindex(table.index).fillna(0).astype(int)
    return table


def _grades(county: County, bands: pd.DataFrame, units: pd.DataFrame) -> pd.DataFrame:
    """Today's classes and shares of pupils by grade: as T3 says, else spread evenly over the unit's grades."""
    told = county.enrolment_by_grade.set_index(["school_id", "grade"])[["pupils", "classes"]]
    rows = []
    band_grades = county.scheme.band_grades
    taught = {r.school_id: grades(r.grades_served) for r in sites(county).itertuples()}
    for (j, b), r in bands.iterrows():
        mine = sorted(taught[j] & set(band_grades[b]))
        rows += [(j, b, g, r["unit_id"]) for g in mine]
    table = pd.DataFrame(rows, columns=["school_id", "band", "grade", "unit_id"])
    key = list(zip(table["school_id"], table["grade"], strict=True))
    seen = (
        told.reindex(pd.MultiIndex.from_tuples(key, names=["school_id", "grade"])) if key else told.iloc[:0]
    )
    table["told"] = seen["pupils"].to_numpy(float)
    table["classes"] = seen["classes"].to_numpy(float)
    band = table.groupby(["school_id", "band"])
    whole = band["told"].transform("sum")
    even = 1.0 / band["grade"].transform("count")
    known = table["told"].notna().groupby([table["school_id"], table["band"]]).transform("all") & (whole > 0)
    table["share"] = np.where(known, table["told"] / whole.where(whole > 0, 1.0), even)
    size = [bands.at[k, "pupils"] for k in zip(table["school_id"], table["band"], strict=True)]
    table["pupils"] = table["share"] * np.array(size, dtype=float)
    table = _classes_agree(table, units)
    return table.set_index(["school_id", "band", "grade"])[["unit_id", "share", "pupils", "classes"]]


def _classes_agree(table: pd.DataFrame, units: pd.DataFrame) -> pd.DataFrame:
    """Classes by grade that add up to the unit's: T3's where they do, else dealt out evenly, lower grades first."""
    of_unit = table["unit_id"].map(units["classes"])
    by_unit = table.groupby("unit_id")["classes"]
    told = by_unit.transform("sum").where(by_unit.transform("count") == by_unit.transform("size"))
    at, many = table.groupby("unit_id").cumcount(), table.groupby("unit_id")["grade"].transform("count")
    dealt = of_unit // many + (at < of_unit % many)
    table["classes"] = np.where(told == of_unit, table["classes"], dealt).astype(int)
    return table


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
    may = movable.to_dict()
    of = dict(zip(counts.index, map(tuple, counts.to_numpy().tolist()), strict=True))
    same: dict[tuple[object, ...], str] = {}
    for stage, cat in sorted(of, key=lambda k: (not may[k], k), reverse=True):
        same[stage, *of[stage, cat]] = cat
    down = []
    for (stage, _), flags in zip(counts.index, of.values(), strict=True):
        fits = [(low, same.get((low, *flags))) for low in standards.scheme.lower_stages(stage)]
        down.append(tuple((low, c) for low, c in fits if c is not None))
    down = [found if may[k] else () for k, found in zip(counts.index, down, strict=True)]
    return pd.Series(down, index=counts.index, dtype=object)


def _stock(county: County, units: pd.DataFrame, categories: pd.DataFrame) -> pd.DataFrame:
    have = county.staff_stock.assign(
        unit_id=county.staff_stock["school_id"] + "/" + county.staff_stock["stage"]
    )
    have = have.set_index(["unit_id", "cat_id"])[["heads", "near_retirement", "eligible_rotation"]]
    of_stage: dict[str, list[str]] = {}
    for stage, cat in categories.index:
        of_stage.setdefault(stage, []).append(cat)
    index = [(u, c) for u, s in units["stage"].items() for c in of_stage.get(s, [])]
    keys = pd.MultiIndex.from_frame(pd.DataFrame(index, columns=["unit_id", "cat_id"], dtype=object))
    table = have.reindex(keys)
    table["eligible"] = table.pop("eligible_rotation").astype(float)
    lost = unknown_staff(county.school_stage, county.staff_stock, county.staff_category)
    table.loc[table.index.get_level_values("unit_id").isin(lost.index[lost])] = 0
    table[["heads", "near_retirement"]] = table[["heads", "near_retirement"]].fillna(0).astype(int)
    can_move = categories["movable"].to_dict()
    movable = [bool(can_move[units.at[u, "stage"], c]) for u, c in table.index]
    table["near"] = np.where(movable, np.minimum(table["near_retirement"], table["heads"]), table["heads"])
    table["fixed"] = table["near"]
    return table[["heads", "fixed", "near", "eligible"]]


def mean_ratios(
    units: pd.DataFrame, standards: Standards
) -> tuple[dict[tuple[str, str], float], dict[tuple[str, str], float]]:
    """County ratio of totals per pupil and the assessed pupils, by stage and resource (sources.md 1.4).

    Units whose amount is not known are left out of both.

    A resource that the assessed units have none of is counted in its own unit (ratio 1): its spread is
    not measured (`Instance.measured`).
    """
    counted = merged_units(units, standards)
    counted = counted[counted["assessed"]]
    # as arrays: cutting a wide table once a stage and resource was a tenth of an instance
    stage, people = counted["stage"].to_numpy(object), counted["pupils"].to_numpy(float)
    amounts = {r: counted[r].to_numpy(float) for r in standards.counted}
    centres, population = {}, {}
    for s, r in ((s, r) for s in standards.scheme.stage_ids for r in standards.counted):
        rows = (stage == s) & ~np.isnan(amounts[r])
        population[s, r] = float(np.nansum(people[rows]))
        centres[s, r] = float(amounts[r][rows].sum()) / max(population[s, r], 1.0)
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
    require_pupils(county)
    groups = today_groups(county, standards, times).rename_axis("g")
    here = groups.groupby(["today_school_id", "band"])["pupils"].sum()
    taught = _taught(county, standards)
    school_cap, size_norm = _school_caps(county, standards, county.school_stage)
    units = _units(county, standards, school_cap, here, taught)
    bands = _bands(county, standards, request, taught, units, here)
    taken = admission(county.school_stage, county.attendance)
    ways = admissible_ways(groups, bands, units, all_ways(times, standards).table, standards, taken)
    categories = _categories(county, standards)
    commute = standards.get("commute_minutes")
    most = np.inf if commute is None or commute.kind not in ("hard", "soft") else commute.value
    linked = times.towns[times.towns["minutes"] <= most]
    towns = units["township"].unique()
    links = {(t, t) for t in towns}
    links |= set(zip(linked["from_township"], linked["to_township"], strict=True))
    centres, population = mean_ratios(units, standards)
    units, unknown = _gaps_apart(units, standards)
    lost = unknown_staff(county.school_stage, county.staff_stock, county.staff_category)
    costs, unpriced = _prices(county, standards, request)
    return Instance(
        county, standards, request, units, bands, school_cap, size_norm, _grades(county, bands, units), groups,
        ways.pairs, ways.barred, ways.past, ways.softened,
        _stock(county, units, categories), categories,
        tuple(sorted(k for k in links if k[0] in towns and k[1] in towns)),
        costs, budgets(county, request), centres, population, centres, unknown, frozenset(lost.index[lost]), unpriced,
        money_known(county, request),
    )  # fmt: skip


def _gaps_apart(units: pd.DataFrame, standards: Standards) -> tuple[pd.DataFrame, frozenset[tuple[str, str]]]:
    """Units with zeros for what is not known, and where that is; a guest's gap is its host's too."""
    names = [r for r in (*standards.resources, "staff") if r in units]
    gaps = units[names].isna() | merged_units(units, standards).reindex(columns=names).isna()
    unknown = frozenset((str(u), r) for r in names for u in units.index[gaps[r]])
    if not unknown:
        return units, unknown
    return units.assign(**{r: units[r].fillna(0.0) for r in names}), unknown


def _prices(
    county: County, standards: Standards, request: Request
) -> tuple[dict[str, float], frozenset[str]]:
    """Unit costs by item, zero for those that are not known, and the resources that cannot be bought for it."""
    level = county.unit_costs.set_index("item")[request.cost_level]
    known = {str(k): float(v) for k, v in level.items()}
    every = dict.fromkeys(needed_costs(county.norms), 0.0)
    things = {r: standards.resources[r] for r in standards.items}
    unpriced = {r for r, one in things.items() if any(item not in known for item in one.price)}
    if not money_known(county, request):
        unpriced |= set(things)
    return every | known, frozenset(unpriced)


__all__ = ["Instance", "build_instance", "class_caps", "mean_ratios"]
