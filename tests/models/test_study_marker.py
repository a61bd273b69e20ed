"""A study goes on only where its own marker says so; anything else that stands there is another's."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.study.marker import study_of


@pytest.mark.parametrize(
    ("content", "key"),
    [('{"study": "abc"}', "abc"), ("{}", ""), ("[]", ""), ("3", ""), ("{", ""), ("[" * 100_000, ""), (None, "")],
)  # fmt: skip
def test_the_key_is_that_of_the_marker(tmp_path: Path, content: str | None, key: str) -> None:
    if content is not None:
        (tmp_path / "study.json").write_text(content, encoding="utf-8")
    assert study_of(tmp_path / "study.json") == key
