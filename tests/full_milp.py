"""The whole planning problem stated a second time, straight from a county's tables: `scipy` and nothing of the program's.

Norms and indicators are read from the standards' files as text. The statement differs from the model's where it can: transfers run
from school to school, everything is in its own unit, a verdict is a binary per indicator, squares are held by a tangent at every
ratio that whole heads and whole groups can have (exact there) and every hundredth for things (at most P / 40,000 too low each, in
pupils). Coefficients of variation have a binary for every total of heads and pupils. Hand-sized counties only: every site takes part
and counts by itself, nothing is unknown, nobody is of a group of pupils, no money is one-off.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

FILES = Path(__file__).parent.parent / "geodata" / "standards"
FLAGS = {"q": "counts_q", "b": "counts_b", "a": "counts_a"}
THINGS = {
    "area_teaching": ({"area_teaching": 1, "area_indoor_sport": -1}, ("teaching_building",), "building"),
    "area_sport": ({"area_sport_ground": 1, "area_indoor_sport": 1}, ("sports_court", "land"), "building"),
    "equip_value": ({"equip_value": 1}, (), "device"), "rooms_multimedia": ({"rooms_multimedia": 1}, ("multimedia_room",), "device"),
}  # fmt: skip
MOVING = {"equip_value": "move_equipment", "rooms_multimedia": "move_room"}
EARMARKS = ("building", "device", "teacher", "transport")
STEP = 0.01
Expr = dict[int, float]


def read(name: str) -> dict[str, list[dict[str, Any]]]:
    return tomllib.loads((FILES / f"{name}.toml").read_text(encoding="utf-8"))


def norms(**changed: float | str) -> dict[str, float]:
    """Norms that bind, by id; changed is a number, or "off"."""
    rules = {r["id"]: r for name in ("cn_2017_quality", "cn_layout") for r in read(name)["rule"]}
    found = {str(i): float(str(r["value"])) for i, r in rules.items()}
    for one, said in changed.items():
        assert one in found
        found.pop(one) if said == "off" else found.update({one: float(said)})
    return found


@dataclass
class Linear:
    """Columns and rows of a mixed-integer program; a term is {column: coefficient}, column -1 the number itself."""

    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    whole: list[int] = field(default_factory=list)
    rows: list[tuple[Expr, float, float]] = field(default_factory=list)

    def column(self, low: float = 0.0, high: float = np.inf, whole: bool = False) -> Expr:
        self.low.append(low)
        self.high.append(high)
        self.whole.append(int(whole))
        return {len(self.low) - 1: 1.0}

    def yes(self) -> Expr:
        return self.column(0, 1, True)

    def least(self, left: Expr, right: Expr) -> None:
        """left >= right."""
        every = add(left, times(-1.0, right))
        self.rows.append(({k: v for k, v in every.items() if k >= 0}, -every.get(-1, 0.0), np.inf))

    def equal(self, left: Expr, right: Expr) -> None:
        self.least(left, right)
        self.least(right, left)

    def minimum(self, goal: Expr, seconds: float = 60.0) -> float | None:
        """The least value; None where there is no plan."""
        cost = np.zeros(len(self.low))
        for k, v in goal.items():
            if k >= 0:
                cost[k] = v
        at = [(i, k, v) for i, (row, _, _) in enumerate(self.rows) for k, v in row.items()]
        index, columns, values = zip(*at, strict=True)
        table = coo_array((values, (index, columns)), shape=(len(self.rows), len(self.low))).tocsr()
        bounds = LinearConstraint(table, [r[1] - 1e-9 for r in self.rows], [r[2] for r in self.rows])
        found = milp(
            cost, integrality=np.array(self.whole), bounds=Bounds(np.array(self.low), np.array(self.high)), constraints=bounds,
            options={"mip_rel_gap": 1e-7, "time_limit": seconds},
        )  # fmt: skip
        assert found.status in (0, 2), found.message
        return None if found.status == 2 else float(found.fun) + goal.get(-1, 0.0)


def number(x: float) -> Expr:
    return {-1: float(x)}


def add(*terms: Expr) -> Expr:
    total: dict[int, float] = defaultdict(float)
    for one in terms:
        for k, v in one.items():
            total[k] += v
    return dict(total)


def times(factor: float, term: Expr) -> Expr:
    return {k: factor * v for k, v in term.items()}


def minus(a: Expr, b: Expr) -> Expr:
    return add(a, times(-1.0, b))


def no(term: Expr) -> Expr:
    return minus(number(1), term)


@dataclass(frozen=True)
class Tables:
    """What a county's tables say, in dictionaries; ``pairs`` and ``towns`` are the tables of travel times."""

    county: Mapping[str, pd.DataFrame]
    year: int
    pairs: pd.DataFrame
    towns: pd.DataFrame
    norm: Mapping[str, float]

    def limit(self, mode: str, band: str) -> float:
        return self.norm.get(f"travel_{mode}_{band}", np.inf)

    @cached_property
    def bands(self) -> dict[str, tuple[str, range]]:
        """Stage and grades of each band, lower first."""
        return {
            str(b["id"]): (str(b["stage"]), range(b["grades"][0], b["grades"][1] + 1))
            for b in read("base")["band"]
        }

    @cached_property
    def schools(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = self.county["schools"].set_index("school_id").to_dict("index")
        return found

    @cached_property
    def units(self) -> dict[tuple[str, str], dict[str, Any]]:
        """School and stage: places, classes and things as the table says, pupils of the planning year who attend."""
        table = self.county["school_stage"].set_index(["school_id", "stage"])
        found: dict[tuple[str, str], dict[str, Any]] = table.to_dict("index")
        for u, row in found.items():
            for k, (columns, _, _) in THINGS.items():
                row[f"have_{k}"] = sum(sign * row[c] for c, sign in columns.items())
            row["n"] = sum(g["n"] for g in self.groups if (g["home"], self.bands[g["band"]][0]) == u)
        return found

    @cached_property
    def taught(self) -> dict[tuple[str, str], list[int]]:
        """Grades taught, by school and band."""
        found = {}
        for j, row in self.schools.items():
            first, last = (int(x) for x in str(row["grades_served"]).split("-"))
            for b, (_, grades) in self.bands.items():
                mine = [g for g in grades if first <= g <= last]
                if mine:
                    found[j, b] = mine
        return found

    def whole(self, j: str, b: str) -> bool:
        return len(self.taught.get((j, b), [])) == len(self.bands[b][1])

    @cached_property
    def way(self) -> dict[tuple[str, str, str, str], float]:
        """Minutes by village, school, band and mode."""
        found = {}
        for r in self.pairs.itertuples():
            for b in self.bands:
                slow = 4.0 / self.norm.get(f"walk_speed_{b}", 4.0) if r.mode == "walk" else 1.0
                found[r.village_id, r.school_id, b, r.mode] = round(float(r.minutes) * slow, 2)
        return found

    @cached_property
    def groups(self) -> list[dict[str, Any]]:
        """Who goes where today, how and how long; of a village's band the largest part is its own, the others chose."""
        found = []
        for (v, b), rows in self.county["attendance"].groupby(["village_id", "band"]):
            order = rows.sort_values(["pupils", "school_id"], ascending=[False, True])
            for nth, r in enumerate(order.itertuples()):
                walk = self.way.get((v, r.school_id, b, "walk"), np.inf)
                bus = self.way.get((v, r.school_id, b, "bus"), np.inf)
                mode = "walk" if walk <= self.limit("walk", b) or walk <= bus else "bus"
                mode = getattr(r, "mode", "") or mode
                found.append({"v": v, "band": b, "home": r.school_id, "n": int(r.pupils), "own": nth == 0, "mode": mode,
                              "was": walk if mode == "walk" else bus})  # fmt: skip
        return found

    @cached_property
    def heads(self) -> dict[tuple[str, str, str], tuple[int, int, float]]:
        """Heads, near retirement, eligible (or NaN) by school, stage and category."""
        rows = self.county["staff_stock"].itertuples()
        return {(r.school_id, r.stage, r.cat_id): (int(r.heads), int(r.near_retirement or 0), float(r.eligible_rotation)
                if pd.notna(r.eligible_rotation) else np.nan) for r in rows}  # fmt: skip

    @cached_property
    def category(self) -> dict[tuple[str, str], dict[str, Any]]:
        found: dict[tuple[str, str], dict[str, Any]] = (
            self.county["staff_category"].set_index(["stage", "cat_id"]).to_dict("index")
        )
        return found

    def staff(self, u: tuple[str, str], flag: str = "") -> int:
        """Heads of a unit today: all of them, or those that count for an indicator."""
        of = {c: n for (j, s, c), (n, _, _) in self.heads.items() if (j, s) == u}
        return sum(n for c, n in of.items() if not flag or self.category[u[1], c][FLAGS[flag]])

    def today(self, u: tuple[str, str], resource: str) -> float:
        return (
            float(self.staff(u, resource)) if resource in FLAGS else float(self.units[u][f"have_{resource}"])
        )

    @cached_property
    def indicators(self) -> list[dict[str, Any]]:
        return read("cn_2017_quality")["indicator"]

    def of_stage(self, s: str) -> list[dict[str, Any]]:
        return [i for i in self.indicators if i["stage"] == s]

    def assessed(self, u: tuple[str, str]) -> bool:
        return bool(self.units[u]["n"] >= self.norm["assessed_min"])

    def site_cap(self, j: str) -> float:
        row = self.schools[j]
        nine = "_nine" if row["kind"] in ("nine_year", "twelve_year") else ""
        relief = "_relief" if float(row["built_year"]) <= 2010 else ""
        return self.norm.get(f"school_cap{nine}{relief}", np.inf)

    def rural(self, u: tuple[str, str]) -> bool:
        return bool(self.schools[u[0]]["zone"] == "rural")

    def town(self, j: str) -> str:
        return str(self.schools[j]["township"])

    @cached_property
    def linked(self) -> set[tuple[str, str]]:
        near = self.towns[self.towns["minutes"] <= self.norm.get("commute_minutes", np.inf)]
        every = {self.town(j) for j in self.schools}
        return {(t, t) for t in every} | set(zip(near["from_township"], near["to_township"], strict=True))

    @cached_property
    def price(self) -> dict[str, float]:
        found: dict[str, float] = self.county["unit_costs"].set_index("item")["base"].astype(float).to_dict()
        return found

    @cached_property
    def money(self) -> dict[str, float]:
        rows = self.county["budget"]
        found: dict[str, float] = rows[rows["year"] == self.year].groupby("earmark")["amount"].sum().to_dict()
        return found


def sums(parts: Iterable[int], base: int = 0) -> set[int]:
    """Every number of pupils that some of the groups make."""
    found = {base}
    for n in parts:
        found |= {x + n for x in found}
    return found
