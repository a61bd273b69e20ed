"""Damage to everything that a county may hold, and what becomes of it: refused in words, or read and used.

A case is its number: the same number damages the same county in the same way. Every case runs in a child of
this process (`tests.hostile.children`), so that its memory is its own and a crash of a library ends one case.
"""

from __future__ import annotations

import gc
import os
import random
import re
import shutil
import stat
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from geodata.contract.county import County
from geodata.contract.findings import InputProblems, errors
from geodata.folder.annotated import write_marked
from geodata.folder.reading import check, examined
from tests.geodata import test_fuzz as tables
from tests.geodata.test_fuzz import Case
from tests.hostile import books, layers, mappings, networks, places, returned, settings
from tests.hostile.children import forget_peak, in_a_child, peak_mb, silent_again
from tests.hostile.county import a_county
from tests.hostile.listening import calls, listening, watched
from tests.hostile.using import beside, used

Damage = Callable[[Case], Path | None]
OF_TABLES = tuple(d for d in tables.DAMAGE if d.__name__ not in ("toml", "a_road_file", "workbook"))
KINDS: dict[str, tuple[Damage, ...]] = {
    "tables": OF_TABLES, "workbooks": books.DAMAGE, "mappings": mappings.DAMAGE, "layers": layers.DAMAGE,
    "roads": networks.DAMAGE, "county.toml": settings.DAMAGE_TOML, "standards": (settings.standards,),
    "scenarios": settings.DAMAGE_ASKED, "records": (settings.record,), "returned": returned.DAMAGE, "cache": (places.cache,),
    "paths": places.DAMAGE,
}  # fmt: skip
SEVERAL = "several"
"""Two or three damages of any kinds, one after another."""
TURNS = (
    "tables", "layers", "workbooks", "roads", "paths", "mappings", "tables", "county.toml", "layers", SEVERAL,
    "workbooks", "cache", "scenarios", "roads", "standards", "tables", "records", "paths", "returned", "mappings",
)  # fmt: skip
"""Which kind of damage the numbers take in turn."""
READ_BESIDE = ("scenarios", "records", "returned", SEVERAL)
"""Kinds that lie beside the tables: a check of these is not enough, they are always read."""
MARKED_EVERY = 5
SMALL = 5_000_000
OURS = re.compile(r"county/\.cache(/|$)|home/(cache|said)(/|$)")
"""What a check may write: the county's cache, and the user's own key to it."""


@dataclass(frozen=True)
class Looked:
    """What became of one damaged county: ``wrong`` names what must not happen."""

    number: int
    kind: str
    damage: str
    accepted: bool
    seconds: float
    wrong: list[str] = field(default_factory=list)
    why: str = ""
    peak_mb: float = 0.0
    used_mb: float = 0.0
    said: str = ""


WRONG = ("traceback", "written", "connection", "opened", "crashed", "library's words", "died")
"""All that must not happen: ``crashed`` after it was accepted, ``opened`` what is none of its business."""


@dataclass
class _Told:
    """What the child tells."""

    damage: str = ""
    accepted: bool = False
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)
    why: list[str] = field(default_factory=list)
    peak_mb: float = 0.0
    used_mb: float = 0.0

    def failed(self, how: str) -> None:
        """An exception that is no refusal."""
        self.wrong.append(how)
        self.why.append(traceback.format_exc(limit=-4)[-600:])


def warm_up(sound: Path) -> None:
    """Import and prepare what children would otherwise do each for itself."""
    check(sound)
    books.sound_book()
    returned.sound_sheets()
    shutil.rmtree(sound / ".cache", ignore_errors=True)
    gc.collect()
    gc.freeze()  # what is there already is not looked through, and so not copied, by every child


def damaged(folder: Path, number: int) -> tuple[str, Path]:
    """Damage a county in the way of a number: the names of what was done, and what is to be checked then."""
    dice = random.Random(number)
    kind = TURNS[number % len(TURNS)]
    place, done = folder, []
    case = Case(folder, dice)
    kinds = [dice.choice(tuple(KINDS)) for _ in range(dice.randint(2, 3))] if kind == SEVERAL else [kind]
    for one in kinds:
        if done and any(_endless(p) for p in folder.iterdir()):
            break  # a further damage would wait for a pipe, or read a device to its end
        damage = dice.choice(KINDS[one])
        try:
            place = damage(case) or place
        except Exception:
            if not done:  # a second damage may find nothing left to damage
                raise
            continue
        done.append(damage.__name__)
    return " + ".join(done), place


def _endless(path: Path) -> bool:
    """Whether something stands in the folder that no reading of it ends."""
    try:
        kind = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(kind) or stat.S_ISDIR(kind))


def looked(sound: Path, place: Path, number: int, address: str, asked: list[bytes], stated: bool) -> Looked:
    """Damage a copy of a county in the way of a number, check it, and use it where it is accepted.

    Parameters
    ----------
    sound : Path
        As `a_county` wrote it.
    place : Path
        A new folder, for the copy and what lies beside it.
    number : int
    address, asked
        Of `listening`.
    stated : bool
        Whether an accepted county is used as well (`tests.hostile.using`).
    """
    kind = TURNS[number % len(TURNS)]
    shutil.copytree(sound, place / "county")
    (place / "outside").mkdir()
    (place / "outside" / "secret.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    (place / "outside" / "address").write_text(address, encoding="ascii")
    before = calls(address, asked)
    ended = in_a_child(lambda: _case(place, number, kind, stated), place / "home")
    told: _Told = ended.result or _Told(wrong=["died"], why=[ended.died])
    if calls(address, asked) > before:
        told.wrong.append("connection")
    said = "".join(p.read_text("utf-8", "replace") for p in sorted((place / "home" / "said").iterdir()))
    if said:
        told.wrong.append("library's words")
    why = " ".join(" ".join(told.why).split())
    return Looked(
        number, kind, told.damage, told.accepted, told.seconds, list(dict.fromkeys(told.wrong)), why, told.peak_mb, told.used_mb, said[-400:]
    )  # fmt: skip


def _case(place: Path, number: int, kind: str, stated: bool) -> _Told:
    """In the child: damage, check, use."""
    told = _Told()
    told.damage, county = damaged(place / "county", number)
    silent_again()
    before = _seen(place)
    seen = watched(place / "outside", county)
    forget_peak()
    begun = time.process_time()
    found: list[Any] = []
    read: County | None = None
    try:
        read, found = examined(county)
        for f in found:
            f.sentence("en"), f.sentence("zh")
        told.accepted = read is not None and not errors(found)
    except Exception:
        told.failed("traceback")
    told.seconds, told.peak_mb = time.process_time() - begun, peak_mb()
    if number % MARKED_EVERY == 0 and not told.wrong:
        _marked(told, county, found, place / "home" / "said" / "marked.xlsx")
    if read is not None and told.accepted and (stated or kind in READ_BESIDE):
        _used(told, county, read)
        told.used_mb = peak_mb()
    seen = list(seen)  # what is looked at from here on is our own business
    if (after := _seen(place)) != before:
        told.wrong.append("written")
        told.why.append(
            ", ".join(sorted(k for k in {*before, *after} if before.get(k) != after.get(k)))[:300]
        )
    if seen:
        told.wrong.append(
            "connection" if any(not s.startswith(("open ", "sqlite3")) for s in seen) else "opened"
        )
        told.why += seen[:3]
    return told


def _marked(told: _Told, county: Path, found: list[Any], target: Path) -> None:
    """The problems as a workbook; it is taken away again, what was said stays."""
    try:
        write_marked(county, found, target, ("zh", "en")[told.accepted])
    except InputProblems:
        pass
    except Exception:
        told.failed("traceback")
    target.unlink(missing_ok=True)


def _used(told: _Told, place: Path, county: County) -> None:
    for use in (beside, used):
        try:
            use(place, county)
        except InputProblems as problem:
            for f in problem.findings:
                f.sentence("en"), f.sentence("zh")
        except Exception:
            told.failed("crashed")


def _seen(place: Path) -> dict[str, tuple[object, ...]]:
    """Everything below a place but the program's cache: sizes and times, and the bytes of small files; nothing is followed or opened else."""
    found: dict[str, tuple[object, ...]] = {}
    for top, folders, names in os.walk(place):
        for name in (*folders, *names):
            path = Path(top) / name
            told, key = path.lstat(), path.relative_to(place).as_posix()
            plain = stat.S_ISREG(told.st_mode)
            small = plain and told.st_size < SMALL
            size = (told.st_size, told.st_mtime_ns) if plain else ()
            found[key] = (told.st_mode, *size, path.read_bytes() if small else b"")
    return {k: v for k, v in found.items() if not OURS.match(k)}


__all__ = [
    "KINDS",
    "SEVERAL",
    "TURNS",
    "WRONG",
    "Looked",
    "a_county",
    "damaged",
    "listening",
    "looked",
    "warm_up",
]
