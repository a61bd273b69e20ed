"""`futures.toml`: which factors may turn out how, read and validated; and the futures that it declares."""

from __future__ import annotations

import itertools
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr
from scipy.stats import qmc

from geodata.contract.findings import Finding, InputProblems, errors
from geodata.contract.settings import read_settings
from models.referee.verdict import MEASURES
from models.rules.registry import every_rule
from optimizer.study.stress.factors.record import Case, Factor
from optimizer.study.stress.factors.registry import FACTORS
from optimizer.study.stress.screening import morris_points

Number = Annotated[float, Field(allow_inf_nan=False)]
MOST_FUTURES = 20_000
MOST_SHOWN = 40
"""Parts of a factor that a refusal lists."""
BETWEEN = 3
"""Values that a grid takes of a range, unless the factor lists its own."""


class Uncertain(BaseModel):
    """One factor of a study and the values that it may take.

    Parameters
    ----------
    id : str
        Of `optimizer.study.stress.factors.registry.FACTORS`.
    of : str
        Which part of it: a stage, an earmark, a norm.
    low : float
        The least value of a range, over which draws spread evenly.
    high : float
        Its largest value.
    values : tuple of float
        Instead of a range: these values, equally likely.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: str
    of: str = ""
    low: Number | None = None
    high: Number | None = None
    values: tuple[Number, ...] = ()

    @property
    def name(self) -> str:
        """Name of its column: ``budget:teacher``."""
        return f"{self.id}:{self.of}" if self.of else self.id

    def ends(self) -> tuple[float, float]:
        """The least and the largest value."""
        if self.values:
            return min(self.values), max(self.values)
        assert self.low is not None and self.high is not None
        return self.low, self.high

    def at(self, share: float) -> float:
        """The value at a share of its range, or of its list."""
        if self.values:
            return self.values[min(int(share * len(self.values)), len(self.values) - 1)]
        low, high = self.ends()
        return round(low + share * (high - low), 9)

    def steps(self) -> tuple[float, ...]:
        """The values of a grid."""
        return self.values or tuple(self.at(i / (BETWEEN - 1)) for i in range(BETWEEN))


class Failing(BaseModel):
    """When a plan is said to fail in a future.

    Parameters
    ----------
    rules : tuple of str
        Any of these rules is broken; without rules and without a measure, any hard rule.
    measure : str
        Or: this measure of the referee is out of bounds.
    at_least : float
        The least value that is no failure.
    at_most : float
        The largest one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    rules: tuple[str, ...] = ()
    measure: str = ""
    at_least: Number | None = None
    at_most: Number | None = None


class Futures(BaseModel):
    """The futures of a study. Unknown keys are refused, not ignored.

    Parameters
    ----------
    design : {"draws", "grid", "morris"}
        Seeded draws (a Latin hypercube), all combinations, or trajectories of one factor at a time.
    futures : int
        Number of draws; of trajectories with ``morris``. A grid has as many as it has.
    seed : int
        Of the draws and of what factors leave to chance.
    alpha : float
        CVaR is the mean of this worst share of futures.
    held_out : float
        Share of futures that scenario discovery does not see and is measured on.
    factor : tuple of Uncertain
        What may turn out differently.
    failure : Failing
        What counts as failure.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    design: Literal["draws", "grid", "morris"] = "draws"
    futures: int = Field(default=200, ge=1, le=MOST_FUTURES)
    seed: int = Field(default=1, ge=0, lt=2**31)
    alpha: Number = Field(default=0.1, gt=0, le=1)
    held_out: Number = Field(default=0.5, gt=0, lt=1)
    factor: tuple[Uncertain, ...] = Field(min_length=1)
    failure: Failing = Failing()
    _file: Path | None = PrivateAttr(default=None)

    @property
    def names(self) -> tuple[str, ...]:
        """Columns of the factors."""
        return tuple(f.name for f in self.factor)


@dataclass(frozen=True)
class Future:
    """One future: its number from 1 (0 is today's county as it stands) and a value by factor, in the file's order."""

    number: int
    values: tuple[float, ...]


def read_futures(path: Path) -> Futures:
    """The futures of a TOML file.

    Raises
    ------
    InputProblems
        Every fault with file, line, key, value and what to write instead.
    """
    try:
        asked = read_settings(path, Futures)
        found = _faults(asked, path.name)
    except InputProblems as problem:
        raise InputProblems(with_lines(problem.findings, path)) from None
    if found:
        raise InputProblems(with_lines(found, path))
    asked._file = path  # what a county does not have is told with file and line as well
    return asked


def with_lines(found: list[Finding], path: Path) -> list[Finding]:
    """Findings of a settings file with the line of their key, as far as it can be told."""
    with suppress(OSError, UnicodeDecodeError):
        lines = path.read_text(encoding="utf-8-sig").splitlines()
        return [replace(f, row=_line(lines, f.column)) if f.row is None and f.column else f for f in found]
    return found


def _line(lines: list[str], place: str) -> int | None:
    """Line of a place such as ``factor[2].low``: its key, else the head of its section."""
    table, _, key = place.rpartition(".")
    table, key = (table, key.partition("[")[0]) if table else ("", key)
    start, headed = 0, bool(table)
    if found := re.fullmatch(r"(\w+)\[(\d+)\]", table or place):
        heads = [i for i, t in enumerate(lines) if re.match(rf"\s*\[\[\s*{found[1]}\s*\]\]", t)]
        if len(heads) < int(found[2]):  # entries in braces, behind the key of the list
            return _line(lines, found[1]) if not heads else None
        start, key, headed = heads[int(found[2]) - 1], key if table else "", True
    elif table:
        heads = [i for i, t in enumerate(lines) if re.match(rf"\s*\[\s*{re.escape(table)}\s*\]", t)]
        if not heads:
            return None
        start = heads[0]
    for i in range(start + headed, len(lines)):
        if key and re.match(rf"\s*\[{{0,2}}\s*[\"']?{re.escape(key)}\b", lines[i]):
            return i + 1
        if headed and re.match(r"\s*\[", lines[i]):
            break
    return start + 1 if headed else None


def _faults(asked: Futures, file: str) -> list[Finding]:
    """What the types alone do not tell: unknown factors, values out of range, two of one name."""
    found: list[Finding] = []

    def fault(key: str, column: str, value: object, **fields: object) -> None:
        found.append(Finding("error", f"stress.{key}", fields, file=file, column=column, value=str(value)))

    for i, one in enumerate(asked.factor, start=1):
        at = f"factor[{i}]"
        factor = FACTORS.get(one.id)
        if factor is None:
            fault("unknown_factor", f"{at}.id", one.id, known=", ".join(FACTORS))
            continue
        if bool(one.values) == (one.low is not None or one.high is not None) or (one.low is None) != (
            one.high is None
        ):
            fault("range_or_values", at, one.id)
            continue
        low, high = one.ends()
        if low < factor.low or high > factor.high:
            key = "values" if one.values else "low" if low < factor.low else "high"
            wrong = low if low < factor.low else high
            fault("factor_range", f"{at}.{key}", f"{wrong:g}", low=f"{factor.low:g}", high=f"{factor.high:g}")
        if not one.values and low >= high:
            fault("low_not_below_high", f"{at}.low", f"{low:g}")
        if asked.design == "grid" and len(set(one.values)) < len(one.values):
            twice = next(v for i, v in enumerate(one.values) if v in one.values[:i])
            fault("value_twice", f"{at}.values", f"{twice:g}")
        if factor.unit == "flag" and not set(one.values) <= {0.0, 1.0}:
            fault("flag_values", f"{at}.values", one.id)
        if factor.unit == "flag" and not one.values:
            fault("flag_values", f"{at}.low", one.id)
        if asked.design == "morris" and (one.values and factor.unit != "flag"):
            fault("morris_range", f"{at}.values", one.id)
        if asked.names.index(one.name) < i - 1:
            fault("factor_twice", f"{at}.id", one.name)
    if not found and asked.design == "grid" and grid_size(asked) > MOST_FUTURES:
        fault("grid_too_large", "design", grid_size(asked), most=MOST_FUTURES)
    if asked.design == "morris" and len(asked.factor) < 2:
        fault("morris_two", "factor", len(asked.factor))
    return found + _faults_of_failure(asked.failure, file)


def _faults_of_failure(asked: Failing, file: str) -> list[Finding]:
    known = [r.id for r in every_rule()]
    found = [
        Finding(
            "error",
            "stress.unknown_rule",
            {"known": ", ".join(known)},
            file=file,
            column="failure.rules",
            value=r,
        )
        for r in asked.rules
        if r not in known
    ]
    measures = [m for m, *_ in MEASURES]
    if asked.measure and asked.measure not in measures:
        found.append(
            Finding(
                "error", "stress.unknown_measure", {"known": ", ".join(measures)}, file=file, column="failure.measure",
                value=asked.measure,
            )
        )  # fmt: skip
    bounds = (asked.at_least is not None) + (asked.at_most is not None)
    if bounds != bool(asked.measure) or (asked.measure and asked.rules):
        found.append(
            Finding("error", "stress.failure_bound", file=file, column="failure", value=asked.measure)
        )
    return found


def check_futures(asked: Futures, case: Case) -> list[Finding]:
    """What a county's tables do not let a study do.

    Returns
    -------
    list of Finding
        A warning for each factor that changes nothing here.

    Raises
    ------
    InputProblems
        A part (``of``) that the county does not have.
    """
    found = []
    file = "futures.toml" if asked._file is None else asked._file.name
    for i, one in enumerate(asked.factor, start=1):
        factor = FACTORS[one.id]
        choices = factor.choices(case)
        place = {"file": file, "column": f"factor[{i}].of", "value": one.of}
        if (one.of and one.of not in choices) or (factor.asks_of and not one.of):
            shown = ", ".join(choices[:MOST_SHOWN]) + (" ..." if len(choices) > MOST_SHOWN else "")
            fields: dict[str, object] = {"factor": one.id, "choices": shown or "-"}
            found.append(Finding("error", "stress.unknown_of", fields, **place))  # type: ignore[arg-type]
        elif key := factor.cannot(case, one.of):
            place["value"] = one.name
            found.append(Finding("warning", f"stress.{key}", {"factor": one.name}, **place))  # type: ignore[arg-type]
    found = found if asked._file is None else with_lines(found, asked._file)
    if errors(found):
        raise InputProblems(found)
    return found


def grid_size(asked: Futures) -> int:
    """How many futures a grid has."""
    return int(np.prod([float(len(f.steps())) for f in asked.factor]))


def drawn_futures(asked: Futures) -> list[Future]:
    """The futures of a study, the same on every run and machine; the first, number 0, is today's county.

    Today's values are NaN: no factor is applied.
    """
    count = len(asked.factor)
    rows: list[tuple[float, ...]]
    if asked.design == "grid":
        rows = list(itertools.product(*(f.steps() for f in asked.factor)))
    else:
        if asked.design == "draws":
            shares = qmc.LatinHypercube(count, rng=np.random.default_rng(asked.seed)).random(asked.futures)
        else:
            shares = morris_points(asked.names, asked.futures, asked.seed)
        rows = [tuple(f.at(float(s)) for f, s in zip(asked.factor, row, strict=True)) for row in shares]
    today = Future(0, (float("nan"),) * count)
    return [today, *(Future(i, row) for i, row in enumerate(rows, start=1))]


def in_future(case: Case, asked: Futures, future: Future) -> Case:
    """The case as it stands in a future; factors that the county's tables do not allow change nothing.

    They are applied in the order of the registry, whatever the order of the file.
    """
    order = list(FACTORS)
    given = sorted(zip(asked.factor, future.values, strict=True), key=lambda p: order.index(p[0].id))
    for one, value in given:
        factor: Factor = FACTORS[one.id]
        if value == value and value != factor.neutral and factor.cannot(case, one.of) is None:
            case = factor.apply(case, value, one.of)
    return case


def read_template() -> str:
    """A `futures.toml` to start from."""
    return (Path(__file__).parent / "futures.toml").read_text(encoding="utf-8")
