"""The demonstration county Nanpu (南浦县): fictional, from a seed, built to the blueprint of sources.md 7."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
from shapely import LineString, transform

from geodata.demo.places import Places, degrees, make_places
from geodata.demo.pupils import Pupils, make_pupils
from geodata.demo.resources import categories, make_means
from geodata.demo.roads import make_roads, save_roads
from geodata.folder.target import claim
from geodata.layers.coordinates import from_wgs84
from geodata.standards.reading import default_scheme

YEAR = 2025
COHORT_INDEX = {
    2025: (100.0, 100.0),
    2026: (96.5, 101.0),
    2027: (89.5, 102.0),
    2028: (82.0, 103.5),
    2029: (74.5, 105.0),
    2030: (67.0, 100.0),
}
"""Primary and junior enrolment, 2025 = 100; scaled from the national index of sources.md 6 [C]."""
BUDGET = {
    "device": 2_500_000,
    "teacher": 2_500_000,
    "building": 1_500_000,
    "transport": 1_000_000,
    "any": 500_000,
}
"""Yuan; "8 m yuan is a device-and-people budget" (sources.md 7)."""
CV_RANGES = {
    ("pri", "q"): (0.21, 0.32), ("pri", "b"): (0.34, 0.58), ("pri", "a"): (0.39, 0.59), ("pri", "sp"): (0.33, 0.50),
    ("pri", "sf"): (0.52, 0.75), ("pri", "eq"): (0.13, 0.23), ("pri", "mm"): (0.23, 0.33),
    ("jun", "q"): (0.11, 0.23), ("jun", "b"): (0.24, 0.50), ("jun", "a"): (0.21, 0.69), ("jun", "sp"): (0.22, 0.39),
    ("jun", "sf"): (0.38, 0.60), ("jun", "eq"): (0.07, 0.23), ("jun", "mm"): (0.09, 0.25),
}  # fmt: skip
"""Where a county of this kind starts (sources.md 7, table [C]); draws outside are drawn again."""
MOST_DRAWS = 400

COUNTY_TOML = """\
# Nanpu (南浦县) is FICTIONAL: places, people and numbers are made from seed {seed}; it is no real county.
# 南浦县为虚构示例县，由随机种子 {seed} 生成，与任何真实县无关。
# import_test/schools_bad.csv holds two faulty rows (swapped axes, BD-09) to try the import with.
name = "南浦县"
name_en = "Nanpu County"
fictional = true
year = {year}
standards = ["cn_2017_quality", "cn_layout"]
roads = "roads.graphml"
townships = "townships.geojson"
waters = "waters.geojson"
"""


def _schools(rng: np.random.Generator, pupils: Pupils) -> pd.DataFrame:
    """T1."""
    sites = pupils.sites
    lon, lat = degrees(sites["x"].to_numpy(), sites["y"].to_numpy())
    zone = np.where(
        sites["level"].isin(["seat", "seat_nine", "seat_junior", "special", "private"]),
        "seat",
        np.where(sites["level"].isin(["central", "junior"]), "town", "rural"),
    )
    central = sites[sites["level"] == "central"].set_index("township")["school_id"]
    table = pd.DataFrame(
        {
            "school_id": sites["school_id"], "name": sites["name"], "kind": sites["kind"], "township": sites["township"],
            "zone": zone, "lon": lon.round(7), "lat": lat.round(7), "crs": "wgs84",
            "parent_id": np.where(sites["level"] == "point", sites["township"].map(central).fillna(""), ""),
            "counted": True, "public": sites["level"] != "private", "built_year": rng.integers(1972, 2006, len(sites)),
            "status": "open", "protected": "none", "grades_served": sites["grades"],
            "land_area": (1500 + 16 * (sites["pri"] + sites["jun"])).astype(float),
            "road_class": np.where(zone == "seat", "county", np.where(zone == "town", "township", "village")), "note": "",
        }
    )  # fmt: skip
    village = sites.index[sites["level"] == "village"]
    point = sites.index[(sites["level"] == "point") & (sites["pri"] < 40)]
    table.loc[point[3], ["protected", "note"]] = ["donor", "希望小学（捐建）"]
    for at in (village[4], village[11]):
        table.loc[at, ["protected", "built_year", "note"]] = ["new_asset", 2021, "2021年新建校舍"]
    return table


def _villages(places: Places) -> pd.DataFrame:
    """T4; the villages farthest from any school stand on dykes or in the hills."""
    v = places.villages
    lon, lat = degrees(v["x"].to_numpy(), v["y"].to_numpy())
    table = pd.DataFrame(
        {
            "village_id": v["village_id"], "name": v["name"], "township": v["township"], "lon": lon.round(7),
            "lat": lat.round(7), "crs": "wgs84", "road_access": np.where(v["track"], "track", "paved"),
            "terrain": v["terrain"],
        }
    )  # fmt: skip
    sites = places.sites[places.sites["level"].isin(["central", "rural_nine", "village", "point"])]
    gap = np.hypot(
        v["x"].to_numpy()[:, None] - sites["x"].to_numpy(), v["y"].to_numpy()[:, None] - sites["y"].to_numpy()
    )
    far = np.where(v["seat"], 0.0, gap.min(axis=1))
    table["island_or_dyke"] = False
    table.loc[table.index[np.argsort(-far, kind="stable")[:6]], "island_or_dyke"] = True
    return table


def _demand(attendance: pd.DataFrame) -> pd.DataFrame:
    """T5: the cohort of each village and band, this year and five more."""
    base = attendance.groupby(["village_id", "band"], as_index=False)["pupils"].sum()
    parts = []
    for year, (primary, junior) in COHORT_INDEX.items():
        index = np.where(base["band"] == "g7_9", junior, primary) / 100
        n = np.round(base["pupils"] * index).astype(int)
        parts.append(
            pd.DataFrame(
                {
                    "village_id": base["village_id"], "band": base["band"], "year": year, "pupils_low": np.floor(0.9 * n).astype(int),
                    "pupils_base": n, "pupils_high": np.ceil(1.1 * n).astype(int), "source": "register" if year == YEAR else "births",
                }
            )
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True).sort_values(["village_id", "band", "year"])


def _unit_pupils(attendance: pd.DataFrame) -> pd.DataFrame:
    rows = attendance.assign(stage=attendance["band"].map(default_scheme().band_stage))
    return rows.groupby(["school_id", "stage"], as_index=False)["pupils"].sum()


def _by_grade(attendance: pd.DataFrame, sites: pd.DataFrame, stages: pd.DataFrame) -> pd.DataFrame:
    """T3: each band's pupils over its grades, classes of the unit over its grades."""
    served = sites.set_index("school_id")["grades"]
    total = attendance.groupby(["school_id", "band"])["pupils"].sum()
    classes = stages.set_index(["school_id", "stage"])["classes"]
    scheme, rows = default_scheme(), []
    for (school, band), n in total.items():
        last = int(str(served[school]).split("-")[1])
        stage = scheme.band_stage[str(band)]
        grades = [g for g in scheme.band_grades[str(band)] if g <= last]
        unit = [g for g, s in scheme.stage_of_grade.items() if s == stage and g <= last]
        many = int(classes[school, stage])
        for k, g in enumerate(grades):
            at = unit.index(g)
            share = many // len(unit) + (1 if at < many % len(unit) else 0)
            rows.append((school, g, int(n) // len(grades) + (1 if k < int(n) % len(grades) else 0), share))
    return pd.DataFrame(rows, columns=["school_id", "grade", "pupils", "classes"])


def starting_cvs(stages: pd.DataFrame, staff: pd.DataFrame) -> dict[tuple[str, str], float]:
    """Student-weighted CVs of the drawn county over units of 50 pupils or more (sources.md 1.4)."""
    flags = categories().set_index(["stage", "cat_id"])
    counts = staff.join(flags[["counts_q", "counts_b", "counts_a"]], on=["stage", "cat_id"])
    units = stages.set_index(["school_id", "stage"])
    for flag in "qba":
        units[flag] = (
            (counts["heads"] * counts[f"counts_{flag}"]).groupby([counts["school_id"], counts["stage"]]).sum()
        )
    units = units.fillna(0)
    units["sp"] = units["area_teaching"] - units["area_indoor_sport"]
    units["sf"] = units["area_sport_ground"] + units["area_indoor_sport"]
    units["eq"], units["mm"] = units["equip_value"], units["rooms_multimedia"]
    found = {}
    for stage, part in units[units["pupils"] >= 50].groupby(level="stage"):
        p = part["pupils"].to_numpy(float)
        for i in ("q", "b", "a", "sp", "sf", "eq", "mm"):
            x = part[i].to_numpy(float)
            found[str(stage), i] = float(np.sqrt(p.sum() * (x * x / p).sum() / x.sum() ** 2 - 1))
    return found


def _drawn(seed: int, pupils: Pupils) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The first draw whose starting CVs all lie in the ranges of the blueprint's table.

    Raises
    ------
    RuntimeError
        If none of `MOST_DRAWS` does: the blueprint and its ranges disagree.
    """
    want = _unit_pupils(pupils.attendance)
    for attempt in range(MOST_DRAWS):
        rng = np.random.default_rng([seed, 7, attempt])
        stages, staff = make_means(rng, pupils.sites, want)
        cvs = starting_cvs(stages, staff)
        if all(low <= cvs[k] <= high for k, (low, high) in CV_RANGES.items()):
            return stages, staff
    raise RuntimeError(f"no draw of seed {seed} starts inside the blueprint's ranges")


def _shared(stages: pd.DataFrame, sites: pd.DataFrame) -> pd.DataFrame:
    """One nine-year school reports its assets for the whole school, on both rows."""
    done = stages.copy()
    done["shared_assets"] = False
    school = sites.loc[sites["level"] == "rural_nine", "school_id"].iloc[0]
    rows = done.index[done["school_id"] == school]
    for column in (
        "area_teaching",
        "area_indoor_sport",
        "area_sport_ground",
        "equip_value",
        "rooms_multimedia",
        "rooms_multimedia_working",
    ):
        done.loc[rows, column] = done.loc[rows, column].sum()
    done.loc[rows, "shared_assets"] = True
    return done


def _faulty(schools: pd.DataFrame) -> pd.DataFrame:
    """Two rows to try an import with: axes swapped, and BD-09 declared as such."""
    rows = schools.iloc[[12, 13]].copy()
    rows.iloc[0, rows.columns.get_indexer(["lon", "lat"])] = rows.iloc[0][["lat", "lon"]].to_numpy()
    lon, lat = from_wgs84(rows["lon"].to_numpy(float)[1:], rows["lat"].to_numpy(float)[1:], "bd09")
    rows.iloc[1, rows.columns.get_indexer(["lon", "lat", "crs"])] = [
        round(float(lon[0]), 7),
        round(float(lat[0]), 7),
        "bd09",
    ]
    return rows


def _layer(path: Path, table: pd.DataFrame, shapes: list[object]) -> None:
    """GeoJSON with rounded coordinates, written by hand of json so that the bytes are stable."""
    frame = gpd.GeoDataFrame(table, geometry=shapes, crs="EPSG:4326")
    content = json.loads(frame.to_json(drop_id=True))
    path.write_text(json.dumps(content, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")


def _to_degrees(xy: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    lon, lat = degrees(xy[:, 0], xy[:, 1])
    return np.column_stack([lon, lat]).round(6)


def _background(folder: Path, places: Places, rng: np.random.Generator) -> None:
    """Township polygons and a river with two canals."""
    shapes: list[object] = [transform(p, _to_degrees) for p in places.townships["polygon"]]
    _layer(folder / "townships.geojson", places.townships[["township"]], shapes)
    x = np.linspace(-1, 38, 60)
    river = np.column_stack([x, 13.5 + 0.42 * x + 1.6 * np.sin(x / 4.5) + rng.normal(0, 0.08, len(x))])
    canals = [
        np.column_stack([np.full(20, c), np.linspace(24, 36, 20)]) + rng.normal(0, 0.1, (20, 2))
        for c in (22.0, 30.0)
    ]
    county = places.townships["polygon"].iloc[0]
    for p in places.townships["polygon"].iloc[1:]:
        county = county.union(p)
    lines = [LineString(line).intersection(county.buffer(0.01)) for line in (river, *canals)]
    names = pd.DataFrame({"name": ["南浦河", "东圩河", "北圩河"], "kind": ["river", "canal", "canal"]})
    _layer(folder / "waters.geojson", names, [transform(s, _to_degrees) for s in lines])


def write_demo_county(folder: Path, seed: int = 2026) -> Path:
    """Write the fictional county Nanpu.

    Parameters
    ----------
    folder : Path
        Made if missing, as a whole; the files of an earlier one are replaced, others in it stay.
    seed : int
        The same seed gives the same bytes.

    Returns
    -------
    Path
        The folder: county.toml, tables as CSV, roads.graphml, townships and waters as GeoJSON.
    """
    with claim(folder) as target:
        return target.replace(lambda draft: _write(draft, seed))


def _write(folder: Path, seed: int) -> None:
    rng = np.random.default_rng([seed, 1])
    places = make_places(rng)
    pupils = make_pupils(np.random.default_rng([seed, 2]), places)
    stages, staff = _drawn(seed, pupils)
    schools = _schools(np.random.default_rng([seed, 3]), pupils)
    costs = pd.read_csv(files("geodata.contract") / "unit_costs.csv", dtype=str)
    budget = [
        {"year": YEAR, "source": "county", "earmark": e, "amount": n, "carry_over": False}
        for e, n in BUDGET.items()
    ]
    tables = {
        "schools": schools, "school_stage": _shared(stages, pupils.sites),
        "enrolment_by_grade": _by_grade(pupils.attendance, pupils.sites, stages), "villages": _villages(places),
        "demand": _demand(pupils.attendance), "attendance": pupils.attendance, "staff_category": categories(),
        "staff_stock": staff, "unit_costs": costs, "budget": pd.DataFrame(budget),
    }  # fmt: skip
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False, encoding="utf-8-sig", lineterminator="\n")
    (folder / "import_test").mkdir(exist_ok=True)
    _faulty(schools).to_csv(
        folder / "import_test" / "schools_bad.csv", index=False, encoding="utf-8-sig", lineterminator="\n"
    )
    save_roads(make_roads(np.random.default_rng([seed, 4]), places), folder / "roads.graphml")
    _background(folder, places, np.random.default_rng([seed, 5]))
    (folder / "county.toml").write_text(COUNTY_TOML.format(seed=seed, year=YEAR), encoding="utf-8")
