"""Inner loops that run as machine code: typed decorators around Numba.

Importing this takes Numba's half second: modules that need it are imported where they are used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """The function compiled at its first call and kept beside its module from then on; 1 / 0 is infinite, as in NumPy."""
    return cast(Function, njit(cache=True, error_model="numpy")(function))


class Ground(NamedTuple):
    """Units, sites and borders in numbers.

    Parameters
    ----------
    start, near : ndarray of int
        The neighbours of unit u are ``near[start[u]:start[u + 1]]``.
    home : ndarray of int
        Unit by site.
    demand : ndarray of float
        By unit.
    room : ndarray of float
        By site.
    """

    start: np.ndarray
    near: np.ndarray
    home: np.ndarray
    demand: np.ndarray
    room: np.ndarray
