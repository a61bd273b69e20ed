"""What a province's split says in sentences."""

from __future__ import annotations

import math

from geodata.contract.findings import in_one
from geodata.messages import say
from maps.dossier.notices import percent
from maps.wording import listed
from models.study.provincial import Province


def province_word(key: str, language: str, **fields: object) -> str:
    """A message of the room of provinces."""
    return say(f"province.{key}", language, **fields)


def sum_said(value: float, language: str) -> str:
    """A value of the goal; words where there is no plan."""
    return f"{value:,.6g}" if math.isfinite(value) else province_word("no_plan", language)


def province_goal(found: Province, language: str) -> str:
    """The goal that the split is about."""
    return say(f"goals.{found.goal}", language)


def province_name(found: Province, language: str) -> str:
    """The province's name; a word for it where it has none."""
    name = found.name if language == "zh" else found.name_en or found.name
    return name or province_word("nameless", language)


def province_said(found: Province, language: str) -> list[str]:
    """The title, what the split reaches beside the equal one, what is proven, who is left out."""
    t = found.counties
    done = t[t["status"] == "done"]
    goal = province_goal(found, language)
    yuan = {"budget": f"{found.budget:,.0f}", "spent": f"{found.spent:,.0f}"}
    values = {
        k: sum_said(getattr(found, k), language)
        for k in ("value_own", "value_equal", "value_split", "bound_equal", "grid", "bound")
    }
    said = [
        province_word("title", language, province=province_name(found, language), count=len(t), **yuan),
        province_word("about", language, goal=goal, floor=percent(found.floor)),
        province_word("reached", language, goal=goal, count=len(done), **values),
    ]
    said += [*_passing(found, language), *_proven(found, values, language)]
    more = int((done["grant_split"] > done["grant_equal"] + 0.5).sum())
    less = int((done["grant_split"] < done["grant_equal"] - 0.5).sum())
    said.append(province_word("moved", language, more=more, less=less, **yuan))
    said += _left_out(found, language)
    said += [f.text(language) for f in found.findings]
    if found.fictional:
        said.append(province_word("fictional", language))
    return said


def _passing(found: Province, language: str) -> list[str]:
    """Units that pass."""
    t = found.counties
    sums = {k: t[f"passing_{k}"].sum(min_count=1) for k in ("own", "equal", "split")}
    if any(v != v for v in sums.values()):
        return []
    shown = {k: f"{v:,.0f}" for k, v in sums.items()}
    return [province_word("passing", language, assessed=f"{t['assessed'].sum():,.0f}", **shown)]


def _proven(found: Province, values: dict[str, str], language: str) -> list[str]:
    """By how much the split is better, and the bounds."""
    if not math.isfinite(found.value_equal):
        without = found.counties[found.counties["value_equal"].map(math.isinf)]
        names = [county_said(r, language) for r in without.to_dict("records")]
        return [
            province_word("equal_without", language, names=listed(names, language)),
            province_word("bounds", language, **values),
        ]
    fields = {k: sum_said(getattr(found, k), language) for k in ("gain", "least_gain", "most_gain")}
    key = "gain_none" if abs(found.gain) < 1e-9 else "gain" if found.gain > 0 else "gain_less"
    said = [province_word(key, language, size=sum_said(abs(found.gain), language))]
    said.append(province_word("bounds", language, **values))
    key = "gain_proven" if found.least_gain > 0 else "gain_bounded"
    return [*said, province_word(key, language, **fields)]


def _left_out(found: Province, language: str) -> list[str]:
    """Counties without a front, each with the reason."""
    t = found.counties
    left = t[t["status"] != "done"]
    said = []
    if found.aside:
        said.append(province_word("aside", language, yuan=f"{found.aside:,.0f}"))
    for row in left.to_dict("records"):
        fields = {"county": county_said(row, language), "why": why_said(found, row, language)}
        said.append(province_word("left_out", language, **fields))
    return said


def county_said(row: dict[str, object], language: str) -> str:
    """A county's name."""
    return str(row["name"] if language == "zh" else row["name_en"])


def why_said(found: Province, row: dict[str, object], language: str) -> str:
    """Why a county has no front; nothing where it has one."""
    if row["status"] == "unread":
        return listed([f.sentence(language) for f in found.unread[str(row["folder"])][:3]], language)
    status = "" if row["status"] == "done" else province_word(f"status_{row['status']}", language)
    return f"{status} {in_one(row['why'], language)}".strip()
