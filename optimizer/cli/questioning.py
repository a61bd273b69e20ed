"""The verbs why and correct: a plan's decisions turned round, and the sheet that objects to its numbers. Words only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from geodata.contract.containment import whole_path
from geodata.corrections.copying import correct
from geodata.folder.interrupts import held
from maps.dossier.dossier import is_dossier
from maps.folders.writing import may_write, refuse_unwritable
from maps.why.folder import WHY_MARKER, write_why
from maps.why.words import place_said
from models.study.why import Whys
from optimizer.cli.console import (
    DatabaseOption,
    FolderArgument,
    LanguageOption,
    Out,
    OutsideOption,
    OverwriteOption,
    county_of,
    exits,
    output,
    progress,
    refuse_shared,
)
from optimizer.verbs.why import PLACE_SECONDS, changed_places, places_meant, recorded_plan, why
from optimizer.why.changes import NUMBERS


def why_command(
    folder: FolderArgument,
    plan: Annotated[Path, typer.Option("--plan", help="Dossier folder, or run.json. 方案文件夹。")],
    school: Annotated[
        list[str] | None, typer.Option("--school", help="School, by name or id; may be repeated. 学校。")
    ] = None,
    village: Annotated[
        list[str] | None, typer.Option("--village", help="Village, by name or id; may be repeated. 村。")
    ] = None,
    every: Annotated[
        bool,
        typer.Option("--all-changed", help="Every school and village that changes. 全部有变化的学校和村。"),
    ] = False,
    target: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for pages and the correction sheet. 页面和更正表文件夹。"),
    ] = None,
    seconds: Annotated[float, typer.Option(min=1, help="For each place. 每处的时限（秒）。")] = PLACE_SECONDS,
    flips: Annotated[
        bool, typer.Option("--flips/--no-flips", help="Look for what flips the decision. 是否寻找翻转点。")
    ] = True,
    whole: Annotated[
        bool,
        typer.Option("--whole", help="Decide the whole county anew in each question. 每问都重新决定全县。"),
    ] = False,
    language: LanguageOption = "zh",
    overwrite: OverwriteOption = False,
    outside: OutsideOption = False,
    database: DatabaseOption = None,
) -> None:
    """Why the plan decides as it does about a school or village, and what would flip it. 方案为什么这样决定。"""
    out = output(language)
    with exits(out, "why"):
        if target is not None:
            if whole_path(target).parent != whole_path(plan):
                refuse_shared(target, plan if plan.is_dir() else None)
            may_write(target, WHY_MARKER, overwrite)
        county = county_of(folder, outside, database)
        out.about(county)
        asked = recorded_plan(plan, county)
        schools, more = places_meant(county, "school", tuple(school or ()))
        villages, most = places_meant(county, "village", tuple(village or ()))
        if every:
            all_schools, all_villages = changed_places(asked.plan)
            schools, villages = (
                tuple(dict.fromkeys(x)) for x in ((*schools, *all_schools), (*villages, *all_villages))
            )
            count = len(schools) + len(villages)
            minutes = f"{count * seconds / 60:.0f}"
            out.say_as(
                "why.all_too_many", style="yellow", count=count, seconds=f"{seconds:.0f}", minutes=minutes
            )
        out.findings([*asked.findings, *more, *most])
        with progress(out) as report:
            found = why(
                county, asked, schools, villages, None, seconds, whole, NUMBERS if flips else (), report
            )
        if not found.places:
            raise KeyboardInterrupt  # stopped before the first answer
        _tell(out, found)
        if target is not None:
            _write(out, found, target, plan, overwrite)


def _tell(out: Out, found: Whys) -> None:
    """Every place in sentences."""
    for place in found.places:
        name, *lines = place_said(place, found.county, out.language)
        out.console.print(Text(name, style="bold"))
        for line in lines:
            out.console.print(Text(line), soft_wrap=not out.console.is_terminal)
        out.say_as("why.seconds", style="dim", seconds=f"{place.seconds:.0f}")
    if found.interrupted:
        out.say_as("why.interrupted", style="yellow", count=len(found.places))


def _write(out: Out, found: Whys, target: Path, plan: Path, overwrite: bool) -> None:
    """The pages, the sheet, the links."""
    dossier = plan if plan.is_dir() and is_dossier(plan) else None
    with held():
        place = write_why(found, target, out.language, overwrite, dossier)
    out.say_as("why.written", style="bold green", folder=str(place))
    if dossier is not None:
        out.say_as("why.linked", folder=str(dossier))


def correct_command(
    folder: FolderArgument,
    sheet: Annotated[Path, typer.Argument(help="Correction sheet, .xlsx, filled in. 填好的更正表。")],
    target: Annotated[
        Path, typer.Option("--out", help="New folder for the corrected county. 新县数据文件夹。")
    ],
    language: LanguageOption = "zh",
    outside: OutsideOption = False,
    database: DatabaseOption = None,
) -> None:
    """Check a correction sheet and write a corrected copy of the county, with a trail. 核对更正表并生成更正后的县数据。"""
    out = output(language)
    with exits(out, "correct"):
        refuse_shared(target, folder)
        refuse_unwritable(target)
        done, found = correct(folder, sheet, target, allow_outside=outside, databases=tuple(database or ()))
        out.findings([f for f in found if f.key.startswith("corrections.") or f.severity == "warning"])
        out.say_as("corrections.written", style="bold green", folder=str(target), count=len(done))
