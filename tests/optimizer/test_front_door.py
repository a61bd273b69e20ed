"""The command before a verb is called, the versions, how little is imported for them; and its code when its reader is gone."""

from __future__ import annotations

import errno
import inspect
import io
import os
import pkgutil
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import highspy
import pytest
import typer
from typer.testing import CliRunner

import optimizer.versions as own
from optimizer.cli.console import Out, exits
from optimizer.cli.main import VERBS, app
from optimizer.cli.terminal.paper import Paper

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {
    "docx",
    "folium",
    "geopandas",
    "matplotlib",
    "numba",
    "openpyxl",
    "osmnx",
    "pandas",
    "pyomo",
    "scipy",
}


def imported(*arguments: str) -> set[str]:
    """Which of the heavy libraries a command line of its own has loaded when it ends."""
    code = (
        "import atexit, sys\n"
        f"atexit.register(lambda: print('loaded', *({HEAVY!r} & set(sys.modules))))\n"
        "from optimizer.cli.start import start\n"
        "start()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], check=True, capture_output=True, text=True, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    return set(done.stdout.rsplit("loaded", 1)[1].split())


@pytest.mark.skipif(os.name != "posix", reason="locales are named otherwise there")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--help"], "检查数据"), (["check", "没有", "--lang", "zh"], "错误 没有：没有这个文件夹。")],
    ids=["help", "check"],
)
def test_the_c_locale_has_no_question_marks(tmp_path, arguments, said):
    """Without any encoding stated Chinese is written as UTF-8; a stated one is kept."""
    command = [sys.executable, "-c", "from optimizer.cli.start import start; start()", *arguments]
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "PYTHON"))}
    env = {**plain, "PYTHONPATH": str(ROOT), "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    ended = subprocess.run(command, capture_output=True, cwd=tmp_path, env=env)
    text = (ended.stdout + ended.stderr).decode("utf-8")
    assert said in text and "?" not in text and "Traceback" not in text


def test_the_list_of_verbs_has_their_own_first_sentences():
    for name, (where, sentence) in VERBS.items():
        verb = pkgutil.resolve_name(f"optimizer.cli.{where}")
        assert inspect.getdoc(verb).partition("\n\n")[0] == sentence, name
        shown = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "300"})
        assert (shown.exit_code, sentence in shown.output) == (0, True), name
    listed = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "300"})
    assert [s for _, s in VERBS.values() if s not in listed.output] == []


def test_the_list_of_verbs_imports_no_library_of_theirs():
    assert imported("--help") == set()


def test_a_verb_about_tables_imports_neither_solver_nor_maps():
    """Reading a county takes geopandas and what it brings."""
    assert imported("check", "--help") & {"docx", "folium", "matplotlib", "numba", "osmnx", "pyomo"} == set()


def test_versions_are_those_at_work():
    said = CliRunner().invoke(app, ["--version"])
    assert said.exit_code == 0
    versions = dict(line.split(" ") for line in said.output.splitlines())
    assert list(versions) == ["junheng", "Python", "HiGHS", "GDAL", "PROJ", "GEOS"]
    assert versions["Python"] == ".".join(map(str, sys.version_info[:3]))
    assert versions["HiGHS"] == highspy.Highs().version()
    assert all(v[0].isdigit() for v in versions.values())


@pytest.mark.parametrize("installed", [True, False])
def test_the_version_is_that_of_the_project_installed_or_not(monkeypatch, installed):
    def version(name: str) -> str:
        if not installed:
            raise PackageNotFoundError(name)
        return "7.8.9"

    monkeypatch.setattr(own, "version", version)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert own.at_work()["junheng"] == ("7.8.9" if installed else project["version"])


class Gone(io.StringIO):
    """An output that fails."""

    def __init__(self, number: int):
        super().__init__()
        self.number = number

    def write(self, text: str) -> int:
        raise OSError(self.number, os.strerror(self.number))


@pytest.mark.parametrize(
    ("number", "wrong", "code"),
    [(errno.EPIPE, True, 2), (errno.EPIPE, False, 0), (errno.ENOSPC, False, 2), (errno.ENOSPC, True, 2)],
)
def test_a_reader_who_went_away_changes_no_exit_code(
    monkeypatch: pytest.MonkeyPatch, number: int, wrong: bool, code: int
) -> None:
    """``junheng check county | head`` once ended with 0 whatever was wrong; a full disk is a fault by itself."""
    monkeypatch.setattr(os, "dup2", lambda *_: 0)
    out = Out(Paper(file=Gone(number)), "en")

    def verb() -> None:
        with exits(out, "check"):
            out.say("checked", errors=int(wrong), findings=int(wrong))
        raise typer.Exit(2 if wrong else 0)

    with pytest.raises(typer.Exit) as ended:
        verb()
    assert ended.value.exit_code == code
