"""Pages from templates: the front page, and how every page of the dossier is put together."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Any

import jinja2
from markupsafe import Markup

from geodata.standards.terms import in_its_words
from maps.dossier.notices import notices, warnings
from maps.dossier.public import is_public
from maps.front import gainers, headline, losers, money, trust
from maps.front.picture import drawings
from maps.front.text import phrase
from maps.lettered import lettered
from maps.paper.atlas import ATLAS, SHEETS, picture_name
from maps.web.page import page_text
from maps.wording import word
from models.impact.checks import BROKEN, OK, PERSON, UNASSESSED
from models.impact.losses import longer_ways, losing_units, unit_changes
from models.plan.decisions import PlanResult
from models.plan.record import LEDGER_CSV

LINKS = (
    ("map.html", "map"), ("schools.html", "schools"), ("villages.html", "villages"), ("reports.html", "reports"), ("reports.docx", "reports_docx"), ("reports.xlsx", "reports_xlsx"), ("plan.xlsx", "xlsx"), ("plan.gpkg", "gpkg"),
    (ATLAS, "atlas"), *((picture_name(sheet), f"{sheet}_png") for sheet in SHEETS),
    (LEDGER_CSV, "csv"), ("run.json", "run"),
)  # fmt: skip
"""Files of a dossier in the order in which they are offered."""


@cache
def _environment() -> jinja2.Environment:
    """Templates that escape whatever a table holds, and refuse a name that nobody filled in."""
    loader = jinja2.FunctionLoader(page_text)
    return jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, loader=loader, trim_blocks=True, lstrip_blocks=True
    )


def render(template: str, result: PlanResult, language: str, heading: str, **fields: Any) -> str:
    """A page from its template.

    Parameters
    ----------
    template : str
        Its file beside the map's page.
    result : PlanResult
    language : {"zh", "en"}
    heading : str
        What stands above it.
    **fields : object
        What the template asks for.

    Returns
    -------
    str
    """
    county = result.county
    name = county.name if language == "zh" else county.name_en or county.name
    edition = f" · {word('public_edition', language)}" if is_public() else ""
    return str(
        _environment().get_template(template).render(
            language="zh-CN" if language == "zh" else "en", style=Markup(page_text("front.css")), heading=heading,
            plan_title=word("title", language, county=name), draft=word("draft_mark", language),
            about=phrase("about", language, plan=result.plan.plan_id, year=county.year) + edition, said=notices(result, language),
            say=lambda key, **more: phrase(key, language, **more), public=is_public(), **fields,
        )
    )  # fmt: skip


def part(template: str, language: str, **fields: Any) -> str:
    """A piece of a page from its template."""
    return str(
        _environment().get_template(template).render(
            say=lambda key, **more: phrase(key, language, **more), **fields
        )
    )  # fmt: skip


@in_its_words
def front_page(result: PlanResult, language: str, lost: Collection[str] = ()) -> str:
    """``index.html``: what an official reads in three minutes; who loses stands before what improves.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}
    lost : collection of str
        Files that could not be made and are not linked.

    Returns
    -------
    str
        A page that asks nothing of the network.
    """
    result = lettered(result, language)
    if ATLAS in lost:  # its sheets are pictures too
        lost = {*lost, *(picture_name(sheet) for sheet in SHEETS)}
    data, balance = trust.data(result, language)
    checks = trust.checks(result, language)
    tally = {
        v: sum(c.verdict == phrase(f"is_{v}", language) for c in checks)
        for v in (OK, BROKEN, PERSON, UNASSESSED)
    }
    changes = unit_changes(result)
    return render(
        "index.html", result, language, word("title", language, county=result.county.name if language == "zh" else result.county.name_en),
        links=[(f, word(f"link_{k}", language)) for f, k in LINKS if f not in lost],
        lost=lost, banner=warnings(result, language), sentences=headline.paragraph(result, language), alarms=headline.alarms(result, language), cards=headline.cards(result, language),
        villages=losers.longer_villages(result, language), village_count=len(longer_ways(result.verdict.travel)),
        schools=losers.losing_schools(result, language), school_count=len(losing_units(changes)), zones=losers.zones(result, language),
        pictures=[Markup(d) for d in drawings(result, language)], first=losers.FIRST,
        indicators=gainers.indicator_gains(result, language), coefficients=gainers.cv_gains(result, language),
        earmarks=money.earmarks(result, language), uses=money.uses(result, language), goals=trust.goals(result, language),
        assumptions=trust.assumptions(result, language), data=data, balance=balance, checks=checks, tally=tally,
        settle=trust.for_people(result, language),
    )  # fmt: skip
