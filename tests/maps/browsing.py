"""How tests use the map in headless Chromium."""

from __future__ import annotations

import re
import shutil

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from geodata.contract.placenames import HAN
from maps.folders.pictures import VIEWS
from models.plan.decisions import PlanResult

__all__ = [
    "VIEWS",
    "assert_quiet",
    "click",
    "foreign",
    "in_browser",
    "own_words",
    "popup",
    "show",
    "text",
    "went",
]
in_browser = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (shutil.which("chromium") and shutil.which("chromedriver")),
        reason="chromium or chromedriver is not installed (Debian: apt-get install chromium chromium-driver)",
    ),
]


def show(browser, page, link=""):
    browser.get("about:blank")
    browser.get_log("browser")
    browser.get(page.as_uri() + ("#" + link if link else ""))
    WebDriverWait(browser, 10, poll_frequency=0.05).until(
        lambda d: d.find_elements(By.CSS_SELECTOR, "#views button")
    )


def click(browser, choice):
    browser.find_element(By.CSS_SELECTOR, f'[data-choice="{choice}"]').click()


WENT = """
const [links, wanted, done] = arguments, seen = [];
const wait = (ms) => new Promise((answer) => setTimeout(answer, ms));
const look = new Function("return " + wanted);
(async () => {
  for (const link of links) {
    location.hash = link;
    const view = new URLSearchParams(link).get("view");
    let found = null;
    for (let i = 0; i < 150 && !found; i += 1) {
      await wait(20);
      const pressed = document.querySelector('#views [aria-pressed="true"]');
      if (!view || pressed.dataset.choice === view) found = look();
    }
    seen.push(found);
  }
  done(seen);
})();
"""


def went(browser, links, wanted):
    """What the page shows at each link, one after the other on one load: the first true value of ``wanted``, or None."""
    return browser.execute_async_script(WENT, list(links), wanted)


def text(browser, css):
    return browser.find_element(By.CSS_SELECTOR, css).get_attribute("textContent")


def popup(browser):
    WebDriverWait(browser, 5, poll_frequency=0.05).until(
        lambda d: d.find_elements(By.CSS_SELECTOR, ".leaflet-popup .card")
    )
    return text(browser, ".leaflet-popup .card")


def assert_quiet(browser):
    assert browser.get_log("browser") == []
    assert browser.execute_script("return performance.getEntriesByType('resource').map(e => e.name)") == []


LATIN = re.compile(r"[A-Za-z]{2,}")
ROW_ID = re.compile(r"\b[a-z][0-9a-f]{8}\b")
SAID_IN_LATIN = {"English", "km"}
"""What a Chinese map may say in Latin letters: the button to the other language, and the scale."""


def own_words(result: PlanResult) -> list[str]:
    """Names and ids of the tables, which each language shows as they are; the longest first."""
    county = result.county
    names = {county.name, result.plan.plan_id, *county.schools["name"], *county.villages["name"]}
    ids = {*county.schools["school_id"], *county.villages["village_id"], *county.staff_category["cat_id"]}
    return sorted(map(str, names | ids | {*county.schools["township"]}), key=len, reverse=True)


def foreign(text: str, language: str, own: list[str]) -> set[str]:
    """Words of the other language, the names of places and the ids of rows left out."""
    text = ROW_ID.sub("", text)
    for name in own:
        text = text.replace(name, "")
    return (
        set(LATIN.findall(text)) - SAID_IN_LATIN
        if language == "zh"
        else set(HAN.findall(text)) - {"中", "文"}
    )
