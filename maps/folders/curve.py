"""A frontier's curves for a page: one drawing a measure, figures under the pointer, all of them on paper.

The drawings are SVG written here, so the page shows them without a script; the script only chooses which one is seen.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

from geodata.messages import large_unit, say
from maps.wording import name
from models.study.analysis import Frontier, FrontierPoint

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 300, 70, 20, 26, 44
TICKS = 5
DARK, GREY, GREEN, RED = "#1F4E79", "#7F7F7F", "#2E7D32", "#C00000"
DRAWN_MEASURES = (
    "units_passing", "cells_met", "imbalance", "worst_cv_ratio", "mean_minutes", "max_minutes", "pupils_over_limit", "cost",
)  # fmt: skip
DRAWN_GOALS = ("failing", "cells", "deficit", "over_cap", "travel")
"""Measures and goals of the referee that are drawn over the budget, besides the frontier's own goal."""
CHOOSE = (
    "document.querySelectorAll('.curves select').forEach(function(s){function show(){s.parentNode.parentNode"
    ".querySelectorAll('figure').forEach(function(f,i){f.classList.toggle('off',i!==s.selectedIndex)})}"
    "s.addEventListener('change',show);show()})"
)
STYLE_OF_CURVES = (
    ".curves figure{margin:0}.curves figure.off{display:none}.curves circle:hover{stroke:#000;stroke-width:2}"
    ".curves+section td:last-child{min-width:22rem}@media print{.curves label{display:none}.curves figure.off{display:block}}"
)


@dataclass(frozen=True)
class Curve:
    """One line of a drawing: its label, its points, whether they are marked."""

    label: str
    colour: str
    points: tuple[tuple[float, float], ...]
    marked: bool = True


def curves_block(found: Frontier, language: str) -> str:
    """Drawings of the goal and of every measure over the budget, with a list to choose from.

    Parameters
    ----------
    found : Frontier
    language : {"zh", "en"}
    """
    solved = [p for p in found.points if p.plan is not None]
    drawn = [
        (
            say("analysis.objective_of", language, goal=say(f"goals.{found.goal}", language)),
            goal_lines(found, language),
        )
    ]
    drawn += _measured(found, solved, language)
    options = "".join(f"<option>{html.escape(title)}</option>" for title, _ in drawn)
    label = html.escape(say("worth.choose", language))
    across = say("analysis.budget_large", language)
    figures = "".join(f"<figure>{drawing(title, across, lines)}</figure>" for title, lines in drawn)
    return f'<div class="curves"><label>{label} <select>{options}</select></label>{figures}</div>'


def goal_lines(found: Frontier, language: str) -> list[Curve]:
    """Plan found, proven bound, steady plans."""
    solved = [p for p in found.points if p.plan is not None]
    x = {p.share: p.yuan / large_unit() for p in solved}
    lines = [
        Curve(say("analysis.chart_plan", language), DARK, tuple((x[p.share], p.objective) for p in solved)),
        Curve(
            say("analysis.chart_bound", language), GREY, tuple((x[p.share], p.bound) for p in solved), False
        ),
    ]
    steady = tuple((x[p.share], p.objective) for p in found.steady if math.isfinite(p.objective))
    return [*lines, Curve(say("worth.chart_steady", language), GREEN, steady)] if steady else lines


def _measured(
    found: Frontier, solved: Sequence[FrontierPoint], language: str
) -> list[tuple[str, list[Curve]]]:
    """The referee's measures and goals of the plans found, with those that differ between budgets."""
    tables = [(p.yuan / large_unit(), p.verdict) for p in solved if p.verdict is not None]
    figures: dict[str, list[tuple[float, float]]] = {}
    for x, verdict in tables:
        values = verdict.measures.set_index("measure")["plan"].to_dict()
        goals = verdict.goals.set_index("goal")["plan"].to_dict()
        named = [(name("measure", m, language), values[m]) for m in DRAWN_MEASURES if m in values]
        named += [
            (say(f"goals.{g}", language), goals[g]) for g in DRAWN_GOALS if g in goals and g != found.goal
        ]
        for title, value in named:
            if math.isfinite(float(value)):
                figures.setdefault(title, []).append((x, float(value)))
    plan = say("analysis.chart_plan", language)
    return [(t, [Curve(plan, DARK, tuple(v))]) for t, v in figures.items() if len({y for _, y in v}) > 1]


def drawing(title: str, across: str, lines: Sequence[Curve]) -> str:
    """One drawing as SVG.

    Parameters
    ----------
    title, across : str
        What goes up, what goes across.
    lines : sequence of Curve
    """
    xs = [x for line in lines for x, _ in line.points]
    ys = [y for line in lines for _, y in line.points]
    if not xs:
        return ""
    (x0, x1), (y0, y1) = _range(xs), _range(ys)

    def at(x: float, y: float) -> tuple[float, float]:
        across_, up = (x - x0) / (x1 - x0), (y - y0) / (y1 - y0)
        return round(LEFT + across_ * (WIDTH - LEFT - RIGHT), 1), round(
            HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM), 1
        )

    parts = [f'<text x="{LEFT}" y="14" font-weight="bold">{html.escape(title)}</text>']
    for i in range(TICKS):
        x, y = (low + (high - low) * i / (TICKS - 1) for low, high in ((x0, x1), (y0, y1)))
        (tx, _), (_, ty) = at(x, y0), at(x0, y)
        parts.append(f'<text x="{tx}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{_figure(x)}</text>')
        parts.append(f'<text x="{LEFT - 6}" y="{ty + 4}" text-anchor="end">{_figure(y)}</text>')
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{ty}" y2="{ty}" stroke="#ddd"/>')
    parts.append(f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 8}" text-anchor="end">{html.escape(across)}</text>')
    for i, line in enumerate(lines):
        path = " ".join(f"{x},{y}" for x, y in (at(*p) for p in line.points))
        dashes = "" if line.marked else ' stroke-dasharray="5 4"'
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{line.colour}" stroke-width="1.6"{dashes}/>'
        )
        label = html.escape(line.label)
        parts.append(
            f'<text x="{LEFT + 12 + i * 220}" y="{HEIGHT - 8}" fill="{line.colour}">— {label}</text>'
        )
        for x, y in line.points if line.marked else ():
            cx, cy = at(x, y)
            told = f"{label}: {_figure(y)} ({html.escape(across)}: {_figure(x)})"
            parts.append(
                f'<circle cx="{cx}" cy="{cy}" r="4" fill="{line.colour}"><title>{told}</title></circle>'
            )
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-size="11" font-family="sans-serif" role="img">'
    return f"{head}<title>{html.escape(title)}</title>{''.join(parts)}</svg>"


def _range(values: Sequence[float]) -> tuple[float, float]:
    """From the least value to the largest, with room where they are the same."""
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 or value == round(value) else f"{value:.4g}"
