"""Pictures of the map's views, made by one command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

import maps.folders.pictures as pictures
from geodata.contract.findings import InputProblems
from maps.dossier.rehearsal import UNFINISHED, Undrawn
from maps.folders.pictures import VIEWS, write_pictures
from maps.web.proposal import write_map
from models.plan.decisions import PlanResult
from optimizer.cli.main import app
from tests.maps.browsing import in_browser

GONE = "no browser of that name"


@pytest.fixture(scope="module")
def page(sample_result: PlanResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_map(sample_result, tmp_path_factory.mktemp("pictured") / "map.html")


@pytest.mark.browser
@in_browser[1]
def test_views_are_pictures_of_the_size_asked_for_and_differ(page: Path, tmp_path: Path) -> None:
    folder = write_pictures(page, tmp_path / "p", "en", (500, 400), ("minutes", "teachers"))
    assert sorted(f.name for f in folder.iterdir()) == ["minutes.png", "pictures.json", "teachers.png"]
    first, second = (Image.open(folder / f"{v}.png") for v in ("minutes", "teachers"))
    assert first.size == second.size == (500, 400) and first.tobytes() != second.tobytes()
    assert len(first.convert("RGB").getcolors(500 * 400) or ()) > 50  # something is drawn
    assert json.loads((folder / "pictures.json").read_text("utf-8"))["views"] == ["minutes", "teachers"]
    with pytest.raises(InputProblems, match="--overwrite"):
        write_pictures(page, folder)


def test_the_command_makes_every_view(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def drawn(browser: str, page: Path, link: str, size: tuple[int, int], file: Path) -> None:
        seen.append(f"{link} {size}")
        file.write_bytes(pictures.PNG)

    monkeypatch.setattr(pictures, "_picture", drawn)
    monkeypatch.setattr(pictures, "installed_browser", lambda: "browser")
    call = ["pictures", str(page), "--out", str(tmp_path / "all"), "--lang", "en", "--width", "360", "--height", "740"]  # fmt: skip
    run = CliRunner().invoke(app, call)
    assert run.exit_code == 0 and "9 views" in run.output
    assert seen == [f"view={v}&lang=en (360, 740)" for v in VIEWS]


def test_without_a_map_or_a_browser_it_is_said_in_words(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = CliRunner().invoke(app, ["pictures", str(tmp_path), "--out", str(tmp_path / "p"), "--lang", "en"])
    assert run.exit_code == 2 and "junheng plan" in run.output
    monkeypatch.setattr(pictures, "BROWSERS", (GONE,))
    monkeypatch.setattr(pictures, "ELSEWHERE", ())
    with pytest.raises(InputProblems, match=GONE):
        write_pictures(page, tmp_path / "p")
    assert not (tmp_path / "p").exists()


def test_a_browser_that_makes_nothing_leaves_a_mark(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "installed_browser", lambda: "true")
    with pytest.raises(Undrawn, match=r"today\.png"):
        write_pictures(page, tmp_path / "p", "en", views=("today",))
    assert (tmp_path / "p" / UNFINISHED).is_file() and not (tmp_path / "p" / "today.png").exists()
