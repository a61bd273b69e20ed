"""The range of each measure over the futures, drawn for print."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

from maps.chart import lettering
from maps.stress.words import STRESS_MEASURES, measure_said, stress_said, stress_word
from models.study.stressed import Stress

DARK, MIDDLE, LIGHT, RED = "#1F4E79", "#5B9BD5", "#BDD7EE", "#C00000"


def _strip(axes: Axes, row: dict[str, float], label: str, font: FontProperties) -> None:
    axes.hlines(0, row["least"], row["most"], color=LIGHT, lw=8)
    axes.hlines(0, row["p10"], row["p90"], color=MIDDLE, lw=8)
    axes.plot(row["median"], 0, "o", color=DARK, ms=5)
    axes.plot(row["today"], 0, "|", color=RED, ms=16, mew=2)
    axes.set_yticks([0], [label], fontproperties=font)
    axes.tick_params(axis="x", labelsize=7)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")  # yuan in full, no 1e6 beside the axis
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def draw_stress(found: Stress, path: Path, language: str) -> str:
    """Draw the range of each measure, the plan of today marked.

    Parameters
    ----------
    found : Stress
    path : Path
        ``.svg``; the same result, the same bytes.
    language : {"zh", "en"}

    Returns
    -------
    str
        The language of the labels: English where Chinese was asked for and no Chinese font is installed.
    """
    words, font = lettering(language, 8)
    table = found.measures.set_index("measure")
    rows = [m for m in STRESS_MEASURES if table.at[m, "least"] == table.at[m, "least"]]
    with mpl.rc_context({"svg.hashsalt": "junheng", "svg.fonttype": "none", "axes.unicode_minus": False}):
        figure = Figure(figsize=(8.3, 0.9 + 0.62 * max(1, len(rows))), layout="constrained")
        FigureCanvasSVG(figure)
        for axes, m in zip(figure.subplots(max(1, len(rows)), 1, squeeze=False)[:, 0], rows, strict=False):
            _strip(axes, table.loc[m].to_dict(), measure_said(m, words), font)
        handles = [
            mpl.lines.Line2D([], [], color=LIGHT, lw=8, label=stress_word("chart_range", words)),
            mpl.lines.Line2D([], [], color=MIDDLE, lw=8, label=stress_word("chart_middle", words)),
            mpl.lines.Line2D([], [], color=DARK, marker="o", ls="", label=stress_word("chart_median", words)),
            mpl.lines.Line2D(
                [], [], color=RED, marker="|", ms=14, mew=2, ls="", label=stress_word("chart_today", words)
            ),
        ]
        figure.legend(handles=handles, prop=font, frameon=False, loc="outside lower center", ncols=4)
        figure.suptitle(stress_said(found, words)[0], fontproperties=font)
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
    return words
