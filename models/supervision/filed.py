"""What a ledger of years holds, in the words of the models: counties with their audits, and plans."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pandas as pd

from geodata.contract.county import County
from geodata.contract.findings import Finding, InputProblems
from geodata.years.chain import Chain, YearEntry, canonical_json
from geodata.years.county_record import county_from, county_record, frame_from, frame_record
from models.plan.decisions import Plan
from models.plan.ledger import LEDGER_COLUMNS
from models.plan.record import ledger_record
from models.referee.audit import Audit, audit

FORM = 1
"""Of what an entry holds; another program's may be another."""
TEXTS = [c for c in LEDGER_COLUMNS if c not in ("year", "quantity")]


@dataclass(frozen=True)
class Filed:
    """One year of a ledger: what was filed last for it.

    Parameters
    ----------
    year : int
    county : County
        Without roads.
    tables : YearEntry
    plan : Plan or None
    record : dict
        What the plan's run record said of it; empty without one.
    entry : YearEntry or None
        The plan's.
    """

    year: int
    county: County
    tables: YearEntry
    plan: Plan | None = None
    record: dict[str, Any] | None = None
    entry: YearEntry | None = None


def tables_entry(county: County) -> YearEntry:
    """A county's tables and audit, to be added to a ledger."""
    payload = {"form": FORM, "county": county_record(county), "audit": _audit_record(audit(county))}
    return YearEntry(0, county.year, "tables", county.name, county.content_hash, canonical_json(payload))


def plan_entry(county: County, plan: Plan, record: dict[str, Any]) -> YearEntry:
    """A plan, to be added to a ledger.

    Parameters
    ----------
    county : County
    plan : Plan
    record : dict
        Of its run; empty where only the ledger of the plan is known.
    """
    kept = ("input_hash", "scenario", "status", "objective", "bound", "measures", "versions", "held")
    payload = {
        "form": FORM,
        "ledger": ledger_record(plan),
        "record": {k: record[k] for k in kept if k in record},
    }
    return YearEntry(0, county.year, "plan", county.name, plan.plan_id, canonical_json(payload))


def _audit_record(found: Audit) -> dict[str, Any]:
    return {
        "stages": frame_record(found.stages),
        "cv": frame_record(found.cv[["stage", "indicator", "cv_today"]]),
        "passes": frame_record(found.units[["unit_id", "passes_today"]]),
    }


def filed_years(chain: Chain) -> dict[int, Filed]:
    """The years of a ledger, the last entry of each kind counting; a plan without tables of its year is left out.

    Raises
    ------
    InputProblems
        An entry of another form.
    """
    tables = {e.year: e for e in chain.entries if e.kind == "tables"}
    plans = {e.year: e for e in chain.entries if e.kind == "plan"}
    done = {}
    for year, entry in sorted(tables.items()):
        county = county_from(_content(entry, chain.label)["county"])
        if year not in plans:
            done[year] = Filed(year, county, entry)
            continue
        content = _content(plans[year], chain.label)
        done[year] = Filed(
            year, county, entry, _plan_from(content["ledger"], year), content["record"], plans[year]
        )
    return done


def _content(entry: YearEntry, label: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(entry.payload)
    if content.get("form") != FORM:
        fields: dict[str, object] = {"number": entry.number, "form": str(content.get("form")), "known": FORM}
        raise InputProblems([Finding("error", "supervision.other_form", fields, label)])
    return content


def _plan_from(rows: list[dict[str, Any]], year: int) -> Plan:
    table = pd.DataFrame(rows, columns=LEDGER_COLUMNS, dtype=object)
    table[TEXTS] = table[TEXTS].fillna("")
    return Plan(table.astype({"year": "int64", "quantity": "float64"}), (year,))


def filed_findings(one: Filed, label: str) -> list[Finding]:
    """What is odd about a year: a plan for other tables, an audit that is reckoned otherwise today."""
    found = []
    year = {"year": str(one.year)}
    made_for = (one.record or {}).get("input_hash")
    if one.plan is not None and made_for and made_for != one.tables.content:
        found.append(
            Finding("warning", "supervision.other_tables", {**year, "plan": one.plan.plan_id}, label)
        )
    then = json.loads(one.tables.payload)["audit"]
    now = _audit_record(audit(one.county))
    if not all(_same(frame_from(then[k]), frame_from(now[k])) for k in then):
        found.append(Finding("warning", "supervision.other_audit", dict(year), label))
    return found


def _same(a: pd.DataFrame, b: pd.DataFrame) -> bool:
    """Equal but for the last digits."""
    try:
        pd.testing.assert_frame_equal(a, b, rtol=1e-9, check_dtype=False)
    except AssertionError:
        return False
    return True
