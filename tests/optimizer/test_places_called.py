"""An English terminal calls places as English pages do: Latin letters first, the tables' own name behind them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

import optimizer.cli.main as cli
from maps.lettered import place_names
from tests.samples import small_county


def printed(folder: Path, *arguments: str, language: str = "en") -> str:
    result = CliRunner().invoke(
        cli.app, [*arguments, str(folder), "--lang", language], env={"COLUMNS": "2000"}
    )
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The county of seven schools in a folder of its own name; one school has an English name in its table."""
    county = small_county()
    place = tmp_path_factory.mktemp("places") / county.name
    place.mkdir()
    tables = county.tables()
    tables["schools"] = tables["schools"].assign(
        name_en=["Riverside" if s == "A2" else "" for s in tables["schools"]["school_id"]]
    )
    for name, table in tables.items():
        if len(table):
            table.to_csv(place / f"{name}.csv", index=False)
    (place / "county.toml").write_text(f'name = "{county.name}"\nyear = {county.year}\n', encoding="utf-8")
    return place


def test_tables_on_an_english_terminal(folder: Path) -> None:
    said = printed(folder, "audit")
    assert "│ Jiazhen A1 甲镇A1 │" in said and "│ Riverside 甲镇A2" in said
    assert said.count("Riverside") == 1 and "Riverside Riverside" not in said


def test_a_chinese_terminal_and_data_are_as_the_tables_have_them(folder: Path) -> None:
    assert "Jiazhen" not in printed(folder, "audit", language="zh")
    result = CliRunner().invoke(cli.app, ["show", str(folder), "schools", "--lang", "en"])
    assert "甲镇A1" in result.output and "Jiazhen" not in result.output


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("甲镇A1 closes", "Jiazhen A1 甲镇A1 closes"),
        ("Jiazhen A1 甲镇A1 [A1]", "Jiazhen A1 甲镇A1 [A1]"),
        ("甲镇A1, 甲镇A2", "Jiazhen A1 甲镇A1, Jiazhen A2 甲镇A2"),
        ("written: /data/试县/plan.xlsx", "written: /data/试县/plan.xlsx"),
        ("written: 试县-plan", "written: 试县-plan"),
        ("试县.xlsx [schools]", "试县.xlsx [schools]"),
        ("next: junheng plan 试县", "next: junheng plan 试县"),
    ],
)
def test_names_stand_alone_once_and_are_no_part_of_a_path(line: str, said: str) -> None:
    county = small_county()
    bare = replace(county, schools=county.schools.assign(name_en=""))
    assert place_names(bare).line(line) == said
