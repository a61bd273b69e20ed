"""Which school of last year is which of this year's: by id, else by name and township; nothing is dropped in silence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pandas as pd

from geodata.checks.places import kilometres
from geodata.contract.cells import plain
from geodata.contract.county import County
from geodata.contract.findings import Finding

NEAR_METRES = 150.0
"""A school that vanished and one that appeared this near each other may be the same."""
FAR_METRES = 1000.0
"""A school that bears the same id this far away may be another one."""
PART = 0.2
"""The least part of a school's pupils for which another one is named as where they went or came from."""
COLUMNS = ["kind", "before_id", "after_id", "before_name", "after_name", "township", "state", "schools"]


@dataclass(frozen=True)
class Matching:
    """Two years' schools and villages.

    Parameters
    ----------
    table : DataFrame
        ``kind`` (school, village), ``before_id, after_id`` (empty where there is none), ``before_name, after_name, township``,
        ``state``: same, renamed, recoded (another id), gone, new, shut (no longer open), reopened; ``schools``: where the pupils
        of a school that is gone or shut attend now, or where those of a new one come from, ``name [id] 80 %; ...``.
    schools, villages : dict of str to str
        This year's id by last year's, where it is another.
    findings : tuple of Finding
    """

    table: pd.DataFrame
    schools: dict[str, str] = field(default_factory=dict, hash=False)
    villages: dict[str, str] = field(default_factory=dict, hash=False)
    findings: tuple[Finding, ...] = ()


def match(before: County, after: County, same: Mapping[str, str] | None = None) -> Matching:
    """Match two years of a county.

    Parameters
    ----------
    before, after : County
    same : mapping of str to str or None
        This year's school id by last year's, where somebody knows it.

    Returns
    -------
    Matching
    """
    schools = dict(same or {}) | _renumbered(before.schools, after.schools, "school_id", dict(same or {}))
    villages = _renumbered(before.villages, after.villages, "village_id", {})
    earlier = relabelled(before, schools, villages)
    parts = [
        _paired(before.schools, after.schools, "school_id", schools).assign(kind="school"),
        _paired(before.villages, after.villages, "village_id", villages).assign(kind="village"),
    ]
    table = pd.concat(parts, ignore_index=True)
    table["schools"] = ""
    mine = table["kind"] == "school"
    lost, come = table["state"].isin(["gone", "shut"]), table["state"].isin(["new", "reopened"])
    for at in table.index[mine & lost]:
        table.at[at, "schools"] = _followed(earlier, after, table.at[at, "before_id"])
    for at in table.index[mine & come]:
        table.at[at, "schools"] = _followed(after, earlier, table.at[at, "after_id"])
    return Matching(table[COLUMNS], schools, villages, tuple(_said(table, before, after)))


def _renumbered(old: pd.DataFrame, new: pd.DataFrame, key: str, known: dict[str, str]) -> dict[str, str]:
    """Ids that changed though name and township stayed, each borne once on either side."""
    lost = old[~old[key].isin(new[key]) & ~old[key].isin(known)]
    come = new[~new[key].isin(old[key]) & ~new[key].isin(known.values())]

    def named(rows: pd.DataFrame) -> pd.Series:
        names = rows["name"].map(plain) + "\0" + rows["township"].map(plain)
        return pd.Series(rows[key].to_numpy(), index=names.to_numpy())

    a, b = named(lost), named(come)
    shared = [n for n in a.index if (a.index == n).sum() == 1 and (b.index == n).sum() == 1]
    return {str(a[n]): str(b[n]) for n in shared}


def _paired(old: pd.DataFrame, new: pd.DataFrame, key: str, ids: Mapping[str, str]) -> pd.DataFrame:
    left = old.assign(after_id=old[key].map(lambda i: ids.get(i, i)))
    columns = [key, "name", "township", *(["status"] if "status" in old else [])]
    both = left[[*columns, "after_id"]].merge(
        new[columns], how="outer", left_on="after_id", right_on=key, suffixes=("_before", "_after")
    )
    both = both.fillna("")
    both["township"] = both["township_after"].where(both["township_after"] != "", both["township_before"])
    state = pd.Series("same", index=both.index)
    state[both["name_before"].map(plain) != both["name_after"].map(plain)] = "renamed"
    state[both[f"{key}_before"] != both[f"{key}_after"]] = "recoded"
    if "status_before" in both:
        was, now = both["status_before"] == "open", both["status_after"] == "open"
        state[was & ~now] = "shut"
        state[~was & now] = "reopened"
    state[both[f"{key}_after"] == ""] = "gone"
    state[both[f"{key}_before"] == ""] = "new"
    named = {f"{key}_before": "before_id", "name_before": "before_name", "name_after": "after_name"}
    both = both.drop(columns="after_id").rename(columns={**named, f"{key}_after": "after_id"})
    return both.assign(state=state).sort_values(["before_id", "after_id"], kind="stable")


def relabelled(county: County, schools: Mapping[str, str], villages: Mapping[str, str]) -> County:
    """A county under other ids of schools and villages."""
    if not schools and not villages:
        return county
    tables = {}
    for name, table in county.tables().items():
        own = {"school_id": schools, "parent_id": schools, "village_id": villages}
        columns = {c: table[c].map(lambda i, ids=ids: ids.get(i, i)) for c, ids in own.items() if c in table}
        if columns:
            tables[name] = table.assign(**columns)
    return replace(county, **tables)


def _followed(home: County, other: County, school_id: str) -> str:
    """Where the villages that attended a school in one year attend in the other; nothing where the tables do not say."""
    key = ["village_id", "band"]
    mine = home.attendance[home.attendance["school_id"] == school_id].groupby(key)["pupils"].sum()
    if mine.empty or other.attendance.empty:
        return ""
    was = home.attendance.groupby([*key, "school_id"])["pupils"].sum()
    now = other.attendance.groupby([*key, "school_id"])["pupils"].sum()
    rise = _shares(now, key).sub(_shares(was, key), fill_value=0.0).clip(lower=0.0).reset_index(name="rise")
    rise = rise[rise["school_id"] != school_id].merge(mine.rename("weight").reset_index(), on=key)
    whole = rise.groupby(key)["rise"].transform("sum")
    rise = rise[whole > 0].assign(n=lambda f: f["weight"] * f["rise"] / whole[whole > 0])
    parts = rise.groupby("school_id")["n"].sum() / float(mine.sum())
    names = {**dict(zip(home.schools["school_id"], home.schools["name"], strict=True)), **dict(zip(other.schools["school_id"], other.schools["name"], strict=True))}  # fmt: skip
    told = parts[parts >= PART].sort_values(ascending=False, kind="stable")
    return "; ".join(f"{names.get(j, j)} [{j}] {100 * share:.0f} %" for j, share in told.items())


def _shares(counts: pd.Series, key: list[str]) -> pd.Series:
    return counts / counts.groupby(key).transform("sum")


def _said(table: pd.DataFrame, before: County, after: County) -> list[Finding]:
    """A finding for every school and village that is not simply there in both years."""
    found = []
    for row in table[table["state"] != "same"].to_dict("records"):
        village = row["kind"] == "village"
        severity = "note" if row["state"] in ("shut", "reopened") else "warning"
        fields = {k: str(row[k]) for k in ("before_id", "after_id", "before_name", "after_name")}
        key = f"supervision.{'village' if village else 'school'}_{row['state']}"
        value = str(row["before_id"] or row["after_id"])
        found.append(Finding(severity, key, {**fields, "year": str(after.year)}, table="villages" if village else "schools", value=value))  # type: ignore[arg-type]  # fmt: skip
    return [*found, *_near(table, before, after)]


def _near(table: pd.DataFrame, before: County, after: County) -> list[Finding]:
    """Schools that vanished and appeared in one place (perhaps one school, and nobody takes them for one); schools that moved."""
    schools = table[table["kind"] == "school"]
    old, new = before.schools.set_index("school_id"), after.schools.set_index("school_id")
    lost = schools.loc[schools["state"] == "gone", "before_id"]
    come = list(schools.loc[schools["state"] == "new", "after_id"])
    pairs = [(a, b, "same_place") for a in lost for b in come]
    both = schools[~schools["state"].isin(["gone", "new"])]
    pairs += [(a, b, "school_moved") for a, b in zip(both["before_id"], both["after_id"], strict=True)]
    found = []
    for a, b, key in pairs:
        apart = _apart(old.loc[a], new.loc[[b]])
        if (apart <= NEAR_METRES) if key == "same_place" else (apart > FAR_METRES):
            fields: dict[str, object] = {
                "before_id": a, "before_name": old.at[a, "name"], "after_id": b, "after_name": new.at[b, "name"], "metres": f"{apart:.0f}",
            }  # fmt: skip
            found.append(Finding("warning", f"supervision.{key}", fields, table="schools", value=a))
    return found


def _apart(one: pd.Series, other: pd.DataFrame) -> float:
    """Metres between two schools."""
    return 1000.0 * float(kilometres(other["lon"], other["lat"], float(one["lon"]), float(one["lat"]))[0])
