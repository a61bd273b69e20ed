"""Pages of studies in headless Chromium: any screen, on paper, without a request, numbers as the workbook prints them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from selenium import webdriver

from maps.dossier.tables import Sheet
from maps.folders.told_page import told_page

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


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280, 1920])
def test_a_study_fits_every_screen(browser: webdriver.Chrome, tmp_path: Path, width: int) -> None:
    file = tmp_path / "study.html"
    file.write_text(page(), encoding="utf-8")
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        browser.get("about:blank")
        browser.get_log("browser")
        browser.get(file.as_uri())
        seen = browser.execute_script(
            "return [innerWidth, document.documentElement.scrollWidth, performance.getEntriesByType('resource').length]"
        )
        assert seen[0] == width and seen[1] <= width and seen[2] == 0
        assert browser.get_log("browser") == []
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
