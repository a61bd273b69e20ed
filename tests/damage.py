"""Ways to damage a county's files on purpose."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from geodata.contract.findings import Finding


def cells(folder: Path, table: str) -> pd.DataFrame:
    """A table's cells as text."""
    return pd.read_csv(folder / f"{table}.csv", dtype=str, keep_default_na=False, encoding="utf-8-sig")


def write(folder: Path, table: str, frame: pd.DataFrame, encoding: str = "utf-8") -> None:
    frame.to_csv(folder / f"{table}.csv", index=False, encoding=encoding, lineterminator="\n")


def put(folder: Path, table: str, row: int, column: str, value: str) -> str:
    """Write one cell, rows counted as a spreadsheet does; the old value is handed back."""
    frame = cells(folder, table)
    old = str(frame.loc[row - 2, column])
    frame.loc[row - 2, column] = value
    write(folder, table, frame)
    return old


def lines(folder: Path, table: str) -> list[str]:
    return (folder / f"{table}.csv").read_text(encoding="utf-8-sig").splitlines()


def write_lines(folder: Path, table: str, text: list[str]) -> None:
    (folder / f"{table}.csv").write_text("\n".join(text) + "\n", encoding="utf-8")


def settings(folder: Path, old: str, new: str) -> None:
    """Replace a piece of county.toml."""
    file = folder / "county.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its bytes; without the cache that reading leaves in it."""
    return {
        str(p.relative_to(folder)): p.read_bytes() if p.is_file() else b""
        for p in sorted(folder.rglob("*"))
        if ".cache" not in p.parts
    }


def bad(findings: list[Finding]) -> list[tuple[str, str, int | None, str, str]]:
    """Errors as (key, file, row, column, value)."""
    return [(f.key, f.file, f.row, f.column, f.value) for f in findings if f.severity == "error"]
