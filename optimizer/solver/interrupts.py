"""Ctrl-C that waits: what has begun to finish a plan is not cut off half-way."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def held() -> Iterator[list[int]]:
    """Hold Ctrl-C back for the few seconds of a block.

    Yields
    ------
    list of int
        Empty until Ctrl-C is pressed; what to do about it is the caller's affair. Outside the main thread,
        which alone gets it, nothing is held.
    """
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield came
        return

    def note(number: int, _: FrameType | None) -> None:
        came.append(number)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield came
    finally:
        signal.signal(signal.SIGINT, before)
