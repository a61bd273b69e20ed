"""Every rule of the planning problem in the second statement (`tests.full_milp`), after docs/model and nothing else."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import combinations, pairwise, permutations, product

from tests.full_milp import FLAGS, MOVING, THINGS, Expr, Linear, Tables, add, minus, no, number, times

Unit = tuple[str, str]


@dataclass
class Whole:
    """The problem with its columns; building it states every rule that binds."""

    t: Tables
    lp: Linear = field(default_factory=Linear)

    def __post_init__(self) -> None:
        t, lp = self.t, self.lp
        self.units: list[Unit] = list(t.units)
        self.open = {k: lp.yes() for k in t.taught}
        self.closed = {j: lp.yes() for j in t.schools}
        self.up = {u: lp.yes() for u in self.units}
        self.bands_of = {
            u: [k for k in t.taught if k[0] == u[0] and t.bands[k[1]][0] == u[1]] for u in self.units
        }
        self._ways()
        self._counts()
        self._classes()
        self._staff()
        self._things()
        for state in (
            self._access,
            self._together,
            self._sites,
            self._seats,
            self._floors,
            self._guards,
            self._money,
        ):
            state()

    def on(self, norm: str) -> bool:
        return norm in self.t.norm

    # ---- who goes where

    def _ways(self) -> None:
        """attend[g, school, mode]; who stays for certain has one column that is 1."""
        t, lp = self.t, self.lp
        self.attend: dict[tuple[int, str, str], Expr] = {}
        for g, one in enumerate(t.groups):
            self.attend[g, str(one["home"]), str(one["mode"])] = lp.yes()
            for (v, j, b, mode), took in t.way.items():
                here = v == one["v"] and b == one["band"] and t.whole(j, b)
                if not here or (j == one["home"] and (mode == one["mode"] or not took < one["was"])):
                    continue
                self.attend[g, j, mode] = lp.yes()
            mine = [x for (h, _, _), x in self.attend.items() if h == g]
            lp.equal(add(*mine), number(1))
            home = self.open[str(one["home"]), str(one["band"])]
            if not one["own"]:  # who chose another school stays while it teaches the band
                lp.equal(self.attend[g, str(one["home"]), str(one["mode"])], home)
        for (g, j, _), x in self.attend.items():
            lp.least(self.open[j, str(t.groups[g]["band"])], x)

    def at(self, g: int, j: str) -> Expr:
        return add({}, *(x for (h, k, _), x in self.attend.items() if h == g and k == j))

    def moves(self, of: str, band: str) -> Expr:
        """Pupils who leave a band."""
        return add({}, *(times(float(self.t.groups[g]["n"]), x) for (g, j, _), x in self.attend.items()
                         if self.t.groups[g]["home"] == of and self.t.groups[g]["band"] == band and j != of))  # fmt: skip

    def _counts(self) -> None:
        t, lp = self.t, self.lp
        self.people = {k: add({}, *(times(float(t.groups[g]["n"]), x) for (g, j, _), x in self.attend.items() if (j, t.groups[g]["band"]) == k))
                       for k in t.taught}  # fmt: skip
        self.n = {u: add({}, *(self.people[k] for k in self.bands_of[u])) for u in self.units}
        self.before = {k: sum(int(g["n"]) for g in t.groups if (g["home"], g["band"]) == k) for k in t.taught}
        self.everybody = sum(int(g["n"]) for g in t.groups)
        self.moved = add({}, *(self.moves(*k) for k in t.taught))
        for u in self.units:
            for k in self.bands_of[u]:
                lp.least(self.up[u], self.open[k])
            lp.least(add(*(self.open[k] for k in self.bands_of[u])), self.up[u])
        for j in t.schools:
            mine = [k for k in t.taught if k[0] == j]
            for k in mine:
                lp.least(no(self.open[k]), self.closed[j])
            lp.least(add(self.closed[j], *(self.open[k] for k in mine)), number(1))

    def _free(self, j: str, band: str) -> float:
        """Places left today."""
        u = (j, self.t.bands[band][0])
        site = sum(float(r["n"]) for (k, _), r in self.t.units.items() if k == j)
        left = self.t.units[u]["capacity_pupils"] - self.t.units[u]["n"]
        return max(0.0, min(float(left), self.t.site_cap(j) - site))

    def _over(self, j: str, band: str) -> bool:
        u = (j, self.t.bands[band][0])
        row, cap = self.t.units[u], self.t.norm.get(f"class_cap_{u[1]}", math.inf)
        site = sum(float(r["n"]) for (k, _), r in self.t.units.items() if k == j)
        return (
            row["n"] > row["capacity_pupils"]
            or row["n"] > cap * max(1, row["classes"])
            or site > self.t.site_cap(j)
        )

    def _near(self, g: int, j: str) -> dict[str, float]:
        """Minutes by mode to a school within the limit; where one can walk there, on foot alone."""
        t, one = self.t, self.t.groups[g]
        found = {
            m: t.way[one["v"], j, one["band"], m]
            for m in ("walk", "bus")
            if (one["v"], j, one["band"], m) in t.way
        }
        found = {m: x for m, x in found.items() if x <= t.limit(m, str(one["band"]))}
        return {"walk": found["walk"]} if "walk" in found else found

    def _access(self) -> None:
        t, lp = self.t, self.lp
        for (g, j, mode), x in self.attend.items():
            one = t.groups[g]
            if j == one["home"] and mode == one["mode"]:
                continue
            took, band = t.way[one["v"], j, one["band"], mode], str(one["band"])
            others = {
                k: self._near(g, k)
                for k in t.schools
                if t.whole(k, band) and k != one["home"] and self._free(k, band) >= int(one["n"])
            }
            within = took <= t.limit(mode, band)
            helped = any(others.values()) or bool(self._near(g, str(one["home"])))
            excused = took <= float(one["was"]) and (j == one["home"] or not helped)
            walked = t.way.get((str(one["v"]), j, band, "walk"), math.inf) <= t.limit(
                "walk", band
            ) and self.on(f"travel_walk_{band}")
            bad = (not within and not excused) or (mode == "bus" and walked)
            bad |= self.on("travel_increase") and took > float(one["was"]) + t.norm["travel_increase"]
            if bad:
                lp.least(number(0), x)
            if j == one["home"]:
                continue
            if (
                self.on("past_own_school")
                and (
                    took > float(one["was"]) + t.norm["past_own_school"]
                    or (
                        mode == "bus"
                        and one["mode"] == "walk"
                        and float(one["was"]) <= t.limit("walk", band) < math.inf
                    )
                )
                and not self._over(str(one["home"]), band)
            ):
                lp.least(number(1), add(x, self.open[str(one["home"]), band]))
            walks = mode == "walk" and within
            for k, near in others.items():
                if k == j or not near or not self.on("past_nearer_school"):
                    continue
                past = (
                    took
                    > near.get("walk", math.inf if walks else min(near.values()))
                    + t.norm["past_nearer_school"]
                )
                if past or (mode == "bus" and "walk" in near):
                    lp.least(number(1), add(x, self.open[k, band]))

    def _together(self) -> None:
        """Bands of a village stay together or do not change places; no two schools exchange pupils of a band."""
        t, lp = self.t, self.lp
        own = {(g["v"], g["band"]): n for n, g in enumerate(t.groups) if g["own"]}
        for (v, low), g in own.items():
            for high in [b for a, b in pairwise(t.bands) if a == low and t.bands[a][0] == t.bands[b][0]]:
                h, home = own.get((v, high)), str(t.groups[g]["home"])
                if h is None or t.groups[h]["home"] != home or not self.on("bands_together"):
                    continue
                apart = minus(self.open[home, low], self.open[home, high])
                for k in t.schools:
                    if k != home:
                        lp.least(apart, minus(self.at(g, k), self.at(h, k)))
                        lp.least(apart, minus(self.at(h, k), self.at(g, k)))
        for a, b in combinations(t.schools, 2):
            for band in t.bands:
                there = [
                    self.at(g, b) for g, x in enumerate(t.groups) if x["home"] == a and x["band"] == band
                ]
                back = [self.at(g, a) for g, x in enumerate(t.groups) if x["home"] == b and x["band"] == band]
                if any(there) and any(back) and self.on("no_exchange"):
                    way = lp.yes()
                    for x in there:
                        lp.least(way, x)
                    for x in back:
                        lp.least(no(way), x)
        if self.on("no_ring"):
            self._rings()
        for g, h in combinations(own.values(), 2) if self.on("no_swap") else ():
            a, b = (str(t.groups[x]["home"]) for x in (g, h))
            if a != b and t.groups[g]["v"] == t.groups[h]["v"]:
                lp.least(number(1), add(self.at(g, b), self.at(h, a)))

    def _rings(self) -> None:
        """Of three groups of a band, one of each of three schools, not all go on by one school."""
        t = self.t
        for band, homes in product(t.bands, permutations(t.schools, 3)):
            if homes[0] != min(homes):
                continue
            sides = [
                [self.at(g, b) for g, x in enumerate(t.groups) if (x["home"], x["band"]) == (a, band)]
                for a, b in zip(homes, (*homes[1:], homes[0]), strict=True)
            ]
            for three in product(*([x for x in some if x] for some in sides)):
                self.lp.least(number(2), add(*three))

    # ---- sites, seats, classes

    def _sites(self) -> None:
        t, lp = self.t, self.lp
        for u in self.units:
            row, bands = t.units[u], self.bands_of[u]
            kept = str(t.schools[u[0]]["protected"]) != "none"
            large = not (t.rural(u) and row["n"] < t.norm.get("closure_max_pupils", math.inf))
            for k in bands:
                if kept or (large and self.on("closure_max_pupils")):
                    lp.least(self.open[k], number(1))
                if self.before[k] and self.on("open_has_pupils"):
                    lp.least(self.people[k], self.open[k])
            for low, high in pairwise(bands):
                if self.on("bands_from_top"):
                    lp.least(self.open[low], self.open[high])
            if t.assessed(u) and self.on("assessed_floor"):
                lp.least(self.n[u], times(min(t.norm["assessed_floor"], row["n"]), self.up[u]))
        for town in {t.town(j) for j in t.schools}:
            mine = [j for j in t.schools if t.town(j) == town]
            junior = [self.open[k] for k in t.taught if k[0] in mine and t.bands[k[1]][0] == "jun"]
            if junior and self.on("junior_per_township"):
                lp.least(add(*junior), number(1))
            if self.on("closures_township"):
                lp.least(number(t.norm["closures_township"]), add(*(self.closed[j] for j in mine)))
        if self.on("closures_share"):
            most = math.floor(t.norm["closures_share"] * len(t.schools) + 1e-9)
            lp.least(number(most), add(*self.closed.values()))
        if self.on("moved_share"):
            lp.least(number(t.norm["moved_share"] * self.everybody), self.moved)

    def mixed(self, u: Unit) -> bool:
        return bool(self.t.units[u]["classes"] < sum(len(self.t.taught[k]) for k in self.bands_of[u]))

    def _classes(self) -> None:
        """Whole classes by grade, or by band where grades are taught together; today's are dealt to the lower grades first."""
        t, lp = self.t, self.lp
        self.classes: dict[tuple[str, str, int], Expr] = {}
        self.had: dict[tuple[str, str, int], int] = {}
        for u in self.units:
            grades = [(*k, g) for k in self.bands_of[u] for g in t.taught[k]]
            many, left = divmod(int(t.units[u]["classes"]), len(grades))
            for nth, k in enumerate(grades):
                self.had[k] = many + (nth < left)
                self.classes[k] = lp.column(0, 99, True)
        self.in_unit = {
            u: add({}, *(x for (j, b, _), x in self.classes.items() if (j, t.bands[b][0]) == u))
            for u in self.units
        }

    def grade(self, j: str, band: str) -> Expr:
        """Pupils of a grade: an equal part of those who stay and of those who come."""
        return times(1.0 / len(self.t.taught[j, band]), self.people[j, band])

    def _seats(self) -> None:
        t, lp = self.t, self.lp
        for u in self.units:
            row, cap = t.units[u], t.norm.get(f"class_cap_{u[1]}", math.inf)
            if self.on("capacity"):
                lp.least(times(max(row["capacity_pupils"], row["n"]), self.up[u]), self.n[u])
            if self.on("rooms"):
                lp.least(
                    times(max(row["capacity_pupils"] // cap, row["classes"]), self.up[u]), self.in_unit[u]
                )
            if self.mixed(u):
                if self.on(f"class_cap_{u[1]}"):
                    lp.least(times(max(cap, row["n"] / row["classes"]), self.in_unit[u]), self.n[u])
                if self.on("min_classes"):
                    lp.least(self.in_unit[u], times(min(1, row["classes"]), self.up[u]))
            kept: list[Expr] = []
            for j, b in self.bands_of[u]:
                many = len(t.taught[j, b])
                mine = {g: self.classes[j, b, g] for g in t.taught[j, b]}
                for g, x in mine.items():
                    lp.least(times(99, self.open[j, b]), x)
                    size, had = self.before[j, b] / many, self.had[j, b, g]
                    if not self.mixed(u):
                        if self.on(f"class_cap_{u[1]}"):
                            lp.least(times(max(cap, size / had if had else 0.0), x), self.grade(j, b))
                        if self.on("min_classes"):
                            lp.least(x, times(min(1, had), self.open[j, b]))
                had = sum(self.had[j, b, g] for g in mine)
                if self.before[j, b] and had:
                    gone = times(1.0 / self.before[j, b], self.moves(j, b))
                    kept.append(times(had, minus(self.open[j, b], gone)))
            if kept and self.on("classes_kept"):
                every = [self.classes[j, b, g] for j, b in self.bands_of[u] for g in t.taught[j, b]]
                lp.least(add(*every), add(*kept))
        for j in t.schools:
            before = sum(r["n"] for (k, _), r in t.units.items() if k == j)
            if math.isfinite(t.site_cap(j)):
                lp.least(
                    number(max(t.site_cap(j), before)), add(*(self.n[u] for u in self.units if u[0] == j))
                )

    # ---- staff

    def _staff(self) -> None:
        """Transfers from unit to unit, by category; hires."""
        t, lp = self.t, self.lp
        self.move: dict[tuple[Unit, Unit, str], Expr] = {}
        self.hire = {
            (u, c): lp.column(0, 200, True)
            for u in self.units
            for (s, c), r in t.category.items()
            if s == u[1] and r["hireable"]
        }
        fixed = {}
        for (j, s, c), (n, near, _) in t.heads.items():
            a, movable = (j, s), bool(t.category[s, c]["movable"])
            fixed[a, c] = min(near, n) if movable else n
            for b in self.units:
                fits = b[1] == s or (s == "jun" and b[1] == "pri" and movable)
                if n and a != b and fits and (t.town(j), t.town(b[0])) in t.linked:
                    self.move[a, b, c] = lp.column(0, n, True)
        self.cells = {(u, c) for u in self.units for (s, c) in t.category if s == u[1]}
        self.have = {}
        for u, c in self.cells:
            n, near, eligible = t.heads.get((*u, c), (0, 0, math.nan))
            out = add({}, *(x for (a, _, k), x in self.move.items() if (a, k) == (u, c)))
            come = add(
                {}, *(x for (a, b, k), x in self.move.items() if b == u and k == c), self.hire.get((u, c), {})
            )
            self.have[u, c] = add(number(n), times(-1.0, out), come)
            held = fixed.get((u, c), 0)
            lp.least(minus(number(n), times(held, self.up[u])), out)
            lp.least(out, times(n, no(self.up[u])))
            lp.least(times(300, self.up[u]), come)
            if self.on("eligible_moves") and not math.isnan(eligible):
                lp.least(add(number(eligible), times(n, no(self.up[u]))), out)
        towns = {(t.town(u[0]), u[1], c) for u, c in self.cells}
        for town, s, c in towns if self.on("near_retirement_stays") else ():
            stay = [
                x
                for (a, b, k), x in self.move.items()
                if (t.town(a[0]), a[1], k) == (town, s, c) and t.town(b[0]) == town
            ]
            places = [
                times(fixed.get((u, c), 0), no(self.up[u]))
                for u in self.units
                if (t.town(u[0]), u[1]) == (town, s)
            ]
            lp.least(add({}, *stay), add({}, *places))

    def staff(self, u: Unit, flag: str = "") -> Expr:
        return add(
            {},
            *(
                x
                for (v, c), x in self.have.items()
                if v == u and (not flag or self.t.category[u[1], c][FLAGS[flag]])
            ),
        )

    def kept(self, u: Unit, flag: str) -> Expr:
        """Heads that count, but for who is hired."""
        hired = [x for (v, c), x in self.hire.items() if v == u and self.t.category[u[1], c][FLAGS[flag]]]
        return minus(self.staff(u, flag), add({}, *hired))

    def _floors(self) -> None:
        t, lp = self.t, self.lp
        for u in self.units:
            row, staff, had = t.units[u], self.staff(u), t.staff(u)
            grades = sum(len(t.taught[k]) for k in self.bands_of[u])
            if t.rural(u):
                ratio = t.norm.get(f"floor_ratio_{u[1]}")
                if ratio:
                    lp.least(add(times(ratio, staff), number(max(0.0, row["n"] - ratio * had))), self.n[u])
                if self.on("floor_kappa"):
                    kappa = t.norm["floor_kappa"]
                    lp.least(
                        add(staff, number(max(0.0, kappa * row["classes"] - had))),
                        times(kappa, self.in_unit[u]),
                    )
                heads = "floor_heads_grades3" if grades >= 3 else "floor_heads"
                if self.on(heads):
                    lp.least(staff, times(min(t.norm[heads], had), self.up[u]))
            if self.on("floor_backbone_pupils"):
                least, b = t.norm["floor_backbone_pupils"], t.staff(u, "b")
                if not (row["n"] >= least and b < 1):
                    many = lp.yes()
                    lp.least(add(number(least - 1), times(self.everybody, many)), self.n[u])
                    lp.least(self.staff(u, "b"), many)
            if self.on("floor_arts_point_share") and t.schools[u[0]]["kind"] != "point" and t.staff(u, "a"):
                lp.least(self.staff(u, "a"), self.up[u])
        for town in {t.town(j) for j in t.schools} if self.on("floor_arts_point_share") else ():
            mine = [u for u in self.units if t.town(u[0]) == town]
            full = [u for u in mine if t.schools[u[0]]["kind"] != "point"]
            points = {u[0] for u in mine} - {u[0] for u in full}
            share = t.norm["floor_arts_point_share"]
            lack = max(0.0, len(points) / share - sum(t.staff(u, "a") for u in mine) + len(full))
            need = add(
                number(-lack),
                *(times(1.0 / share, no(self.closed[j])) for j in points),
                *(self.up[u] for u in full),
            )
            if points:
                lp.least(add(*(self.staff(u, "a") for u in mine)), need)

    # ---- things, guards, money

    def _things(self) -> None:
        t, lp = self.t, self.lp
        self.buy = {(u, k): lp.column(0, 1e8, k.startswith("rooms")) for u in self.units for k in THINGS}
        self.carry = {(a, b, k): lp.column(0, 1e8, k.startswith("rooms")) for a in self.units for b in self.units for k in MOVING
                      if a != b and a[1] == b[1]}  # fmt: skip
        self.thing = {}
        for u in self.units:
            for k in THINGS:
                stock = t.units[u][f"have_{k}"]
                come = add({}, *(x for (_, b, m), x in self.carry.items() if (b, m) == (u, k)))
                self.thing[u, k] = add(times(stock, self.up[u]), self.buy[u, k], come)
                much = 2e4 * (t.units[u]["capacity_pupils"] + 100)
                lp.least(times(much, self.up[u]), add(self.buy[u, k], come))
                if k in MOVING:
                    lp.equal(
                        add({}, *(x for (a, _, m), x in self.carry.items() if (a, m) == (u, k))),
                        times(stock, no(self.up[u])),
                    )
                if k.startswith("area") and self.on("build_share"):
                    lp.least(number(t.norm["build_share"] * stock), self.buy[u, k])
            if self.on("useful_rooms"):
                share, stock = t.norm["useful_rooms"], t.units[u]["have_rooms_multimedia"]
                base = max(2.0, stock - share * t.units[u]["classes"])
                most = add(times(share, self.in_unit[u]), number(base))
                lp.least(most, add(self.buy[u, "rooms_multimedia"], times(stock, self.up[u])))

    def amount(self, u: Unit, resource: str) -> Expr:
        return self.staff(u, resource) if resource in FLAGS else self.thing[u, resource]

    def _guards(self) -> None:
        t, lp = self.t, self.lp
        for u in self.units:
            for i in t.of_stage(u[1]):
                r, scale, need = str(i["resource"]), float(i["scale"]), float(i["threshold"])
                met = t.units[u]["n"] > 0 and scale * t.today(u, r) / t.units[u]["n"] >= need - 1e-9
                if met and self.on("met_kept") and t.assessed(u):
                    lp.least(times(scale, self.amount(u, r)), times(need, self.n[u]))
                elif met and self.on("met_kept"):
                    counts, few = lp.yes(), t.norm["assessed_min"] - 1
                    lp.least(add(number(few), times(self.everybody, counts)), self.n[u])
                    some = minus(self.n[u], times(few, no(counts)))
                    lp.least(times(scale, self.amount(u, r)), times(need, some))
            for f in FLAGS:
                if t.units[u]["n"] < t.norm.get(f"floor_no_outflow_{f}", 0.0):
                    lp.least(self.kept(u, f), times(t.staff(u, f), self.up[u]))
        for f in FLAGS:
            towns = {(s, w) for s in ("pri", "jun") for w in (None, *{t.town(j) for j in t.schools})}
            for s, town in towns:
                mine = [u for u in self.units if u[1] == s and t.rural(u) and town in (None, t.town(u[0]))]
                if mine and self.on(f"outflow_{'rural' if town is None else 'township'}_{f}"):
                    lp.least(add(*(self.kept(u, f) for u in mine)), number(sum(t.staff(u, f) for u in mine)))
        for u in self.units if self.on("no_sink") else ():
            mine = [v for v in self.units if v[1] == u[1]]
            rate = sum(t.staff(v) for v in mine) / sum(t.units[v]["classes"] for v in mine)
            if not t.assessed(u):
                extra = max(0.0, t.staff(u) - rate * t.units[u]["classes"])
                lp.least(add(number(extra), times(rate, self.in_unit[u])), self.staff(u))

    def _money(self) -> None:
        t, lp, price = self.t, self.lp, self.t.price
        rides = [(g, x) for (g, j, m), x in self.attend.items()
                 if m == "bus" and (j != t.groups[g]["home"] or t.groups[g]["mode"] != "bus")]  # fmt: skip
        self.charge = {
            "teacher": [times(price["rotation_subsidy"], x) for x in self.move.values()]
            + [times(float(t.category[u[1], c]["annual_cost"]), x) for (u, c), x in self.hire.items()],
            "transport": [times(price["bus_pupil"] * int(t.groups[g]["n"]), x) for g, x in rides] + [times(price["transition_grant"], self.moved)],
            "building": [times(price["mothball"], x) for x in self.closed.values()], "device": [],
        }  # fmt: skip
        for (_, k), x in self.buy.items():
            _, items, earmark = THINGS[k]
            self.charge[earmark].append(times(sum(price[i] for i in items) if items else 1.0, x))
        for (_, _, k), x in self.carry.items():
            self.charge["device"].append(times(price[MOVING[k]], x))
        spill = {e: lp.column() for e in self.charge}
        for e, parts in self.charge.items():
            lp.least(add(number(t.money.get(e, 0.0)), spill[e]), add({}, *parts))
        lp.least(number(t.money.get("any", 0.0)), add(*spill.values()))
