"""The completeness report of the dossier: by name in the workbook, counted on the front page."""

from __future__ import annotations

import pandas as pd

from geodata.findings import Finding
from geodata.messages import catalogue
from maps.wording import listed, word
from models.completeness import KINDS, completeness, pupils_balance
from models.plan import PlanResult

NAMED = 8
"""Names of each kind on the front page; the workbook has all."""


def _detail(kind: str, detail: object, language: str) -> str:
    if isinstance(detail, Finding):
        return detail.text(language)
    if isinstance(detail, float) and pd.notna(detail):
        return word("gap_metres", language, metres=round(detail))
    return word(f"gap_why_{kind}", language)


def by_name(result: PlanResult, language: str) -> pd.DataFrame:
    """Every incomplete place or column: ``kind, table, id, name, detail`` in words."""
    table = completeness(result)
    said = [_detail(k, d, language) for k, d in zip(table["kind"], table["detail"], strict=True)]
    kinds = [word(f"gap_{k}", language) for k in table["kind"]]
    titles = [catalogue(language).get(f"workbook.table_{t}", t) for t in table["table"]]
    return table.assign(kind=kinds, table=titles, detail=said)


def counts(result: PlanResult, language: str) -> list[tuple[str, int, str]]:
    """Each kind with its count and first names, kinds without a place included."""
    table = completeness(result)
    rows = []
    for kind in KINDS:
        names = table.loc[table["kind"] == kind, "name"].astype(str).drop_duplicates().tolist()
        shown = listed(names[:NAMED], language) + (" …" if len(names) > NAMED else "")
        rows.append((word(f"gap_{kind}", language), int((table["kind"] == kind).sum()), shown))
    return rows


def balance_sentence(result: PlanResult, language: str) -> str:
    """Whether pupils in equal pupils assigned plus pupils listed, with the numbers."""
    sums = pupils_balance(result.county, result.plan, result.findings)
    fields = {"demand": sums.demand, "assigned": sums.assigned, "listed": sums.listed}
    if sums.holds:
        return word("balance_holds", language, **fields)
    return word("balance_broken", language, lost=sums.demand - sums.assigned - sums.listed, **fields)
