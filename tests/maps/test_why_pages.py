"""The pages of why: sentences in both languages, nothing from the network, hostile names, links in the dossier's pages."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from geodata.contract.findings import Finding
from maps.dossier.public import public_result
from maps.front.pages import front_page
from maps.front.places import schools_page
from maps.why.folder import ASKED, ASKED_END, files_of, link_dossier, linked, put_whys_on_front, write_why
from maps.why.pages import why_index, why_page
from maps.why.words import answer_said, reasons_said
from models.plan.decisions import PlanResult
from models.study.why import Flip, Reasoned, Turned, Whys

GOALS = pd.DataFrame(
    [("over_cap", 0.0, 0.0, 0.0, 0.0), ("cost", 12.5, 12.5, 20.25, 19.5)],
    columns=["goal", "plan", "kept", "other", "bound"],
)
RULES = pd.DataFrame(
    [("capacity", "hard", "free", "limit"), ("budget", "hard", "limit", "limit")],
    columns=["rule", "kind", "plan", "other"],
)


def whys_of(result: PlanResult, **more: object) -> Whys:
    """One school with a decision that was turned round by hand."""
    school, village = (
        str(result.county.schools["school_id"].iloc[0]),
        str(result.county.villages["village_id"].iloc[0]),
    )
    flips = (
        Flip("places", school, "pri", 50, 1.0, "flips", 0.0, 1.0, ((1.0, "other"),), 0.1),
        Flip("money", "", "", 1e6, 1e4, "none", 1e6, np.nan, ((1e6, "plan"),), 0.1),
    )
    measures = pd.DataFrame(
        [("cost", "yuan", "", 125000.0, 202500.0, 77500.0)],
        columns=["measure", "unit", "better", "plan", "other", "change"],
    )
    moved = pd.DataFrame(
        [("村", "g1_3", 12, "甲", "乙", 3.0, 15.0)],
        columns=["village", "band", "pupils", "school_plan", "school_other", "minutes_plan", "minutes_other"],
    )
    barred = pd.DataFrame(
        [(village, "g1_3", school, "bus", 40.0, 30.0, "travel_limit", 10.0)],
        columns=["village_id", "band", "school_id", "mode", "minutes", "limit", "rule", "excess"],
    )
    turned = Turned(
        "stays", school, "", False, "plan", "cost", "", 3, 4, False, GOALS, True, measures, moved, RULES, barred,
        (Finding("note", "why.clash", {"rule": "capacity", "places": "甲"}),), flips, 1.0,
    )  # fmt: skip
    turned = replace(turned, **more)
    places = (
        Reasoned("school", school, str(result.county.schools["name"].iloc[0]), (turned,), 1.0),
        Reasoned("village", village, str(result.county.villages["name"].iloc[0]), (), 1.0),
    )
    return Whys(result.county, result.plan.plan_id, lambda: result, places, 60.0, 1e-3, False, "HiGHS", ())


@pytest.mark.parametrize(("language", "words"), [
    ("en", ("Because: if", "at least 19.5", "instead of 12.5", "3 schools and 4 villages", "flips at +1 places", "no flip up to +100", "holds, at its limit", "How to object")),
    ("zh", ("因为：如果", "至少为 19.5", "而方案为 12.5", "3 所学校和 4 个村", "变化 +1 个学位 时决定翻转", "仍不翻转", "已到限值", "如何提出异议")),
])  # fmt: skip
def test_a_page_tells_the_answer_the_rules_and_the_flips(
    sample_result: PlanResult, language: str, words: tuple[str, ...]
) -> None:
    whys = whys_of(sample_result)
    page = html.unescape(why_page(whys, whys.places[0], language, "../"))
    for word in words:
        assert word in page, word
    assert page.count("</table>") == page.count("<table") >= 6
    assert 'href="../index.html"' in page and 'href="corrections.xlsx"' in page
    assert not re.search(r"https?://|<script|<img|@import", page)
    assert "default-src 'none'" in page
    assert "nan" not in page.lower().split()
    assert "+7.8" in page and "125,000" not in page  # money in its large unit


@pytest.mark.parametrize(("outcome", "bound", "because"), [
    ("plan", 19.5, True), ("plan", 0.0, True), ("plan", np.nan, True), ("impossible", np.nan, True), ("no_choice", np.nan, True),
    ("other", 19.5, False), ("even", 19.5, False), ("open", 12.0, False), ("open", 0.0, False), ("open", np.nan, False),
])  # fmt: skip
def test_because_is_said_only_where_it_is_proven(
    sample_result: PlanResult, outcome: str, bound: float, because: bool
) -> None:
    goals = GOALS.assign(bound=[0.0, bound])
    turned = whys_of(sample_result, outcome=outcome, goals=goals).places[0].turned[0]
    for language, words in (("en", ("Because", "had no choice")), ("zh", ("因为", "别无选择"))):
        said = answer_said(turned, sample_result.county, language)
        assert any(w in said for w in words) == because == turned.because
        assert "at least 0 " not in said and not re.search("至少为 0[ ，]", said)
        assert "，）" not in said


def test_names_are_never_markup(result_with_names) -> None:
    school = "<script>alert(1)</script>"
    result = result_with_names({})
    schools = result.county.schools.assign(name=school)
    hostile = replace(result, county=replace(result.county, schools=schools))
    whys = whys_of(hostile)
    for page in (
        why_page(whys, whys.places[0], "zh"),
        why_index(
            whys, {"school " + whys.places[0].place_id: "a", "village " + whys.places[1].place_id: "b"}, "zh"
        ),
    ):
        assert "<script>" not in page


def test_the_folder_and_its_links(sample_result: PlanResult, tmp_path: Path) -> None:
    whys, dossier = whys_of(sample_result), tmp_path / "plan"
    dossier.mkdir()
    place = whys.places[0].place_id
    old = schools_page(sample_result, "en").replace("</body>", f"<!--why s-{place}--><!--/why--></body>")
    (dossier / "schools.html").write_text(old, encoding="utf-8")
    (dossier / "run.json").write_text(json.dumps({"plan_id": whys.plan_id, "ledger": []}), encoding="utf-8")
    folder = write_why(whys, dossier / "why", "en", dossier=dossier)
    names = {p.name for p in folder.iterdir()}
    assert {"index.html", "corrections.xlsx", "why.json"} < names and len(names) == 5
    text = (dossier / "schools.html").read_text(encoding="utf-8")
    (page,) = set(re.findall(r'href="(why/[^"]+)"', text))
    assert (dossier / page).is_file() and (dossier / "villages.html").exists() is False
    assert {p.name for p in dossier.iterdir()} == {"schools.html", "run.json", "why"}
    write_why(whys, dossier / "why", "en", overwrite=True, dossier=dossier)
    assert (dossier / "schools.html").read_text(encoding="utf-8") == text  # once, however often
    assert not link_dossier(dossier, folder, "another", {}, "en")
    record = json.loads((folder / "why.json").read_text(encoding="utf-8"))
    assert record["places"][0]["decisions"][0]["flips"][0]["at"] == 1.0
    head = [c.value for c in openpyxl.load_workbook(folder / "corrections.xlsx").worksheets[0][1]]
    assert "Should be" in head


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_front_page_says_how_to_ask_and_then_has_the_answers_in_its_own_language(
    sample_result: PlanResult, tmp_path: Path, language: str
) -> None:
    whys, dossier = whys_of(sample_result), tmp_path / "plan"
    dossier.mkdir()
    front = dossier / "index.html"
    front.write_text(front_page(sample_result, language), encoding="utf-8")
    (dossier / "run.json").write_text(json.dumps({"plan_id": whys.plan_id, "ledger": []}), encoding="utf-8")
    before = front.read_text(encoding="utf-8")
    assert "junheng why" in before
    folder = write_why(whys, dossier / "why", "en" if language == "zh" else "zh", dossier=dossier)
    text = html.unescape(front.read_text(encoding="utf-8"))
    asked = text.partition(ASKED)[2].partition(ASKED_END)[0]
    assert {"zh": "因为：如果", "en": "Because: if"}[language] in asked and "--all-changed" not in asked
    (link,) = set(re.findall(r'href="(why/[^"]+)"', asked))
    assert (dossier / link).is_file()
    outside = [t.partition(ASKED)[0] + t.partition(ASKED_END)[2] for t in (html.unescape(before), text)]
    assert outside[0] == outside[1]
    (dossier / "run.json").write_text(json.dumps({"plan_id": "another", "ledger": []}), encoding="utf-8")
    assert not put_whys_on_front(dossier, folder, whys, files_of(whys))


def test_reasons_name_bands_and_stages_in_words(sample_result: PlanResult) -> None:
    clash = Finding(
        "error", "cli.clash", {"rule": "capacity", "places": "甲村 乙小学 g1_3; 乙小学 pri; 丙村"}
    )
    turned = whys_of(sample_result, reasons=(clash,)).places[0].turned[0]
    (said,) = reasons_said(turned, sample_result.county, "zh")
    assert "甲村 乙小学 一至三年级、乙小学 小学、丙村" in said


def test_links_stand_only_where_a_place_is() -> None:
    page = "a<!--why s-1--><!--/why-->b<!--why s-10--><!--/why-->c"
    once = linked(page, "school", {"1": "why/s-1.html", "7": "why/s-7.html"}, "en")
    assert once.count("<a ") == 1 and once.startswith("a<!--why s-1--><p") and "s-10--><!--/why-->c" in once
    assert linked(once, "school", {"1": "why/s-1.html"}, "en") == once


def test_the_public_edition_names_nobody_who_corrected(sample_result: PlanResult) -> None:
    told = Finding("note", "corrections.made", {"who": "王", "old": "3", "new": "4"})
    public = public_result(replace(sample_result, findings=(*sample_result.findings, told)), "zh")
    assert not [f for f in public.findings if f.key.startswith("corrections.")]
