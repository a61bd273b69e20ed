"""`Stop`: the token by which a search is ended, whoever asks: Ctrl-C, a button of a page, a clock, a count of nodes.

A search hands its token to every solve and looks at it between two of them; nobody below the verbs catches
KeyboardInterrupt. A stop is not an exception: what is found so far is made into a plan.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from geodata.folder.interrupts import handled

Reason = Literal["", "asked", "time", "nodes"]


class Stop:
    """A request to stop that every solve of a run sees.

    Parameters
    ----------
    seconds : float or None
        From now; None for no limit of its own.
    nodes : int or None
        Nodes of all solves together.
    """

    def __init__(self, seconds: float | None = None, nodes: int | None = None):
        self._asked = threading.Event()
        self._until = None if seconds is None else time.monotonic() + seconds
        self._nodes = nodes
        self.visited = 0

    @property
    def reason(self) -> Reason:
        """Why it is in force; empty while it is not."""
        if self._asked.is_set():
            return "asked"
        if self._until is not None and time.monotonic() >= self._until:
            return "time"
        return "nodes" if self._nodes is not None and self.visited >= self._nodes else ""

    def set(self) -> None:
        """Ask for a stop; from any thread."""
        self._asked.set()

    def clear(self) -> None:
        """Take the request back, once it has been seen to; a clock or a count stays in force."""
        self._asked.clear()

    def is_set(self) -> bool:
        """True while a stop is in force."""
        return self.reason != ""

    @contextmanager
    def grace(self) -> Iterator[None]:
        """For the one small solve that any plan needs: what is in force now does not count, a new request does."""
        asked, until, nodes = self._asked.is_set(), self._until, self._nodes
        self._asked.clear()
        self._until = self._nodes = None
        try:
            yield
        finally:
            self._until, self._nodes = until, nodes
            if asked:
                self._asked.set()

    def count(self, nodes: int) -> None:
        """Tell the nodes of a solve that is over."""
        self.visited += max(0, nodes)


@contextmanager
def heeding(stop: Stop | None) -> Iterator[Stop]:
    """The token of a run; without one, a new token that Ctrl-C sets.

    The first Ctrl-C asks for a stop, one more while it is in force is the usual interrupt. Where signals cannot
    be had (another thread than the main one) nothing is listened to.
    """
    if stop is not None:
        yield stop
        return
    token = Stop()

    def pressed(number: int, frame: Any) -> None:
        if token.is_set():
            raise KeyboardInterrupt
        token.set()

    with handled(pressed):
        yield token
