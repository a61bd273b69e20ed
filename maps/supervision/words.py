"""What a supervision says in sentences."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from geodata.messages import say
from maps.wording import band, indicator, listed, name, stage, what
from models.supervision.carried_out import STATUSES
from models.supervision.moved import DRIVERS
from models.supervision.problems import STATES
from models.supervision.supervision import Supervision


def supervision_word(key: str, language: str, **fields: object) -> str:
    """A message of the room of supervision."""
    return say(f"supervision.{key}", language, **fields)


def county_called(found: Supervision, language: str) -> str:
    """The county's name in a language."""
    return found.after.name if language == "zh" else found.after.name_en or found.after.name


def number_said(value: float) -> str:
    """A number of a sentence: whole where it is large or whole, a dash for none."""
    if not math.isfinite(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 or value == round(value) else f"{value:.3g}"


def action_said(row: dict[str, Any], found: Supervision, language: str) -> str:
    """What was decided, in words; schools by this year's names, else last year's."""
    norms = found.after.norms

    def school(key: str) -> str:
        return _place(found, "school", key)

    thing = name("category", row["item"], language) if row["action"] in ("transfer", "hire") else what(str(row["item"]), language, norms)  # fmt: skip
    fields = {
        "school": school(row["school_id"]), "from_school": school(row["from_id"]), "to_school": school(row["to_id"]),
        "village": _place(found, "village", row["village_id"]), "band": band(row["band"], language, norms) if row["band"] else "",
        "item": thing, "amount": number_said(row["planned"]), "unit": name("unit", row["unit"], language),
    }  # fmt: skip
    return supervision_word(f"said_{row['action']}", language, **fields)


def _place(found: Supervision, kind: str, key: str) -> str:
    """``name [id]`` of this year, else of last year."""
    if not key:
        return ""
    for county in (found.after, found.before):
        table, column = (county.schools, "school_id") if kind == "school" else (county.villages, "village_id")
        hit = table.loc[table[column] == key, "name"]
        if len(hit):
            return f"{hit.iloc[0]} [{key}]"
    return key


def cause_said(row: dict[str, Any], language: str) -> str:
    """The drivers of a change, the largest first: staff +0.03, pupils −0.01."""
    parts = [(d, float(row[d])) for d in DRIVERS if row[d] == row[d] and abs(row[d]) > 1e-9]
    parts.sort(key=lambda p: -abs(p[1]))
    words = [f"{supervision_word(f'driver_{d}', language)} {change_said(v)}" for d, v in parts]
    return listed(words, language) if words else "–"


def change_said(value: float) -> str:
    """A change with its sign."""
    return f"{'+' if value > 0 else '−'}{number_said(abs(value))}"


def figure_said(row: dict[str, Any], found: Supervision, language: str) -> str:
    """Which figure: the CV of an indicator of a stage, units passing, imbalance."""
    norms = found.after.norms
    return supervision_word(
        f"figure_{row['measure']}", language, stage=stage(row["stage"], language, norms) if row["stage"] else "",
        indicator=indicator(row["indicator"], language, norms) if row["indicator"] else "",
    )  # fmt: skip


def supervision_said(found: Supervision, language: str) -> list[str]:
    """Sentences for the front: what was done, what slipped, who passes now, what moved and why, what is doubtful."""
    years = {"before": str(found.before.year), "after": str(found.after.year)}
    said = [supervision_word("title", language, county=county_called(found, language), **years)]
    said.append(supervision_word("about", language, **years))
    if found.plan is not None:
        told = found.actions["status"].value_counts()
        counts = {s: int(told.get(s, 0)) for s in STATUSES}
        said.append(
            supervision_word("carried", language, plan=found.plan.plan_id, count=len(found.actions), **counts)
        )
        said.append(supervision_word("carried_about", language))
    states = found.rectified["state"].value_counts()
    said.append(
        supervision_word(
            "rectified", language, count=len(found.rectified), now=len(found.problems), new=int((found.problems["since"] == "new").sum()),
            **{s: int(states.get(s, 0)) for s in STATES},
        )
    )  # fmt: skip
    said += [
        _passing(found, state, language)
        for state in ("gained", "lost")
        if (found.units["state"] == state).any()
    ]
    said += _moved_most(found, language)
    said.append(supervision_word("deadline_about", language))
    said.append(supervision_word("seal", language, seal=found.seals["head"]))
    said += [f.sentence(language) for f in found.findings]
    if found.after.fictional:
        said.append(say("workbook.fictional", language))
    if found.after.modelled:
        said.append(say("workbook.modelled", language, what=listed(list(found.after.modelled), language)))
    return said


def _passing(found: Supervision, state: str, language: str) -> str:
    rows = found.units[found.units["state"] == state]
    named = [f"{r['name']} ({cause_said(r, language)})" for r in rows.head(20).to_dict("records")]
    return supervision_word(f"units_{state}", language, count=len(rows), names=listed(named, language))


def _moved_most(found: Supervision, language: str) -> list[str]:
    """Imbalance, units passing and cells met, with their causes."""
    table: pd.DataFrame = found.moved[found.moved["measure"].isin(("imbalance", "passing", "cells"))]
    changed = table[table["change"].abs() > 1e-9]
    return [
        supervision_word(
            "moved", language, figure=figure_said(r, found, language), before=number_said(r["before"]), after=number_said(r["after"]),
            change=change_said(r["change"]), causes=cause_said(r, language),
        )
        for r in changed.to_dict("records")
    ]  # fmt: skip
