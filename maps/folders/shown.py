"""A study in a notebook: the page that its folder has, framed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

from geodata.roads.scratch import scratch_folder
from geodata.standards.terms import in_its_words
from maps.folders.alternatives import alternatives_page
from maps.folders.frontier import frontier_page
from maps.province.folder import province_page
from maps.robust.folder import robust_page
from maps.stress.folder import stress_page
from maps.web.notebook import FRAME
from models.plan.showing import shown_by
from models.study.analysis import Alternatives, Frontier
from models.study.provincial import Province
from models.study.robust import Robust
from models.study.stressed import Stress

PAGES: dict[type, Callable[[Any, str, Path], str]] = {
    Frontier: frontier_page, Alternatives: alternatives_page, Stress: stress_page, Robust: robust_page, Province: province_page,
}  # fmt: skip


@dataclass(frozen=True)
class StudyPage:
    """A study's page with its drawings and tables; a notebook shows it when it is the last line of a cell.

    Parameters
    ----------
    found : Frontier, Alternatives, Stress, Robust or Province
    language : {"zh", "en"}
    """

    found: Any
    language: str = "zh"

    @cached_property
    def html(self) -> str:
        """The page: it asks nothing of the network."""
        with scratch_folder() as place:
            make = PAGES[type(self.found)]
            if not isinstance(self.found, Province):  # a province has no terms of its own
                make = in_its_words(make)
            return make(self.found, self.language, place)

    def save(self, path: str | Path) -> Path:
        """Write the page to a file, and return where."""
        Path(path).write_text(self.html, encoding="utf-8", newline="\n")
        return Path(path)

    def __repr__(self) -> str:
        """A line: whose page it is."""
        return f"StudyPage({self.found!r})"

    def _repr_html_(self) -> str:
        """The page in a frame of its own."""
        return FRAME.format(page=escape(self.html), title=escape(repr(self)))


shown_by("study", StudyPage)
