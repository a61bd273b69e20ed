"""Pictures of a plan's map: every view as a PNG, made without the network by a browser that the machine has."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from geodata.contract.findings import Finding, InputProblems
from geodata.roads.scratch import scratch_folder
from maps.folders.writing import Output, write_folder

VIEWS = ("today", "proposal", "swipe", "closures", "minutes", "change", "compliance", "teachers", "devices")
"""As the page's buttons name them, in their order."""
MAP = "map.html"
PICTURES = Output("pictures.json", frozenset(f"{view}.png" for view in VIEWS))
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge", "microsoft-edge")  # fmt: skip
ELSEWHERE = (
    r"C:\Program Files\Google\Chrome\Application\chrome.exe", r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)  # fmt: skip
"""Where browsers are that no search path leads to."""
FLAGS = ("--headless=new", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-background-networking",
         "--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=4000")  # fmt: skip
"""Nothing is asked of any host; four seconds of the page's own clock are over at once."""
SECONDS = 90
PNG = b"\x89PNG"


class NoPicture(Exception):
    """The browser ended without a picture."""


def installed_browser() -> str | None:
    """A browser of the Chromium family that the machine has; None without one."""
    found = (shutil.which(name) for name in BROWSERS)
    there = (place for place in ELSEWHERE if Path(place).is_file())
    return next((f for f in found if f), None) or next(there, None)


def map_of(dossier: Path) -> Path:
    """The map of a dossier, or the page itself.

    Raises
    ------
    InputProblems
        There is none.
    """
    page = dossier / MAP if dossier.is_dir() else dossier
    if not page.is_file() or page.suffix.lower() != ".html":
        raise InputProblems([Finding("error", "cli.no_map", file=str(dossier))])
    return page


def write_pictures(
    dossier: Path,
    folder: Path,
    language: str = "zh",
    size: tuple[int, int] = (1600, 1000),
    views: Sequence[str] = VIEWS,
    overwrite: bool = False,
) -> Path:
    """Write a PNG of every view of a plan's map.

    Parameters
    ----------
    dossier : Path
        A dossier, or a ``map.html`` of one.
    folder : Path
    language : {"zh", "en"}
    size : (int, int)
        Width and height in dots; below 760 dots the page is laid out as on a phone.
    views : sequence of str
        Of `VIEWS`.
    overwrite : bool
        Replace earlier pictures.

    Returns
    -------
    Path

    Raises
    ------
    InputProblems
        Without a map, without a browser, or when the folder may not be written.
    maps.dossier.rehearsal.Undrawn
        The browser made some pictures only.
    """
    page, browser = map_of(dossier), installed_browser()
    if browser is None:
        raise InputProblems([Finding("error", "cli.no_browser", {"names": ", ".join(BROWSERS)})])
    record = {"map": page.name, "language": language, "width": size[0], "height": size[1], "views": list(views)}  # fmt: skip
    parts = [(f"{view}.png", partial(_picture, browser, page, f"view={view}&lang={language}", size)) for view in views]  # fmt: skip
    return write_folder(folder, PICTURES, overwrite, record, parts, language)


def _picture(browser: str, page: Path, link: str, size: tuple[int, int], file: Path) -> None:
    """One view: the browser opens the page at the link, waits until it is drawn, writes the picture and ends."""
    alone = (
        ("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()
    )  # it refuses root otherwise
    with scratch_folder() as profile:
        asked = (f"--user-data-dir={profile}", f"--window-size={size[0]},{size[1]}", f"--screenshot={file.absolute()}")  # fmt: skip
        command = [browser, *FLAGS, *alone, *asked, f"{page.absolute().as_uri()}#{link}"]
        run = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
    if not file.is_file() or file.read_bytes()[:4] != PNG:
        said = run.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise NoPicture(f"{Path(browser).name} ended with {run.returncode}: {''.join(said)}")
