"""A plan on disk: its ledger as CSV, GeoPackage table or JSON record, read back under its contract."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pandas as pd
import pyogrio
from pydantic import BaseModel, ConfigDict, ValidationError

from geodata.contract.cells import bare
from geodata.contract.columns import Table
from geodata.contract.containment import stands_at
from geodata.contract.county import County
from geodata.contract.findings import Finding, InputProblems, errors, input_problem
from geodata.contract.groups import group_in, kind_in
from geodata.contract.settings import settings_text
from geodata.contract.validation.headers import Raw
from geodata.contract.validation.placing import validate
from geodata.folder.own_tables import read_csv
from geodata.layers.drivers import driver_of, source_of
from models.plan.decisions import Plan
from models.plan.ledger import ACTIONS, GROUPS, LEDGER, LEDGER_COLUMNS, Action, plain_row_id, row_ids

LEDGER_CSV, LEDGER_LAYER, RECORD = "plan.csv", "ledger", "run.json"
"""Names of the ledger in a dossier: its file, its table in the GeoPackage, the record that holds it."""
MOST_RECORD = 100_000_000
"""A larger file is no record of a run; that of a county of 100 schools has about 1 MB."""

PACKAGES = ("junheng", "pyomo", "highspy", "osmnx", "geopandas", "folium", "pandas", "numpy", "scipy")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "from the source tree"


def recorded_versions() -> dict[str, str]:
    """The versions of the packages that a plan comes from, as its record names them and a replay compares them."""
    return {p: _version(p) for p in PACKAGES}


class RecordedMeasure(BaseModel):
    """One measure in the record of a run: today and in the plan, None where it is not known."""

    model_config = ConfigDict(strict=True)

    today: float | None
    plan: float | None
    unit: str


class RecordForm(BaseModel):
    """What a record of a run must be where it says anything: what its readers rely on."""

    model_config = ConfigDict(strict=True)

    ledger: list[Any]
    measures: dict[str, RecordedMeasure] = {}
    county_folder: str | None = None
    scenario: dict[str, Any] | None = None
    held: list[dict[str, Any]] | None = None


def number_text(value: float) -> str:
    """A quantity as text that gives the same number back: 12, 0.5; nothing for what is not known."""
    return "" if value != value else str(int(value)) if value == int(value) else repr(float(value))


def ledger_text(plan: Plan) -> pd.DataFrame:
    """The ledger as texts."""
    return plan.ledger.assign(quantity=[number_text(q) for q in plan.ledger["quantity"]]).astype(str)


def write_ledger(plan: Plan, path: Path) -> Path:
    """Write the ledger as CSV (UTF-8 with a mark, which spreadsheets need).

    Parameters
    ----------
    plan : Plan
    path : Path

    Returns
    -------
    Path
    """
    ledger_text(plan).to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\n")
    return path


def ledger_record(plan: Plan) -> list[dict[str, object]]:
    """The ledger as plain data: one mapping a row, without what is empty."""
    rows = plan.ledger.to_dict("records")
    return [{str(k): v for k, v in row.items() if v not in ("", None) and v == v} for row in rows]


def read_plan(path: str | Path, county: County | None = None) -> Plan:
    """A plan from a dossier folder, ``run.json``, ``plan.csv`` or ``plan.gpkg``.

    Parameters
    ----------
    path : str or Path
    county : County or None
        The county that the plan is for: its ids and its year are then checked, too.

    Returns
    -------
    Plan

    Raises
    ------
    InputProblems
        Every fault with file, row, column, value and what to do.
    """
    return plan_from(_raw(Path(path)), county)[0]


def read_told(path: str | Path, county: County | None = None) -> tuple[Plan, tuple[Finding, ...]]:
    """`read_plan`, and what its cells and columns leave to be said: columns that no plan has, ids written as numbers.

    Returns
    -------
    Plan
    tuple of Finding
    """
    return plan_from(_raw(Path(path)), county)


def plan_from(raw: Raw, county: County | None = None) -> tuple[Plan, tuple[Finding, ...]]:
    """A plan from a ledger's cells as text, and the notes on them.

    Raises
    ------
    InputProblems
    """
    frame, found, rows = validate(_contract(raw), raw)
    if frame is None or rows is None:
        raise InputProblems(found)
    faults = [*_faults(frame, rows, raw.file), *(_unknown(frame, rows, raw.file, county) if county else ())]
    faults = faults or _other_ids(frame, rows, raw.file)
    if errors(faults):
        raise InputProblems(faults)
    years = tuple(sorted({int(y) for y in frame["year"]}))
    return Plan(frame, years), tuple(found)


def _other_ids(frame: pd.DataFrame, rows: pd.Series, file: str) -> list[Finding]:
    """Row ids that are not those of their decisions, which follow from what they are about: the row was changed into another."""
    own = row_ids({c: frame[c].tolist() for c in LEDGER_COLUMNS})
    at = zip(rows.tolist(), frame["row_id"].tolist(), own, strict=True)
    return [
        Finding("error", "plan.other_row_id", {"own": mine}, file, LEDGER.name, row, "row_id", said)
        for row, said, mine in at
        if said and plain_row_id(said) != plain_row_id(mine)
    ]


def _contract(raw: Raw) -> Table:
    """The ledger's contract; groups of attendance may have the name of a group of pupils behind them."""
    named = {bare(g) for g in raw.frame.get("group", ()) if kind_in(bare(g)) in GROUPS and group_in(bare(g))}
    if not named:
        return LEDGER
    columns = [
        replace(c, choices=(*c.choices, *sorted(named))) if c.name == "group" else c for c in LEDGER.columns
    ]
    return replace(LEDGER, columns=tuple(columns))


def read_record(path: Path) -> dict[str, Any]:
    """The content of a dossier's ``run.json``.

    Raises
    ------
    InputProblems
        No such file, or not a record of a run.
    """
    file = path / RECORD if path.is_dir() else path
    try:
        if stands_at(file) != "file":
            raise input_problem("plan.not_there", str(file), why=file.name)
        text = settings_text(file, file.name, MOST_RECORD)
        content = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_once)
        RecordForm.model_validate(content)
    except ValidationError as problem:
        first = problem.errors()[0]
        where = ".".join(str(k) for k in first["loc"])
        raise input_problem(
            "plan.not_a_record", file.name, why=f"{where}: {first['msg']}".strip(": ")
        ) from None
    except (ValueError, RecursionError) as problem:  # also a number of 5,000 digits
        raise input_problem("plan.not_a_record", file.name, why=str(problem)) from None
    return dict(content)


def _no_constant(name: str) -> NoReturn:
    """NaN and infinity are in Python's JSON and in nobody else's."""
    raise ValueError(name)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of two cells of one name the reader would take the last."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"'{next(n for n in names if names.count(n) > 1)}' x 2")
    return found


def _raw(path: Path) -> Raw:
    """The ledger's cells as text."""
    stands = stands_at(path)
    if stands == "nothing":
        raise input_problem("plan.not_there", str(path), why="")
    if stands == "folder" or path.suffix.lower() == ".json":
        rows = read_record(path)["ledger"]
        listed = [row if isinstance(row, dict) else {} for row in rows]
        columns = list(dict.fromkeys([*LEDGER_COLUMNS, *(str(k) for row in listed for k in row)]))
        frame = pd.DataFrame([[row.get(c) for c in columns] for row in listed], columns=columns, dtype=object)
        name = RECORD if path.is_dir() else path.name
        return Raw(_texts(frame), name, first_row=1)
    if path.suffix.lower() == ".csv":
        return read_csv(path)
    if path.suffix.lower() == ".gpkg":
        try:
            if driver_of(path, path.name) != "GPKG":
                raise ValueError(path.name)
            frame = pyogrio.read_dataframe(source_of(path, "GPKG"), layer=LEDGER_LAYER, read_geometry=False)
        except (ValueError, InputProblems, pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError):
            raise input_problem("plan.no_ledger", path.name, table=LEDGER_LAYER) from None
        return Raw(_texts(frame), f"{path.name} [{LEDGER_LAYER}]", first_row=1)
    raise input_problem("plan.kind_of_file", path.name)


def _texts(frame: pd.DataFrame) -> pd.DataFrame:
    """Any cells as texts."""

    def text(value: object) -> str:
        if value is None or value != value:
            return ""
        return number_text(value) if isinstance(value, float) else str(value)

    return frame.astype(object).map(text)


def _at(
    raw_file: str, column: str, rows: pd.Series, values: pd.Series
) -> Iterator[tuple[dict[str, Any], int]]:
    """The place of each value that is wrong, once, with how many rows have it."""
    for value, group in rows.groupby(values.astype(str), sort=False):
        place = {"file": raw_file, "table": LEDGER.name, "row": int(group.iloc[0]), "column": column}
        yield place | {"value": str(value)}, len(group)


def _faults(frame: pd.DataFrame, rows: pd.Series, file: str) -> list[Finding]:
    """Columns that an action needs or does not have, and counts that are no whole numbers."""
    found = []
    for action in ACTIONS:
        own = frame["action"] == action.name
        for c in _texts_of(action):
            empty = own & (frame[c] == "")
            fields: dict[str, object] = {"action": action.name}
            found += [
                Finding("error", "plan.needed", {**fields, "rows": n}, **at)
                for at, n in _at(file, c, rows[empty], frame.loc[empty, c])
            ]
        for c in (
            set(LEDGER_COLUMNS) - {"row_id", "year", "action", "quantity"} - set(action.columns.values())
        ):
            full = own & (frame[c] != "")
            fields = {"action": action.name}
            found += [
                Finding("error", "plan.not_needed", {**fields, "rows": n}, **at)
                for at, n in _at(file, c, rows[full], frame.loc[full, c])
            ]
        if action.whole:
            part = own & (frame["quantity"] % 1 != 0)
            found += [
                Finding("error", "tables.not_whole", {"rows": n}, **at)
                for at, n in _at(file, "quantity", rows[part], frame.loc[part, "quantity"])
            ]
    return found  # fmt: skip


def _texts_of(action: Action) -> list[str]:
    return [c for c in action.columns.values() if c != "quantity"]


def _unknown(frame: pd.DataFrame, rows: pd.Series, file: str, county: County) -> list[Finding]:
    """Years, ids, stages, bands and categories that the county does not have."""
    schools, villages = set(county.schools["school_id"]), set(county.villages["village_id"])
    stages, bands = set(county.scheme.stage_ids), set(county.scheme.band_ids)
    known: dict[str, tuple[set[str], str]] = {
        **dict.fromkeys(("school_id", "from_id", "to_id"), (schools, "plan.no_school")), "village_id": (villages, "plan.no_village"),
        **dict.fromkeys(("stage", "from_stage", "to_stage"), (stages, "plan.no_stage")), "band": (bands, "plan.no_band"),
    }  # fmt: skip
    found = []
    for c, (ids, key) in known.items():
        wrong = (frame[c] != "") & ~frame[c].isin(ids)
        choices = ", ".join(sorted(ids)) if len(ids) < 12 else ""
        fields: dict[str, object] = {"choices": choices}
        found += [
            Finding("error", key, {**fields, "rows": n}, **at)
            for at, n in _at(file, c, rows[wrong], frame.loc[wrong, c])
        ]
    categories = set(zip(county.staff_category["stage"], county.staff_category["cat_id"], strict=True))
    staff = frame[
        frame["action"].isin(["transfer", "hire"])
        & (frame["item"] != "")
        & frame["from_stage"].isin(["", *stages])
    ]
    stage = staff["from_stage"].where(staff["action"] == "transfer", staff["stage"])
    odd = np.array([k not in categories for k in zip(stage, staff["item"], strict=True)], dtype=bool)
    lost = staff[odd]
    for at, n in _at(file, "item", rows[lost.index], lost["item"]):
        found.append(Finding("error", "plan.no_category", {"rows": n}, **at))
    things = [k for k, one in county.norms.resources.items() if one.kind != "heads"]
    odd_things = frame["action"].isin(["buy", "move_item"]) & ~frame["item"].isin(["", *things])
    for at, n in _at(file, "item", rows[odd_things], frame.loc[odd_things, "item"]):
        found.append(Finding("error", "plan.no_thing", {"rows": n, "choices": ", ".join(things)}, **at))
    late = frame["year"] != county.year
    for at, n in _at(file, "year", rows[late], frame.loc[late, "year"]):
        found.append(Finding("error", "plan.other_year", {"year": county.year, "rows": n}, **at))
    return found
