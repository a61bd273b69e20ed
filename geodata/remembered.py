"""What is reckoned once for an object and asked for several times, kept as long as the object is."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar
from weakref import WeakKeyDictionary

Thing = TypeVar("Thing")
Told = TypeVar("Told")


def once_for_each(reckon: Callable[[Thing], Told]) -> Callable[[Thing], Told]:
    """A function of one object that reckons once for each.

    Only for objects that never change and are told apart by identity (frozen, ``eq=False``), and for answers that
    nobody changes. A failure is not kept: it is raised again each time.

    Parameters
    ----------
    reckon : callable

    Returns
    -------
    callable
    """
    known: WeakKeyDictionary[Thing, Told] = WeakKeyDictionary()

    @wraps(reckon)
    def told(thing: Thing) -> Told:
        if thing not in known:
            known[thing] = reckon(thing)
        return known[thing]

    return told
