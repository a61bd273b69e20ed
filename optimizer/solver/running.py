"""HiGHS as it is run here: apart from Python's signals, with plans handed back, with a clock of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import highspy
import numpy as np
from pyomo.common.tee import capture_output

from optimizer.solver.stopping import Stop

Better = Callable[[np.ndarray], np.ndarray | None]
"""All columns of a plan -> those of a cheaper one, or None."""


def new_highs() -> highspy.Highs:
    """HiGHS without a model; its banner goes past every option of its own."""
    with capture_output(capture_fd=True):
        return highspy.Highs()


def with_new_clock(highs: highspy.Highs) -> highspy.Highs:
    """The same model and options in a HiGHS whose clock has not run.

    HiGHS completes a start of whole columns by a small model, whose time limit it compares with the seconds of all
    runs before: a start is given up unseen where these were longer than the new limit. Nothing sets that clock back.
    """
    if highs.getRunTime() <= 0:
        return highs
    anew = new_highs()
    anew.passOptions(highs.getOptions())
    anew.passModel(highs.getLp())
    return anew


@contextmanager
def hand_back(highs: highspy.Highs, better: Better) -> Iterator[None]:
    """Improve the plans that HiGHS comes to, and hand them back while it runs.

    Parameters
    ----------
    highs : Highs
    better : callable
        Given all columns of HiGHS's newest plan; returns those of a cheaper one, which HiGHS checks and takes
        as its own, or None. Called from HiGHS's thread at fixed points of its search: what it does must not
        depend on the clock where the answer is to be reproducible.
    """
    newest: list[np.ndarray] = []

    def came(event: Any) -> None:
        newest[:] = [np.array(event.data_out.mip_solution)]

    def asked(event: Any) -> None:
        plan = better(newest.pop()) if newest else None
        if plan is not None:
            event.data_in.setSolution(plan)

    highs.cbMipImprovingSolution.subscribe(came)
    highs.cbMipUserSolution.subscribe(asked)
    try:
        yield
    finally:
        highs.cbMipImprovingSolution.clear()
        highs.cbMipUserSolution.clear()


def run_apart(highs: highspy.Highs, stop: Stop) -> None:
    """Run HiGHS in a thread of its own, so that signals reach Python.

    Where nobody listens for Ctrl-C (`optimizer.solver.stopping.heeding`) it sets ``stop``, which a callback must see to.
    """
    # an event, not the thread's own join: Python 3.11 takes a joined thread for ended after Ctrl-C
    done = threading.Event()

    def work() -> None:
        highs.run()
        done.set()

    threading.Thread(target=work, daemon=True).start()
    while not done.is_set():
        try:
            done.wait(0.1)
        except KeyboardInterrupt:
            stop.set()
