"""The verbs about plans that exist: evaluate, compare, replay. Words and tables only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from rich.text import Text

from geodata.contract.county import County
from maps.dossier.dossier import is_dossier, write_dossier, write_public
from maps.folders.compared import COMPARE_MARKER, write_compared
from maps.folders.writing import may_write
from maps.front.text import measure_unit, measure_values
from maps.layers import places_in
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
from optimizer.cli.edits import MOST_EDITS, broken_said, print_edits, print_measures
from optimizer.cli.studies.again import replay_study
from optimizer.study.replaying import study_record
from optimizer.verbs.evaluate import MOST_ALONE, Evaluation, evaluate
from optimizer.verbs.recorded import both_plans
from optimizer.verbs.repair import SECONDS, Repair, nearest_repair
from optimizer.verbs.replay import replay

DIFFERS = 1
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
        _print_evaluation(out, found, county)
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


def _print_evaluation(out: Out, found: Evaluation, county: County) -> None:
    """The edits, what they break, the measures, and the verdict."""
    out.findings(found.findings)
    before, after = found.original.plan_id, found.result.plan.plan_id
    out.say_as("plan.edits", style="bold", count=len(found.edits), before=before, after=after)
    broken = [broken_said(row, county.norms, out.language) for row in found.violations.to_dict("records")]
    print_edits(out, found.edits, county, [[broken[i] for i in at] for at in found.edits["broken"]])
    if broken:
        out.say_as("plan.broken", style="bold red")
        for line in broken[:MOST_EDITS]:
            out.console.print(Text(f"  {line}"))
    print_measures(out, found.measures)
    _print_alone(out, found, county)
    verdict, colour = ("accepted", "green") if found.accepted else ("rejected", "red")
    out.say_as(f"plan.{verdict}", style=f"bold {colour}")


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
    print_edits(out, found.changes, county, None)


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
        print_edits(out, edits, None, None, {**places_in(second), **places_in(first)})
        measures = _both_measures(first, second)
        if len(measures):
            print_measures(out, measures)
        if pair is None or target is None:
            out.say_as("plan.compare_more")
        else:
            place = write_compared(pair, target, language, overwrite)
            out.say_as("plan.compare_written", style="bold green", folder=str(place))


def _both_measures(first: Path, second: Path) -> pd.DataFrame:
    """Measures that two records both have; no row where one is no record."""
    if not all(p.is_dir() or p.suffix.lower() == ".json" for p in (first, second)):
        return pd.DataFrame()
    a, b = (read_record(p).get("measures", {}) for p in (first, second))
    rows = [
        {"measure": m, "unit": a[m]["unit"], "before": a[m]["plan"], "after": b[m]["plan"], "today": a[m]["today"]}
        for m in a
        if m in b
    ]  # fmt: skip
    return pd.DataFrame(rows)


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
            print_edits(out, found.edits, found.result.county, None)
    if not found.same:
        raise typer.Exit(DIFFERS)
