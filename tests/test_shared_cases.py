"""The small counties that went wrong, read from the folder beside the repository, each with its right answer.

They stand outside the repository; `JUNHENG_CASES` names another place. Without them these tests are
skipped: the kinds of trouble are tried with counties made by hand in the tests of each room.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from geodata.contract.findings import Finding
from geodata.folder.reading import check, read_county
from geodata.travel.times import travel_times

ROOT = Path(__file__).resolve().parent.parent
CASES = Path(os.environ.get("JUNHENG_CASES", ROOT.parent / "shared" / "cases"))

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="the folder of cases is not beside the repository")


@pytest.fixture
def case(tmp_path: Path):
    """Copies a case, so that nothing is written beside the repository."""

    def copied(name: str) -> Path:
        return Path(shutil.copytree(CASES / name, tmp_path / name))

    return copied


def keys(found: list[Finding], severity: str = "error") -> set[str]:
    return {f.key for f in found if f.severity == severity}


# ---- roads: minutes on foot V1-A1, W1-A1, W1-B1 (None: no way), what check says

ROADS = {
    "r0-base": (7.51, 184.34, 4.51, set()),
    "01-ways-before-nodes": (7.51, 184.34, 4.51, set()),
    "02-negative-ids": (7.51, 184.34, 4.51, set()),
    "02b-negative-mixed": (7.51, 184.34, 4.51, set()),
    "03-ring-island": (7.51, None, 15.74, {"roads.piece_apart", "roads.fragments_walk"}),
    "03b-ring-island-spur": (7.51, None, 15.75, {"roads.piece_apart", "roads.fragments_walk"}),
    "04-deleted-in-editor": (7.51, None, 4.51, {"roads.piece_apart", "roads.deleted"}),
    "04b-deleted-visible-false": (7.51, None, 4.51, {"roads.piece_apart", "roads.deleted"}),
    "05-duplicate-node": (7.51, 184.34, 4.51, {"roads.ends_joined"}),
    "07c-ferry-three-landings": (7.51, 108.62, 5.44, {"roads.flag_ferry"}),
}


@pytest.mark.parametrize("name", ROADS)
def test_roads(case, name):
    folder = case(name)
    *want, said = ROADS[name]
    found = check(folder)
    assert keys(found) == set()
    trouble = {
        "roads.piece_apart",
        "roads.fragments_walk",
        "roads.deleted",
        "roads.ends_joined",
        "roads.flag_ferry",
    }
    told = keys(found, "note") | keys(found, "warning")
    assert said <= told and not (trouble - said - {"roads.fragments_walk"}) & told
    times = travel_times(read_county(folder), walk_limit=300, cached=False, modes=("walk",))
    walk = times.pairs.set_index(["village_id", "school_id"])["minutes"]
    pairs = (("V1", "A1"), ("W1", "A1"), ("W1", "B1"))
    assert [walk.get(pair) for pair in pairs] == [
        m if m is None else pytest.approx(m, abs=0.02) for m in want
    ]
