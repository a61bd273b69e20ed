"""Gains and losses in words."""

from __future__ import annotations

import re

import pytest

from maps.dossier.gains import about_words, gains_table
from models.plan.quality import plan_quality
from tests.models.plans import closing, moved, ready
from tests.models.test_quality import result_of


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_measure_has_its_words(language):
    result = result_of(ready(), moved(closing(ready()), ("A1", "pri", "B1", "pri", "backbone", 1)))
    table, plain = gains_table(result, language), plan_quality(result)
    assert list(table["value"].fillna(-1)) == list(plain["value"].fillna(-1))
    han = table["measure"].str.contains(r"[\u4e00-\u9fff]")
    assert han.all() if language == "zh" else not han.any()
    told = " ".join(table["about"])
    ids = {"rural", "small", "today", "plan", "hard", "g1_3", "device", "all", "mean"}
    assert not (ids if language == "zh" else ids - {"rural", "hard", "all", "mean", "small"}) & set(
        re.findall(r"\w+", told)
    )


def test_what_it_is_about_is_told_by_its_parts():
    assert about_words("teachers_net", "rural:b", "en") == "rural · backbone teachers"
    assert about_words("pupils_flow", "rural>seat", "en") == "rural → county seat"
    assert about_words("pupils_longer", "15", "zh") == "超过 15 分钟"
    assert about_words("gap", "cost", "en") == "cost"
    assert about_words("teachers_net", "rural:singing", "en") == "rural · singing"  # a county's own indicator
