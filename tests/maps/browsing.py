"""How tests use the map in headless Chromium."""

from __future__ import annotations

import shutil

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from maps.folders.pictures import VIEWS

__all__ = ["VIEWS", "assert_quiet", "click", "in_browser", "popup", "show", "text", "went"]
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
