"""The suite that sets plans side by side (`benchmarks.quality`): its page and its scenarios."""

from __future__ import annotations

import pandas as pd
import pytest

from benchmarks import quality
from models.plan.quality import plan_quality
from optimizer.presets import PRESETS
from tests.models.plans import keep_all, ready, send
from tests.models.test_quality import result_of


def test_the_quality_page_puts_scenarios_side_by_side() -> None:
    case = ready()
    swapped = send(send(keep_all(case), "V1", "g1_3", "A2", "walk"), "V4", "g1_3", "A1", "walk")
    rows = []
    for plan in (keep_all(case), swapped):
        table = plan_quality(result_of(case, plan))
        rows.append(dict(zip(table["measure"] + "|" + table["about"], table["value"], strict=True)))
    names = pd.Index(["small/default", "small/swapped", "other/default"], name="inst")
    lines = quality.page(pd.DataFrame([*rows, {"ended|Infeasible": 1.0}], index=names))
    assert [n for n in lines if n.startswith("## ")] == ["## small", "## other"]
    assert "| Pairs of schools that exchange pupils of a band |  | 0 | 1 |" in lines
    assert "| Pupils newly beyond the limit | all | 0 | 150 |" in lines
    assert "| Gap to the bound | units that do not pass | 33.3 % | 33.3 % |" in lines
    assert "| ended: Infeasible |  | 1 |" in lines
    assert not [n for n in lines if n.startswith("| Teachers hired")]  # nothing to say


def test_the_suite_covers_every_preset_and_every_number() -> None:
    """Every preset besides the official measure alone, which is for studies; five counties; a column for every kind of loss."""
    assert set(quality.PRESETS) == set(PRESETS) - {"balance_first"}
    assert set(quality.COUNTIES) == {"nanpu", "rutland", "fermanagh", "generated-30", "generated-60"}
    case = ready()
    told = set(plan_quality(result_of(case, keep_all(case)))["measure"])
    assert told >= quality.SHOWN - {"rules_broken"}
    assert told >= {"teachers_net", "yuan", "seconds", "gap", "bound"}


def test_a_scenario_is_asked_for_by_name() -> None:
    assert quality.scenario_named("default", 5.0).seconds == 5.0
    with pytest.raises(ValueError, match="no_such_preset"):
        quality.scenario_named("no_such_preset", 5.0)
