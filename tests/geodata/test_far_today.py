"""Ways of today beyond the search limits: their minutes are known, whatever they take, from every source."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from geodata.travel.times import travel_times
from tests.geodata.test_observed import county, rows
from tests.geodata.test_traveltimes import minutes
from tests.samples import frame

LIMITS = {"walk_limit": 20.0, "bus_limit": 12.0}


def attended(*cells):
    """(village, school, pupils, mode)."""
    columns = ["village_id", "school_id", "pupils", "mode"]
    return frame("attendance", [dict(zip(columns, cell, strict=True), band="P13") for cell in cells])


def ways(times):
    return set(times.pairs[["village_id", "school_id", "mode"]].itertuples(index=False, name=None))


def beyond(times):
    return [f.fields for f in times.findings if f.key == "roads.today_beyond"]


@pytest.mark.parametrize("roads", [True, False], ids=["roads", "straight lines"])
def test_todays_way_is_known_beyond_the_limits_and_nobody_elses(roads):
    wide = travel_times(county(roads))
    there = county(roads, attendance=attended(("v", "t", 7, "")))
    narrow = travel_times(there, **LIMITS)
    for mode in ("walk", "bus"):
        assert minutes(narrow, "v", "t", mode) == minutes(wide, "v", "t", mode)
        assert ("v", "s", mode) not in ways(narrow)  # the other school is as far, and nobody goes there
    assert beyond(narrow) == [
        {"pupils": 7, "most": f"{minutes(wide, 'v', 't', 'bus')[0]:.0f}", "walk": "20", "bus": "12"}
    ]
    plain = travel_times(county(roads), **LIMITS)
    added = pd.concat([narrow.pairs, plain.pairs]).drop_duplicates(keep=False)
    assert added[["village_id", "school_id"]].drop_duplicates().to_numpy().tolist() == [["v", "t"]]


def test_a_way_within_the_limits_adds_nothing_but_the_mode_that_is_told():
    wide = travel_times(county())
    near = {"walk_limit": 20.0, "bus_limit": 60.0}
    plain = travel_times(county(), **near)
    untold = travel_times(county(attendance=attended(("v", "t", 7, ""))), **near)
    pd.testing.assert_frame_equal(untold.pairs, plain.pairs)
    assert not beyond(untold)
    told = travel_times(county(attendance=attended(("v", "t", 7, "walk"))), **near)
    assert minutes(told, "v", "t", "walk") == minutes(wide, "v", "t", "walk")
    assert len(told.pairs) == len(plain.pairs) + 1
    nobody = travel_times(county(attendance=attended(("v", "t", 0, "walk"))), **near)
    pd.testing.assert_frame_equal(nobody.pairs, plain.pairs)


def test_a_matrix_of_the_users_own_keeps_todays_ways():
    own = rows(("v", "s", "walk", 25.0, 1.0), ("v", "t", "walk", 130.0, 9.0), ("w", "s", "walk", 5.0, 0.4))
    given = county(travel_matrix=own, attendance=attended(("v", "t", 7, "")))
    times = travel_times(given, **LIMITS)
    assert minutes(times, "v", "t", "walk") == [130.0, 9.0]
    assert ("v", "s", "walk") not in ways(times)
    (said,) = [f.fields for f in times.findings if f.key == "roads.matrix_given"]
    assert (said["count"], said["beyond"]) == (2, 1)


def test_a_school_that_no_way_leads_to_is_named():
    own = rows(("w", "s", "walk", 5.0, 0.4))
    given = county(travel_matrix=own, attendance=attended(("v", "t", 7, ""), ("w", "s", 3, "")))
    (said,) = [f for f in travel_times(given).findings if f.key == "roads.today_without_way"]
    assert (said.severity, said.fields["pupils"], said.fields["count"]) == ("warning", 7, 1)
    assert "→" in said.fields["names"]
    observed = travel_times(replace(given, travel_times=rows(("v", "t", "bus", 80.0, 20.0))))
    assert not [f for f in observed.findings if f.key == "roads.today_without_way"]
