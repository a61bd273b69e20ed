"""What a plan shows of itself that only later packages can make: they register how, and the plan asks for it here.

`maps` knows plans and plans know nothing of `maps`; a notebook still asks a plan for its map.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_MAKERS: dict[str, Callable[..., Any]] = {}


def shown_by(kind: str, maker: Callable[..., Any]) -> None:
    """Say who makes something of a plan.

    Parameters
    ----------
    kind : str
        ``map`` or ``cause``.
    maker : callable
    """
    _MAKERS[kind] = maker


def made_by_others(kind: str, *what: Any) -> Any:
    """What the registered maker makes.

    Raises
    ------
    LookupError
        Where nobody registered: ``import junheng`` brings all that there are.
    """
    if kind not in _MAKERS:
        raise LookupError(f"nothing is loaded that makes a {kind}: import junheng first")
    return _MAKERS[kind](*what)
