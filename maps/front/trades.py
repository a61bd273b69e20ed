"""The alternatives of the front page: what each goal could gain, what the others give up for it, what differs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from geodata.folder.target import claim
from maps.folders.frontier import changes_said
from maps.folders.writing import rewrite
from maps.front.headline import goal
from maps.front.pages import part
from maps.front.text import (
    DASH,
    PageCell,
    PageTable,
    change_amounts,
    goal_amounts,
    headings,
    measure_unit,
    number,
    phrase,
    share,
    signed,
    whole,
)
from maps.lettered import lettered_table
from maps.wording import listed, name
from models.impact.certainty import goal_unit
from models.plan.record import RECORD, read_record
from models.problem.request import COUNTED_GOALS
from models.study.trades import Trade, Trades

BEGIN, END = "<!--trades-->", "<!--/trades-->"
FRONT = "index.html"
BETTER = {
    "cv_ok": "high", "units_passing": "high", "cells_met": "high", "worst_cv_ratio": "low", "max_minutes": "low",
    "pupils_over_limit": "low", "pupils_changed": "low", "staff_moved": "low", "hires": "low", "closures": "low", "largest_class": "low",
}  # fmt: skip
"""Measures told beside the goals, and which way those concerned want them; the others are goals themselves."""
SAME = 1e-6
MOST_BANDS = 4


def trades_about(found: Trades, language: str) -> str:
    """What the table is, with the share and the seconds that it rests on."""
    fields: dict[str, object] = {
        "within": share(found.within),
        "seconds": whole(found.limit),
        "plan": found.plan_id,
    }
    text = phrase("trades_about", language, **fields)
    upper = any(t.goal == "cv_excess" for t in found.trades)
    return text + (phrase("trades_upper", language) if upper else "")


def trades_table(found: Trades, language: str) -> PageTable:
    """One row a goal: what it gains, what that costs elsewhere, what is decided otherwise, what is proven.

    Parameters
    ----------
    found : Trades
    language : {"zh", "en"}

    Returns
    -------
    PageTable
    """
    numbers = {t.goal: n for n, t in enumerate(found.plans, start=1)}
    rows = tuple(
        (
            number(str(numbers.get(t.goal, DASH))), PageCell(goal(t.goal, language)), PageCell(_gain(t, language), "good" if t.plan else "soft"),
            PageCell(_told(t, language, False)), PageCell(changes_said(t.changes, language, MOST_BANDS) + _pupils(t, language) if t.plan else DASH),
            PageCell(_proven(t, language), "" if t.outcome == "no_room" else "warn"),
        )
        for t in found.trades
    )  # fmt: skip
    return PageTable(headings(language, "number#", "goal", "gains", "gives_up", "differs", "proven"), rows)


def _gain(trade: Trade, language: str) -> str:
    """The goal's own gain, then measures that are better, too."""
    if trade.plan is None:
        return phrase(f"trade_{trade.outcome}", language)
    more = _told(trade, language, True)
    own = _from_to(trade.goal, trade.own, trade.value, language)
    return own if more == DASH else listed([own, more], language)


def _from_to(key: str, own: float, other: float, language: str) -> str:
    """A goal before and after with its unit and the change as a share."""
    unit = goal_unit(key)
    before, after = goal_amounts(unit, own, other)
    fields: dict[str, object] = {
        "own": before,
        "other": after,
        "unit": phrase(f"unit_{unit}", language),
        "change": signed(share((other - own) / abs(own))) if abs(own) > SAME else DASH,
    }
    return phrase("from_to", language, **fields)


def _told(trade: Trade, language: str, better: bool) -> str:
    """The other goals and the measures that are better, or those that are worse."""
    said = []
    for r in trade.goals.itertuples():
        change = r.other - r.plan
        if (
            r.goal != trade.goal
            and abs(change) > SAME + 5e-4 * abs(r.plan)
            and (change < 0) == better
            and trade.plan
        ):
            said.append(
                phrase(
                    "named",
                    language,
                    name=goal(r.goal, language),
                    text=_from_to(r.goal, r.plan, r.other, language),
                )
            )
    for r in trade.measures.itertuples():
        way = BETTER.get(str(r.measure))
        if way and abs(r.change) > SAME and ((r.change > 0) == (way == "high")) == better:
            said.append(_measure(r, language))
    return listed(said, language) or DASH


def _measure(row: Any, language: str) -> str:
    own, other = change_amounts(row.unit, row.plan, row.other)
    unit = name("unit", measure_unit(row.unit), language)
    text = phrase("whole_from_to", language, unit=unit, own=own, other=other)
    return phrase("named", language, name=name("measure", row.measure, language), text=text)


def _pupils(trade: Trade, language: str) -> str:
    """How many pupils attend another school than in the plan, counted at the schools that take them."""
    rows = trade.changes[trade.changes["change"] == "pupils"]
    more = float((rows["after"] - rows["before"]).clip(lower=0).sum())
    return phrase("pupils_elsewhere", language, pupils=whole(more)) if more >= 0.5 else ""


def _proven(trade: Trade, language: str) -> str:
    """What no plan within the share can go below."""
    if trade.bound != trade.bound or (trade.bound <= 0 < trade.own):
        return phrase("trade_no_bound", language)
    unit = goal_unit(trade.goal)
    bound = trade.bound
    if trade.goal in COUNTED_GOALS:
        bound = min(trade.value, float(-(-(bound - SAME) // 1)))
    fields: dict[str, object] = {
        "bound": goal_amounts(unit, trade.own, trade.value, bound)[2],
        "unit": phrase(f"unit_{unit}", language),
    }
    return phrase("trade_bound", language, **fields)


def put_on_front(dossier: Path, found: Trades) -> bool:
    """Put the table on a dossier's front page, in the page's own language; False where it holds another plan.

    Parameters
    ----------
    dossier : Path
    found : Trades

    Returns
    -------
    bool

    Raises
    ------
    InputProblems
        The record of the dossier cannot be read.
    """
    page = dossier / FRONT
    if not (dossier / RECORD).is_file() or str(read_record(dossier).get("plan_id")) != found.plan_id:
        return False
    with claim(dossier):
        if not page.is_file():
            return False
        text = page.read_text(encoding="utf-8")
        before, begun, rest = text.partition(BEGIN)
        _, ended, after = rest.partition(END)
        if not begun or not ended:  # a page of an older program
            return False
        language = "zh" if 'lang="zh-CN"' in before[:400] else "en"
        rewrite(page, f"{before}{BEGIN}{_block(found, language)}{END}{after}")
    return True


def _block(found: Trades, language: str) -> str:
    trades = tuple(
        replace(t, changes=lettered_table(t.changes, found.county, language)) for t in found.trades
    )
    found = replace(found, trades=trades)
    return part(
        "trades.html", language, about=trades_about(found, language), table=trades_table(found, language), stopped=found.interrupted
    )  # fmt: skip
