"""A county as plain data and back: what a ledger of years keeps of its tables.

Roads, travel times and background layers stay with the county's folder; `County.content_hash` in the record covers them.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from geodata.contract.county import County
from geodata.contract.tables import TABLES
from geodata.contract.validation.placing import empty
from geodata.standards.reading import StandardsFile

LEFT_OUT = ("travel_times", "travel_matrix")
"""Tables about ways, which no indicator counts."""


def frame_record(frame: pd.DataFrame) -> dict[str, Any]:
    """A table as plain data: names and types of columns, rows; what is missing is null."""
    plain = frame.astype(object).where(frame.notna(), None)
    rows = [[v.item() if hasattr(v, "item") else v for v in row] for row in plain.to_numpy().tolist()]
    return {"columns": [[str(c), str(t)] for c, t in frame.dtypes.items()], "rows": rows}


def frame_from(record: dict[str, Any]) -> pd.DataFrame:
    """What `frame_record` was made of."""
    names = [c for c, _ in record["columns"]]
    frame = pd.DataFrame(record["rows"], columns=names, dtype=object)
    return frame.astype({c: t for c, t in record["columns"] if t != "object"})


def _said(content: Any) -> Any:
    """Plain data without what is not said (a number that is none is null in JSON)."""
    if isinstance(content, dict):
        return {k: _said(v) for k, v in content.items() if v is not None}
    return [_said(v) for v in content] if isinstance(content, list) else content


def county_record(county: County) -> dict[str, Any]:
    """The tables of a county and what applies to them."""
    kept = {name: t for name, t in county.tables().items() if name not in LEFT_OUT and len(t)}
    return {
        "name": county.name, "name_en": county.name_en, "year": county.year, "fictional": county.fictional,
        "modelled": list(county.modelled), "standard_files": list(county.standard_files), "input_hash": county.content_hash,
        "own_standards": {n: _said(one.model_dump(mode="json")) for n, one in county.own_standards.items()},
        "tables": {name: frame_record(table) for name, table in kept.items()},
    }  # fmt: skip


def county_from(record: dict[str, Any]) -> County:
    """The county of a record: without roads and places in files, so it can be audited and compared, not planned."""
    tables = {n: empty(t) for n, t in TABLES.items() if n not in LEFT_OUT}
    tables |= {name: frame_from(one) for name, one in record["tables"].items()}
    own = {n: StandardsFile.model_validate(one) for n, one in record["own_standards"].items()}
    return County(
        name=record["name"], name_en=record["name_en"], year=int(record["year"]), fictional=bool(record["fictional"]),
        modelled=tuple(record["modelled"]), standard_files=tuple(record["standard_files"]), own_standards=own, **tables,
    )  # fmt: skip
