"""Charts for print, by matplotlib without a display."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from pathlib import Path

from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

from geodata.messages import large_unit, say
from maps.wording import name
from models.formulation.money import EARMARKED
from models.study.analysis import Frontier, FrontierPoint

CHINESE_FONTS = (
    "Noto Sans CJK SC", "Source Han Sans SC", "Source Han Sans CN", "Microsoft YaHei", "SimHei", "PingFang SC", "Heiti SC",
    "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Noto Sans CJK JP", "Noto Serif CJK SC", "Noto Serif CJK JP", "SimSun",
)  # fmt: skip
COLOURS = {"building": "#B07AA1", "device": "#4E79A7", "teacher": "#F28E2B", "transport": "#76B7B2"}


def chinese_font() -> str | None:
    """The first installed font of `CHINESE_FONTS`, None without any.

    matplotlib keeps a list of fonts from the day it was first used: without one in it, the machine is asked.
    """
    return _listed_font() or (_listed_font() if _add_newer_fonts() else None)


def _listed_font() -> str | None:
    installed = {f.name for f in font_manager.fontManager.ttflist}
    return next((f for f in CHINESE_FONTS if f in installed), None)


@cache
def _add_newer_fonts() -> int:
    """Add fonts that were installed after matplotlib made its list; how many. Asked once: a machine may have none."""
    known = {str(Path(f.fname)) for f in font_manager.fontManager.ttflist}
    added = 0
    for file in font_manager.findSystemFonts():
        if str(Path(file)) not in known:
            with suppress(OSError, RuntimeError, ValueError):  # a file that is no font
                font_manager.fontManager.addfont(file)
                added += 1
    return added


def lettering(language: str, size: float) -> tuple[str, FontProperties]:
    """The language that a chart's labels can have, English where no Chinese font is installed, and their font."""
    family = chinese_font()
    words = "en" if language == "zh" and family is None else language
    return words, FontProperties(family=family if words == "zh" and family else "DejaVu Sans", size=size)


def _curve(axes: Axes, found: Frontier, words: str, font: FontProperties) -> None:
    solved = [p for p in found.points if p.plan is not None]
    x = [p.yuan / large_unit() for p in solved]
    high, low = [p.objective for p in solved], [p.bound for p in solved]
    axes.fill_between(x, low, high, color="#DCE6F1", label=say("analysis.chart_between", words))
    axes.plot(x, high, "o-", color="#1F4E79", ms=4, label=say("analysis.chart_plan", words))
    axes.plot(x, low, "--", color="#7F7F7F", lw=1.2, label=say("analysis.chart_bound", words))
    own = [p for p in solved if abs(p.share - 1.0) < 1e-9]
    if own:
        axes.axvline(
            own[0].yuan / large_unit(), color="#C00000", lw=1, ls=":", label=say("analysis.chart_own", words)
        )
    axes.set_ylim(bottom=0)
    goal = say(f"goals.{found.goal}", words)
    axes.set_ylabel(say("analysis.objective_of", words, goal=goal), fontproperties=font)
    axes.legend(prop=font, frameon=False)


def _money(axes: Axes, solved: list[FrontierPoint], words: str, font: FontProperties) -> None:
    x = [p.yuan / large_unit() for p in solved]
    parts = [
        [
            float(p.verdict.budget.set_index("earmark").at[e, "spent"]) / large_unit()
            for p in solved
            if p.verdict is not None
        ]
        for e in EARMARKED
    ]
    names = [name("earmark", e, words) for e in EARMARKED]
    axes.stackplot(x, parts, labels=names, colors=[COLOURS[e] for e in EARMARKED], alpha=0.85)
    axes.set_ylabel(say("analysis.chart_spent", words), fontproperties=font)
    axes.set_xlabel(say("analysis.budget_large", words), fontproperties=font)
    axes.legend(prop=font, frameon=False, loc="upper left")


def draw_frontier(found: Frontier, path: Path, language: str) -> str:
    """Draw objective and bound over the budget, and below it what the money goes to.

    Parameters
    ----------
    found : Frontier
    path : Path
        ``.png``.
    language : {"zh", "en"}

    Returns
    -------
    str
        The language of the labels: English where Chinese was asked for and no Chinese font is installed.
    """
    words, font = lettering(language, 9)
    figure = Figure(figsize=(8.3, 7.2), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    _curve(top, found, words, font)
    _money(bottom, [p for p in found.points if p.plan is not None], words, font)
    county = found.county.name if words == "zh" else found.county.name_en
    title = FontProperties(family=font.get_family(), size=12)
    figure.suptitle(say("analysis.frontier_title", words, county=county), fontproperties=title)
    figure.savefig(path, metadata={"Software": ""})
    return words
