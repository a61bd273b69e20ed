"""TOML files of settings (county.toml, scenarios) against their pydantic models, faults in plain words."""

from __future__ import annotations

import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

from pydantic import BaseModel, Field, ValidationError

from geodata.contract.findings import Finding, InputProblems

Model = TypeVar("Model", bound=BaseModel)
FileName = Annotated[str, Field(min_length=1)]
"""A file that a settings file names; an empty name would be ignored or name the folder itself."""

KINDS = {
    "string": "text", "int": "whole", "float": "number", "finite": "number", "bool": "flag",
    "tuple": "list", "list": "list", "dict": "section", "model": "section",
}  # fmt: skip
"""Kind wanted, by the first word of pydantic's error type (``int_parsing``, ``tuple_type`` ...)."""
MOST_BYTES = 5_000_000
"""A larger file is none of settings."""
BOUNDS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}


def read_settings(path: Path, model: type[Model], name: str = "") -> Model:
    """A validated TOML file; an unknown key is an error, not ignored.

    Parameters
    ----------
    path : Path
        UTF-8, with or without a byte order mark (Notepad writes one).
    model : type of pydantic.BaseModel
    name : str
        Name of the file in messages; the last part of the path unless given.

    Returns
    -------
    Model

    Raises
    ------
    InputProblems
        The file cannot be read, or every key that is wrong in it.
    """
    name = name or path.name
    content = toml_content(settings_text(path, name), name)
    try:
        taken = model(**content)
    except ValidationError as problem:
        raise InputProblems(model_findings(problem, model, name)) from None
    flags = [
        Finding("error", key, file=name, column=_written(place), value=str(value).lower())
        for place, value, key in _flags_for_numbers(content, taken.model_dump(), [])
    ]
    if flags:
        raise InputProblems(flags)
    return taken


def _flags_for_numbers(
    given: Any, taken: Any, place: list[str | int]
) -> Iterator[tuple[list[str | int], bool, str]]:
    """Where a file says true or false and a number was made of it: its place, the value, the message's key."""
    if isinstance(given, bool):
        if isinstance(taken, int | float) and not isinstance(taken, bool):
            yield place, given, f"settings.not_{'whole' if isinstance(taken, int) else 'number'}"
    elif isinstance(given, dict) and isinstance(taken, dict):
        for name, value in given.items():
            yield from _flags_for_numbers(value, taken.get(name), [*place, name])
    elif isinstance(given, list) and isinstance(taken, list | tuple):
        for i, (one, made) in enumerate(zip(given, taken, strict=False)):
            yield from _flags_for_numbers(one, made, [*place, i])


def settings_text(path: Path, name: str, most: int = MOST_BYTES) -> str:
    """The text of a settings file; no more of it is read than settings have.

    Parameters
    ----------
    path : Path
    name : str
        Name of the file in messages.
    most : int
        Bytes that such a file may have.

    Raises
    ------
    InputProblems
        It cannot be read, is no UTF-8, has no end, or is no ordinary file: a pipe would be waited for.
    """
    try:
        kind = path.stat().st_mode
        if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
            raise InputProblems([Finding("error", "tables.no_regular_file", file=name, value=path.name)])
        with path.open("rb") as file:
            content = file.read(most + 1)
        if len(content) > most:
            fields: dict[str, object] = {"megabytes": most // 1_000_000}
            raise InputProblems([Finding("error", "settings.too_large", fields, file=name)])
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputProblems([Finding("error", "settings.encoding", file=name)]) from None
    except (OSError, ValueError) as problem:  # ValueError: a null character in the name
        raise InputProblems(
            [Finding("error", "settings.unreadable", {"why": str(problem)}, file=name)]
        ) from None
    return text


def toml_content(text: str, name: str) -> dict[str, Any]:
    """What a TOML text says.

    Raises
    ------
    InputProblems
    """
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as problem:  # also a number of 5,000 digits, a thousand brackets
        raise InputProblems(
            [Finding("error", "settings.not_toml", {"why": str(problem)}, file=name)]
        ) from None


def model_findings(problem: ValidationError, model: type[BaseModel], file: str) -> list[Finding]:
    """Everything pydantic found wrong in a settings file, as findings with file and key."""
    found = problem.errors()
    places = [error["loc"] for error in found]
    # a list whose entries are wrong is told as one that has none, too
    echoes = [
        error["type"] == "too_short" and any(len(p) > len(at) and p[: len(at)] == at for p in places)
        for error, at in zip(found, places, strict=True)
    ]
    return [_finding(dict(error), model, file) for error, echo in zip(found, echoes, strict=True) if not echo]


def _written(place: list[str | int]) -> str:
    """A place in a file as a reader counts: ``indicator[3].threshold``, entries from 1."""
    text = ""
    for part in place:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _limit(value: float) -> str:
    """A limit as it is written: separators from 10,000 on, so that years stay years."""
    return f"{value:,.16g}" if abs(value) >= 10_000 else f"{value:.16g}"


def _finding(error: dict[str, Any], model: type[BaseModel], file: str) -> Finding:
    """One of pydantic's errors as a finding, in words of our own."""
    place = [part for part in error["loc"] if part != "[key]"]
    kind, context = str(error["type"]), error.get("ctx", {})
    bound = next((name for name in BOUNDS if name in context), None)
    fields: dict[str, object] = {}
    if kind in ("extra_forbidden", "unexpected_keyword_argument"):
        key, fields = "settings.unknown_key", {"known": ", ".join(_fields_at(model, place[:-1]))}
    elif kind == "missing":
        key = "settings.missing_key"
    elif kind == "literal_error":
        key, fields = "settings.not_a_choice", {"choices": context["expected"]}
    elif kind in ("string_too_short", "too_short"):
        key = "settings.empty"
    elif bound is not None:
        key, fields = "settings.out_of_range", {"limit": f"{BOUNDS[bound]} {_limit(context[bound])}"}
    elif kind.split("_")[0] in KINDS:
        key = f"settings.not_{KINDS[kind.split('_')[0]]}"
    else:
        key, fields = "settings.wrong_value", {"why": error["msg"]}
    value = "" if kind == "missing" else str(error["input"])[:60]
    return Finding("error", key, fields, file=file, column=_written(place), value=value)


def _fields_at(model: type[BaseModel], place: list[str | int]) -> list[str]:
    """Keys that a model, or the model nested at a place of it, has."""
    for part in place:
        if isinstance(part, str) and part in model.model_fields:
            kind = model.model_fields[part].annotation
            nested = (kind, *get_args(kind))  # a section itself, or one that may be left out
            within = next(
                (a for a in nested if isinstance(a, type) and hasattr(a, "__dataclass_fields__")), None
            )
            if within is not None:  # entries of a list: records without further levels
                return list(within.__dataclass_fields__)
            model = next((a for a in nested if isinstance(a, type) and issubclass(a, BaseModel)), model)
    return list(model.model_fields)
