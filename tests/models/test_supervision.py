"""Year on year: what was carried out of a plan, which figures moved and why, which school is which, what is wrong now."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.contract.county import County
from models.plan.decisions import Plan
from models.problem.baseline import today_groups
from models.referee.audit import audit
from models.supervision.carried_out import carried_out
from models.supervision.matching import match
from models.supervision.moved import DRIVERS, Years, moved, norm_changes, units_passing
from models.supervision.problems import problems_of, rectified
from models.supervision.shapley import shapley
from models.supervision.stocks import Key, Move, Span, settled
from models.supervision.unfinished import unfinished
from tests.counties import BUNDLED, bundled_county
from tests.models.plans import closing, ready, rows, send
from tests.samples import frame, small_county, staff
from tests.years import decided, year_after


@cache
def small() -> County:
    """The hand-sized county, made once; its tables are only read."""
    return small_county()


@cache
def made() -> Plan:
    """A plan by hand with every kind of action: A3 closes, V3 goes to A1 and A2, heads and things come."""
    case = ready()
    plan = send(closing(case), "V3", "g4_6", "A2", "bus")
    return replace(
        plan,
        staff_moves=rows("staff_moves", ("A1", "pri", "B1", "pri", "backbone", 2), ("A3", "pri", "A2", "pri", "plain", 2)),
        hires=rows("hires", ("A2", "pri", "arts", 3), ("B9", "jun", "arts", 1)),
        purchases=rows("purchases", ("B1", "pri", "rooms_multimedia", 4), ("A2", "pri", "equip_value", 50_000.0), ("A9", "jun", "area_sport", 300.0)),
        item_moves=rows("item_moves", ("A3", "pri", "A1", "pri", "rooms_multimedia", 2)),
    )  # fmt: skip


def after_of(*row_ids: str, drop: bool = False) -> County:
    return year_after(small(), made(), row_ids, drop)


def seen(after: County, before: County | None = None) -> pd.DataFrame:
    before = before or small()
    return carried_out(before, made(), after, match(before, after)).set_index("row_id")


EVERY = tuple(decided(made())["row_id"])


def row_of(action: str, **cells: object) -> str:
    """The id of a row of the plan."""
    table = decided(made())
    hit = table[table["action"] == action]
    for column, value in cells.items():
        hit = hit[hit[column] == value]
    (found,) = hit["row_id"]
    return str(found)


# --- what was carried out


def test_the_plan_has_every_kind_of_action() -> None:
    assert set(decided(made())["action"]) == {"band", "attend", "transfer", "hire", "buy", "move_item"}


@pytest.mark.parametrize("drop", [False, True])
def test_a_plan_that_is_carried_out_is_done_and_one_that_is_not_slipped(drop: bool) -> None:
    assert set(seen(after_of(*EVERY, drop=drop))["status"]) == {"done"}
    nothing = seen(after_of())
    assert set(nothing["status"]) == {"slipped"}
    assert (nothing["most"] == 0).all() and list(nothing.index) == list(dict.fromkeys(nothing.index))
    assert set(nothing.index) == set(EVERY)


@settings(max_examples=6)
@given(st.sets(st.sampled_from(EVERY)))
def test_what_was_not_done_is_never_taken_for_done(done: set[str]) -> None:
    """Whatever subset is carried out: done is only what is, and what was done is never said to have slipped."""
    found = seen(after_of(*done))
    assert set(found.index) == set(EVERY)  # nothing is dropped
    for row_id, row in found.iterrows():
        assert row["status"] != "done" or row_id in done, row
        assert row["status"] not in ("slipped", "part") or row_id not in done, row
        assert 0 <= row["least"] <= row["most"] <= row["planned"]


def test_what_was_done_in_part_says_how_much() -> None:
    after = after_of()
    stock = after.staff_stock.copy()
    extra = stock[stock["school_id"] == "A2"].iloc[:1].assign(cat_id="arts", heads=1)
    at = (stock["school_id"] == "A2") & (stock["cat_id"] == "arts")
    if at.any():
        stock.loc[at, "heads"] += 1
    else:
        stock = pd.concat([stock, extra], ignore_index=True)
    found = seen(replace(after, staff_stock=stock)).loc[row_of("hire", school_id="A2")]
    assert (found["status"], found["planned"], found["least"], found["most"]) == ("part", 3.0, 1.0, 1.0)
    assert (found["was"], found["now"]) == (1.0, 2.0)


def test_retirements_may_hide_what_came() -> None:
    before = small()
    stock = before.staff_stock
    at = (stock["school_id"] == "A2") & (stock["cat_id"] == "arts")
    near = replace(before, staff_stock=stock.assign(near_retirement=stock["near_retirement"].where(~at, 3)))
    found = seen(after_of(), near).loc[row_of("hire", school_id="A2")]
    assert (found["status"], found["why"], found["least"], found["most"]) == (
        "unknown",
        "retirement",
        0.0,
        3.0,
    )


def changed(county: County, table: str, column: str, value: Any, **where: object) -> County:
    """A county with some cells of a table set."""
    frame_ = getattr(county, table).copy()
    hit = pd.Series(True, index=frame_.index)
    for c, v in where.items():
        hit &= frame_[c] == v
    assert hit.any()
    if value is None and frame_[column].dtype.kind == "i":
        frame_[column] = frame_[column].astype("Int64")
    frame_.loc[hit, column] = (
        value if value is not None else pd.NA if frame_[column].dtype == "Int64" else math.nan
    )
    return replace(county, **{table: frame_})


@pytest.mark.parametrize(
    ("table", "column", "value", "where", "row", "why"),
    [
        ("school_stage", "equip_value", None, {"school_id": "A2"}, ("buy", {"school_id": "A2"}), "unknown_amount"),
        ("school_stage", "equip_value", 1.0, {"school_id": "A2"}, ("buy", {"school_id": "A2"}), "fell"),
        ("staff_stock", "heads", None, {"school_id": "B9", "cat_id": "plain"}, ("hire", {"school_id": "B9"}), "unknown_amount"),
        ("staff_category", "cat_id", "other", {"cat_id": "backbone"}, ("transfer", {"to_id": "B1"}), "no_category"),
        ("schools", "status", "suspended", {"school_id": "A3"}, ("band", {"school_id": "A3"}), "still_pupils"),
        ("villages", "village_id", "V9", {"village_id": "V3"}, ("attend", {"band": "g4_6"}), "no_attendance"),
        ("schools", "status", "suspended", {"school_id": "B9"}, ("hire", {"school_id": "B9"}), "gone"),
    ],
)  # fmt: skip
def test_what_the_tables_cannot_tell_is_not_assessed(
    table: str,
    column: str,
    value: Any,
    where: dict[str, object],
    row: tuple[str, dict[str, object]],
    why: str,
) -> None:
    found = seen(changed(after_of(), table, column, value, **where)).loc[row_of(row[0], **row[1])]
    assert (found["status"], found["why"]) == ("unknown", why)


def test_without_attendance_nobody_knows_who_goes_where() -> None:
    after = replace(after_of(*EVERY), attendance=frame("attendance", []))
    found = seen(after)
    assert set(found.loc[found["action"] == "attend", "why"]) == {"no_attendance"}
    assert set(found.loc[found["action"] != "attend", "status"]) == {"done"}


def test_the_other_end_may_contradict_a_move() -> None:
    """Nobody knows what B1 has, but A1 has all the backbone teachers that it had."""
    after = changed(after_of(), "staff_stock", "heads", None, school_id="B1", cat_id="plain")
    assert seen(after).loc[row_of("transfer", to_id="B1"), "status"] == "slipped"


def span(least: float, most: float) -> Span:
    return Span(least, most)


A, B, C, D = (("A", "pri", "x"), ("B", "pri", "x"), ("C", "pri", "x"), ("D", "pri", "x"))


@pytest.mark.parametrize(
    ("moves", "ends", "starts", "wanted"),
    [
        # two send one each, one arrived: the sender that still has everybody did not send
        ([Move(A, C, 1), Move(B, C, 1)], {C: span(1, 1)}, {A: span(0, 1), B: span(0, 0)}, ["done", "slipped"]),
        # both have one less: nobody can tell whose arrived
        ([Move(A, C, 1), Move(B, C, 1)], {C: span(1, 1)}, {A: span(0, 1), B: span(0, 1)}, ["unknown", "unknown"]),
        # one sends to two, one of them got somebody
        ([Move(A, C, 1), Move(A, D, 1)], {C: span(1, 1), D: span(0, 0)}, {A: span(0, 2)}, ["done", "slipped"]),
        # the second sender's is known by what the other receiver did not get
        (
            [Move(A, C, 1), Move(A, D, 1), Move(B, D, 1)], {C: span(1, 1), D: span(1, 1)}, {A: span(0, 1), B: span(0, 1)},
            ["done", "slipped", "done"],
        ),
        # two of three hired, and a transfer: at least one of the hires is there
        ([Move(None, C, 3), Move(A, C, 1)], {C: span(2, 2)}, {A: span(0, 1)}, ["part", "unknown"]),
        # more came than can have left: not from there, or somebody else came to the sender
        ([Move(A, C, 2)], {C: span(2, 2)}, {A: span(0, 1)}, ["unknown"]),
    ],
)  # fmt: skip
def test_decisions_that_share_a_stock(
    moves: list[Move], ends: dict[Key, Span], starts: dict[Key, Span], wanted: list[str]
) -> None:
    assert [h.status for h in settled(moves, ends, starts)] == wanted


def test_half_a_village_that_moved_is_a_part() -> None:
    after = after_of()
    half = pd.DataFrame([{"village_id": "V3", "school_id": "A2", "band": "g4_6", "pupils": 9, "mode": ""}])
    going = changed(after, "attendance", "pupils", 9, village_id="V3", band="g4_6").attendance
    found = seen(replace(after, attendance=pd.concat([going, half], ignore_index=True))).loc[
        row_of("attend", band="g4_6")
    ]
    assert (found["status"], found["least"]) == ("part", 9.0)


def test_a_school_with_another_id_and_name_is_not_taken_for_closed() -> None:
    """The plan closes A3; the tables have a school of another id and name in its township instead."""
    after = after_of()
    tables: dict[str, Any] = {
        t: getattr(after, t).replace({"school_id": {"A3": "Q3"}}) for t in ("schools", "school_stage", "staff_stock", "attendance")
    }  # fmt: skip
    tables["schools"] = tables["schools"].replace({"name": {"甲镇A3": "新星小学"}})
    found = seen(replace(after, **tables)).loc[row_of("band", school_id="A3")]
    assert found["status"] == "unknown"
    known = match(small(), replace(after, **tables), {"A3": "Q3"})
    again = carried_out(small(), made(), replace(after, **tables), known).set_index("row_id")
    assert again.loc[row_of("band", school_id="A3"), "status"] == "slipped"


# --- which school is which


def with_schools(county: County, old: str, **cells: object) -> County:
    """The county with another id, name or place of a school, everywhere."""
    new = str(cells.get("school_id", old))
    tables = {t: getattr(county, t).replace({"school_id": {old: new}}) for t in ("schools", "school_stage", "staff_stock", "attendance")}  # fmt: skip
    at = tables["schools"]["school_id"] == new
    for column, value in cells.items():
        tables["schools"].loc[at, column] = value
    return replace(county, **tables)


@pytest.mark.parametrize(
    ("cells", "state", "said"),
    [
        ({"name": "新名小学"}, "renamed", "was called 甲镇A2"),
        ({"school_id": "Z2"}, "recoded", "had the id A2 and is taken for Z2"),
        ({"status": "suspended"}, "shut", "no longer open"),
        ({"lon": 118.9}, "same", "m from where"),
    ],
)
def test_schools_are_matched_and_what_is_odd_is_named(
    cells: dict[str, object], state: str, said: str
) -> None:
    before = small()
    found = match(before, with_schools(before, "A2", **cells))
    row = found.table[found.table["before_id"] == "A2"].iloc[0]
    assert row["state"] == state
    assert len(found.findings) == 1 and said in found.findings[0].text("en")
    assert all(f.text("zh") != f.text("en") for f in found.findings)
    assert found.schools == ({"A2": "Z2"} if state == "recoded" else {})


def test_a_vanished_school_is_traced_by_its_villages() -> None:
    after = after_of(*EVERY, drop=True)
    table = match(small(), after).table
    gone = table[table["state"] == "gone"]
    assert gone["before_id"].tolist() == ["A3"] and gone["schools"].tolist() == ["甲镇A1 [A1] 100 %"]
    back = match(after, small()).table
    assert back.loc[back["state"] == "new", "schools"].tolist() == ["甲镇A1 [A1] 100 %"]


def test_a_new_name_under_a_new_id_is_only_suggested() -> None:
    before = small()
    found = match(before, with_schools(before, "A2", school_id="Z2", name="新名小学"))
    assert set(found.table["state"]) == {"same", "gone", "new"} and found.schools == {}
    assert any("--same A2=Z2" in f.text("en") for f in found.findings)
    told = match(before, with_schools(before, "A2", school_id="Z2", name="新名小学"), {"A2": "Z2"})
    assert set(told.table["state"]) == {"same", "recoded"}


def test_other_ids_of_schools_and_villages_change_no_figure() -> None:
    before, after = small(), after_of(*EVERY[::2])
    renumbered = with_schools(after, "B1", school_id="X1")
    renumbered = replace(renumbered, **{t: getattr(renumbered, t).replace({"village_id": {"W1": "Y1"}}) for t in ("villages", "attendance", "demand")})  # fmt: skip
    plain, other = seen(after), seen(renumbered)
    pd.testing.assert_series_equal(plain["status"], other["status"])
    assert match(before, renumbered).villages == {"W1": "Y1"}


# --- what moved and why


@given(st.lists(st.floats(-1e9, 1e9), min_size=16, max_size=16))
def test_parts_add_up_to_the_change_exactly(values: list[float]) -> None:
    drivers = ("a", "b", "c", "d")

    def value(some: frozenset[str]) -> dict[str, float]:
        return {"x": values[sum(2 ** drivers.index(d) for d in some)]}

    parts = shapley(value, drivers)["x"]
    assert sum(parts.values()) == Fraction(values[15]) - Fraction(values[0])


def test_a_driver_alone_gets_all_and_two_alike_get_half() -> None:
    def value(some: frozenset[str]) -> dict[str, float]:
        return {"one": float("a" in some), "both": float({"a", "b"} <= some)}

    assert shapley(value, ("a", "b", "c")) == {
        "one": {"a": 1, "b": 0, "c": 0},
        "both": {"a": Fraction(1, 2), "b": Fraction(1, 2), "c": 0},
    }


def test_two_drivers_of_a_ratio_by_hand() -> None:
    """40 rooms for 800 pupils, then 45 for 900: 4.5 a hundred pupils either way, with 0.5 taken and given."""
    a0, p0, a1, p1 = 40.0, 800.0, 45.0, 900.0

    def value(some: frozenset[str]) -> dict[str, float]:
        return {"r": 100 * (a1 if "rooms" in some else a0) / (p1 if "pupils" in some else p0)}

    parts = shapley(value, ("rooms", "pupils"))["r"]
    assert float(parts["pupils"]) == pytest.approx(100 * (a0 + a1) / 2 * (1 / p1 - 1 / p0))
    assert float(parts["rooms"]) == pytest.approx(100 * (a1 - a0) * (1 / p0 + 1 / p1) / 2)


@st.composite
def years(draw: st.DrawFn) -> County:
    """The small county with some pupils, heads, things and schools otherwise."""
    county = small()
    tables: dict[str, pd.DataFrame] = {}
    n = len(county.school_stage)
    part = st.lists(st.integers(0, 2), min_size=n, max_size=n)
    stage = county.school_stage.copy()
    if draw(st.booleans()):
        stage["pupils"] = stage["pupils"] * np.array(draw(part)) // 2
    if draw(st.booleans()):
        stage["rooms_multimedia"] = stage["rooms_multimedia"] * np.array(draw(part))
    tables["school_stage"] = stage
    if draw(st.booleans()):
        m = len(county.staff_stock)
        tables["staff_stock"] = county.staff_stock.assign(
            heads=county.staff_stock["heads"]
            * np.array(draw(st.lists(st.integers(0, 2), min_size=m, max_size=m)))
        )
    gone = draw(st.sets(st.sampled_from(["A2", "A3", "B3"]), max_size=2))
    for name in ("schools", "school_stage", "staff_stock"):
        table = tables.get(name, getattr(county, name))
        tables[name] = table[~table["school_id"].isin(gone)].reset_index(drop=True)
    return replace(county, year=2026, **tables)


@settings(max_examples=3)
@given(years())
def test_figures_are_the_audits_and_their_parts_add_up(after: County) -> None:
    before = small()
    pair = Years(before, after)
    table = moved(pair)
    for county, column in ((before, "before"), (after, "after")):
        told = audit(county)
        mine = table[(table["measure"] == "cv")].set_index(["stage", "indicator"])[column]
        theirs = told.cv.set_index(["stage", "indicator"])["cv_today"]
        pd.testing.assert_series_equal(mine[theirs.index], theirs, check_names=False, atol=1e-12)
        counts = table[table["measure"] == "passing"].set_index("stage")[column]
        assert counts.to_dict() == told.stages.set_index("stage")["units_passing"].reindex(counts.index, fill_value=0).to_dict()  # fmt: skip
        imbalance = table.loc[table["measure"] == "imbalance", column].iloc[0]
        assert imbalance == pytest.approx(told.imbalance, abs=1e-12, nan_ok=True)
    known = table.dropna(subset=[*DRIVERS])
    assert known["measure"].isin(["passing"]).any()
    np.testing.assert_allclose(known[list(DRIVERS)].sum(axis=1), known["change"], atol=1e-9, rtol=1e-9)
    changed_pupils = before.school_stage["pupils"].tolist() != after.school_stage["pupils"].tolist()
    assert changed_pupils or (known["pupils"] == 0).all()
    assert (known["norms"] == 0).all()


def test_other_norms_are_named_and_have_their_part() -> None:
    """A limit of 0.15 for the primary CV of q, and 5 of 7 in place of 6."""
    before = small()
    cells = {"quantity": "q", "operator": ">=", "unit": "1", "kind": "hard", "source": "test"}
    after = replace(before, year=2026, standards=frame("standards", [{"id": "k_of_n", "value": 3, **cells}]))
    pair = Years(before, after)
    assert norm_changes(pair).values.tolist() == [["k_of_n", "value", 6.0, 3.0]]
    table = moved(pair)
    passing = table[table["measure"] == "passing"].set_index("stage")
    assert passing["norms"].tolist() == passing["change"].tolist()
    states = units_passing(pair, table)
    assert (states["state"] != "lost").all()


def test_who_passes_now_and_who_no_longer() -> None:
    """A1 loses its specialist staff; B1 gets all that it lacks."""
    before = small()
    heads = {("A1", "pri"): {"plain": 24}, ("B1", "pri"): {"plain_q": 12, "backbone": 5, "arts": 5}}
    rest = before.staff_stock[~before.staff_stock["school_id"].isin(["A1", "B1"])]
    after = replace(before, year=2026, staff_stock=pd.concat([rest, staff(heads)], ignore_index=True))
    pair = Years(before, after)
    units = units_passing(pair, moved(pair)).set_index("unit_id")
    assert (units.at["A1/pri", "state"], units.at["B1/pri", "state"]) == ("lost", "gained")
    assert (units.at["A1/pri", "staff"], units.at["B1/pri", "staff"]) == (-1.0, 1.0)
    assert units.at["A3/pri", "state"] == "unknown"  # too few pupils to be assessed


# --- problems and what has become of them


def test_problems_are_what_the_audit_does_not_find_met() -> None:
    pair = Years(small(), after_of())
    found = problems_of(pair, 0)
    told = audit(small())
    unmet = told.indicators[
        told.indicators["assessed_today"] & told.indicators["met_today"].eq(False).fillna(False)
    ]
    cells = found[found["kind"] == "cell"]
    assert set(cells["problem"]) == set(unmet["unit_id"] + "/" + unmet["indicator"])
    assert (found["kind"] == "cv").sum() == told.cv["ok_today"].eq(False).fillna(False).sum() == 1
    assert found["problem"].is_unique and (found["gap"] > 0).all()


def test_rectification_says_what_was_planned_done_and_reached() -> None:
    before = small()
    hire = row_of("hire", school_id="A2")
    after = after_of(hire)
    pair = Years(before, after)
    actions = carried_out(before, made(), after, match(before, after))
    found = rectified(pair, actions).set_index("problem")
    arts = found.loc["A2/pri/a"]
    assert (arts["planned"], arts["done"], arts["slipped"]) == (1, 1, 0)
    assert (arts["state"], arts["gap_now"]) == ("solved", 0.0)
    others = found.loc["B9/jun/a"]
    assert (others["planned"], others["slipped"], others["state"]) == (1, 1, "same")
    assert rectified(pair, None)["planned"].eq(0).all()
    gone = rectified(Years(before, replace(after, schools=after.schools.assign(status="suspended"))), None)
    assert set(gone.loc[gone["kind"] == "cell", "state"]) == {"gone"}
    lost = rectified(
        Years(before, changed(after, "staff_stock", "heads", None, school_id="B9", cat_id="arts")), None
    )
    assert lost.set_index("problem").at["B9/jun/a", "state"] == "unknown"


def test_what_is_left_is_held_and_what_may_be_done_is_not_asked_twice() -> None:
    case = ready()
    done = [row_of("transfer", to_id="B1"), row_of("buy", school_id="A2")]
    after = changed(after_of(*done), "staff_stock", "heads", 2, school_id="A2", cat_id="arts")  # one of three
    actions = carried_out(small(), made(), after, match(small(), after))
    groups = today_groups(after, case.standards, case.times)
    held, lost = unfinished(actions, after, groups)
    assert lost.empty
    rows_ = held.rows.set_index(["action", "school_id", "to_id"])
    assert rows_.at[("hire", "A2", ""), "quantity"] == 2.0
    assert ("transfer", "", "B1") not in rows_.index and ("buy", "A2", "") not in rows_.index
    assert rows_.at[("band", "A3", ""), "state"] == "closed" and bool(
        rows_.at[("band", "A3", ""), "held_state"]
    )
    assert set(held.rows["year"]) == {2026}
    assert len(held.rows) == (actions["status"].isin(["part", "slipped"])).sum()


@pytest.mark.parametrize("names", sorted(BUNDLED))
def test_counties_of_other_standards(names: tuple[str, ...]) -> None:
    """Other stages, bands and indicators: half of the staff of every unit is gone, and a table is not there at all."""
    before = bundled_county(names)
    after = replace(
        before, year=2026, staff_stock=before.staff_stock.assign(heads=before.staff_stock["heads"] // 2)
    )
    table = moved(Years(before, after))
    known = table.dropna(subset=["staff"])
    np.testing.assert_allclose(known["staff"], known["change"], atol=1e-9)
    assert len(known) and (known[["pupils", "equipment", "network", "norms"]] == 0).all(axis=None)
    bare = replace(after, staff_stock=after.staff_stock.iloc[:0])
    lost = rectified(Years(before, bare), None)
    kinds = {(i.stage, i.id) for i in Years(before, bare).standards[0].indicators if i.resource in Years(before, bare).standards[0].heads}  # fmt: skip
    about = [key in kinds for key in zip(lost["stage"], lost["indicator"], strict=True)]
    assert set(lost.loc[about, "state"]) <= {"unknown"}
