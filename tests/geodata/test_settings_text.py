"""Settings files without end or depth are refused in words; a key that is not known is told those of its section."""

from __future__ import annotations

import os
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


def test_no_more_is_read_than_settings_have(tmp_path):
    with (tmp_path / "county.toml").open("wb") as file:
        file.truncate(10**9)  # takes no room on the disk
    with pytest.raises(InputProblems) as problem:
        read_settings(tmp_path / "county.toml", Head)
    assert problem.value.findings[0].key == "settings.too_large"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
@pytest.mark.parametrize("place", ["pipe", "/dev/zero", "/dev/stdin"])
def test_nothing_is_waited_for_and_no_device_is_opened(tmp_path, place, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    opened = []
    monkeypatch.setattr(Path, "open", lambda *given, **named: opened.append(given))
    if place == "/dev/stdin" and Path(place).is_file():
        pytest.skip("standard input is a file here")
    with pytest.raises(InputProblems) as problem:
        read_settings(tmp_path / place, Head)
    assert problem.value.findings[0].key == "tables.no_regular_file" and not opened


def test_an_unknown_key_is_told_the_keys_of_its_section(tmp_path):
    (tmp_path / "county.toml").write_text('name = "a"\nyear = 2025\n[travel]\nwalk_limit = 1\n')
    with pytest.raises(InputProblems) as problem:
        read_settings(tmp_path / "county.toml", Head)
    known = str(problem.value.findings[0].fields["known"])
    assert "season" in known and "workbook" not in known
