"""Settings files without end or depth are refused in words; a key that is not known is told those of its section."""

from __future__ import annotations

from pathlib import Path

import pytest

from geodata.contract.findings import InputProblems
from geodata.contract.settings import read_settings
from geodata.folder.source import Head
from geodata.standards.reading import parse


@pytest.mark.parametrize("text", ["x = " + "9" * 6000, "x = " + "[" * 5000, "\0"])
def test_standards_of_a_county_end_in_words(text):
    with pytest.raises(InputProblems) as problem:
        parse(text, "own.toml")
    assert [(f.key, f.file) for f in problem.value.findings] == [("settings.not_toml", "own.toml")]


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no such device")
def test_no_more_is_read_than_settings_have():
    with pytest.raises(InputProblems) as problem:
        read_settings(Path("/dev/zero"), Head)
    assert problem.value.findings[0].key == "settings.too_large"


def test_an_unknown_key_is_told_the_keys_of_its_section(tmp_path):
    (tmp_path / "county.toml").write_text('name = "a"\nyear = 2025\n[travel]\nwalk_limit = 1\n')
    with pytest.raises(InputProblems) as problem:
        read_settings(tmp_path / "county.toml", Head)
    known = str(problem.value.findings[0].fields["known"])
    assert "season" in known and "workbook" not in known
