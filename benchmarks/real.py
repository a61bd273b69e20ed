"""Two real places, end to end: Rutland (OSM roads, modelled enrolment) and Fermanagh (real enrolment, no roads).

``python -m benchmarks.real rutland OUT`` writes OUT/rutland (a county's folder) and OUT/rutland-plan (the
dossier), and prints what was measured. Data is read from the shared folder beside the project, never copied.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.modelled import MODELLED, Place, kilometres, write_place
from geodata.folder.reading import read_county
from maps.dossier.dossier import write_dossier
from optimizer.verbs.plan import plan

SEED = 2026
SHARED = Path(__file__).resolve().parents[1].parent / "shared" / "data"
POPULATION = {"town": 4000, "village": 300, "hamlet": 60}
"""People of a place whose population no source gives, by its class in OSM; assumed."""
BAND_SHARE = 0.034
"""Pupils of one three-year band as a share of the population; assumed."""
INDEPENDENT = ("Oakham School", "Uppingham School", "Brooke Priory School")
"""Fee-paying schools: private, so they take no part in the plan."""
SPECIAL = ("The Shires", "Crossroads Farm - Wilds Lodge School")


def rutland(data: Path = SHARED / "rutland") -> Place:
    """Schools and settlements from OSM; pupils from GeoNames or assumed populations."""
    raw = pd.read_csv(data / "rutland_schools_osm.csv")
    raw = raw[(raw["amenity"] == "school") & raw["name"].notna()].sort_values("osm_id")
    raw = raw[~raw["name"].isin([*SPECIAL, "Hodges"])].reset_index(drop=True)  # Hodges is a boarding house
    college = raw["name"].str.contains("College")
    private = raw["name"].isin(INDEPENDENT)
    places = pd.read_csv(data / "rutland_places.csv")
    places = places[places["place"].isin(list(POPULATION))].sort_values("osm_id").reset_index(drop=True)
    people = places["population_geonames"].where(places["population_geonames"] > 0, places["population_osm"])
    people = people.where(people > 0, places["place"].map(POPULATION)).astype(float)
    anchors = places[people >= 800].reset_index(drop=True)

    def town(rows: pd.DataFrame) -> list[str]:
        return [str(n) for n in anchors["name"].to_numpy()[np.argmin(kilometres(rows, anchors), axis=1)]]

    zone = np.where(pd.Series(town(raw)).isin(["Oakham"]), "seat", "rural")
    zone = np.where(pd.Series(town(raw)).isin(["Uppingham"]), "town", zone)
    level = np.where(
        college, "junior", np.where(zone == "seat", "seat", np.where(zone == "town", "central", "village"))
    )
    sites = pd.DataFrame(
        {
            "school_id": "R" + raw["osm_id"].astype(str), "name": raw["name"], "kind": np.where(private, "private_nine_year", np.where(college, "junior", "primary")),
            "level": level, "township": town(raw), "zone": zone, "public": ~private, "lon": raw["lon"].round(7), "lat": raw["lat"].round(7),
            "grades": np.where(private, "1-9", np.where(college, "7-9", "1-6")),
        }
    )  # fmt: skip
    villages = pd.DataFrame(
        {"village_id": "P" + places["osm_id"].astype(str), "name": places["name"], "township": town(places), "lon": places["lon"], "lat": places["lat"]}
    )  # fmt: skip
    pupils = pd.concat(
        [pd.DataFrame({"village_id": villages["village_id"], "band": b, "pupils": np.ceil(BAND_SHARE * people).astype(int)}) for b in ("g1_3", "g4_6", "g7_9")]
    )  # fmt: skip
    source = "Schools, places, roads: (c) OpenStreetMap contributors, ODbL; populations: GeoNames, CC BY 4.0"
    return Place(
        "Rutland", "Rutland", sites, villages, pupils, str(data / "rutland-latest.osm.pbf"), 6.0, source
    )


def fermanagh(data: Path = SHARED / "fermanagh", seed: int = SEED) -> Place:
    """77 primary schools with real enrolment by year; the homes around them are modelled.

    Years 2-7 (ages 6-11) stand for grades 1-6; year 1 and nursery are not planned. Each school's pupils
    live in one to four hamlets, one a hundred pupils, drawn 0.3-4 km away.
    """
    raw = pd.read_csv(data / "primary_schools_2023_24.csv").sort_values("De ref").reset_index(drop=True)
    rng = np.random.default_rng([seed, 9])
    bands = {"g1_3": ["year 2", "year 3", "year 4"], "g4_6": ["year 5", "year 6", "year 7"]}
    urban = raw["Urban/ Rural"] == "URBAN"
    total = raw[[y for years in bands.values() for y in years]].sum(axis=1)
    sites = pd.DataFrame(
        {
            "school_id": "F" + raw["De ref"].astype(str), "name": raw["school name_x"], "kind": np.where(total < 40, "point", "primary"),
            "level": np.where(urban, "seat", np.where(total < 40, "point", np.where(total > 180, "central", "village"))),
            "township": raw["DEA (2014)"], "zone": np.where(urban, "town", "rural"), "public": True, "lon": raw["lon"], "lat": raw["lat"], "grades": "1-6",
        }
    )  # fmt: skip
    villages, going = [], []
    for k, row in sites.iterrows():
        many = int(np.clip(np.ceil(total[k] / 100), 1, 4))
        far, turn = rng.uniform(0.3, 4.0, many), rng.uniform(0, 2 * np.pi, many)
        for i in range(many):
            name = f"{row['school_id']}-{i + 1}"
            lon = row["lon"] + far[i] * np.cos(turn[i]) / (111.3 * np.cos(np.radians(row["lat"])))
            villages.append((name, f"{raw.at[k, 'ward (2014)']} {i + 1} (modelled)", row["township"], round(lon, 6), round(row["lat"] + far[i] * np.sin(turn[i]) / 110.9, 6)))  # fmt: skip
            for band, years in bands.items():
                n = int(raw.loc[k, years].sum())
                going.append((name, row["school_id"], band, n // many + (i < n % many)))
    homes = pd.DataFrame(villages, columns=["village_id", "name", "township", "lon", "lat"])
    pupils = pd.DataFrame(going, columns=["village_id", "school_id", "band", "pupils"])
    source = "Department of Education NI, Open Government Licence v3 (2023/24)"
    modelled = ("villages", *[m for m in MODELLED if m != "demand"])
    return Place(
        "Fermanagh and Omagh", "Fermanagh and Omagh", sites, homes, pupils[pupils["pupils"] > 0], None, 3.0, source, modelled
    )  # fmt: skip


PLACES = {"rutland": rutland, "fermanagh": fermanagh}


def main(which: str, out: Path) -> None:
    """Write the county, plan it, write the dossier; print figures."""
    begun = time.monotonic()
    folder = write_place(PLACES[which](), out / which, SEED)
    county = read_county(folder)
    read = time.monotonic() - begun
    result = plan(county)
    write_dossier(result, out / f"{which}-plan", "en", overwrite=True)
    measures = result.verdict.measures.set_index("measure")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{which}: {len(county.schools)} schools, {len(county.villages)} villages, times {result.times.source}"
    )
    print(f"read {read:.1f} s, all {time.monotonic() - begun:.1f} s, peak {peak:.0f} MB")
    print(f"objective {result.solve.objective:.4f} bound {result.solve.bound:.4f} gap {result.solve.gap:.2%}")
    print(measures[["today", "plan"]].to_string())
    for finding in result.findings[:12]:
        print("-", finding.sentence("en"))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
