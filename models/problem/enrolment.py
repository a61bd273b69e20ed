"""How few and how many pupils an open unit can have, given which pairs are still possible."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.formulation.network import standing
from models.problem.instance import Instance


@dataclass(frozen=True)
class Reach:
    """The network's pairs as numbers, so that ranges are recomputed in milliseconds as pairs drop out.

    Parameters
    ----------
    units : tuple of str
        unit_id by position.
    place : ndarray (groups and sites)
        One row per zone group and site it may attend: position of the unit.
    group, pupils : ndarray
        Of the same rows: number of the zone group, its pupils (0 where ``held`` has them).
    row_of_pair : ndarray (pairs)
        Row of each of ``Instance.pairs``, in order; two modes share a row.
    sure : ndarray of bool
        Rows whose band is taught whenever the unit is open.
    stays, held : ndarray (units)
        Pupils of groups that cannot move; of those who stay whenever the unit is open.
    least, most : ndarray (units)
        Assessment floor (0 without one), the largest that rules admit.
    """

    units: tuple[str, ...]
    place: np.ndarray
    group: np.ndarray
    pupils: np.ndarray
    row_of_pair: np.ndarray
    sure: np.ndarray
    stays: np.ndarray
    held: np.ndarray
    least: np.ndarray
    most: np.ndarray

    def range(self, possible: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Least and most pupils of every unit while it is open.

        Parameters
        ----------
        possible : ndarray of bool (pairs)

        Returns
        -------
        low, high : ndarray (units)
            ``1 <= low <= high``.
        """
        n = len(self.units)
        row = np.zeros(len(self.place), dtype=bool)
        row[self.row_of_pair[possible]] = True
        choices = np.bincount(self.group[row], minlength=int(self.group.max(initial=0)) + 1)
        forced = row & (choices[self.group] == 1) & self.sure
        low = (
            np.bincount(self.place[forced], weights=self.pupils[forced], minlength=n) + self.stays + self.held
        )
        high = np.bincount(self.place[row], weights=self.pupils[row], minlength=n) + self.stays + self.held
        high = np.maximum(np.minimum(high, self.most), 1.0)
        return np.clip(np.maximum(low, self.least), 1.0, high), high


def reach_of(inst: Instance) -> Reach:
    """The `Reach` of an instance."""
    units = tuple(inst.units.index)
    at = {u: i for i, u in enumerate(units)}
    pairs, bands = inst.pairs, inst.bands
    key = pairs[["g", "school_id", "band"]]
    rows = key.drop_duplicates().reset_index(drop=True)
    row_of_pair = key.merge(rows.assign(row=rows.index), how="left")["row"].to_numpy()
    per_group = inst.groups["pupils"].reindex(rows["g"]).to_numpy(float)
    place = rows[["school_id", "band"]].merge(bands["unit_id"].reset_index(), how="left")["unit_id"].map(at)
    sure_bands = _taught_while_open(inst)
    sure = rows[["school_id", "band"]].merge(sure_bands, how="left")["sure"].to_numpy(bool)
    fixed = standing(inst).merge(
        bands["unit_id"].reset_index(), left_on=["today_school_id", "band"], right_on=["school_id", "band"]
    )
    stays = np.bincount(fixed["unit_id"].map(at), weights=fixed["pupils"], minlength=len(units))
    stay = pairs[pairs["stay"] & ~pairs["g"].map(inst.groups["main"]).astype(bool)]
    stay = stay.drop_duplicates(["g", "school_id", "band"]).merge(sure_bands, on=["school_id", "band"])
    # those held are counted there, and not once more among the rows: a group with one way left was counted twice
    mine = rows.merge(stay.loc[stay["sure"], ["g", "school_id", "band"]], how="left", indicator=True)
    per_group = np.where(mine["_merge"] == "both", 0.0, per_group)
    held = np.bincount(stay["unit_id"].map(at), weights=stay["pupils"] * stay["sure"], minlength=len(units))
    floor = inst.standards.value("assessed_floor") if inst.standards.hard("assessed_floor") else 0.0
    least = np.where(inst.units["assessed"], np.minimum(floor, inst.units["pupils"]), 0.0)
    return Reach(
        units, place.to_numpy(int), pd.factorize(rows["g"])[0], per_group, row_of_pair, sure, stays, held,
        least.astype(float), inst.units["largest"].to_numpy(float),
    )  # fmt: skip


def _taught_while_open(inst: Instance) -> pd.DataFrame:
    """``school_id, band, unit_id, sure``: is the band taught whenever its unit is open?

    A locked band is, the only band of a unit is, and the lowest one of a unit is, because bands close from
    the top.
    """
    table = inst.bands[["unit_id", "lock"]].reset_index()
    place = table["band"].map({b: n for n, b in enumerate(inst.standards.scheme.band_ids)})
    lowest = place.eq(place.groupby(table["unit_id"]).transform("min"))
    return table.assign(sure=table["lock"].eq("open") | lowest)[["school_id", "band", "unit_id", "sure"]]
