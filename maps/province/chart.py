"""Yuan a pupil in every county, by the split and by equal parts, drawn for print."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from maps.chart import lettering
from maps.province.words import county_said, province_said, province_word, sum_said
from models.study.provincial import Province

BETTER, SAME, EQUAL = "#1F4E79", "#BDD7EE", "#C00000"


def draw_province(found: Province, path: Path, language: str) -> str:
    """Draw a bar a county, dark where the goal is better than with equal parts, and the equal part as a line.

    Parameters
    ----------
    found : Province
    path : Path
        ``.svg``; the same result, the same bytes.
    language : {"zh", "en"}

    Returns
    -------
    str
        The language of the labels: English where Chinese was asked for and no Chinese font is installed.
    """
    words, font = lettering(language, 8)
    rows = found.counties[found.counties["status"] == "done"].to_dict("records")
    each = [r["grant_split"] / r["pupils"] for r in rows]
    better = [r["value_split"] < r["value_equal"] - 1e-9 for r in rows]
    with mpl.rc_context({"svg.hashsalt": "junheng", "svg.fonttype": "none", "axes.unicode_minus": False}):
        figure = Figure(figsize=(8.3, 1.6 + 0.24 * len(rows)), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.subplots()
        axes.barh(range(len(rows)), each, color=[BETTER if b else SAME for b in better], height=0.7)
        axes.axvline(_equal(rows), color=EQUAL, lw=1.2)
        for y, r in enumerate(rows):
            told = " → ".join(sum_said(float(r[f"value_{k}"]), words) for k in ("equal", "split"))
            axes.text(each[y], y, f" {told}", va="center", fontproperties=font, fontsize=7)
        axes.set_yticks(range(len(rows)), [county_said(r, words) for r in rows], fontproperties=font)
        axes.invert_yaxis()
        axes.margins(x=0.12, y=0.01)
        axes.tick_params(axis="x", labelsize=7)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
        axes.set_xlabel(province_word("chart_axis", words), fontproperties=font)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        handles = [
            mpl.patches.Patch(color=BETTER, label=province_word("chart_better", words)),
            mpl.patches.Patch(color=SAME, label=province_word("chart_same", words)),
            mpl.lines.Line2D([], [], color=EQUAL, label=province_word("chart_equal", words)),
        ]
        figure.legend(handles=handles, prop=font, frameon=False, loc="outside lower center", ncols=3)
        figure.suptitle(province_said(found, words)[0], fontproperties=font)
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
    return words


def _equal(rows: list[dict[str, float]]) -> float:
    """Yuan a pupil by equal parts."""
    return sum(r["grant_equal"] for r in rows) / sum(r["pupils"] for r in rows)
