"""``junheng show``: tables and norms in words of one language, and what there is when the name is another."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

import optimizer.cli.main as cli
import optimizer.cli.showing as showing
from geodata.contract.tables import TABLES
from models.standards.norms import load_standards
from optimizer.cli.showing import NORMS, table_meant
from tests.samples import small_county


@pytest.fixture(autouse=True)
def county(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(showing, "county_of", lambda *_: small_county())


def show(*arguments: str) -> tuple[int, list[list[str]]]:
    done = CliRunner().invoke(cli.app, ["show", "small", *arguments], env={"COLUMNS": "4000"})
    return done.exit_code, [line.split() for line in done.output.splitlines() if line]


def test_every_table_is_listed_with_its_rows() -> None:
    code, lines = show("--lang", "en")
    counts = {line[0]: line[-1] for line in lines}
    assert code == 0
    assert all(counts[n] == str(len(t)) for n, t in small_county().tables().items())
    assert counts["norms"] == str(len(load_standards(small_county()).rules))


def test_a_table_stands_in_the_words_of_one_language() -> None:
    code, chinese = show("学校")
    _, english = show("schools", "--lang", "en")
    assert code == 0 and len(chinese) == len(english) == len(small_county().schools) + 2
    assert chinese[0][0] == "学校标识码" and english[0][0] == "school_id"
    assert not {"True", "False", "primary"} & {c for line in chinese for c in line}
    _, found = show("schools", "--find", "a3", "--lang", "en")
    assert [line[0] for line in found[1:-1]] == ["A3"]
    _, first = show("schools", "--rows", "2", "--lang", "en")
    assert len(first) == 4 and first[-1][:3] == ["2", "of", str(len(small_county().schools))]


def test_norms_have_number_binding_and_source() -> None:
    code, lines = show(NORMS, "--find", "class_cap_pri")
    assert (
        code == 0 and lines[1][:4] == ["小学班额上限", "class_cap_pri", "<=", "45"] and "必须满足" in lines[1]
    )


@pytest.mark.parametrize("name", ["schools", "学校", "T1", "Schools.csv"])
def test_a_table_is_meant_by_any_of_its_names(name: str) -> None:
    assert table_meant(name) == "schools"


def test_another_name_is_refused_with_those_there_are() -> None:
    for language, names in (("en", TABLES), ("zh", [t.zh for t in TABLES.values()])):
        code, lines = show("pupils", "--lang", language)
        assert code == 2 and all(n in " ".join(map(" ".join, lines)) for n in names)
