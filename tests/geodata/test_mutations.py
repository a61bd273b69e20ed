"""A seeded sample of damage to everything a county may hold; a thousand: ``python -m benchmarks fuzz``."""

from __future__ import annotations

import os
import socket

import pytest

from tests.hostile.children import in_a_child
from tests.mutations import KINDS, SEVERAL, TURNS, a_county, listening, looked, warm_up

NUMBERS = sorted(
    {TURNS[n % len(TURNS)]: n for n in range(219, 199, -1) if TURNS[n % len(TURNS)] != "tables"}.values()
)
"""One of each kind."""


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    place = a_county(tmp_path_factory.mktemp("mutations") / "sound")
    warm_up(place)
    return place


def test_whatever_is_damaged_is_read_or_refused_in_words(sound, tmp_path):
    with listening() as (address, asked):
        found = [looked(sound, tmp_path / str(n), n, address, asked, n % 10 == 1) for n in NUMBERS]
    assert [(f.number, f.damage, f.wrong, f.why, f.said) for f in found if f.wrong] == []
    assert {f.kind for f in found} == {*KINDS, SEVERAL} - {"tables"}
    assert any(f.accepted for f in found) and not all(f.accepted for f in found)
    assert 50 < max(f.peak_mb for f in found) < 1000


def test_what_must_not_happen_would_be_seen(sound, tmp_path, monkeypatch):
    """A check that writes, reads what is not its own, asks the network, speaks and crashes is caught at all of it."""

    def bad(folder):
        secret = folder.parent / "outside" / "secret.csv"
        secret.read_text()
        secret.write_text("mine")
        host, port = at.split(":")
        with socket.create_connection((host, int(port))) as one:
            one.sendall(b"hello")
        os.write(2, b"a library speaks")
        large = b"x" * 300_000_000
        raise ZeroDivisionError(len(large))

    monkeypatch.setattr("tests.mutations.examined", bad)
    with listening() as (at, asked):
        one = looked(sound, tmp_path / "x", 6, at, asked, False)
    assert set(one.wrong) == {"traceback", "written", "connection", "library's words"}
    assert "ZeroDivisionError" in one.why and one.peak_mb > 400 and one.said == "a library speaks"
    assert "secret.csv" in one.why


def test_a_child_that_dies_ends_one_case_only(tmp_path):
    assert in_a_child(lambda: os.kill(os.getpid(), 9), tmp_path / "a").died == "SIGKILL"
    assert in_a_child(lambda: os._exit(3), tmp_path / "b").died == "code 3"
    assert in_a_child(lambda: 5, tmp_path / "c").result == 5
