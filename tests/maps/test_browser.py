"""The map in headless Chromium: no request, no error, every view, both languages, hostile names."""

import base64
import json
import re

import pytest
from selenium.common.exceptions import NoAlertPresentException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from geodata.contract.placenames import latin_name
from maps.web.proposal import write_map
from tests.maps.browsing import VIEWS, assert_quiet, click, in_browser, popup, show, text, went

pytestmark = in_browser
HOSTILE = {
    "S1": "{{ 7*7 }}小学",
    "S2": "{% for x in y %}{# 注释",
    "S3": "<img src=x onerror=\"window.struck='img';alert(1)\">点",
    "S5": "</script><script>window.struck='script';alert(2)</script>`${7*7}`",
    "S6": "' onmouseover='window.struck=1' \"><b>粗\u2028体</b>&amp;",
    "V06": "<svg onload=\"window.struck='svg'\">村",
    "V09": "{{ cycler.__init__.__globals__ }}",
}


@pytest.fixture(scope="module")
def sample_page(sample_result, tmp_path_factory):
    return write_map(sample_result, tmp_path_factory.mktemp("sample") / "map.html")


@pytest.fixture(scope="module")
def hostile_page(result_with_names, tmp_path_factory):
    return write_map(result_with_names(HOSTILE), tmp_path_factory.mktemp("hostile") / "map.html")


SHOWN = """document.querySelector("#legend li") && document.querySelector(".leaflet-marker-icon svg") && [
  document.documentElement.lang, document.getElementById("language").textContent, document.getElementById("list-title").textContent]"""


def test_every_view_in_both_languages_asks_nothing_and_errs_nowhere(browser, sample_page):
    show(browser, sample_page)
    for tag, other in (("zh-CN", "English"), ("en", "中文")):
        seen = went(browser, [f"view={v}&lang={tag[:2]}" for v in VIEWS], SHOWN)
        assert {(lang, button) for lang, button, _ in seen} == {(tag, other)}
        # before | after lists what the proposal does
        assert len({title for *_, title in seen}) == len(VIEWS) - 1
    browser.find_element(By.ID, "language").click()
    click(browser, "minutes")
    assert text(browser, "#language") == "English" and "view=minutes" in browser.current_url
    assert_quiet(browser)


def test_the_network_is_refused_to_the_page_itself(browser, sample_page):
    show(browser, sample_page)
    said = browser.execute_async_script(
        "const done = arguments[0];"
        "document.addEventListener('securitypolicyviolation', e => done(e.effectiveDirective));"
        "fetch('https://example.org/').catch(() => 0); setTimeout(() => done('allowed'), 3000);"
    )
    assert said == "connect-src"


def test_hostile_names_stay_text_in_every_view_list_and_popup(browser, hostile_page):
    # an English page has the name in Latin letters before it
    heading = "document.querySelector('.leaflet-popup h3')?.textContent.endsWith({})"
    for language in ("zh", "en"):
        show(browser, hostile_page, f"lang={language}")
        assert all(
            went(
                browser,
                [f"view={v}&lang={language}" for v in VIEWS],
                "Boolean(document.querySelector('#list li'))",
            )
        )
        for place, name in HOSTILE.items():
            link = f"view=closures&lang={language}&place={place}"
            assert went(browser, [link], heading.format(json.dumps(name))) == [True]
        assert browser.execute_script("return window.struck") is None
        assert browser.find_elements(By.CSS_SELECTOR, "img, #panel b, .leaflet-marker-icon b, .name b") == []
        with pytest.raises(NoAlertPresentException):
            _ = browser.switch_to.alert
        assert_quiet(browser)
    names = browser.execute_script(
        "return [...document.querySelectorAll('#list button span:first-child')].map(n => n.textContent)"
    )
    assert latin_name(HOSTILE["S3"]) in names


def test_a_deep_link_opens_view_language_and_place(browser, sample_page):
    show(browser, sample_page, "view=closures&lang=en&stage=pri&place=S6")
    assert "Closures" in text(browser, '#views [aria-pressed="true"]')
    assert text(browser, '#stages [aria-pressed="true"]') == "Primary"
    card = popup(browser)
    assert "史家沟小学" in card and "gives up grades" in card
    click(browser, "minutes")
    assert "view=minutes" in browser.current_url and "place" not in browser.current_url


def test_a_popup_shows_the_seven_indicators_with_threshold_and_mark(browser, sample_page):
    show(browser, sample_page, "lang=zh&place=S6")
    popup(browser)
    rows = browser.find_elements(By.CSS_SELECTOR, ".leaflet-popup table tr")
    cells = [[c.get_attribute("textContent") for c in r.find_elements(By.TAG_NAME, "td")] for r in rows]
    backbone = next(c for c in cells if c and "骨干" in c[0])
    assert backbone[1:] == ["0.00", "✗", "0.00", "✗", "≥ 1.0", "缺 1 人"]
    arts = next(c for c in cells if c and "体育、艺术" in c[0])
    assert arts[2] == "✗" and arts[4] == "✓" and arts[6] == ""
    assert len([c for c in cells if c and c[5].startswith("≥")]) == 7


def test_search_finds_a_chinese_name_and_opens_it(browser, sample_page):
    show(browser, sample_page)
    box = browser.find_element(By.ID, "search")
    box.send_keys("家沟")
    found = [b.get_attribute("textContent") for b in browser.find_elements(By.CSS_SELECTOR, "#found button")]
    assert len(found) == 2 and any("史家沟小学" in f for f in found)
    box.send_keys("小\n")
    assert "史家沟小学" in popup(browser)
    box.clear()
    box.send_keys("没有这个")
    assert text(browser, "#found") == "没有找到"


def test_the_list_of_closures_leads_to_the_school(browser, sample_page):
    show(browser, sample_page, "view=closures")
    before = browser.execute_script("return window.map_junheng.getZoom()")
    browser.find_element(By.CSS_SELECTOR, "#list button").click()
    assert "贾家庄教学点" in popup(browser)
    assert browser.execute_script("return window.map_junheng.getZoom()") > before
    browser.find_element(By.ID, "whole").click()
    assert browser.execute_script("return window.map_junheng.getZoom()") == pytest.approx(before)


def test_closures_and_villages_over_the_limit_are_always_named(browser, sample_page):
    def named():
        return browser.execute_script(
            "return [...document.querySelectorAll('.name')].map(n => n.textContent)"
        )

    show(browser, sample_page, "view=closures")
    assert "贾家庄教学点" in named()
    show(browser, sample_page, "view=minutes")
    assert {"毛家庄村 56′", "曾家坝村 时间未知"} <= set(named())
    marks = browser.execute_script(
        "return [...document.querySelectorAll('.leaflet-marker-icon .dot')].map(n => n.className)"
    )
    assert {"dot over", "dot kept", "dot unknown", "dot"} <= {m.strip() for m in marks}


def test_names_and_flow_numbers_do_not_hide_each_other(browser, sample_page):
    show(browser, sample_page, "view=closures")
    boxes = browser.execute_script(
        "return [...document.querySelectorAll('.name, .bubble span')].map(n => { const r = n.getBoundingClientRect();"
        "return [r.left, r.top, r.right, r.bottom]; })"
    )
    assert len(boxes) > 6
    for i, a in enumerate(boxes):
        for b in boxes[:i]:
            width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
            assert width <= 2 or height <= 3


def test_an_arrow_between_neighbours_is_long_enough_to_be_seen(browser, sample_page):
    show(browser, sample_page, "view=closures")
    for zoom in (8, 10, 12):
        lengths = browser.execute_script(
            "window.map_junheng.setZoom(arguments[0], {animate: false});"
            "return [...document.querySelectorAll('.leaflet-flows-pane path[fill=none]')].map(p => p.getTotalLength())",
            zoom,
        )
        assert len(lengths) == 3 and min(lengths) > 25


def test_the_banner_says_what_is_fictional_modelled_or_straight(
    browser, sample_page, crow_fly_result, tmp_path
):
    show(browser, sample_page)
    assert "虚构" in text(browser, "#banner") and "模拟数据" in text(browser, "#banner")
    assert browser.find_elements(By.CSS_SELECTOR, ".leaflet-control-attribution") == []
    show(browser, write_map(crow_fly_result, tmp_path / "map.html", "en"))
    assert "straight lines" in text(browser, "#banner") and "Fictional" not in text(browser, "#banner")
    assert "within 2.1%" in text(browser, "#facts") and "Draft" in text(browser, "#title")
    assert_quiet(browser)


@pytest.mark.parametrize("by_key", [False, True])
def test_print_fits_the_county_first_and_comes_back(browser, sample_page, by_key):
    show(browser, sample_page, "view=closures")
    browser.execute_script("window.print = () => { window.printed = document.body.className; };")
    if by_key:
        keys = ActionChains(browser).key_down(Keys.CONTROL).send_keys("p").key_up(Keys.CONTROL)
        keys.perform()
    else:
        browser.find_element(By.ID, "print").click()
    WebDriverWait(browser, 5).until(lambda d: d.execute_script("return window.printed") == "printing")
    paper = browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True, "printBackground": True})
    assert len(re.findall(rb"/Type\s*/Page\b", base64.b64decode(paper["data"]))) == 1
    browser.execute_script("window.dispatchEvent(new Event('afterprint'))")
    assert browser.execute_script("return document.body.className") == ""
    assert_quiet(browser)


def test_teacher_moves_have_arrows_net_numbers_and_zones(browser, sample_page):
    show(browser, sample_page, "view=teachers&lang=en")
    nets = browser.execute_script(
        "return [...document.querySelectorAll('.leaflet-marker-icon svg text')].map(n => n.textContent)"
    )
    assert "+3" in nets and any(n.startswith("\u2212") for n in nets)
    assert len(browser.find_elements(By.CSS_SELECTOR, ".leaflet-flows-pane path[fill=none]")) == len(
        browser.find_elements(By.CSS_SELECTOR, ".bubble.staff span")
    )
    rows = [r.get_attribute("textContent") for r in browser.find_elements(By.CSS_SELECTOR, "#list button")]
    assert any("come" in r and r.startswith("all of") for r in rows)
    assert_quiet(browser)


def test_the_change_in_minutes_and_devices_are_named(browser, sample_page):
    show(browser, sample_page, "view=change&lang=zh")
    rows = [r.get_attribute("textContent") for r in browser.find_elements(By.CSS_SELECTOR, "#list button")]
    assert rows and all(re.search(r"\+\d+ 分钟$", r) for r in rows)
    assert any("贾家庄村" in r for r in rows)
    show(browser, sample_page, "view=devices&lang=zh")
    (row,) = [r.get_attribute("textContent") for r in browser.find_elements(By.CSS_SELECTOR, "#list button")]
    assert row == "河口镇中心小学网络多媒体教室 2 间"


def test_search_by_pinyin_letters_code_and_latin_name(browser, sample_page):
    show(browser, sample_page, "lang=en")
    box = browser.find_element(By.ID, "search")
    for typed in ("shijiagou", "sjgxx", "shi jia gou", "S6", "Shijiagou Primary"):
        box.clear()
        box.send_keys(typed)
        assert "Shijiagou Primary School 史家沟小学" in text(browser, "#found"), typed


INSIDE = """(() => {
  const box = (css) => document.querySelector(css)?.getBoundingClientRect();
  const [map, popup, buttons] = ["#map_junheng", ".leaflet-popup-content-wrapper", "#corner"].map(box);
  if (!popup || document.documentElement.scrollWidth > innerWidth) return false;
  const inside = map.left <= popup.left && map.top <= popup.top && popup.right <= map.right && popup.bottom <= map.bottom;
  return inside && (popup.right <= buttons.left || popup.top >= buttons.bottom || popup.bottom <= buttons.top);
})()"""
"""Whether no page is wider than the screen, and the popup is inside the map and not under the buttons above it."""


@pytest.mark.parametrize(("width", "height"), [(360, 740), (1280, 800), (1920, 1080)])
def test_every_view_fits_every_screen_and_popups_stay_inside(browser, sample_page, width, height):
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    links = [f"view={view}&lang={language}&place=S6" for language in ("zh", "en") for view in VIEWS]
    try:
        show(browser, sample_page)
        seen = dict(zip(links, went(browser, links, INSIDE), strict=True))
        assert [link for link, inside in seen.items() if not inside] == []
        assert_quiet(browser)
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
