"""What a plan wins and loses, in words."""

from __future__ import annotations

import pandas as pd

from geodata.messages import catalogue, say
from geodata.standards.scheme import Norms
from maps.wording import resource, word
from models.plan.decisions import PlanResult
from models.plan.quality import plan_quality

ROOMS = {
    "gap": ("goals.",), "bound": ("goals.",), "bound_settled": ("goals.",), "objective": ("goals.",), "yuan": ("rules.earmark_",),
    "pupils_newly_beyond": ("workbook.band_",), "teachers_net": ("map.zone_", "rules.resource_"),
    "teachers_flow": ("map.zone_",), "pupils_flow": ("map.zone_",),
}  # fmt: skip
"""Where the words of what a measure is about stand."""


def gains_table(result: PlanResult, language: str) -> pd.DataFrame:
    """The measures of `models.plan.quality.plan_quality` in one language.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}

    Returns
    -------
    DataFrame
        ``measure, about, unit`` in words and ``value``; shares stay shares.
    """
    table = plan_quality(result)
    pairs = zip(table["measure"], table["about"], strict=True)
    return pd.DataFrame(
        {
            "measure": [say(f"quality.{m}", language) for m in table["measure"]],
            "about": [about_words(m, a, language, result.county.norms) for m, a in pairs],
            "value": table["value"],
            "unit": [say(f"quality.unit_{u}", language) for u in table["unit"]],
        }
    )


def about_words(measure: str, about: str, language: str, norms: Norms | None = None) -> str:
    """What a measure is about: one id, or two with ``:`` or ``>`` between; ids without a word stay as they are."""
    if about in ("today", "plan"):
        return word(about, language)
    if about.isdecimal():
        return say("quality.about_more", language, minutes=about)
    for sign, shown in ((":", " · "), (">", " → ")):
        if sign in about:
            return shown.join(about_words(measure, part, language, norms) for part in about.split(sign))
    if measure == "teachers_net" and norms is not None and about in norms.resources:
        return resource(about, language, norms)
    known = catalogue(language)
    found = (known.get(room + about) for room in ("quality.about_", *ROOMS.get(measure, ())))
    return next((text for text in found if text), about)
