"""Outputs appear whole: made aside, put in place by renaming, one run at a time.

Everything about one target lies in one hidden folder beside it, ``.<name>.junheng``: a lock that the
system gives up when a run dies, the draft, and the earlier output while the two change places. The next
run finds what a killed one left there and clears it up: an earlier output goes back to its place, and
files that a planner has put beside it are kept.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from geodata.contract.containment import whole_path
from geodata.contract.findings import Finding, InputProblems
from geodata.folder.interrupts import put_off

LOCK, DRAFT, OLD, READY, PASSING = "lock", "draft", "old", "ready", "passing"
MOST_SIBLINGS = 1000
MOST_DIGITS = 20


@dataclass
class HeldTarget:
    """A folder or file to be written, held by this run.

    Parameters
    ----------
    place : Path
        Where it will be; changes if that place cannot be replaced (a file in it is open elsewhere).
    work : Path
        The hidden folder beside it.
    names : frozenset of str
        Files of an earlier output that are replaced or removed; all others are the planner's.
    findings : list of Finding
        What did not go as asked.
    """

    place: Path
    work: Path
    names: frozenset[str] = frozenset()
    findings: list[Finding] = field(default_factory=list)

    def replace(self, fill: Callable[[Path], None]) -> Path:
        """Let ``fill`` write a whole folder, then put it in place.

        Parameters
        ----------
        fill : callable
            Takes the draft folder.

        Returns
        -------
        Path
            Where it is: the place asked for, or one beside it where that cannot be replaced.
        """
        draft = self._draft()
        draft.mkdir()
        with self._passing():
            fill(draft)
        with put_off():  # half-way there would be neither the earlier output nor this one
            (self.work / READY).touch()
            self._exchange()
            note_placed(self.place)
        return self.place

    def _exchange(self) -> None:
        """The finished draft and the earlier output change places."""
        draft = self.work / DRAFT
        try:
            if self.place.exists():
                self.place.rename(self.work / OLD)
            draft.rename(self.place)
        except OSError as problem:
            if not self.place.exists() and (self.work / OLD).exists():
                (self.work / OLD).rename(self.place)
            self._beside(draft, problem)
        (self.work / READY).unlink()
        self._settle()

    def recover(self) -> None:
        """Clear up what a killed run has left: a finished draft takes its place, an unfinished one goes."""
        if (self.work / READY).exists():
            if (self.work / DRAFT).exists():
                self._exchange()
            else:
                (self.work / READY).unlink()
        self._settle()
        for part in (DRAFT, PASSING):
            _clear(self.work / part)

    @contextmanager
    def _passing(self) -> Iterator[None]:
        """Files that the writers of workbooks pass through on the way lie here too, where a killed run's are found."""
        place, before = self.work / PASSING, tempfile.tempdir
        place.mkdir(exist_ok=True)
        tempfile.tempdir = str(place)
        try:
            yield
        finally:
            tempfile.tempdir = before
            shutil.rmtree(place, ignore_errors=True)

    def new_file(self, make: Callable[[Path], object]) -> Path:
        """Let ``make`` write one file of the target's name, then put it in place; nothing is overwritten.

        Raises
        ------
        InputProblems
            A file of that name has appeared meanwhile.
        """
        draft = self._draft()
        draft.mkdir()
        with self._passing():
            make(draft / self.place.name)
        if self.place.exists():
            raise InputProblems([Finding("error", "cli.not_overwritten", file=str(self.place))])
        with put_off():
            (draft / self.place.name).rename(self.place)
            note_placed(self.place)
        return self.place

    def _draft(self) -> Path:
        draft = self.work / DRAFT
        _clear(draft)
        return draft

    def _beside(self, draft: Path, problem: OSError) -> None:
        """Put a finished draft beside the place that cannot be replaced."""
        names = (f"{self.place.name}-{i}" for i in range(2, MOST_SIBLINGS))
        free = next(p for name in names if not (p := self.place.with_name(name)).exists())
        draft.rename(free)
        fields: dict[str, object] = {"why": problem.strerror or str(problem), "folder": str(free)}
        self.findings.append(Finding("warning", "cli.put_beside", fields, file=str(self.place)))
        self.place = free

    def _settle(self) -> None:
        """Bring back the planner's files of an earlier output, and remove the rest of it."""
        old = self.work / OLD
        if not old.exists():
            return
        if not self.place.exists():
            old.rename(self.place)
            return
        mine = self.names | {p.name for p in self.place.iterdir()}
        for file in sorted(old.iterdir()):
            if file.name not in mine:
                file.rename(self.place / file.name)
        shutil.rmtree(old)


def elsewhere(place: Path) -> Iterator[Path]:
    """New folders outside a place whose disk takes nothing: where what is finished may be put rather than lost."""
    for home in dict.fromkeys((tempfile.gettempdir(), str(Path.home()))):
        with suppress(OSError):
            other = Path(home) / f"{place.name}-{secrets.token_hex(4)}"
            other.mkdir(mode=0o700)
            yield other


_held: dict[Path, HeldTarget] = {}
"""Targets of this process: what a verb holds, a function that it calls may use."""
_noting: list[list[Path]] = []


@contextmanager
def noting(placed: list[Path]) -> Iterator[None]:
    """Add every output that is put in place while the block runs to a list, in that order, each once."""
    _noting.append(placed)
    try:
        yield
    finally:
        _noting.pop()


def note_placed(place: Path) -> None:
    """Tell whoever is `noting` that an output is in its place."""
    for placed in _noting[-1:]:
        if place in placed:
            placed.remove(place)
        placed.append(place)


@contextmanager
def claim(place: Path, names: frozenset[str] = frozenset()) -> Iterator[HeldTarget]:
    """Hold a target while it is made: no other run writes to it, and left-overs of a killed run are cleared.

    Parameters
    ----------
    place : Path
        The folder or file.
    names : frozenset of str
        As in `HeldTarget`.

    Yields
    ------
    HeldTarget

    Raises
    ------
    InputProblems
        Another run holds it, and the message names its process; or nothing can be written there.
    """
    place = whole_path(place)
    if place in _held:
        _held[place].names |= names
        yield _held[place]
        return
    work = place.with_name(f".{place.name}.junheng")
    try:
        _make(work)
    except OSError as problem:
        raise _unwritable(place, problem.strerror or str(problem)) from None
    with _locked(work, place):
        for part in (DRAFT, OLD, READY, PASSING):
            if (work / part).is_symlink():  # never ours: whatever it leads to is left alone
                (work / part).unlink()
        target = HeldTarget(place, work, names)
        target.recover()
        _held[place] = target
        try:
            yield target
        finally:
            del _held[place]
            with put_off():
                _clear(work / DRAFT)


def _unwritable(place: Path, why: str) -> InputProblems:
    return InputProblems([Finding("error", "cli.not_writable", {"why": why}, file=str(place))])


def _clear(part: Path) -> None:
    """Remove a file, a link or a folder; what cannot be removed is met later."""
    if part.is_symlink() or part.is_file():
        part.unlink(missing_ok=True)
    shutil.rmtree(part, ignore_errors=True)


def _make(work: Path) -> None:
    """The hidden folder; another run may remove its own of that name at any moment.

    Raises
    ------
    OSError
        It cannot be made, or is a link, which could lead anywhere.
    """
    if work.is_symlink():
        raise OSError(errno.EEXIST, f"{work.name}: {os.strerror(errno.EEXIST)}")
    for _ in range(MOST_SIBLINGS):
        try:
            work.mkdir(parents=True, exist_ok=True)
        except FileExistsError:  # it was there, and is not any more
            if work.exists() and not work.is_dir():
                raise
        else:
            return
    work.mkdir(parents=True, exist_ok=True)


@contextmanager
def _locked(work: Path, place: Path) -> Iterator[None]:
    """The target's lock; the system gives it up when the process ends, however it ends."""
    while True:
        _make(work)
        try:
            file = _lock_file(work / LOCK)
        except FileNotFoundError:  # the other run has just ended
            continue
        except (OSError, ValueError) as problem:
            raise _unwritable(place, f"{work.name}/{LOCK}: {problem}") from None
        if not _lock(file):
            file.seek(0)
            fields: dict[str, object] = {"pid": file.read(20).strip() or "?"}
            file.close()
            raise InputProblems([Finding("error", "cli.in_use", fields, file=str(place))])
        try:
            if os.fstat(file.fileno()).st_ino == (work / LOCK).stat().st_ino:
                break
        except FileNotFoundError:
            pass
        file.close()  # a lock that the other run has removed
    with file:
        file.seek(0)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield
        finally:
            if os.name == "nt":
                file.close()
            with put_off(), suppress(OSError):  # what is left is the next run's to clear
                if not any((work / part).exists() for part in (OLD, READY)):
                    (work / LOCK).unlink(missing_ok=True)
                    work.rmdir()


def _lock_file(path: Path) -> IO[str]:
    """The file of a lock, opened: of ours alone, never through a link, so that nothing else is ever written to.

    Raises
    ------
    OSError, ValueError
        It is a link, a pipe, a second name of another file, or holds anything but the number of a process.
    """
    file = os.fdopen(
        os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666), "r+", encoding="ascii"
    )
    try:
        state = os.fstat(file.fileno())
        if not stat.S_ISREG(state.st_mode) or state.st_nlink > 1 or state.st_size > MOST_DIGITS:
            raise ValueError(os.strerror(errno.EEXIST))
        said = file.read(MOST_DIGITS)
        if said and not said.isdecimal():
            raise ValueError(os.strerror(errno.EEXIST))
    except BaseException:
        file.close()
        raise
    return file


def _lock(file: IO[str]) -> bool:
    """Take the lock unless another process has it."""
    try:
        import fcntl
    except ImportError:  # Windows
        return _lock_windows(file)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a network drive without locks: better unlocked than not at all
        return True
    return True


def _lock_windows(file: IO[str]) -> bool:
    import msvcrt

    try:
        file.seek(1000)  # beyond the number, which others may read
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
    except OSError:
        return False
    return True
