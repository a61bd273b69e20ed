"""The hand-sized county with something taken out of it: a table, a column, a cell of a measure."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

from geodata.contract.county import County
from geodata.contract.tables import TABLES
from tests.samples import small_county

TABLES_THAT_MAY_LACK = tuple(n for n, t in TABLES.items() if not t.required)
MEASURES = (
    "area_teaching", "area_indoor_sport", "area_sport_ground", "equip_value", "rooms_multimedia", "capacity_pupils",
)  # fmt: skip
HEAD = 'name = "试县"\nname_en = "Test county"\nyear = 2025\nfictional = true\n'


@cache
def county_whole() -> County:
    """Its tables are only read, so one copy serves every test."""
    return small_county()


def without(*names: str) -> County:
    """The county without some of its tables."""
    county = county_whole()
    return replace(county, **{n: getattr(county, n).iloc[:0] for n in names})


def emptied(county: County, table: str, column: str, row: int | None = None) -> County:
    """The county with one cell of a measure empty, or with all of them (row None)."""
    frame = getattr(county, table).copy()
    kind = "Int64" if frame[column].dtype.kind == "i" else frame[column].dtype
    cells = frame[column].astype(kind)
    cells[cells.index if row is None else row] = None
    frame[column] = cells
    return replace(county, **{table: frame})


def written(
    folder: Path, drop: tuple[str, ...] = (), blank: tuple[tuple[str, str, int | None], ...] = ()
) -> Path:
    """The county as files, some tables not written and some cells (row None: whole columns) left out."""
    folder.mkdir()
    (folder / "county.toml").write_text(HEAD, encoding="utf-8")
    for name, table in county_whole().tables().items():
        cells = table.astype(object).where(table.notna(), "")
        for _, column, row in (b for b in blank if b[0] == name):
            if row is None:
                cells = cells.drop(columns=column)
            else:
                cells.loc[row, column] = ""
        if len(cells) and name not in drop:
            cells.to_csv(folder / f"{name}.csv", index=False)
    return folder
