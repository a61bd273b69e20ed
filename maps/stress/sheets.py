"""The tables of a stress test in words, for the workbook and the page."""

from __future__ import annotations

import pandas as pd

from geodata.contract.findings import in_one
from maps.dossier.notices import percent
from maps.dossier.tables import Sheet
from maps.stress.words import effect_said, factor_said, measure_said, stress_word
from maps.wording import band, listed, name, what
from models.study.stressed import Stress


def _named(table: pd.DataFrame, language: str, **fields: object) -> pd.DataFrame:
    """The table under translated headings; numbers that are not whole as numbers."""
    return table.rename(columns={c: stress_word(f"col_{c}", language, **fields) for c in table.columns})


def _formats(table: pd.DataFrame) -> dict[str, str]:
    return {str(h): "number" for h in table.columns if table[h].dtype.kind == "f"}


def measures_sheet(found: Stress, language: str) -> Sheet:
    """One row a measure: its range over the futures, the worst, CVaR."""
    t = found.measures.drop(columns="better")
    t = t.assign(
        measure=[measure_said(m, language) for m in t["measure"]],
        unit=[name("unit", u, language) for u in t["unit"]],
    )
    alpha = percent(found.asked["alpha"])
    table = t.rename(
        columns={
            c: stress_word(f"col_{c}", language, **({"alpha": alpha} if c == "cvar" else {}))
            for c in t.columns
        }
    )
    return Sheet("measures", table, _formats(table))


def rules_sheet(found: Stress, language: str) -> Sheet:
    """One row a rule that breaks in any future."""
    t = found.rules.assign(
        rule=[name("rule", r, language) for r in found.rules["rule"]],
        share=[percent(s) for s in found.rules["share"]],
    )
    return Sheet("rules", _named(t, language), {})


def regret_sheet(found: Stress, language: str) -> Sheet:
    """One row a future and goal."""
    t = found.regret.assign(
        measure=[measure_said(m, language) for m in found.regret["measure"]],
        unit=[name("unit", u, language) for u in found.regret["unit"]],
    )
    table = _named(t, language)
    return Sheet("regret", table, _formats(table))


def decisions_sheet_of(found: Stress, language: str) -> Sheet:
    """One row a decision of the fixed plan or of any plan made again."""
    d = found.decisions
    norms = found.county.norms
    things = [
        band(w, language, norms) if k == "gives_up" else name("category", w, language) if k in ("moves", "hires") else what(w, language, norms)
        for k, w in zip(d["decision"], d["what"], strict=True)
    ]  # fmt: skip
    t = d.drop(columns=["school_id", "to_id"]).assign(
        decision=[stress_word(f"decision_{k}", language) for k in d["decision"]], what=things,
        in_plan=["✓" if x else "" for x in d["in_plan"]], share=[percent(s) for s in d["share"]],
        recurs=[stress_word(f"recurs_{r}", language) for r in d["recurs"]],
    )  # fmt: skip
    return Sheet("decisions", _named(t, language), {})


def effects_sheet(found: Stress, language: str) -> Sheet:
    """One row a measure and factor."""
    norms = found.county.norms
    t = found.effects.assign(
        measure=[effect_said(m, language) for m in found.effects["measure"]],
        factor=[factor_said(f, language, norms) for f in found.effects["factor"]],
    )
    table = _named(t, language)
    return Sheet("effects", table, _formats(table))


def futures_sheet(found: Stress, rows: pd.DataFrame, key: str, language: str) -> Sheet:
    """One row a future, of the fixed plan or of plans made again."""
    norms = found.county.norms
    columns: dict[str, object] = {}
    for c in rows.columns:
        if c in found.factors:
            columns[factor_said(c, language, norms)] = rows[c].to_numpy()
        elif c == "broken":
            columns[stress_word("col_broken", language)] = [_broken(str(b), language) for b in rows[c]]
        elif c in ("status", "solve"):
            columns[stress_word(f"col_{c}", language)] = [
                stress_word(f"{c}_{v}", language) if v else "" for v in rows[c]
            ]
        elif c.startswith("bound_"):
            goal = measure_said(c.replace("bound_", "goal_", 1), language)
            columns[f"{stress_word('col_bound', language)}: {goal}"] = rows[c].to_numpy()
        elif c == "why":
            columns[stress_word("col_why", language)] = [
                in_one(v, language) if v == v else "" for v in rows[c]
            ]
        elif c in ("future", "unplanned", "transfers_lost", "hires_lost", "accepted"):
            columns[stress_word(f"col_{c}", language)] = rows[c].to_numpy()
        else:
            columns[measure_said(c, language)] = rows[c].to_numpy()
    table = pd.DataFrame(columns)
    return Sheet(key, table, _formats(table))


def _broken(cell: str, language: str) -> str:
    """Rules and places in words."""
    parts = [p.partition(":") for p in cell.split(";") if p and p != "nan"]
    return listed([f"{name('rule', rule, language)} {n}" for rule, _, n in parts], language)


def stress_sheets(found: Stress, language: str) -> list[Sheet]:
    """All tables that have rows."""
    sheets = [
        measures_sheet(found, language), rules_sheet(found, language), regret_sheet(found, language),
        decisions_sheet_of(found, language), effects_sheet(found, language),
        futures_sheet(found, found.fixed, "futures", language), futures_sheet(found, found.remade, "remade", language),
    ]  # fmt: skip
    return [s for s in sheets if len(s.table)]
