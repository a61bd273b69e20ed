"""The verb ``audit``: where a county stands today, without a plan."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from geodata.contract.county import County
from models.problem.indicators import assess, merged_units, stage_table, unit_table, verdicts
from models.problem.spread import cv_table
from models.standards.norms import Standards, load_standards


@dataclass(frozen=True)
class Audit:
    """Today's indicators, verdicts and CVs.

    Parameters
    ----------
    indicators : DataFrame
        Unit x indicator: ``unit_id, school_id, name, township, stage, indicator, resource, threshold,
        assessed_today, pupils_today, amount_today, ratio_today, met_today, gap_today``.
    units : DataFrame
        ``unit_id, school_id, name, township, zone, kind, stage, pupils_today, assessed_today,
        passes_today, indicators_met_today``.
        ``passes_today`` is not known (NA) at units that are not assessed.
    cv : DataFrame
        ``stage, indicator, cv_today, unweighted_today, mean_today, limit, ok_today, hoover_today``.
    stages : DataFrame
        ``stage, units, units_passing, cvs, cvs_ok, mean_cv, mean_limit, passes``: what is assessed, what of
        it passes, and whether the stage does (NA: something asked cannot be assessed).
    """

    indicators: pd.DataFrame
    units: pd.DataFrame
    cv: pd.DataFrame
    stages: pd.DataFrame

    @property
    def imbalance(self) -> float:
        """Sum of the squared official CVs; NaN where none is assessed."""
        return float((self.cv["cv_today"] ** 2).sum(min_count=1))

    def __repr__(self) -> str:
        """A line: units that pass, CVs within their limits."""
        told = self.stages[["units_passing", "units", "cvs_ok", "cvs"]].sum()
        return (
            f"Audit({told['units_passing']:.0f} of {told['units']:.0f} units pass, "
            f"{told['cvs_ok']:.0f} of {told['cvs']:.0f} CVs within their limits)"
        )

    def _repr_html_(self) -> str:
        """The CV table, for notebooks."""
        html: str = self.cv.round(3).to_html(index=False)
        return html


def audit(county: County, standards: Standards | None = None) -> Audit:
    """Where a county stands today.

    Parameters
    ----------
    county : County
    standards : Standards or None
        None loads those that the county names.

    Returns
    -------
    Audit
    """
    standards = standards or load_standards(county)
    units = unit_table(county, standards)
    units = merged_units(units[units["taking_part"]], standards)
    cells = assess(units, standards)
    said = verdicts(cells, standards).reindex(units.index)
    table = units[["school_id", "name", "township", "zone", "kind", "stage", "pupils", "assessed"]].join(said)
    table["passes"] = table["passes"].astype("boolean").where(table["assessed"])
    counts = ["indicators_met", "indicators_tested"]
    table[counts] = table[counts].fillna(0).astype(int)
    if table["pupils"].isna().any():
        table["pupils"] = table["pupils"].astype("Int64")
    cvs = cv_table(units, standards, units["assessed"])
    stages = stage_table(units, cells, cvs, standards)
    taught = set(units["stage"])  # a stage that no school teaches is not part of this county
    cvs, stages = cvs[cvs["stage"].isin(taught)], stages[stages["stage"].isin(taught)]
    about = table[["school_id", "name", "township", "assessed"]]
    cells = cells.merge(about, left_on="unit_id", right_index=True).reset_index(drop=True)

    def today(frame: pd.DataFrame, names: list[str]) -> pd.DataFrame:
        return frame.rename(columns={n: f"{n}_today" for n in names})

    return Audit(
        today(cells, ["pupils", "amount", "ratio", "met", "gap", "assessed"]).drop(columns="near"),
        today(table.rename_axis("unit_id").reset_index(), ["pupils", "passes", "indicators_met", "indicators_tested", "assessed"]),
        today(cvs, ["cv", "unweighted", "mean", "ok", "hoover"]), stages,
    )  # fmt: skip
