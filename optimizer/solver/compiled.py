"""Inner loops that run as machine code: typed decorators around Numba.

Importing this takes Numba's half second: modules that need it are imported where they are used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
from numba import njit

from models.districting.contiguity import Adjacency
from models.districting.single_source import SingleSource

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


def numbered(problem: SingleSource, graph: Adjacency) -> Ground:
    """A problem's ground: units and sites in the order of their tables."""
    at = {u: k for k, u in enumerate(problem.demand.index)}
    near = [[at[v] for v in graph.neighbours[u]] for u in at]
    return Ground(
        start=np.cumsum([0, *map(len, near)]), near=np.array([v for some in near for v in some], np.int64),
        home=problem.sites["home"].map(at).to_numpy(np.int64), demand=problem.demand.to_numpy(float),
        room=problem.sites["room"].to_numpy(float),
    )  # fmt: skip
