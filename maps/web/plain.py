"""Cells of tables as plain data for a page: finite numbers, yes and no, None for what is not known; JSON that is inert."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import pandas as pd

JSON_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
ESCAPES = {c: f"\\u{ord(c):04x}" for c in "<>&{}`\u2028\u2029"}


def escaped_json(value: object) -> str:
    r"""JSON that is inert inside a page and inside a template.

    Within texts the characters ``< > & { } ` `` and the two Unicode line separators are written as
    ``\uXXXX``, so that a name can neither close the script element nor start a template expression.

    Parameters
    ----------
    value : object
        Plain data; numbers must be finite.

    Returns
    -------
    str
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return JSON_TEXT.sub(lambda m: "".join(ESCAPES.get(c, c) for c in m[0]), text)


def plain_number(value: Any, digits: int = 4) -> float | None:
    """A finite rounded number, or None."""
    if value is None or pd.isna(value) or not math.isfinite(float(value)):
        return None
    rounded = round(float(value), digits)
    return int(rounded) if rounded == int(rounded) else rounded


def plain_flag(value: Any) -> bool:
    """Yes or no; what is not known is no."""
    return not pd.isna(value) and bool(value)


def plain_answer(value: Any) -> bool | None:
    """Yes, no, or None for what is not assessed."""
    return None if pd.isna(value) else bool(value)
