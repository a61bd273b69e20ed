"""One piece of work in a child of this process, with everything imported already, and what it needed and touched."""

from __future__ import annotations

import os
import pickle
import resource
import selectors
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECONDS, PROCESSOR = 1200.0, 120
"""Of the clock and of the processor that one case may take."""
MEMORY = 4_000_000_000
"""Bytes of data: a case that asks for more gets none, and its error is seen."""


@dataclass(frozen=True)
class Ended:
    """How a child ended: what its work gave, or the signal or time that ended it."""

    result: Any = None
    died: str = ""


def forget_peak() -> None:
    """The largest memory of this process is counted from here on (Linux)."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_mb() -> float:
    """Largest resident memory since `forget_peak`, libraries included."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    return float("nan")


def in_a_child(work: Callable[[], Any], home: Path) -> Ended:
    """Do a piece of work in a fork of this process, in a home, working folder and folder for temporary files of its own.

    Parameters
    ----------
    work : callable
        Its result must be plain.
    home : Path
        A folder; ``home/cwd`` and ``home/tmp`` are made in it.
    """
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ours)
        code = 1
        try:
            _at_home(home)
            with os.fdopen(theirs, "wb") as out:
                pickle.dump(work(), out)
            code = 0
        finally:
            os._exit(code)
    os.close(theirs)
    content, late = _read(ours, child)
    _, status = os.waitpid(child, 0)
    if late:
        return Ended(died="no end")
    if os.WIFSIGNALED(status):
        return Ended(died=signal.Signals(os.WTERMSIG(status)).name)
    return Ended(pickle.loads(content)) if content else Ended(died=f"code {os.WEXITSTATUS(status)}")


def _at_home(home: Path) -> None:
    """Everything that a program may write to without being asked lies in one folder, and what is printed in two files of it."""
    for name in ("cwd", "tmp", "said"):
        (home / name).mkdir(parents=True, exist_ok=True)
    os.environ |= {
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "TMPDIR": str(home / "tmp"),
        "PROJ_NETWORK": "OFF",
    }
    tempfile.tempdir = str(home / "tmp")
    os.chdir(home / "cwd")
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR, PROCESSOR + 5))
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    sys.stdout.flush(), sys.stderr.flush()
    for number, name in ((1, "out"), (2, "err")):
        file = os.open(home / "said" / name, os.O_CREAT | os.O_WRONLY)
        os.dup2(file, number)


def silent_again() -> None:
    """Forget what was printed so far."""
    sys.stdout.flush(), sys.stderr.flush()
    for number in (1, 2):
        os.ftruncate(number, 0)
        os.lseek(number, 0, os.SEEK_SET)


def _read(end: int, child: int) -> tuple[bytes, bool]:
    """All that a child sends; True where it was ended because it sent nothing for too long."""
    parts, begun, late = [], time.monotonic(), False
    with selectors.DefaultSelector() as wait, os.fdopen(end, "rb", buffering=0) as pipe:
        wait.register(pipe, selectors.EVENT_READ)
        while True:
            if not late and not wait.select(timeout=1.0) and time.monotonic() - begun > SECONDS:
                os.kill(child, signal.SIGKILL)
                late = True
            elif late or wait.select(timeout=0):
                piece = pipe.read(1 << 16)
                if not piece:
                    return b"".join(parts), late
                parts.append(piece)
