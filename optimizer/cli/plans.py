"""The verbs about plans that exist: evaluate, compare, replay. Words and tables only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import pandas as pd
import typer
from rich.table import Table
from rich.text import Text

from geodata.contract.county import County
from geodata.contract.placenames import both_names
from geodata.messages import catalogue, say
from geodata.standards.scheme import Norms
from maps.dossier.dossier import is_dossier, write_dossier, write_public
from maps.folders.compared import COMPARE_MARKER, write_compared
from maps.folders.writing import may_write
from maps.front.text import change_amounts, measure_unit, measure_values, of_unit, place_words, plainly
from maps.layers import places_in
from maps.lettered import ENGLISH
from maps.reports.letterhead import read_letterhead
from maps.wording import listed
from maps.wording import name as in_words
from models.plan.differences.edits import ledger_edits
from models.plan.keeping import decision_said
from models.plan.names import Names
from models.plan.record import read_plan, read_record
from optimizer.cli.asking import asked_county
from optimizer.cli.console import (
    REJECTED,
    DatabaseOption,
    FolderArgument,
    LanguageOption,
    LetterheadOption,
    Out,
    OutsideOption,
    OverwriteOption,
    PublicOption,
    ScenarioOption,
    exits,
    figure,
    output,
    progress,
    refuse_folder,
    refuse_shared,
    rule_word,
)
from optimizer.cli.studies.again import replay_study
from optimizer.study.replaying import study_record
from optimizer.verbs.evaluate import MOST_ALONE, Evaluation, evaluate
from optimizer.verbs.recorded import both_plans
from optimizer.verbs.repair import SECONDS, Repair, nearest_repair
from optimizer.verbs.replay import replay

DIFFERS = 1
SHOWN = 200
DossierArgument = Annotated[
    Path, typer.Argument(help="Dossier folder, plan.csv, plan.gpkg or run.json. 方案文件夹或文件。")
]


def evaluate_command(
    folder: FolderArgument,
    workbook: Annotated[Path, typer.Argument(help="plan.xlsx after editing. 编辑后的方案工作簿。")],
    dossier: Annotated[
        Path | None, typer.Option("--out", help="Folder for a dossier of it. 方案文件夹。")
    ] = None,
    scenario: ScenarioOption = None,
    repair: Annotated[
        bool,
        typer.Option(
            "--repair/--no-repair",
            help="Look for the nearest plan that keeps the rules. 寻找最近的可行方案。",
        ),
    ] = True,
    seconds: Annotated[
        float, typer.Option(min=1, help="How long it is looked for. 寻找的时限（秒）。")
    ] = SECONDS,
    letterhead: LetterheadOption = None,
    public: PublicOption = None,
    language: LanguageOption = "zh",
    overwrite: OverwriteOption = False,
    outside: OutsideOption = False,
    database: DatabaseOption = None,
) -> None:
    """Judge a plan edited by hand: every edit, what breaks, measures before and after. 评估手工修改的方案。"""
    out = output(language)
    with exits(out, "evaluate"):
        if dossier is not None:
            refuse_folder(dossier, overwrite, is_dossier, "workbook.not_a_dossier")
        if public is not None:
            refuse_shared(public, dossier)
            refuse_folder(public, overwrite, is_dossier, "workbook.not_a_dossier")
        template = None if letterhead is None else read_letterhead(letterhead)
        county, asked = asked_county(folder, outside, database, scenario)
        out.about(county)
        found = evaluate(county, workbook, asked)
        out.findings(found.findings)
        out.say_as(
            "plan.edits",
            style="bold",
            count=len(found.edits),
            before=found.original.plan_id,
            after=found.result.plan.plan_id,
        )
        broken = [_broken(row, county.norms, language) for row in found.violations.to_dict("records")]
        _print_edits(
            out,
            found.edits,
            county,
            [[broken[i] for i in at] for at in found.edits["broken"]],
        )
        if broken:
            out.say_as("plan.broken", style="bold red")
            for line in broken[:SHOWN]:
                out.console.print(Text(f"  {line}"))
        _print_measures(out, found.measures)
        _print_alone(out, found, county)
        out.say_as(
            "plan.accepted" if found.accepted else "plan.rejected",
            style="bold green" if found.accepted else "bold red",
        )
        if repair and not found.accepted:
            with progress(out) as report:
                nearest = nearest_repair(
                    county, found.original, found.result.plan, asked, found.result.times, seconds, report
                )
            _print_repair(out, nearest, county)
        if dossier is not None:
            place = write_dossier(found.result, dossier, language, overwrite, template)
            out.say("written", style="bold green", folder=str(place))
        if public is not None:
            place = write_public(found.result, public, language, overwrite, template)
            out.say("public", style="bold green", folder=str(place))
    if not found.accepted:
        raise typer.Exit(REJECTED)


def _print_alone(out: Out, found: Evaluation, county: County) -> None:
    """What each edited decision alone changes of the measures, a line each."""
    if found.edits["row_id"].nunique() < 2 or found.alone.empty:
        return  # one edit alone is what the table of measures shows
    language, names = out.language, Names(county)
    rows = {r["row_id"]: r for p in (found.original, found.result.plan) for r in p.ledger.to_dict("records")}
    out.say_as("plan.alone", style="bold")
    for row_id, lines in found.alone.groupby("row_id", sort=False):
        changed = [
            f"{rule_word('measure', r.measure, language)} {' → '.join(measure_values(r.unit, r.before, r.after))} "
            f"{in_words('unit', measure_unit(r.unit), language)}".rstrip()
            for r in lines.itertuples()
        ]
        what = decision_said({**rows[row_id], "held_quantity": True}, names)[language]
        out.say_as("plan.alone_line", row=row_id, what=what, changes=listed(changed, language))
    if found.edits["row_id"].nunique() > MOST_ALONE:
        out.say_as("plan.alone_more", count=MOST_ALONE)


def _print_repair(out: Out, found: Repair, county: County) -> None:
    """The nearest plan that keeps the rules: how near, what it changes, which edits it gives up."""
    fields: dict[str, object] = {"seconds": f"{found.seconds:.0f}", "limit": f"{found.limit:.0f}"}
    if found.plan is None:
        out.say_as(
            "plan.repair_never" if found.status == "infeasible" else "plan.repair_none",
            style="bold red",
            **fields,
        )
        return
    names, language = Names(county), out.language
    key = "plan.repair_proven" if found.status == "proven" else "plan.repair_found"
    fields |= {
        "distance": figure(found.distance),
        "bound": figure(max(0.0, found.bound)),
        "count": len(found.changes),
    }
    out.say_as(key, style="bold green", **fields)
    for row in found.given_up.to_dict("records"):
        out.say_as("plan.given_up", what=decision_said(row, names)[language], row=row["row_id"])
    _print_edits(out, found.changes, county, None)


def compare_command(
    first: DossierArgument,
    second: DossierArgument,
    target: Annotated[
        Path | None,
        typer.Option(
            "--out", help="Folder for both maps and a table with causes. 两幅地图和理由表的文件夹。"
        ),
    ] = None,
    county: Annotated[
        Path | None, typer.Option(help="Folder of the county, if it moved. 县数据文件夹。")
    ] = None,
    language: LanguageOption = "zh",
    overwrite: OverwriteOption = False,
) -> None:
    """Two plans: decisions that differ, measures; with --out causes and maps too. 比较两个方案。"""
    out = output(language)
    with exits(out, "compare"):
        pair = None
        if target is not None:
            refuse_shared(target, first, second)
            may_write(target, COMPARE_MARKER, overwrite)
            pair = both_plans(first, second, county)
            out.about(pair.first.county)
        edits = ledger_edits(read_plan(first), read_plan(second))
        out.say_as("plan.differs", style="bold", count=len(edits), first=str(first), second=str(second))
        _print_edits(out, edits, None, None, {**places_in(second), **places_in(first)})
        records = [
            read_record(p).get("measures", {})
            for p in (first, second)
            if p.is_dir() or p.suffix.lower() == ".json"
        ]
        if len(records) == 2:
            a, b = records
            rows = [
                {
                    "measure": m,
                    "unit": a[m]["unit"],
                    "before": a[m]["plan"],
                    "after": b[m]["plan"],
                    "today": a[m]["today"],
                }
                for m in a
                if m in b
            ]
            if rows:
                _print_measures(out, pd.DataFrame(rows))
        if pair is None or target is None:
            out.say_as("plan.compare_more")
        else:
            place = write_compared(pair, target, language, overwrite)
            out.say_as("plan.compare_written", style="bold green", folder=str(place))


def replay_command(
    record: Annotated[
        Path, typer.Argument(help="Dossier or study folder, or its record. 方案或研究文件夹，或其记录文件。")
    ],
    county: Annotated[
        Path | None, typer.Option(help="Folder of the county, if it moved. 县数据文件夹。")
    ] = None,
    target: Annotated[
        Path | None, typer.Option("--out", help="Folder for a study made again. 重做研究的文件夹。")
    ] = None,
    language: LanguageOption = "zh",
) -> None:
    """Make a recorded plan again and say whether it is the same. 按记录重算方案。"""
    out = output(language)
    with exits(out, "replay"):
        study = study_record(record)
        if study is not None:
            if not replay_study(out, study, county, target):
                raise typer.Exit(DIFFERS)
            return
        with progress(out) as report:
            found = replay(record, county, report)
        out.about(found.result.county)
        out.findings(found.findings)
        if found.same:
            out.say_as("plan.replayed", style="bold green", plan=found.recorded)
        else:
            out.say_as(
                "plan.not_replayed",
                style="bold red",
                before=found.recorded,
                after=found.result.plan.plan_id,
                count=len(found.edits),
            )
            _print_edits(out, found.edits, found.result.county, None)
    if not found.same:
        raise typer.Exit(DIFFERS)


def _broken(row: dict[str, object], norms: Norms, language: str) -> str:
    """A broken rule: which, where, by how much."""
    unit = in_words("unit", row["unit"], language)
    amount, limit, before = _side_by_side(row)
    place = place_words(str(row["place"]), norms, language)
    key = "plan.violation" if before is None else "plan.violation_worse"
    return say(
        key, language, before=before, rule=rule_word("rule", str(row["rule"]), language), place=place,
        kind=say(f"workbook.kind_{row['kind']}", language), amount=amount, limit=limit, unit=unit,
    )  # fmt: skip


def _side_by_side(row: dict[str, object]) -> tuple[str, str, str | None]:
    """Amount, limit and the amount before, where the rule was broken there already; what got worse is seen in them."""
    unit, was = row["unit"], cast(float, row["before"])
    amount, limit = (of_unit(row[c], unit) for c in ("amount", "limit"))
    if was != was:
        return amount, limit, None
    before = of_unit(was, unit)
    if before == amount:
        amount, before = change_amounts(unit, cast(float, row["amount"]), was)
    return amount, limit, before


def _print_edits(
    out: Out,
    edits: pd.DataFrame,
    county: County | None,
    broken: list[list[str]] | None,
    places: dict[tuple[str, str], str] | None = None,
) -> None:
    """An edit after the other: where, what, from what to what, what breaks there; seven columns fit no terminal.

    ``places`` are names where there is no county.
    """
    if edits.empty:
        return
    language = out.language
    names = Names(county) if county is not None else None

    def called(kind: str, key: object) -> str:
        if names:
            return names.label(kind, str(key), language)
        if kind in ("stage", "band", "mode"):
            return catalogue(language).get(f"workbook.{kind}_{key}", str(key))
        found = (places or {}).get((kind, str(key)))
        if found and language == ENGLISH:
            found = both_names(found)
        return f"{found} [{key}]" if found else str(key)

    for number, row in enumerate(edits.head(SHOWN).to_dict("records")):
        kinds = {
            "village_id": "village",
            "school_id": "school",
            "from_id": "school",
            "to_id": "school",
            "stage": "stage",
            "band": "band",
        }
        where = " ".join(called(k, row[c]) for c, k in kinds.items() if row[c] and c != row["column"])
        item = (
            in_words("category", row["item"], language)
            if row["action"] in ("transfer", "hire")
            else in_words("resource", row["item"], language)
        )
        values = [_value(row["column"], v, called, language) for v in (row["before"], row["after"])]
        decision = say(f"plan.action_{row['action']}", language)
        title = f"{row['row_id']}  {decision}: {where} {item}".rstrip()
        out.console.print(Text(title, style="bold"), soft_wrap=not out.console.is_terminal)
        edit = say(f"plan.edit_{row['edit']}", language)
        lines = [f"{edit}: {values[0]} → {values[1]}"]
        if broken and broken[number] and not _said_next(edits, broken, number):
            lines.append(f"{say('plan.col_breaks', language)}:")
            lines += [f"   {one}" for one in broken[number]]
        for line in lines:
            out.console.print(Text(f"   {line}"), soft_wrap=not out.console.is_terminal)
    if len(edits) > SHOWN:
        out.say_as("plan.more", count=len(edits) - SHOWN)


def _said_next(edits: pd.DataFrame, broken: list[list[str]], number: int) -> bool:
    """Whether the next cell of the same decision breaks the same."""
    ids = edits["row_id"]
    after = number + 1
    return after < len(ids) and ids.iloc[after] == ids.iloc[number] and broken[after] == broken[number]


def _value(column: str, value: object, called: object, language: str) -> str:
    if value is None or value != value:
        return "-"
    if column == "quantity":
        return plainly(value)
    if column == "state":
        return say("workbook.yes" if value == "open" else "workbook.no", language)
    return called("school" if column == "to_id" else "mode", value)  # type: ignore[operator, no-any-return]


def _print_measures(out: Out, measures: pd.DataFrame) -> None:
    grid = Table(*(say(f"plan.col_{h}", out.language) for h in ("measure", "unit", "before", "after")))
    for r in measures.itertuples():
        values = measure_values(r.unit, r.before, r.after)
        style = "bold" if values[0] != values[1] else ""
        grid.add_row(
            rule_word("measure", str(r.measure), out.language),
            in_words("unit", measure_unit(r.unit), out.language),
            *values,
            style=style,
        )
    out.console.print(grid)
