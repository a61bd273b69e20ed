"""Decisions in common for many futures: against every plan of a county written down, the choice, the command."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from geodata.contract.county import County
from geodata.contract.findings import InputProblems
from geodata.travel.times import TravelTimes, travel_times
from models.plan.decisions import Plan
from models.plan.record import read_plan
from models.study.robust import Robust
from optimizer.cli.console import BAD_INPUT
from optimizer.cli.main import app
from optimizer.scenario import Scenario
from optimizer.study.robust.choice import Values, chosen_of, score
from optimizer.study.robust.joint import joint_network
from optimizer.study.robust.networks import candidates_of
from optimizer.study.robust.robust import about, robust
from optimizer.study.stress.factors.record import Case
from optimizer.study.stress.futures import Futures, drawn_futures, in_future
from tests import tiny
from tests.optimizer.test_job import written
from tests.samples import frame

LESS = 0.9
"""Share of the teachers' money in the second future: the three whom a closed E frees cannot all move."""
FUTURES = Futures(design="grid", factor=[{"id": "budget", "of": "teacher", "values": [1.0, LESS]}])
GOAL = "shortfall"


def one_county() -> County:
    """The county of three sites with the rules of its loops in its own table."""
    rules = {"closures_share": 0.4, "moved_share": 0.25} | {
        f"floor_no_outflow_{k}": float(tiny.SMALL) for k in "qba"
    }
    own = frame("standards", [{"id": r, "value": v, "kind": "hard"} for r, v in rules.items()])
    return replace(tiny.county(), standards=own)


@pytest.fixture(scope="module")
def county() -> County:
    return one_county()


@pytest.fixture(scope="module")
def times(county: County) -> TravelTimes:
    return travel_times(county)


def least(teacher: float) -> dict[bool, float]:
    """The least shortfall of all plans that break no rule, by whether E teaches: loops over every plan."""
    found = {True: np.inf, False: np.inf}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(tiny.MONEY, "teacher", teacher)
        for made in tiny.every():
            value = tiny.goals(made)[GOAL]
            if value < found[made.open("E")] and not tiny.breaks(made):
                found[made.open("E")] = value
    return found


@pytest.fixture(scope="module")
def known() -> dict[int, dict[bool, float]]:
    """The same by future."""
    now = least(tiny.MONEY["teacher"])
    return {0: now, 1: now, 2: least(LESS * tiny.MONEY["teacher"])}


@pytest.fixture(scope="module")
def shut() -> Plan:
    """A plan in which E closes."""
    return tiny.as_plan(next(m for m in tiny.every() if not m.open("E") and not tiny.breaks(m)))


@pytest.fixture(scope="module")
def found(county: County, times: TravelTimes, shut: Plan, tmp_path_factory: pytest.TempPathFactory) -> Robust:
    place = tmp_path_factory.mktemp("robust") / "study"
    asked = Scenario(goals=[{"name": "cost"}], seconds=20, gap=1e-4)
    return robust(county, FUTURES, asked, shut, place, goal=GOAL, times=times)


def test_every_network_in_every_future_is_what_all_plans_together_say(
    found: Robust, known: dict[int, dict[bool, float]]
) -> None:
    assert found.candidates["source"].tolist() == ["0", "given"]
    assert found.candidates["closes"].tolist() == [0, 1]
    assert not np.isfinite(known[2][False])
    for cell in found.cells.itertuples():
        wanted = known[cell.future][cell.candidate == 1]
        assert cell.value == pytest.approx(wanted, abs=1e-4)
        assert cell.bound <= wanted + 1e-6
        regret = wanted - min(known[cell.future].values())
        assert cell.regret == pytest.approx(regret, abs=1e-3)
        assert cell.regret_least - 1e-6 <= regret <= cell.regret_most + 1e-3


def test_the_network_of_least_largest_regret_is_chosen_and_its_price_is_bounded(
    found: Robust, known: dict[int, dict[bool, float]]
) -> None:
    assert found.chosen == 1
    assert found.best["price"] == pytest.approx(0.0, abs=1e-6)
    assert found.best["price_least"] <= 0.0 <= found.best["price_most"] <= 0.01
    assert found.bounds.joint
    assert 0.0 <= found.bounds.regret <= found.best["regret_most"] + 1e-6
    other = found.candidates.set_index("candidate").loc[2]
    assert other["price"] == pytest.approx(known[0][False] - known[0][True], abs=1e-3)
    assert np.isinf(other["regret"])
    assert other["futures"] == 1
    assert found.plan.bands["open"].all()


def test_one_model_of_all_futures_bounds_every_network(
    county: County, times: TravelTimes, known: dict[int, dict[bool, float]]
) -> None:
    case = Case(county, about(Scenario(goals=[{"name": GOAL}]), GOAL), times)
    cases = [in_future(case, FUTURES, f) for f in drawn_futures(FUTURES)[1:]]
    joint = joint_network(cases, GOAL, np.zeros(2), "regret", 0.5, 0.5, 30.0)
    assert joint is not None
    assert joint.bound == pytest.approx(max(known[1][True], known[2][True]), abs=1e-2)
    assert joint.states is not None
    assert joint.states["E", tiny.BAND] == "open"
    mixed = joint_network(cases, GOAL, np.zeros(2), "expected", 0.25, 0.5, 30.0)
    assert mixed is not None
    wanted = score(np.array([known[1][True], known[2][True]]), 0.25, 0.5)
    assert mixed.bound == pytest.approx(wanted, abs=1e-2)
    closed = Case(county, about(Scenario(goals=[{"name": GOAL}], close=("E",)), GOAL), times)
    alone = joint_network([closed], GOAL, np.zeros(1), "regret", 0.5, 0.5, 30.0)
    assert alone is not None
    assert alone.bound == pytest.approx(known[1][False], rel=1e-3)


def test_the_choice_by_hand() -> None:
    """Three candidates in three futures: the middle one is never best and never far from it."""
    value = np.array([[0.0, 9.0, 6.0], [2.0, 4.0, 4.0], [5.0, 3.0, np.inf]])
    here = Values(value, np.maximum(value - 1.0, 0.0), np.array([0.0, 3.0, 3.0]), np.array([0.0, 2.0, 3.0]))
    regret, low, most = here.regrets()
    assert regret.tolist() == [[0.0, 6.0, 3.0], [2.0, 1.0, 1.0], [5.0, 0.0, np.inf]]
    assert low[1].tolist() == [1.0, 0.0, 0.0]
    assert most[1].tolist() == [2.0, 2.0, 1.0]
    assert chosen_of(here, "regret", 0.5, 0.5, [0, 1, 2]) == 1
    assert chosen_of(here, "expected", 0.0, 0.5, [0, 1, 2]) == 1
    assert score(value[0], 0.5, 1 / 3) == pytest.approx(0.5 * 5 + 0.5 * 9)
    even = Values(np.ones((2, 2)), np.ones((2, 2)), np.ones(2), np.ones(2))
    assert chosen_of(even, "regret", 0.5, 0.5, [3, 1]) == 1


def test_what_plans_agree_on_is_a_candidate(county: County, shut: Plan) -> None:
    kept = tiny.as_plan(next(m for m in tiny.every() if m.open("E")))
    every = candidates_of(kept, None, {1: shut, 2: shut, 3: kept}, ("bands",), None)
    assert [(c.source, len(c.closed)) for c in every] == [("0", 0), ("1", 1)]
    with_things = candidates_of(kept, None, {1: shut}, ("bands", "purchases"), None)
    assert [c.source for c in with_things] == ["0", "1"]


def run(*arguments: object, language: str = "en") -> tuple[int, str]:
    result = CliRunner().invoke(
        app, ["robust", *map(str, arguments), "--lang", language], env={"COLUMNS": "2000"}
    )
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    return result.exit_code, re.sub(r"\s+", " ", result.output)


@pytest.fixture
def told(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """A county's folder and a file of one future."""
    futures = tmp_path / "futures.toml"
    futures.write_text(
        f'design = "grid"\n[[factor]]\nid = "budget"\nof = "teacher"\nvalues = [{LESS}]\n',
        encoding="utf-8",
    )
    yield written(tiny.county(), tmp_path / "county"), futures


def test_the_command_writes_a_folder_whose_plan_other_verbs_take(
    told: tuple[Path, Path], county: County, tmp_path: Path
) -> None:
    folder, futures = told
    scenario = tmp_path / "scenario.toml"
    scenario.write_text('goals = [{name = "shortfall"}]\nseconds = 20\n', encoding="utf-8")
    words = (
        folder,
        "--scenarios",
        futures,
        "--scenario",
        scenario,
        "--goal",
        GOAL,
    )
    code, said = run(*words, "--out", tmp_path / "out", "--workers", 1)
    assert code == 0, said
    assert "Chosen: candidate 1" in said
    names = {p.name for p in (tmp_path / "out").iterdir()}
    assert {"plan.csv", "robust.json", "robust.xlsx", "robust.html", "candidates.csv", "matrix.csv"} <= names
    assert read_plan(tmp_path / "out" / "plan.csv", county).bands["open"].all()
    record = json.loads((tmp_path / "out" / "robust.json").read_text(encoding="utf-8"))
    assert record["chosen"] == 1
    before = (tmp_path / "out" / "own.csv").read_bytes()
    code, said = run(*words, "--out", tmp_path / "out", "--workers", 1, language="zh")
    assert code == 0, said
    assert "选定" in said
    assert (tmp_path / "out" / "own.csv").read_bytes() == before


def test_what_makes_no_sense_is_refused_in_words(
    told: tuple[Path, Path], county: County, tmp_path: Path
) -> None:
    folder, futures = told
    for language, *more in (
        ("en", "--goal", "imbalance"),
        ("zh", "--common", "purchases", "--choose", "luck", "--weight", "2"),
    ):
        code, said = run(folder, "--scenarios", futures, "--out", tmp_path / "no", *more, language=language)
        assert code == BAD_INPUT, said
        assert not (tmp_path / "no").exists()
    with pytest.raises(InputProblems):
        robust(county, Futures(futures=60, factor=[{"id": "enrolment", "low": 0.9, "high": 1.0}]))
