"""A plan asked for its map and for what another decides otherwise, as in a notebook."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import pandas as pd
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from maps.web.notebook import PlanMap
from maps.web.proposal import map_html
from models.plan import showing
from models.plan.decisions import PlanResult, make_plan
from models.plan.reasons.actions import list_actions
from models.referee.verdict import judge
from models.standards.norms import load_standards
from tests.maps.browsing import assert_quiet, in_browser


def test_a_notebook_gets_the_page_of_the_map_in_a_frame(sample_result: PlanResult, tmp_path) -> None:
    shown = sample_result.map(language="en")
    assert isinstance(shown, PlanMap) and len(repr(shown)) < 100
    (page,) = re.findall(r'srcdoc="([^"]*)"', shown._repr_html_())
    assert html.unescape(page) == map_html(sample_result, "en")
    assert shown.save(tmp_path / "m.html").read_text(encoding="utf-8") == shown.html


def test_without_maps_it_is_said_what_to_import(
    sample_result: PlanResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(showing, "_MAKERS", {})
    with pytest.raises(LookupError, match="import junheng"):
        sample_result.map()


def other_plan(result: PlanResult) -> PlanResult:
    """The same without the multimedia rooms, and one teacher more hired."""
    tables = {n: getattr(result.plan, n) for n in ("bands", "attendance", "staff_moves")}
    hired = pd.DataFrame([("S5", "pri", "arts", 2)], columns=["school_id", "stage", "cat_id", "heads"])
    plan = make_plan(result.county.year, **tables, hires=hired)
    verdict = judge(result.county, load_standards(result.county), plan, result.times)
    return replace(result, plan=plan, verdict=verdict, actions=list_actions(result.county, plan, verdict))


def test_what_another_plan_decides_otherwise_stands_with_the_cause_of_each(
    sample_result: PlanResult,
) -> None:
    other = other_plan(sample_result)
    table = sample_result.compare(other, language="en")
    told = {r.action: r for r in table.itertuples()}
    assert set(told) == {"hire", "buy"}
    assert (told["hire"].edit, told["hire"].before, told["hire"].after) == ("changed", 1.0, 2.0)
    assert told["hire"].school == "青石乡九年一贯制学校"
    assert (told["buy"].edit, told["buy"].cause_after) == ("removed", "")
    assert told["buy"].cause_before and "{" not in told["buy"].cause_before
    assert sample_result.compare(sample_result).empty
    back = other.compare(sample_result, language="en").set_index("action")
    assert back.at["buy", "cause_after"] == told["buy"].cause_before


@pytest.mark.browser
@in_browser[1]
def test_the_map_works_inside_the_frame_of_a_notebook(browser, sample_result: PlanResult, tmp_path) -> None:
    page = tmp_path / "notebook.html"
    page.write_text(
        f"<!doctype html><meta charset='utf-8'>{sample_result.map()._repr_html_()}", encoding="utf-8"
    )
    browser.get("about:blank")
    browser.get_log("browser")
    browser.get(page.as_uri())
    browser.switch_to.frame(0)
    try:
        WebDriverWait(browser, 10).until(lambda d: d.find_elements(By.CSS_SELECTOR, "#views button"))
        browser.find_element(By.CSS_SELECTOR, '[data-choice="closures"]').click()
        assert browser.find_elements(By.CSS_SELECTOR, ".leaflet-flows-pane path")
        browser.find_element(By.CSS_SELECTOR, "#list button").click()
        assert browser.find_elements(By.CSS_SELECTOR, ".leaflet-popup .card")
        assert_quiet(browser)
    finally:
        browser.switch_to.default_content()
