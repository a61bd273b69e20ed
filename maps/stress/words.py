"""What a stress test says in sentences."""

from __future__ import annotations

from geodata.messages import catalogue, say
from geodata.standards.scheme import Norms
from maps.dossier.notices import percent
from maps.wording import listed, name, not_real, stage, what
from models.study.stressed import Edge, FailureBox, Stress

WEAK = 0.8
"""Coverage and density below which a sentence about failure is only a hint."""
GOAL = "goal_"
STRESS_MEASURES = (
    "units_passing", "cells_met", "worst_cv_ratio", "imbalance", "goal_deficit", "goal_over_cap", "pupils_over_limit", "largest_class",
    "cost",
)  # fmt: skip
"""Measures that are drawn and printed; the tables have all."""


def stress_word(key: str, language: str, **fields: object) -> str:
    """A message of the room of stress tests."""
    return say(f"stress.{key}", language, **fields)


def factor_said(column: str, language: str, norms: Norms | None = None) -> str:
    """A factor by the name of its column: ``budget:teacher``."""
    factor, _, of = column.partition(":")
    word = stress_word(f"factor_{factor}", language)
    if not of:
        return word
    words = (
        stage(of, language, norms),
        name("earmark", of, language),
        name("rule", of, language),
        what(of, language),
    )
    part = next((w for w in words if w != of), of)
    return stress_word("factor_of", language, factor=word, of=part)


def measure_said(measure: str, language: str) -> str:
    """A measure of the referee, or a goal's value."""
    if measure.startswith(GOAL):
        goal = catalogue(language).get(f"goals.{measure.removeprefix(GOAL)}", measure)
        return stress_word("goal", language, goal=goal)
    return name("measure", measure, language)


def value_said(value: float, unit: str, language: str) -> str:
    """A factor's value as its unit asks: shares and parts in per cent."""
    if unit in ("share", "part"):
        return f"{100 * value:.3g} %"
    return stress_word("metres", language, value=f"{value:.0f}") if unit == "metres" else f"{value:.4g}"


def edge_said(edge: Edge, unit: str, language: str, norms: Norms | None) -> str:
    """One condition: births below 72 %."""
    fields = {
        "factor": factor_said(edge.factor, language, norms),
        "value": value_said(edge.value, unit, language),
    }
    return stress_word("below" if edge.upper else "above", language, **fields)


def failure_said(found: Stress, language: str) -> list[str]:
    """When the plan fails: how often, in which futures in one sentence, and how good that sentence is."""
    share = percent(found.failures / found.done) if found.done else "–"
    said = [_failing_said(found, language)]
    said.append(stress_word("fails_count", language, failures=found.failures, done=found.done, share=share))
    if found.asked["design"] == "morris":
        return said
    if found.box is None:
        key = "never" if not found.failures else "always" if found.failures == found.done else "unknown"
        return [*said, stress_word(f"fails_{key}", language)]
    if not found.box.edges:
        return [*said, stress_word("fails_no_box", language)]
    return [*said, *box_said(found.box, found.factors, language, found.county.norms)]


def box_said(box: FailureBox, units: dict[str, str], language: str, norms: Norms | None = None) -> list[str]:
    """The sentence of a box, its worth on held-out futures, a warning where that is little."""
    conditions = [edge_said(e, units[e.factor], language, norms) for e in box.edges]
    said = [stress_word("fails_when", language, conditions=stress_word("and", language).join(conditions))]
    worth = {"coverage": _share(box.coverage), "density": _share(box.density)}
    said.append(stress_word("fails_worth", language, futures=box.futures, inside=box.inside, **worth))
    seen = {"coverage": _share(box.seen_coverage), "density": _share(box.seen_density)}
    said.append(stress_word("fails_seen", language, **seen))
    if not (box.coverage >= WEAK and box.density >= WEAK):
        said.append(stress_word("fails_weak", language))
    return said


def _share(value: float) -> str:
    return percent(value) if value == value else "–"


def _failing_said(found: Stress, language: str) -> str:
    """What counts as failure."""
    asked = found.asked["failure"]
    assert isinstance(asked, dict)
    if asked["measure"]:
        least, most = asked["at_least"], asked["at_most"]
        bound = f">= {least:g}" if least is not None else f"<= {most:g}"
        return stress_word(
            "fails_measure", language, measure=measure_said(asked["measure"], language), bound=bound
        )
    if asked["rules"]:
        rules = listed([name("rule", r, language) for r in asked["rules"]], language)
        return stress_word("fails_rules", language, rules=rules)
    return stress_word("fails_any", language)


def stress_said(found: Stress, language: str) -> list[str]:
    """Sentences for the front: what was tried, when the plan fails, what breaks, what is regretted, what recurs."""
    county = found.county.name if language == "zh" else found.county.name_en or found.county.name
    count = int((found.fixed["future"] > 0).sum())
    factors = listed([factor_said(f, language, found.county.norms) for f in found.factors], language)
    said = [stress_word("title", language, county=county, count=count)]
    fields = {"count": count, "factors": factors}
    if found.asked["design"] != "grid":
        fields["seed"] = str(found.asked["seed"])
    said.append(stress_word(f"about_{found.asked['design']}", language, **fields))
    said += [stress_word("fixed_about", language), *failure_said(found, language)]
    if len(found.rules):
        worst = found.rules.iloc[0]
        fields = {"rule": name("rule", worst["rule"], language), "share": percent(float(worst["share"]))}
        said.append(stress_word("broken_most", language, **fields))
    said += [*_remade_said(found, language), *_effects_said(found, language)]
    said += [f.text(language) for f in found.findings]
    return said + not_real(found.county, language)


def _remade_said(found: Stress, language: str) -> list[str]:
    """What plans made again tell: largest regrets, decisions that recur."""
    if found.remade.empty:
        return []
    if found.regret.empty:
        return [stress_word("no_remade", language)]
    said = [stress_word("regret_about", language)]
    for measure, rows in found.regret.groupby("measure", sort=False):
        worst = rows.loc[rows["regret"].idxmax()] if rows["regret"].notna().any() else None
        if worst is not None:
            fields = {"measure": measure_said(str(measure), language), "regret": f"{worst['regret']:,.4g}"}
            said.append(stress_word("most_regret", language, future=int(worst["future"]), **fields))
    recurs = found.decisions["recurs"].value_counts()
    counts = {k: int(recurs.get(k, 0)) for k in ("always", "sometimes", "never")}
    made = int(found.remade["accepted"].eq(1).sum())
    return [*said, stress_word("remade_about", language, made=made, asked=len(found.remade), **counts)]


def _effects_said(found: Stress, language: str) -> list[str]:
    """Which factor moves a measure most."""
    if found.asked["design"] != "morris":
        return []
    if found.effects.empty:
        return [stress_word("no_effects", language)]
    first = found.effects[found.effects["mu_star"] > 0].groupby("measure", sort=False).head(1)
    shown = first[first["measure"].isin(("accepted", "units_passing", "cells_met", "imbalance", "cost"))]
    norms = found.county.norms
    return [
        stress_word(
            "matters_most", language, measure=effect_said(str(r.measure), language), factor=factor_said(str(r.factor), language, norms)
        )
        for r in shown.itertuples()
    ]  # fmt: skip


def effect_said(measure: str, language: str) -> str:
    """A measure of elementary effects: those of the referee, and whether it accepts."""
    return stress_word("col_accepted", language) if measure == "accepted" else measure_said(measure, language)
