from __future__ import annotations

from dataclasses import replace

import pytest

from geodata.contract.findings import Finding
from geodata.contract.tables import TABLES
from maps.dossier.completeness import balance_sentence, counts
from maps.dossier.dossier import front_page
from maps.dossier.tables import gaps
from maps.lettered import lettered
from models.problem.completeness import KINDS

UNPLACED = Finding("warning", "reasons.unplaced", {"village": "新村", "band": "g1_3", "pupils": 7})


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_front_page_counts_every_kind_and_adds_up_the_pupils(sample_result, language):
    page = front_page(sample_result, language)
    rows = counts(lettered(sample_result, language), language)
    assert len(rows) == len(KINDS)
    assert all(kind in page.replace("&#39;", "'") for kind, _, _ in rows)
    far = rows[KINDS.index("far")]
    assert far[1] > 0 and far[2] in page
    assert "1,068" in balance_sentence(sample_result, language)
    assert balance_sentence(sample_result, language) in page


@pytest.mark.parametrize(("language", "word"), [("zh", "缺 −7 人"), ("en", "do not add up")])
def test_a_broken_sum_is_said_on_the_front_page(sample_result, language, word):
    broken = replace(sample_result, findings=(*sample_result.findings, UNPLACED))
    assert word in front_page(broken, language)


def test_a_column_is_named_in_the_language_of_the_page(sample_result):
    absent = Finding(
        "note", "tables.default_used", {"default": False}, "schools.csv", "schools", column="has_boarding"
    )
    told = replace(sample_result, findings=(absent,))
    assert ("has_boarding", "schools") in {
        (r[3], r[1].lower()) for r in gaps(told, "en").table.itertuples(index=False)
    }
    row = next(r for r in gaps(told, "zh").table.itertuples(index=False) if "has_boarding" in r[3])
    assert row[1] == "学校" and row[3] == f"{TABLES['schools'].column('has_boarding').zh}（has_boarding）"
    assert "“否”" in row[4]
    page = front_page(told, "zh")  # officials read no key of a table
    assert TABLES["schools"].column("has_boarding").zh in page and "has_boarding" not in page
    assert "has boarding" in front_page(told, "en")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_workbook_s_sheet_names_every_place(sample_result, language):
    broken = replace(sample_result, findings=(*sample_result.findings, UNPLACED))
    table = gaps(broken, language).table
    assert len(table) == sum(number for _, number, _ in counts(broken, language))
    last = table.iloc[-1].tolist()
    assert last[3] == "新村" and "7" in last[4]
