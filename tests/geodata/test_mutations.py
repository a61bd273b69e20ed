"""A seeded sample of damage to layers, roads, county.toml, cache and paths; a thousand: ``python -m benchmarks fuzz``."""

from __future__ import annotations

import pytest

from tests.mutations import KINDS, TURNS, a_county, listening, looked

NUMBERS = [n for n in range(40) if TURNS[n % len(TURNS)] != "tables"][:20]


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return a_county(tmp_path_factory.mktemp("mutations") / "sound")


def test_whatever_is_damaged_is_read_or_refused_in_words(sound, tmp_path):
    with listening() as (address, asked):
        found = [looked(sound, tmp_path / str(n), n, address, asked, n % 10 == 1) for n in NUMBERS]
    assert [(f.number, f.damage, f.wrong, f.why) for f in found if f.wrong] == []
    assert {f.kind for f in found} == set(KINDS) - {"tables"}
    assert any(f.accepted for f in found) and not all(f.accepted for f in found)


def test_what_must_not_happen_would_be_seen(sound, tmp_path, monkeypatch):
    """A check that writes, asks the network and crashes is caught at all three."""
    import socket

    def bad(folder):
        (folder.parent / "outside" / "secret.csv").write_text("mine")
        host, port = at.split(":")
        with socket.create_connection((host, int(port))) as one:
            one.sendall(b"hello")
            one.recv(1)
        raise ZeroDivisionError

    monkeypatch.setattr("tests.mutations.check", bad)
    with listening() as (at, asked):
        one = looked(sound, tmp_path / "x", 6, at, asked, False)
    assert one.wrong == ["traceback", "written", "connection"] and "ZeroDivisionError" in one.why
