"""What a robust study says in sentences."""

from __future__ import annotations

import math

from geodata.messages import say
from maps.dossier.notices import percent
from maps.stress.words import factor_said, measure_said
from maps.wording import listed, not_real
from models.study.robust import Robust


def robust_word(key: str, language: str, **fields: object) -> str:
    """A message of the room of robust studies."""
    return say(f"robust.{key}", language, **fields)


def reached_said(value: float, language: str) -> str:
    """A value of the goal; words where there is no plan."""
    return robust_word("none", language) if math.isinf(value) else f"{value:,.4g}"


def source_said(source: str, language: str) -> str:
    """Where a candidate comes from."""
    if source.isdigit():
        return robust_word("source_today" if source == "0" else "source_future", language, future=source)
    return robust_word(f"source_{source}", language)


def goal_said(found: Robust, language: str) -> str:
    """The goal that the study is about."""
    return measure_said(f"goal_{found.goal}", language)


def robust_said(found: Robust, language: str) -> list[str]:
    """The title, what was chosen and why, what it costs today, what is proven."""
    county = found.county.name if language == "zh" else found.county.name_en or found.county.name
    count = int((found.futures["future"] > 0).sum())
    factors = listed([factor_said(f, language, found.county.norms) for f in found.factors], language)
    common = listed([robust_word(f"common_{c}", language) for c in found.common], language)
    said = [
        robust_word("title", language, county=county, count=count),
        robust_word("about", language, goal=goal_said(found, language), common=common, factors=factors),
        robust_word(f"choose_{found.choose}_about", language, weight=percent(found.weight), alpha=percent(found.asked["alpha"])),
    ]  # fmt: skip
    best, bounds = found.best, found.bounds
    fields = {
        k: reached_said(float(best[k]), language)
        for k in ("regret", "regret_least", "regret_most", "mean", "cvar", "worst", "score")
    }
    source = source_said(str(best["source"]), language)
    said.append(
        robust_word(
            "chosen", language, candidate=found.chosen, source=source, closes=int(best["closes"]), **fields
        )
    )
    price = {k: reached_said(float(best[k]), language) for k in ("price", "price_least", "price_most")}
    said.append(robust_word("price", language, **price))
    least = {
        k: reached_said(float(getattr(bounds, k)), language)
        for k in ("regret", "mean", "cvar", "worst", "score")
    }
    said.append(robust_word("bounds_joint" if bounds.joint else "bounds_apart", language, **least))
    if len(found.candidates) == 1:
        said.append(robust_word("one_candidate", language))
    said += [f.text(language) for f in found.findings]
    return said + not_real(found.county, language)
