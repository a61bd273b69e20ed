"""A budget split among counties: by hand, against all splits written down, resumed, replayed, the command."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from geodata.contract.findings import InputProblems
from geodata.messages import LANGUAGES
from maps.province.folder import write_province
from maps.province.words import why_said
from models.study.provincial import Province
from optimizer.cli.console import BAD_INPUT
from optimizer.cli.main import app
from optimizer.outcomes import Infeasible
from optimizer.scenario import Scenario
from optimizer.study.jobs.work import Answered
from optimizer.study.province import fronts as fronts_module
from optimizer.study.province.asked import read_province
from optimizer.study.province.fronts import POINT_COLUMNS, Fronts, granted
from optimizer.study.province.grants import CountyItem
from optimizer.study.province.province import province
from optimizer.study.province.split import Front, best_split, front_of
from tests import tiny
from tests.optimizer.test_job import written
from tests.optimizer.test_robust import least, one_county

NONE = np.nan


def front(number: int, grants: list[float], value: list[float], bound: list[float] | None = None, floor: float = 0.0, pupils: int = 100) -> Front:  # fmt: skip
    """A front whose second measure is its value."""
    v = np.array(value, float)
    return front_of(number, pupils, np.array(grants, float), v, v, np.array(bound or value, float), floor)


def test_two_counties_by_hand() -> None:
    """The first county makes three units pass with 10, the second one with 10 and four more with 30."""
    a = front(1, [0, 10, 20, 30], [5, 2, 2, 1])
    b = front(2, [0, 10, 20, 30], [6, 5, 5, 1])
    split = best_split([a, b], 40)
    assert split is not None
    assert split.chosen == {1: 1, 2: 3}
    assert (split.value, split.grid, split.spent) == (3, 3, 40)
    # a grant just above 20 may reach what 30 does: so 30 for the one, just above 0 for the other would suffice
    assert split.bound == 2
    equal = a.value[a.at(20)] + b.value[b.at(20)]
    assert equal == 7
    thrift = best_split([a, b], 19)
    assert thrift is not None
    assert (thrift.chosen, thrift.spent) == ({1: 1, 2: 0}, 10), "money that buys nothing is not granted"


def test_floors_are_kept_and_cost() -> None:
    fronts = [
        front(1, [0, 10, 20, 30], [5, 2, 2, 1], floor=20),
        front(2, [0, 10, 20, 30], [6, 5, 5, 1]),
    ]
    split = best_split(fronts, 40)
    assert split is not None
    assert split.chosen == {1: 3, 2: 1}, "20 are not 10, so 30 for the one and 10 for the other"
    assert split.value == 6
    assert best_split([front(1, [0, 30], [1, 0], floor=30), front(2, [0, 20], [1, 0], floor=20)], 40) is None


def test_a_front_carries_plans_upwards_and_bounds_downwards() -> None:
    one = front(1, [0, 10, 20, 30], [NONE, 4, NONE, 5], [np.inf, 1, 3, 2], floor=5)
    assert one.value.tolist() == [np.inf, 4, 4, 4]
    assert one.plan.tolist() == [-1, 1, 1, 1]
    assert one.bound.tolist() == [np.inf, 3, 3, 2]
    assert one.below.tolist() == [5, 5, 10, 20]
    assert [one.at(g) for g in (0, 9.9, 29, 30, 99)] == [0, 1, 2, 3, 3]
    # without a plan at its floor, what it needs for one may lie anywhere above it
    split = best_split([replace(one, floor=0.0), front(2, [0, 10], [1, 0])], 10)
    assert split is not None
    assert split.chosen == {1: 1, 2: 0}
    assert split.value == 5
    assert split.bound == 3


def every_split(fronts: list[Front], cost: str, what: str, budget: float) -> float:
    """The least sum over all ways to choose a point a county within the budget."""
    best = np.inf
    for some in itertools.product(*(np.flatnonzero(f.allowed) for f in fronts)):
        paid = sum(getattr(f, cost)[i] for f, i in zip(fronts, some, strict=True))
        if paid <= budget + 1e-9:
            best = min(best, sum(getattr(f, what)[i] for f, i in zip(fronts, some, strict=True)))
    return float(best)


@pytest.mark.parametrize("seed", range(12))
def test_the_split_is_the_best_of_all_written_down(seed: int) -> None:
    rng = np.random.default_rng(seed)
    fronts = []
    for n in range(4):
        grants = np.concatenate([[0.0], np.cumsum(rng.integers(1, 20, 4))])
        value = rng.integers(0, 15, 5).astype(float)
        bound = np.maximum(value - rng.integers(0, 4, 5), 0)
        floor = float(rng.choice(grants[:3]))
        fronts.append(front_of(n, int(rng.integers(1, 9)), grants, value, value, bound, floor))
    budget = float(rng.integers(40, 90))
    split = best_split(fronts, budget)
    least_value = every_split(fronts, "grants", "value", budget)
    if split is None:
        assert least_value == np.inf
        return
    assert split.value == pytest.approx(least_value)
    assert split.grid == pytest.approx(every_split(fronts, "grants", "bound", budget), abs=1e-6)
    assert split.bound == pytest.approx(every_split(fronts, "below", "bound", budget), abs=1e-6)
    assert split.bound <= split.grid + 1e-6 <= split.value + 2e-6


def test_a_county_s_front_is_what_all_its_plans_together_say() -> None:
    """The county of three sites, its teachers' money taken away and given by the province instead, free to use."""
    county = one_county()
    own = county.budget.assign(
        amount=[0.0 if e == "teacher" else a for e, a in zip(county.budget["earmark"], county.budget["amount"], strict=True)]
    )  # fmt: skip
    full = float(tiny.MONEY["teacher"])
    item = CountyItem(1, "c", replace(county, budget=own), 177, full, 0.0, (0.0, full))
    row, (points, ledgers) = Fronts(
        Scenario(goals=[{"name": "shortfall"}], seconds=20, gap=1e-4), "shortfall"
    ).answer(item)
    assert row == {"points": 2, "plans": 2, "clock": 0}
    assert points["value"][0] == pytest.approx(min(least(0.0).values()), abs=1e-4)
    assert (points["bound"] <= points["value"] + 1e-6).all()
    assert points["value"][1] <= min(least(full).values()) + 1e-4
    assert points["value"][1] < points["value"][0]
    assert set(ledgers) == {0, 1}


def test_a_grant_is_money_of_any_kind() -> None:
    county = tiny.county()
    more, scenario = granted(county, Scenario(), 5.0)
    assert more.budget["amount"].sum() == county.budget["amount"].sum() + 5.0
    assert more.budget.dtypes.to_dict() == county.budget.dtypes.to_dict()
    assert more.budget["earmark"].iloc[-1] == "any"
    same, scenario = granted(county, Scenario(budget={"teacher": 1.0, "any": 2.0}), 5.0)
    assert same is county
    assert scenario.budget == {"teacher": 1.0, "any": 7.0}


def test_without_a_plan_a_point_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_: object, **__: object) -> object:
        raise Infeasible([])

    monkeypatch.setattr(fronts_module, "make_plan", nothing)
    item = CountyItem(1, "c", tiny.county(), 177, 5.0, 0.0, (0.0, 5.0))
    row, (points, ledgers) = Fronts(Scenario(), "failing").answer(item)
    assert row["plans"] == 0
    assert ledgers == {}
    assert points["solve"].tolist() == ["infeasible"] * 2
    assert np.isinf(points["bound"]).all()


CURVES = {"东": (6.0, 5.0, 4.0), "西": (9.0, 5.0, 1.0), "北": None}
"""Units that fail at no grant, the equal part, twice that; none: an error."""


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """In place of plans, curves that are known; the list holds the counties that were asked about."""
    asked: list[str] = []
    ledger = tiny.as_plan(tiny.every()[0]).ledger

    def answer(self: Fronts, item: CountyItem) -> Answered:
        asked.append(item.county.name)
        curve = CURVES[item.county.name]
        if curve is None:
            raise ValueError("no such\nthing")
        table = pd.DataFrame({"grant": item.grants, "value": curve, "bound": curve, "second": curve})
        table = table.assign(
            county=item.number, point=range(len(table)), solve="plan", clock=0, assessed=10.0
        )
        table = table.assign(passing=10.0 - table["value"], passing_today=1.0, cost=0.0)
        return {"points": 3, "plans": 3, "clock": 0}, (table[POINT_COLUMNS], dict.fromkeys(range(3), ledger))

    monkeypatch.setattr(Fronts, "answer", answer)
    return asked


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Three counties of 177 pupils, one of them without a front, one folder that is none, and the request."""
    for folder, name, english in (("e", "东", "East"), ("w", "西", "West"), ("n", "北", "North")):
        written(replace(tiny.county(), name=name, name_en=english), tmp_path / folder)
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "county.toml").write_text('name = "无"\nyear = "soon"\n', encoding="utf-8")
    (tmp_path / "province.toml").write_text(
        'name = "试省"\nname_en = "Trial"\nbudget = 300\nfloor = 0\nshares = [2.0]\n', encoding="utf-8"
    )
    return tmp_path


def test_a_province_from_its_file_with_counties_that_fail(home: Path, planned: list[str]) -> None:
    found = province(read_province(home / "province.toml"), home / "out")
    t = found.counties.set_index("folder")
    assert t["status"].to_dict() == {"e": "done", "n": "failed", "w": "done", "x": "unread"}
    said = {x: why_said(found, {**t.loc["n"], "folder": "n"}, x) for x in LANGUAGES}
    assert (
        all("ValueError: no such thing" in text for text in said.values()) and "the program" not in said["zh"]
    )
    assert found.aside == 100
    assert (found.value_own, found.value_equal, found.value_split) == (15, 10, 7)
    assert t["grant_split"].dropna().to_dict() == {"e": 0, "n": 100, "w": 200}
    assert (found.gain, found.least_gain, found.grid, found.bound) == (3, 3, 7, 5)
    assert (home / "out" / t.at["w", "plan"]).is_file()
    assert len(planned) == 3


def test_what_is_done_is_not_done_again(home: Path, planned: list[str]) -> None:
    given = read_province(home / "province.toml")
    first = province(given, home / "out")
    write_province(first, home / "out", "en")
    held = {p.name: p.read_bytes() for p in (home / "out").iterdir() if p.is_file()}
    rows = (home / "out" / "rows.csv").read_text(encoding="utf-8").splitlines()
    (home / "out" / "rows.csv").write_text("\n".join([*rows[:-1], rows[-1][:3]]), encoding="utf-8")
    planned.clear()
    again = province(given, home / "out")
    write_province(again, home / "out", "en")
    assert planned == ["西"], "the one whose row was cut off"
    assert {p.name: p.read_bytes() for p in (home / "out").iterdir() if p.is_file()} == held
    other = home / "province.toml"
    other.write_text(other.read_text(encoding="utf-8").replace("300", "600"), encoding="utf-8")
    with pytest.raises(InputProblems):
        province(read_province(other), home / "out")


def test_a_record_is_made_again_from_elsewhere(home: Path, planned: list[str]) -> None:
    first = province(read_province(home / "province.toml"), home / "out")
    write_province(first, home / "out", "zh")
    given = read_province(home / "out" / "province.json")
    again = province(given, home / "other" / "out")
    pd.testing.assert_frame_equal(
        first.counties.drop(columns="folder"), again.counties.drop(columns="folder")
    )
    assert again.findings == first.findings
    (home / "e" / "demand.csv").write_text(
        (home / "e" / "demand.csv").read_text(encoding="utf-8").replace(",93", ",92"), encoding="utf-8"
    )
    changed = province(read_province(home / "out" / "province.json"))
    assert "province.other_input" in [f.key for f in changed.findings]


def run(*arguments: object, language: str = "en") -> tuple[int, str]:
    result = CliRunner().invoke(
        app, ["province", *map(str, arguments), "--lang", language], env={"COLUMNS": "2000"}
    )
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    return result.exit_code, re.sub(r"\s+", " ", result.output)


def test_the_command_writes_a_folder(home: Path, planned: list[str]) -> None:
    code, said = run(home / "province.toml", "--out", home / "out", "--workers", 1)
    assert code == 0, said
    assert "better than equal parts by 3" in said
    assert "at least 3 (proven)" in said
    assert "year" in said
    names = {p.name for p in (home / "out").iterdir()}
    assert {
        "counties.csv", "fronts", "plans", "points.csv", "province.html", "province.json", "province.svg", "province.xlsx", "rows.csv",
    } == names  # fmt: skip
    record = json.loads((home / "out" / "province.json").read_text(encoding="utf-8"))
    assert record["split"]["value_split"] == 7
    assert record["province"]["county"][0]["folder"] == "../e"
    page = (home / "out" / "province.html").read_text(encoding="utf-8")
    assert "<svg" in page
    code, said = run(home, "--out", home / "out", "--workers", 1, language="zh")
    assert code == 0, said
    assert "本分配优于等分 3" in said


def test_what_makes_no_sense_is_refused_in_words(home: Path, planned: list[str], tmp_path: Path) -> None:
    file = home / "province.toml"
    text = file.read_text(encoding="utf-8")
    for language, more, words in (
        ("en", 'bugdet = 1\n[[county]]\nfolder = "e"\n', "row 6"),
        ("zh", '[[county]]\nfolder = "e"\nfloor = -1\n', "第 8 行"),
        ("en", '[[county]]\nfolder = "e"\n[[county]]\nfolder = "e"\n', "twice"),
        ("en", '[[county]]\nfolder = "e"\nfloor = 301\n', "301 yuan together, more than the 300"),
        ("zh", '[[county]]\nfolder = "none"\n', "none"),
    ):
        file.write_text(text + more, encoding="utf-8")
        code, said = run(file, "--out", home / "no", language=language)
        assert code == BAD_INPUT, said
        assert words in said
        assert not (home / "no").exists()
    (home / "bad.json").write_text("{}", encoding="utf-8")
    assert run(home / "bad.json", "--out", home / "no")[0] == BAD_INPUT
    assert planned == []


def test_floors_of_single_counties_may_leave_no_room_for_equal_parts(home: Path, planned: list[str]) -> None:
    file = home / "province.toml"
    text = file.read_text(encoding="utf-8").replace("300", "200")
    counties = '[[county]]\nfolder = "e"\nfloor = 200\n[[county]]\nfolder = "w"\n'
    file.write_text(text + counties, encoding="utf-8")
    found: Province = province(read_province(file))
    assert found.counties["grant_split"].tolist() == [200, 0]
    assert (found.value_equal, found.value_split, found.gain) == (10, 13, -3)
