"""The highest plane under the sum of a unit's spreads at a point (`models.formulation.planes.unit_hull`, equation 6).

The largest convex function below F at a point is the cheapest mixture of plans of the unit that has the point
as its mean. HiGHS mixes the plans known so far; its duals are slopes; the plan that is cheapest under these
slopes either shows that no plan is missing, or joins. Slopes of any quality make a valid plane, so they are
kept within `Method.hull_steepest`, which keeps the first ones from running wild, and the last one need not be the best.
"""

from __future__ import annotations

import highspy
import numpy as np

from models.formulation.planes.unit_hull import UnitHull


class HullCuts:
    """Planes of one unit; the plans found for one point serve the next.

    Parameters
    ----------
    hull : UnitHull
    steepest : float
        Largest slope, in pupils a pupil: 15 is that of a tangent where a unit has 3.5 times the mean.
    mixtures : int
        Most mixtures tried for one plane.
    """

    def __init__(self, hull: UnitHull, steepest: float = 15.0, mixtures: int = 200):
        self.hull, self.mixtures = hull, mixtures
        self.rows = np.arange(len(hull.mean) + 2, dtype=np.int32)
        self.highs = highspy.Highs()
        for option, value in (("output_flag", False), ("threads", 1), ("presolve", "off")):
            self.highs.setOptionValue(option, value)
        none = np.array([], dtype=np.int32)
        for _ in self.rows:
            self.highs.addRow(0.0, 0.0, 0, none, np.array([]))
        for i in self.rows:
            price = 1e6 if i == 0 else steepest
            for sign in (1.0, -1.0):
                self._add(price, np.array([i], dtype=np.int32), np.array([sign]))

    def _add(self, cost: float, rows: np.ndarray, values: np.ndarray) -> None:
        self.highs.addCol(cost, 0.0, highspy.kHighsInf, len(rows), rows, values)

    def plane(self, pupils: float, amount: np.ndarray, slack: float) -> tuple[float, np.ndarray]:
        """The highest plane at a point, to within ``slack``.

        Parameters
        ----------
        pupils : float
            P, within the hull's range.
        amount : ndarray (r,)
            y, in pupil-equivalents.
        slack : float
            In pupils.

        Returns
        -------
        height : float
            Of the plane at the point.
        plane : ndarray (r + 2,)
            Slopes on amounts, on pupils, constant.
        """
        here = np.concatenate([[1.0, pupils], amount])
        self.highs.changeRowsBounds(len(here), self.rows, here, here)
        height, plane = -np.inf, np.zeros(len(here))
        for _ in range(self.mixtures):
            self.highs.run()
            dual = np.array(self.highs.getSolution().row_dual)
            mixed = float(self.highs.getInfo().objective_function_value)
            constant, size, y = self.hull.cheapest(dual[2:], float(dual[1]))
            found = float(dual[1:] @ here[1:]) + constant
            if found > height:
                height, plane = found, np.concatenate([dual[2:], dual[1:2], [constant]])
            if mixed - height <= slack:
                break
            self._add(self.hull.worth(size, y), self.rows, np.concatenate([[1.0, size], y]))
        return height, plane
