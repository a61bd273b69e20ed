"""The twenty-four questions of planners: every place that the pages name is there on the demonstration county, and says something."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import openpyxl
import pytest

from geodata.folder.reading import read_county
from maps.dossier.dossier import write_dossier
from optimizer.cli.main import VERBS
from optimizer.scenario import Goal, Scenario
from optimizer.verbs.plan import plan

DOCS = Path(__file__).resolve().parent.parent / "docs"
ROW = re.compile(r"^\| (\d+) \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
COMMAND, LATER = "junheng ", "not planned yet: "


def asked(page: str) -> dict[int, list[str]]:
    """Question -> places."""
    rows = ROW.findall((DOCS / page).read_text(encoding="utf-8"))
    return {int(number): re.findall(r"`([^`]+)`", where) for number, _, where, _ in rows}


PLACES = asked("planner-questions.md")


class Part(HTMLParser):
    """The text of one element of a page, found by its id."""

    def __init__(self, part: str):
        super().__init__()
        self.part, self.depth, self.text = part, 0, ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.depth and tag == self.tag:
            self.depth += 1
        if not self.depth and dict(attrs).get("id") == self.part:
            self.tag, self.depth = tag, 1

    def handle_endtag(self, tag: str) -> None:
        self.depth -= bool(self.depth and tag == self.tag)

    def handle_data(self, data: str) -> None:
        if self.depth:
            self.text += data


def shown(folder: Path, place: str) -> str:
    """The text of a page, of a part of one, or of a sheet below its headings."""
    if ": " in place:
        file, sheet = place.split(": ")
        book = openpyxl.load_workbook(folder / file, read_only=True)
        return "\n".join(
            str(c) for row in book[sheet].iter_rows(min_row=4, values_only=True) for c in row if c is not None
        )
    file, _, part = place.partition("#")
    page = (folder / file).read_text(encoding="utf-8")
    if not part:
        return page
    reader = Part(part)
    reader.feed(page)
    return reader.text


@pytest.fixture(scope="module")
def dossier(nanpu: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Any plan with measures does: the first one that is found."""
    scenario = Scenario(goals=(Goal(name="failing", gap=0.9),), nodes=1, seconds=120)
    return write_dossier(plan(read_county(nanpu), scenario), tmp_path_factory.mktemp("nanpu") / "plan")


def test_both_pages_have_the_same_places_for_all_questions() -> None:
    assert list(PLACES) == list(range(1, 25)) and all(PLACES.values())
    assert asked("zh/planner-questions.md") == PLACES


def test_every_place_answers(dossier: Path) -> None:
    silent = []
    for number, places in PLACES.items():
        for place in (p for p in places if not p.startswith((COMMAND, LATER))):
            text = shown(dossier, place)
            if not re.search(r"\d", text) or len(text) < 30:
                silent.append((number, place))
    assert silent == []


def test_what_is_not_planned_says_so_in_the_dossier(dossier: Path) -> None:
    words = {5: "轮岗", 7: "走教", 8: "专递课堂", 10: "寄宿", 11: "寄宿", 13: "新建", 15: "出生", 22: "次序"}
    later = {n: p.removeprefix(LATER) for n, places in PLACES.items() for p in places if p.startswith(LATER)}
    assert later.keys() == words.keys()
    assert [n for n, place in later.items() if words[n] not in shown(dossier, place)] == []


def test_every_command_has_a_page_that_shows_it() -> None:
    commands = {
        p.removeprefix(COMMAND) for places in PLACES.values() for p in places if p.startswith(COMMAND)
    }
    shown_by = {c: [p.name for p in DOCS.glob("*.md") if p.name != "planner-questions.md" and f"junheng {c} " in p.read_text(encoding="utf-8")] for c in commands}  # fmt: skip
    assert commands <= set(VERBS) and all(shown_by.values())
