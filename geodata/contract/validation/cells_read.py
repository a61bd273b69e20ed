"""The cells of one column: their values, which cannot be read, and what was left out of them."""

from __future__ import annotations

import pandas as pd

from geodata.contract.cells import (
    EMPTY,
    ERROR_VALUES,
    IDS,
    NO_VALUE,
    bare,
    id_like,
    id_text,
    invisible,
    is_id,
    lost_digits,
    made_a_date,
)
from geodata.contract.columns import Column, Table
from geodata.contract.findings import Finding
from geodata.contract.validation.headers import Raw
from geodata.contract.validation.values import DECIMAL_COMMA, coerce


def read_cells(
    table: Table, raw: Raw, column: Column, cells: pd.Series, header: str
) -> tuple[pd.Series, pd.Series, list[Finding]]:
    """One column's values, where they could not be read, and what is said about its cells."""
    values, wrong = coerce(column, cells)
    place = (raw.file, table.name)
    found = []
    written = ["" if pd.isna(v) else str(v) for v in cells]
    broken = pd.Series([_unreadable(column, t) for t in written], cells.index, object)
    for index in cells.index[wrong | (broken != "")]:
        text = str(cells.loc[index])
        key = broken[index] or _why_not(column, bare(text))
        found.append(Finding("error", key, {}, *place, int(index) + raw.first_row, header, value=text))
    wrong = wrong | (broken != "")
    values = values.astype(object).mask(wrong, _stand_in(column)) if found else values
    found += _left_out(table, raw, column, cells, written, header)
    return values, wrong, found


def _unreadable(column: Column, text: str) -> str:
    """Message key of a cell that no reading of its column takes, whatever it says; mostly empty."""
    if text[:1] == "#" and bare(text).upper() in ERROR_VALUES:
        return "tables.error_value"
    if not is_id(column):
        return ""
    one = id_text(text)
    return "tables.id_rounded" if lost_digits(one) else "tables.id_dated" if made_a_date(one) else ""


def _why_not(column: Column, text: str) -> str:
    """Message key of a cell that is no number or no flag."""
    if column.kind != "flag" and DECIMAL_COMMA.fullmatch(text):
        return "tables.decimal_comma"
    if column.kind != "flag" and not column.must and text.lower() in NO_VALUE:
        return "tables.none_or_unknown"
    return {"whole": "tables.not_whole", "number": "tables.not_number", "flag": "tables.not_flag"}[
        column.kind
    ]


def _left_out(
    table: Table, raw: Raw, column: Column, cells: pd.Series, written: list[str], header: str
) -> list[Finding]:
    """What was left out of the cells of a column: unseen characters, a number's format on an id, words for an empty cell."""
    rows = [int(i) + raw.first_row for i in cells.index]
    found = []

    def note(key: str, at: list[int], **fields: object) -> None:
        place = (raw.file, table.name, rows[at[0]], header)
        found.append(Finding("note", key, {"count": len(at), **fields}, *place))

    compared = column.kind != "text" or id_like(column)
    if compared and (at := [i for i, t in enumerate(written) if invisible(t)]):
        shown = sorted({code for i in at for code in invisible(written[i]).split(", ")})
        note("tables.invisible", at, codes=", ".join(shown))
    if is_id(column) and (at := [i for i, t in enumerate(written) if id_text(t) != bare(t)]):
        first = written[at[0]]
        note("tables.id_form", at, before=first, after=id_text(first))
    if not (column.kind == "text" and column.required):
        words = EMPTY - {"", *column.choices, str(column.default)}
        if at := [i for i, t in enumerate(written) if len(t) < 9 and bare(t).lower() in words]:
            note("tables.empty_words", at, words=", ".join(sorted({written[i] for i in at})))
    return found


def _stand_in(column: Column) -> object:
    """A harmless value for a cell already reported, so that it is not reported twice."""
    if column.kind == "flag":
        return False
    return column.choices[0] if column.choices else (column.low if column.low is not None else "-")


def ids_of(table: Table, raw: Raw, frame: pd.DataFrame) -> pd.DataFrame:
    """Keys and references of all rows as text, by spreadsheet row; empty where they cannot be read."""
    names = list(dict.fromkeys([*table.key, *(c for c, _, _ in table.refers)]))
    done = {}
    for name in names:
        if name in frame:
            values, wrong = coerce(table.column(name), frame[name])
            done[name] = [
                ""
                if bad or pd.isna(v) or _gone(name, str(was))
                else (f"{v:g}" if isinstance(v, float) else str(v))
                for v, bad, was in zip(values, wrong, frame[name], strict=True)
            ]
        else:
            done[name] = [""] * len(frame)
    return pd.DataFrame(
        done, index=[int(i) + raw.first_row for i in frame.index], columns=names, dtype=object
    )


def _gone(name: str, text: str) -> bool:
    """Whether nothing is left of an id: an error of the spreadsheet, a date. Of a rounded one the first digits are."""
    return bare(text).upper() in ERROR_VALUES or (name in IDS and made_a_date(id_text(text)))
