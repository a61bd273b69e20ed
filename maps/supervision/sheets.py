"""The tables of a supervision in words, for the workbook and the page."""

from __future__ import annotations

from typing import Any

import pandas as pd

from maps.dossier.tables import Sheet
from maps.supervision.words import action_said, county_called, figure_said, supervision_word
from maps.wording import indicator, name, stage
from models.supervision.carried_out import STATUSES
from models.supervision.moved import DRIVERS
from models.supervision.supervision import Supervision


def _sheet(key: str, language: str, columns: dict[str, tuple[Any, str]]) -> Sheet:
    """A sheet from ``{column: (values, format)}``."""
    heads = {c: supervision_word(_heading(c), language) for c in columns}
    table = pd.DataFrame({heads[c]: list(values) for c, (values, _) in columns.items()})
    return Sheet(key, table, {heads[c]: kind for c, (_, kind) in columns.items() if kind})


def _heading(column: str) -> str:
    """Key of a heading; statuses and drivers are called as elsewhere."""
    if column in STATUSES:
        return f"status_{column}"
    return column if column.startswith("driver_") else f"col_{column}"


def _problem_columns(rows: pd.DataFrame, found: Supervision, language: str) -> dict[str, tuple[Any, str]]:
    norms = found.after.norms
    bureau = supervision_word("bureau", language, county=county_called(found, language))
    return {
        "number": (range(1, len(rows) + 1), "whole"), "township": (rows["township"], ""),
        "kind": ([supervision_word(f"kind_{k}", language) for k in rows["kind"]], ""),
        "school": ([s or bureau for s in rows["school"]], ""), "stage": ([stage(s, language, norms) for s in rows["stage"]], ""),
        "indicator": ([indicator(i, language, norms) for i in rows["indicator"]], ""),
        "value": (rows["value"], "number"), "limit": (rows["limit"], "number"), "gap": (rows["gap"], "number"),
        "unit": ([name("unit", u, language) for u in rows["unit"]], ""),
    }  # fmt: skip


def problems_sheet(found: Supervision, language: str, deadline: str = "") -> Sheet:
    """One row a problem of this year: who answers for it, by when (for people to fill in where nobody has said)."""
    rows = found.problems
    bureau = supervision_word("bureau", language, county=county_called(found, language))
    return _sheet("problems", language, {
        **_problem_columns(rows, found, language), "since": ([supervision_word(f"since_{s}", language) for s in rows["since"]], ""),
        "answers": ([s or bureau for s in rows["school"]], ""), "deadline": ([deadline] * len(rows), ""), "remedy": ([""] * len(rows), ""),
    })  # fmt: skip


def rectified_sheet(found: Supervision, language: str) -> Sheet:
    """One row a problem of last year: what was planned, what of it was done, where it stands."""
    rows = found.rectified
    return _sheet("rectified", language, {
        **_problem_columns(rows, found, language), "planned": (rows["planned"], "whole"),
        **{s: (rows[s], "whole") for s in STATUSES}, "value_now": (rows["value_now"], "number"), "gap_now": (rows["gap_now"], "number"),
        "state": ([supervision_word(f"state_{s}", language) for s in rows["state"]], ""),
    })  # fmt: skip


def actions_sheet(found: Supervision, language: str) -> Sheet:
    """One row an action of last year's plan."""
    rows = found.actions
    return _sheet("actions", language, {
        "row": (rows["row_id"], ""), "action": ([action_said(r, found, language) for r in rows.to_dict("records")], ""),
        "unit": ([name("unit", u, language) for u in rows["unit"]], ""), "amount": (rows["planned"], "number"), "least": (rows["least"], "number"),
        "most": (rows["most"], "number"), "was": (rows["was"], "number"), "now": (rows["now"], "number"),
        "status": ([supervision_word(f"status_{s}", language) for s in rows["status"]], ""),
        "why": ([supervision_word(f"why_{w}", language) if w else "" for w in rows["why"]], ""),
    })  # fmt: skip


def counts_sheet(found: Supervision, language: str) -> Sheet:
    """What became of the actions, by kind."""
    rows = found.counts
    return _sheet("counts", language, {
        "what": ([supervision_word(f"action_{a}", language) for a in rows["action"]], ""), "planned": (rows["planned"], "whole"),
        **{s: (rows[s], "whole") for s in STATUSES},
    })  # fmt: skip


def moved_sheet(found: Supervision, language: str) -> Sheet:
    """One row a figure of the county, with the parts of its change."""
    rows = found.moved[found.moved["unit_id"] == ""]
    return _sheet("moved", language, {
        "figure": ([figure_said(r, found, language) for r in rows.to_dict("records")], ""),
        **{c: (rows[c], "fine") for c in ("before", "after", "change")}, **{f"driver_{d}": (rows[d], "fine") for d in DRIVERS},
    })  # fmt: skip


def ratios_sheet(found: Supervision, language: str) -> Sheet:
    """One row a unit and indicator whose ratio moved, with the parts of the change."""
    rows = found.moved[(found.moved["measure"] == "ratio") & (found.moved["change"].abs() > 1e-9)]
    names = found.units.set_index("unit_id")["name"]
    norms = found.after.norms
    return _sheet("ratios", language, {
        "school": (rows["unit_id"].map(names), ""), "stage": ([stage(s, language, norms) for s in rows["stage"]], ""),
        "indicator": ([indicator(i, language, norms) for i in rows["indicator"]], ""),
        **{c: (rows[c], "fine") for c in ("before", "after", "change")}, **{f"driver_{d}": (rows[d], "fine") for d in DRIVERS},
    })  # fmt: skip


def passing_sheet(found: Supervision, language: str) -> Sheet:
    """One row a unit: whether it passed and passes."""
    order = {s: i for i, s in enumerate(("gained", "lost", "new", "gone", "unknown", "fails", "passes"))}
    rows = found.units.assign(order=found.units["state"].map(order)).sort_values(
        ["order", "unit_id"], kind="stable"
    )
    said = {1.0: "yes", 0.0: "no"}
    norms = found.after.norms
    return _sheet("passing", language, {
        "township": (rows["township"], ""), "school": (rows["name"], ""), "stage": ([stage(s, language, norms) for s in rows["stage"]], ""),
        **{c: ([supervision_word(f"passes_{said.get(v, 'unknown')}", language) for v in rows[c]], "") for c in ("before", "after")},
        "state": ([supervision_word(f"unit_{s}", language) for s in rows["state"]], ""),
        **{f"driver_{d}": (rows[d], "fine") for d in DRIVERS},
    })  # fmt: skip


def matching_sheet(found: Supervision, language: str) -> Sheet:
    """One row a school or village that is not simply there in both years."""
    rows = found.matching[found.matching["state"] != "same"]
    return _sheet("matching", language, {
        "kind": ([supervision_word(f"place_{k}", language) for k in rows["kind"]], ""), "township": (rows["township"], ""),
        "before_id": (rows["before_id"], ""), "before_name": (rows["before_name"], ""), "after_id": (rows["after_id"], ""),
        "after_name": (rows["after_name"], ""), "state": ([supervision_word(f"match_{s}", language) for s in rows["state"]], ""),
        "schools": (rows["schools"], ""),
    })  # fmt: skip


def supervision_sheets(found: Supervision, language: str, deadline: str = "") -> list[Sheet]:
    """All tables that have rows."""
    sheets = [
        problems_sheet(found, language, deadline), rectified_sheet(found, language), counts_sheet(found, language),
        actions_sheet(found, language), moved_sheet(found, language), passing_sheet(found, language), ratios_sheet(found, language),
        matching_sheet(found, language),
    ]  # fmt: skip
    return [s for s in sheets if len(s.table)]
