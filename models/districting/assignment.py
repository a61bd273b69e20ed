"""Whole assignment: rules that the county's network and the network alone share.

Each takes plain rows, so that a band of a school, a school or a warehouse may be what is attended.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import pyomo.environ as pyo

Model: TypeAlias = Any  # Pyomo has no types


def served_once(model: Model, rows: Mapping[Any, list[int]]) -> None:
    """Every unit goes whole to one place: sum_{p of g} attend[p] = 1.

    Parameters
    ----------
    rows : mapping of unit to list of p
        The pairs of each unit.
    """
    model.assign = pyo.Constraint(list(rows), rule=lambda m, *g: sum(m.attend[p] for p in rows[_key(g)]) == 1)


def only_if_open(
    model: Model, rows: Mapping[Any, list[int]], opened: Mapping[Any, Any], name: str = "attend_open"
) -> None:
    """Nobody attends a closed place: sum_{p of the key} attend[p] <= open.

    Parameters
    ----------
    rows : mapping of key to list of p
        Pairs of one unit with one place.
    opened : mapping of key to variable
        The place's ``open``, for the same keys.
    name : str
        Of the component.
    """
    component = pyo.Constraint(
        list(rows), rule=lambda m, *k: sum(m.attend[p] for p in rows[_key(k)]) <= opened[_key(k)]
    )
    model.add_component(name, component)


def within_room(
    model: Model, load: Mapping[Any, Any], room: Mapping[Any, float], opened: Mapping[Any, Any]
) -> None:
    """No more than there is room for, and nothing where closed: load <= room open.

    Parameters
    ----------
    load : mapping of place to expression
        What the place has to hold.
    room : mapping of place to float
    opened : mapping of place to variable or 1
    """
    model.capacity = pyo.Constraint(
        list(load), rule=lambda m, *k: load[_key(k)] <= room[_key(k)] * opened[_key(k)]
    )


def _key(index: tuple[Any, ...]) -> Any:
    """Pyomo hands the parts of an index apart; a single one is itself."""
    return index[0] if len(index) == 1 else index
