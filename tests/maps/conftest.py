"""A hand-made `PlanResult`: seven sites, ten villages, two townships, one closure, one reduction."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace

import geopandas as gpd
import networkx as nx
import pandas as pd
import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from shapely.geometry import LineString, box

from geodata.contract.county import County
from geodata.travel.times import travel_times
from models.plan.decisions import Plan, PlanResult, SolveRecord, make_plan
from models.plan.reasons.actions import list_actions
from models.problem.baseline import site_bands
from models.referee.verdict import judge
from models.standards.norms import load_standards
from tests.samples import CATEGORIES, COSTS, KM_LAT, KM_LON, LAT0, LON0, frame, school, staff, unit

BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
SITES = [
    ("S1", "河口镇中心小学", 0.0, 0.0, "primary", "河口镇", "1-6"),
    ("S2", "柳树湾小学", 6.0, 3.2, "primary", "河口镇", "1-6"),
    ("S3", "贾家庄教学点", 1.4, 2.2, "point", "河口镇", "1-3"),
    ("S4", "河口镇初级中学", 0.7, -0.6, "junior", "河口镇", "7-9"),
    ("S5", "青石乡九年一贯制学校", 12.0, 1.0, "nine_year", "青石乡", "1-9"),
    ("S6", "史家沟小学", 14.6, 5.0, "primary", "青石乡", "1-6"),
    ("S7", "育才学校", 0.9, 0.9, "private_primary", "河口镇", "1-6"),
]
SEAT = ("S1", "S3", "S4")
STAFF = {
    ("S1", "pri"): {"plain": 4, "plain_q": 12, "backbone": 6, "arts": 5, "near_ret": 1},
    ("S2", "pri"): {"plain": 3, "plain_q": 6, "arts": 1, "near_ret": 1},
    ("S3", "pri"): {"plain": 2, "plain_q": 1},
    ("S4", "jun"): {"plain": 2, "plain_q": 12, "backbone": 4, "arts": 3},
    ("S5", "pri"): {"plain": 3, "plain_q": 8, "backbone": 1, "arts": 1},
    ("S5", "jun"): {"plain": 2, "plain_q": 7, "backbone": 1, "arts": 1},
    ("S6", "pri"): {"plain": 3, "plain_q": 3, "near_ret": 1},
}
UNITS = [
    ("S1", "pri", 330, 9, 405), ("S2", "pri", 120, 6, 270), ("S3", "pri", 14, 2, 60), ("S4", "jun", 240, 6, 300),
    ("S5", "pri", 190, 6, 270), ("S5", "jun", 130, 3, 150), ("S6", "pri", 64, 4, 180), ("S7", "pri", 90, 4, 180),
]  # fmt: skip
VILLAGES = [
    ("V01", "郑家湾村", -1.6, 0.6), ("V02", "武家坝村", 0.3, 0.5), ("V03", "贾家庄村", 1.6, 2.5),
    ("V04", "戴家坝村", 2.6, -1.5), ("V05", "曾家坝村", 5.6, 3.6), ("V06", "毛家庄村", 7.4, 2.4),
    ("V07", "周家庄村", 11.4, 0.6), ("V08", "阎家庄村", 12.6, 1.6), ("V09", "史家沟村", 14.9, 5.3),
    ("V10", "姚家岭村", 15.4, 3.4),
]  # fmt: skip
GOING = {  # school by band of every village today, pupils a band
    "V01": ("S1", "S1", "S4", 40), "V02": ("S1", "S1", "S4", 80), "V03": ("S3", "S1", "S4", 14),
    "V04": ("S1", "S1", "S4", 35), "V05": ("S2", "S2", "S4", 34), "V06": ("S2", "S2", "S4", 26),
    "V07": ("S5", "S5", "S5", 50), "V08": ("S5", "S5", "S5", 45), "V09": ("S6", "S6", "S5", 18),
    "V10": ("S6", "S6", "S5", 14),
}  # fmt: skip
BAND_NAMES = ("g1_3", "g4_6", "g7_9")


def road_graph() -> nx.MultiDiGraph:
    """A county road from west to east with a lane to every school and village."""
    graph = nx.MultiDiGraph(crs="EPSG:4326")
    places = [(x, y) for _, _, x, y, *_ in SITES] + [(x, y) for _, _, x, y in VILLAGES]
    stops = sorted({-3.0, 17.0, *(round(x, 2) for x, _ in places)})

    def add(node: int, x: float, y: float) -> None:
        graph.add_node(node, x=LON0 + x * KM_LON, y=LAT0 + y * KM_LAT)

    def join(a: int, b: int, km: float, highway: str) -> None:
        for u, v in ((a, b), (b, a)):
            graph.add_edge(u, v, length=1000 * km, highway=highway)

    for i, x in enumerate(stops):
        add(i, x, 0.3)
        if i:
            join(i - 1, i, x - stops[i - 1], "secondary")
    for k, (x, y) in enumerate(places):
        add(100 + k, x, y)
        join(stops.index(round(x, 2)), 100 + k, abs(y - 0.3), "unclassified" if k % 2 else "track")
    return graph


def townships() -> gpd.GeoDataFrame:
    def area(x0: float, y0: float, x1: float, y1: float) -> object:
        return box(LON0 + x0 * KM_LON, LAT0 + y0 * KM_LAT, LON0 + x1 * KM_LON, LAT0 + y1 * KM_LAT)

    shapes = [area(-4, -4, 9, 7), area(9, -4, 18, 7)]
    return gpd.GeoDataFrame({"township": ["河口镇", "青石乡"]}, geometry=shapes, crs="EPSG:4326")


def make_county(names: dict[str, str] | None = None) -> County:
    """The sample county; ``names`` renames sites and villages by id."""
    names = names or {}
    schools = [
        school(i, x, y, kind, town, grades, name=names.get(i, name), public=kind != "private_primary")
        for i, name, x, y, kind, town, grades in SITES
    ]
    villages = [
        {"village_id": v, "name": names.get(v, name), "township": "河口镇" if x < 9 else "青石乡",
         "lon": LON0 + x * KM_LON, "lat": LAT0 + y * KM_LAT, "crs": "wgs84"}
        for v, name, x, y in VILLAGES
    ]  # fmt: skip
    going = [(v, s, b, to[3]) for v, to in GOING.items() for b, s in zip(BAND_NAMES, to, strict=False)]
    demand = [{"village_id": v, "band": b, "year": 2025, "pupils_base": n} for v, _, b, n in going]
    river = LineString(
        [(LON0 + x * KM_LON, LAT0 + y * KM_LAT) for x, y in ((-4, 5), (3, 1.5), (8, -1), (18, -3))]
    )
    money = {
        "teacher": 900_000.0,
        "device": 600_000.0,
        "building": 900_000.0,
        "transport": 200_000.0,
        "any": 0.0,
    }
    attendance = [{"village_id": v, "school_id": s, "band": b, "pupils": n} for v, s, b, n in going]
    return County(
        name="示例县", name_en="Sample county", year=2025, fictional=True, modelled=("school_stage.equip_value",),
        schools=frame("schools", schools), school_stage=frame("school_stage", [unit(*u) for u in UNITS]),
        villages=frame("villages", villages), demand=frame("demand", demand),
        staff_category=frame("staff_category", CATEGORIES), staff_stock=staff(STAFF),
        unit_costs=frame("unit_costs", [{"item": i, "unit": "", "low": c, "base": c, "high": c, "year": 2024, "source": "test"} for i, c in COSTS.items()]),
        budget=frame("budget", [{"year": 2025, "source": "county", "earmark": e, "amount": m} for e, m in money.items()]),
        enrolment_by_grade=frame("enrolment_by_grade", []), attendance=frame("attendance", attendance),
        standards=frame("standards", []), roads=road_graph(), townships=townships(),
        waters=gpd.GeoDataFrame({"name": ["漳河"]}, geometry=[river], crs="EPSG:4326"),
    )  # fmt: skip


def make_plan_by_hand(county: County) -> Plan:
    """S3 closes into S1; S6 gives up grades 4-6 to S5; V06 goes to S5; teachers and rooms move."""
    new = {("V03", "g1_3"): "S1", ("V09", "g4_6"): "S5", ("V10", "g4_6"): "S5", ("V06", "g4_6"): "S5"}
    attendance = [
        {"village_id": v, "band": b, "group": "zone", "today_school_id": s, "school_id": new.get((v, b), s),
         "mode": "bus" if v in ("V06", "V09", "V10") else "walk", "pupils": to[3]}
        for v, to in GOING.items()
        for b, s in zip(BAND_NAMES, to, strict=False)
    ]  # fmt: skip
    shut = {("S3", "g1_3"), ("S6", "g4_6")}
    bands = site_bands(county)[["school_id", "band"]].assign(was_open=True)
    bands["open"] = [k not in shut for k in zip(bands["school_id"], bands["band"], strict=True)]
    bands["classes"] = bands["open"].astype(int) * 3
    moves = [("S1", "pri", "S2", "pri", "backbone", 2), ("S3", "pri", "S1", "pri", "plain_q", 1),
             ("S3", "pri", "S6", "pri", "plain", 2), ("S1", "pri", "S6", "pri", "arts", 1)]  # fmt: skip
    columns = ["from_school_id", "from_stage", "to_school_id", "to_stage", "cat_id", "heads"]
    return make_plan(
        county.year,
        bands=bands,
        attendance=pd.DataFrame(attendance),
        staff_moves=pd.DataFrame(moves, columns=columns),
        hires=pd.DataFrame([("S5", "pri", "arts", 1)], columns=["school_id", "stage", "cat_id", "heads"]),
        purchases=pd.DataFrame(
            [("S1", "pri", "rooms_multimedia", 2.0)], columns=["school_id", "stage", "kind", "quantity"]
        ),
    )


def make_result(county: County) -> PlanResult:
    """The hand-made plan judged by the referee, as the planner would hand it over."""
    times = travel_times(county)
    plan = make_plan_by_hand(county)
    verdict = judge(county, load_standards(county), plan, times)
    solve = SolveRecord(0.374, 0.366, 0.0214, 12.0, "proven", "HiGHS", 0, ())
    return PlanResult(county, {}, plan, verdict, solve, times, list_actions(county, plan, verdict), ())


@pytest.fixture(scope="session")
def sample_result() -> PlanResult:
    return make_result(make_county())


@pytest.fixture(scope="session")
def crowded_result(sample_result: PlanResult) -> PlanResult:
    """Three schools stand close together in the seat; one receiver is full, one takes 8 too many; 4 pupils by-pass by choice."""
    county, verdict = sample_result.county, sample_result.verdict
    zone = county.schools["zone"].where(~county.schools["school_id"].isin(SEAT), "seat")
    units = verdict.units.copy()
    for unit_id, places in (("S1/pri", 338), ("S5/pri", 240)):
        units.loc[units["unit_id"] == unit_id, "capacity"] = places
    one = verdict.travel.iloc[[0]].assign(
        group="choice", pupils=4, minutes_today=9.0, minutes=31.0, limit=30.0
    )
    travel = pd.concat([verdict.travel, one], ignore_index=True)
    return replace(
        sample_result,
        county=replace(county, schools=county.schools.assign(zone=zone), name="河口镇"),
        verdict=replace(verdict, units=units, travel=travel),
    )


@pytest.fixture(scope="session")
def result_with_names() -> Callable[[dict[str, str]], PlanResult]:
    """The same plan with sites and villages renamed."""
    return lambda names: make_result(make_county(names))


@pytest.fixture(scope="session")
def crow_fly_result() -> PlanResult:
    """Without roads, townships and waters, and not fictional."""
    return make_result(
        replace(make_county(), roads=None, townships=None, waters=None, fictional=False, modelled=())
    )


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """Headless Chromium that resolves no host name."""
    if not (BROWSER and DRIVER):
        pytest.skip(
            "chromium or chromedriver is not installed (Debian: apt-get install chromium chromium-driver)"
        )
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1366,911",
        "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND",
        f"--user-data-dir={tmp_path_factory.mktemp('profile')}",
    ):  # fmt: skip
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, Service(DRIVER))
    yield driver
    driver.quit()
