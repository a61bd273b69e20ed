"""Verbs about a county's data on the command line: areas. Words only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from geodata.areas.export import refuse_geopackage, write_areas
from geodata.folder.reading import read_county
from optimizer.cli.main import FolderArgument, LanguageOption, _exits, _out, app


@app.command()
def areas(
    folder: FolderArgument,
    target: Annotated[Path, typer.Option("--out", help="New GeoPackage, .gpkg. 新图层文件。")],
    language: LanguageOption = "zh",
) -> None:
    """Draw zones, today's catchments and walking service areas. 绘制分区、现有学区和步行服务范围。"""
    out = _out(language)
    with _exits(out):
        refuse_geopackage(target)
        out.findings(write_areas(read_county(folder), target))
        out.say("areas", style="bold green", file=str(target))
