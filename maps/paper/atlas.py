"""The maps of a dossier as A3 sheets: one PDF to print, a PNG of each for other documents."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from geodata.standards.terms import in_its_words
from maps.paper.ground import A3, Pen, pen_for
from maps.paper.network import layout_sheet, travel_sheet
from maps.paper.staff import teachers_sheet
from maps.paper.words import atlas_word
from maps.web.sites import schools
from maps.web.ways import villages
from maps.wording import word
from models.plan.decisions import PlanResult

SHEETS = ("layout", "teachers", "travel")
ATLAS = "atlas.pdf"
DPI = 110
"""Of the PNG: 1,820 by 1,290 dots, sharp on A4 in a document and on A3."""
PDF: Any = {"pdf.fonttype": 3, "path.simplify": False}
"""Letters drawn once each: cutting a Chinese font to its used letters takes longer than all drawing."""

FAST = {"compress_level": 3}
"""A PNG a tenth larger in a third of the time."""


def picture_name(sheet: str) -> str:
    """The file of a sheet's PNG."""
    return f"map-{sheet}.png"


@in_its_words
def write_atlas(result: PlanResult, path: Path, language: str = "zh") -> Path:
    """``atlas.pdf``, three A3 sheets, and ``map-layout.png``, ``map-teachers.png``, ``map-travel.png`` beside it.

    The same plan gives the same bytes on the same machine: fonts are the machine's own.

    Parameters
    ----------
    result : PlanResult
    path : Path
        The PDF.
    language : {"zh", "en"}
        Without a Chinese font the words are English and names are in Latin letters; the sheet says so.

    Returns
    -------
    Path
        ``path``.
    """
    pen = pen_for(result.county, language)
    sites, homes = schools(result), villages(result)
    makers: dict[str, Callable[[Figure], None]] = {
        "layout": lambda figure: layout_sheet(figure, result, sites, homes, pen),
        "teachers": lambda figure: teachers_sheet(figure, result, sites, pen),
        "travel": lambda figure: travel_sheet(figure, result, sites, homes, pen),
    }
    about = {"Title": word("title", pen.language, county=_county(result, pen)), "Creator": "junheng", "Producer": None, "CreationDate": None}  # fmt: skip
    with rc_context(PDF), PdfPages(path, metadata=about) as book:
        for sheet in SHEETS:
            figure = Figure(figsize=A3, facecolor="white")
            FigureCanvasAgg(figure)
            _frame(figure, result, sheet, pen, language)
            makers[sheet](figure)
            figure.savefig(
                path.with_name(picture_name(sheet)), dpi=DPI, metadata={"Software": None}, pil_kwargs=FAST
            )
            book.savefig(figure)
    return path


def _county(result: PlanResult, pen: Pen) -> str:
    county = result.county
    return county.name if pen.language == "zh" else county.name_en or pen.place(county.name)


def _frame(figure: Figure, result: PlanResult, sheet: str, pen: Pen, language: str) -> None:
    """Title, data and plan, and what must be known to read the sheet."""
    title = f"{_county(result, pen)} · {atlas_word(f'file_{sheet}', pen.language)}"
    figure.text(0.02, 0.965, title, fontproperties=pen.font(20, True), va="center", parse_math=False)
    said = [atlas_word("about", pen.language, year=result.county.year, plan=result.plan.plan_id)]
    said += [atlas_word("fictional", pen.language)] if result.county.fictional else []
    said += [atlas_word("modelled", pen.language)] if result.county.modelled else []
    said += [atlas_word("crow_fly", pen.language)] if result.times.source == "crow_fly" else []
    said += [atlas_word("other_names", pen.language)] if language != pen.language else []
    figure.text(0.02, 0.925, " ".join(said), fontproperties=pen.font(11), va="center", color="#444", parse_math=False)  # fmt: skip
