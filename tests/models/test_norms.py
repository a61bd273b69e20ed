"""Norms as data: every number of the rule book is there, has a source, and a county can override it."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from geodata.contract.findings import InputProblems
from geodata.messages import LANGUAGES, catalogue, say
from models.referee.verdict import MEASURES
from models.rules.registry import every_rule
from models.standards.norms import Standards, load_standards
from tests.samples import small_county

LAYOUT = {
    "bands_from_top": 1, "open_has_pupils": 1, "capacity": 1, "rooms": 1, "min_classes": 1, "classes_kept": 1,
    "bands_together": 1, "no_exchange": 0, "no_ring": 0, "no_swap": 0, "past_own_school": 5, "past_nearer_school": 5, "eligible_moves": 1,
    "near_retirement_stays": 0, "met_kept": 0, "no_sink": 1, "useful_rooms": 1.5, "floor_no_outflow_a": 200,
    **{f"outflow_{where}_{heads}": 0 for where in ("rural", "township") for heads in "qba"},
    "travel_walk_g1_3": 30, "travel_walk_g4_6": 40, "travel_walk_g7_9": 40, "travel_bus_g1_3": 30,
    "travel_bus_g4_6": 45, "travel_bus_g7_9": 45, "travel_increase": 15, "walk_speed_g1_3": 3.5,
    "closure_max_pupils": 200, "closures_township": 2, "closures_share": 0.1, "moved_share": 0.1,
    "junior_per_township": 1, "floor_no_outflow_b": 200, "floor_no_outflow_q": 200, "floor_kappa": 1.7,
    "floor_ratio_pri": 19, "floor_ratio_jun": 13.5, "floor_heads": 2, "floor_heads_grades3": 3,
    "floor_backbone_pupils": 50, "floor_arts_point_share": 4, "assessed_floor": 50, "commute_minutes": 60,
    "build_share": 0.5, "recurrent_lasting": 0, "small_school_funds": 100,
}  # fmt: skip
QUALITY = {
    "k_of_n": 6, "assessed_min": 50, "class_cap_pri": 45, "class_cap_jun": 50, "school_cap": 2000,
    "concession_min": 50, "concession_max": 99, "school_cap_nine": 2500, "school_cap_relief": 2400, "school_cap_nine_relief": 3000,
    "rotation_share": 0.1, "rotation_backbone": 0.2, "relief_built": 2010, "relief_migrants": 0.5,
    "short_gives_none": 0,
}  # fmt: skip
THRESHOLDS = {
    "pri": {"q": 4.2, "b": 1.0, "a": 0.9, "sp": 4.5, "sf": 7.5, "eq": 2000, "mm": 2.3},
    "jun": {"q": 5.3, "b": 1.0, "a": 0.9, "sp": 5.8, "sf": 10.2, "eq": 2500, "mm": 2.4},
}


@pytest.fixture(scope="module")
def standards() -> Standards:
    return load_standards(small_county())


def own_rule(rule: str, value: float, kind: str = "hard") -> pd.DataFrame:
    return pd.DataFrame([{"id": rule, "value": value, "kind": kind}])


def test_the_numbers_of_the_rule_book(standards: Standards) -> None:
    assert {i: r.value for i, r in standards.rules.items()} == {**QUALITY, **LAYOUT}


def test_the_fourteen_indicators(standards: Standards) -> None:
    found = {s: {i.id: i.threshold for i in standards.of_stage(s)} for s in ("pri", "jun")}
    assert found == THRESHOLDS
    assert {i.resource for i in standards.indicators} == set(standards.counted)
    assert {(i.stage, i.cv_limit) for i in standards.indicators} == {("pri", 0.5), ("jun", 0.45)}
    assert {i.tolerance for i in standards.indicators} == {0.85}
    per_hundred = {i.id for i in standards.indicators if i.scale == 100}
    assert per_hundred == {"q", "b", "a", "mm"}


def test_every_number_has_a_source_and_a_tag(standards: Standards) -> None:
    everything = [*standards.indicators, *standards.rules.values()]
    assert all(one.source and one.tag in ("V", "R", "A") for one in everything)


def test_norms_that_yield_to_todays_state(standards: Standards) -> None:
    found = {i for i, r in standards.rules.items() if r.grandfather}
    eased = {"open_has_pupils", "capacity", "rooms", "min_classes", "no_sink", "useful_rooms"}
    assert found == eased | {i for i in LAYOUT if i.startswith(("travel_walk", "travel_bus"))}


def test_a_county_overrides_a_rule() -> None:
    county = replace(small_county(), standards=own_rule("closures_township", 5, "soft"))
    standards = load_standards(county)
    assert standards.value("closures_township") == 5
    assert not standards.hard("closures_township")
    assert standards.rule("closures_township").tag == "A"
    assert standards.hard("closures_share")


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_unknown_rule_is_named_with_its_row(language: str) -> None:
    county = replace(small_county(), standards=own_rule("closures_per_moon", 5))
    with pytest.raises(InputProblems) as caught:
        load_standards(county)
    (finding,) = caught.value.findings
    assert (finding.file, finding.row, finding.column, finding.value) == (
        "standards",
        2,
        "id",
        "closures_per_moon",
    )
    assert "closures_per_moon" in finding.sentence(language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_unknown_standards_file_is_named_with_those_there_are(language: str) -> None:
    with pytest.raises(InputProblems) as caught:
        load_standards(replace(small_county(), standard_files=("cn_2017_quality", "fr_1882")))
    text = caught.value.findings[0].sentence(language)
    assert "fr_1882" in text and "cn_layout" in text


def test_every_id_has_words_in_both_languages(standards: Standards) -> None:
    ids = [("rule", i) for i in (*(r.id for r in every_rule()), *standards.rules)] + [
        ("measure", m) for m, _, _ in MEASURES
    ]
    ids += [("indicator", i.id) for i in standards.indicators]
    for language in LANGUAGES:
        for kind, name in ids:
            assert say(f"rules.{kind}_{name}", language)
            assert say(f"rules.{kind}_{name}_about", language)


def test_every_unit_has_words(standards: Standards) -> None:
    units = {u for _, u, _ in MEASURES} | {o.unit for o in (*standards.indicators, *standards.rules.values())}
    for language in LANGUAGES:
        assert {u for u in units if f"rules.unit_{u}" not in catalogue(language)} == set()


def test_every_norm_governs_one_rule_or_is_a_number(standards: Standards) -> None:
    """A norm without a rule is a number that rules and measures read."""
    governed = {n for r in every_rule() for n in r.norm_ids(standards)}
    assert set(standards.rules) - governed == {
        "k_of_n", "assessed_min", "walk_speed_g1_3", "commute_minutes", "concession_min", "concession_max",
        "small_school_funds", "relief_built", "relief_migrants", "rotation_share", "rotation_backbone",
    }  # fmt: skip
    assert governed - set(standards.rules) == {"group_access"}  # this county tells no groups apart
    plain = small_county()
    told = replace(plain, attendance=plain.attendance.assign(group="one"))
    assert governed == governed & set(load_standards(told).rules)
    assert all(sum(n in r.norm_ids(standards) for r in every_rule()) == 1 for n in governed)
