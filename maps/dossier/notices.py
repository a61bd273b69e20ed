"""What every output must say about itself: draft, fictional, modelled, crow-fly, how sure, who checked."""

from __future__ import annotations

from geodata.contract.tables import TABLES
from geodata.messages import say
from maps.dossier.public import is_public
from maps.front.text import goal_in_words
from maps.wording import listed, not_real, word
from models.impact.certainty import UNTESTED, certainty, goal_unit
from models.plan.decisions import PlanResult


def percent(value: float) -> str:
    """A share with one decimal."""
    return f"{100 * value:.1f}%"


def notices(result: PlanResult, language: str) -> list[str]:
    """Sentences for the front of every output, in a fixed order.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}

    Returns
    -------
    list of str
    """
    solve, county = result.solve, result.county
    broken = result.verdict.rules
    said = [word("draft", language, plan=result.plan.plan_id, year=county.year)]
    if solve.status == "edited":
        said.append(word("edited", language))
        if not result.verdict.accepted:
            said.append(word("edited_broken", language))
    else:
        first = certainty(result).head(1)
        nothing = bool((first["sure"] == UNTESTED).any())
        unit = goal_unit(solve.goals[0].goal) if solve.goals else "1"
        objective, bound = (goal_in_words(v, unit, language) for v in (solve.objective, solve.bound))
        said += [
            word(
                "sure_nothing" if nothing else "sure",
                language,
                goal=say(f"goals.{solve.goals[0].goal}", language)
                if solve.goals
                else word("first_goal", language),
                objective=objective,
                bound=bound,
                gap=percent(solve.gap),
                solver=solve.solver,
            ),
            word("checked", language, rules=len(broken), hard=int((broken["kind"] == "hard").sum())),
        ]
        if eased := int(result.verdict.violations["grandfathered"].astype(bool).sum()):
            said.append(say("front.para_eased", language, places=eased).strip())
    return said + warnings(result, language)


def warnings(result: PlanResult, language: str) -> list[str]:
    """What stands above everything: what is not real, not measured, or not finished.

    Parameters
    ----------
    result : PlanResult
    language : {"zh", "en"}

    Returns
    -------
    list of str
    """
    county = result.county
    said = [word("public_edition", language)] if is_public() else []
    said += not_real(county, language)
    if county.corrections and not is_public():
        last = max(county.corrections, key=lambda c: c.when)
        fields: dict[str, object] = {"count": len(county.corrections), "who": last.who, "when": last.when}
        said.append(say("corrections.corrected_data", language, **fields))
    if county.unknown:
        said.append(word("unknown", language, what=listed(_unknown_names(result, language), language)))
    if result.times.source == "crow_fly":
        said.append(word("crow_fly", language))
    if result.solve.status == "stopped":
        said.append(word("stopped", language))
    return said


def _unknown_names(result: PlanResult, language: str) -> list[str]:
    """Tables and columns that are not known, or not everywhere, by their titles."""
    names = []
    for table, column in result.county.unknown:
        zh = (
            TABLES[table].zh
            if not column
            else next((c.zh for c in TABLES[table].columns if c.name == column), column)
        )
        names.append(zh if language == "zh" else column or table)
    return names
