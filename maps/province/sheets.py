"""The tables of a province's split in words, for the workbook, the page and the terminal."""

from __future__ import annotations

import pandas as pd

from maps.dossier.tables import Sheet
from maps.province.words import county_said, province_goal, province_word, sum_said, why_said
from models.study.provincial import Province

WHOLE = ("grant_floor", "grant_equal", "grant_split", "assessed", "passing_today", "passing_own", "passing_equal", "passing_split")  # fmt: skip
VALUES = ("value_own", "value_equal", "bound_equal", "value_split", "bound_split")


def _headed(table: pd.DataFrame, found: Province, language: str) -> pd.DataFrame:
    goal = province_goal(found, language)
    return table.rename(columns={c: province_word(f"col_{c}", language, goal=goal) for c in table.columns})


def _whole(value: float) -> str:
    return f"{value:,.0f}" if value == value else ""


def counties_sheet(found: Province, language: str) -> Sheet:
    """One row a county: its grants, what it reaches with each, why it is left out."""
    t = found.counties
    rows = t.to_dict("records")
    columns: dict[str, list[object]] = {
        "county": [county_said(r, language) for r in rows],
        "pupils": [_whole(r["pupils"]) for r in rows],
        "status": [province_word(f"status_{r['status']}", language) for r in rows],
    }
    columns |= {c: [_whole(v) for v in t[c]] for c in WHOLE}
    columns |= {c: ["" if v != v else sum_said(float(v), language) for v in t[c]] for c in VALUES}
    columns |= {"plan": list(t["plan"]), "why": [why_said(found, r, language) for r in rows]}
    return Sheet("counties", _headed(pd.DataFrame(columns), found, language), {})


def grants_sheet(found: Province, language: str) -> Sheet:
    """One row a county and grant: what its plan reaches and what is proven."""
    names = {int(r["county"]): county_said(r, language) for r in found.counties.to_dict("records")}
    t = found.points
    table = pd.DataFrame(
        {
            "county": [names[int(n)] for n in t["county"]], "grant": [_whole(v) for v in t["grant"]],
            "solve": [province_word(f"solve_{s}", language) for s in t["solve"]],
            "value": ["" if v != v else sum_said(float(v), language) for v in t["value"]],
            "bound": [sum_said(float(v), language) for v in t["bound"]],
            "passing": [_whole(v) for v in t["passing"]], "assessed": [_whole(v) for v in t["assessed"]],
            "cost": [_whole(v) for v in t["cost"]],
        }
    )  # fmt: skip
    return Sheet("points", _headed(table, found, language), {})


def province_sheets(found: Province, language: str) -> list[Sheet]:
    """All tables that have rows."""
    return [s for s in (counties_sheet(found, language), grants_sheet(found, language)) if len(s.table)]
