"""Rules about which sites and bands stay, and how fast things change.

| rule | equation |
|---|---|
| bands_from_top | open[j,b] <= open[j,b'], b' the next lower band of the stage taught there |
| protected | open[j,b] = 1 (protected, asked to stay), = 0 (asked to close) |
| closure_max_pupils | open[j,b] = 1 unless rural and P0 < 200 |
| open_has_pupils | P[j,b] >= open[j,b], where the band has pupils today |
| assessed_floor | P[u] >= min(50, P0) open[u], units assessed today |
| junior_per_township | sum_j open[j,b] >= 1 over the stage's bands |
| closures_township, closures_share | sum closed[j] <= most |
| moved_share | pupils whose school changes <= share of all |
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pandas as pd

from models.formulation.network import pupils_changed
from models.rules.record import EPS, Rows, Rule, Slack, all_of, broken, county_row, looked_up, none

if TYPE_CHECKING:
    from models.plan.outcome import After

KEPT = ("lock_open", "donor", "ethnic", "border", "new_asset")


def _from_top(rows: Rows) -> None:
    index, scheme = rows.inst.bands.index, rows.inst.standards.scheme
    both = [
        (j, upper, lower)
        for j in rows.inst.school_cap.index
        for s in scheme.stage_ids
        for lower, upper in pairwise(b for b in scheme.bands_of(s) if (j, b) in index)
    ]
    rows.add(both, lambda m, j, upper, lower: m.open[j, upper] <= m.open[j, lower])


def check_from_top(after: After) -> pd.DataFrame:
    """Where both are taught, an open upper band of a stage needs the open one below it."""
    if after.bands["open"].all():
        return none()
    wide = after.bands["open"].unstack("band")
    names, parts = after.county.schools.set_index("school_id")["name"], []
    for stage in after.standards.scheme.stage_ids:
        bands = [b for b in after.standards.scheme.bands_of(stage) if b in wide]
        for n, upper in enumerate(bands[1:], start=1):
            taught = wide[bands[:n]].notna()
            lower = wide[bands[:n]].where(taught).ffill(axis=1).iloc[:, -1]
            wrong = wide[wide[upper].eq(True) & lower.eq(False)].reset_index()
            wrong["name"] = wrong["school_id"].map(names)
            parts.append(broken(wrong, "school_id", "name", 1, 0, "bands"))
    return all_of(parts)


def _locks(rows: Rows) -> None:
    bands = rows.inst.bands
    held = bands.index[(bands["lock"] == "open") & (bands["lock_by"] != "closure_max_pupils")]
    rows.add(list(held), lambda m, j, b: m.open[j, b] == 1, part="open")
    shut = bands.index[bands["lock"] == "closed"]
    rows.add(list(shut), lambda m, j, b: m.open[j, b] == 0, part="closed")


def _protected(cell: Any, year: int) -> bool:
    word = str(cell or "none")
    until = word.removeprefix("lock_until(").rstrip(")")
    return word in KEPT or (until.isdigit() and int(until) >= year)


def check_protected(after: After) -> pd.DataFrame:
    """Protected sites and those asked to stay keep all their bands; sites asked to close close."""
    rows = after.band_rows
    schools = after.county.schools
    cells = zip(schools["school_id"], schools["protected"], strict=True)
    kept = {j for j, cell in cells if _protected(cell, after.county.year)}
    asked = rows["school_id"].isin(after.request.close)
    must = (rows["school_id"].isin(kept) | rows["school_id"].isin(after.request.keep_open)) & ~asked
    wrong = rows[(must & ~rows["open"]) | (asked & rows["open"])]
    is_open = wrong["open"].astype(int)
    return broken(wrong, "school_id", "name", is_open, 1 - is_open, "bands")


def _large_stay(rows: Rows) -> None:
    bands, asked = rows.inst.bands, set(rows.inst.request.close)
    keys = [k for k in bands.index if bands.at[k, "large"] and k[0] not in asked]
    rows.add(keys, lambda m, j, b: m.open[j, b] >= 1)


def check_large_stay(after: After) -> pd.DataFrame:
    """Only rural units under so many pupils give up a band, unless asked to."""
    rows = after.band_rows
    most = after.standards.value("closure_max_pupils")
    small = (rows["zone"] == "rural") & (rows["unit_pupils"] < most)
    wrong = rows[~small & ~rows["open"] & ~rows["school_id"].isin(after.request.close)]
    return broken(wrong, "school_id", "name", wrong["unit_pupils"], most, "pupils")


def _has_pupils(rows: Rows) -> None:
    bands = rows.inst.bands
    keys = list(bands.index[bands["pupils"] > 0])
    rows.add(keys, lambda m, j, b: m.band_pupils[j, b] >= m.open[j, b])


def check_has_pupils(after: After) -> pd.DataFrame:
    """An open band has pupils, a protected one too, if it has any today."""
    rows = after.band_rows
    wrong = rows[rows["open"] & (rows["pupils"] < 1) & (rows["pupils_today"] > 0)]
    empty = rows[rows["open"] & (rows["pupils"] < 1) & (rows["pupils_today"] == 0)]
    return all_of(
        [
            broken(wrong, "school_id", "name", 0, 1, "pupils"),
            broken(empty, "school_id", "name", 0, 1, "pupils", True),
        ]
    )


def _assessed_floor(rows: Rows) -> None:
    units = rows.inst.units
    sure = units.index[units["assessed"]]
    floor = rows.value("assessed_floor") if rows.binds("assessed_floor") else 0.0
    keep = {u: min(floor, float(units.at[u, "pupils"])) for u in sure}
    rows.add(list(sure), lambda m, u: m.pupils[u] >= keep[u] * m.unit_open[u])


def check_assessed_floor(after: After) -> pd.DataFrame:
    """A unit assessed today that stays is not pushed under the assessment threshold."""
    floor = after.standards.value("assessed_floor")
    low = after.new["pupils"].to_numpy(float) < floor
    if not (low & after.new["open"].to_numpy(bool) & after.units["assessed"].to_numpy(bool)).any():
        return none()
    rows = after.open_units
    rows = rows[looked_up(rows["unit_id"], after.units["assessed"]).astype(bool) & (rows["pupils"] < floor)]
    eased = rows["pupils"] >= looked_up(rows["unit_id"], after.units["pupils"])
    return broken(rows, "unit_id", "name", rows["pupils"], floor, "pupils", eased)


def _junior_kept(rows: Rows) -> None:
    bands, rule = rows.inst.bands, rows.inst.standards.get("junior_per_township")
    if rule is None:
        return
    some = bands[bands.index.get_level_values("band").isin(rows.inst.standards.scheme.bands_of(rule.stage))]
    town = some["unit_id"].map(rows.inst.units["township"])
    keys = {t: list(r.index) for t, r in some.groupby(town)}
    rows.add(list(keys), lambda m, t: sum(m.open[k] for k in keys[t]) >= 1)


def check_junior_kept(after: After) -> pd.DataFrame:
    """A township with junior classes today keeps some."""
    kept = after.standards.scheme.bands_of(after.standards.rule("junior_per_township").stage)
    rows = after.bands.reset_index()
    rows = rows[rows["band"].isin(kept)]
    if rows["open"].all():
        return none()
    town = after.county.schools.set_index("school_id")["township"]
    stays = rows.groupby(rows["school_id"].map(town))["open"].any().rename("kept")
    wrong = stays[~stays].rename_axis("township").reset_index()
    return broken(wrong, "township", "township", 0, 1, "sites")


def _towns(rows: Rows) -> dict[str, list[str]]:
    units = rows.inst.units.drop_duplicates("school_id").set_index("school_id")["township"]
    sites = [j for j in rows.inst.school_cap.index if j in units.index]
    return {t: [j for j in sites if units[j] == t] for t in sorted(set(units))}


def _pace_township(rows: Rows) -> None:
    towns = _towns(rows)
    rows.add(list(towns), lambda m, t: sum(m.closed[j] for j in towns[t]) <= rows.value("closures_township"))


def check_pace_township(after: After) -> pd.DataFrame:
    """Sites closed in a township."""
    if after.site_open.all():
        return none()
    town = after.county.schools.set_index("school_id")["township"]
    shut = after.site_open[~after.site_open]
    many = shut.groupby(shut.index.map(town)).size().rename("closed").rename_axis("township").reset_index()
    most = after.standards.value("closures_township")
    wrong = many[many["closed"] > most]
    return broken(wrong, "township", "township", wrong["closed"], most, "sites")


def _pace_share(rows: Rows) -> None:
    sites = [j for some in _towns(rows).values() for j in some]
    if rows.binds("closures_share"):
        most = int(rows.value("closures_share") * len(sites) + 1e-9)
        rows.add(["county"], lambda m, k: sum(m.closed[j] for j in sites) <= most)


def check_pace_share(after: After) -> pd.DataFrame:
    """Share of sites closed."""
    most = int(after.standards.value("closures_share") * len(after.site_open) + 1e-9)
    shut = int((~after.site_open).sum())
    return county_row(after, shut, most, "sites") if shut > most else none()


def _moved_share(rows: Rows) -> None:
    if not rows.binds("moved_share"):
        return
    most = rows.value("moved_share") * float(rows.inst.groups["pupils"].sum())
    moved = pupils_changed(rows.model, rows.inst)
    if not isinstance(moved, int):  # a fixed network that moves nobody leaves a plain 0
        rows.add(["county"], lambda m, k: moved <= most)


def check_moved_share(after: After) -> pd.DataFrame:
    """Share of pupils whose school changes."""
    most = after.standards.value("moved_share") * float(after.travel["pupils"].sum())
    moved = after.moved_pupils
    return county_row(after, moved, most, "pupils") if moved > most + EPS else none()


RULES = (
    Rule("bands_from_top", "sites", check_from_top, _from_top, ("bands_from_top",), Slack("bands", "pace")),
    Rule("protected", "sites", check_protected, _locks),
    Rule("closure_max_pupils", "sites", check_large_stay, _large_stay, ("closure_max_pupils",), Slack("bands", "pace")),
    Rule("open_has_pupils", "sites", check_has_pupils, _has_pupils, ("open_has_pupils",), Slack("pupils", "pace", 0.01)),
    Rule("assessed_floor", "sites", check_assessed_floor, _assessed_floor, ("assessed_floor",), Slack("pupils", "pace", 0.01)),
    Rule("junior_per_township", "sites", check_junior_kept, _junior_kept, ("junior_per_township",), Slack("sites", "pace")),
    Rule("closures_township", "sites", check_pace_township, _pace_township, ("closures_township",), Slack("sites", "pace")),
    Rule("closures_share", "sites", check_pace_share, _pace_share, ("closures_share",), Slack("sites", "pace")),
    Rule("moved_share", "sites", check_moved_share, _moved_share, ("moved_share",), Slack("pupils", "pace", 0.01)),
)  # fmt: skip
