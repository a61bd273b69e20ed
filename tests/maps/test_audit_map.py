"""The map of an audit in headless Chromium: where the county stands, in every view that has something to tell."""

from __future__ import annotations

from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By

from maps.web.proposal import write_map
from models.plan.arrangement import today_as_plan
from models.plan.decisions import PlanResult
from models.standards.norms import load_standards
from optimizer.scenario import Scenario
from optimizer.verbs.told import result_of
from tests.maps.browsing import assert_quiet, foreign, in_browser, own_words, show, text, went
from tests.maps.test_views import LARGEST, LOOK, SIZES

pytestmark = in_browser
AUDITED = ["today", "minutes", "compliance"]
PLAN = ("方案", "草案", "撤并", "建议", "Plan", "plan", "Draft", "closure")
"""Words of a plan: an audit has none."""


@pytest.fixture(scope="module")
def today(crowded_result: PlanResult) -> PlanResult:
    county, times = crowded_result.county, crowded_result.times
    arrangement = today_as_plan(county, load_standards(county), times)
    return result_of(county, arrangement, Scenario(budget={}), times)


@pytest.fixture(scope="module")
def page(today: PlanResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = write_map(today, tmp_path_factory.mktemp("audit") / "map.html", audited=True)
    assert made.stat().st_size < LARGEST
    return made


@pytest.mark.parametrize("size", SIZES)
def test_every_view_of_an_audit_tells_of_today_only(
    browser: webdriver.Chrome, page: Path, today: PlanResult, size: str
) -> None:
    own, (width, height) = own_words(today), SIZES[size]
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        show(browser, page)
        offered = browser.find_elements(By.CSS_SELECTOR, "#views button")
        assert [b.get_attribute("data-choice") for b in offered] == AUDITED
        for language in ("zh", "en"):
            for x in browser.execute_script(LOOK, AUDITED, language):
                found = {k: x[k] for k in ("outside", "overlap", "covered", "hidden", "asked") if x[k]}
                assert found == {} and x["scrolls"] <= 0, (language, x["view"])
                assert foreign(x["words"], language, own) == set(), (language, x["view"])
                assert [w for w in PLAN if w in x["words"]] == [], (language, x["view"])
        assert_quiet(browser)
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_popup_of_an_audit_has_one_value_an_indicator_and_links_to_a_plan_s_views_do_no_harm(
    browser: webdriver.Chrome, page: Path
) -> None:
    show(browser, page, "view=closures&lang=zh&when=1&place=S6")
    assert text(browser, '#views [aria-pressed="true"]') == "现状"
    assert browser.find_elements(By.CSS_SELECTOR, "#times button, .badge, .draft") == []
    head = browser.find_elements(By.CSS_SELECTOR, ".leaflet-popup table tr:first-child th")
    assert [h.get_attribute("textContent") for h in head].count("现状") == 1 and len(head) == 5
    rows = browser.find_elements(By.CSS_SELECTOR, ".leaflet-popup table tr")
    cells = [[c.get_attribute("textContent") for c in r.find_elements(By.TAG_NAME, "td")] for r in rows]
    assert next(c for c in cells if c and "骨干" in c[0])[1:] == ["0.00", "✗", "≥ 1.0", "缺 1 人"]
    wide = "document.querySelector('.leaflet-popup .wrap tr:last-child')?.children.length"
    assert went(browser, ["view=minutes&lang=zh&place=V06"], wide) == [6]
