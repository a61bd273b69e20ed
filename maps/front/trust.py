"""How far the plan may be trusted: bounds in words, assumptions, data, the fifteen checks, what people settle."""

from __future__ import annotations

from dataclasses import dataclass

from geodata.standards.scheme import Norms
from maps.dossier.completeness import balance_sentence, counts
from maps.front.headline import goal
from maps.front.text import (
    DASH,
    PageCell,
    PageTable,
    goal_amount,
    headings,
    large,
    minutes,
    named_few,
    number,
    phrase,
    place_words,
    share,
    whole,
)
from maps.wording import listed, modelled_names, word
from models.impact.certainty import UNTESTED, certainty
from models.impact.checks import PERSON, UNASSESSED, Check, rejection_checks
from models.plan.decisions import PlanResult

KIND = {"ok": "good", "broken": "bad", "person": "warn", "not_assessed": "warn"}
PEOPLE = (
    "hearing",
    "filing",
    "reuse",
    "order",
    "protected",
    "teachers",
    "earmarks",
    "statistics",
    "disabled",
    "receiver_caps",
    "early_travel",
)
"""In the order in which people would take them up."""


@dataclass(frozen=True)
class Judged:
    """A check in words."""

    number: int
    name: str
    verdict: str
    kind: str
    note: str


def goals(result: PlanResult, language: str) -> PageTable:
    """Each goal with what is proven of it, in words; the bound stands beside the value that it bounds.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}

    Returns
    -------
    PageTable
    """
    rows = []
    for r in certainty(result).itertuples():
        if r.sure == UNTESTED:
            blank = number(DASH)
            rows.append(
                (
                    PageCell(goal(str(r.goal), language)), blank, blank, blank, PageCell(phrase(f"unit_{r.unit}", language)),
                    PageCell(phrase("sure_nothing", language), "warn"),
                )
            )  # fmt: skip
            continue
        value, bound = goal_amount(r.plan, str(r.unit)), goal_amount(r.bound, str(r.unit))
        text = phrase(f"sure_{r.sure}", language, value=value, bound=bound, gap=share(r.gap))
        if r.settled == r.settled:  # about fewer plans: only after the bound, and in words
            least = goal_amount(r.settled, str(r.unit))
            text += " " + phrase("sure_settled", language, bound=least, gap=share(r.settled_gap))
        rows.append(
            (
                PageCell(goal(str(r.goal), language)), number(goal_amount(r.today, str(r.unit))), number(value), number(bound),
                PageCell(phrase(f"unit_{r.unit}", language)), PageCell(text, "" if r.sure in ("proven", "near") else "warn"),
            )
        )  # fmt: skip
    return PageTable(headings(language, "goal", "today#", "plan#", "bound#", "unit", "sure"), tuple(rows))


def assumptions(result: PlanResult, language: str) -> list[str]:
    """What the numbers rest on: modelled tables, travel times, prices, goals, locks.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}

    Returns
    -------
    list of str
    """
    county, asked = result.county, result.scenario
    said = (
        [
            phrase(
                "assumed_goals",
                language,
                goals=listed([goal(g.goal, language) for g in result.solve.goals], language),
            )
        ]
        if result.solve.goals
        else []
    )
    said.append(phrase(f"times_{'crow_fly' if result.times.source == 'crow_fly' else 'roads'}", language))
    if county.modelled:
        said.append(word("modelled", language, what=listed(modelled_names(county, language), language)))
    said.append(phrase(f"prices_{asked.get('cost_level') or 'base'}", language))
    said.append(phrase("assumed_year", language, year=county.year))
    filled = sum(f.key == "tables.default_used" for f in result.findings)
    if filled:
        said.append(phrase("assumed_defaults", language, columns=filled))
    for key in ("close", "keep_open"):
        ids = asked.get(key)
        if isinstance(ids, (list, tuple)) and ids:
            known = county.schools.set_index("school_id")["name"]
            said.append(
                phrase(
                    f"asked_{key}", language, schools=named_few([str(known.get(i, i)) for i in ids], language)
                )
            )
    return said


def data(result: PlanResult, language: str) -> tuple[PageTable, str]:
    """What is incomplete in the tables, counted, and whether every pupil is somewhere.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}

    Returns
    -------
    PageTable, str
    """
    rows = [
        (PageCell(kind), number(whole(n)), PageCell(names or DASH))
        for kind, n, names in counts(result, language)
    ]
    for severity in ("error", "warning", "note"):
        many = sum(f.severity == severity for f in result.findings)
        title = phrase("found", language, severity=word(f"severity_{severity}", language))
        rows.append(
            (
                PageCell(title),
                number(whole(many)),
                PageCell(phrase("see_quality", language) if many else DASH),
            )
        )
    return PageTable(headings(language, "gap_kind", "count#", "names"), tuple(rows)), balance_sentence(
        result, language
    )


def checks(result: PlanResult, language: str) -> list[Judged]:
    """The fifteen checks with verdict and why.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}

    Returns
    -------
    list of Judged
    """
    return [
        Judged(
            i,
            phrase(f"check_{c.id}", language),
            phrase(f"is_{c.verdict}", language),
            KIND[c.verdict],
            check_note(c, result.county.norms, language),
        )
        for i, c in enumerate(rejection_checks(result), start=1)
    ]


def check_note(check: Check, norms: Norms, language: str) -> str:
    """Why a check came out as it did, with the places."""
    fields = dict(check.fields)
    if "yuan" in fields:
        fields["money"] = large(fields.pop("yuan"))
    if "minutes" in fields:
        fields["minutes"] = minutes(fields["minutes"])
    fields = {k: whole(v) if isinstance(v, (int, float)) else v for k, v in fields.items()}
    text = phrase(f"note_{check.note}", language, **fields)
    return text + (
        phrase(
            "places",
            language,
            names=named_few([place_words(p, norms, language) for p in check.places], language),
        )
        if check.places
        else ""
    )


def for_people(result: PlanResult, language: str) -> list[str]:
    """What a person must still settle before the plan may be decided on.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}

    Returns
    -------
    list of str
    """
    open_ones = {c.id: c for c in rejection_checks(result) if c.verdict in (PERSON, UNASSESSED)}
    order = [i for i in PEOPLE if i in open_ones] + [i for i in open_ones if i not in PEOPLE]
    return [
        phrase(f"todo_{i}", language)
        if i in PEOPLE
        else f"{phrase(f'check_{i}', language)}: {check_note(open_ones[i], result.county.norms, language)}"
        for i in order
    ]
