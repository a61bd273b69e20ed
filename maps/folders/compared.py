"""Two plans beside each other: a workbook of what they decide otherwise and why, and a page with both maps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup

from geodata.messages import catalogue, say
from geodata.standards.terms import in_its_words
from maps.dossier.tables import Sheet
from maps.dossier.workbook import write_told
from maps.folders.writing import Output, write_folder
from maps.front.text import measure_unit, measure_values, plainly
from maps.lettered import ENGLISH, lettered, place_names
from maps.web.notebook import PlanMap
from maps.web.page import page_text
from maps.web.plain import escaped_json
from maps.wording import band, name, resource, stage
from models.plan.differences.comparison import Compared
from models.plan.differences.edits import differences
from models.plan.names import Names

COMPARE_MARKER = "compare.json"
KIND = Output(COMPARE_MARKER, frozenset((COMPARE_MARKER, "compare.xlsx", "compare.html")))
ENDS = ("village_id", "school_id", "from_id", "to_id")


def _word(key: str, language: str) -> str:
    return say(f"plan.{key}", language)


def decisions_compared(pair: Compared, language: str) -> Sheet:
    """One row a cell of the ledger in which the plans differ, with the cause that each gives.

    Parameters
    ----------
    pair : Compared
    language : {"zh", "en"}

    Returns
    -------
    Sheet
    """
    county, norms = lettered(pair.first, language).county, pair.first.county.norms
    names = Names(county)
    found = differences(pair.first, pair.second, language)
    letters = place_names(pair.first.county) if language == ENGLISH else None
    rows = []
    for r in found.to_dict("records"):
        kind = "village" if r["village_id"] else "school"
        where = names.label(kind, str(r["village_id"] or r["school_id"] or r["from_id"]), language)
        where += _to(r, names, language)
        values = [_value(r["column"], r[c], names, language) for c in ("before", "after")]
        what = " ".join(
            t for t in (stage(str(r["stage"]), language, norms), band(str(r["band"]), language, norms), _item(r, language, norms)) if t
        )  # fmt: skip
        causes = [letters.line(r[c]) if letters else r[c] for c in ("cause_before", "cause_after")]
        told = (_word(f"action_{r['action']}", language), where, what, _word(f"edit_{r['edit']}", language))
        rows.append([*told, *values, *causes])
    heads = ["decision", "where", "what", "change", "first", "second", "cause_first", "cause_second"]
    return Sheet("compare", pd.DataFrame(rows, columns=[_word(f"col_{h}", language) for h in heads]), {})


def _to(row: dict[str, Any], names: Names, language: str) -> str:
    """Where a transfer or a thing goes."""
    if row["action"] not in ("transfer", "move_item"):
        return ""
    return f" → {names.label('school', str(row['to_id']), language)}"


def _item(row: dict[str, Any], language: str, norms: Any) -> str:
    key = str(row["item"] or "")
    if not key:
        return ""
    if row["action"] in ("transfer", "hire"):
        return name("category", key, language)
    return resource(key, language, norms)


def _value(column: str, value: object, names: Names, language: str) -> str:
    if value is None or value != value:
        return "–"
    if column == "quantity":
        return plainly(value)
    if column == "state":
        return say("workbook.yes" if value == "open" else "workbook.no", language)
    if column == "mode":
        return catalogue(language).get(f"workbook.mode_{value}", str(value))
    return names.label("school", str(value), language)


def measures_compared(pair: Compared, language: str) -> Sheet:
    """Every measure today and in both plans.

    Parameters
    ----------
    pair : Compared
    language : {"zh", "en"}

    Returns
    -------
    Sheet
    """
    other = pair.second.verdict.measures.set_index("measure")["plan"]
    rows = []
    for r in pair.first.verdict.measures.itertuples():
        told = measure_values(r.unit, r.today, r.plan)
        last = measure_values(r.unit, r.today, float(other[r.measure]))[1]
        unit = name("unit", measure_unit(r.unit), language)
        rows.append([say(f"rules.measure_{r.measure}", language), unit, *told, last])
    heads = ["measure", "unit", "today", "first", "second"]
    return Sheet("measures", pd.DataFrame(rows, columns=[_word(f"col_{h}", language) for h in heads]), {})


def _places(pair: Compared) -> list[dict[str, object]]:
    """The schools and villages at which the plans differ, for rings on both maps."""
    found = differences(pair.first, pair.second, "en")
    ids = {str(i) for c in ENDS for i in found[c] if i}
    moved = found[found["column"] == "to_id"]
    ids |= {str(i) for c in ("before", "after") for i in moved[c] if i}
    county = pair.first.county
    places: list[dict[str, object]] = []
    for kind, table in (("school", county.schools), ("village", county.villages)):
        for key, lon, lat in table.loc[
            table[f"{kind}_id"].isin(ids), [f"{kind}_id", "lon", "lat"]
        ].itertuples(index=False):
            places.append(
                {"kind": kind, "id": str(key), "lon": round(float(lon), 6), "lat": round(float(lat), 6)}
            )
    return places


def _said(pair: Compared, count: int, language: str) -> list[str]:
    county = pair.first.county
    title = say(
        "plan.compare_title",
        language,
        county=county.name if language == "zh" else county.name_en or county.name,
    )
    ids = (pair.first.plan.plan_id, pair.second.plan.plan_id)
    lines = [
        title,
        say(
            "plan.compare_said",
            language,
            first=f"{pair.called[0]} ({ids[0]})",
            second=f"{pair.called[1]} ({ids[1]})",
            count=count,
        ),
    ]
    return [*lines, say("workbook.fictional", language)] if county.fictional else lines


def compare_html(pair: Compared, language: str = "zh") -> str:
    """The page: both maps side by side, moved together, rings where the plans differ, the tables below.

    Parameters
    ----------
    pair : Compared
    language : {"zh", "en"}

    Returns
    -------
    str
        It asks nothing of the network.
    """
    sheets = (decisions_compared(pair, language), measures_compared(pair, language))
    title, *said = _said(pair, len(sheets[0].table), language)
    sides = zip(("col_first", "col_second"), pair.called, (pair.first, pair.second), strict=True)
    page = jinja2.Template(page_text("compare.html"), autoescape=True, undefined=jinja2.StrictUndefined)
    html: str = page.render(
        title=title, said=[*said, say("plan.compare_rings", language)], tag="zh-CN" if language == "zh" else "en",
        maps=[(f"{_word(k, language)}: {c}", PlanMap(one, language).html) for k, c, one in sides],
        tables=[(_word(f"sheet_{s.key}", language), list(s.table.columns), s.table.astype(str).to_numpy().tolist()) for s in sheets],
        places=Markup(escaped_json(_places(pair))),
    )  # fmt: skip
    return html


def _write_page(pair: Compared, file: Path, language: str) -> None:
    text = in_its_words(lambda result, lang: compare_html(pair, lang))(pair.first, language)
    file.write_text(text, encoding="utf-8", newline="\n")


def write_compared(pair: Compared, folder: Path, language: str = "zh", overwrite: bool = False) -> Path:
    """Write the folder of a comparison: a record, ``compare.xlsx`` and ``compare.html``.

    Parameters
    ----------
    pair : Compared
    folder : Path
    language : {"zh", "en"}
    overwrite : bool

    Returns
    -------
    Path

    Raises
    ------
    InputProblems
        When the folder may not be written.
    Undrawn
        A part could not be made; the record is written.
    """
    county = pair.first.county
    sheets = [decisions_compared(pair, language), measures_compared(pair, language)]
    named = [(_word(f"sheet_{s.key}", language), s) for s in sheets]
    said = (_word("compare_about", language), _said(pair, len(sheets[0].table), language))
    record = {
        "county": county.name, "fictional": county.fictional, "year": county.year, "input_hash": county.content_hash,
        "first": pair.first.plan.plan_id, "second": pair.second.plan.plan_id, "differences": len(sheets[0].table),
    }  # fmt: skip
    parts = (
        ("compare.xlsx", lambda file: write_told(file, county.name, language, said, named)),
        ("compare.html", lambda file: _write_page(pair, file, language)),
    )
    return write_folder(folder, KIND, overwrite, record, parts, language)
