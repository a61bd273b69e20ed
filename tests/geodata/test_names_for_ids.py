"""Schools and villages by name where a table wants an id: taken, doubted or refused, never guessed in silence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from geodata.contract.findings import Finding, InputProblems
from geodata.contract.tables import TABLES
from geodata.folder.reading import check, read_county
from geodata.folder.template import draw_template
from tests.samples import small_county

Change = Callable[[dict[str, pd.DataFrame]], None]


def folder(place: Path, change: Change) -> Path:
    """The county of seven schools, its cells as text, changed."""
    county = small_county()
    tables = {
        n: t.astype(str).replace({"<NA>": "", "nan": "", "None": ""})
        for n, t in county.tables().items()
        if len(t)
    }
    change(tables)
    place.mkdir()
    for name, table in tables.items():
        table.to_csv(place / f"{name}.csv", index=False)
    (place / "county.toml").write_text(f'name = "{county.name}"\nyear = {county.year}\n', encoding="utf-8")
    return place


def named(tables: dict[str, pd.DataFrame]) -> None:
    """Every reference to a place by its name."""
    for table, key in (("schools", "school_id"), ("villages", "village_id")):
        names = dict(zip(tables[table][key], tables[table]["name"], strict=True))
        for name, frame in tables.items():
            if name != table and key in frame:
                tables[name][key] = frame[key].map(names)


def about(found: list[Finding], *keys: str) -> list[Finding]:
    return [f for f in found if f.key in keys]


def test_names_are_the_ids_they_belong_to(tmp_path: Path) -> None:
    county = read_county(folder(tmp_path / "county", named))
    wanted = small_county()
    for name in ("school_stage", "attendance", "demand", "staff_stock"):
        pd.testing.assert_frame_equal(county.tables()[name], wanted.tables()[name], obj=name)
    said = about(list(county.findings), "tables.named")
    assert {(f.file, f.column) for f in said} == {
        ("school_stage.csv", "school_id"), ("attendance.csv", "village_id"), ("attendance.csv", "school_id"), ("demand.csv", "village_id"), ("staff_stock.csv", "school_id"),
    }  # fmt: skip
    assert sum(f.severity == "note" for f in said) == 5


def first_cell(name: str, *alike: tuple[int, str]) -> Change:
    """The first row of school_stage under a name, and names of schools by their row."""

    def change(tables: dict[str, pd.DataFrame]) -> None:
        tables["school_stage"].loc[0, "school_id"] = name
        for row, called in alike:
            tables["schools"].loc[row, "name"] = called

    return change


@pytest.mark.parametrize(
    ("change", "key", "severity", "said"),
    [
        (first_cell("甲镇A1 [A1]"), "tables.named", "note", "A1"),
        (first_cell("甲镇中心学校", (0, "甲镇中心小学")), "tables.name_taken", "warning", "甲镇中心小学"),
        (first_cell("中心小学", (0, "中心小学"), (4, "中心小学")), "tables.name_twice", "error", "A1 (甲镇), B1 (乙镇)"),
        (first_cell("河湾小学", (0, "河湾东小学"), (4, "河湾西小学")), "tables.unknown_id", "error", "河湾小学"),
        (first_cell("Z7"), "tables.unknown_id", "error", "Z7"),
    ],
)  # fmt: skip
def test_a_name_is_taken_doubted_or_refused_with_its_cell(
    tmp_path: Path, change: Change, key: str, severity: str, said: str
) -> None:
    found = check(folder(tmp_path / "county", change))
    (finding,) = [f for f in about(found, key) if f.file == "school_stage.csv"]
    assert (finding.severity, finding.row, finding.column) == (severity, 2, "school_id")
    assert all(said in finding.text(language) for language in ("zh", "en"))
    assert not about(found, "tables.empty"), "why the cell is empty is said once"


def test_a_name_that_two_bear_blames_no_other_table(tmp_path: Path) -> None:
    with pytest.raises(InputProblems) as caught:
        read_county(folder(tmp_path / "county", first_cell("中心小学", (0, "中心小学"), (4, "中心小学"))))
    assert {f.key for f in caught.value.findings if f.severity == "error"} == {"tables.name_twice"}


def test_drop_downs_offer_names_and_warn_only(tmp_path: Path) -> None:
    path = draw_template(tmp_path / "county.xlsx", "zh")
    page = openpyxl.load_workbook(path)["学段情况"]
    offers = {str(rule.sqref)[0]: rule for rule in page.data_validations.dataValidation}
    letter = "ABCDEFGH"[[c.name for c in TABLES["schools"].columns].index("name")]
    assert f"${letter}$2" in offers["A"].formula1 and offers["A"].errorStyle == "warning"
    assert offers["B"].errorStyle in (None, "stop")  # 小学 or 初中, nothing else


def test_chinese_messages_say_what_chinese_tables_offer(tmp_path: Path) -> None:
    def change(tables: dict[str, pd.DataFrame]) -> None:
        tables["schools"].loc[0, "kind"] = "小学校"
        tables["school_stage"].loc[1, "stage"] = "jun"

    found = check(folder(tmp_path / "county", change))
    told = " ".join(
        f.text("zh")
        for f in about(found, "tables.not_a_choice", "tables.stage_row_missing", "tables.no_unit")
    )
    assert "九年一贯制学校" in told and "小学学段" in told
    assert "nine_year" not in told and "pri" not in told
