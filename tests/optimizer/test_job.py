"""A job in a process of its own: the same plan, stops, a kill and a time limit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from benchmarks.generated import generated_county
from geodata.contract.county import County
from geodata.contract.findings import InputProblems
from optimizer.job import Job, Lost
from optimizer.scenario import Goal, Scenario
from optimizer.solver.limits import Progress
from tests.samples import small_county

CHEAP = Scenario(goals=(Goal(name="cost"), Goal(name="travel")))
LONG = Scenario(gap=1e-6, nodes=10**6)
"""More than any test has time for, on a county of two dozen sites."""


def written(county: County, folder: Path) -> Path:
    """A county as a folder of tables."""
    folder.mkdir()
    for name, table in county.tables().items():
        if len(table):
            table.to_csv(folder / f"{name}.csv", index=False)
    head = f'name = "{county.name}"\nname_en = "{county.name_en}"\nyear = {county.year}\nfictional = true\n'
    (folder / "county.toml").write_text(head, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(small_county(), tmp_path_factory.mktemp("jobs") / "small")


@pytest.fixture(scope="module")
def larger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    county = generated_county(24, 48, seed=1, budget=2e6)
    return written(county, tmp_path_factory.mktemp("jobs") / "larger")


class Seen:
    """Waits for the first report of a job."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.first = threading.Event()

    def __call__(self, step: str, progress: Progress) -> None:
        self.steps.append(step)
        self.first.set()


def test_another_process_makes_the_same_plan(small: Path) -> None:
    there = Job(small, CHEAP).start().result()
    here = Job(small, CHEAP).run()
    assert there.plan.plan_id == here.plan.plan_id
    assert there.verdict.accepted
    assert [g.objective for g in there.solve.goals] == [g.objective for g in here.solve.goals]


def test_what_the_verb_raises_comes_back(small: Path) -> None:
    job = Job(small, CHEAP.model_copy(update={"keep_open": ("nowhere",)}))
    with pytest.raises(InputProblems) as problem:
        job.start().result()
    assert [f.value for f in problem.value.findings] == ["nowhere"]


def test_a_stop_brings_the_best_plan_so_far(larger: Path) -> None:
    seen = Seen()
    running = Job(larger, LONG).start(seen)
    assert seen.first.wait(240)
    assert not running.done
    running.stop()
    result = running.result()
    assert result.verdict.accepted and result.solve.status == "stopped"
    assert result.solve.bound <= result.solve.objective
    running.stop()  # after the end it does nothing


def test_ctrl_c_while_waiting_is_passed_on(larger: Path) -> None:
    seen = Seen()
    running = Job(larger, LONG).start(seen)

    def press() -> None:
        seen.first.wait(240)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press, daemon=True).start()
    result = running.result()
    assert result.verdict.accepted and result.solve.status == "stopped"


def test_a_killed_process_is_lost_and_not_waited_for(larger: Path) -> None:
    running = Job(larger, LONG).start()
    with pytest.raises(TimeoutError):
        running.result(seconds=0.3)
    running.process.kill()
    with pytest.raises(Lost) as lost:
        running.result()
    assert lost.value.status != 0


def test_a_time_limit_ends_with_a_plan_and_a_bound(larger: Path) -> None:
    result = Job(larger, LONG.model_copy(update={"seconds": 3.0})).start().result()
    assert result.verdict.accepted
    assert "reasons.clock" in {f.key for f in result.findings}
    assert 0 <= result.solve.bound <= result.solve.objective


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 and process ids as POSIX has them")
def test_it_ends_when_whoever_asked_is_killed(larger: Path, tmp_path: Path) -> None:
    script = tmp_path / "asks.py"
    script.write_text(
        "import sys\nfrom pathlib import Path\nfrom optimizer.job import Job\nfrom optimizer.scenario import Scenario\n"
        "running = Job(Path(sys.argv[1]), Scenario(gap=1e-6, nodes=10**6)).start()\n"
        "print(running.process.pid, flush=True)\nrunning.result()\n",
        encoding="utf-8",
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    asker = subprocess.Popen(
        [sys.executable, str(script), str(larger)], stdout=subprocess.PIPE, text=True, env=env
    )
    assert asker.stdout is not None
    worker = int(asker.stdout.readline())
    asker.kill()
    asker.wait()
    for _ in range(600):
        try:
            os.kill(worker, 0)
        except ProcessLookupError:
            break
        if (Path("/proc") / str(worker) / "stat").exists():
            state = (Path("/proc") / str(worker) / "stat").read_text().rsplit(")", 1)[1].split()[0]
            if state == "Z":
                break
        time.sleep(0.1)
    else:
        pytest.fail("the process works on for nobody")
