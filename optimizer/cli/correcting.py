"""The verb ``correct``: a correction sheet that came back, as a corrected copy of the county. Words only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from geodata.corrections.copying import correct
from maps.folders.writing import refuse_unwritable
from optimizer.cli.console import (
    DatabaseOption,
    FolderArgument,
    LanguageOption,
    OutsideOption,
    exits,
    output,
    refuse_shared,
)


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
        out.saved.append(target)
        out.findings([f for f in found if f.key.startswith("corrections.") or f.severity == "warning"])
        out.say_as("corrections.written", style="bold green", folder=str(target), count=len(done))
