"""The folder of a study: what it was about, and whether it may go on there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from geodata.contract.findings import Finding, InputProblems
from models.study.marker import study_of

ASIDE = ".new"
"""Ending of a hidden file that is not whole yet."""


class RowsFolder:
    """Where a study's rows are kept while they come.

    Parameters
    ----------
    place : Path
    marker : str
        The file that says which study it is.
    key : str
        Hash of everything that the rows follow from.
    names : tuple of str
        The study's files and folders, removed before another one takes their place.
    overwrite : bool
        Another study's rows are thrown away.

    Raises
    ------
    InputProblems
        The folder holds another study, or something else.
    """

    def __init__(self, place: Path, marker: str, key: str, names: tuple[str, ...], overwrite: bool):
        self.place, self.marker = place, marker
        if place.exists() and not place.is_dir():
            raise InputProblems([Finding("error", "cli.not_a_folder", file=str(place))])
        # of a run that was killed before the folder was known as a study's
        (place / f".{marker}{ASIDE}").unlink(missing_ok=True)
        if place.exists() and any(place.iterdir()) and self._key() != key:
            if not (place / marker).is_file():
                raise InputProblems(
                    [Finding("error", "analysis.not_ours", {"marker": marker}, file=str(place))]
                )
            if not overwrite:
                raise InputProblems([Finding("error", "stress.other_study", file=str(place))])
            self._clear(names)
        if self._key() != key:
            place.mkdir(parents=True, exist_ok=True)
            text = json.dumps({"study": key}) + "\n"
            self.keep(marker, lambda file: file.write_text(text, encoding="utf-8"))

    def _clear(self, names: tuple[str, ...]) -> None:
        for name in names:
            if (self.place / name).is_dir():
                shutil.rmtree(self.place / name)
            else:
                (self.place / name).unlink(missing_ok=True)

    def _key(self) -> str:
        return study_of(self.place / self.marker)

    def keep(self, name: str, write: Callable[[Path], object]) -> None:
        """Write a file aside and rename it; its folder is made where it is not there."""
        file = self.place / name
        file.parent.mkdir(exist_ok=True)
        aside = file.with_name(f".{file.name}{ASIDE}")
        write(aside)
        aside.replace(file)
