"""Where pupils go today: groups, schools, modes and minutes (docs: "Who goes where today")."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geodata.arrays import Flags
from geodata.contract.county import County
from geodata.contract.findings import Finding, InputProblems
from geodata.contract.groups import admission, labelled
from geodata.travel.times import TravelTimes
from models.problem.content import once_by_content
from models.problem.minutes import PLANNED_MODES, KnownWays, all_ways
from models.standards.norms import Standards


def sites(county: County) -> pd.DataFrame:
    """The sites that take part in a plan: open, public, ordinary schools.

    Returns
    -------
    DataFrame
        Rows of ``county.schools``, same columns.
    """
    schools = county.schools
    ordinary = ~schools["kind"].str.startswith(("special", "private"))
    return schools[ordinary & schools["public"] & schools["status"].eq("open")]


def require_pupils(county: County) -> None:
    """A plan, and its referee, need to know how many pupils there are.

    Raises
    ------
    InputProblems
        The pupils of no unit are known: there is an audit only.
    """
    if len(county.school_stage) and county.school_stage["pupils"].isna().all():
        name = "school_stage"
        raise InputProblems([Finding("error", "tables.audit_only", {}, name, name, None, "pupils")])


def grades(served: str) -> set[int]:
    """Grades of a text such as ``1-6``, ``1-3,7-9`` or ``K-5`` (K is grade 0); unreadable parts give none."""
    found: set[int] = set()
    for part in str(served).replace("，", ",").upper().replace("K", "0").split(","):
        ends = part.strip().split("-")
        if all(e.strip().isdigit() for e in ends):
            found.update(range(int(ends[0]), int(ends[-1]) + 1))
    return found


def site_bands(county: County) -> pd.DataFrame:
    """Grade bands taught today at the sites that take part.

    Returns
    -------
    DataFrame
        ``school_id, band, full`` (all of its grades), ``grades`` (how many), in key order.
    """
    return _site_bands(county).copy()


@once_by_content("schools")
def _site_bands(county: County) -> pd.DataFrame:
    of = county.scheme.band_grades
    rows = [
        (school_id, band, len(taught & set(wanted)), len(taught & set(wanted)) == len(wanted))
        for school_id, taught in ((r.school_id, grades(r.grades_served)) for r in sites(county).itertuples())
        for band, wanted in of.items()
        if taught & set(wanted)
    ]
    table = pd.DataFrame(rows, columns=["school_id", "band", "grades", "full"])
    table = table.astype({"school_id": str, "band": str, "grades": int, "full": bool})
    return table.sort_values(["school_id", "band"], kind="stable").reset_index(drop=True)


def planning_demand(county: County) -> pd.DataFrame:
    """Pupils of the planning year by village and band (T5 ``pupils_base``), zero rows dropped."""
    demand = county.demand[county.demand["year"] == county.year]
    demand = demand[demand["pupils_base"] > 0]
    return demand[["village_id", "band", "pupils_base"]].rename(columns={"pupils_base": "total"})


def largest_remainder(weights: pd.Series, keys: pd.Series, totals: pd.Series) -> pd.Series:
    """Whole numbers in proportion to weights that add up to the total of each key.

    Parameters
    ----------
    weights : Series of float
    keys : Series
        Group of each row.
    totals : Series of int
        Total of the row's group, repeated on each row.

    Returns
    -------
    Series of int64

    Raises
    ------
    ValueError
        The weights of a group add up to nothing.
    """
    code, _ = pd.factorize(keys)
    weight, total = weights.to_numpy(float), totals.to_numpy("int64")
    whole_weight = np.bincount(code, weight)[code]
    if not (whole_weight > 0).all():
        raise ValueError("a group without weight cannot be split")
    exact = total * weight / whole_weight
    whole = np.floor(exact + 1e-9).astype("int64")
    left = total - np.bincount(code, whole)[code].astype("int64")
    order = np.lexsort((np.arange(len(code)), whole - exact, code))
    first = np.searchsorted(code[order], code[order])  # where each row's group begins
    rank = np.empty(len(code), dtype="int64")
    rank[order] = np.arange(len(code)) - first
    return pd.Series(whole + (rank < left), index=keys.index, dtype="int64")


def _observed(county: County, bands: pd.DataFrame, demand: pd.DataFrame) -> pd.DataFrame:
    """T6 split over the planning demand: village, band, today's school, pupils, main or not, mode if told."""
    seen = county.attendance[county.attendance["pupils"] > 0].rename(columns={"pupils": "seen"})
    for optional in ("mode", "group"):
        if optional not in seen:
            seen = seen.assign(**{optional: ""})
    total = dict(zip(zip(demand["village_id"], demand["band"], strict=True), demand["total"], strict=True))
    full = dict(zip(zip(bands["school_id"], bands["band"], strict=True), bands["full"], strict=True))
    keys = list(zip(*(seen[c].tolist() for c in ("village_id", "band", "school_id", "group")), strict=True))
    some = [i for i, (v, b, j, _) in enumerate(keys) if (v, b) in total and (j, b) in full]
    some.sort(key=keys.__getitem__)
    keys = [keys[i] for i in some]
    rows = seen.iloc[some].reset_index(drop=True)
    totals = pd.Series([total[k[:2]] for k in keys], index=rows.index, dtype="int64")
    places = pd.Series([f"{v}\0{b}" for v, b, _, _ in keys], index=rows.index, dtype=object)
    rows["pupils"] = largest_remainder(rows["seen"].astype(float), places, totals)
    rows["main"] = _largest(
        keys, [n if full[k[2], k[1]] else 0 for k, n in zip(keys, rows["seen"], strict=True)]
    )
    return rows[["village_id", "band", "school_id", "pupils", "main", "mode", "group"]]


def _largest(keys: list[tuple[str, str, str, str]], weights: list[float]) -> Flags:
    """Of the rows of a village, band and group the one with the largest weight, the first of them by school."""
    best: dict[tuple[str, str, str], tuple[float, str, int]] = {}
    for i, ((v, b, j, g), n) in enumerate(zip(keys, weights, strict=True)):
        best[v, b, g] = min(best.get((v, b, g), (np.inf, "", i)), (-n, j, i))
    main = np.zeros(len(keys), dtype=bool)
    main[[i for _, _, i in best.values()]] = True
    return main


def _nearest(demand: pd.DataFrame, bands: pd.DataFrame, minutes: pd.DataFrame) -> pd.DataFrame:
    """The nearest site that teaches the whole band, for every village-band of the demand."""
    if demand.empty:
        return demand.assign(school_id="", pupils=0, main=True, mode="", group="").drop(columns="total")
    reach = minutes.merge(bands[bands["full"]], on=["school_id", "band"])
    reach = reach.sort_values(["village_id", "band", "minutes", "school_id"], kind="stable")
    best = reach.groupby(["village_id", "band"], sort=False).head(1)[["village_id", "band", "school_id"]]
    rows = demand.merge(best, on=["village_id", "band"])
    return rows.rename(columns={"total": "pupils"}).assign(main=True, mode="", group="")


def _open_to_all(county: County, bands: pd.DataFrame) -> pd.DataFrame:
    """Bands of units that take pupils of no group, as those are taken to be of whom nothing is observed."""
    rules = admission(county.school_stage, county.attendance)
    if rules is None:
        return bands
    stage = bands["band"].map(county.scheme.band_stage)
    return bands[rules.of_rows(bands["school_id"] + "/" + stage, [""] * len(bands))]


def _with_mode(rows: pd.DataFrame, ways: KnownWays, standards: Standards) -> pd.DataFrame:
    """Today's mode and minutes: as T6 says, else the best way that exists.

    The best way is on foot where that is within the walking limit, and else the quicker mode. "No worse than
    today" compares with it, so an assumed long walk never excuses a long ride.
    """
    places = zip(*(rows[c].tolist() for c in ("village_id", "school_id", "band")), strict=True)
    known, nobody = ways.by_mode, (np.nan, np.nan)
    walk, bus = np.array([known.get(k, nobody) for k in places], dtype=float).reshape(-1, 2).T
    limits = {b: standards.limit(f"travel_walk_{b}", np.inf) for b in standards.scheme.band_ids}
    limit = np.array([limits.get(b, np.nan) for b in rows["band"]], dtype=float)
    on_foot = ~np.isnan(walk) & ((walk <= limit) | np.isnan(bus) | (walk <= bus))
    best = np.where(on_foot | np.isnan(bus), "walk", "bus")
    told = rows["mode"].isin(PLANNED_MODES)
    rows = rows.assign(today_mode=np.where(told, rows["mode"], best))
    rows["today_minutes"] = np.where(rows["today_mode"] == "walk", walk, bus)
    return rows.drop(columns="mode")


def today_groups(county: County, standards: Standards, times: TravelTimes) -> pd.DataFrame:
    """Groups of pupils and where they go today.

    Returns
    -------
    DataFrame
        ``village_id, band, group`` (zone, choice; of pupils of a group with its name behind), ``today_school_id, pupils,
        today_mode, today_minutes`` (NaN where no way is known), ``main`` (bool, the zone group), sorted; every pupil of the planning
        demand that goes to a site taking part appears exactly once.
    """
    bands = site_bands(county)
    ways = all_ways(times, standards)
    demand = planning_demand(county)
    seen = _observed(county, bands, demand)
    known = set(zip(seen["village_id"], seen["band"], strict=True))
    lacks = [k not in known for k in zip(demand["village_id"], demand["band"], strict=True)]
    rest = demand[np.array(lacks, dtype=bool)]
    rows = pd.concat([seen, _nearest(rest, _open_to_all(county, bands), ways.table)], ignore_index=True)
    rows = rows[rows["pupils"] > 0]
    # a village whose largest group rounds to nothing still needs a zone group: the largest left
    rows = _with_mode(rows, ways, standards)
    kind = np.where(rows["main"], "zone", "choice")
    rows["group"] = [labelled(k, g) for k, g in zip(kind, rows["group"], strict=True)]
    rows = rows.rename(columns={"school_id": "today_school_id"})
    columns = [
        "village_id",
        "band",
        "group",
        "today_school_id",
        "pupils",
        "today_mode",
        "today_minutes",
        "main",
    ]
    main = (~rows["main"].to_numpy(bool)).tolist()
    ranks = list(
        zip(rows["village_id"], rows["band"], main, rows["today_school_id"], rows["group"], strict=True)
    )
    return rows[columns].iloc[sorted(range(len(rows)), key=ranks.__getitem__)].reset_index(drop=True)


def today_findings(county: County, groups: pd.DataFrame) -> tuple[Finding, ...]:
    """What had to be assumed about today: estimated attendance, pupils left out, sites left out."""
    found = []
    demand = planning_demand(county)
    total = demand.merge(
        groups.groupby(["village_id", "band"])["pupils"].sum().reset_index(),
        on=["village_id", "band"],
        how="left",
    )
    names = county.villages.set_index("village_id")["name"]
    for row in total[total["pupils"].isna()].itertuples():
        found.append(
            Finding(
                "warning", "reasons.unplaced",
                {"village": names[row.village_id], "band": row.band, "pupils": int(row.total)},
            )
        )  # fmt: skip
    if county.attendance.empty:
        found.append(Finding("warning", "reasons.attendance_estimated", {"groups": len(groups)}))
    else:
        seen = county.attendance.groupby(["village_id", "band"])["pupils"].sum().rename("seen").reset_index()
        both = demand.merge(seen, on=["village_id", "band"], how="left").fillna({"seen": 0})
        off = both[both["seen"] != both["total"]]
        if len(off):
            found.append(Finding("warning", "reasons.attendance_scaled", {"groups": len(off)}))
    found += _elsewhere(county)
    left = county.schools[~county.schools["school_id"].isin(sites(county)["school_id"])]
    for row in left.itertuples():
        found.append(Finding("note", "reasons.site_left_out", {"school": row.name, "kind": row.kind}))
    return tuple(found)


def _elsewhere(county: County) -> list[Finding]:
    """Schools outside the plan that pupils of the planning demand attend today, with the villages' names."""
    wanted = planning_demand(county)[["village_id", "band"]]
    seen = county.attendance[county.attendance["pupils"] > 0].merge(wanted, on=["village_id", "band"])
    rows = seen.merge(site_bands(county)[["school_id", "band", "full"]], on=["school_id", "band"], how="left")
    rows = rows[rows["full"].isna()]
    school = county.schools.set_index("school_id")["name"]
    village = county.villages.set_index("village_id")["name"]
    return [
        Finding(
            "warning", "reasons.attendance_elsewhere",
            {
                "school": school[school_id], "pupils": int(some["pupils"].sum()),
                "villages": ", ".join(village[some["village_id"].unique()]),
            },
            table="schools", value=str(school_id),
        )
        for school_id, some in rows.groupby("school_id", sort=True)
    ]  # fmt: skip
