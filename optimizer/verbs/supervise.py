"""The verbs of supervision: ``archive`` a year in the ledger, ``supervise`` two of its years, carry on what is left to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from geodata.contract.county import County
from geodata.contract.findings import Finding, InputProblems
from geodata.travel.times import TravelTimes, travel_times
from geodata.years.chain import Chain, YearEntry, chain_findings
from geodata.years.ledger import TABLE, open_ledger
from models.plan.decisions import Plan, PlanResult
from models.plan.keeping import Held, decision_said
from models.plan.names import Names
from models.plan.record import RECORD, read_plan, read_record
from models.problem.baseline import today_groups
from models.problem.building import build_instance
from models.standards.norms import load_standards
from models.supervision.filed import Filed, filed_years, plan_entry, tables_entry
from models.supervision.supervision import Supervision, supervised
from models.supervision.unfinished import unfinished
from optimizer.infeasibility.unkept import keepable
from optimizer.outcomes import Infeasible, InterruptedWithPlan
from optimizer.scenario import Scenario
from optimizer.scenario_sheet import asked_of
from optimizer.search.task import Report
from optimizer.verbs.plan import plan as make_plan
from optimizer.verbs.repair import most_kept


class Broken(InputProblems):
    """A ledger whose entries do not fit together: it is neither added to nor reported on."""


def sound(chain: Chain, known: str = "") -> Chain:
    """A ledger whose chain holds.

    Raises
    ------
    Broken
        Every entry that was changed, removed or reordered.
    """
    found = chain_findings(chain, known)
    if found:
        raise Broken(found)
    return chain


def archive(
    place: str, county: County, plan: str | Path | PlanResult | None = None, table: str = TABLE
) -> tuple[list[YearEntry], list[Finding]]:
    """Add a year's tables, and the plan made for them, to a ledger of years.

    Parameters
    ----------
    place : str
        Of the ledger: a GeoPackage, or a connection to a database (`geodata.years.ledger.open_ledger`).
    county : County
    plan : str, Path, PlanResult or None
        A dossier, ``run.json``, ``plan.csv`` or ``plan.gpkg``; or what `optimizer.verbs.plan.plan` returned.
    table : str
        Of a database.

    Returns
    -------
    list of YearEntry
        What was added; what the ledger has already is not added again.
    list of Finding

    Raises
    ------
    InputProblems
        A plan that cannot be read or is not for this county and year; another county's ledger; another run is writing.
    Broken
    """
    wanted, found = [tables_entry(county)], []
    if plan is not None:
        made, record = _result_of(plan) if isinstance(plan, PlanResult) else _plan_of(Path(plan), county)
        wanted.append(plan_entry(county, made, record))
        if record.get("input_hash") not in (None, county.content_hash):
            fields: dict[str, object] = {"plan": made.plan_id, "year": str(county.year)}
            found.append(Finding("warning", "supervision.other_tables", fields, place))

    def fresh(chain: Chain) -> list[YearEntry]:
        sound(chain)
        others = sorted({e.county for e in chain.entries} - {county.name})
        if others:
            raise InputProblems(
                [
                    Finding(
                        "error",
                        "supervision.other_county",
                        {"county": ", ".join(others)},
                        chain.label,
                        value=county.name,
                    )
                ]
            )
        last = {(e.year, e.kind): e for e in chain.entries}
        new = [e for e in wanted if _differs(last.get((e.year, e.kind)), e)]
        found.extend(_known_or_corrected(chain.label, wanted, last))
        return new

    return open_ledger(place, table).append(fresh), found


def _differs(before: YearEntry | None, after: YearEntry) -> bool:
    return before is None or (before.content, before.payload) != (after.content, after.payload)


def _known_or_corrected(
    label: str, wanted: list[YearEntry], last: Mapping[tuple[int, str], YearEntry]
) -> list[Finding]:
    """What the ledger has already, and what stands in it otherwise: the entry before stays and no longer counts."""
    found = []
    for entry in wanted:
        before = last.get((entry.year, entry.kind))
        if before is not None:
            key = "corrected" if _differs(before, entry) else "known"
            fields: dict[str, object] = {"number": before.number, "year": str(entry.year), "kind": entry.kind}
            found.append(Finding("note", f"supervision.{key}_{entry.kind}", fields, label))
    return found


def _result_of(result: PlanResult) -> tuple[Plan, dict[str, Any]]:
    """A plan that was just made, and of its record what a ledger keeps."""
    solve = result.solve
    record = {"scenario": result.scenario, "status": solve.status, "objective": solve.objective}
    return result.plan, {**record, "input_hash": result.county.content_hash}


def _plan_of(path: Path, county: County) -> tuple[Plan, dict[str, Any]]:
    recorded = (path / RECORD).is_file() or path.suffix.lower() == ".json"
    return read_plan(path, county), read_record(path) if recorded else {}


def supervise(
    place: str,
    year: int | None = None,
    table: str = TABLE,
    known: str = "",
    same: Mapping[str, str] | None = None,
) -> Supervision:
    """Two years of a ledger beside each other: what was done, what moved and why, what is wrong now.

    Parameters
    ----------
    place : str
        Of the ledger, as for `archive`.
    year : int or None
        The later year; None takes the last. The earlier one is the next before it.
    table : str
        Of a database.
    known : str
        A seal that an earlier report names; the ledger must still have it.
    same : mapping of str to str or None
        This year's school id by last year's, where the names do not tell it.

    Returns
    -------
    Supervision

    Raises
    ------
    InputProblems
        No such ledger; not two years of tables; ids that no school has.
    Broken
    """
    chain = sound(open_ledger(place, table).read(), known)
    years = filed_years(chain)
    wanted = max(years, default=0) if year is None else year
    earlier = [y for y in years if y < wanted]
    if wanted not in years or not earlier:
        fields: dict[str, object] = {"years": ", ".join(map(str, years)) or "-"}
        raise InputProblems(
            [Finding("error", "supervision.two_years", fields, chain.label, value=str(wanted or ""))]
        )
    before, after = years[max(earlier)], years[wanted]
    _known_ids(same or {}, before, after)
    return supervised(before, after, chain.label, chain.head, same)


def _known_ids(same: Mapping[str, str], before: Filed, after: Filed) -> None:
    """Refuse pairs of ids of which a year has no school.

    Raises
    ------
    InputProblems
    """
    sides = ((list(same), before), (list(same.values()), after))
    found = [
        Finding("error", "supervision.no_such_school", {"year": str(one.year)}, value=i)
        for ids, one in sides
        for i in ids
        if i not in set(one.county.schools["school_id"])
    ]
    found += [
        Finding("error", "supervision.twice_same", {}, value=i)
        for i in sorted(set(same.values()))
        if list(same.values()).count(i) > 1
    ]
    if found:
        raise InputProblems(found)


@dataclass(frozen=True)
class CarriedOn:
    """A new year's plan, with what is left of last year's.

    Parameters
    ----------
    result : PlanResult
    asked : Held
        What was left to do.
    kept : Held
        What of it the plan keeps.
    findings : tuple of Finding
        Why the rest gave way.
    interrupted : bool
        Ctrl-C came after the plan was found.
    """

    result: PlanResult
    asked: Held
    kept: Held
    findings: tuple[Finding, ...]
    interrupted: bool = False


def carry_on(
    found: Supervision,
    county: County,
    scenario: Scenario | None = None,
    times: TravelTimes | None = None,
    report: Report | None = None,
) -> CarriedOn:
    """What the plan should now be: made from this year's tables, keeping last year's unfinished decisions as far as it can.

    Parameters
    ----------
    found : Supervision
    county : County
        This year's, with its roads; the same tables as in the ledger.
    scenario : Scenario or None
        None asks for what the county's scenario sheet says, or the default goals.
    times : TravelTimes or None
    report : callable or None

    Returns
    -------
    CarriedOn

    Raises
    ------
    InputProblems
        Other tables than those in the ledger.
    Infeasible, StoppedWithoutPlan, Rejected, Defect
        As of `optimizer.verbs.plan.plan`.
    """
    if county.content_hash != found.input_hash:
        fields: dict[str, object] = {"year": str(found.after.year)}
        raise InputProblems(
            [Finding("error", "supervision.not_archived", fields, str(county.folder or county.name))]
        )
    scenario = scenario or asked_of(county)[0]
    times, standards = times or travel_times(county), load_standards(county)
    asked, lost = unfinished(found.actions, county, today_groups(county, standards, times))
    said = [
        Finding("warning", "supervision.nothing_to_hold", {"row_id": r, "action": a})
        for r, a in zip(lost["row_id"], lost["action"], strict=True)
    ]
    inst = build_instance(county, standards, replace(scenario.request(), held=asked), times)
    kept, why = keepable(inst) if asked else (asked, [])
    said += [replace(f, severity="warning") for f in why]
    result, interrupted = None, False
    while result is None:
        try:
            result = make_plan(county, scenario, times, report, keep=kept)
        except InterruptedWithPlan as stop:
            result, interrupted = stop.result, True
        except Infeasible:  # together they can be kept by fractions only
            if not kept:
                raise
            fewer = most_kept(inst, kept, times, scenario.seconds)
            if not fewer or len(fewer.rows) == len(
                kept.rows
            ):  # who goes where binds most; without it, or with nothing
                rest = kept.without(set(kept.rows.loc[kept.rows["action"] == "attend", "row_id"]))
                fewer = rest if len(rest.rows) < len(kept.rows) else Held()
            said += _gave_way(kept, fewer, county)
            kept = fewer
    result = replace(result, findings=(*result.findings, *said))
    return CarriedOn(result, asked, kept, tuple(said), interrupted)


def _gave_way(before: Held, after: Held, county: County) -> list[Finding]:
    """Every decision that one has and the other has not; where the other has none, none was found in time."""
    if not after:
        return [Finding("warning", "supervision.none_in_time", {"count": len(before.rows)})]
    names = Names(county)
    gone = before.without(set(after.rows["row_id"])).rows.to_dict("records")
    return [Finding("warning", "supervision.gave_way", {"what": decision_said(r, names)}) for r in gone]
