"""What the standards do not assess is neither reached nor proven on any page; what they limit together is shown."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from geodata.messages import LANGUAGES
from maps.dossier.notices import notices
from maps.dossier.tables import coefficients
from maps.front.gainers import cv_gains
from maps.front.headline import cards, paragraph
from maps.front.trust import goals
from models.impact.composite import mean_cvs
from models.plan.decisions import GoalRecord, PlanResult, SolveRecord
from models.problem.indicators import assess, stage_table
from tests.counties import bundled_county
from tests.models.plans import keep_all, ready
from tests.models.test_quality import result_of


@cache
def basic() -> PlanResult:
    """The standards of 2012: no school is tested, and of eight coefficients a stage the mean has a limit."""
    case = ready(bundled_county(("cn_2012_basic", "cn_layout")))
    own = tuple(
        GoalRecord(g, 0.0, 0.0, 0.0, 1.0, 0, "proven", 0.0) for g in ("failing", "cv_excess", "travel")
    )
    solve = SolveRecord(0.0, 0.0, 0.0, 1.0, "proven", "solver", 0, own)
    return replace(result_of(case, keep_all(case)), solve=solve)


def test_the_mean_is_the_one_that_the_audit_has() -> None:
    case, table = ready(bundled_county(("cn_2012_basic", "cn_layout"))), mean_cvs(basic())
    after = case.tried(keep_all(case)).after
    said = stage_table(after.units, assess(after.units, case.standards), after.cvs, case.standards)
    assert table["stage"].tolist() == ["pri", "jun"] and table["limit"].tolist() == [0.65, 0.55]
    for end in ("today", "plan"):
        assert table[f"cv_{end}"].tolist() == pytest.approx(said["mean_cv"].tolist())
    assert table["ok_plan"].tolist() == (said["mean_cv"] <= said["mean_limit"]).tolist()
    assert mean_cvs(result_of(ready(), keep_all(ready()))).empty


@pytest.mark.parametrize(("language", "words"), [("zh", "各项平均值"), ("en", "mean of them")])
def test_the_mean_stands_below_the_coefficients(language: str, words: str) -> None:
    rows = [[c.text for c in row] for row in cv_gains(basic(), language).rows]
    assert [r[1] for r in rows[-2:]] == [words, words] and rows[-2][-2] == "0.65"
    sheet = coefficients(basic(), language).table
    assert len(sheet) == 18 and sheet.iloc[-1, 1] == words and sheet.iloc[-1, 4] == 0.55


@pytest.mark.parametrize(("language", "words"), [("zh", "无法评估"), ("en", "ot assessed")])
def test_a_goal_that_counts_nothing_is_not_proven(language: str, words: str) -> None:
    rows = [[c.text for c in row] for row in goals(basic(), language).rows]
    assert [words in r[-1] for r in rows] == [True, True, False]
    assert rows[0][1:4] == ["–", "–", "–"]
    assert words in notices(basic(), language)[1]
    assert ["/" in c.value for c in cards(basic(), language)[:3]] == [False] * 3
    assert {"zh": "1 个目标", "en": "All 1 goals"}[language] in paragraph(basic(), language)[-1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_a_goal_that_counts_nothing_is_said_to_be_sure(language: str) -> None:
    found = basic()
    alone = replace(found, solve=replace(found.solve, goals=found.solve.goals[:2]))
    assert {"zh": "谈不上证明", "en": "nothing proven"}[language] in paragraph(alone, language)[-1]
