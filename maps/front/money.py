"""What it costs: by earmark, and what each earmark is spent on."""

from __future__ import annotations

import pandas as pd

from maps.front.text import PageCell, PageTable, headings, large, number, phrase
from maps.wording import name
from models.plan.decisions import PlanResult


def earmarks(result: PlanResult, language: str) -> PageTable:
    """Money by earmark with its total; what an earmark lacks is paid by the money for any purpose.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}

    Returns
    -------
    PageTable
    """
    b = result.verdict.budget
    special = b["earmark"] != "any"
    lacking = (b["spent"] - b["available"]).clip(lower=0).where(special, 0.0)
    own = b["spent"].where(special, 0.0)
    yearly = spending(result).groupby("earmark")["yearly"].sum()
    rows = tuple(
        (
            PageCell(name("earmark", e, language)), number(large(have)), number(large(spent) if e != "any" else large(0)), number(large(yearly.get(e, 0.0))),
            number(large(lack if e != "any" else -spent)), number(large(have - spent + lack), "bad" if have - spent + lack < -0.5 else ""),
        )
        for e, have, spent, lack in zip(b["earmark"], b["available"], b["spent"], lacking, strict=True)
    )  # fmt: skip
    total = (
        PageCell(phrase("total", language)), number(large(b["available"].sum())), number(large(own.sum())), number(large(yearly.sum())),
        number(large(lacking.sum() - b["spent"].where(~special, 0.0).sum())), number(large(b["available"].sum() - own.sum())),
    )  # fmt: skip
    head = headings(language, "earmark", "available#", "spent#", "yearly#", "from_any#", "left#")
    return PageTable(head, rows, total)


def spending(result: PlanResult) -> pd.DataFrame:
    """Charged yuan by ``earmark, action``: ``yuan`` and the part that recurs ``yearly``, largest first."""
    costs = result.verdict.costs
    costs = costs[costs["charged"].astype(bool)]
    costs = costs.assign(yearly=costs["yuan"].where(costs["recurrent"].astype(bool), 0.0))
    table = costs.groupby(["earmark", "action"], as_index=False)[["yuan", "yearly"]].sum()
    return table.sort_values("yuan", ascending=False, kind="stable").reset_index(drop=True)


def uses(result: PlanResult, language: str) -> PageTable:
    """What the money is spent on.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}

    Returns
    -------
    PageTable
    """
    table = spending(result)
    rows = tuple(
        (
            PageCell(name("action", r.action, language)),
            PageCell(name("earmark", r.earmark, language)),
            number(large(r.yuan)),
            number(large(r.yearly)),
        )
        for r in table.itertuples()
    )
    total = (
        PageCell(phrase("total", language)),
        PageCell(""),
        number(large(table["yuan"].sum())),
        number(large(table["yearly"].sum())),
    )
    return PageTable(headings(language, "use", "earmark", "spent#", "yearly#"), rows, total if rows else ())
