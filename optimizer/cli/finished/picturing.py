"""The verb ``pictures``: every view of a plan's map as a PNG. Words only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from geodata.contract.containment import whole_path
from maps.dossier.dossier import is_dossier
from maps.folders.pictures import PICTURES, VIEWS, map_of, write_pictures
from maps.folders.writing import may_write
from optimizer.cli.console import LanguageOption, OverwriteOption, exits, output, refuse_shared

SMALLEST, LARGEST = 320, 8000
SideOption = typer.Option(min=SMALLEST, max=LARGEST, help="Dots. 像素。")


def pictures_command(
    dossier: Annotated[Path, typer.Argument(help="Dossier folder, or its map.html. 方案文件夹。")],
    target: Annotated[Path, typer.Option("--out", help="Folder for the pictures. 图片文件夹。")],
    width: Annotated[int, SideOption] = 1600,
    height: Annotated[int, SideOption] = 1000,
    language: LanguageOption = "zh",
    overwrite: OverwriteOption = False,
) -> None:
    """Every view of a plan's map as a PNG, made by an installed browser without the network. 方案地图各视图图片。"""
    out = output(language)
    with exits(out, "pictures"):
        map_of(dossier)
        if is_dossier(dossier) and whole_path(target).parent != whole_path(dossier):
            refuse_shared(target, dossier)
        may_write(target, PICTURES.marker, overwrite)
        place = write_pictures(dossier, target, language, (width, height), VIEWS, overwrite)
        out.say("pictures_written", style="bold green", folder=str(place), count=len(VIEWS))
