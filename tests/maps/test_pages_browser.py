"""The dossier's pages in headless Chromium: any screen, on paper, without a request, every link to a place."""

from __future__ import annotations

from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By

from geodata.messages import LANGUAGES
from maps.front.pages import front_page
from maps.front.places import schools_page, villages_page
from maps.reports.outputs import reports_page
from maps.why.pages import why_page
from models.plan.decisions import PlanResult
from tests.maps.test_why_pages import whys_of

pytestmark = pytest.mark.browser


def page_of_why(result: PlanResult, language: str) -> str:
    """The page of a school whose decision was turned round."""
    whys = whys_of(result)
    return why_page(whys, whys.places[0], language)


MAKERS = {
    "why.html": page_of_why,
    "index.html": front_page,
    "schools.html": schools_page,
    "villages.html": villages_page,
    "reports.html": reports_page,
}
A4 = 703
"""Width of the printed part of an A4 page in CSS pixels: 210 mm less two margins of 12."""
CUT = """return [...document.querySelectorAll("table")].filter((t) => t.getBoundingClientRect().right > document.documentElement.clientWidth + 1).length"""


@pytest.fixture(scope="module", params=LANGUAGES)
def pages(
    request: pytest.FixtureRequest, sample_result: PlanResult, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    for name, make in MAKERS.items():
        (folder / name).write_text(make(sample_result, request.param), encoding="utf-8")
    return folder


def show(browser: webdriver.Chrome, page: Path, width: int, paper: bool = False) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False},
    )
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print" if paper else ""})
    browser.get("about:blank")
    browser.get_log("browser")
    browser.get(page.as_uri())


@pytest.fixture(autouse=True)
def as_it_was(browser: webdriver.Chrome) -> object:
    yield
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


@pytest.mark.parametrize("width", [360, 1366, 1920])
def test_pages_fit_every_screen_and_ask_for_nothing(
    browser: webdriver.Chrome, pages: Path, width: int
) -> None:
    for name in MAKERS:
        show(browser, pages / name, width)
        inside, there = browser.execute_script(
            "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        assert inside <= there, f"{name} is {inside} wide on {there}"
        assert browser.get_log("browser") == []
        asked = browser.execute_script("return performance.getEntriesByType('resource').map((e) => e.name)")
        assert asked == []


def test_on_paper_no_column_is_cut(browser: webdriver.Chrome, pages: Path) -> None:
    for name in MAKERS:
        show(browser, pages / name, A4, paper=True)
        assert browser.execute_script(CUT) == 0, name


def test_a_village_that_loses_leads_to_its_own_page(browser: webdriver.Chrome, pages: Path) -> None:
    show(browser, pages / "index.html", 1366)
    link = browser.find_element(By.CSS_SELECTOR, "#losers table a")
    name = link.text
    link.click()
    assert browser.current_url.endswith("villages.html#v-V03")
    heading = browser.find_element(By.CSS_SELECTOR, "article:target h2")
    assert heading.text == name == "贾家庄村"
    assert abs(heading.location["y"] - browser.execute_script("return scrollY")) < 400


def test_what_is_broken_is_red_and_above_the_paragraph(browser: webdriver.Chrome, pages: Path) -> None:
    show(browser, pages / "index.html", 1366)
    box = browser.find_element(By.CSS_SELECTOR, ".alarm")
    assert box.value_of_css_property("border-top-color") == "rgba(179, 38, 30, 1)"
    assert box.location["y"] < browser.find_element(By.ID, "short").location["y"]
    assert len(box.find_elements(By.TAG_NAME, "li")) == 12
