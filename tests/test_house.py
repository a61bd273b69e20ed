"""The house rules that a machine can hold us to."""

from __future__ import annotations

import ast
import pkgutil
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("geodata", "models", "optimizer", "maps")
MODULES = sorted(p for package in PACKAGES for p in (ROOT / package).rglob("*.py"))
MOST_LINES = 450


def tracked() -> list[Path]:
    """Files under version control, or every source file where there is no repository."""
    if (ROOT / ".git").exists():
        names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
        return [p for name in names.decode().split("\0") if name and (p := ROOT / name).is_file()]
    return [*MODULES, *(ROOT / "tests").rglob("*.py"), ROOT / "README.md", ROOT / "pyproject.toml"]


def test_modules_stay_short():
    long = {
        p.relative_to(ROOT).as_posix(): n
        for p in MODULES
        if (n := len(p.read_text("utf-8").splitlines())) > MOST_LINES
    }
    assert len(MODULES) > 40
    assert long == {}


def test_imports_stand_at_the_top():
    """Nothing of ours is imported below a definition, unless inside a function that seldom runs."""
    low = []
    for path in MODULES:
        defined = False
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            defined |= isinstance(node, (ast.FunctionDef, ast.ClassDef))
            if defined and isinstance(node, (ast.Import, ast.ImportFrom)):
                low.append(f"{path.name}:{node.lineno}")
    assert low == []


def test_only_the_four_packages_and_the_front_door_are_importable():
    top = {p.parent.name for p in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks"}
    assert top == set(PACKAGES)
    assert [p.name for p in ROOT.glob("*.py")] == ["junheng.py"]


def test_the_front_door_only_hands_on_what_the_packages_have():
    tree = ast.parse((ROOT / "junheng.py").read_text(encoding="utf-8"))
    assert {type(node) for node in tree.body} == {ast.Expr, ast.ImportFrom, ast.Assign}
    brought = {a.name for node in tree.body if isinstance(node, ast.ImportFrom) for a in node.names}
    import junheng

    assert set(junheng.__all__) == brought
    for name in junheng.__all__:
        assert getattr(junheng, name).__doc__, name


@pytest.mark.parametrize("where", ["/" + "work/", "/" + "opt/", "/" + "tmp/", "/" + "root/", "/" + "home/"])
def test_no_paths_of_any_machine(where):
    texts = {".py", ".md", ".toml", ".yml", ".txt", ".csv", ".js", ".css", ".html", ".json", ""}
    own = Path(__file__).name
    found = [
        p.relative_to(ROOT).as_posix()
        for p in tracked()
        if p.suffix in texts
        and p.name != own
        and re.search(rf"(?<![\w./}}]){where}", p.read_text("utf-8", "replace"))
    ]
    assert found == []


def _texts() -> dict[str, str]:
    """Text files under version control by name, without this one."""
    kinds = {".py", ".md", ".toml", ".yml", ".csv", ".js", ".html"}
    return {
        p.relative_to(ROOT).as_posix(): p.read_text("utf-8", "replace")
        for p in tracked()
        if p.suffix in kinds and p.name != Path(__file__).name
    }


def _sections() -> dict[str, str]:
    """Sections of docs/sources.md by number, each with its text down to the next heading."""
    text = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")
    parts = re.split(r"^##+ (\d+(?:\.\d+)?) ", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_source_named_exists():
    """ "sources.md 2.1 school_bus" needs a section 2.1 that says something of school_bus."""
    sections = _sections()
    number = r"\d+(?:\.\d+)?"
    named = re.compile(rf"sources\.md ({number}(?:(?:-|, ){number})*)(?: ([A-Za-z]\w*_\w+|[CT]\d+)\b)?")
    unknown, found = [], 0
    for file, text in _texts().items():
        for numbers, word in named.findall(text):
            found += 1
            here = re.findall(number, numbers)
            if not set(here) <= set(sections) or (word and word not in "".join(sections[n] for n in here)):
                unknown.append(f"{file}: {numbers} {word}")
    assert found > 100
    assert unknown == []


def test_every_evidence_tag_is_listed():
    listed = set(re.findall(r"\bV\d+[a-z]?\b", _sections()["10"]))
    used = {
        (file, tag)
        for file, text in _texts().items()
        for cell in re.findall(r"\[(V\d+[a-z]?(?:, [VR]\d*[a-z]?)*)\]", text)
        for tag in re.findall(r"V\d+[a-z]?", cell)
    }
    assert len({tag for _, tag in used}) > 30
    assert {(file, tag) for file, tag in used if tag not in listed} == set()


def test_nothing_refers_to_papers_outside_the_repository():
    outside = re.compile(r"\b(domain|MODEL|FINDINGS|ARCHITECTURE|STYLE)\.md\b")
    assert {file for file, text in _texts().items() if outside.search(text)} == set()


def test_ci_runs_the_readme_s_own_test_command():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    (extract,) = re.findall(r"sed -n '(.+?)' README\.md", script)
    ran = subprocess.run(
        ["sed", "-n", extract, "README.md"], cwd=ROOT, capture_output=True, check=True, text=True
    )
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    fenced = [block.strip() for block in re.findall(r"```sh\n(.+?)```", readme, flags=re.DOTALL)]
    assert ran.stdout.strip() in fenced
    assert ran.stdout.count("\n") == 1
    assert ran.stdout.strip().endswith("python -m tests")
    assert 'bash -euc "$command"' in script


def _project() -> dict[str, Any]:
    """What pyproject.toml says about the distribution."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_command_is_where_the_installer_looks_for_it():
    (target,) = _project()["scripts"].values()
    assert callable(pkgutil.resolve_name(target))


def test_every_dependency_is_pinned():
    pinned = {
        re.split(r"[=<>~!\[ ]", line)[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    }
    project = _project()
    named = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    wanted = {re.split(r"[=<>~!\[ ]", one)[0].lower().replace("_", "-") for one in named}
    assert wanted - pinned == set()


def test_every_public_function_says_what_it_does():
    silent = []
    for path in MODULES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            known = isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_")
            if known and not ast.get_docstring(node):
                silent.append(f"{path.name}: {node.name}")
    assert silent == []
