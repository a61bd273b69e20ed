"""The map in headless Chromium by keys alone, on a tablet held upright, and with numbers that are not told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from maps.web.proposal import write_map
from models.plan.decisions import PlanResult
from tests.maps.browsing import assert_quiet, in_browser, popup, show

pytestmark = in_browser
FOCUSED = "return document.activeElement.textContent"


@pytest.fixture(scope="module")
def page(crowded_result: PlanResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_map(crowded_result, tmp_path_factory.mktemp("keys") / "map.html")


def test_a_place_is_opened_and_closed_from_the_list_by_keys(browser: webdriver.Chrome, page: Path) -> None:
    show(browser, page, "view=today&lang=zh")
    rows = browser.find_elements(By.CSS_SELECTOR, "#list button")
    browser.execute_script("arguments[0].focus()", rows[0])
    rows[0].send_keys(Keys.ARROW_DOWN)
    second = browser.switch_to.active_element
    assert second == rows[1]
    second.send_keys(Keys.ARROW_DOWN)
    browser.switch_to.active_element.send_keys(Keys.ARROW_UP)
    assert browser.switch_to.active_element == second
    name = second.find_element(By.TAG_NAME, "span").text
    second.send_keys(Keys.ENTER)
    assert popup(browser).startswith(name)
    second.send_keys(Keys.ESCAPE)
    WebDriverWait(browser, 5).until(lambda d: not d.find_elements(By.CSS_SELECTOR, ".leaflet-popup .card"))
    assert browser.switch_to.active_element == second
    assert_quiet(browser)


def test_a_search_is_ended_by_keys(browser: webdriver.Chrome, page: Path) -> None:
    show(browser, page, "lang=zh")
    box = browser.find_element(By.ID, "search")
    box.send_keys("小学", Keys.ARROW_DOWN)
    first = browser.execute_script(FOCUSED)
    browser.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
    assert browser.execute_script(FOCUSED) != first
    name = browser.switch_to.active_element.find_element(By.TAG_NAME, "span").text
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    assert popup(browser).startswith(name)


def test_on_a_tablet_held_upright_the_map_is_as_wide_as_the_screen(
    browser: webdriver.Chrome, page: Path
) -> None:
    metrics = {"width": 768, "height": 1024, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        show(browser, page, "view=closures&lang=en")
        wide, high = browser.execute_script(
            "const box = document.getElementById('map_junheng').getBoundingClientRect();"
            "return [box.width, Math.min(box.bottom, innerHeight) - box.top]"
        )
        assert wide > 700 and high > 500
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_what_is_not_told_is_no_zero_and_money_is_in_large_units(
    browser: webdriver.Chrome, crowded_result: PlanResult, tmp_path: Path
) -> None:
    verdict = crowded_result.verdict
    units = verdict.units.assign(pupils_today=verdict.units["pupils_today"].astype(float))
    units.loc[units["unit_id"] == "S3/pri", "pupils_today"] = float("nan")
    bought = verdict.costs["action"] == "purchase"
    costs = verdict.costs.copy()
    costs.loc[bought, ["item", "unit", "quantity", "yuan"]] = ["eq_value", "yuan", 743_500.0, 743_500.0]
    told = replace(crowded_result, verdict=replace(verdict, units=units, costs=costs))
    made = write_map(told, tmp_path / "map.html")
    show(browser, made, "view=today&lang=zh")
    rows = [r.get_attribute("textContent") for r in browser.find_elements(By.CSS_SELECTOR, "#list button")]
    assert [r for r in rows if "贾家庄教学点" in r] == ["贾家庄教学点– 人"]
    show(browser, made, "view=devices&lang=zh")
    assert "74.4 万元" in browser.find_element(By.ID, "list").text
