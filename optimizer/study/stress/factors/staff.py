"""Staff: teachers who leave, who retire, and a freeze on hiring. Whole heads, chosen by lot."""

from __future__ import annotations

import numpy as np

from optimizer.study.stress.factors.record import Case, Factor


def _stages(case: Case) -> tuple[str, ...]:
    return tuple(case.county.scheme.stage_ids)


def by_lot(heads: np.ndarray, leave: int, chance: np.random.Generator) -> np.ndarray:
    """How many of each row's heads leave when everybody's chance is the same.

    Who leaves first is one order for all numbers: those who leave when 3 % do are among them when 5 % do.

    Parameters
    ----------
    heads : ndarray of int
    leave : int
        At most their sum.
    chance : Generator

    Returns
    -------
    ndarray of int
    """
    people = chance.permutation(np.repeat(np.arange(len(heads)), heads))
    return np.bincount(people[:leave], minlength=len(heads))


def _without(case: Case, column: str, value: float, of: str, factor: str) -> Case:
    """The staff without a part of those that a column counts."""
    stock = case.county.staff_stock.copy()
    chance = case.chance(factor)
    count, heads = (stock[c].to_numpy(float, na_value=np.nan) for c in (column, "heads"))
    most = np.minimum(np.nan_to_num(count), np.nan_to_num(heads)).astype("int64")
    rows: dict[tuple[str, str], list[int]] = {}
    for i, key in enumerate(zip(stock["stage"], stock["cat_id"], strict=True)):
        if not of or key[0] == of:
            rows.setdefault(key, []).append(i)
    gone = np.zeros(len(stock), dtype="int64")
    for _, at in sorted(rows.items()):
        leave = int(np.floor(value * most[at].sum() + 0.5))
        gone[at] = by_lot(most[at], leave, chance)
    stock["heads"] -= gone
    stock["near_retirement"] -= gone if column == "near_retirement" else 0
    for c in ("near_retirement", "eligible_rotation"):  # parts of what is left
        stock[c] = stock[c].where(stock[c].isna() | (stock[c] <= stock["heads"]), stock["heads"])
    return case.but(staff_stock=stock.astype(case.county.staff_stock.dtypes.to_dict()))


def attrition(case: Case, value: float, of: str) -> Case:
    """A part of the teachers of every category leaves before the plan begins, and nobody takes their place."""
    return _without(case, "heads", value, of, "attrition")


def retirements(case: Case, value: float, of: str) -> Case:
    """A part of those near retirement retires, and nobody takes their place."""
    return _without(case, "near_retirement", value, of, "retirements")


def _nobody_near(case: Case, of: str) -> str | None:
    return None if case.county.staff_stock["near_retirement"].fillna(0).gt(0).any() else "cannot_no_near"


def hiring_freeze(case: Case, value: float, of: str) -> Case:
    """With 1 nobody can be hired; hires of a plan fall away."""
    if value < 0.5:
        return case
    return case.but(staff_category=case.county.staff_category.assign(hireable=False))


def _no_hiring(case: Case, of: str) -> str | None:
    return None if case.county.staff_category["hireable"].any() else "cannot_no_hiring"


FACTORS = (
    Factor("attrition", "part", 0.0, 0.5, 0.0, attrition, _stages),
    Factor("retirements", "part", 0.0, 1.0, 0.0, retirements, _stages, _nobody_near),
    Factor("hiring_freeze", "flag", 0.0, 1.0, 0.0, hiring_freeze, cannot=_no_hiring),
)
