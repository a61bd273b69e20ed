"""The map's payload and page, without a browser (test_browser.py opens it)."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from geodata.messages import LANGUAGES, catalogue
from maps.web import background
from maps.web.payload import build_payload, direction
from maps.web.plain import escaped_json
from maps.web.proposal import map_html, write_map


def data_of(html):
    start = html.index('id="plan-data">') + len('id="plan-data">')
    return json.loads(html[start : html.index("</script>", start)])


@pytest.fixture(scope="module")
def payload(sample_result):
    return build_payload(sample_result)


def site(payload, school_id):
    return next(s for s in payload["schools"] if s["id"] == school_id)


def test_escaped_json_is_the_same_data_and_inert():
    hostile = {
        "a": ["</script><img src=x onerror=alert(1)>", "{{ 7*7 }}{% x %}{# y", 'a`b`&\u2028\u2029\\"{']
    }
    text = escaped_json(hostile)
    assert json.loads(text) == hostile
    for sign in ("<", ">", "&", "`", "{{", "{%", "{#", "\u2028", "\u2029"):
        assert sign not in text


def test_numbers_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="JSON"):
        escaped_json({"a": math.nan})


def test_delta_code_is_undone_by_adding_up():
    line = np.array([[118.30001, 30.9], [118.30101, 30.899], [118.2, 31.0]])
    flat = background.deltas(line)
    assert all(isinstance(n, int) for n in flat)
    back = np.array(flat).reshape(-1, 2).cumsum(axis=0) / background.SCALE
    assert np.allclose(back, line, atol=0.5 / background.SCALE)


@pytest.mark.parametrize(
    ("today", "plan", "better", "way"),
    [(3, 2, "low", "better"), (3, 2, "high", "worse"), (3, 3, "low", "same"), (3, 4, "", "other"),
     (None, 4, "low", "other"), (0, 1e-12, "low", "same")],
)  # fmt: skip
def test_direction(today, plan, better, way):
    assert direction(today, plan, better) == way


def test_what_got_better_stands_before_what_got_worse(payload, sample_result):
    ways = [m["way"] for m in payload["measures"]]
    assert ways == sorted(ways, key=["better", "worse", "other", "same"].index)
    assert {"better", "worse"} <= set(ways)
    assert len(ways) == len(sample_result.verdict.measures)


def test_actions_of_sites(payload):
    assert {s["id"]: s["action"] for s in payload["schools"]} == {
        "S1": "receive", "S2": "keep", "S3": "close", "S4": "keep", "S5": "receive", "S6": "reduce", "S7": "outside",
    }  # fmt: skip
    assert site(payload, "S6")["lost"] == ["g4_6"]


def test_flows_are_pupils_who_change_school(payload):
    ids = [s["id"] for s in payload["schools"]]
    found = {(ids[f["from"]], ids[f["to"]], f["band"]): (f["pupils"], f["closed"]) for f in payload["flows"]}
    assert found == {
        ("S2", "S5", "g4_6"): (26, False), ("S3", "S1", "g1_3"): (14, True), ("S6", "S5", "g4_6"): (32, True),
    }  # fmt: skip


def test_popups_hold_the_seven_indicators_before_and_after(payload, sample_result):
    unit = site(payload, "S1")["units"][0]
    assert [i["id"] for i in unit["indicators"]].count("mm") == 1 and len(unit["indicators"]) == 7
    rows = sample_result.verdict.indicators.set_index(["unit_id", "indicator"])
    for item in unit["indicators"]:
        row = rows.loc[("S1/pri", item["id"])]
        assert item["threshold"] == pytest.approx(row["threshold"])
        assert item["ratio"] == pytest.approx([row["ratio_today"], row["ratio_plan"]], abs=1e-4)
        assert item["met"] == [row["met_today"], row["met_plan"]]


def test_pupils_are_those_of_the_referee(payload, sample_result):
    for end, column in ((0, "pupils_today"), (1, "pupils_plan")):
        on_map = sum(u["pupils"][end] for s in payload["schools"] for u in s["units"])
        assert on_map == sample_result.verdict.units[column].sum()


def test_an_unknown_time_is_null(payload):
    village = next(v for v in payload["villages"] if v["id"] == "V05")
    assert [g["minutes"][1] for g in village["groups"]] == [None, None, None]
    assert not any(g["over"][1] for g in village["groups"])


def test_a_village_over_the_limit_and_one_no_worse_than_today(payload):
    groups = {(v["id"], g["band"]): g for v in payload["villages"] for g in v["groups"]}
    assert groups["V06", "g4_6"]["over"][1] and not groups["V06", "g4_6"]["kept"]
    assert groups["V06", "g1_3"]["over"][1] and groups["V06", "g1_3"]["kept"]


def test_every_village_has_a_cell_that_holds_it(payload):
    from shapely.geometry import Point, Polygon

    for village in payload["villages"]:
        rings = [np.array(c).reshape(-1, 2).cumsum(axis=0) / background.SCALE for c in village["cell"]]
        assert any(Polygon(r).contains(Point(village["at"][1], village["at"][0])) for r in rings)


def test_roads_are_grouped_by_class_one_line_a_street(payload):
    assert set(payload["roads"]) == {"secondary", "unclassified", "track"}
    assert sum(len(lines) for lines in payload["roads"].values()) > 10


def test_a_county_without_roads_says_so_and_credits_nobody(crow_fly_result):
    found = build_payload(crow_fly_result)
    assert found["head"]["crow_fly"] and not found["head"]["osm"] and found["roads"] == {}
    assert found["townships"] == [] and found["waters"] == []


def test_openstreetmap_is_credited_only_where_roads_come_from_it(sample_result):
    assert not build_payload(sample_result)["head"]["osm"]
    real = replace(sample_result, county=replace(sample_result.county, fictional=False))
    assert build_payload(real)["head"]["osm"]
    modelled = replace(real, county=replace(real.county, modelled=("roads",)))
    assert not build_payload(modelled)["head"]["osm"]


def test_modelled_columns_are_named_in_both_languages(payload):
    assert payload["head"]["modelled"]["zh"] == ["学段情况·教学仪器设备值"]
    assert payload["head"]["modelled"]["en"] == ["school stage: equip value"]


def test_every_word_the_page_asks_for_is_in_both_languages(payload):
    import re
    from importlib.resources import files

    page = files("maps.web") / "page"
    code = "".join(
        (page / n).read_text(encoding="utf-8") for n in ("map.js", "views.js", "panel.js", "page.js")
    )
    frame = (page / "frame.html").read_text(encoding="utf-8")
    asked = set(re.findall(r'say\("([a-z0-9_]+)"[,)]', code)) | set(re.findall(r'data-word="(\w+)"', frame))
    asked |= {f"view_{v}" for v in ("today", "proposal", "closures", "minutes", "compliance")}
    assert len(asked) > 60
    for language in LANGUAGES:
        assert asked <= set(payload["words"][language])


def test_every_measure_and_indicator_has_its_name(payload):
    for language in LANGUAGES:
        words = payload["words"][language]
        assert all(f"measure_{m['id']}" in words for m in payload["measures"])
        assert all(f"indicator_{i}" in words for i in ("q", "b", "a", "sp", "sf", "eq", "mm"))
        assert all(
            text == catalogue(language)[f"map.{k}"]
            for k, text in words.items()
            if f"map.{k}" in catalogue(language)
        )


def test_the_page_is_one_file_with_the_data_as_text(sample_result, tmp_path):
    path = write_map(sample_result, tmp_path / "map.html")
    html = path.read_text(encoding="utf-8")
    assert data_of(html) == json.loads(escaped_json(build_payload(sample_result)))
    assert 'lang="zh-CN"' in html and "Content-Security-Policy" in html
    assert 'src="' not in html.replace('src="data:', "") and "jquery" not in html.lower()


def test_the_same_result_gives_the_same_bytes(sample_result):
    assert map_html(sample_result) == map_html(sample_result)


def test_names_are_never_read_as_a_template(result_with_names):
    names = {
        "S1": "{{ 7*7 }}小学",
        "S2": "{% for x in y %}",
        "S3": "{# 点",
        "S6": "</script><script>alert(1)</script>",
    }
    html = map_html(result_with_names(names), "en")
    assert 'lang="en"' in html and "49小学" not in html
    assert html.count("<script>") == html.count("</script>") - 1  # the data element has a type
    assert {s["id"]: s["name"] for s in data_of(html)["schools"]}.items() >= names.items()


def test_an_unknown_language_is_refused(sample_result, tmp_path):
    with pytest.raises(ValueError, match="'fr'"):
        write_map(sample_result, tmp_path / "map.html", "fr")
