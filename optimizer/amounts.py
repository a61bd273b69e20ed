"""Are the amounts of a scenario in the unit that they are read in? Yuan for 万元, and the other way round."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from geodata.contract.county import County
from geodata.contract.findings import Finding

MOST_A_PUPIL = 100_000.0
"""Yuan a pupil that no county's plan comes near [A]: a new school costs about a third of it."""
LEAST = 1000.0
"""Yuan below which a budget buys nothing at all [A]."""
WAN = 10_000.0


def doubtful_amounts(
    budget: Mapping[Any, float] | None, county: County, large: bool = False
) -> list[Finding]:
    """Budgets that are likely to be in another unit than they are read in; known for yuan only.

    Parameters
    ----------
    budget : dict of earmark to yuan, or None
    county : County
    large : bool
        They were written in 10,000 yuan (万元).

    Returns
    -------
    list of Finding
        Errors, under the file ``scenario`` and the column ``budget.<earmark>``.
    """
    found: list[Finding] = []
    if county.scheme.currency.en != "yuan":  # what is plausible is known for this money only
        return found
    pupils = max(1.0, float(county.school_stage["pupils"].sum()))
    for earmark, yuan in (budget or {}).items():
        written = yuan / WAN if large else yuan
        at = ("scenario", "", None, f"budget.{earmark}", f"{written:.12g}")
        fields: dict[str, object] = {"amount": f"{written:,.12g}", "each": f"{yuan / pupils:,.0f}"}
        if yuan / pupils > MOST_A_PUPIL:
            key = "form.amount_large" if large else "form.amount_beyond"
            found.append(Finding("error", key, {**fields, "meant": f"{written / WAN:.12g}"}, *at))
        elif 0 < yuan < LEAST:
            fields = {"amount": f"{yuan:,.12g}", "meant": f"{written if large else written * WAN:.12g}"}
            if large:  # 0.004 of 万元 were 40 yuan: the number of yuan is what was meant in 万元
                fields["meant"] = f"{yuan:.12g}"
            found.append(Finding("error", "form.amount_small", fields, *at))
    return found
