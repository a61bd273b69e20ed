"""Reckoned once for each object, kept as long as it lives, failures never."""

from __future__ import annotations

import gc
from dataclasses import dataclass, replace

import pytest

from geodata.areas.export import own_ground
from geodata.remembered import once_for_each
from models.impact.losses import unit_changes
from models.plan.decisions import PlanResult
from tests.maps.conftest import make_county, make_result


@dataclass(frozen=True, eq=False)
class Thing:
    size: int


def test_once_for_each_object_and_no_longer_than_it_lives() -> None:
    asked: list[int] = []

    @once_for_each
    def reckon(thing: Thing) -> list[int]:
        asked.append(thing.size)
        return [thing.size]

    one, other = Thing(1), Thing(1)
    assert reckon(one) is reckon(one) and reckon(other) is not reckon(one) and asked == [1, 1]
    del other
    gc.collect()
    assert reckon(Thing(1)) == [1] and asked == [1, 1, 1]


def test_a_failure_is_raised_each_time() -> None:
    asked: list[int] = []

    @once_for_each
    def reckon(thing: Thing) -> None:
        asked.append(thing.size)
        raise ValueError

    one = Thing(1)
    for _ in range(2):
        with pytest.raises(ValueError):
            reckon(one)
    assert asked == [1, 1]


def test_another_county_has_another_ground_and_a_plans_table_is_ones_own() -> None:
    county = make_county()
    moved = county.villages.assign(lon=county.villages["lon"] + 0.01)
    assert own_ground(county) is own_ground(county)
    assert own_ground(replace(county, villages=moved)) is not own_ground(county)
    result: PlanResult = make_result(county)
    table = unit_changes(result)
    table["pupils"] = -1
    assert not unit_changes(result)["pupils"].eq(-1).all()
