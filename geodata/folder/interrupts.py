"""What ends a run from outside: Ctrl-C, and on the command line the system's request and a closed terminal as well.

What has begun to finish a plan is not cut off half-way (`held`).
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
"""Requests to end, as far as the system knows them: Ctrl-C, kill, a terminal that is gone, Ctrl-Break."""
Handler = Callable[[int, FrameType | None], None]

_heard: set[int] = {signal.SIGINT}
_last: list[int] = []


def hear_all() -> None:
    """From here on every request of `NAMES` ends a run as Ctrl-C does: for the command line, whose process is its own."""
    _heard.update(getattr(signal, name) for name in NAMES if hasattr(signal, name))


def came_last() -> str:
    """Name of the request that came last; empty where none came."""
    return signal.Signals(_last[-1]).name if _last else ""


def forget() -> None:
    """What came before is answered."""
    _last.clear()


@contextmanager
def handled(handler: Handler, afterwards: Callable[[Any], Any] = lambda earlier: earlier) -> Iterator[None]:
    """Give requests to end to a handler while the block runs; then to ``afterwards`` of whoever had them before.

    Those that whoever started the process has ignored (``nohup``, a job in the background) stay ignored. Outside the main
    thread, which alone gets them, nothing is handled.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def noted(number: int, frame: FrameType | None) -> None:
        _last[:] = [number]
        handler(number, frame)

    before = {n: signal.getsignal(n) for n in _heard}
    before = {n: h for n, h in before.items() if h not in (signal.SIG_IGN, None)}
    for number in before:
        signal.signal(number, noted)
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, afterwards(earlier))


@contextmanager
def held() -> Iterator[list[int]]:
    """Hold requests to end back for the few seconds of a block.

    Yields
    ------
    list of int
        Empty until one comes; what to do about it is the caller's affair.
    """
    came: list[int] = []
    with handled(lambda number, _: came.append(number)):
        yield came


@contextmanager
def put_off() -> Iterator[None]:
    """What belongs together is done together: a request that comes in the block is answered after it, as before it."""
    with held() as came:
        yield
    if came:
        signal.raise_signal(came[-1])
