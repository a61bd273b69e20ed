"""The command line with bad input: named in both languages, exit code 2, nothing written."""

from __future__ import annotations

import re
from dataclasses import replace
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from typer.testing import CliRunner

import optimizer.cli.console as console
import optimizer.cli.main as cli
import optimizer.cli.planning as planning
from geodata.contract.findings import Finding, errors
from geodata.folder.reading import check as checked
from models.plan.decisions import GoalRecord
from optimizer.cli.terminal.paper import Paper
from optimizer.solver.limits import Progress
from optimizer.verbs.plan import Infeasible, Rejected, StoppedWithoutPlan
from tests.counties import american
from tests.damage import cells, contents, lines, put, settings, write, write_lines
from tests.maps.conftest import make_county, make_result
from tests.optimizer.test_job import written
from tests.optimizer.test_other_standards import AMERICAN
from tests.samples import small_county

LANGUAGES = ("zh", "en")
HEAD = """\
# the hand-sized county
# 手工小县
name = "试县"
name_en = "Test county"
fictional = true
standards = ["cn_2017_quality", "cn_layout"]
year = 2025
"""


@pytest.fixture
def folder_of_seven(tmp_path):
    """The hand-sized county of seven schools, to be damaged: what is wrong with an input is said of any county."""
    folder = written(small_county(), tmp_path / "county")
    (folder / "county.toml").write_text(HEAD, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def sample():
    return make_result(make_county())


def run(*arguments: object, language: str = "en"):
    """Exit code and output on one wide line."""
    wide = {"COLUMNS": "2000"}
    result = CliRunner().invoke(cli.app, [*map(str, arguments), "--lang", language], env=wide)
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    assert "Traceback" not in result.output
    return result.exit_code, re.sub(r"\s+", " ", result.output)


@pytest.fixture(autouse=True)
def no_solve(monkeypatch):
    """A bad input is refused before any solve; one that slips through must not start one."""

    def unexpected(*_, **__):
        raise AssertionError("the solver was reached")

    monkeypatch.setattr(planning, "make_plan", unexpected)


def refused(folder: Path, *said: str, scenario: Path | None = None) -> None:
    """``plan`` refuses in both languages, says all this in that language and writes nothing."""
    root = folder.parent
    before = contents(root)
    for language in LANGUAGES:
        more = ["--scenario", scenario] if scenario else []
        code, output = run("plan", folder, "--out", root / "plan", *more, language=language)
        assert code == console.BAD_INPUT, output
        assert [word for word in said if word not in output] == [], output
        assert bool(re.search(r"没有写出任何文件", output)) == (language == "zh")
        assert ("Nothing was written" in output) == (language == "en")
    assert contents(root) == before


@pytest.mark.parametrize(
    ("table", "row", "column", "value"),
    [
        ("school_stage", 5, "pupils", "-12"), ("school_stage", 6, "area_teaching", "900平方米"),
        ("school_stage", 7, "equip_value", "1,5"), ("attendance", 9, "school_id", "999"),
        ("staff_stock", 4, "heads", "2.5"), ("schools", 3, "kind", "school"), ("budget", 2, "amount", "-1"),
        ("villages", 8, "lat", "118.3"), ("schools", 4, "protected", "lockopen"),
    ],
)  # fmt: skip
def test_a_bad_cell_is_named_with_file_row_column_and_value(folder_of_seven, table, row, column, value):
    put(folder_of_seven, table, row, column, value)
    refused(folder_of_seven, f"{table}.csv", str(row), column, value)


def test_check_and_audit_refuse_what_plan_refuses(folder_of_seven, tmp_path):
    put(folder_of_seven, "school_stage", 5, "pupils", "-12")
    before = contents(tmp_path)
    for command, language in (("check", "en"), ("audit", "zh")):
        code, output = run(command, folder_of_seven, language=language)
        assert code == console.BAD_INPUT
        assert ("row 5" if language == "en" else "第 5 行") in output and "-12" in output
    assert contents(tmp_path) == before


def test_swapped_axes_say_what_to_do(folder_of_seven):
    place = cells(folder_of_seven, "schools").loc[5]
    put(folder_of_seven, "schools", 7, "lon", place["lat"])
    put(folder_of_seven, "schools", 7, "lat", place["lon"])
    refused(folder_of_seven, "schools.csv", "7", "lat", place["lon"])
    assert "Exchange the two cells" in run("check", folder_of_seven)[1]
    assert "请对调两格" in run("check", folder_of_seven, language="zh")[1]


def test_an_undeclared_coordinate_system_is_refused(folder_of_seven):
    put(folder_of_seven, "villages", 4, "crs", "")
    refused(folder_of_seven, "villages.csv", "4", "crs", "gcj02")


def test_a_missing_column_is_refused(folder_of_seven):
    write(folder_of_seven, "school_stage", cells(folder_of_seven, "school_stage").drop(columns=["classes"]))
    refused(folder_of_seven, "school_stage.csv", "classes", "班级数")


def test_a_duplicate_id_is_refused(folder_of_seven):
    text = lines(folder_of_seven, "villages")
    write_lines(folder_of_seven, "villages", [*text, text[3]])
    refused(folder_of_seven, "villages.csv", str(len(text) + 1), "village_id", text[3].split(",")[0])


def test_folders_without_a_county_are_refused(tmp_path):
    refused(tmp_path / "nowhere", "nowhere")
    empty = tmp_path / "empty"
    empty.mkdir()
    refused(empty, "empty", "county.toml")
    (empty / "schools.csv").write_text("school_id\n", encoding="utf-8")
    refused(empty, "empty", "county.toml")


def test_broken_settings_are_refused(folder_of_seven):
    settings(folder_of_seven, "year = 2025", "year = 1925")
    refused(folder_of_seven, "county.toml", "year", "1925", "2000")
    settings(folder_of_seven, "year = 1925", "yaer = 2025")
    refused(folder_of_seven, "county.toml", "yaer", "year")
    settings(folder_of_seven, "yaer = 2025", "year 2025")
    refused(folder_of_seven, "county.toml", "line 7")


def test_standards_that_do_not_exist_are_found_by_check_too(folder_of_seven):
    settings(folder_of_seven, '"cn_layout"', '"cn_lay_out"')
    for language in LANGUAGES:
        code, output = run("check", folder_of_seven, language=language)
        assert code == console.BAD_INPUT and "cn_lay_out" in output and "cn_layout" in output


@pytest.mark.parametrize("named", ['"cn_layout"', ""])
def test_standards_without_indicators_are_audited_in_words(folder_of_seven, named):
    """Nothing to assess was a traceback."""
    settings(folder_of_seven, '"cn_2017_quality", "cn_layout"', named)
    code, output = run("audit", folder_of_seven)
    assert code == 0 and "0 of 0 assessed units pass" in output and "not assessed" in output


def test_a_wrong_entry_of_own_standards_condemns_no_row_of_the_tables(tmp_path):
    """The default's stages stood in for the county's, and every row of every table was wrong by them."""
    folder = written(american("9"), tmp_path / "county")
    head = HEAD.replace('"cn_2017_quality", "cn_layout"', '"cn_layout", "./ours.toml"')
    (folder / "county.toml").write_text(head, encoding="utf-8")
    for change, columns in (
        (("travel_bus_k_5", "travel_bus_k_6"), ["rule[1].id"]),
        (('resource = "q"', 'resource = "gold"'), [f"indicator[{n}]" for n in (1, 2, 3)]),
        (("grades = [0, 5]", "grades = [0, 4]", 1), ["band"]),
        (("grades = ", "grade = "), None),
    ):
        (folder / "ours.toml").write_text(AMERICAN.replace(*change), encoding="utf-8")
        wrong = errors(checked(folder))
        assert {f.file for f in wrong} == {"./ours.toml"}
        assert columns is None or [f.column for f in wrong] == columns


def test_five_faults_in_five_tables_are_all_said_at_once(folder_of_seven):
    write(folder_of_seven, "school_stage", cells(folder_of_seven, "school_stage").drop(columns=["classes"]))
    put(folder_of_seven, "attendance", 8, "village_id", "V999")
    put(folder_of_seven, "villages", 5, "lon", "121.9")
    put(folder_of_seven, "schools", 6, "grades_served", "6-1")
    put(folder_of_seven, "budget", 3, "amount", "250万")
    refused(folder_of_seven, "classes", "V999", "121.9", "6-1", "250万")
    assert "5 problem(s)" in run("plan", folder_of_seven, "--out", folder_of_seven / "x")[1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sceonds = 60\n", ("sceonds", "seconds")), ("gap = 2\n", ("gap", "2", "< 1")),
        ('seconds = "long"\n', ("seconds", "long")), ("[budget]\ndevices = 1\n", ("budget.devices", "device")),
        ("[budget]\ndevice = nan\n", ("budget.device", "nan")), ("goals = [\n", ("TOML",)),
        ('[[goals]]\nname = "fame"\n', ("goals[1].name", "fame", "imbalance")),
        ('[[goals]]\nname = "imbalance"\nweight = 2\n', ("goals[1].weight", "tolerance")),
    ],
)  # fmt: skip
def test_a_bad_scenario_is_refused_by_key_and_value(folder_of_seven, tmp_path, text, said):
    file = tmp_path / "scenario.toml"
    file.write_text(text, encoding="utf-8")
    refused(folder_of_seven, "scenario.toml", *said, scenario=file)


def test_a_scenario_that_does_not_exist_is_refused(folder_of_seven, tmp_path):
    refused(folder_of_seven, "none.toml", scenario=tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('close = ["999"]\n', ("close", "999")), ("[budget]\ndevice = -5\n", ("budget.device", "-5")),
        ("goals = []\n", ("goals",)),
        ('[[goals]]\nname = "cost"\n[[goals]]\nname = "cost"\n', ("goals", "cost")),
        ('keep_open = ["A1"]\nclose = ["A1"]\n', ("A1",)),
    ],
)  # fmt: skip
def test_a_scenario_that_does_not_fit_the_county_is_refused(
    monkeypatch, folder_of_seven, tmp_path, text, said
):
    from optimizer.verbs.plan import plan

    monkeypatch.setattr(planning, "make_plan", plan)  # it checks the scenario before anything else
    file = tmp_path / "scenario.toml"
    file.write_text(text, encoding="utf-8")
    refused(folder_of_seven, *said, scenario=file)


def test_an_existing_folder_is_left_alone_before_any_reading(folder_of_seven, tmp_path):
    out = tmp_path / "mine"
    out.mkdir()
    (out / "letter.txt").write_text("keep", encoding="utf-8")
    before = contents(tmp_path)
    for language in LANGUAGES:
        for more in ([], ["--overwrite"]):  # not a dossier: not even then
            code, output = run("plan", folder_of_seven, "--out", out, *more, language=language)
            assert code == console.BAD_INPUT and "mine" in output
            code, output = run(
                "demo", "--county", tmp_path / "new", "--dossier", out, *more, language=language
            )
            assert code == console.BAD_INPUT and "mine" in output
            code, output = run(
                "demo", "--county", out, "--dossier", tmp_path / "new", *more, language=language
            )
            assert code == console.BAD_INPUT and "mine" in output
    code, output = run("plan", folder_of_seven, "--out", out / "letter.txt", "--overwrite")
    assert code == console.BAD_INPUT and "letter.txt" in output
    assert contents(tmp_path) == before


def test_a_demo_never_overwrites_a_county_that_is_not_fictional(folder_of_seven, tmp_path):
    settings(folder_of_seven, "fictional = true", "fictional = false")
    before = contents(tmp_path)
    code, _ = run("demo", "--county", folder_of_seven, "--dossier", tmp_path / "plan", "--overwrite")
    assert code == console.BAD_INPUT
    assert contents(tmp_path) == before


VIOLATIONS = pd.DataFrame(
    [
        {
            "rule": "capacity",
            "kind": "hard",
            "place": "3418000001",
            "amount": 2700,
            "limit": 2385,
            "unit": "pupils",
        },
        {"rule": "budget", "kind": "soft", "place": "any", "amount": 7, "limit": 5, "unit": "yuan"},
    ]
)
ENDS = {
    console.INFEASIBLE: (Infeasible([Finding("error", "cli.clash_whole")]), ()),
    console.NO_PLAN: (StoppedWithoutPlan("stopped"), ("seconds",)),
    console.REJECTED: (Rejected(SimpleNamespace(violations=VIOLATIONS)), ("3418000001", "2,700", "2,385")),
}


@pytest.mark.parametrize("code", ENDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_run_without_a_plan_has_its_own_exit_code_and_writes_nothing(
    monkeypatch, folder_of_seven, tmp_path, code, language
):
    problem, said = ENDS[code]

    def end(*_, **__):
        raise problem

    monkeypatch.setattr(planning, "make_plan", end)
    before = contents(tmp_path)
    got, output = run("plan", folder_of_seven, "--out", tmp_path / "plan", language=language)
    assert got == code == {console.INFEASIBLE: 3, console.NO_PLAN: 4, console.REJECTED: 5}[code]
    assert [word for word in said if word not in output] == []
    assert (
        re.search(r"[\u4e00-\u9fff]{4}", output)
        if language == "zh"
        else re.search(r"[a-z]{4} [a-z]{2}", output)
    )
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("zh", "郑家湾村 1–3 年级：41，限值 30 分钟"),
        ("en", "郑家湾村 grades 1-3: 41 against 30 minutes"),
    ],
)
def test_a_rejected_plan_tells_values_in_words_and_whole_minutes(language, said):
    row = {
        "rule": "travel_limit",
        "kind": "hard",
        "place": "郑家湾村 g1_3",
        "amount": 41.2,
        "limit": 30.0,
        "unit": "minutes",
    }
    text = StringIO()
    out = console.Out(Paper(file=text, width=300), language)
    console._say_rejected(out, Rejected(SimpleNamespace(violations=pd.DataFrame([row]))))
    print(text.getvalue())
    assert said in text.getvalue()


@pytest.mark.parametrize(
    ("goal", "value", "bound", "said"),
    [
        ("over_cap", 5.0, 4.1072, {"en": ("5 pupils", "4 pupils", "17.9%"), "zh": ("5 人", "4 人")}),
        ("failing", 7.0, 6.2, {"en": ("7 units, proven bound 7 units", "0.0%"), "zh": ("7 个单元",)}),
        ("cost", 412.345, 400.0, {"en": ("412.3 10,000 yuan", "400.0"), "zh": ("412.3 万元", "400.0 万元")}),
        ("travel", 12.3456, 12.0, {"en": ("12.35 minutes", "12.00"), "zh": ("12.35 分钟",)}),
        ("imbalance", 0.20131, 0.1981, {"en": ("0.201,", "0.198", "1.6%"), "zh": ("0.201", "0.198")}),
        ("cost", 3.0, 0.0, {"en": ("nothing is proven",), "zh": ("没有证明下界",)}),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_goal_is_told_in_its_own_unit(sample, goal, value, bound, said, language):
    gap = (value - bound) / value
    one = GoalRecord(goal, value, bound, gap, 9.0, 1, "proven", 0.0)
    result = replace(sample, solve=replace(sample.solve, goals=(one,), objective=value, bound=bound, gap=gap))
    text = StringIO()
    planning._first_goal(console.Out(Paper(file=text, width=300), language), result)
    assert [word for word in said[language] if word not in text.getvalue()] == [], text.getvalue()


def test_goals_that_are_worked_on_are_told_in_their_own_unit():
    assert console._goal_line("over_cap", Progress(2.4, 5.0, 4.1072, 0.18, 17))[:3] == ["5", "4", "18.0%"]
    assert console._goal_line("imbalance", Progress(2.4, 1e30, 0.1981, 1e9, 17))[:3] == ["–", "0.20", "–"]


def test_a_good_county_passes_check_and_audit_in_both_languages(county_folder, tmp_path):
    before = contents(tmp_path)
    for language in LANGUAGES:
        code, output = run("check", county_folder, language=language)
        assert code == 0 and ("0 error(s)" if language == "en" else "错误 0 处") in output
        code, output = run("audit", county_folder, language=language)
        assert code == 0 and "南浦县第一小学" in output
    assert contents(tmp_path) == before


@pytest.mark.parametrize("arguments", [["plan"], ["check"], ["fly", "x"], ["check", "x", "--lang", "fr"]])
def test_bad_usage_is_2(arguments):
    assert CliRunner().invoke(cli.app, arguments).exit_code == 2


def test_a_place_that_cannot_be_written_to_is_refused_before_any_reading(folder_of_seven, tmp_path):
    (tmp_path / "letter.txt").write_text("dear all")
    for command in ("plan", "frontier", "alternatives"):
        code, output = run(
            command, folder_of_seven, "--out", tmp_path / "letter.txt" / "plan", "--lang", "en"
        )
        assert code == 2 and "nothing can be written there" in output, output
    assert (tmp_path / "letter.txt").read_text() == "dear all"
