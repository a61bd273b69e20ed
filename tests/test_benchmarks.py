"""The registry of benchmarks runs: it lists, every case can be read, the smallest agree in all their ways.

Seconds are measured by ``python -m benchmarks`` and asserted nowhere.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import registry_page
from benchmarks.__main__ import apart, listing
from benchmarks.cases import PHASES, Case, measured
from benchmarks.instances import DATA
from benchmarks.network_ways import Network, arrays
from benchmarks.registry import CASES, STUDIES, chosen, missing
from benchmarks.registry_page import disagreements, keep_rows, kept_rows, page
from geodata.contract.county import County
from models.districting.single_source import single_source
from optimizer.solver.bridge import Bridge

SMALL = [c for c in CASES if c.small]
NAMES = [c.name for c in CASES]


@cache
def rows_by_name(case: str, way: str) -> pd.DataFrame:
    """Not to be changed: the floor of one way is that of the others."""
    return measured_rows(next(c for c in CASES if c.name == case), way)


def rows_of(case: Case, way: str) -> pd.DataFrame:
    return rows_by_name(case.name, way)


def measured_rows(case: Case, way: str) -> pd.DataFrame:
    table = pd.DataFrame([vars(r) for r in measured(case, way, 60.0)])
    return table.assign(gap_asked=case.gap, published=case.published).astype(
        {"value": float, "bound": float, "published": float}
    )


def value_of(rows: pd.DataFrame) -> float:
    return float(rows.set_index("phase").at["solve", "value"])


def test_everything_is_listed() -> None:
    said = listing()
    assert len(set(NAMES)) == len(NAMES)
    assert [n for n in NAMES if n not in said] == []
    folder = Path(registry_page.__file__).parent
    own = {
        p.stem
        for p in folder.glob("*.py")
        if "main" in [getattr(n, "name", "") for n in ast.parse(p.read_text("utf-8")).body]
    }
    assert own - {"__main__"} == set(STUDIES)  # a script with a command of its own is a study
    assert [n for n in STUDIES if f"benchmarks.{n} " not in said] == []


def test_patterns_name_cases_and_ways() -> None:
    assert [(c.name, w) for c, w in chosen(["warehouse/*"])] == [
        ("warehouse/5x10", w) for w in ("junheng", "linopy", "highspy")
    ]
    assert {w for _, w in chosen(["*/spopt"])} == {"spopt"}
    assert len(chosen([])) == sum(len(c.ways) for c in CASES)
    with pytest.raises(ValueError, match="nothing is called warehous"):
        chosen(["warehous"])


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_every_case_can_be_read(case: Case) -> None:
    if why := missing(case, "highspy"):
        pytest.skip(why)
    problem = case.read()
    assert isinstance(problem, County | Network)
    if isinstance(problem, Network):
        assert problem.cost.size == len(problem.problem.pairs)


@pytest.mark.parametrize(
    ("case", "way"), [(c, w) for c in SMALL for w in c.ways], ids=lambda x: getattr(x, "name", x)
)
def test_the_smallest_agree_in_all_ways(case: Case, way: str) -> None:
    if why := missing(case, way):
        pytest.skip(why)
    rows, floor = rows_of(case, way), rows_of(case, "highspy")
    assert list(rows["phase"]) == sorted(rows["phase"], key=list(rows["phase"]).index)
    assert set(rows["phase"]) <= set(PHASES)
    assert rows.set_index("phase").at["solve", "status"] == "proven"
    assert value_of(rows) == pytest.approx(value_of(floor), rel=2 * case.gap, abs=1e-6)
    assert disagreements(pd.concat([rows, floor])) == []
    judged = rows[rows["phase"] == "referee"]
    assert list(judged["status"]) == ["accepted"] * len(judged)
    if isinstance(case.read(), Network):
        assert float(judged["value"].iloc[0]) == pytest.approx(value_of(rows), abs=1e-6)
    if case.published is not None:
        assert value_of(rows) == pytest.approx(case.published, rel=case.gap)


@pytest.mark.parametrize("name", ["warehouse/5x10", "p-median-rooms/5x10"])
def test_the_arrays_by_hand_are_the_rows_of_the_model(name: str) -> None:
    net = next(c for c in CASES if c.name == name).read()
    by_hand = arrays(net)
    model = single_source(net.problem)
    bridge = Bridge(model, {"cost": model.goal_cost})
    order = [bridge.column_of(v) for v in (*model.attend.values(), *model.open.values())]
    lp = bridge.highs.getLp()
    stated = np.zeros((lp.num_row_, lp.num_col_))
    for j in range(lp.num_col_):
        part = slice(lp.a_matrix_.start_[j], lp.a_matrix_.start_[j + 1])
        stated[lp.a_matrix_.index_[part], j] = lp.a_matrix_.value_[part]

    def canon(rows: np.ndarray, low: np.ndarray, high: np.ndarray) -> list[tuple[float, ...]]:
        """Rows with their limits, each turned so that it has an upper one, in one order."""
        turn = np.where(np.isinf(high), -1.0, 1.0)
        ends = np.where(turn[:, None] < 0, -np.stack([high, low], axis=1), np.stack([low, high], axis=1))
        return sorted(tuple(r) for r in np.hstack([rows * turn[:, None], ends]).tolist())

    many = 0 if net.many is None else 1  # the row that says how many sites are open is the benchmark's own
    hand = by_hand.rows.toarray()[: len(stated)]
    assert len(by_hand.row_low) == len(stated) + many
    assert canon(stated[:, order], np.array(lp.row_lower_), np.array(lp.row_upper_)) == canon(
        hand, by_hand.row_low[: len(stated)], by_hand.row_high[: len(stated)]
    )
    assert bridge.costs["cost"][0][order].tolist() == by_hand.cost.tolist()


def test_a_case_runs_in_a_process_of_its_own_within_a_limit() -> None:
    case = SMALL[0]
    rows = apart(case, "highspy", 30.0, 60)
    assert list(rows["phase"]) == ["data", "build", "hand over", "relax", "solve", "referee"]
    assert value_of(rows) == case.published
    assert (rows["peak_mb"] > 10).all()
    assert rows["versions"].str.contains("highspy").all()
    cut = apart(case, "highspy", 30.0, 1)  # a second does not even suffice for the imports
    assert cut["status"].iloc[-1] == "over 1 s of processor"


def test_a_run_replaces_its_own_rows_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry_page, "FOLDER", tmp_path)
    about = {"limit": 60.0, "versions": "highspy 0", "date": "2026-11-24"}
    first, second = SMALL[0], SMALL[1]
    for case in (second, first, second):
        keep_rows(rows_of(case, "highspy").assign(**about))
    kept = kept_rows()
    assert list(kept["model"].unique()) == [first.model, second.model]
    assert not kept.duplicated(["model", "size", "way", "phase"]).any()
    text = "\n".join(page())
    assert f"| {first.name} | highspy | solve | 383.000 | 383.000 | 0.00 % | proven |" in text


def test_contradictions_are_named() -> None:
    rows = pd.DataFrame(
        {"model": "m", "size": "s", "way": ["a", "b"], "phase": "solve", "value": [10.0, 9.0], "bound": [10.0, 8.0],
         "status": ["proven", "stopped"], "published": 11.0, "gap_asked": 1e-6}
    )  # fmt: skip
    assert disagreements(rows) == [
        "m/s: a value of 9.0 below a bound of 10.0",
        "m/s: published 11.0, not met by a",
    ]
    judged = rows.assign(phase="referee", value=[10.0, 12.0])
    assert disagreements(pd.concat([rows, judged]))[0] == "m/s: b found 9.0, the referee 12.0"
    assert disagreements(rows.assign(published=10.0, bound=[9.0, 8.0], value=[10.0, 10.0])) == []


@pytest.mark.skipif(not (DATA / "orlib").is_dir(), reason="the published instances are not on this machine")
def test_published_optima_are_those_of_the_sources() -> None:
    lines = (DATA / "orlib" / "pmedopt.txt").read_text(encoding="utf-8").splitlines()
    best = {w[0]: float(w[1]) for line in lines if len(w := line.split()) == 2}
    published = {c.size: c.published for c in CASES if c.size.startswith("pmed")}
    assert published == {size: best[size] for size in published}
    best = (DATA / "sscflp" / "holmberg" / "os").read_text(encoding="utf-8").split()
    named = {c.size: c.published for c in CASES if c.size.startswith("holmberg-")}
    assert named == {size: float(best[int(size.split("-")[1]) - 1]) for size in named}
