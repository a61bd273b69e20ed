"""The dossier's pages in headless Chromium: any screen, on paper, without a request, every link to a place."""

from __future__ import annotations

from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By

from geodata.messages import LANGUAGES
from maps.dossier.public import in_public, public_result
from maps.front.pages import front_page
from maps.front.places import schools_page, villages_page
from maps.reports.outputs import reports_page
from maps.why.pages import why_index, why_page
from models.plan.decisions import PlanResult
from tests.maps.browsing import foreign, own_words
from tests.maps.test_why_pages import whys_of

pytestmark = pytest.mark.browser


def page_of_why(result: PlanResult, language: str) -> str:
    """The page of a school whose decision was turned round."""
    whys = whys_of(result)
    return why_page(whys, whys.places[0], language)


def page_of_whys(result: PlanResult, language: str) -> str:
    """The list of the schools and villages whose decisions were turned round."""
    whys = whys_of(result)
    first = whys.places[0]
    return why_index(whys, {f"{first.kind} {first.place_id}": "why.html"}, language)


def public_page(result: PlanResult, language: str) -> str:
    """The front page of the public edition."""
    with in_public():
        return front_page(public_result(result, language), language)


MAKERS = {
    "why.html": page_of_why,
    "whys.html": page_of_whys,
    "public.html": public_page,
    "index.html": front_page,
    "schools.html": schools_page,
    "villages.html": villages_page,
    "reports.html": reports_page,
}
WIDTHS = (360, 1024, 1920)
LARGEST = 3_000_000
OFFICE = {
    "junheng",
    "why",
    "evaluate",
    "correct",
    "alternatives",
    "trades",
    "out",
    "plan",
    "corrections",
    "xlsx",
    "Word",
    "Excel",
    "GIS",
    "PDF",
    "PNG",
    "HiGHS",
    "all",
    "changed",
    "school",
    "village",
}
"""Commands with their options, files and kinds of files that a Chinese page names."""
OPTIONS = {"all", "changed", "school", "village"}
"""Of the command that asks why: for who has the program."""
INVENTED = ("甲", "乙", "村")
"""Places of the page of reasons."""
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


def resize(browser: webdriver.Chrome, width: int) -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def show(browser: webdriver.Chrome, page: Path, width: int, paper: bool = False) -> None:
    resize(browser, width)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print" if paper else ""})
    browser.get("about:blank")
    browser.get_log("browser")
    browser.get(page.as_uri())


@pytest.fixture(autouse=True)
def as_it_was(browser: webdriver.Chrome) -> object:
    yield
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


LOOK = """
const all = (css) => [...document.querySelectorAll(css)], box = (n) => n.getBoundingClientRect();
const wide = document.documentElement.clientWidth, seen = (n) => box(n).width > 0 && box(n).height > 0;
const told = (n) => n.tagName + " " + n.textContent.trim().slice(0, 30);
const over = (a, b) => Math.min(Math.min(box(a).right, box(b).right) - Math.max(box(a).left, box(b).left), Math.min(box(a).bottom, box(b).bottom) - Math.max(box(a).top, box(b).top)) > 1.5;
const blocks = all("h1, .draft, .links a, .card, .scroll, figure, p, li").filter(seen), apart = all("h1, .draft, .links a, .card, figure, .scroll").filter(seen);
return {
  scrolls: document.documentElement.scrollWidth - wide, outside: blocks.filter((n) => box(n).left < -0.5 || box(n).right > wide + 0.5).map(told),
  overlap: apart.flatMap((a, i) => apart.slice(i + 1).filter((b) => !a.contains(b) && over(a, b)).map((b) => told(a) + " | " + told(b))),
  squeezed: all("th, td").filter((n) => seen(n) && n.textContent.trim().length > 4 && box(n).width < 40).map(told),
  headings: all("h1, h2").map((n) => n.textContent.trim()), asked: performance.getEntriesByType("resource").map((e) => e.name),
  words: document.title + document.body.innerText,
};
"""


def test_pages_fit_every_screen_ask_for_nothing_and_speak_one_language(
    browser: webdriver.Chrome, pages: Path, sample_result: PlanResult, request: pytest.FixtureRequest
) -> None:
    language = request.node.callspec.params["pages"]
    own = [*own_words(sample_result), *INVENTED] if language == "en" else own_words(sample_result)
    for name in MAKERS:
        assert (pages / name).stat().st_size < LARGEST
        show(browser, pages / name, WIDTHS[0])
        for width in WIDTHS:
            resize(browser, width)
            look = browser.execute_script(LOOK)
            found = {k: look[k] for k in ("outside", "overlap", "squeezed", "asked") if look[k]}
            assert found == {} and look["scrolls"] <= 0, (name, width)
            assert look["headings"] and all(look["headings"])
        office = OFFICE - OPTIONS if name == "public.html" else OFFICE  # who reads it has no program to ask
        assert foreign(look["words"], language, own) - office == set(), name
        assert browser.get_log("browser") == []


def test_on_paper_no_column_is_cut(browser: webdriver.Chrome, pages: Path) -> None:
    for name in MAKERS:
        show(browser, pages / name, A4, paper=True)
        assert browser.execute_script(CUT) == 0, name


BROKEN = """
const broken = [];
for (const cell of document.querySelectorAll("th, td:not(.soft)")) {
  const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode())
    for (const word of node.textContent.matchAll(/[A-Za-z]{3,24}/g)) {
      const range = document.createRange();
      range.setStart(node, word.index);
      range.setEnd(node, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map((r) => Math.round(r.top))).size > 1) broken.push(word[0]);
    }
}
return broken;
"""
"""Words in cells that are broken over two lines."""


def test_on_paper_no_word_is_broken_and_a_total_stands_once(browser: webdriver.Chrome, pages: Path) -> None:
    for name in MAKERS:
        show(browser, pages / name, A4, paper=True)
        assert browser.execute_script(BROKEN) == [], name
        feet = "return [...document.querySelectorAll('tfoot')].map((f) => getComputedStyle(f).display)"
        assert set(browser.execute_script(feet)) <= {"table-row-group"}, name


def test_a_village_that_loses_leads_to_its_own_page(
    browser: webdriver.Chrome, pages: Path, request: pytest.FixtureRequest
) -> None:
    show(browser, pages / "index.html", 1366)
    link = browser.find_element(By.CSS_SELECTOR, "#losers table a")
    name = link.text
    link.click()
    assert browser.current_url.endswith("villages.html#v-V03")
    heading = browser.find_element(By.CSS_SELECTOR, "article:target h2")
    english = request.node.callspec.params["pages"] == "en"
    assert heading.text == name == ("Jiajiazhuang Village 贾家庄村" if english else "贾家庄村")
    assert abs(heading.location["y"] - browser.execute_script("return scrollY")) < 400


def test_what_is_broken_is_red_and_above_the_paragraph(browser: webdriver.Chrome, pages: Path) -> None:
    show(browser, pages / "index.html", 1366)
    box = browser.find_element(By.CSS_SELECTOR, ".alarm")
    assert box.value_of_css_property("border-top-color") == "rgba(179, 38, 30, 1)"
    assert box.location["y"] < browser.find_element(By.ID, "short").location["y"]
    assert len(box.find_elements(By.TAG_NAME, "li")) == 12


SHEETS = "return [...document.querySelectorAll('article.place')].map((a) => a.getBoundingClientRect().height)"
HIGH = 1016
"""Height of the printed part of an A4 page in CSS pixels: 297 mm less two margins of 14."""


def test_a_school_of_one_stage_takes_one_sheet_with_its_correction_sheet(
    browser: webdriver.Chrome, pages: Path, sample_result: PlanResult
) -> None:
    show(browser, pages / "schools.html", A4, paper=True)
    heights = browser.execute_script(SHEETS)
    assert (
        len(heights) > 3 and sum(h < HIGH for h in heights) >= len(heights) / 2
    )  # others have two stages, or long reasons


def test_no_short_heading_is_broken(browser: webdriver.Chrome, pages: Path) -> None:
    lines = """return [...document.querySelectorAll("th")].filter((n) => n.textContent.length === 2 && n.firstChild).filter((n) => {
      const range = document.createRange(); range.selectNodeContents(n); return range.getClientRects().length > 1; }).map((n) => n.textContent)"""
    for name in MAKERS:
        for paper in (False, True):
            show(browser, pages / name, A4, paper=paper)
            assert browser.execute_script(lines) == [], name
