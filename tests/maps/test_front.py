"""The dossier's pages: who loses before what improves, numbers as bureaus print them, red where a rule breaks."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree

import pandas as pd
import pytest

from geodata.contract.placenames import HAN
from geodata.messages import LANGUAGES
from maps.extent import overlap
from maps.front.headline import alarms, cards, paragraph
from maps.front.labels import text_box
from maps.front.losers import longer_villages, losing_schools, zones
from maps.front.money import earmarks, uses
from maps.front.pages import front_page
from maps.front.picture import drawings
from maps.front.places import schools_page, villages_page
from maps.front.text import (
    PageCell,
    change_amounts,
    goal_amounts,
    hundredths,
    large,
    minutes,
    place_words,
    plainly,
    share,
    signed,
    whole,
)
from maps.front.trust import checks, for_people, goals
from models.plan.decisions import GoalRecord, PlanResult


def texts(cells: tuple[PageCell, ...]) -> list[str]:
    return [c.text for c in cells]


def test_numbers_as_bureaus_print_them() -> None:
    assert (large(7_996_017.2), large(0), large(-49_725.7)) == ("799.6", "0.0", "−5.0")
    assert (whole(1625), whole(2.5), whole(None), whole(math.nan)) == ("1,625", "3", "–", "–")
    assert (hundredths(0.335), hundredths(0.7049), minutes(13.03)) == ("0.34", "0.70", "13")
    assert (plainly(910.4), plainly(4.0), plainly(1838.714)) == ("910.4", "4", "1,838.71")
    assert (share(0.0488), share(math.inf)) == ("4.9%", "–")
    assert [signed(t) for t in ("3", "−3", "0", "0.0", "–")] == ["+3", "−3", "0", "0.0", "–"]
    assert whole(-0.2) == "0"  # never minus nothing


def test_values_that_differ_are_printed_so_that_it_is_seen() -> None:
    assert goal_amounts("1", 0.2013, 0.1981) == ("0.201", "0.198")  # were 0.20 and 0.20
    assert goal_amounts("1", 0.2013, 0.1500) == ("0.20", "0.15")
    assert goal_amounts("1", 0.2013, 0.1981, 0.1981 + 1e-9) == ("0.201", "0.198", "0.198")
    assert goal_amounts("pupils", 5.0, 4.8) == ("5", "5")  # heads are whole
    assert goal_amounts("large", 12.31, 12.29) == ("12.31", "12.29")
    assert goal_amounts("units", 3.0, math.nan) == ("3", "–")
    assert change_amounts("minutes", 30.1, 30.2) == ("30.10", "30.20")
    assert change_amounts("ratio", 1.0, 1.0) == ("1", "1")


def test_the_paragraph_tells_what_changes_and_who_pays(sample_result: PlanResult) -> None:
    m = sample_result.verdict.measures.set_index("measure")["plan"]
    text = "".join(paragraph(sample_result, "zh"))
    assert "撤并 1 所学校，另有 1 所停办部分年级，72 名学生转学" in text
    assert f"支出 {m['cost'] / 1e4:.1f} 万元，可用 260.0 万元" in text
    travel = sample_result.verdict.travel
    longer = travel[travel["minutes"] > travel["minutes_today"] + 1e-6]
    assert f"{longer['pupils'].sum()} 名学生上学路程变长" in text
    assert "条不成立，见红框" in text


def test_a_broken_reported_rule_is_as_red_as_a_hard_one(sample_result: PlanResult) -> None:
    rules = sample_result.verdict.rules
    reported = rules.assign(
        ok=rules["rule"] != "class_size", kind=rules["kind"].where(rules["rule"] != "class_size", "report")
    )
    worse = sample_result.verdict.violations
    worse = worse[worse["rule"] == "class_size"].assign(kind="report")
    result = replace(sample_result, verdict=replace(sample_result.verdict, rules=reported, violations=worse))
    (alarm,) = alarms(result, "zh")
    assert (alarm.rule, alarm.kind) == ("班额", "报告")
    assert alarm.worst == "河口镇中心小学 一至三年级，3个班（限值 6）"
    page = front_page(result, "zh")
    assert 'class="alarm"' in page and page.index('class="alarm"') < page.index('id="short"')
    held = replace(result, verdict=replace(result.verdict, rules=rules.assign(ok=True)))
    assert 'class="alarm"' not in front_page(held, "zh")


def test_villages_stand_by_added_minutes(sample_result: PlanResult) -> None:
    table = longer_villages(sample_result, "zh", None)
    added = [int(row[8].text) for row in table.rows]
    assert added == sorted(added, reverse=True) and len(added) == 12
    assert texts(table.rows[0])[:4] == ["贾家庄村", "河口镇", "1–3 年级", "14"]
    assert table.rows[0][0].link == "villages.html#v-V03"
    assert sum(int(row[3].text) for row in table.rows) == int(table.foot[3].text)
    assert len(longer_villages(sample_result, "zh", 3).rows) == 3


def test_schools_that_lose_stand_with_what_they_lose(sample_result: PlanResult) -> None:
    rows = {r[0].text: r for r in losing_schools(sample_result, "zh").rows}
    assert rows["贾家庄教学点"][3].text == "撤并"
    assert (rows["贾家庄教学点"][4].text, rows["贾家庄教学点"][5].text) == ("−3", "−14")
    assert "生均教学仪器设备值" in rows["青石乡九年一贯制学校"][3].text
    assert rows["青石乡九年一贯制学校"][3].kind == "bad"


def test_zones_show_net_and_both_directions(sample_result: PlanResult) -> None:
    (row,) = zones(sample_result, "en").rows
    assert texts(row) == ["rural", "0 (+72 −72)", "0 (+6 −6)", "0 (+4 −4)", "0 (+2 −2)", "0 (+1 −1)"]


def test_money_adds_up(sample_result: PlanResult) -> None:
    def value(cell: PageCell) -> float:
        return float(cell.text.replace("−", "-").replace(",", ""))

    cost = sample_result.verdict.measures.set_index("measure").at["cost", "plan"] / 1e4
    for table, column in ((earmarks(sample_result, "zh"), 2), (uses(sample_result, "zh"), 2)):
        assert sum(value(r[column]) for r in table.rows) == pytest.approx(value(table.foot[column]), abs=0.3)
        assert value(table.foot[column]) == pytest.approx(cost, abs=0.05)
    assert value(earmarks(sample_result, "zh").foot[1]) == 260.0


@pytest.mark.parametrize("language", LANGUAGES)
def test_fifteen_checks_in_words(sample_result: PlanResult, language: str) -> None:
    told = checks(sample_result, language)
    assert [c.number for c in told] == list(range(1, 16))
    assert {c.kind for c in told} == {"good", "bad", "warn"}
    assert all(c.note and "{" not in c.note for c in told)
    assert len(for_people(sample_result, language)) >= 6
    han = re.compile(r"[\u4e00-\u9fff]")
    assert all(bool(han.search(c.name)) == (language == "zh") for c in told)


def test_a_bound_stands_in_words_beside_its_own_goal(sample_result: PlanResult) -> None:
    found = (
        GoalRecord("failing", 10.0, 9.0, 0.1, 1.0, 1, "stopped", 0.0),
        GoalRecord("cost", 799.6, -math.inf, math.inf, 1.0, 1, "stopped", 0.0),
    )
    result = replace(
        sample_result, solve=replace(sample_result.solve, goals=found, objective=10.0, bound=9.0, gap=0.1)
    )
    first, second = goals(result, "zh").rows
    assert texts(first)[:5] == ["不达标单元", "4", "10", "9", "个单元"]
    assert "最多还能改善到 9" in first[5].text and "10.0%" in first[5].text
    assert texts(second)[:4] == ["费用", "0.0", "799.6", "–"] and second[5].kind == "warn"
    page = front_page(result, "zh")
    assert (
        "不均衡度目标值" not in page and "首要目标“不达标单元”：方案 10 个单元，已证明下界 9 个单元" in page
    )


def test_ids_behind_a_place_are_told_in_words(sample_result: PlanResult) -> None:
    norms = sample_result.county.norms
    assert place_words("河口镇 pri", norms, "zh") == "河口镇 小学"
    assert place_words("史家沟小学 eq", norms, "zh") == "史家沟小学 生均教学仪器设备值"
    assert place_words("transport", norms, "zh") == "学生交通"
    assert place_words("Red Lane School", norms, "en") == "Red Lane School"


@pytest.mark.parametrize("language", LANGUAGES)
def test_losses_stand_before_gains_and_nothing_is_asked_of_the_network(
    sample_result: PlanResult, language: str
) -> None:
    page = front_page(sample_result, language)
    places = [
        page.index(f'id="{s}"')
        for s in ("short", "losers", "picture", "winners", "money", "sure", "checks", "assumed")
    ]
    assert places == sorted(places)
    for one in (page, schools_page(sample_result, language), villages_page(sample_result, language)):
        assert "http://" not in one and "https://" not in one and "<script" not in one
        assert "default-src 'none'" in one
        assert not re.search(
            r"front\.|workbook\.|rules\.[a-z]", re.sub(r"<style>.*?</style>", "", one, flags=re.S)
        )


def test_what_is_not_real_stands_above_everything(
    sample_result: PlanResult, crow_fly_result: PlanResult
) -> None:
    page = front_page(sample_result, "zh")
    assert page.index("虚构县") < page.index('id="short"')
    assert "教学仪器设备值" in page[: page.index('id="short"')] and "school_stage.equip_value" not in page
    assert "直线距离" in front_page(crow_fly_result, "zh")


def test_every_link_to_a_place_has_its_anchor(sample_result: PlanResult) -> None:
    pages = {
        "schools.html": schools_page(sample_result, "zh"),
        "villages.html": villages_page(sample_result, "zh"),
    }
    anchors = {
        f"{file}#{a}"
        for file, text in pages.items()
        for a in re.findall(r'<article class="place" id="([^"]+)"', text)
    }
    front = front_page(sample_result, "zh")
    table = front[: front.index("<svg")]
    linked = set(re.findall(r'href="((?:schools|villages)\.html#[^"]+)"', table))
    assert linked and linked <= anchors


def test_a_school_that_closes_has_a_page_with_numbers_reasons_and_a_sheet(sample_result: PlanResult) -> None:
    page = schools_page(sample_result, "zh")
    part = page[page.index('id="s-S3"') :]
    part = part[: part.index("</article>")]
    for said in (
        "贾家庄教学点",
        "已撤并",
        "14 名学生分流到 河口镇中心小学 14",
        "教师：调出 3",
        "数据更正表",
        "map.html#place=S3",
    ):
        assert said in part
    assert "– ✗" not in part  # a closed unit misses nothing


def test_a_village_page_has_the_way_before_and_after(sample_result: PlanResult) -> None:
    page = villages_page(sample_result, "en")
    part = page[page.index('id="v-V06"') :]
    part = part[: part.index("</article>")]
    row = sample_result.verdict.travel.query("village_id == 'V06' and changed").iloc[0]
    assert (
        f">{minutes(row['minutes'])}<" in part
        and f">+{minutes(row['minutes'] - row['minutes_today'])}<" in part
    )
    assert "青石乡九年一贯制学校 · receive pupils" in part or "青石乡九年一贯制学校" in part


def test_names_are_never_read_as_markup(result_with_names: Callable[[dict[str, str]], PlanResult]) -> None:
    hostile = result_with_names(
        {"S3": "<img src=x onerror=alert(1)>", "V03": '"><script>1</script>', "S1": "{{ 7*7 }}"}
    )
    for page in (front_page(hostile, "zh"), schools_page(hostile, "zh"), villages_page(hostile, "zh")):
        assert "<img" not in page and "<script" not in page and "{{ 7*7 }}" in page


def test_the_picture_shows_what_closes_what_takes_and_whose_way_grows(sample_result: PlanResult) -> None:
    (drawing,) = drawings(sample_result, "zh")
    assert drawing.count('class="close"') == drawing.count('class="reduce"') == 1
    assert drawing.count('class="flow"') == 3
    travel = sample_result.verdict.travel
    assert (
        drawing.count('class="longer"')
        == travel.loc[travel["minutes"] > travel["minutes_today"] + 1e-6, "village_id"].nunique()
    )
    assert "贾家庄教学点" in drawing


def test_the_picture_speaks_the_page_s_language_and_its_texts_hide_nothing(sample_result: PlanResult) -> None:
    (drawing,) = drawings(sample_result, "en")
    assert "Jiajiazhuang Teaching Point" in drawing and not HAN.search(drawing)
    tree = ElementTree.fromstring(drawing)
    sizes = {"name": 16.0, "townname": 15.0, "count": 14.0}
    boxes = []
    for t in tree.iter("text"):
        kind, anchor = t.attrib["class"], t.attrib.get("text-anchor", "middle")
        boxes.append(text_box(t.text or "", float(t.attrib["x"]), float(t.attrib["y"]), anchor, sizes[kind]))
    hidden = [(a, b) for i, a in enumerate(boxes) for b in boxes[:i] if overlap(a, b) > 4]
    assert len(boxes) >= 6 and hidden == []


def test_cards_say_what_is_worse(sample_result: PlanResult) -> None:
    found = {c.label: c for c in cards(sample_result, "zh")}
    assert found["路程变长的学生"].kind == "bad"
    assert (found["达标单元数"].value, found["达标单元数"].note) == (
        "3 / 5",
        "现状 2 / 6",
    )  # one unit falls below the size that counts
    assert found["达标单元数"].kind == "good"
    assert found["超过路途限值的学生"].kind == "bad"


def test_what_holds_only_as_no_worse_than_today_is_said(sample_result: PlanResult) -> None:
    """The rules hold, and beside it stands at how many places a limit is passed today already."""
    eased = int(sample_result.verdict.violations["grandfathered"].astype(bool).sum())
    told = "".join(paragraph(sample_result, "en"))
    assert (f"At {eased} places a limit is passed today already" in told) == (eased > 0)
    some = sample_result.verdict.violations.head(1).assign(grandfathered=True)
    if some.empty:
        some = pd.DataFrame([{"rule": "capacity", "kind": "hard", "place": "S1", "grandfathered": True}])
    one = replace(sample_result, verdict=replace(sample_result.verdict, violations=some))
    assert "At 1 places a limit is passed today already" in "".join(paragraph(one, "en"))
    assert "另有 1 处今天就已超过限值" in "".join(paragraph(one, "zh"))


def test_the_bound_of_these_catchments_stands_after_the_bound_in_its_own_words(
    sample_result: PlanResult,
) -> None:
    line = GoalRecord("deficit", 600.0, 450.0, 0.25, 1.0, 0, "stopped", 0.0, settled=594.0)
    shown = replace(sample_result, solve=replace(sample_result.solve, goals=(line,)))
    (row,) = goals(shown, "en").rows
    assert row[3].text == "450.00"  # the bound over all plans is the one in the column
    first, last = row[-1].text.split(" With ")
    assert "450.00" in first and "594.00" not in first
    assert last == "the catchments as they are in this plan: proven within 1.0% (never below 594.00)."
    assert "若学区就按本方案不变" in goals(shown, "zh").rows[0][-1].text
