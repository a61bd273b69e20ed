"""English pages, sheets and documents write places in Latin letters, with the tables' own name behind them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import docx
import openpyxl
import pytest
from docx.oxml.ns import qn

from geodata.contract.placenames import HAN, both_names, latin_name
from maps.dossier.workbook import write_workbook
from maps.front.pages import front_page
from maps.front.places import schools_page, villages_page
from maps.front.text import measure_values
from maps.lettered import lettered
from maps.reports.document import write_reports_document
from maps.reports.outputs import reports_page
from maps.web.payload import build_payload
from models.plan.decisions import PlanResult
from models.plan.names import Names

BARE = re.compile(rf"(?<![A-Za-z0-9)] )(?<![{HAN.pattern[1:-1]}]){HAN.pattern}")
"""Chinese letters without a name in Latin letters before them."""


def of_page(page: str) -> Iterator[str]:
    text = re.sub(r"<(script|style).*?</\1>", "", page, flags=re.S)
    return (html.unescape(t).strip() for t in re.findall(r">([^<]+)<", text))


def of_book(path: Path) -> Iterator[str]:
    book = openpyxl.load_workbook(path)
    cells = (c for p in book.worksheets if p.sheet_state == "visible" for row in p.iter_rows() for c in row)
    return (c.value for c in cells if isinstance(c.value, str))


@pytest.fixture(scope="module")
def told(sample_result: PlanResult, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The texts of everything that is printed in English."""
    folder = tmp_path_factory.mktemp("english")
    document = docx.Document(str(write_reports_document(sample_result, folder / "r.docx", "en")))
    makers = (front_page, schools_page, villages_page, reports_page)
    return {
        **{make.__name__: list(of_page(make(sample_result, "en"))) for make in makers},
        "workbook": list(of_book(write_workbook(sample_result, folder / "p.xlsx", "en"))),
        "document": [t.text or "" for t in document.element.body.iter(qn("w:t"))],
    }


def test_every_place_has_latin_letters_before_its_own_name(
    told: dict[str, list[str]], sample_result: PlanResult
) -> None:
    names = set(sample_result.county.schools["name"].astype(str))
    for where, texts in told.items():
        assert [t for t in texts if BARE.search(t)] == [], where
        assert any(both_names(n) in t for n in names for t in texts), where


def test_chinese_pages_and_the_plan_itself_stay(sample_result: PlanResult) -> None:
    assert lettered(sample_result, "zh") is sample_result
    english = lettered(sample_result, "en")
    assert lettered(english, "en") is english is lettered(sample_result, "en")
    assert english.plan is sample_result.plan
    assert english.verdict.measures is sample_result.verdict.measures
    assert list(english.verdict.travel["village_id"]) == list(sample_result.verdict.travel["village_id"])


def test_a_name_that_the_tables_give_is_taken(sample_result: PlanResult) -> None:
    schools = sample_result.county.schools
    first, name = schools["school_id"].iloc[0], str(schools["name"].iloc[0])
    given = schools.assign(name_en=["Harbour School", *[""] * (len(schools) - 1)])
    result = replace(sample_result, county=replace(sample_result.county, schools=given))
    assert lettered(result, "en").county.schools["name"].iloc[0] == f"Harbour School {name}"
    assert build_payload(result, "en")["schools"][0]["latin"] == "Harbour School"  # type: ignore[index]
    for written in (
        "Harbour School",
        "harbour school",
        f"Harbour School {name}",
        f"Harbour School {name} [{first}]",
        name,
    ):
        assert Names(result.county).resolve("school", written) == (first, None)


def test_a_name_in_latin_letters_that_two_bear_is_not_taken(sample_result: PlanResult) -> None:
    schools = sample_result.county.schools
    twice = schools.assign(name_en=["Harbour School"] * len(schools))
    found, doubt = Names(replace(sample_result.county, schools=twice)).resolve("school", "Harbour School")
    assert found == "Harbour School" and doubt is not None and doubt.severity == "error"


@pytest.mark.parametrize(
    ("name", "latin"),
    [
        ("育才学校(民办)", "Yucai School (private)"),
        ("云岭小学（东校区）", "Yunling Primary School (Dongxiaoqu)"),
    ],
)
def test_what_stands_in_brackets_is_a_name_of_its_own(name: str, latin: str) -> None:
    assert latin_name(name) == latin


def test_measures_are_printed_as_their_units_are() -> None:
    assert measure_values("yuan", 6_779_365, 6_673_154.0) == ("677.9", "667.3")
    assert measure_values("pupils", 1699.0, 1495) == ("1,699", "1,495")
    assert measure_values("minutes", 21.174, 24.9) == ("21", "25")
    assert measure_values("minutes", 21.174, 21.127) == ("21.17", "21.13")
    assert measure_values("1", 1.69, 1.7) == ("1.69", "1.70")
    assert measure_values("1", None, 12.0) == ("–", "12")
