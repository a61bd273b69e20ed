"""The map of a plan in a notebook: the same page as ``map.html``, framed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path

from geodata.standards.terms import in_its_words
from maps.web.proposal import map_html
from maps.wording import reason
from models.plan.decisions import PlanResult
from models.plan.showing import shown_by

FRAME = '<iframe srcdoc="{page}" style="width: 100%; height: 640px; border: 1px solid #999" title="{title}"></iframe>'
"""How a notebook holds a whole page that must not touch its own."""


@dataclass(frozen=True)
class PlanMap:
    """A plan's map; a notebook shows it when it is the last line of a cell.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}
        The language it opens in.
    """

    result: PlanResult
    language: str = "zh"

    @cached_property
    def html(self) -> str:
        """The page, as ``map.html`` has it: it asks nothing of the network."""
        return in_its_words(map_html)(self.result, self.language)

    def save(self, path: str | Path) -> Path:
        """Write the page to a file, and return where."""
        Path(path).write_text(self.html, encoding="utf-8", newline="\n")
        return Path(path)

    def __repr__(self) -> str:
        """A line: whose map it is."""
        return f"PlanMap({self.result.county.name!r}, plan {self.result.plan.plan_id})"

    def _repr_html_(self) -> str:
        """The page in a frame of its own."""
        return FRAME.format(page=escape(self.html), title=escape(repr(self)))


shown_by("map", PlanMap)
shown_by("cause", reason)
