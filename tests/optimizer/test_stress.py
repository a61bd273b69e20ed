"""A plan in many futures: carried, judged, streamed, resumed, on workers; a plan made again; the command."""

from __future__ import annotations

import os
import re
import signal
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import dask
import pandas as pd
import pytest
from distributed import LocalCluster
from typer.testing import CliRunner

import optimizer.study.jobs.cluster as dask_jobs
import optimizer.study.jobs.workers as pool
from geodata.contract.county import County
from geodata.contract.findings import InputProblems, in_one
from geodata.travel.times import TravelTimes, travel_times
from maps.stress.folder import write_stress
from maps.stress.words import stress_said
from models.plan.before import Before, before
from models.plan.decisions import Plan
from models.plan.record import write_ledger
from models.problem.baseline import planning_demand
from models.standards.norms import load_standards
from optimizer.cli.console import BAD_INPUT
from optimizer.cli.main import app
from optimizer.outcomes import LostOnTheWay
from optimizer.scenario import Scenario
from optimizer.study.jobs.work import FAILED, LOST, Answered, row_of
from optimizer.study.stress.carried import carried
from optimizer.study.stress.factors.record import Case
from optimizer.study.stress.fares import Fixed, study_columns
from optimizer.study.stress.futures import Future, Futures, drawn_futures, in_future
from optimizer.study.stress.stress import stress
from optimizer.study.stress.tables import directions
from tests.models.plans import closing, ready, rows
from tests.optimizer.test_job import written
from tests.optimizer.test_stress_futures import seated

DRIFTING = (
    {"id": "enrolment", "low": 0.5, "high": 1.1}, {"id": "drift", "low": 0.0, "high": 0.4}, {"id": "salary", "low": 0.9, "high": 1.2},
)  # fmt: skip
FEW = Futures(futures=4, factor=DRIFTING)


@pytest.fixture(scope="module")
def county() -> County:
    return seated()


@pytest.fixture(scope="module")
def times(county: County) -> TravelTimes:
    return travel_times(county)


@pytest.fixture(scope="module")
def plan() -> Plan:
    """Point A3 closes, two teachers move from A1 to B1, one is hired at B1."""
    made = closing(ready())
    moves = pd.concat([made.staff_moves, rows("staff_moves", ("A1", "pri", "B1", "pri", "backbone", 2))])
    return Plan(made.ledger, made.years, staff_moves=moves, hires=rows("hires", ("B1", "pri", "arts", 1)))


def shares(case: Case) -> tuple[int, float]:
    """All pupils, and what share of them lives outside the seat."""
    demand = planning_demand(case.county)
    town = demand["village_id"].map(case.county.villages.set_index("village_id")["township"])
    total = int(demand["total"].sum())
    return total, float(demand.loc[town == "乙镇", "total"].sum()) / total


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """In place of the referee, a failure planted in the county: below 75 % of its pupils, over 15 % of villagers gone.

    Everything else is as ever; the list holds the futures that were asked about.
    """
    asked: list[int] = []

    def answer(self: Fixed, future: Future) -> Answered:
        asked.append(future.number)
        case = in_future(self.case, self.asked, future)
        (now, there), (then, moved) = (shares(c) for c in (self.case, case))
        failed = then < 0.75 * now and moved < 0.85 * there
        cells: dict[str, object] = {"unplanned": 0, "transfers_lost": 0, "hires_lost": 0}
        cells |= {"accepted": int(not failed), "broken": "capacity:1" if failed else ""}
        return {**cells, **{m: float(then) for m in directions()}}, None

    monkeypatch.setattr(Fixed, "answer", answer)
    return asked


def case_with(county: County, times: TravelTimes, **factors: float) -> Case:
    asked = Futures(factor=[{"id": f, "values": [v]} for f, v in factors.items()])
    return in_future(Case(county, Scenario(), times, 1), asked, Future(1, tuple(factors.values())))


def today_in(case: Case) -> Before:
    return before(case.county, load_standards(case.county), case.times)


def carry(plan: Plan, case: Case) -> Plan:
    return carried(plan, case, today_in(case)).plan


def test_a_plan_carried_to_today_is_itself(plan: Plan, county: County, times: TravelTimes) -> None:
    case = Case(county, Scenario(), times)
    there = carried(plan, case, today_in(case))
    assert there.plan == plan
    assert (there.unplanned, there.transfers_lost, there.hires_lost) == (0, 0, 0)


def test_every_pupil_of_a_future_goes_somewhere_and_decisions_are_kept(
    plan: Plan, county: County, times: TravelTimes
) -> None:
    case = case_with(county, times, enrolment=0.83, drift=0.1, attrition=0.0)
    there = carry(plan, case)
    wanted = planning_demand(case.county).set_index(["village_id", "band"])["total"]
    going = there.attendance.groupby(["village_id", "band"])["pupils"].sum()
    assert going.to_dict() == wanted.to_dict()
    for view in ("bands", "purchases", "item_moves", "staff_moves", "hires"):
        assert there.tables()[view].equals(plan.tables()[view])
    way = ["village_id", "band", "group", "today_school_id", "school_id", "mode"]
    assert set(there.attendance[way].itertuples(index=False)) <= set(
        plan.attendance[way].itertuples(index=False)
    )


def test_a_group_split_by_the_plan_keeps_its_shares_in_whole_pupils(
    plan: Plan, county: County, times: TravelTimes
) -> None:
    going = plan.attendance
    mine = (going["village_id"] == "V1") & (going["band"] == "g1_3")
    parts = [going[mine].assign(pupils=60), going[mine].assign(pupils=30, school_id="A2", mode="bus")]
    split = Plan(plan.ledger, plan.years, attendance=pd.concat([going[~mine], *parts]))
    there = carry(split, case_with(county, times, enrolment=0.5)).attendance
    there = there[(there["village_id"] == "V1") & (there["band"] == "g1_3")]
    assert dict(zip(there["school_id"], there["pupils"], strict=True)) == {"A1": 30, "A2": 15}


def test_who_is_gone_cannot_move_and_nobody_is_hired_in_a_freeze(
    plan: Plan, county: County, times: TravelTimes
) -> None:
    stock = county.staff_stock
    gone = (stock["school_id"] == "A1") & (stock["cat_id"] == "backbone")
    case = Case(
        replace(county, staff_stock=stock.assign(heads=stock["heads"].where(~gone, 1))), Scenario(), times
    )
    there = carried(plan, case, today_in(case))
    kept = there.plan.staff_moves
    assert kept.loc[kept["cat_id"] == "backbone", "heads"].tolist() == [1]
    assert there.transfers_lost == 1
    frozen = case_with(county, times, hiring_freeze=1.0)
    there = carried(plan, frozen, today_in(frozen))
    assert there.plan.hires.empty
    assert there.hires_lost == 1


def test_pupils_whom_the_plan_does_not_know_stay_where_they_are(
    plan: Plan, county: County, times: TravelTimes
) -> None:
    going = plan.attendance
    known = going[(going["village_id"] != "V4") | (going["band"] != "g7_9")]
    case = Case(county, Scenario(), times)
    there = carried(Plan(plan.ledger, plan.years, attendance=known), case, today_in(case))
    assert there.unplanned == 45
    assert there.plan == plan


def test_the_referee_s_row_of_today_is_the_plan_s_own(plan: Plan, county: County, times: TravelTimes) -> None:
    """The figures of future 0 are what the referee says of the plan, and texts kept otherwise change none of them."""
    case = Case(county, Scenario(), times)
    work = Fixed(case, FEW, plan)
    row, _ = row_of(work, drawn_futures(FEW)[0])
    verdict = ready(county).judge(plan)
    assert set(row) <= set(study_columns(work))
    assert {m: row[m] for m in verdict.measures["measure"]} == verdict.measures.set_index("measure")[
        "plan"
    ].to_dict()
    rules = verdict.rules
    hard = set(rules.loc[(rules["kind"] == "hard") & ~rules["ok"].astype(bool), "rule"])
    # the helper's own standards allow more closures
    assert {p.partition(":")[0] for p in str(row["broken"]).split(";") if p} == hard | {"closures_share"}


def test_a_planted_failure_is_told_in_one_sentence(
    plan: Plan, county: County, times: TravelTimes, quick: list[int], tmp_path: Path
) -> None:
    asked = Futures(futures=120, seed=2, factor=DRIFTING)
    found = stress(county, asked, plan, folder=tmp_path / "study", times=times)
    assert len(quick) == 121
    assert found.box is not None
    assert [(e.factor, e.upper) for e in found.box.edges] == [("enrolment", True), ("drift", False)]
    assert found.box.coverage >= 0.8
    assert found.box.density >= 0.8
    assert found.rules["rule"].tolist() == ["capacity"]
    assert (
        found.failures
        == found.rules["futures"].iloc[0]
        == 120 - (found.fixed["accepted"].iloc[1:] == 1).sum()
    )
    write_stress(found, tmp_path / "study", "en")
    page = (tmp_path / "study" / "stress.html").read_text(encoding="utf-8")
    assert "The plan fails when enrolment below 7" in page
    assert "http" not in re.sub(
        r'http://www\.w3\.org[^"]*|http://purl\.org[^"]*|http://creativecommons\.org[^"]*', "", page
    )


def test_an_interrupted_study_goes_on_and_ends_in_the_same_bytes(
    plan: Plan, county: County, times: TravelTimes, quick: list[int], tmp_path: Path
) -> None:
    asked = Futures(futures=6, factor=DRIFTING)
    place = tmp_path / "study"
    first = stress(county, asked, plan, folder=place, times=times)
    write_stress(first, place, "en")
    whole = {p.name: p.read_bytes() for p in place.iterdir() if p.suffix != ".xlsx"}
    text = whole["fixed.csv"]
    (place / "fixed.csv").write_bytes(text[: len(text) * 2 // 3])
    quick.clear()
    again = stress(county, asked, plan, folder=place, times=times)
    assert 0 < len(quick) < 6
    write_stress(again, place, "en")
    assert {p.name: p.read_bytes() for p in place.iterdir() if p.suffix != ".xlsx"} == whole
    quick.clear()
    stress(county, asked.model_copy(update={"alpha": 0.5}), plan, folder=place, times=times)
    assert quick == []  # only summed up otherwise
    with pytest.raises(InputProblems):
        stress(county, asked.model_copy(update={"seed": 9}), plan, folder=place, times=times)
    stress(county, asked.model_copy(update={"seed": 9}), plan, folder=place, times=times, overwrite=True)
    assert len(quick) == 7
    other = tmp_path / "other"
    other.mkdir()
    (other / "letter.txt").write_text("mine")
    with pytest.raises(InputProblems):
        stress(county, asked, plan, folder=other, times=times, overwrite=True)


def test_an_error_is_a_row_in_words(
    plan: Plan, county: County, times: TravelTimes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(self: Fixed, future: Future) -> Answered:
        if future.number == 2:
            raise ValueError("no such\nthing")
        return {"accepted": 1, "broken": "", **dict.fromkeys(directions(), 1.0)}, None

    monkeypatch.setattr(Fixed, "answer", answer)
    found = stress(county, FEW, plan, times=times)
    bad = found.fixed[found.fixed["status"] == FAILED]
    assert bad["future"].tolist() == [2]
    assert in_one(bad["why"].iloc[0], "en").startswith("the program failed on it (ValueError: no such thing)")
    assert "ValueError: no such thing" in found.findings[0].text(
        "zh"
    ) and "the program" not in found.findings[0].text("zh")
    assert found.done == 3
    assert [f.key for f in found.findings] == ["stress.without_figures"]


class Doomed:
    """A worker that dies at one future for good and at another once."""

    died: ClassVar[set[int]] = set()

    def __init__(self, work: bytes):
        self.process = None

    def answer(self, future: Future) -> Answered:
        if future.number == 2 or (future.number == 3 and 3 not in Doomed.died):
            Doomed.died.add(future.number)
            raise EOFError
        return {"future": future.number, "status": "done"}, None

    def end(self) -> int:
        return -9


def test_a_killed_worker_s_job_is_tried_once_more_and_then_a_row(
    plan: Plan, county: County, times: TravelTimes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "Worker", Doomed)
    monkeypatch.setattr(pool.WorkerPool, "end", lambda self: None)
    work = Fixed(Case(county, Scenario(), times), FEW, plan)
    told = {c["future"]: c["status"] for c, _ in pool.answers(work, drawn_futures(FEW), 2)}
    assert told == {0: "done", 1: "done", 2: LOST, 3: "done", 4: "done"}


def test_two_workers_one_of_them_killed_give_the_same_table(
    plan: Plan, county: County, times: TravelTimes, tmp_path: Path
) -> None:
    asked = Futures(futures=2, factor=DRIFTING)
    alone = stress(county, asked, plan, times=times, folder=tmp_path / "one")
    killed: list[int] = []

    def told(question: str, done: int, count: int, left: float) -> None:
        if not killed:
            for pid in _workers():
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
                return

    both = stress(county, asked, plan, times=times, folder=tmp_path / "two", workers=2, told=told)
    assert killed
    pd.testing.assert_frame_equal(alone.fixed, both.fixed)
    assert (tmp_path / "one" / "fixed.csv").read_bytes() == (tmp_path / "two" / "fixed.csv").read_bytes()


def _workers() -> Iterator[int]:
    """Processes of this test's own pool."""
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                line = (place / "cmdline").read_bytes()
                parent = int((place / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
            if b"optimizer.study.jobs.workers" in line and parent == os.getpid():
                yield int(place.name)


def test_a_plan_made_again_is_accepted_and_regretted(
    plan: Plan, county: County, times: TravelTimes, quick: list[int], tmp_path: Path
) -> None:
    cheap = Scenario(goals=[{"name": "cost"}], seconds=20)
    found = stress(
        county,
        Futures(futures=2, factor=DRIFTING[:1]),
        plan,
        cheap,
        tmp_path / "study",
        remake=1,
        times=times,
    )
    assert found.remade["solve"].tolist() == ["proven"]
    assert found.remade["accepted"].tolist() == [1]
    assert found.regret["measure"].tolist() == ["goal_cost"]
    assert (found.regret["regret_most"] >= found.regret["regret"] - 1e-6).all()
    assert (found.decisions["of"] == 1).all()
    assert [p.name for p in (tmp_path / "study" / "remade").iterdir()] == ["00001.csv"]


def run(*arguments: object, language: str = "en") -> tuple[int, str]:
    result = CliRunner().invoke(
        app, ["stress", *map(str, arguments), "--lang", language], env={"COLUMNS": "2000"}
    )
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    return result.exit_code, re.sub(r"\s+", " ", result.output)


def test_the_command_writes_its_folder_and_refuses_what_it_cannot_use(
    plan: Plan, county: County, quick: list[int], tmp_path: Path
) -> None:
    folder = written(county, tmp_path / "county")
    code, template = run("--template")
    assert code == 0
    assert "[[factor]]" in template
    futures = tmp_path / "futures.toml"
    for language, words in (("en", "row 2"), ("zh", "第 2 行")):
        futures.write_text('[[factor]]\nid = "rain"\nvalues = [1]\n', encoding="utf-8")
        code, said = run(folder, "--scenarios", futures, "--out", tmp_path / "study", language=language)
        assert code == BAD_INPUT
        assert "futures.toml" in said
        assert words in said
        assert "rain" in said
        assert not (tmp_path / "study").exists()
    assert run(folder, "--scenarios", futures)[0] == BAD_INPUT
    futures.write_text('futures = 5\n[[factor]]\nid = "enrolment"\nlow = 0.6\nhigh = 1.0\n', encoding="utf-8")
    write_ledger(plan, tmp_path / "plan.csv")
    for language in ("en", "zh"):
        code, said = run(
            folder,
            "--scenarios",
            futures,
            "--plan",
            tmp_path / "plan.csv",
            "--out",
            tmp_path / "study",
            "--workers",
            1,
            language=language,
        )
        assert code == 0, said
    assert len(quick) == 6  # the second run had nothing left to do
    assert {p.name for p in (tmp_path / "study").iterdir()} == {
        "fixed.csv", "plan.csv", "stress.json", "stress.xlsx", "stress.svg", "stress.html", "measures.csv", "rules.csv", "regret.csv",
        "decisions.csv", "decisions.parquet", "effects.csv",
    }  # fmt: skip


def test_morris_says_which_factor_moves_a_measure(
    plan: Plan, county: County, times: TravelTimes, quick: list[int]
) -> None:
    found = stress(county, Futures(design="morris", futures=4, factor=DRIFTING), plan, times=times)
    assert len(quick) == 1 + 4 * 4
    effects = found.effects[found.effects["measure"] == "cost"]  # the stand-in counts pupils
    assert effects["factor"].tolist()[0] == "enrolment"
    assert effects.set_index("factor").loc[["drift", "salary"], "mu_star"].tolist() == pytest.approx(
        [0.0, 0.0], abs=3.0
    )
    assert found.box is None
    said = stress_said(found, "en")
    assert "What moves 'Cost charged to the budget' most: enrolment." in said


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """A real scheduler over TCP with two workers, which are threads so that a stand-in referee reaches them."""
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, protocol="tcp", dashboard_address=None
    ) as local:
        yield str(local.scheduler_address)


def test_a_cluster_gives_the_same_table(
    plan: Plan, county: County, times: TravelTimes, quick: list[int], cluster: str, tmp_path: Path
) -> None:
    asked = Futures(futures=6, factor=DRIFTING)
    stress(county, asked, plan, times=times, folder=tmp_path / "one")
    found = stress(county, asked, plan, times=times, folder=tmp_path / "many", scheduler=cluster)
    assert found.done == 6
    assert sorted(quick) == sorted([*range(7), *range(7)])
    assert (tmp_path / "one" / "fixed.csv").read_bytes() == (tmp_path / "many" / "fixed.csv").read_bytes()


def test_a_cluster_that_cannot_be_used_is_told_in_words(
    plan: Plan, county: County, times: TravelTimes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_jobs, "WAIT", 0.5)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(InputProblems) as refused:
            stress(county, FEW, plan, times=times, scheduler=nobody)
    assert [f.key for f in refused.value.findings] == ["stress.no_scheduler"]
    own = dask_jobs.versions()
    assert own["pandas"] == pd.__version__
    for told, key in (({}, "no_workers"), ({"tcp://w": {**own, "highspy": "1.0"}}, "other_versions")):
        with pytest.raises(InputProblems) as refused:
            dask_jobs.check_workers(told, "tcp://s")
        assert [f.key for f in refused.value.findings] == [f"stress.{key}"]
    dask_jobs.check_workers({"tcp://w": own}, "tcp://s")
    with pytest.raises(InputProblems) as refused:  # the same version, another text of the program
        dask_jobs.check_workers({"tcp://w": {**own, "program": "0"}}, "tcp://s")
    assert [f.fields["package"] for f in refused.value.findings] == ["program"]


def test_a_scheduler_that_dies_on_the_way_is_told_and_what_came_is_kept(
    plan: Plan,
    county: County,
    times: TravelTimes,
    quick: list[int],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    gate, answer = threading.Event(), Fixed.answer

    def waiting(self: Fixed, future: Future) -> Answered:
        if future.number > 1:
            gate.wait(20)
        return answer(self, future)

    monkeypatch.setattr(Fixed, "answer", waiting)
    asked, place = Futures(futures=4, factor=DRIFTING), tmp_path / "study"
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "500ms"}),
        LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, protocol="tcp", dashboard_address=None
        ) as local,
    ):

        def told(question: str, done: int, count: int, left: float) -> None:
            if done == 2:
                gate.set()
                local.close()

        with pytest.raises(LostOnTheWay) as refused:
            stress(
                county,
                asked,
                plan,
                times=times,
                folder=place,
                scheduler=str(local.scheduler_address),
                told=told,
            )
    assert [f.key for f in refused.value.findings] == ["stress.scheduler_lost"]
    rows = (place / "fixed.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 3 and ",lost," not in "".join(rows)
    found = stress(county, asked, plan, times=times, folder=place)  # goes on without it
    assert found.done == 4
