"""The completeness report of the dossier: by name in the workbook, counted on the front page."""

from __future__ import annotations

import pandas as pd

from geodata.contract.findings import Finding
from geodata.contract.tables import TABLES
from geodata.messages import catalogue
from maps.front.text import whole
from maps.wording import listed, word
from models.plan.decisions import PlanResult
from models.problem.completeness import KINDS, completeness, pupils_balance

NAMED = 8
"""Names of each kind on the front page; the workbook has all."""


def _detail(kind: str, detail: object, language: str) -> str:
    if isinstance(detail, Finding):
        return detail.text(language)
    if isinstance(detail, float) and pd.notna(detail):
        return word("gap_metres", language, metres=round(detail))
    return word(f"gap_why_{kind}", language)


def _table(table: str, language: str) -> str:
    """A table's title: the workbook's own word, the Chinese title of its definition, or its name."""
    own = TABLES[table].zh if language == "zh" and table in TABLES else table
    return catalogue(language).get(f"workbook.table_{table}", own)


def _named(table: pd.DataFrame, language: str, with_ids: bool = True) -> list[str]:
    """Names; a column's with its Chinese header where the page is Chinese. Without ids as officials read them."""
    headers = {(t, c.name): c.zh for t, d in TABLES.items() for c in d.columns} if language == "zh" else {}
    keys = zip(table["table"], table["name"].astype(str), table["id"] == "", strict=True)
    return [_column(n, headers.get((t, n)), with_ids) if whole_column else n for t, n, whole_column in keys]


def _column(column: str, header: str | None, with_id: bool) -> str:
    if header is None:
        return column if with_id else column.replace("_", " ")
    return f"{header}（{column}）" if with_id else header


def by_name(result: PlanResult, language: str) -> pd.DataFrame:
    """Every incomplete place or column: ``kind, table, id, name, detail`` in words."""
    table = completeness(result)
    said = [_detail(k, d, language) for k, d in zip(table["kind"], table["detail"], strict=True)]
    kinds = [word(f"gap_{k}", language) for k in table["kind"]]
    titles = [_table(t, language) for t in table["table"]]
    return table.assign(kind=kinds, table=titles, name=_named(table, language), detail=said)


def counts(result: PlanResult, language: str) -> list[tuple[str, int, str]]:
    """Each kind with its count and first names, kinds without a place included."""
    table = completeness(result)
    table = table.assign(name=_named(table, language, with_ids=False))
    rows = []
    for kind in KINDS:
        names = table.loc[table["kind"] == kind, "name"].drop_duplicates().tolist()
        shown = listed(names[:NAMED], language) + (" …" if len(names) > NAMED else "")
        rows.append((word(f"gap_{kind}", language), int((table["kind"] == kind).sum()), shown))
    return rows


def balance_sentence(result: PlanResult, language: str) -> str:
    """Whether pupils in equal pupils assigned plus pupils listed, with the numbers."""
    sums = pupils_balance(result.county, result.plan, result.findings)
    fields = {"demand": whole(sums.demand), "assigned": whole(sums.assigned), "listed": whole(sums.listed)}
    if sums.holds:
        return word("balance_holds", language, **fields)
    return word("balance_broken", language, lost=whole(sums.demand - sums.assigned - sums.listed), **fields)
