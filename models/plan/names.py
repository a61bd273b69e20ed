"""Names for ids in a plan's sheets, and ids for what a person writes: a label, an id, a name borne once."""

from __future__ import annotations

from geodata.bureau.matching import Resolved, known_id, known_name
from geodata.contract.cells import plain
from geodata.contract.county import County
from geodata.contract.groups import group_in, group_names, kind_in, labelled
from geodata.contract.placenames import both_names, given_latin
from geodata.contract.tables import TRAVEL_MODES
from geodata.messages import LANGUAGES, catalogue
from geodata.standards.terms import category_names, usual_name
from models.plan.ledger import GROUPS

PLACES = ("school", "village")
LIKENESS = 0.75
"""How much alike a name must be to be taken for another, with a warning."""
_ROOM = {"stage": "workbook.stage_", "band": "workbook.band_", "mode": "workbook.mode_", "group": "workbook.group_",
         "category": "rules.category_", "resource": "rules.resource_"}  # fmt: skip


class Names:
    """What the ids of a county are called, by kind: school, village, stage, band, group, mode, category, resource."""

    def __init__(self, county: County):
        self.county = county
        self._places = {
            "school": dict(zip(county.schools["school_id"], county.schools["name"], strict=True)),
            "village": dict(zip(county.villages["village_id"], county.villages["name"], strict=True)),
        }
        things = [k for k, one in county.norms.resources.items() if one.kind != "heads"]
        self._ids: dict[str, list[str]] = {
            "school": list(self._places["school"]), "village": list(self._places["village"]),
            "stage": list(county.scheme.stage_ids), "band": list(county.scheme.band_ids), "group": [*GROUPS, *(labelled(k, g) for g in group_names(county.attendance) for k in GROUPS)],
            "mode": list(TRAVEL_MODES), "category": sorted(set(county.staff_category["cat_id"])), "resource": things,
        }  # fmt: skip
        self._own = {
            ("category", c): dict(zip(LANGUAGES, both, strict=True))
            for c, both in category_names(county).items()
        }
        for k, one in county.norms.resources.items():
            called = {language: getattr(one, language) for language in LANGUAGES}
            self._own["resource", k] = {lang: n for lang, n in called.items() if n != usual_name(k, lang)}
        self._borne: dict[str, dict[str, list[str]]] = {}
        for kind, names in self._places.items():
            borne = self._borne.setdefault(kind, {})
            for i, name in names.items():
                borne.setdefault(plain(name), []).append(i)
        self._english: dict[str, dict[str, list[str]]] = {}

    def _in_english(self, kind: str) -> dict[str, list[str]]:
        """Ids by what English pages call a place: in Latin letters, alone or before the tables' own name."""
        if kind not in self._english:
            found = self._english.setdefault(kind, {})
            table, key = (getattr(self.county, f"{kind}s"), f"{kind}_id")
            for i, row in zip(table[key], table.itertuples(), strict=True):
                latin = given_latin(row)
                for name in {latin, both_names(str(row.name), latin)}:
                    found.setdefault(plain(name).casefold(), []).append(i)
        return self._english[kind]

    def ids(self, kind: str) -> list[str]:
        """Every id of a kind."""
        return self._ids[kind]

    def label(self, kind: str, key: str, language: str) -> str:
        """``name [id]`` of a place, or of what shares its name with another; the word for anything else that has one, else the id itself."""
        if kind in PLACES:
            name = self._places[kind].get(key)
            return f"{name} [{key}]" if name else key
        if kind == "group" and group_in(key):
            return f"{self.label(kind, kind_in(key), language)} · {group_in(key)}"
        word = self._word(kind, key, language)
        others = [i for i in self._ids[kind] if i != key] if kind == "category" else []
        shared = any(self._word(kind, i, lang) == word for i in others for lang in LANGUAGES)
        return f"{word} [{key}]" if shared else word

    def _word(self, kind: str, key: str, language: str) -> str:
        own = self._own.get((kind, key), {}).get(language)
        if kind in ("stage", "band"):
            own = self.county.scheme.name(key, language)
        return own or catalogue(language).get(f"{_ROOM[kind]}{key}", key)

    def resolve(self, kind: str, text: str) -> Resolved:
        """The id meant by a label, an id or a name, with the doubt if there is one."""
        written = plain(text)
        if kind not in PLACES:
            words = {plain(self.label(kind, i, lang)): i for lang in LANGUAGES for i in self._ids[kind]}
            return words.get(written, written), None
        if written.endswith("]") and "[" in written:
            written = written[written.rindex("[") + 1 : -1].strip()
        found, doubt = known_id(written, self._ids[kind])
        if found in self._places[kind]:
            return found, doubt
        if written not in self._borne[kind]:
            same = self._in_english(kind).get(written.casefold(), [])
            if len(same) == 1:
                return same[0], None
        return known_name(text, self._borne[kind], {}, self.county.name, LIKENESS)
