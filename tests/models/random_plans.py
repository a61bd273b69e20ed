"""Random plans of small counties: what anybody might decide, sound or not, within the ledger's contract."""

from __future__ import annotations

import pandas as pd
from hypothesis import strategies as st

from models.plan.decisions import Plan, make_plan
from tests.models.plans import Case, keep_all, rows

MOST = 1e8


def _frame(name: str, drawn: list[tuple[object, ...]]) -> pd.DataFrame:
    return rows(name, *drawn)


@st.composite
def plans(draw: st.DrawFn, case: Case) -> Plan:
    """A plan of a case's county: bands, schools, modes, moves, hires and purchases at will."""
    today = keep_all(case)
    schools = sorted(case.county.school_stage["school_id"].unique())
    units = sorted(zip(case.county.school_stage["school_id"], case.county.school_stage["stage"], strict=True))
    categories = sorted(
        zip(case.county.staff_category["stage"], case.county.staff_category["cat_id"], strict=True)
    )
    bands = today.bands.copy()
    bands["open"] = draw(st.lists(st.booleans(), min_size=len(bands), max_size=len(bands)))
    bands["classes"] = draw(st.lists(st.integers(0, 12), min_size=len(bands), max_size=len(bands)))
    going = today.attendance.copy()
    for row in draw(st.sets(st.integers(0, len(going) - 1), max_size=6)):
        going.loc[row, ["school_id", "mode"]] = [
            draw(st.sampled_from(schools)),
            draw(st.sampled_from(["walk", "bus"])),
        ]
        going.loc[row, "pupils"] = draw(st.integers(0, 300))
    unit, heads = st.sampled_from(units), st.integers(0, 40)
    amount = st.one_of(st.integers(0, 10_000).map(float), st.floats(0, MOST, allow_nan=False))
    kind = st.sampled_from(["rooms_multimedia", "equip_value", "area_teaching", "area_sport"])
    of = {s: [c for t, c in categories if t == s] for s, _ in categories}
    moves = [
        (*a, *b, draw(st.sampled_from(of[a[1]])), draw(heads))
        for a, b in draw(st.lists(st.tuples(unit, unit), max_size=4))
    ]
    hires = [(*u, draw(st.sampled_from(of[u[1]])), draw(heads)) for u in draw(st.lists(unit, max_size=3))]
    bought = [(*u, draw(kind), draw(amount)) for u in draw(st.lists(unit, max_size=4))]
    items = [(*a, *b, draw(kind), draw(amount)) for a, b in draw(st.lists(st.tuples(unit, unit), max_size=3))]
    return make_plan(
        case.county.year, bands=bands, attendance=going, staff_moves=_frame("staff_moves", moves), hires=_frame("hires", hires),
        purchases=_frame("purchases", bought), item_moves=_frame("item_moves", items),
    )  # fmt: skip
