"""Every view of the map clicked on a phone, a projector, a laptop and a desk's screen, in both languages, and looked at as a person would."""

from __future__ import annotations

import re
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import pytest
from selenium import webdriver

from geodata.messages import LANGUAGES
from maps.web.proposal import write_map
from models.plan.decisions import PlanResult
from tests.maps.browsing import VIEWS, assert_quiet, foreign, in_browser, own_words, show

pytestmark = in_browser
SIZES = {"phone": (360, 740), "projector": (1024, 768), "laptop": (1366, 911), "desk": (1920, 1080)}
LARGEST = 3_000_000

LOOK = """
const [views, language] = arguments, all = (css) => [...document.querySelectorAll(css)];
const box = (n) => n.getBoundingClientRect();
const seen = (n) => box(n).width > 0 && box(n).height > 0 && getComputedStyle(n).visibility !== "hidden";
const common = (a, b) => Math.min(Math.min(a.right, b.right) - Math.max(a.left, b.left), Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top));
const pairs = (some, others) => some.flatMap((a) => others.filter((b) => a !== b && !a.contains(b) && !b.contains(a) && common(box(a), box(b)) > 1.5).map((b) => told(a) + " | " + told(b)));
const told = (n) => (n.id || n.className || n.tagName) + " " + n.textContent.slice(0, 20);
const wide = document.documentElement.clientWidth;
if (!document.documentElement.lang.startsWith(language)) document.getElementById("language").click();
return views.map((view) => {
  const button = document.querySelector(`#views [data-choice="${view}"]`);
  button.scrollIntoView({ block: "nearest" });
  const at = box(button), hit = document.elementFromPoint(at.left + at.width / 2, at.top + at.height / 2);
  hit.click();
  const controls = all("#top button, #views button, .switch button, #search, #corner button, .leaflet-control-zoom, .leaflet-control-scale, #seat, #swipe .side").filter(seen);
  const names = all("#map_junheng > .leaflet-map-pane .name").filter(seen), inner = all("#seat .name").filter(seen);
  const marks = all("#seat .leaflet-seat-schools-pane .leaflet-marker-icon").filter((n) => n.querySelector("svg"));
  return {
    view, pressed: document.querySelector('#views [aria-pressed="true"]').dataset.choice, label: button.textContent, title: document.getElementById("list-title").textContent,
    scrolls: document.documentElement.scrollWidth - wide,
    outside: all("#top *, #banner, #panel *, #corner *, .leaflet-control, #seat, #swipe *").filter(seen).filter((n) => box(n).left < -0.5 || box(n).right > wide + 0.5).map(told),
    overlap: pairs(controls, controls), covered: pairs(names, controls.filter((n) => n.closest("#map_junheng"))), hidden: pairs(inner, marks), seat: inner.length,
    legend: all("#legend li").map((n) => [n.querySelector(".key").childElementCount, n.textContent.trim()]),
    words: [document.title, ...all("#top, #banner, #panel, .leaflet-control, #swipe, #seat figcaption, .name").filter(seen).map((n) => n.innerText), document.getElementById("search").placeholder].join("\\n"),
    asked: performance.getEntriesByType("resource").map((e) => e.name),
  };
});
"""
"""Clicks each view and measures the page; a click goes to whatever lies above the middle of the button."""


@pytest.fixture(scope="module")
def page(crowded_result: PlanResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = write_map(crowded_result, tmp_path_factory.mktemp("views") / "map.html")
    assert made.stat().st_size < LARGEST
    return made


@pytest.mark.parametrize("size", SIZES)
def test_every_view_is_clicked_and_nothing_is_cut_covered_or_foreign(
    browser: webdriver.Chrome, page: Path, crowded_result: PlanResult, size: str
) -> None:
    own = own_words(crowded_result)
    width, height = SIZES[size]
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        show(browser, page)
        for language in LANGUAGES:
            looks = browser.execute_script(LOOK, list(VIEWS), language)
            assert [x["pressed"] for x in looks] == list(VIEWS)
            assert len({x["label"] for x in looks}) == len(VIEWS)
            assert (
                len({x["title"] for x in looks}) == len(VIEWS) - 1
            )  # before | after lists what the plan does
            for x in looks:
                found = {k: x[k] for k in ("outside", "overlap", "covered", "hidden", "asked") if x[k]}
                assert found == {}, (language, x["view"])
                assert x["scrolls"] <= 0 and len(x["legend"]) > 4
                assert all(keys and words for keys, words in x["legend"]), (language, x["view"], x["legend"])
                assert foreign(x["words"], language, own) == set(), (language, x["view"])
            assert any(x["seat"] for x in looks) == (
                size == "laptop"
            )  # this county is too small to be enlarged on the others
        assert_quiet(browser)
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_on_a_phone_the_views_stand_above_the_map_and_a_row_of_the_list_leads_back_to_it(
    browser: webdriver.Chrome, page: Path
) -> None:
    metrics = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        show(browser, page, "view=change&lang=en")
        tops = browser.execute_script(
            "const at = (css) => document.querySelector(css).getBoundingClientRect();"
            "const found = [at('#views').bottom, at('#map_junheng').top, at('#map_junheng').bottom, at('#search').top];"
            "const row = document.querySelector('#list button'); row.scrollIntoView(); row.focus(); row.click();"
            "const map = at('#map_junheng'); return [...found, map.top, map.bottom];"
        )
        assert tops[0] <= tops[1] and tops[2] <= tops[3] and tops[4] >= -1 and tops[5] <= 741
        cut = browser.execute_script(
            "const content = document.querySelector('.leaflet-popup-content');"
            "return [content.scrollWidth - content.clientWidth, content.querySelectorAll('.wrap td').length];"
        )
        assert cut[0] <= 0 < cut[1]  # the whole way is told without moving the popup sideways
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_no_name_is_cut_by_the_line_between_today_and_the_plan(browser: webdriver.Chrome, page: Path) -> None:
    show(browser, page, "view=swipe&lang=zh&at=50")
    cut = """
    const line = document.getElementById("swipe").getBoundingClientRect(), at = line.left + line.width / 2;
    const all = [...document.querySelectorAll(".name")].map((n) => [n, n.getBoundingClientRect()]);
    const across = all.filter(([, b]) => b.left < at - 1 && at + 1 < b.right);
    return [across.length, across.filter(([n]) => getComputedStyle(n).visibility !== "hidden").map(([n]) => n.textContent)];
    """
    line = browser.find_element("id", "swipe")
    found = []
    for _ in range(8):
        line.send_keys("\ue00e")  # page up: ten hundredths to the right
        found.append(browser.execute_script(cut))
    assert [names for _, names in found if names] == [] and sum(count for count, _ in found) > 0


def test_colours_of_minutes_are_told_apart_in_grey() -> None:
    script = (files("maps.web") / "page" / "map.js").read_text(encoding="utf-8")
    for name in ("BANDS_MIN", "ADDED"):
        (line,) = re.findall(rf"const {name} = (.*)", script)
        colours = re.findall(r"#([0-9a-f]{6})", line)
        greys = [0.299 * int(c[:2], 16) + 0.587 * int(c[2:4], 16) + 0.114 * int(c[4:], 16) for c in colours]
        longer = greys if name == "BANDS_MIN" else greys[2:]  # shorter and unchanged have shapes of their own
        assert len(longer) > 2 and all(a - b > 30 for a, b in pairwise(longer)), (name, greys)
