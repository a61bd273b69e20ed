"""A county of three sites small enough that every plan can be written down, every rule and goal reckoned by loops.

C holds five pupils more than it has places for, D is assessed with 52 pupils and fails for want of a backbone teacher, point E has 20
and may close. Grades 1-3 alone are
taught. Only backbone teachers move, and whoever E frees; the money pays for three transfers and some rides, and for no things.
Nothing here asks the model or the referee: `breaks` and `goals` are loops over the numbers below and the travel times.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations_with_replacement, product

from geodata.contract.county import County
from models.plan.decisions import Plan
from tests.models.plans import Case, keep_all, ready, rows
from tests.samples import CATEGORIES, COSTS, KM_LAT, KM_LON, LAT0, LON0, frame, school, staff, unit

SITES = ("C", "D", "E")
BAND, STAGE = "g1_3", "pri"
GOING = (("c", "C", 93), ("n", "C", 12), ("d", "D", 40), ("m", "D", 12), ("e", "E", 20))
WHERE = {
    "C": (0.0, 0.0), "D": (4.0, 0.0), "E": (4.0, 1.6), "c": (0.05, 0.05), "n": (1.2, 0.0), "d": (4.05, 0.1), "m": (2.9, 0.0),
    "e": (4.0, 1.62),
}  # fmt: skip
HEADS = {
    "C": {"plain_q": 5, "backbone": 3, "arts": 2}, "D": {"plain": 1, "plain_q": 4, "arts": 1}, "E": {"plain_q": 3},
}  # fmt: skip
PUPILS, PLACES, TODAY = {"C": 105, "D": 52, "E": 20}, {"C": 100, "D": 75, "E": 60}, {"C": 3, "D": 3, "E": 2}
PRICES = COSTS | dict.fromkeys(("teaching_building", "sports_court", "land"), 100_000_000)
"""What building money is for is mothballing a site: at its price no square metre is bought with it."""
CLASSES = {"C": (2, 3), "D": (2, 3), "E": (1, 2)}
MONEY = {"teacher": 27_500.0, "device": 0.0, "building": 60_000.0, "transport": 150_000.0, "any": 0.0}
THINGS = {"D": {"equip_value": 1900.0 * 52}, "E": {"rooms_multimedia": 0, "equip_value": 0.0}}
RURAL, MIXED = ("D", "E"), ("E",)
INDICATORS = {
    "q": (100, 4.2, ("plain_q", "backbone", "arts")), "b": (100, 1.0, ("backbone",)), "a": (100, 0.9, ("arts",)), "sp": (1, 4.5, ()),
    "sf": (1, 7.5, ()), "eq": (1, 2000.0, ()), "mm": (100, 2.3, ()),
}  # fmt: skip
"""By indicator: scale, threshold, categories whose heads count (sources.md 1.2)."""
CAP, CV_LIMIT, SMALL = 45, 0.5, 100


def county() -> County:
    """The county."""
    schools = [
        school("C", *WHERE["C"], "primary", "甲镇", "1-3", zone="seat", protected="lock_open"),
        school("D", *WHERE["D"], "primary", "甲镇", "1-3", protected="lock_open"), school("E", *WHERE["E"], "point", "甲镇", "1-3"),
    ]  # fmt: skip
    units = [
        unit(j, STAGE, PUPILS[j], TODAY[j], PLACES[j], **THINGS.get(j, {}))
        for j in SITES
    ]  # fmt: skip
    villages = [
        {"village_id": v, "name": v, "township": "甲镇", "lon": LON0 + WHERE[v][0] * KM_LON, "lat": LAT0 + WHERE[v][1] * KM_LAT, "crs": "wgs84"}
        for v, _, _ in GOING
    ]  # fmt: skip
    categories = frame("staff_category", CATEGORIES)
    categories["movable"], categories["hireable"] = categories["cat_id"] == "backbone", False
    money = [{"year": 2025, "source": "county", "earmark": e, "amount": y} for e, y in MONEY.items()]
    return County(
        name="三校", name_en="Three sites", year=2025, fictional=True, schools=frame("schools", schools), school_stage=frame("school_stage", units),
        villages=frame("villages", villages),
        demand=frame("demand", [{"village_id": v, "band": BAND, "year": 2025, "pupils_base": n} for v, _, n in GOING]),
        staff_category=categories, staff_stock=staff({(j, STAGE): h for j, h in HEADS.items()}),
        unit_costs=frame("unit_costs", [{"item": i, "unit": "yuan", "low": c, "base": c, "high": c, "year": 2024, "source": "test"} for i, c in PRICES.items()]),
        budget=frame("budget", money), enrolment_by_grade=frame("enrolment_by_grade", []),
        attendance=frame("attendance", [{"village_id": v, "school_id": j, "band": BAND, "pupils": n} for v, j, n in GOING]),
        standards=frame("standards", []),
    )  # fmt: skip


@cache
def case() -> Case:
    """One closure is a third of the sites; small units that lose no teacher are those under a hundred, not C."""
    small = dict.fromkeys((f"floor_no_outflow_{k}" for k in "qba"), float(SMALL))
    return ready(county()).with_rules(closures_share=0.4, moved_share=0.25, **small)


@dataclass(frozen=True)
class Made:
    """A plan in a few words: way by village, classes by site (0: closed), transfers (from, to, category, heads)."""

    ways: tuple[tuple[str, str], ...]
    classes: tuple[int, ...]
    moves: tuple[tuple[str, str, str, int], ...]

    @property
    def way(self) -> dict[str, tuple[str, str]]:
        """(school, mode) by village."""
        return dict(zip((v for v, _, _ in GOING), self.ways, strict=True))

    @property
    def pupils(self) -> dict[str, int]:
        """By site."""
        way = self.way
        return {j: sum(n for v, _, n in GOING if way[v][0] == j) for j in SITES}

    def heads(self, j: str, cats: tuple[str, ...] = ()) -> int:
        """Heads of some categories at a site; of all without any."""
        have = {c: n for c, n in HEADS[j].items() if not cats or c in cats}
        out = sum(n for a, b, c, n in self.moves if a == j and (not cats or c in cats))
        into = sum(n for a, b, c, n in self.moves if b == j and (not cats or c in cats))
        return sum(have.values()) - out + into

    def open(self, j: str) -> bool:
        """Whether a site teaches."""
        return self.classes[SITES.index(j)] > 0


@cache
def minutes() -> dict[tuple[str, str, str], float]:
    """Minutes by village, school and mode, small children on foot at their own speed."""
    here = case()
    slow = 4.0 / here.standards.value(f"walk_speed_{BAND}")
    return {
        (r.village_id, r.school_id, r.mode): round(r.minutes * (slow if r.mode == "walk" else 1.0), 2)
        for r in here.times.pairs.itertuples()
    }


LIMIT, MORE, GRACE = 30.0, 15.0, 5.0


def today_mode(v: str, home: str) -> str:
    """On foot within the limit, else the quicker."""
    walk, bus = minutes()[v, home, "walk"], minutes()[v, home, "bus"]
    return "walk" if walk <= LIMIT or walk <= bus else "bus"


def ways_of(v: str, home: str) -> list[tuple[str, str]]:
    """Today's way, and every way elsewhere within the limit and a quarter of an hour of today's."""
    way, now = minutes(), (home, today_mode(v, home))
    was = way[(v, *now)]
    other = [
        (j, m)
        for j in SITES
        for m in ("walk", "bus")
        if j != home and way.get((v, j, m), math.inf) <= min(LIMIT, was + MORE)
    ]
    return [now, *other]


def moves(shut: bool) -> Iterator[tuple[tuple[str, str, str, int], ...]]:
    """Up to three transfers of backbone teachers, whom C alone has; of a closed E its three go somewhere, which takes all the money."""
    if shut:
        for some in combinations_with_replacement(("C", "D"), 3):
            yield tuple(("E", j, "plain_q", some.count(j)) for j in dict.fromkeys(some))
        return
    for many in range(4):
        for some in combinations_with_replacement(("D", "E"), many):
            yield tuple(("C", b, "backbone", some.count(b)) for b in dict.fromkeys(some))


@cache
def every() -> tuple[Made, ...]:
    """Every plan."""
    found = []
    for ways in product(*(ways_of(v, j) for v, j, _ in GOING)):
        shut = all(j != "E" for j, _ in ways)
        for many in product(*((0,) if shut and j == "E" else CLASSES[j] for j in SITES)):
            found += [Made(ways, many, some) for some in moves(shut)]
    return tuple(found)


def as_plan(made: Made) -> Plan:
    """The same as a ledger."""
    today = keep_all(case())
    going, bands = today.attendance.copy(), today.bands.copy()
    going["school_id"] = [made.way[v][0] for v in going["village_id"]]
    going["mode"] = [made.way[v][1] for v in going["village_id"]]
    bands["classes"] = [made.classes[SITES.index(j)] for j in bands["school_id"]]
    bands["open"] = [made.open(j) for j in bands["school_id"]]
    table = [(a, STAGE, b, STAGE, c, n) for a, b, c, n in made.moves]
    return replace(today, bands=bands, attendance=going, staff_moves=rows("staff_moves", *table))


# ---- rules


def _past(made: Made) -> set[str]:
    """Ways past the own school, or past a nearer one with places."""
    found, way, after = set(), minutes(), made.pupils
    for v, home, n in GOING:
        to, mode = made.way[v]
        took, was = way[v, to, mode], way[v, home, today_mode(v, home)]
        if to == home:
            continue
        rides = mode == "bus" and today_mode(v, home) == "walk" and was <= LIMIT
        if made.open(home) and PUPILS[home] <= PLACES[home] and (took > was + GRACE or rides):
            found.add("past_own_school")
        for k in SITES:
            left = min(PLACES[k] - PUPILS[k], PLACES[k] - after[k])
            if k in (to, home) or not made.open(k) or left < n:
                continue
            walk, bus = way.get((v, k, "walk"), math.inf), way.get((v, k, "bus"), math.inf)
            walks = walk <= LIMIT
            near = walk if walks else math.inf if mode == "walk" or bus > LIMIT else bus
            if took > near + GRACE or (walks and mode == "bus"):
                found.add("past_nearer_school")
    return found


def _of_staff(made: Made) -> set[str]:
    found, value = set(), case().standards.value
    for j in (j for j in SITES if made.open(j)):
        n, heads = made.pupils[j], made.heads(j)
        if (
            n >= 50
            and made.heads(j, ("backbone",)) < 1
            and not (PUPILS[j] >= 50 and not HEADS[j].get("backbone", 0))
        ):
            found.add("floor_backbone")
        if PUPILS[j] < SMALL and any(
            made.heads(j, c) < sum(HEADS[j].get(x, 0) for x in c) for _, _, c in INDICATORS.values() if c
        ):
            found.add("floor_no_outflow")
        if j in RURAL:
            classes, was = made.classes[SITES.index(j)], sum(HEADS[j].values())
            needs = [(n / value("floor_ratio_pri"), PUPILS[j] / value("floor_ratio_pri"))]
            needs += [
                (value("floor_kappa") * classes, value("floor_kappa") * TODAY[j]),
                (value("floor_heads_grades3"),) * 2,
            ]
            if any(need - heads > max(0.0, was_need - was) + 1e-9 for need, was_need in needs):
                found.add("floor_class")
        if PUPILS[j] < 50:
            rate = sum(sum(h.values()) for h in HEADS.values()) / sum(TODAY.values())
            if (
                heads - rate * made.classes[SITES.index(j)]
                > max(0.0, sum(HEADS[j].values()) - rate * TODAY[j]) + 1e-9
            ):
                found.add("no_sink")
    for _, _, cats in INDICATORS.values():
        if cats and sum(made.heads(j, cats) * made.open(j) for j in RURAL) < sum(
            HEADS[j].get(c, 0) for j in RURAL for c in cats
        ):
            found |= {"outflow_rural", "outflow_township"}
    return found


def breaks(made: Made) -> frozenset[str]:
    """Rules that a plan breaks."""
    found, people, value = _past(made) | _of_staff(made), made.pupils, case().standards.value
    moved = sum(n for v, home, n in GOING if made.way[v][0] != home)
    for j, classes in zip(SITES, made.classes, strict=True):
        left = sum(n for v, home, n in GOING if home == j and made.way[v][0] != j)
        come = people[j] - (PUPILS[j] - left)
        if people[j] > max(PLACES[j], PUPILS[j]):
            found.add("capacity")
        if not classes:
            continue
        if not people[j]:
            found.add("open_has_pupils")
        grade = (PUPILS[j] - left) / 3 + come / 3
        most = max(CAP, PUPILS[j] / 3 / (TODAY[j] // 3 or 1))
        if j in MIXED:
            if people[j] > max(CAP, PUPILS[j] / TODAY[j]) * classes:
                found.add("class_size")
        elif classes < 3 * math.ceil(max(0.0, grade - 1) / most - 1e-6):
            found.add("class_size")
        if j not in MIXED and classes < 3:
            found.add("min_classes")
        if classes < math.ceil(TODAY[j] * (1 - left / PUPILS[j]) - 1e-6):
            found.add("classes_kept")
        if PUPILS[j] >= 50 > people[j]:
            found.add("assessed_floor")
        if (
            (PUPILS[j] >= 50 or people[j] >= 50)
            and people[j]
            and any(
                _met(PUPILS[j], TODAYS[j], k) and not _met(people[j], _amounts(made)[j], k)
                for k in INDICATORS
            )
        ):
            found.add("met_kept")
    if moved > value("moved_share") * sum(PUPILS.values()) + 1e-9:
        found.add("moved_share")
    if any(y > MONEY[e] + 1 for e, y in _yuan(made).items()):
        found.add("budget")
    gone = {(home, made.way[v][0]) for v, home, _ in GOING if made.way[v][0] != home}
    if any((b, a) in gone for a, b in gone):
        found.add("no_exchange")
    return frozenset(found)


# ---- goals (docs/model/goals.md)


def _yuan(made: Made) -> dict[str, float]:
    """What is charged, by earmark."""
    spent = {
        "teacher": float(COSTS["rotation_subsidy"]) * sum(n for *_, n in made.moves),
        "transport": 0.0,
        "building": 0.0,
    }
    for v, home, n in GOING:
        to, mode = made.way[v]
        rides = mode == "bus" and (to != home or today_mode(v, home) != "bus")
        spent["transport"] += n * (COSTS["transition_grant"] * (to != home) + COSTS["bus_pupil"] * rides)
    spent["building"] += COSTS["mothball"] * sum(not made.open(j) for j in SITES)
    return spent


def _amounts(made: Made | None) -> dict[str, dict[str, float]]:
    """What the indicators count, by site; today's without a plan."""
    stage = county().school_stage.set_index("school_id") if made is None else None
    if stage is None:
        return {
            j: TODAYS[j] | {k: float(made.heads(j, c)) for k, (_, _, c) in INDICATORS.items() if c}
            for j in SITES
        }
    return {
        j: {k: float(sum(HEADS[j].get(x, 0) for x in c)) for k, (_, _, c) in INDICATORS.items() if c}
        | {
            "sp": float(r["area_teaching"] - r["area_indoor_sport"]), "sf": float(r["area_sport_ground"] + r["area_indoor_sport"]),
            "eq": float(r["equip_value"]), "mm": float(r["rooms_multimedia"]),
        }
        for j, r in ((j, stage.loc[j]) for j in SITES)
    }  # fmt: skip


TODAYS = _amounts(None)


def _met(n: int, have: dict[str, float], k: str, share: float = 1.0) -> bool:
    scale, need, _ = INDICATORS[k]
    return n > 0 and scale * have[k] / n >= share * need - 1e-9


def _passes(n: int, have: dict[str, float]) -> bool:
    return sum(_met(n, have, k) for k in INDICATORS) >= 6 and all(_met(n, have, k, 0.85) for k in INDICATORS)


def _of_standards(made: Made) -> dict[str, float]:
    people, have = made.pupils, _amounts(made)
    value = dict.fromkeys(("failing", "cells", "shortfall"), 0.0)
    for j in SITES:
        n, x = (people[j], have[j]) if made.open(j) else (PUPILS[j], TODAYS[j])
        if PUPILS[j] >= 50 or (made.open(j) and people[j] >= 50):
            value["failing"] += not _passes(n, x)
            value["cells"] += sum(not _met(n, x, k) for k in INDICATORS)
        if PUPILS[j] >= 50:
            value["shortfall"] += sum(max(0.0, n - x[k] * s / t) for k, (s, t, _) in INDICATORS.items())
    return value


def _of_spread(made: Made) -> dict[str, float]:
    people, have = made.pupils, _amounts(made)
    value = dict.fromkeys(("deficit", "cv_excess"), 0.0)
    counted = [j for j in SITES if PUPILS[j] >= 50]
    now = [j for j in SITES if made.open(j) and people[j] >= 50]
    for k, (scale, need, _) in INDICATORS.items():
        aim = max(need / scale, sum(TODAYS[j][k] for j in counted) / sum(PUPILS[j] for j in counted))
        for j in (j for j in SITES if people[j]):
            value["deficit"] += (
                1000 * max(0.0, people[j] - have[j][k] / aim) ** 2 / people[j] / sum(PUPILS.values())
            )
        pupils = sum(people[j] for j in now)
        mean = sum(have[j][k] for j in now) / pupils
        if not mean:
            continue
        squared = sum(people[j] / pupils * (have[j][k] / people[j] - mean) ** 2 for j in now) / mean**2
        value["cv_excess"] += max(0.0, squared - CV_LIMIT**2)
    return value


def _over_cap(made: Made) -> float:
    over = 0.0
    for j, classes in zip(SITES, made.classes, strict=True):
        n = made.pupils[j]
        over += max(0, n - PLACES[j])
        if j in MIXED:
            over += max(0, n - CAP * classes) if classes else 0
        elif classes:
            left = [n / 3] * 3
            for _ in range(classes):
                most = max(range(3), key=lambda g: left[g])
                left[most] = max(0.0, left[most] - CAP)
            over += sum(left)
    return over


def goals(made: Made) -> dict[str, float]:
    """Every goal's value."""
    way, whole = minutes(), sum(PUPILS.values())
    trips = [(n, way[(v, *made.way[v])], made.way[v][0] != home) for v, home, n in GOING]
    staff_all = sum(sum(h.values()) for h in HEADS.values())
    return {
        **_of_standards(made), **_of_spread(made), "over_cap": _over_cap(made),
        "travel": sum(n * t for n, t, _ in trips) / whole, "beyond_limit": float(sum(n for n, t, _ in trips if t > LIMIT)),
        "disruption": 100 * sum(n for n, _, c in trips if c) / whole + 100 * sum(n for *_, n in made.moves) / staff_all,
        "cost": sum(_yuan(made).values()) / 10_000,
    }  # fmt: skip
