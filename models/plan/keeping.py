"""`Held`: decisions that a plan has to keep as they were made by hand, row by row of the ledger.

It carries the edited plan's other decisions too, as a start: a search that goes on from the plan at hand does not end far
from it, and not below it where it keeps the rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import pandas as pd

from geodata.contract.findings import Finding
from geodata.messages import LANGUAGES, say
from models.plan.decisions import Plan
from models.plan.differences.edits import CELLS, ledger_edits
from models.plan.ledger import LEDGER_COLUMNS
from models.plan.names import Names
from models.plan.record import number_text

Which = Literal["edited", "all"]
HELD_COLUMNS = [*LEDGER_COLUMNS, *(f"held_{c}" for c in CELLS)]


def _nothing() -> pd.DataFrame:
    return pd.DataFrame(columns=HELD_COLUMNS)


def _no_start() -> pd.DataFrame:
    return pd.DataFrame(columns=LEDGER_COLUMNS)


@dataclass(frozen=True)
class Held:
    """What is held.

    Parameters
    ----------
    rows : DataFrame
        Ledger rows as they have to be, and ``held_<cell>``: whether that cell is held (state, quantity, to_id, mode). A decision
        that was taken out has quantity 0.
    start : DataFrame
        Ledger rows of the edited plan that change something; the search begins from them, and nothing keeps them.
    """

    rows: pd.DataFrame = field(default_factory=_nothing)
    start: pd.DataFrame = field(default_factory=_no_start)

    def __bool__(self) -> bool:
        return bool(len(self.rows))

    def without(self, row_ids: set[str]) -> Held:
        """The others."""
        return replace(self, rows=self.rows[~self.rows["row_id"].isin(row_ids)].reset_index(drop=True))

    def record(self) -> list[dict[str, object]]:
        """The rows as plain data, for the record of a run."""
        return _plain(self.rows)

    def record_of_start(self) -> list[dict[str, object]]:
        """The start as plain data, for the record of a run."""
        return _plain(self.start)


def _plain(table: pd.DataFrame) -> list[dict[str, object]]:
    rows = table.astype(object).to_dict("records")
    return [{str(k): v for k, v in r.items() if v not in ("", None, False) and v == v} for r in rows]


def held_from(record: list[Mapping[str, Any]], start: list[Mapping[str, Any]] | None = None) -> Held:
    """What `Held.record` and `Held.record_of_start` wrote."""
    return Held(_table(record, HELD_COLUMNS), _table(start or [], LEDGER_COLUMNS))


def _table(record: list[Mapping[str, Any]], columns: list[str]) -> pd.DataFrame:
    texts = [c for c in LEDGER_COLUMNS if c not in ("year", "quantity")]
    rows = [
        {c: r.get(c, "" if c in texts else False if c.startswith("held_") else 0) for c in columns}
        for r in record
    ]
    return pd.DataFrame(rows, columns=columns)


def held_of(original: Plan, edited: Plan, which: Which = "edited") -> Held:
    """The decisions of an edited plan that are to be kept.

    Parameters
    ----------
    original, edited : Plan
        As `models.plan.sheets.read_edited` gives them.
    which : {"edited", "all"}
        The cells that differ from the original; or every row of the edited plan whole, and what was taken out of it.

    Returns
    -------
    Held
    """
    edits = ledger_edits(original, edited)
    rows = {r["row_id"]: r for p in (original, edited) for r in p.ledger.to_dict("records")}
    cells: dict[str, set[str]] = {}
    for e in edits.to_dict("records"):
        cells.setdefault(e["row_id"], set()).add(e["column"])
    gone = set(original.ledger["row_id"]) - set(edited.ledger["row_id"])
    if which == "all":
        cells |= {r: set(CELLS) for r in edited.ledger["row_id"]}
    made = []
    for row_id, columns in cells.items():
        row = dict(rows[row_id])
        if row_id in gone:
            row["quantity"], columns = 0.0, {"quantity"}
        made.append(row | {f"held_{c}": c in columns for c in CELLS})
    return Held(pd.DataFrame(made, columns=HELD_COLUMNS), _changing(edited.ledger))


def beginning_with(plan: Plan) -> Held:
    """Nothing held; the search begins from a plan."""
    return Held(start=_changing(plan.ledger))


def _changing(ledger: pd.DataFrame) -> pd.DataFrame:
    """Rows that are not as today: other ways, closed bands, whatever moves, is hired or bought."""
    stays = (ledger["action"] == "attend") & (ledger["to_id"] == ledger["from_id"])
    taught = (ledger["action"] == "band") & (ledger["state"] == "open")
    return ledger.loc[~stays & ~taught, LEDGER_COLUMNS].reset_index(drop=True)


def missing_in(plan: Plan, held: Held) -> pd.DataFrame:
    """Held rows that a plan does not have as they are held."""
    have = {r["row_id"]: r for r in plan.ledger.to_dict("records")}
    lost = []
    for i, row in enumerate(held.rows.to_dict("records")):
        mine = have.get(row["row_id"])
        if mine is None:
            same = row["quantity"] == 0
        else:
            same = all(_equal(row[c], mine[c]) for c in CELLS if row[f"held_{c}"])
        if not same:
            lost.append(i)
    return held.rows.iloc[lost]


def _equal(a: object, b: object) -> bool:
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return abs(float(a) - float(b)) <= 1e-6 * max(1.0, abs(float(a)))
    return a == b


def decision_said(row: Mapping[str, Any], names: Names) -> dict[str, str]:
    """One held decision in words, by language."""
    return {language: _said(row, names, language) for language in LANGUAGES}


def _said(row: Mapping[str, Any], names: Names, language: str) -> str:
    action = str(row["action"])
    ends = {
        "school": names.label("school", str(row["school_id"] or ""), language), "village": names.label("village", str(row["village_id"] or ""), language),
        "from_school": names.label("school", str(row["from_id"] or ""), language), "to_school": names.label("school", str(row["to_id"] or ""), language),
    }  # fmt: skip
    kind = "category" if action in ("transfer", "hire") else "resource"
    fields: dict[str, object] = {
        **ends, "band": names.label("band", str(row["band"] or ""), language), "stage": names.label("stage", str(row["stage"] or ""), language),
        "item": names.label(kind, str(row["item"] or ""), language), "amount": number_text(float(row["quantity"] or 0)),
        "mode": names.label("mode", str(row["mode"] or ""), language),
    }  # fmt: skip
    if action == "band":
        part = "closed" if row["state"] == "closed" else "classes" if row["held_quantity"] else "open"
        return say(f"held.band_{part}", language, **fields)
    return say(f"held.said_{action}", language, **fields)


def held_notes(held: Held, names: Names) -> tuple[Finding, ...]:
    """A note for each decision that is held, for the result."""
    rows = held.rows.to_dict("records")
    return tuple(
        Finding("note", "held.kept", {"what": decision_said(r, names), "row_id": r["row_id"]}) for r in rows
    )
