"""Damage to settings: county.toml, scenarios, standards, futures, provinces, and records of runs."""

from __future__ import annotations

import json
import os
from typing import Any

from tests.geodata.test_fuzz import Case, toml
from tests.hostile.county import added

VALUES = (
    '""', '" "', "0", "-1", "1e308", "-1e308", "inf", "nan", "9" * 400, "0.5", "true", "false", "[]", "{}", "[[]]", "[1]", '["a"]',
    '["", ""]', "{a = 1}", '"\\u0000"', '"\\ufffe"', '"x"', '"全部"', '"EPSG:0"', "2025-09-01", "07:30:00", '"../x"', "'''\n'''",
    '"' + "x" * 5000 + '"', "1_000", "0x1F", "1e-300", '"[a] + [b]"', '"1/0"', '"NaN"', '"S1"', '["S1", "S1"]', "2.5", "99999999999",
    "[" * 400 + "]" * 400, '"{0.__class__}"', '"%s"', "+1", "01", "=", "", '"\\ud800"', "1.", "[0, 0]", "[5, 1]", "[-1, -1]",
)  # fmt: skip
SCENARIO = """
preset = "standards_first"
cost_level = "base"
gap = 0.01
nodes = 10
seconds = 5.0
seed = 3
keep_open = ["S3"]
close = ["S6"]
require = ["passing", {goal = "cells", at_least = 3}]
goals = [{name = "failing"}, {name = "cost", tolerance = 0.1, gap = 0.05}]
[budget]
building = 900000
any = 0.0
[method]
near_pairs = 1.0
relax_share = 0.4
long_goals = ["cv_excess"]
"""
STANDARDS = """
[about]
zh = "本县标准"
en = "our own standards"
source = "county"
year = 2024
[[column]]
table = "school_stage"
name = "books"
zh = "图书"
kind = "whole"
high = 100000
[[resource]]
id = "places"
kind = "rooms"
columns = ["capacity_pupils", "-books"]
unit = "pupils"
zh = "学位"
en = "places"
[[indicator]]
id = "pl"
stage = "pri"
resource = "places"
unit = "pupils"
scale = 1.0
threshold = 1.2
tolerance = 0.9
cv_limit = 0.3
zh = "生均学位"
en = "places per pupil"
[[rule]]
id = "k_of_n"
quantity = "indicators met in full"
operator = ">="
value = 1
unit = "indicators"
kind = "report"
[[rule]]
id = "travel_walk_g1_3"
quantity = "travel minutes"
operator = "<="
value = 30.0
unit = "minutes"
kind = "hard"
stage = "pri"
applies_to = "all"
grandfather = true
"""
FUTURES = """
design = "draws"
futures = 20
seed = 1
alpha = 0.1
held_out = 0.5
[[factor]]
id = "enrolment"
low = 0.75
high = 1.05
[[factor]]
id = "budget"
values = [1.0, 0.5]
[failure]
rules = ["budget", "capacity"]
"""
PROVINCE = """
budget = 1000000
goal = "failing"
floor = 0.5
shares = [0.5, 2.0]
name = "某市"
[[county]]
folder = "."
name = "示例县"
"""


def wrecked(case: Case, text: str) -> str:
    """A TOML text with some values of it changed, lines gone, twice or unknown, or cut."""
    lines = [line for line in text.splitlines() if line.strip()]
    for _ in range(case.dice.randint(1, 3)):
        row = case.dice.randrange(len(lines))
        key, is_one, _ = lines[row].partition(" = ")
        how = case.dice.randrange(10)
        if how < 6 and is_one:
            lines[row] = f"{key} = {case.dice.choice(VALUES)}"
        elif how == 6:
            lines.insert(row, lines[row])
        elif how == 7 and len(lines) > 1:
            del lines[row]
        elif how == 8:
            lines.insert(
                row,
                case.dice.choice(
                    (
                        "zoo = 1",
                        '"" = 1',
                        "[zoo]",
                        "[[zoo]]",
                        "\ufffd",
                        "a.b.c = 1",
                        "[a",
                        "\x00",
                        "[budget.any]",
                    )
                ),
            )
        elif is_one:
            lines[row] = f"{case.dice.choice((key + 's', key.upper(), f'{key}.a', f'é{key}'))} = 1"
    text = "\n".join(lines) + "\n"
    return text[: case.dice.randrange(len(text))] if case.dice.random() < 0.05 else text


def _written(case: Case, name: str, text: str) -> None:
    content = wrecked(case, text).encode("utf-8", errors="surrogatepass")
    kinds = (
        content,
        content,
        content,
        content,
        b"\xef\xbb\xbf" + content,
        content.decode("utf-8", "replace").encode("utf-16"),
    )
    (case.folder / name).write_bytes(case.dice.choice(kinds))


def county_toml(case: Case) -> None:
    """Any value of county.toml, its sections included."""
    added(case, 'modelled = ["school_stage.equip_value"]\nname_en = "Sample"\nstandards = ["cn_layout"]\n')
    added(
        case,
        '[files]\nschools = "schools.csv"\n[crs]\nschools = "wgs84"\n[travel]\nseason = "winter"\nferries = true\n',
    )
    added(case, 'consolidate_m = 5.0\ncache = ".cache"\n')
    _written(case, "county.toml", (case.folder / "county.toml").read_text(encoding="utf-8"))


def scenario(case: Case) -> None:
    """A scenario file."""
    _written(case, "scenario.toml", SCENARIO)


def standards(case: Case) -> None:
    """A standards file of the county's own."""
    added(case, f'standards = ["cn_layout", "{case.dice.choice(("own.toml", "./own.toml"))}"]\n')
    _written(case, "own.toml", STANDARDS)


def futures(case: Case) -> None:
    """Futures of a stress test."""
    _written(case, "futures.toml", FUTURES)


def province(case: Case) -> None:
    """A province of one county."""
    _written(case, "province.toml", PROVINCE)


LEDGER = (
    {"row_id": "r1", "year": 2025, "action": "hire", "school_id": "S5", "stage": "pri", "item": "arts", "quantity": 1.0},
    {"row_id": "r2", "year": 2025, "action": "open", "school_id": "S3", "stage": "pri", "band": "g1_3", "state": "closed"},
)  # fmt: skip
ODD: tuple[Any, ...] = (
    None, "", 0, -1, 1.5, 1e308, 10**400, True, [], {}, [[]], "x" * 5000, "\u0000", "\ufffe", "S1", "zoo", {"a": [1]}, float("nan"),
    float("inf"), "2025", [None], "１",
)  # fmt: skip


def record(case: Case) -> None:
    """The record of a run: a value, a key, the text itself, its size, or something else under its name."""
    told: dict[str, Any] = {
        "ledger": [dict(row) for row in LEDGER], "measures": {"failing": {"today": 1.0, "plan": 0.0, "unit": "units"}},
        "county_folder": ".", "scenario": {}, "held": [],
    }  # fmt: skip
    how = case.dice.randrange(8)
    if how in (0, 1):
        row = case.dice.choice(told["ledger"])
        row[case.dice.choice((*row, "zoo", ""))] = case.dice.choice(ODD)
    elif how == 2:
        told[case.dice.choice((*told, "zoo"))] = case.dice.choice(ODD)
    elif how == 3:
        told["measures"]["failing"][case.dice.choice(("today", "plan", "unit", "zoo"))] = case.dice.choice(
            ODD
        )
    elif how == 4:
        told["ledger"] = case.dice.choice(([], told["ledger"] * 20_000, [None], [[]], ["a"]))
    text = json.dumps(told)
    file = case.folder / "run.json"
    if how == 5:
        text = case.dice.choice(
            (
                text[: len(text) // 2],
                "",
                "[]",
                "null",
                "[" * 100_000,
                "{}",
                "\ufeff" + text,
                '"' + "x" * 20_000_000,
            )
        )
    if how == 6:
        _another_file(case)
        return
    if how == 7:
        with file.open("wb") as out:  # a file of holes: large, and no disk used
            out.truncate(case.dice.choice((300_000_000, 3_000_000_000)))
        return
    file.write_text(text, encoding="utf-8", errors="surrogatepass")


def _another_file(case: Case) -> None:
    file = case.folder / "run.json"
    how = case.dice.randrange(4)
    if how == 0:
        os.mkfifo(file)
    elif how == 1:
        file.symlink_to("/dev/zero")
    elif how == 2:
        file.mkdir()
    else:
        file.write_bytes(case.dice.randbytes(2000))


DAMAGE_TOML = (toml, county_toml, county_toml)
DAMAGE_ASKED = (scenario, scenario, futures, province)
