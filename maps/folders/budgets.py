"""What a frontier's points say together, as sheets and sentences: steps, decisions that flip, what a cut costs and takes."""

from __future__ import annotations

import json
import math
from typing import Any

import pandas as pd

from geodata.messages import large_unit, say
from maps.dossier.tables import Sheet
from maps.folders.writing import finite
from maps.wording import name, what
from models.formulation.goals import UPPER
from models.formulation.money import EARMARKED
from models.study.analysis import Frontier
from models.study.budgets import (
    budget_steps,
    cut_list,
    cut_losses,
    flips,
    knee_share,
    local_worth,
    steady_table,
)


def frontier_goal(found: Frontier, language: str) -> str:
    """The goal that a frontier is about, in words."""
    return say(f"goals.{found.goal}", language)


def _told(key: str, language: str, **fields: object) -> str:
    return say(f"worth.{key}", language, **fields)


def _table(rows: pd.DataFrame, language: str, key: str, **columns: list[Any]) -> Sheet:
    """A sheet whose headings are words of the room; numbers are written fine."""
    table = pd.DataFrame({_told(f"column_{c}", language): v for c, v in columns.items()}, index=rows.index)
    formats = {h: "fine" for h in table.columns if table[h].dtype == "float64"}
    return Sheet(key, table.reset_index(drop=True), formats)


def _named(rows: pd.DataFrame, language: str) -> dict[str, list[Any]]:
    """The columns that say which decision a row is about."""
    return {
        "change": [say(f"analysis.change_{k}", language) for k in rows["change"]], "township": list(rows["township"]),
        "school": list(rows["school"]), "what": [what(w, language) for w in rows["what"]],
        "unit": [name("unit", u, language) for u in rows["unit"]],
    }  # fmt: skip


def budget_sheets(found: Frontier, language: str) -> list[Sheet]:
    """Steps between budgets, decisions that flip, and, where the frontier looked at cuts, what they cost and take."""
    steps, turned = budget_steps(found.county, found.points), flips(found.county, found.points)
    sheets = [
        _table(
            steps, language, "steps", share=list(steps["share"]), next=list(steps["next"]),
            more=[v / large_unit() for v in steps["yuan"]], gain=list(steps["gain"]), worth=list(steps["worth"]),
            worth_least=list(steps["worth_least"]), worth_most=list(steps["worth_most"]), changed=list(steps["changed"]),
            of=list(steps["of"]), churn=list(steps["churn"]),
        ),
        _table(
            turned, language, "flips", **_named(turned, language), below=list(turned["below"]), above=list(turned["above"]),
            turns=[_told(f"turns_{t}", language) for t in turned["turns"]], flips=list(turned["flips"]),
        ),
    ]  # fmt: skip
    sheets += [_local_sheet(found, language), *_steady_sheets(found, language)]
    losses = cut_losses(found.points)
    if losses.empty:
        return sheets
    states = [say(f"analysis.state_{s}", language) for s in losses["status"]]
    given = cut_list(found.county, found.points)
    at = {c: list(given[c]) for c in given.columns if c.startswith("cut_")}
    lost = _table(
        losses, language, "losses", cut=list(losses["cut"]), less=[v / large_unit() for v in losses["yuan"]], state=states,
        objective=list(losses["objective"]), bound=list(losses["bound"]), loss=list(losses["loss"]),
        loss_least=list(losses["loss_least"]), loss_most=list(losses["loss_most"]),
    )  # fmt: skip
    listed = _table(
        given, language, "cuts", first=list(given["first"]), **_named(given, language), own=list(given["own"]),
        comes_back=[_told("yes" if b else "no", language) for b in given["comes_back"]],
    )  # fmt: skip
    for column, amounts in at.items():
        share = f"{column.removeprefix('cut_')} %"
        listed.table[_told("column_at_cut", language, share=share)] = amounts
    return [*sheets, lost, listed]


def _local_sheet(found: Frontier, language: str) -> Sheet:
    """Local duals, a column an earmark."""
    rows = local_worth(found.points)
    wide = rows.pivot(index="share", columns="earmark", values="worth")
    wide = wide[[e for e in EARMARKED if e in wide]].reset_index()
    sheet = _table(wide, language, "local", share=list(wide["share"]))
    for e in (e for e in EARMARKED if e in wide):
        head = _told("column_local", language, earmark=name("earmark", e, language))
        sheet.table[head] = list(wide[e])
        sheet.formats[head] = "fine"
    return sheet


def _steady_sheets(found: Frontier, language: str) -> list[Sheet]:
    """Steady plans beside the free ones; none where none were asked for."""
    rows = steady_table(found.steady)
    if rows.empty:
        return []
    return [
        _table(
            rows, language, "steady", share=list(rows["share"]), state=[_told(f"steady_{s}", language) for s in rows["status"]],
            free=list(rows["free"]), bound=list(rows["bound"]), steady=list(rows["objective"]), price=list(rows["price"]),
            price_least=list(rows["price_least"]), price_most=list(rows["price_most"]), changed_steady=list(rows["changed"]),
            changed_free=list(rows["changed_free"]),
        )
    ]  # fmt: skip


def _steady_said(found: Frontier, language: str) -> list[str]:
    """What steadiness costs at most, and how much less changes."""
    rows = steady_table(found.steady)
    made = rows[rows["objective"].notna()]
    if found.steadily is None or made.empty:
        return []
    mode, give = found.steadily
    worst = made.loc[made["price"].idxmax()]
    fields: dict[str, object] = {
        "goal": frontier_goal(found, language), "share": f"{worst['share']:.2f}", "give": f"{100 * give:g} %",
        "changed": int(made["changed"].sum()), "free": int(made["changed_free"].sum()),
    }  # fmt: skip
    fields |= {k: f"{float(worst[k]):.4g}" for k in ("price", "price_least", "price_most")}
    said = [_told(f"steady_about_{mode}", language, **fields), _told("steady_price", language, **fields)]
    none = int(rows["objective"].isna().sum())
    return [*said, _told("steady_none", language, count=none)] if none else said


def budgets_said(found: Frontier, language: str) -> list[str]:
    """The knee and the cuts in sentences; what is not proven is said to be not."""
    knee, sure = (knee_share(found.points, proven) for proven in (False, True))
    said = []
    if math.isfinite(knee):
        key = "knee_sure" if knee == sure else "knee" if math.isfinite(sure) else "knee_unproven"
        said.append(_told(key, language, share=f"{knee:.2f}", bounds=f"{sure:.2f}"))
    else:
        said.append(_told("no_knee", language))
    goal = frontier_goal(found, language)
    for row in cut_losses(found.points).to_dict("records"):
        key = "cut_loses" if row["status"] == "plan" else f"cut_{row['status']}"
        loss, least, most = (f"{row[k]:.4g}" for k in ("loss", "loss_least", "loss_most"))
        said.append(
            _told(key, language, cut=f"{100 * row['cut']:g} %", goal=goal, loss=loss, least=least, most=most)
        )
    said += _steady_said(found, language)
    if any(p.local for p in found.points):
        said.append(_told("local", language))
    if found.later:
        said.append(_told("later", language, years=found.later))
    key = "no_bound" if found.goal in UPPER else "only_bound"
    said.append(_told(key, language, goal=frontier_goal(found, language)))
    return said


def budgets_record(found: Frontier) -> dict[str, Any]:
    """The same as plain data; what is not known is null."""
    tables = {
        "steps": budget_steps(found.county, found.points), "flips": flips(found.county, found.points),
        "losses": cut_losses(found.points), "cuts": cut_list(found.county, found.points), "local": local_worth(found.points),
        "steady": steady_table(found.steady),
    }  # fmt: skip
    plain = {k: json.loads(t.to_json(orient="records", force_ascii=False)) for k, t in tables.items()}
    knees = {"found": finite(knee_share(found.points)), "proven": finite(knee_share(found.points, True))}
    mode = None if found.steadily is None else {"mode": found.steadily[0], "give": found.steadily[1]}
    return {"goal": found.goal, "later": found.later, "knee": knees, "steadily": mode, **plain}
