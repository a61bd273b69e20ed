"""Groups of pupils: a school takes its own, today may stay, and no plan sends anybody across."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geodata.contract.county import County
from geodata.contract.findings import InputProblems
from geodata.contract.groups import Admission, admission, labelled, names_in
from geodata.folder.reading import check, read_county
from models.formulation.model import build_model
from models.plan.ledger import GROUPS
from models.plan.record import read_plan, write_ledger
from models.problem.building import build_instance
from models.problem.request import Request
from models.rules.registry import rule
from optimizer.infeasibility.impossible import explain_request
from optimizer.scenario import Goal, Scenario
from optimizer.verbs.plan import plan
from tests.models.plans import Case, broken_rules, close, closing, keep_all, ready, send
from tests.optimizer.test_job import written
from tests.samples import frame, small_county

KOREAN, CHINESE = "Korean", "Chinese"


def two_languages(takes: dict[str, str], of: dict[tuple[str, str, str], str] | None = None) -> County:
    """The small county: A3's 12 pupils (village V3, grades 1-3) are taught in Korean, all others in Chinese.

    Parameters
    ----------
    takes : dict
        By school: what its units take; the others take Chinese.
    of : dict
        By village, school and band: another group of these pupils.
    """
    county = small_county()
    stage = county.school_stage.assign(
        groups=[takes.get(j, CHINESE) for j in county.school_stage["school_id"]]
    )
    going = county.attendance
    named = {("V3", "A3", "g1_3"): KOREAN} | (of or {})
    keys = zip(going["village_id"], going["school_id"], going["band"], strict=True)
    return replace(
        county, school_stage=stage, attendance=going.assign(group=[named.get(k, CHINESE) for k in keys])
    )


def ways(case: Case, village: str, band: str) -> set[str]:
    """Schools that a village's pupils of a band could attend."""
    inst = build_instance(case.county, case.standards, Request(), case.times)
    rows = inst.pairs[(inst.pairs["village_id"] == village) & (inst.pairs["band"] == band)]
    return set(rows["school_id"])


@pytest.mark.parametrize(
    ("cell", "names"),
    [("", ()), ("朝鲜语", ("朝鲜语",)), (" a、b , c;a ", ("a", "b", "c")), ("ALL/Others", ("all", "others"))],
)
def test_a_cell_lists_names(cell: str, names: tuple[str, ...]) -> None:
    assert names_in(cell) == names


def test_who_is_taken() -> None:
    """No list: pupils of no group. A list: those named; `others` are pupils of no group, `all` everybody."""
    listed = {"own": {"a"}, "mixed": {"a", "others"}, "any": {"all"}, "plain": set()}
    here = Admission({u: frozenset(n) for u, n in listed.items()})
    taken = {u: [g for g in ("", "a", "b") if here.takes(u, g)] for u in (*listed, "unheard")}
    assert taken == {"own": ["a"], "mixed": ["", "a"], "any": ["", "a", "b"], "plain": [""], "unheard": [""]}


def test_a_merged_school_may_not_receive_the_other_language() -> None:
    """A3 closes into A1, which teaches in Chinese only: rejected by that rule alone. Were A1 to take both, it may."""
    case = ready(two_languages({"A3": KOREAN}))
    label = labelled("zone", KOREAN)
    assert set(keep_all(case).attendance.query("today_school_id == 'A3'")["group"]) == {label}
    said = case.judge(closing(case))
    assert broken_rules(said) == ["group_access"]
    assert said.violations.query("rule == 'group_access'")[["place_id", "amount", "limit"]].to_numpy().tolist() == [["V3", 12, 0]]  # fmt: skip
    both = ready(two_languages({"A3": KOREAN, "A1": f"{CHINESE}、{KOREAN}"}))
    assert broken_rules(both.judge(closing(both))) == []
    assert ways(case, "V3", "g1_3") == {"A3"} and ways(both, "V3", "g1_3") >= {"A1", "A3"}


def test_the_kind_of_the_norm_decides() -> None:
    case = ready(two_languages({"A3": KOREAN}))
    for kind, accepted, told in (("soft", True, True), ("report", True, True), ("off", True, False)):
        some = case.binding(group_access=kind)
        said = some.judge(closing(some))
        assert said.accepted is accepted and ("group_access" in set(said.violations["rule"])) is told
        assert "A1" in ways(some, "V3", "g1_3")
    inst = build_instance(case.county, case.standards, Request(), case.times)
    barred = inst.barred[inst.barred["rule"] == "group_access"]
    assert (
        len(barred)
        and barred["excess"].isna().all()
        and build_model(inst).barred["group_access"] == len(barred)
    )
    soft = case.binding(group_access="soft")
    model = build_model(build_instance(soft.county, soft.standards, Request(), soft.times))
    assert [s.norm for s in model.softened] == ["group_access"]


def test_the_rule_is_unheard_of_where_no_group_is_told_apart() -> None:
    case = ready()
    assert admission(case.county.school_stage, case.county.attendance) is None
    assert "group_access" not in case.standards.rules and rule("group_access").kind(case.standards) == "off"
    assert set(keep_all(case).attendance["group"]) <= set(GROUPS)
    row = frame("standards", [{"id": "group_access", "value": 0.0, "kind": "hard", "quantity": "", "operator": "=", "unit": ""}])  # fmt: skip
    assert "group_access" not in ready(replace(case.county, standards=row)).standards.rules


def test_today_may_stay_across_groups_and_nobody_joins() -> None:
    """V4's small children are Korean and attend Chinese A2: today stands; they may go to A3, and nobody Korean to A2."""
    case = ready(two_languages({"A3": KOREAN}, {("V4", "A2", "g1_3"): KOREAN}))
    assert case.judge(keep_all(case)).accepted
    assert ways(case, "V4", "g1_3") - {"A3"} == {"A2"} and ways(case, "V3", "g1_3") == {"A3"}
    joining = send(keep_all(case), "V3", "g1_3", "A2", "bus")
    assert "group_access" in broken_rules(case.judge(joining))


def test_a_school_that_does_not_take_a_group_is_none_to_go_past() -> None:
    """A3 closes and V3's children ride past A1, 37 minutes on foot or 9 by bus, to A2: allowed only where A1 is not theirs."""
    theirs = {("V3", "A3", "g1_3"): CHINESE}
    for takes, broken in (({}, True), ({"A1": KOREAN}, False)):
        case = ready(two_languages(takes, theirs)).binding(travel_increase="off")
        past = close(case, keep_all(case), "A3", "A2")
        assert ("past_nearer_school" in broken_rules(case.judge(past))) is broken
        assert ("group_access" in broken_rules(case.judge(past))) is False
        assert ("A2" in ways(case, "V3", "g1_3")) is not broken  # A1 stays open for certain


def test_two_groups_of_a_village_at_one_school_are_two() -> None:
    """W1 sends 60 Chinese and 30 Korean small children to mixed B1: both are zones of their own, and add up."""
    county = two_languages({"A3": KOREAN, "B1": f"{CHINESE},{KOREAN}"})
    going = county.attendance
    here = (going["village_id"] == "W1") & (going["band"] == "g1_3")
    parts = [going[~here], going[here].assign(pupils=60), going[here].assign(pupils=30, group=KOREAN)]
    going = pd.concat(parts).sort_values(["village_id", "school_id", "band", "group"]).reset_index(drop=True)
    case = ready(replace(county, attendance=going))
    mine = keep_all(case).attendance.query("village_id == 'W1' and band == 'g1_3'")
    assert sorted(zip(mine["group"], mine["pupils"], strict=True)) == [
        ("zone:Chinese", 60),
        ("zone:Korean", 30),
    ]
    assert mine["row_id"].is_unique and case.judge(keep_all(case)).accepted
    # bands stay together group by group: grades 4-6 of W1 are Chinese, so its Korean children are tied to nobody
    free = case.binding(past_own_school="report")  # else nobody leaves a walk for a bus, and nothing is tied
    inst = build_instance(free.county, free.standards, Request(), free.times)
    tied = {k[:2] for k in build_model(inst).bands_together}
    groups = inst.groups
    assert tied and all(groups.at[g, "group"] == groups.at[h, "group"] for g, h in tied)


def test_a_ledger_with_groups_comes_back(tmp_path: Path) -> None:
    case = ready(two_languages({"A3": KOREAN}))
    plan_today = keep_all(case)
    path = write_ledger(plan_today, tmp_path / "plan.csv")
    assert read_plan(path, case.county) == plan_today
    text = path.read_text(encoding="utf-8-sig").replace("zone:Korean", "zoned:Korean")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputProblems) as refused:
        read_plan(path, case.county)
    assert any(f.column and "group" in f.column for f in refused.value.findings)


def test_explain_names_the_group_that_has_no_other_school() -> None:
    """The request closes the only Korean school: no other takes its pupils, and no minutes would help."""
    county = two_languages({"A3": KOREAN})
    share = frame("standards", [{"id": "closures_share", "value": 0.2, "kind": "hard"}])
    found = explain_request(replace(county, standards=share), Scenario(close=("A3",)))
    said = {f.key: f for f in found.arithmetic}
    assert "analysis.no_group_way" in said and said["analysis.no_group_way"].fields["group"] == KOREAN
    assert "Korean" in said["analysis.no_group_way"].sentence("en")


def test_a_plan_keeps_the_groups_apart() -> None:
    """The search, too: the nearest way for everybody leaves the Korean pupils at the one school that takes them."""
    made = plan(two_languages({"A3": KOREAN}), Scenario(goals=(Goal(name="travel"),), seconds=20))
    assert made.verdict.accepted
    theirs = made.plan.attendance[made.plan.attendance["group"] == labelled("zone", KOREAN)]
    assert set(theirs["school_id"]) == {"A3"}


# ---- reading


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return written(two_languages({"A3": KOREAN}), tmp_path / "county")


def errors_of(folder: Path, severity: str = "error") -> list[tuple[str, str, object, object, str]]:
    return [
        (f.key, f.file, f.row, f.column, f.value)
        for f in check(folder)
        if f.severity == severity and "group" in f.key
    ]


def edited(folder: Path, table: str, change: dict[int, str], column: str) -> Path:
    rows = pd.read_csv(folder / f"{table}.csv", dtype=str, keep_default_na=False)
    for row, value in change.items():
        rows.loc[row - 2, column] = value
    rows.to_csv(folder / f"{table}.csv", index=False)
    return folder


def test_groups_are_read_and_written(folder: Path) -> None:
    county = read_county(folder)
    assert set(county.attendance["group"]) == {KOREAN, CHINESE} and "groups" in county.school_stage
    assert errors_of(folder) == [] == errors_of(folder, "warning")


@pytest.mark.parametrize(
    ("value", "key"),
    [("Chinese、Korean", "group_not_one"), ("all", "group_not_one"), ("其他", "group_not_one"), ("a:b", "group_not_one"), ("Koraen", "group_nowhere")],
)  # fmt: skip
def test_a_wrong_name_is_said_with_its_place(folder: Path, value: str, key: str) -> None:
    edited(folder, "attendance", {4: value}, "group")
    assert errors_of(folder) == [(f"tables.{key}", "attendance.csv", 4, "group", value)]
    for language in ("zh", "en"):
        text = next(f for f in check(folder) if f.key == f"tables.{key}").text(language)
        assert value in text


def test_who_attends_across_groups_is_named(folder: Path) -> None:
    rows = pd.read_csv(folder / "attendance.csv", dtype=str)
    at = int(np.flatnonzero((rows["village_id"] == "V4") & (rows["band"] == "g1_3"))[0]) + 2
    edited(folder, "attendance", {at: KOREAN}, "group")
    assert errors_of(folder) == []
    assert errors_of(folder, "warning") == [("tables.group_across", "attendance.csv", at, "group", "A2")]
    said = next(f for f in check(folder) if f.key == "tables.group_across")
    assert said.fields["pupils"] == 60 and said.fields["group"] == KOREAN


def test_a_repeated_row_is_one_of_the_same_group(folder: Path) -> None:
    rows = pd.read_csv(folder / "attendance.csv", dtype=str, keep_default_na=False)
    pd.concat([rows, rows.iloc[[0]]]).to_csv(folder / "attendance.csv", index=False)
    assert "tables.duplicate" in {f.key for f in check(folder)}


def test_empty_columns_are_no_columns(tmp_path: Path) -> None:
    """Absent, or empty throughout: the same county, the same findings, the same content."""
    plain = written(small_county(), tmp_path / "plain")
    empty = written(small_county(), tmp_path / "empty")
    for table, column in (("attendance", "group"), ("school_stage", "groups")):
        rows = pd.read_csv(empty / f"{table}.csv", dtype=str, keep_default_na=False)
        rows.assign(**{column: ""}).to_csv(empty / f"{table}.csv", index=False)
    one, other = read_county(plain), read_county(empty)
    assert one.content_hash == other.content_hash and "group" not in other.attendance
    assert [f.key for f in check(plain)] == [f.key for f in check(empty)]
