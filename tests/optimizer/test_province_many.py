"""A province on worker processes and on a cluster: real plans, the same files as one process writes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from distributed import LocalCluster

from optimizer.scenario import Scenario
from optimizer.study.province.asked import ProvinceGiven, read_province
from optimizer.study.province.province import province
from tests import tiny
from tests.optimizer.test_job import written

GOALS = Scenario(goals=[{"name": "cells"}], seconds=60)
"""One goal, proven long before the clock: plans that a clock ends may differ from run to run."""


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> ProvinceGiven:
    """Two counties of other means, a folder that cannot be read, and money for both."""
    home = tmp_path_factory.mktemp("province")
    own = tiny.county().budget
    for folder, share in (("e", 1.0), ("w", 0.0)):
        poor = own.assign(amount=own["amount"].astype(float) * share)
        written(replace(tiny.county(), name=f"{folder}县", budget=poor), home / folder)
    (home / "x").mkdir()
    (home / "x" / "county.toml").write_text('name = "无"\nyear = "soon"\n', encoding="utf-8")
    file = home / "province.toml"
    file.write_text(
        'name = "试省"\nbudget = 600000\nfloor = 0\ngoal = "cells"\nshares = []\n', encoding="utf-8"
    )
    return read_province(file, GOALS)


@pytest.fixture(scope="module")
def alone(given: ProvinceGiven, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What one process writes, file by file."""
    folder = tmp_path_factory.mktemp("alone") / "out"
    found = province(given, folder)
    assert found.counties["status"].tolist() == ["done", "done", "unread"]
    assert found.points["solve"].eq("plan").any()
    assert not found.points["clock"].any()
    return files(folder)


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """A real scheduler over TCP with two workers."""
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, protocol="tcp", dashboard_address=None
    ) as local:
        yield str(local.scheduler_address)


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_two_workers_write_the_same_files(
    given: ProvinceGiven, alone: dict[str, bytes], tmp_path: Path
) -> None:
    province(given, tmp_path / "two", workers=2)
    assert files(tmp_path / "two") == alone
    assert {"rows.csv", "fronts/0001.csv", "fronts/0002.csv"} <= set(alone)
    assert any(name.startswith("plans/") for name in alone)


def test_a_cluster_writes_the_same_files(
    given: ProvinceGiven, alone: dict[str, bytes], cluster: str, tmp_path: Path
) -> None:
    told: list[int] = []
    province(given, tmp_path / "many", scheduler=cluster, told=lambda _, done, count, left: told.append(done))
    assert files(tmp_path / "many") == alone
    assert told == [1, 2]
