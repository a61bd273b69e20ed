"""The small counties that went wrong, read from the folder beside the repository, each with its right answer.

They stand outside the repository; `JUNHENG_CASES` names another place. Without them these tests are
skipped: the kinds of trouble are tried with counties made by hand in the tests of each room.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pandas as pd
import pytest

from geodata.contract.findings import Finding, InputProblems
from geodata.folder.reading import check, read_county
from geodata.travel.times import travel_times
from models.referee.audit import audit
from optimizer.outcomes import Infeasible
from optimizer.scenario import Scenario, read_scenario
from optimizer.verbs.plan import plan

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


# ---- audit and plan


def today_and_plan(result) -> pd.DataFrame:
    return result.verdict.measures.set_index("measure")[["today", "plan"]]


def made(folder: Path, name: str = ""):
    return plan(read_county(folder), read_scenario(folder / name) if name else Scenario(seconds=60))


def test_without_money_the_plan_is_todays_arrangement(case):
    result = made(case("54b-budget-zero"))
    values = today_and_plan(result)
    assert values.loc["staff", "plan"] == values.loc["staff", "today"] == 93
    unchanged = ["mean_minutes", "sites", "largest_school", "imbalance", "riders"]
    assert values.loc[unchanged, "plan"].to_list() == pytest.approx(values.loc[unchanged, "today"].to_list())
    assert (values.loc[["cost", "pupils_changed", "staff_moved", "hires"], "plan"] == 0).all()


def test_one_school_and_one_village(case):
    folder = case("55b-one-school-one-village")
    found = audit(read_county(folder))
    assert set(found.cv["stage"]) == set(found.stages["stage"]) == {"pri"}
    assert made(folder).verdict.accepted


def test_no_staff_at_all_is_named_and_planned(case):
    folder = case("58b-no-staff-at-all")
    said = [f for f in check(folder) if f.key == "tables.no_staff"]
    assert {f.fields["stage"] for f in said} == {"pri", "jun"}
    result = made(folder)
    assert result.verdict.accepted and today_and_plan(result).loc["staff", "today"] == 0


def test_no_backbone_teacher_anywhere(case):
    folder = case("59-indicator-zero-everywhere")
    assert keys(check(folder)) == set() and made(folder).verdict.accepted


@pytest.mark.parametrize("name", ["63-all-private", "95-all-closing"])
def test_no_school_takes_part(case, name):
    folder = case(name)
    assert keys(check(folder)) == {"tables.nobody_takes_part"}
    with pytest.raises(InputProblems):
        read_county(folder)


def test_two_schools_have_a_plan(case):
    result = made(case("91-two-schools-whole-county-impossible"))
    assert result.verdict.accepted and today_and_plan(result).loc["largest_class", "plan"] <= 45


def test_classes_stay_where_nothing_changes(case):
    result = made(case("92-classes-halved"))
    values = today_and_plan(result)
    units = result.verdict.units.set_index("school_id")
    assert (units.loc[["A"], "classes_plan"] == 11).all() and (units.loc[["A"], "classes_today"] == 11).all()
    assert (
        values.loc["largest_class", "plan"] == 24
        and values.loc["staff", "plan"] >= values.loc["staff", "today"]
    )


def test_a_norm_that_only_reports_never_clashes(case):
    folder = case("93-norm-report-still-binds")
    with pytest.raises(
        Infeasible
    ) as problem:  # since then: met indicators are kept, classes are counted by grade
        made(folder, "scenario.toml")
    said = {str(f.fields.get("rule", f.key)) for f in problem.value.findings}
    assert said and not {"junior_per_township", "outflow_township", "outflow_rural"} & said
    stage = folder / "school_stage.csv"  # with rooms and grounds for the pupils of both
    table = pd.read_csv(stage, dtype=str, keep_default_na=False)
    mine = table["school_id"] == "A9"
    for column, value in {
        "capacity_pupils": "600",
        "area_sport_ground": "9000",
        "area_teaching": "9000",
    }.items():
        table.loc[mine, column] = value
    table.loc[mine, "rooms_multimedia"] = "12"
    table.loc[mine, "equip_value"] = "2000000"
    table.to_csv(stage, index=False)
    result = made(folder, "scenario.toml")
    assert result.verdict.accepted
    assert "junior_per_township" in set(result.verdict.violations["rule"])


def test_nobody_counted(case):
    folder = case("95b-nobody-counted")
    assert "tables.nobody_assessed" in keys(check(folder), "warning")
    assert audit(read_county(folder)).stages["passes"].isna().all()
    result = made(folder)
    assert result.verdict.accepted and pd.isna(today_and_plan(result).loc["imbalance", "plan"])
