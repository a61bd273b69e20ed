"""What was found wrong or worth knowing about the input, place by place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd

from geodata.contract.tables import column_words
from geodata.messages import LANGUAGES, catalogue, say

Severity = Literal["error", "warning", "note"]


SPOKEN = ("analysis", "cli", "plan", "reasons", "why")
"""Rooms of messages about plans: ids in their fields are said in words; those about tables show what stands there."""
OFFERED = {"zh": ("tables",)}
"""Rooms whose ids are words where a table in that language offers words to choose from."""
IN_WORDS = {
    "rule": "rules.rule_", "norm": "rules.rule_", "unit": "rules.unit_", "goal": "goals.", "band": "workbook.band_",
    "stage": "workbook.stage_", "mode": "workbook.mode_", "earmark": "rules.earmark_", "kind": "template.word_kind_",
}  # fmt: skip
"""Fields that hold ids, and where their words stand; an id without words stays as it is."""


def _spoken(name: str, value: object, language: str) -> object:
    return catalogue(language).get(f"{IN_WORDS[name]}{value}", value) if name in IN_WORDS else value


def in_language(value: Any, language: str) -> Any:
    """A field's value in a language, where it differs by language."""
    return value.get(language, "") if isinstance(value, dict) else value


def _whole(value: object) -> object:
    """30.0 minutes are 30 minutes."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


@dataclass(frozen=True)
class Finding:
    """One problem or remark, with the place and what to do.

    An *error* stops the run, a *warning* is something a planner should look at, a *note* records
    what was imputed, converted, snapped far or left out. Nothing is done in silence.

    Parameters
    ----------
    severity : {"error", "warning", "note"}
    key : str
        Message key, ``<file>.<name>``; the message ends with what to do.
    fields : dict
        Values for the message; one that differs by language is ``{"zh": ..., "en": ...}``.
    file, table, column, value : str
        The place; empty where it does not apply.
    row : int or None
        Row number as the spreadsheet shows it (the header is row 1).
    """

    severity: Severity
    key: str
    fields: dict[str, object] = field(default_factory=dict, hash=False)
    file: str = ""
    table: str = ""
    row: int | None = None
    column: str = ""
    value: str = ""

    def text(self, language: str = "en") -> str:
        """The message without its place."""
        flags = {True: say("findings.yes", language), False: say("findings.no", language)}
        told = {k: in_language(v, language) for k, v in self.fields.items()}
        fields = {k: flags[v] if isinstance(v, bool) else v for k, v in told.items()}
        if self.key.partition(".")[0] in (*SPOKEN, *OFFERED.get(language, ())):
            fields = {k: _spoken(k, _whole(v), language) for k, v in fields.items()}
        return say(
            self.key,
            language,
            **{
                "file": self.file,
                "table": self.table,
                "row": self.row if self.row is not None else "",
                "column": self.column,
                "value": self.value,
                **fields,
            },
        )

    def place(self, language: str = "en") -> str:
        """``schools.csv, row 3, column 'capacity'``, as far as it is known."""
        parts = [self.file or self.table]
        if self.row is not None:
            parts.append(say("findings.row", language, row=self.row))
        if self.column:
            parts.append(
                say("findings.column", language, column=column_words(self.table, self.column, language))
            )
        return say("findings.comma", language).join(p for p in parts if p)

    def sentence(self, language: str = "en") -> str:
        """Place and message: one line for a planner."""
        place = self.place(language)
        return place + say("findings.colon", language) + self.text(language) if place else self.text(language)


def errors(findings: Iterable[Finding]) -> list[Finding]:
    """Those that stop a run."""
    return [f for f in findings if f.severity == "error"]


MOST_OF_A_KIND = 200


def summed(findings: Iterable[Finding]) -> list[Finding]:
    """Findings with those of one kind beyond the 200th counted instead of listed.

    Returns
    -------
    list of Finding
        In their order, the counts at the end.
    """
    kept: list[Finding] = []
    first: dict[tuple[str, str, str, str], Finding] = {}
    count: Counter[tuple[str, str, str, str]] = Counter()
    for f in findings:
        kind = (f.severity, f.key, f.file or f.table, f.column)
        first.setdefault(kind, f)
        count[kind] += 1
        if count[kind] <= MOST_OF_A_KIND:
            kept.append(f)
    for same, f in first.items():
        if count[same] > MOST_OF_A_KIND:
            fields: dict[str, object] = {"count": count[same] - MOST_OF_A_KIND, "most": MOST_OF_A_KIND}
            kept.append(Finding(f.severity, "findings.more_alike", fields, f.file, f.table, None, f.column))
    return kept


def as_table(findings: Iterable[Finding], language: str = "en") -> pd.DataFrame:
    """Findings as a table (severity, file, row, column, value, message)."""
    columns = ["severity", "file", "row", "column", "value", "message"]
    rows = [(f.severity, f.file or f.table, f.row, f.column, f.value, f.text(language)) for f in findings]
    return pd.DataFrame(rows, columns=columns).astype({"row": "Int64"})


BETWEEN = " ‖ "
"""Stands between the languages in a cell that is read in either."""


def in_both(told: Mapping[str, str]) -> str:
    """Texts by language as one cell of a table; `in_one` takes one of them out again."""
    return BETWEEN.join(" ".join(told[language].split())[:300] for language in LANGUAGES)


def in_one(cell: object, language: str) -> str:
    """The text of a language in a cell that `in_both` made; any other cell as it is."""
    parts = str(cell).split(BETWEEN)
    return parts[LANGUAGES.index(language)] if len(parts) == len(LANGUAGES) else str(cell)


class InputProblems(Exception):
    """The input cannot be used; carries every finding, not only the first."""

    def __init__(self, findings: Iterable[Finding]):
        self.findings = list(findings)
        super().__init__("\n".join(f.sentence() for f in errors(self.findings)))

    def __reduce__(self) -> tuple[type[InputProblems], tuple[list[Finding]]]:
        return type(self), (self.findings,)  # a job's process hands it over whole


def input_problem(key: str, file: str, /, **fields: object) -> InputProblems:
    """One error about a file as a whole."""
    return InputProblems([Finding("error", key, fields, file=file)])
