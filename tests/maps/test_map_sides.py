"""The map in headless Chromium: today beside the plan, the seat enlarged, places taken, flows by zone, by-passers."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.actions.interaction import POINTER_TOUCH
from selenium.webdriver.common.actions.pointer_input import PointerInput
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from maps.web.proposal import write_map
from tests.maps.browsing import assert_quiet, click, in_browser, popup, show, text

pytestmark = in_browser


@pytest.fixture(scope="module")
def page(crowded_result, tmp_path_factory):
    return write_map(crowded_result, tmp_path_factory.mktemp("sides") / "map.html")


def side_of(browser, school):
    """Whose mark of a school can be clicked: that of ``before``, of the plan (empty), or none."""
    return browser.execute_script(
        "const marks = [...document.querySelectorAll('#map_junheng > .leaflet-map-pane .leaflet-marker-icon')].filter(m => m.title.startsWith(arguments[0]));"
        "const box = marks[0].getBoundingClientRect();"
        "const hit = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);"
        "return hit.closest('.leaflet-pane').className.match(/leaflet-(\\S*)schools-pane/)?.[1] ?? null",
        school,
    )


def test_today_and_the_plan_are_divided_by_a_line_that_keys_mouse_and_finger_move(browser, page):
    show(browser, page, "view=swipe&lang=zh&at=100")
    line = browser.find_element(By.ID, "swipe")
    assert line.get_attribute("role") == "slider" and line.get_attribute("aria-valuenow") == "100"
    assert side_of(browser, "柳树湾小学") == "before-"
    line.send_keys(Keys.HOME)
    assert side_of(browser, "柳树湾小学") == ""
    line.send_keys(Keys.PAGE_UP, Keys.ARROW_RIGHT, Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    assert line.get_attribute("aria-valuenow") == "8" and "at=8" in browser.current_url
    wide = browser.find_element(By.ID, "map_junheng").size["width"]
    ActionChains(browser).drag_and_drop_by_offset(line, round(0.4 * wide), 0).perform()
    assert abs(int(line.get_attribute("aria-valuenow")) - 48) <= 1
    touch = ActionBuilder(browser, mouse=PointerInput(POINTER_TOUCH, "finger"))
    touch.pointer_action.move_to(line).pointer_down().move_by(round(-0.3 * wide), 0).pointer_up()
    touch.perform()
    assert abs(int(line.get_attribute("aria-valuenow")) - 18) <= 1
    assert "现状占图面 18%" in line.get_attribute("aria-valuetext")
    browser.find_element(By.ID, "language").click()
    assert "Today" in text(browser, "#swipe .before") and "Plan" in text(browser, "#swipe .after")
    click(browser, "proposal")
    pane = browser.find_element(By.CSS_SELECTOR, ".leaflet-schools-pane")
    assert not line.is_displayed() and pane.value_of_css_property("clip-path") == "none"
    assert browser.find_elements(By.CSS_SELECTOR, ".leaflet-before-schools-pane *") == []
    assert_quiet(browser)


COVERED = """
const box = document.getElementById("seat").getBoundingClientRect();
return [...document.querySelectorAll("#map_junheng > .leaflet-map-pane .leaflet-schools-pane .leaflet-marker-icon")].filter((m) => {
  const r = m.getBoundingClientRect(), x = r.left + r.width / 2, y = r.top + r.height / 2;
  return box.left < x && x < box.right && box.top < y && y < box.bottom;
}).map((m) => m.title);
"""


def test_the_seat_stands_enlarged_in_a_corner_and_leads_to_its_schools(browser, page):
    show(browser, page, "view=closures&lang=zh")
    seat = browser.find_element(By.ID, "seat")
    assert seat.is_displayed() and text(browser, "#seat figcaption") == "县城放大"
    assert browser.execute_script(COVERED) == []
    names = [n.get_attribute("textContent") for n in seat.find_elements(By.CSS_SELECTOR, ".name")]
    assert any(n.startswith("中心小学") for n in names)  # without the county's name, with which it begins
    outside = browser.execute_script(
        "return [...document.querySelectorAll('#map_junheng > .leaflet-map-pane .name')].map(n => n.textContent)"
    )
    assert not any("贾家庄教学点" in n for n in outside) and any("贾家庄教学点" in n for n in names)
    zoom = "return window.map_junheng.getZoom()"
    before = browser.execute_script(zoom)
    seat.find_element(By.CSS_SELECTOR, '.leaflet-marker-icon[title="贾家庄教学点"]').click()
    assert "贾家庄教学点" in popup(browser) and browser.execute_script(zoom) > before
    assert not seat.is_displayed()
    browser.find_element(By.ID, "whole").click()
    browser.execute_script("window.map_junheng.closePopup()")
    assert seat.is_displayed()
    browser.find_element(By.ID, "to-seat").click()
    assert browser.execute_script(zoom) > before and not seat.is_displayed()
    assert_quiet(browser)


def test_receivers_say_how_many_places_are_taken_and_full_in_words(browser, page):
    show(browser, page, "view=proposal&lang=zh")
    notes = {n.text for n in browser.find_elements(By.CSS_SELECTOR, ".name .places")}
    assert notes == {"学位 338／338，已满", "学位 375／390，超 8 人"}
    assert len(browser.find_elements(By.CSS_SELECTOR, ".name .gauge.full")) == 1
    assert "（学位 338，已满）" in text(browser, "#list")
    browser.find_element(By.ID, "language").click()
    assert "338 of 338 places, full" in {
        n.text for n in browser.find_elements(By.CSS_SELECTOR, ".name .places")
    }
    assert "Receiver: full" in text(browser, "#legend")
    assert_quiet(browser)


def test_a_flow_between_zones_leaves_only_its_arrows(browser, page):
    def arrows():
        return len(browser.find_elements(By.CSS_SELECTOR, ".leaflet-flows-pane path[fill=none]"))

    show(browser, page, "view=teachers&lang=zh")
    rows = {
        r.get_attribute("data-flow"): r for r in browser.find_elements(By.CSS_SELECTOR, "#list [data-flow]")
    }
    assert {k: r.text.split("\n") for k, r in rows.items()} == {
        "seat>rural": ["县城 → 乡村", "5 名教师"],
        "seat>seat": ["县城 → 县城", "1 名教师"],
    }
    assert arrows() == 3  # the fourth is in the enlarged seat
    rows["seat>seat"].click()
    assert arrows() == 0
    pressed = browser.find_element(By.CSS_SELECTOR, '#list [aria-pressed="true"]')
    pressed.click()
    assert arrows() == 3 and browser.find_elements(By.CSS_SELECTOR, '#list [aria-pressed="true"]') == []
    assert_quiet(browser)


def test_those_who_by_pass_by_choice_are_told_with_their_own_minutes(browser, page):
    show(browser, page, "view=change&lang=zh")
    rows = [r for r in browser.find_elements(By.CSS_SELECTOR, "#list button") if "（择校）" in r.text]
    assert [r.text.split("\n")[1] for r in rows] == ["+22 分钟"]
    assert browser.find_elements(By.CSS_SELECTOR, '.leaflet-marker-icon[title$="（择校）"]')
    rows[0].click()
    assert popup(browser)
    cells = [r.text.split() for r in browser.find_elements(By.CSS_SELECTOR, ".leaflet-popup .wrap tr")]
    mine = next(c for c in cells if any("择校" in word for word in c))
    assert "9" in mine and "31" in mine and mine[-1] == "超限" and "不劣于现状" not in " ".join(mine)
    assert_quiet(browser)
