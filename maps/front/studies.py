"""Studies on the front page of a dossier: of those that lie in its folder and are about its tables, the drawing and what they say."""

from __future__ import annotations

import html
from pathlib import Path

from geodata.folder.target import claim
from geodata.messages import say
from geodata.standards.terms import in_its_words
from maps.folders.budgets import frontier_goal
from maps.folders.curve import drawing, goal_lines
from maps.folders.frontier import frontier_said
from maps.folders.writing import rewrite
from maps.front.text import phrase
from maps.front.trades import FRONT
from maps.robust.words import robust_said
from maps.stress.words import stress_said
from models.plan.record import RECORD, read_record
from models.study.analysis import Frontier
from models.study.robust import Robust
from models.study.stressed import Stress

OPENS, CLOSES = "<!--studies-->", "<!--/studies-->"
Shown = Frontier | Stress | Robust


@in_its_words
def put_study(found: Shown, folder: Path) -> Path | None:
    """Show a study on the front page of the dossier in which its folder lies, in the page's own language.

    Parameters
    ----------
    found : Frontier, Stress or Robust
    folder : Path
        The study's, already written: ``DOSSIER/anything``.

    Returns
    -------
    Path or None
        The page; None where the folder lies in no dossier, or in one of other tables or (a stress test) of another plan.

    Raises
    ------
    InputProblems
        The record of the dossier cannot be read.
    """
    dossier = folder.absolute().parent
    page = dossier / FRONT
    if not (dossier / RECORD).is_file() or not page.is_file():
        return None
    told = read_record(dossier)
    if told.get("input_hash") != found.county.content_hash:
        return None
    if isinstance(found, Stress) and told.get("plan_id") != found.plan.plan_id:
        return None
    with claim(dossier):
        text = page.read_text(encoding="utf-8")
        before, begun, rest = text.partition(OPENS)
        shown, ended, after = rest.partition(CLOSES)
        if not begun or not ended:  # a page of an older program
            return None
        language = "zh" if 'lang="zh-CN"' in before[:400] else "en"
        begin, end = (f"<!--{mark}study {html.escape(folder.name)}-->" for mark in ("", "/"))
        head, mine, tail = shown.partition(begin)
        kept = head + tail.partition(end)[2] if mine else shown
        block = f"{begin}{_block(found, folder, language)}{end}"
        rewrite(page, f"{before}{OPENS}{kept}{block}{CLOSES}{after}")
    return page


def _block(found: Shown, folder: Path, language: str) -> str:
    """Heading, drawing, sentences, a link to the study's own page."""
    if isinstance(found, Frontier):
        said, picture, page = frontier_said(found, language), _curve(found, language), "frontier.html"
    elif isinstance(found, Stress):
        said, picture, page = stress_said(found, language), _picture(folder / "stress.svg"), "stress.html"
    else:
        said, picture, page = robust_said(found, language), "", "robust.html"
    title, *rest = [html.escape(s) for s in said]
    figure = f"<figure>{picture}</figure>" if picture else ""
    lines = "".join(f"<li>{s}</li>" for s in rest)
    link = f'<p class="more"><a href="{html.escape(folder.name)}/{page}">{html.escape(phrase("open_study", language))}</a></p>'
    return f"<h3>{title}</h3>{figure}<ul>{lines}</ul>{link}"


def _curve(found: Frontier, language: str) -> str:
    """The goal and its bound over the budget."""
    return drawing(
        frontier_goal(found, language), say("analysis.budget_large", language), goal_lines(found, language)
    )


def _picture(file: Path) -> str:
    """A drawing that the study's folder has; nothing where it could not be made."""
    if not file.is_file():
        return ""
    text = file.read_text(encoding="utf-8")
    return text[text.index("<svg") :]
