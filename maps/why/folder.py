"""The folder of `why`: a page for each place, a list of them, the correction sheet, the record; links from the dossier's pages."""

from __future__ import annotations

import html
import os
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from geodata.corrections.cells import UsedCell, used_cells
from geodata.corrections.sheet import write_correction_sheet
from geodata.folder.target import claim
from maps.folders.writing import Output, rewrite, write_folder
from maps.why.pages import CORRECTIONS, file_of, why_index, why_page, whys_on_front
from maps.why.words import why_word
from maps.wording import word
from models.plan.decisions import PlanResult
from models.plan.record import read_record
from models.study.why import Reasoned, Turned, Whys

WHY_MARKER = "why.json"
END = "<!--/why-->"
FRONT, ASKED, ASKED_END = "index.html", "<!--whys-->", "<!--/whys-->"
DOSSIER_PAGES = {"school": "schools.html", "village": "villages.html"}


def why_record(whys: Whys) -> dict[str, Any]:
    """Everything that was found, as plain data."""
    return {
        "county": whys.county.name, "input_hash": whys.county.content_hash, "plan_id": whys.plan_id, "seconds": whys.seconds,
        "same": whys.same, "solver": whys.solver, "interrupted": whys.interrupted,
        "findings": [{"severity": f.severity, "text": f.sentence("en")} for f in whys.findings],
        "places": [_place(p) for p in whys.places],
    }  # fmt: skip


def _place(place: Reasoned) -> dict[str, Any]:
    return {
        "kind": place.kind, "id": place.place_id, "name": place.name, "seconds": round(place.seconds, 1),
        "decisions": [_turned(t) for t in place.turned],
    }  # fmt: skip


def _turned(turned: Turned) -> dict[str, Any]:
    plain = (
        "kind",
        "school_id",
        "village_id",
        "outcome",
        "goal",
        "next_id",
        "schools",
        "villages",
        "whole",
        "accepted",
    )
    tables = ("goals", "measures", "moved", "rules", "barred")
    return {
        **{k: getattr(turned, k) for k in plain},
        **{k: [_known(r) for r in getattr(turned, k).to_dict("records")] for k in tables},
        "reasons": [f.text("en") for f in turned.reasons], "flips": [_known(asdict(f)) for f in turned.flips],
        "seconds": round(turned.seconds, 1),
    }  # fmt: skip


def _known(row: dict[Any, Any]) -> dict[str, Any]:
    """A row without what is not known, which JSON has no number for."""
    return {str(k): v for k, v in row.items() if not (isinstance(v, float) and v != v)}


def files_of(whys: Whys) -> dict[str, str]:
    """Page of each place by kind and id."""
    return {f"{p.kind} {p.place_id}": file_of(p, n) for n, p in enumerate(whys.places, start=1)}


def write_why(
    whys: Whys, folder: Path, language: str = "zh", overwrite: bool = False, dossier: Path | None = None
) -> Path:
    """Write the folder; with a dossier its pages get links to it.

    Parameters
    ----------
    whys : Whys
    folder : Path
        Inside the dossier or anywhere else.
    language : {"zh", "en"}
    overwrite : bool
        Replace an earlier folder of this kind.
    dossier : Path or None

    Returns
    -------
    Path

    Raises
    ------
    InputProblems
        When the folder may not be written.
    Undrawn
        A part could not be made; the record and the other parts are written.
    """
    files = files_of(whys)
    back = "" if dossier is None else _between(folder, dossier)
    parts: list[tuple[str, Callable[[Path], object]]] = [
        (files[f"{p.kind} {p.place_id}"], _page(partial(why_page, whys, p, language, back)))
        for p in whys.places
    ]
    parts.append(("index.html", _page(partial(why_index, whys, files, language, back))))
    parts.append((CORRECTIONS, lambda file: _sheet(whys, file, language)))
    kind = Output(WHY_MARKER, frozenset({*files.values(), "index.html", CORRECTIONS, *_earlier(folder)}))
    place = write_folder(folder, kind, overwrite, why_record(whys), parts, language)
    if dossier is not None and place == folder:
        link_dossier(dossier, folder, whys.plan_id, files, language)
        put_whys_on_front(dossier, folder, whys, files)
    return place


def _page(make: Callable[[], str]) -> Callable[[Path], object]:
    return lambda file: file.write_text(make(), encoding="utf-8")


def _earlier(folder: Path) -> list[str]:
    """Pages of an earlier folder, about places that are not asked about this time."""
    return [p.name for p in folder.glob("[sv]-*.html")] if folder.is_dir() else []


def _sheet(whys: Whys, file: Path, language: str) -> None:
    write_correction_sheet(
        file,
        whys.county,
        sheet_cells(whys),
        language,
        word("title", language, county=whys.county.name) + f" · {whys.plan_id}",
    )


def sheet_cells(whys: Whys) -> list[UsedCell]:
    """The numbers of the places asked about: their tables, and the ways that their children take or would take."""
    ids = {kind: [p.place_id for p in whys.places if p.kind == kind] for kind in DOSSIER_PAGES}
    return used_cells(whys.county, _ways(whys.result, whys), ids["school"], ids["village"])


def _ways(result: PlanResult, whys: Whys) -> pd.DataFrame:
    """Ways of the villages asked about to the schools of today, of the plan and of the other decision."""
    villages = [p.place_id for p in whys.places if p.kind == "village"]
    travel = result.verdict.travel[result.verdict.travel["village_id"].isin(villages)]
    ends = set(zip(travel["village_id"], travel["school_id"], strict=True))
    ends |= set(zip(travel["village_id"], travel["today_school_id"], strict=True))
    ends |= {(t.village_id, t.next_id) for p in whys.places for t in p.turned if t.village_id and t.next_id}
    pairs = result.times.pairs
    here = [k in ends for k in zip(pairs["village_id"], pairs["school_id"], strict=True)]
    return pairs[here]


def _between(start: Path, end: Path) -> str:
    """Where a folder is, seen from another, ending in a slash."""
    return Path(os.path.relpath(end.absolute(), start.absolute())).as_posix() + "/"


def link_dossier(dossier: Path, folder: Path, plan_id: str, files: dict[str, str], language: str) -> bool:
    """Link the dossier's pages of schools and villages to these pages; False where it holds another plan.

    Each page is written aside and put in place by renaming; what else it says stays.
    """
    if str(read_record(dossier).get("plan_id")) != plan_id:
        return False
    way = _between(dossier, folder)
    with claim(dossier):
        for kind, page in DOSSIER_PAGES.items():
            path = dossier / page
            if not path.is_file():
                continue
            mine = {k.split(" ", 1)[1]: f"{way}{f}" for k, f in files.items() if k.startswith(f"{kind} ")}
            rewrite(path, linked(path.read_text(encoding="utf-8"), kind, mine, language))
    return True


def put_whys_on_front(dossier: Path, folder: Path, whys: Whys, files: dict[str, str]) -> bool:
    """Put the answers on the front page, in its own language; False where it holds another plan, or is of an older program."""
    page = dossier / FRONT
    if str(read_record(dossier).get("plan_id")) != whys.plan_id:
        return False
    with claim(dossier):
        if not page.is_file():
            return False
        before, begun, rest = page.read_text(encoding="utf-8").partition(ASKED)
        _, ended, after = rest.partition(ASKED_END)
        if not begun or not ended:
            return False
        language = "zh" if 'lang="zh-CN"' in before[:400] else "en"
        told = whys_on_front(whys, files, _between(dossier, folder), language)
        rewrite(page, f"{before}{ASKED}{told}{ASKED_END}{after}")
    return True


def linked(page: str, kind: str, links: dict[str, str], language: str) -> str:
    """A dossier's page with a link at each place that has one."""
    for place_id, link in links.items():
        mark = html.escape(f"{kind[0]}-{place_id}")
        said = (
            f'<p class="more"><a href="{html.escape(link)}">{html.escape(why_word("link", language))}</a></p>'
        )
        before, found, rest = page.partition(f"<!--why {mark}-->")
        if found:
            page = before + found + said + END + rest.partition(END)[2]
    return page
