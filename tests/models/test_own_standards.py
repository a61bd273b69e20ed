"""Standards of one's own: other indicators, stages and bands; what is not assessed is not passed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geodata.contract.county import County
from geodata.contract.declared import declared_tables
from geodata.contract.findings import InputProblems
from geodata.corrections.cells import correctable
from geodata.folder.reading import check, read_county
from geodata.messages import LANGUAGES
from geodata.standards.reading import bundled, merge, merged, parse
from geodata.standards.schema import RESERVED
from geodata.travel.times import travel_times
from maps.dossier.gains import about_words
from models.plan.arrangement import today_as_plan
from models.plan.quality import flagged_moves
from models.problem.baseline import grades, site_bands
from models.problem.building import build_instance
from models.problem.indicators import LENT, assess, merged_units, stage_table, unit_table, verdicts
from models.problem.request import Request
from models.problem.spread import cv_table
from models.referee.audit import audit
from models.standards.norms import load_standards
from tests.counties import bundled_county, with_file
from tests.models.plans import broken_rules, keep_all, moved, ready
from tests.samples import small_county

OURS = """
[[resource]]
id = "places"
kind = "rooms"
columns = ["capacity_pupils"]
unit = "pupils"
zh = "学位"
en = "places"

[[indicator]]
id = "b"
stage = "pri"
resource = "b"
unit = "heads"
scale = 100.0
threshold = 1.0
tolerance = 0.5
cv_limit = 0.6

[[indicator]]
id = "pl"
stage = "pri"
resource = "places"
unit = "pupils"
threshold = 1.2
cv_limit = 0.3
zh = "生均学位"
en = "places per pupil"

[[rule]]
id = "k_of_n"
quantity = "indicators met in full"
operator = ">="
value = 1
unit = "indicators"
kind = "report"
"""
WHOLE = """
[[stage]]
id = "pri"
grades = [1, 7]
zh = "小学"
en = "primary"

[[band]]
id = "low"
stage = "pri"
grades = [1, 3]
zh = "低年级"
en = "lower grades"

[[band]]
id = "high"
stage = "pri"
grades = [4, 7]
zh = "高年级"
en = "upper grades"
"""


def test_two_indicators_of_one_stage() -> None:
    county = with_file(small_county(), OURS)
    standards = load_standards(county)
    assert [(i.stage, i.id) for i in standards.indicators] == [("pri", "b"), ("pri", "pl")]
    assert (standards.counted, standards.items) == (("b", "places"), ("places",))
    assert (standards.to_meet("pri"), standards.to_meet("jun")) == (1, 0)
    found = audit(county, standards)
    # B1: 1 backbone teacher for 260 pupils is under half of 1 per 100; A2: 120 pupils, 1 teacher, 270 places
    units = found.units.set_index("unit_id")["passes_today"]
    assert (bool(units["A1/pri"]), bool(units["A2/pri"]), bool(units["B1/pri"])) == (True, True, False)
    # these standards name no least size: a point is assessed, and has no backbone teacher
    assert not units["A3/pri"] and pd.isna(units["A9/jun"])
    stages = found.stages.set_index("stage")
    assert stages.loc["pri", ["units", "units_passing", "cvs"]].tolist() == [5, 2, 2]
    assert stages.loc["jun", ["units", "cvs"]].tolist() == [0, 0]
    assert pd.isna(stages.at["jun", "passes"]) and not stages.at["pri", "passes"]


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (('resource = "b"', 'resource = "gold"'), "rules.no_such_resource"),
        (('resource = "places"', 'resource = "b"'), "rules.counted_twice"),
        (('id = "pl"\nstage = "pri"', 'id = "pl"\nstage = "prii"'), "rules.no_such_stage"),
        (('id = "k_of_n"', 'id = "k_of_m"'), "rules.unknown_norm"),
        (('id = "k_of_n"', 'id = "class_cap_k_5"'), "rules.not_used"),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_file_may_not_say_is_named(change: tuple[str, str], key: str, language: str) -> None:
    county = with_file(small_county(), OURS.replace(*change))
    with pytest.raises(InputProblems) as caught:
        load_standards(county)
    (finding,) = caught.value.findings
    assert finding.key == key
    assert "./ours.toml" in finding.sentence(language)


@pytest.mark.parametrize(
    ("change", "column"),
    [
        (("threshold = 1.2", "treshold = 1.2"), "indicator[2].treshold"),
        (('kind = "rooms"', 'kind = "gold"'), "resource[1].kind"),
        (("value = 1", 'value = "many"'), "rule[1].value"),
    ],
)
def test_a_wrong_key_or_value_is_named_by_its_entry(change: tuple[str, str], column: str) -> None:
    with pytest.raises(InputProblems) as caught:
        parse(OURS.replace(*change), "ours.toml")
    assert [(f.file, f.column) for f in caught.value.findings] == [("ours.toml", column)]


def test_bands_cover_their_stage() -> None:
    with pytest.raises(InputProblems) as caught:
        with_file(small_county(), WHOLE.replace("grades = [4, 7]", "grades = [4, 6]")).norms
    assert [f.key for f in caught.value.findings] == ["rules.bands_differ"]


def test_primary_with_seven_grades_alone() -> None:
    county = with_file(small_county(), WHOLE, ("cn_2017_quality", "cn_layout", "./ours.toml"))
    schools = county.schools[county.schools["kind"] != "junior"].replace({"grades_served": {"1-6": "1-7"}})
    county = replace(county, schools=schools)
    bands = site_bands(county).set_index(["school_id", "band"])
    assert bands.at[("A1", "high"), "grades"] == 4 and bands.at[("A1", "high"), "full"]
    standards = load_standards(county)
    assert standards.kind("travel_walk_g1_3") == "off" and standards.kind("class_cap_jun") == "off"
    assert standards.kind("class_cap_pri") == "hard"
    assert {f.key for f in county.norms.findings} == {"rules.no_such_stage", "rules.not_used"}


def test_a_kindergarten_year_is_grade_0() -> None:
    assert grades("K-5") == {0, 1, 2, 3, 4, 5}
    scheme = merge(("us_wv",), {}).scheme
    assert scheme.bands_of("elem") == ("k_5",) and scheme.band_grades["k_5"] == (0, 1, 2, 3, 4, 5)
    assert scheme.lower_stages("mid") == ("elem",)


@pytest.mark.parametrize("name", bundled())
def test_every_bundled_file_says_where_it_is_from(name: str) -> None:
    from geodata.standards.reading import read_bundled

    content = read_bundled(name)
    assert content.about is not None and content.about.source
    rows = [*content.indicator, *content.rule]
    assert rows and all(r.source and r.tag for r in rows)


def test_basic_balance_limits_the_mean_of_eight() -> None:
    county = bundled_county(("cn_2012_basic", "cn_layout"))
    standards = load_standards(county)
    units = unit_table(county, standards)
    cvs = cv_table(units, standards, units["assessed"])
    assert len(cvs) == 16 and cvs["ok"].isna().all()
    said = stage_table(units, assess(units, standards), cvs, standards).set_index("stage")
    own = cvs[cvs["stage"] == "pri"]["cv"]
    assert said.at["pri", "mean_cv"] == pytest.approx(own.mean())
    assert said.at["pri", "mean_limit"] == 0.65 and said.at["jun", "mean_limit"] == 0.55
    assert bool(said.at["pri", "passes"]) == (own.mean() <= 0.65)
    assert verdicts(assess(units, standards), standards).empty  # no threshold, no school is tested


def test_nothing_to_measure_is_not_within_the_limit() -> None:
    county = small_county()
    county = replace(county, staff_category=county.staff_category.assign(counts_b=0))
    cvs = audit(county).cv.set_index(["stage", "indicator"])
    assert cvs.loc[("pri", "b"), "ok_today"] is pd.NA and np.isnan(cvs.at[("pri", "b"), "cv_today"])
    assert cvs["ok_today"].notna().sum() == 12


def test_nobody_assessed_passes_nothing() -> None:
    county = small_county()
    county = replace(county, schools=county.schools.assign(counted=False))
    found = audit(county)
    assert found.cv["ok_today"].isna().all() and found.units["passes_today"].isna().all()
    assert found.stages["passes"].isna().all() and found.stages["units"].eq(0).all()


def test_a_place_that_does_not_count_is_assessed_with_its_parent() -> None:
    county = small_county()
    schools = county.schools.copy()
    here = schools["school_id"] == "A3"
    schools.loc[here, "counted"], schools.loc[here, "parent_id"] = False, "A1"
    county = replace(county, schools=schools)
    standards = load_standards(county)
    units = unit_table(county, standards)
    assert units["assessed_as"].to_dict()["A3/pri"] == "A1/pri"
    whole = merged_units(units, standards)
    assert (whole.at["A1/pri", "pupils"], whole.at["A1/pri", "q"]) == (312, 20)
    assert units.at["A1/pri", "assessed"] and not units.at["A3/pri", "assessed"]


@pytest.mark.parametrize(("pupils", "met"), [(49, False), (50, True), (99, True), (100, False)])
def test_small_rural_units_count_shared_arts_teachers(pupils: int, met: bool) -> None:
    county = small_county()
    stage = county.school_stage.copy()
    stage.loc[stage["school_id"] == "A3", ["pupils", "arts_shared"]] = [pupils, 1.0]
    county = replace(county, school_stage=stage)
    cells = audit(county).indicators.set_index(["unit_id", "indicator"])
    assert bool(cells.at[("A3/pri", "a"), "met_today"]) is met


def test_a_file_in_the_folder_is_read(tmp_path: Path) -> None:
    from geodata.standards.reading import read_files

    (tmp_path / "ours.toml").write_text(OURS, encoding="utf-8")
    found = read_files(("cn_layout", "./ours.toml"), tmp_path)
    assert list(found) == ["./ours.toml"] and len(found["./ours.toml"].indicator) == 2
    with pytest.raises(InputProblems):
        read_files(("theirs.toml",), tmp_path)


SCIENCE = """
[[column]]
table = "staff_category"
name = "counts_s"
zh = "理科"
kind = "whole"
high = 1

[[resource]]
id = "s"
kind = "heads"
flags = ["counts_s"]
unit = "heads"
zh = "理科教师"
en = "science teachers"

[[rule]]
id = "outflow_rural_s"
quantity = "science teachers of the rural zone"
operator = ">="
value = 0
unit = "heads"
kind = "hard"
"""


def test_a_guard_may_be_about_staff_of_one_s_own() -> None:
    """`outflow_rural_<staff>` stands for every kind of staff that is declared: A2 of the village gives one up to the seat."""
    names = ("cn_2017_quality", "cn_layout", "./ours.toml")
    county = with_file(small_county(), SCIENCE, names)
    category = county.staff_category
    county = replace(
        county, staff_category=category.assign(counts_s=(category["cat_id"] == "plain").astype(int))
    )
    town = replace(
        county, schools=county.schools.assign(zone=["seat", *["rural"] * (len(county.schools) - 1)])
    )
    case = ready(town)
    assert case.standards.kind("outflow_rural_s") == "hard" and case.judge(keep_all(case)).accepted
    lost = moved(keep_all(case), ("A2", "pri", "A1", "pri", "plain", 1))
    assert "outflow_rural" in broken_rules(case.judge(lost))
    assert "outflow_rural" not in broken_rules(case.binding(outflow_rural_s="off").judge(lost))
    with pytest.raises(InputProblems) as caught:
        load_standards(with_file(small_county(), SCIENCE.replace("rural_s", "rural_z"), names))
    assert [f.key for f in caught.value.findings] == ["rules.not_used"]


SMALL_SITES = """
[[rule]]
id = "school_cap"
quantity = "pupils of a school"
operator = "<="
value = 250
unit = "pupils"
kind = "hard"
"""


def test_without_norms_of_relief_old_schools_are_capped_as_any_other() -> None:
    """A1 was built in 2000 and had no cap where a county's own file asked for one of all schools."""
    case = ready(with_file(small_county(), SMALL_SITES))
    inst = build_instance(case.county, case.standards, Request(), case.times)
    assert inst.school_cap["A1"] == 250 and inst.size_norm["A1"] == "school_cap"
    verdict = case.judge(keep_all(case))
    found = verdict.violations.query("rule == 'school_size'")
    assert set(found["place_id"]) == {"A1", "B1"} and found["grandfathered"].all()


@pytest.mark.parametrize("taken", ["all", "pupils", "classes"])
def test_a_resource_may_not_be_called_as_a_column_of_units(taken: str) -> None:
    """It took that column's place: with ``all`` no report could be made of a plan."""
    with pytest.raises(InputProblems) as caught:
        with_file(small_county(), OURS.replace('"places"', f'"{taken}"')).norms
    assert [(f.key, f.column, f.value) for f in caught.value.findings] == [
        ("rules.reserved", "resource[1].id", taken)
    ]


def test_every_column_beside_resources_is_reserved() -> None:
    case = ready()
    inst = build_instance(case.county, case.standards, Request(), case.times)
    moves = flagged_moves(case.county, keep_all(case))[0]
    columns = {*unit_table(case.county, case.standards), *inst.units, *moves}
    lent = {c for c in columns if c.endswith(LENT)}
    assert columns - lent - set(case.standards.resources) <= RESERVED
    assert not RESERVED & set(case.standards.resources)


ALONE = """
[[column]]
table = "staff_category"
name = "counts_m"
zh = "计硕士"
high = 1

[[resource]]
id = "masters"
kind = "heads"
flags = ["counts_m"]
unit = "heads"
zh = "硕士教师"
en = "teachers with a master's degree"

[[resource]]
id = "art_rooms"
kind = "rooms"
columns = ["rooms_music", "rooms_art"]
unit = "rooms"
zh = "艺术教室"
en = "art rooms"

[[indicator]]
id = "m"
stage = "pri"
resource = "masters"
unit = "heads"
threshold = 0.01

[[indicator]]
id = "rooms"
stage = "pri"
resource = "art_rooms"
unit = "rooms"
threshold = 0.01
"""
BANDS = WHOLE.replace('"low"', '"a"').replace('"high"', '"b"') + "".join(
    f'\n[[rule]]\nid = "travel_walk_{b}"\nquantity = "minutes"\noperator = "<="\nvalue = 30\nunit = "minutes"\nkind = "hard"\n'
    for b in "ab"
)


def masters() -> County:
    county = with_file(small_county(), ALONE, ("./ours.toml",))
    category = county.staff_category
    return replace(county, staff_category=category.assign(counts_m=category["counts_b"]))


def test_a_band_that_bears_the_name_of_a_kind_of_staff_asks_for_no_teachers() -> None:
    """Bands ``a`` and ``b``: their limits of the way asked for columns of PE and backbone teachers."""
    county = with_file(small_county(), ALONE + BANDS, ("./ours.toml",))
    tables = declared_tables(county.norms)
    needed = {c.name for c in tables["staff_category"].columns if c.required and c.name.startswith("counts")}
    assert needed == {"counts_m"}


def test_a_column_that_an_indicator_counts_is_not_told_to_change_nothing(tmp_path: Path) -> None:
    county = masters()
    stage = county.school_stage.assign(rooms_music=1, rooms_art=2)
    for name, table in replace(county, school_stage=stage).tables().items():
        if len(table):
            table.to_csv(tmp_path / f"{name}.csv", index=False)
    (tmp_path / "ours.toml").write_text(ALONE, encoding="utf-8")
    head = 'name = "试县"\nyear = 2025\nfictional = true\nstandards = ["./ours.toml"]\n'
    (tmp_path / "county.toml").write_text(head, encoding="utf-8")
    read = read_county(tmp_path)
    idle = {f.file: f.sentence("en") for f in check(tmp_path) if f.key == "tables.idle_columns"}
    assert "rooms_music" not in idle.get("school_stage.csv", "")
    assert "subject_group" in idle["staff_category.csv"]
    contracts = declared_tables(read.norms)
    assert {"rooms_music", "rooms_art"} <= {c.name for c in correctable(contracts["school_stage"])}
    assert "rooms_art" not in {
        c.name for c in correctable(declared_tables(small_county().norms)["school_stage"])
    }


def test_only_teachers_that_the_standards_speak_of_are_told() -> None:
    county = masters()
    standards = load_standards(county)
    assert {"q", "b", "a", "masters"} == set(standards.heads) and standards.watched == ("masters",)
    assert load_standards(small_county()).watched == ("q", "b", "a")
    plan = today_as_plan(county, standards, travel_times(county))
    assert flagged_moves(county, plan)[1] == ["all", "masters"]
    assert about_words("teachers_net", "rural:masters", "en", county.norms).endswith("a master's degree")


@pytest.mark.parametrize(
    ("change", "severity"),
    [
        (("<=", ">="), "error"),
        (('kind = "hard"', 'kind = "hard"\napplies_to = "rural"'), "warning"),
        (('kind = "hard"', 'kind = "hard"\ngrandfather = true'), "warning"),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_norm_says_and_the_program_does_not_read_is_told(
    change: tuple[str, str], severity: str, language: str
) -> None:
    """`class_cap >= 45` was taken for a cap; a rule for villages alone was one for everybody."""
    cap = '[[rule]]\nid = "class_cap_pri"\nquantity = "pupils"\noperator = "<="\nvalue = 45\nunit = "pupils"\nkind = "hard"\n'
    names = ("cn_2017_quality", "./ours.toml")
    norms, found = merged(names, {"./ours.toml": parse(cap.replace(*change), "ours.toml")})
    told = [f for f in found if f.key == "rules.read_otherwise"]
    assert [f.severity for f in told] == [severity] and norms is not None
    assert told[0].file == "./ours.toml" and "rule[1]" in told[0].sentence(language)
    assert not [
        f
        for f in merged(names, {"./ours.toml": parse(cap, "ours.toml")})[1]
        if f.key == "rules.read_otherwise"
    ]
