"""The rules about pupils and sites, each a function that lists the places where it does not hold."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from models.plan.outcome import After
from models.problem.baseline import planning_demand, site_bands
from models.problem.instance import class_caps, travel_limits

COLUMNS = ["place_id", "place", "amount", "limit", "unit", "grandfathered"]
EPS = 1e-6


def broken(
    rows: pd.DataFrame,
    place_id: str,
    place: str,
    amount: object,
    limit: object,
    unit: str,
    grandfathered: object = False,
) -> pd.DataFrame:
    """Violations in the verdict's shape from the rows where a rule does not hold."""
    if rows.empty:
        return none()  # most rules hold most of the time: this halves the referee's work
    table = pd.DataFrame({"place_id": rows[place_id].astype(str), "place": rows[place].astype(str)})
    table["amount"], table["limit"], table["unit"], table["grandfathered"] = (
        amount,
        limit,
        unit,
        grandfathered,
    )
    return table[COLUMNS].reset_index(drop=True)


@cache
def none() -> pd.DataFrame:
    """No violation; typed, so that joining it to others changes nothing."""
    types = {"place_id": "str", "place": "str", "amount": "float64", "limit": "float64", "unit": "str"}
    return pd.DataFrame(columns=COLUMNS).astype({**types, "grandfathered": "bool"})


def _bands(after: After) -> pd.DataFrame:
    rows = after.bands.reset_index()
    rows["name"] = rows["school_id"].map(after.county.schools.set_index("school_id")["name"])
    unit = after.units[["stage", "kind", "zone", "pupils", "classes", "capacity"]].rename(
        columns={"pupils": "unit_pupils", "classes": "unit_classes"}
    )
    return rows.merge(unit, left_on="unit_id", right_index=True, how="left")


def _open_units(after: After) -> pd.DataFrame:
    return after.new[after.new["open"]].reset_index()


def assignment(after: After) -> pd.DataFrame:
    """Pupils in = pupils assigned per village-band; groups as today; zone groups whole; choice groups by rule."""
    travel = after.travel
    key = ["village_id", "band", "group", "today_school_id"]
    want = after.groups[[*key, "pupils"]].rename(columns={"pupils": "want"})
    have = travel.groupby(key, as_index=False).agg(pupils=("pupils", "sum"), rows=("pupils", "size"))
    both = want.merge(have, on=key, how="outer").fillna({"want": 0, "pupils": 0, "rows": 0})
    wrong = both[(both["want"] != both["pupils"]) | (both["rows"] > 1)]
    parts = [broken(wrong, "village_id", "band", wrong["pupils"], wrong["want"], "pupils")]
    zone = travel[travel["group"] == "zone"].set_index(["village_id", "band"])[["school_id", "mode"]]
    zone = zone[~zone.index.duplicated()]
    choice = travel[travel["group"] == "choice"].join(zone.add_suffix("_zone"), on=["village_id", "band"])
    today_open = after.bands["open"].to_dict()
    stays = np.array(
        [bool(today_open.get(k, False)) for k in zip(choice["today_school_id"], choice["band"], strict=True)],
        dtype=bool,
    )
    right = np.where(
        stays,
        choice["school_id"] == choice["today_school_id"],
        (choice["school_id"] == choice["school_id_zone"]) & (choice["mode"] == choice["mode_zone"]),
    )
    off = choice[~right.astype(bool)]
    parts.append(broken(off, "village_id", "village", off["pupils"], 0, "pupils"))
    demand = planning_demand(after.county)
    got = travel.groupby(["village_id", "band"])["pupils"].sum().rename("pupils").reset_index()
    lost = demand.merge(got, on=["village_id", "band"], how="left").fillna({"pupils": 0})
    known = after.groups[["village_id", "band"]].drop_duplicates()
    lost = lost.merge(known, on=["village_id", "band"])  # the unreachable are listed in the findings
    lost = lost[lost["pupils"] != lost["total"]]
    parts.append(broken(lost, "village_id", "band", lost["pupils"], lost["total"], "pupils"))
    return pd.concat(parts, ignore_index=True)


def open_band(after: After) -> pd.DataFrame:
    """Nobody attends a band that is closed or that the site does not teach (fully, unless already there)."""
    travel = after.travel
    keys = list(zip(travel["school_id"], travel["band"], strict=True))
    is_open, full = after.bands["open"].to_dict(), after.bands["full"].to_dict()
    new = travel["changed"].to_numpy()
    wrong = np.array(
        [
            not is_open.get(k, False) or (moved and not full.get(k, False))
            for k, moved in zip(keys, new, strict=True)
        ],
        dtype=bool,
    )
    rows = travel[wrong]
    return broken(rows, "school_id", "school", rows["pupils"], 0, "pupils")


def bands_from_top(after: After) -> pd.DataFrame:
    """Within a stage an open band needs every lower band that the school teaches."""
    rows = after.bands[["open"]].reset_index()
    scheme = after.county.scheme
    rows["stage"] = rows["band"].map(scheme.band_stage)
    rows["place"] = rows["band"].map({b: n for n, b in enumerate(scheme.band_ids)})
    rows = rows.sort_values(["school_id", "stage", "place"])
    lower_shut = (~rows["open"]).groupby([rows["school_id"], rows["stage"]]).cummax()
    wrong = rows[rows["open"] & lower_shut].drop_duplicates("school_id")
    wrong = wrong.assign(name=wrong["school_id"].map(after.county.schools.set_index("school_id")["name"]))
    return broken(wrong, "school_id", "name", 1, 0, "bands")


def protected(after: After) -> pd.DataFrame:
    """Protected, locked and large units keep all their bands; scenario closures close."""
    rows = _bands(after)
    about = after.county.schools.set_index("school_id")["protected"].fillna("none")
    until = about.str.extract(r"lock_until\((\d+)\)", expand=False).fillna("0").astype(int)
    kept = about.isin(["lock_open", "donor", "ethnic", "border", "new_asset"]) | (until >= after.county.year)
    small = (rows["zone"] == "rural") & (
        rows["unit_pupils"] < after.standards.limit("closure_max_pupils", np.inf)
    )
    asked = rows["school_id"].isin(after.request.close)
    must = (
        rows["school_id"].map(kept).fillna(False) | rows["school_id"].isin(after.request.keep_open) | ~small
    ) & ~asked
    wrong = rows[(must & ~rows["open"]) | (asked & rows["open"])]
    return broken(
        wrong, "school_id", "name", wrong["open"].astype(int), 1 - wrong["open"].astype(int), "bands"
    )


def access(after: After) -> pd.DataFrame:
    """Minutes within the limit or no worse than today, and not much more than today."""
    rows = after.travel
    more = after.standards.limit("travel_increase", np.inf)
    moved = rows["changed"] | (rows["mode"] != rows["today_mode"])
    unknown = rows["minutes"].isna() | rows["minutes_today"].isna()
    far = rows["minutes"] > np.maximum(rows["limit"], rows["minutes_today"]) + EPS
    jump = moved & (rows["group"] == "zone") & (rows["minutes"] - rows["minutes_today"] > more + EPS)
    follows = (rows["group"] == "choice") & moved  # judged with the zone group that they follow
    wrong = rows[((far | jump | (unknown & moved)) & ~follows)]
    eased = rows[rows["grandfathered"] & ~wrong.index.to_series().reindex(rows.index).notna()]
    return pd.concat(
        [
            broken(wrong, "village_id", "village", wrong["minutes"], wrong["limit"], "minutes"),
            broken(eased, "village_id", "village", eased["minutes"], eased["limit"], "minutes", True),
        ],
        ignore_index=True,
    )


def access_following(after: After) -> pd.DataFrame:
    """Choice groups that follow their village to a school beyond their own limit or increase.

    `access` judges them with the zone group that they follow; what that means for the pupils
    themselves, who may have lived next door to the school that closes, is named here.
    """
    rows = after.travel[(after.travel["group"] == "choice") & after.travel["changed"]]
    more = rows["minutes"] - rows["minutes_today"] > after.standards.limit("travel_increase", np.inf) + EPS
    far = rows["minutes"] > np.maximum(rows["limit"], rows["minutes_today"]) + EPS
    wrong = rows[far | more | rows["minutes"].isna()]
    return broken(wrong, "village_id", "village", wrong["minutes"], wrong["limit"], "minutes")


def bus_past_school(after: After) -> pd.DataFrame:
    """A zone group that changes and rides passes no open school within its walking limit."""
    from models.problem.baseline import scaled_minutes

    rides = after.travel[
        (after.travel["group"] == "zone") & after.travel["changed"] & (after.travel["mode"] == "bus")
    ]
    walks = scaled_minutes(after.times, after.standards)
    walks = walks[walks["mode"] == "walk"].merge(
        after.bands.reset_index().query("open and full")[["school_id", "band"]], on=["school_id", "band"]
    )
    limit = {b: x for (b, mode), x in travel_limits(after.standards).items() if mode == "walk"}
    walks["limit_walk"] = walks["band"].map(limit).astype(float)
    # without a norm for walking no school is within walking
    walks = walks[(walks["minutes"] <= walks["limit_walk"]) & np.isfinite(walks["limit_walk"])]
    past = rides.merge(
        walks[["village_id", "band", "minutes", "limit_walk"]],
        on=["village_id", "band"],
        suffixes=("", "_walk"),
    )
    past = past.drop_duplicates(["village_id", "band"])
    return broken(past, "village_id", "village", past["minutes_walk"], past["limit_walk"], "minutes")


def school_size(after: After) -> pd.DataFrame:
    """Site total within the size cap, with relief for old or migrant-heavy schools."""
    value = after.standards.limit
    total = after.new.groupby("school_id")["pupils"].sum().rename("pupils").reset_index()
    rows = total.merge(after.county.schools[["school_id", "name", "kind", "built_year"]], on="school_id")
    stage = after.county.school_stage.groupby("school_id")[["migrants", "pupils"]].sum()
    migrants = stage["migrants"].astype(float) / stage["pupils"].clip(lower=1)
    relief = rows["built_year"].astype(float).fillna(9999).le(2010) | rows["school_id"].map(migrants).gt(0.5)
    nine = rows["kind"].isin(["nine_year", "twelve_year"])
    cap, nine_cap = value("school_cap", np.inf), value("school_cap_nine", np.inf)
    rows["cap"] = np.where(
        nine,
        np.where(relief, value("school_cap_nine_relief", nine_cap), nine_cap),
        np.where(relief, value("school_cap_relief", cap), cap),
    )
    wrong = rows[rows["pupils"] > rows["cap"]]
    return broken(wrong, "school_id", "name", wrong["pupils"], wrong["cap"], "pupils")


def capacity(after: After) -> pd.DataFrame:
    """P[u] <= capacity_pupils[u]."""
    rows = after.new.reset_index()
    wrong = rows[rows["pupils"] > rows["capacity"]]
    return broken(wrong, "unit_id", "name", wrong["pupils"], wrong["capacity"], "pupils")


def class_size(after: After) -> pd.DataFrame:
    """P[j,b] <= cap * classes[j,b]."""
    rows = _bands(after)
    cap = rows["stage"].map(class_caps(after.standards))
    wrong = rows[rows["pupils"] > cap * rows["classes"] + EPS]
    return broken(wrong, "school_id", "name", wrong["pupils"], (cap * rows["classes"])[wrong.index], "pupils")


def rooms(after: After) -> pd.DataFrame:
    """Classes of a unit fit its rooms: capacity // cap, or today's classes."""
    rows = after.new.reset_index()
    cap = rows["stage"].map(class_caps(after.standards))
    most = np.maximum(rows["capacity"] // cap, rows["unit_id"].map(after.units["classes"]))
    wrong = rows[rows["classes"] > most]
    return broken(wrong, "unit_id", "name", wrong["classes"], most[wrong.index], "classes")


def min_classes(after: After) -> pd.DataFrame:
    """An open band has its least number of classes; points may teach grades together."""
    rows = _bands(after)
    n = rows.groupby("unit_id")["band"].transform("count")
    least = np.where(rows["kind"] == "point", 1, rows["grades"])
    least = np.minimum(least, np.maximum(1, rows["unit_classes"] // n))
    wrong = rows[rows["open"] & (rows["classes"] < least)]
    return broken(
        wrong,
        "school_id",
        "name",
        wrong["classes"],
        pd.Series(least, index=rows.index)[wrong.index],
        "classes",
    )


def assessed_floor(after: After) -> pd.DataFrame:
    """A unit assessed today that stays is not pushed under the assessment threshold."""
    floor = after.standards.value("assessed_floor")
    rows = _open_units(after)
    rows = rows[rows["unit_id"].map(after.units["assessed"]).astype(bool) & (rows["pupils"] < floor)]
    return broken(rows, "unit_id", "name", rows["pupils"], floor, "pupils")


def junior_per_township(after: After) -> pd.DataFrame:
    """A township with junior classes today keeps some."""
    rows = after.bands.reset_index()
    rule = after.standards.get("junior_per_township")
    rows = rows[rows["band"].isin(after.county.scheme.bands_of(rule.stage) if rule is not None else ())]
    town = after.county.schools.set_index("school_id")["township"]
    kept = rows.groupby(rows["school_id"].map(town))["open"].any().rename("kept")
    wrong = kept[~kept].rename_axis("township").reset_index()
    return broken(wrong, "township", "township", 0, 1, "sites")


def closures_township(after: After) -> pd.DataFrame:
    """Sites closed in a township."""
    town = after.county.schools.set_index("school_id")["township"]
    shut = after.site_open[~after.site_open]
    many = shut.groupby(shut.index.map(town)).size().rename("closed").rename_axis("township").reset_index()
    most = after.standards.value("closures_township")
    wrong = many[many["closed"] > most]
    return broken(wrong, "township", "township", wrong["closed"], most, "sites")


def closures_share(after: After) -> pd.DataFrame:
    """Share of sites closed."""
    most = int(after.standards.value("closures_share") * len(after.site_open) + 1e-9)
    shut = int((~after.site_open).sum())
    return _county(after, shut, most, "sites") if shut > most else none()


def moved_share(after: After) -> pd.DataFrame:
    """Share of pupils whose school changes."""
    total = float(after.travel["pupils"].sum())
    most = after.standards.value("moved_share") * total
    moved = float(after.travel.loc[after.travel["changed"], "pupils"].sum())
    return _county(after, moved, most, "pupils") if moved > most + EPS else none()


def _county(after: After, amount: float, limit: float, unit: str) -> pd.DataFrame:
    row = pd.DataFrame({"place_id": ["county"], "name": [after.county.name]})
    return broken(row, "place_id", "name", amount, limit, unit)


def known_ids(after: After) -> pd.DataFrame:
    """Every school, village, category and kind named by the plan exists and takes part."""
    units, sites_in = set(after.units.index), set(after.units["school_id"])
    parts = []
    for name, columns in (("attendance", ["school_id"]), ("bands", ["school_id"])):
        table = getattr(after.plan, name)
        for c in columns:
            bad = table[~table[c].isin(sites_in)]
            parts.append(broken(bad, c, c, 1, 0, "rows"))
    pairs = [
        ("staff_moves", "from_"), ("staff_moves", "to_"), ("hires", ""), ("purchases", ""), ("item_moves", "from_"),
        ("item_moves", "to_"),
    ]  # fmt: skip
    for name, end in pairs:
        table = getattr(after.plan, name)
        unit = table[f"{end}school_id"] + "/" + table[f"{end}stage"]
        bad = table[~unit.isin(units)]
        parts.append(broken(bad, f"{end}school_id", f"{end}school_id", 1, 0, "rows"))
    going = after.plan.attendance
    odd = going[~going["mode"].isin(["walk", "bus"]) | ~going["group"].isin(["zone", "choice"])]
    parts.append(broken(odd, "village_id", "mode", 1, 0, "rows"))
    return pd.concat([*parts, _band_rows(after)], ignore_index=True)


def _band_rows(after: After) -> pd.DataFrame:
    """Every band taught today has exactly one row, marked as such; no other band has one."""
    key = ["school_id", "band"]
    rows = (
        after.plan.bands.groupby(key).agg(rows=("open", "size"), was_open=("was_open", "all")).reset_index()
    )
    taught = site_bands(after.county)[key].assign(want=1)
    both = taught.merge(rows, on=key, how="outer").fillna({"rows": 0, "want": 0})
    wrong = both[(both["rows"] != both["want"]) | ((both["rows"] == 1) & both["was_open"].eq(False))]
    return broken(wrong, "school_id", "band", wrong["rows"], wrong["want"], "rows")


def whole_numbers(after: After) -> pd.DataFrame:
    """Pupils, classes and heads are whole, known and not negative; quantities are known."""
    parts = []
    for name, column, place, whole in (
        ("attendance", "pupils", "village_id", True), ("bands", "classes", "school_id", True),
        ("staff_moves", "heads", "from_school_id", True), ("hires", "heads", "school_id", True),
        ("purchases", "quantity", "school_id", False), ("item_moves", "quantity", "from_school_id", False),
    ):  # fmt: skip
        rows = getattr(after.plan, name)
        number = pd.to_numeric(rows[column], errors="coerce").astype(float)
        wrong = rows[~np.isfinite(number) | (number < 0) | (whole & (number % 1 != 0))]
        parts.append(broken(wrong, place, place, wrong[column], 0, "rows"))
    return pd.concat(parts, ignore_index=True)


PUPIL_RULES = (
    known_ids, whole_numbers, assignment, open_band, bands_from_top, protected, access, access_following, bus_past_school, school_size, capacity, class_size,
    rooms, min_classes, assessed_floor, junior_per_township, closures_township, closures_share, moved_share,
)  # fmt: skip
