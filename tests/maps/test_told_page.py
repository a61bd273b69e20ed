"""Pages of studies in headless Chromium: any screen, on paper, without a request, numbers as the workbook prints them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from geodata.messages import LANGUAGES
from maps.dossier.tables import Sheet
from maps.folders.alternatives import alternatives_page
from maps.folders.frontier import frontier_page
from maps.folders.told_page import told_page
from tests.optimizer.test_alternatives import found
from tests.optimizer.test_frontier import swept

TABLE = pd.DataFrame(
    {
        "学校": ["<b>甲</b>小学", "乙小学"], "份额": [0.1234, float("nan")], "学生": [1234.4, 7.0], "万元": [1234.56, 0.0],
        "比": [1.005, float("inf")], "别的": [0.000123, 55.0], "通过": [True, None], **{f"列{i}": ["一个较长的说明文字"] * 2 for i in range(8)},
    }
)  # fmt: skip
FORMATS = {"份额": "share", "学生": "whole", "万元": "money", "比": "ratio"}


def page() -> str:
    return told_page(
        ["南浦县：<情景>", "一句话。"],
        [("表", Sheet("x", TABLE, FORMATS))],
        "zh",
        '<svg width="900" height="60"></svg>',
    )


def test_numbers_stand_as_in_the_workbook_and_names_are_never_markup() -> None:
    text = page()
    for cell in ("12.3%", "1,234", "1,234.6", "1.01", "0.000123", "55", "–"):
        assert f'<td class="n">{cell}</td>' in text, cell
    assert "&lt;b&gt;甲" in text and "<b>" not in text and 'lang="zh-CN"' in text


def pages(language: str) -> dict[str, str]:
    """The pages of studies: a table as wide as any, a frontier and alternatives of a hand-sized county."""
    return {
        "study": page(),
        "frontier": frontier_page(swept(), language),
        "alternatives": alternatives_page(found(), language),
    }


SEEN = "return [innerWidth, document.documentElement.scrollWidth, performance.getEntriesByType('resource').length]"
CURVES = (
    "return [...document.querySelectorAll('.curves figure')].map((f) => f.getBoundingClientRect().height > 0)"
)


@pytest.mark.browser
@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_of_studies_fit_every_screen_and_ask_for_nothing(
    browser: webdriver.Chrome, tmp_path: Path, language: str
) -> None:
    for name, text in pages(language).items():
        (tmp_path / f"{name}.html").write_text(text, encoding="utf-8")
    try:
        for width in (360, 1280, 1920):
            metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
            for file in sorted(tmp_path.glob("*.html")):
                browser.get("about:blank")
                browser.get_log("browser")
                browser.get(file.as_uri())
                inner, wide, asked = browser.execute_script(SEEN)
                assert (inner, asked) == (width, 0) and wide <= width, (file.name, width)
                assert browser.get_log("browser") == [], (file.name, width)
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.browser
def test_the_frontier_shows_one_curve_at_a_time_and_all_of_them_on_paper(
    browser: webdriver.Chrome, tmp_path: Path
) -> None:
    file = tmp_path / "frontier.html"
    file.write_text(frontier_page(swept(), "zh"), encoding="utf-8")
    browser.get(file.as_uri())
    assert sum(browser.execute_script(CURVES)) == 1
    choice = Select(browser.find_element(By.CSS_SELECTOR, ".curves select"))
    choice.select_by_index(2)
    shown = browser.execute_script(CURVES)
    assert shown.index(True) == 2 and sum(shown) == 1
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert all(browser.execute_script(CURVES)) and len(shown) == len(choice.options)
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
