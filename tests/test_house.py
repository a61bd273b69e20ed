"""The house rules that a machine can hold us to."""

from __future__ import annotations

import ast
import pkgutil
import re
import subprocess
import tomllib
import warnings
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("geodata", "models", "optimizer", "maps")
MODULES = sorted(p for package in PACKAGES for p in (ROOT / package).rglob("*.py"))
MANY_LINES, MOST_LINES = 400, 450
MOST_MODULES = 15
TWICE = {
    "Part", "attendance", "bands_from_top", "budget", "judged", "junior_per_township", "prices", "purchases", "settled",
    "staff_balance",
}  # fmt: skip
"""Public names that two modules still define."""
FRONT = ("junheng.py", "docs/hooks.py", "pyproject.toml")
ALONE = {"_goals_of_preset", "on_broken_pipe", "fewest_free", "_repr_html_", "of_stage", "whole_solution"}
"""Named once in the packages: notebooks call the first; the others wait for the rooms that are being rebuilt."""


def tracked() -> list[Path]:
    """Files under version control, or every source file where there is no repository."""
    if (ROOT / ".git").exists():
        names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
        return [p for name in names.decode().split("\0") if name and (p := ROOT / name).is_file()]
    return [*MODULES, *(ROOT / "tests").rglob("*.py"), ROOT / "README.md", ROOT / "pyproject.toml"]


def _lines() -> dict[str, int]:
    """Lines of every module by its name."""
    return {p.relative_to(ROOT).as_posix(): len(p.read_text("utf-8").splitlines()) for p in MODULES}


def test_modules_stay_short():
    """One idea a module: longer than `MANY_LINES` is worth a look, longer than `MOST_LINES` is not had."""
    lines = _lines()
    assert len(lines) > 40
    for name, count in lines.items():
        if MANY_LINES < count <= MOST_LINES:
            warnings.warn(f"{name} has {count} lines: does it hold two ideas?", stacklevel=1)
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}


def test_passing_files_lie_where_a_killed_runs_are_found():
    """A bare temporary folder outlives a killed run for ever: `scratch_folder` is the one that the next run clears."""
    bare = re.compile(r"TemporaryDirectory\(|mkdtemp\(|NamedTemporaryFile\(|mkstemp\(")
    found = {p.relative_to(ROOT).as_posix() for p in MODULES if bare.search(p.read_text("utf-8"))}
    assert found == {"geodata/roads/scratch.py"}


def test_rooms_stay_small():
    rooms = Counter(p.parent.relative_to(ROOT).as_posix() for p in MODULES if p.name != "__init__.py")
    assert {room: count for room, count in rooms.items() if count > MOST_MODULES} == {}


@cache
def _tree(path: Path) -> ast.Module:
    """A module as the compiler reads it."""
    return ast.parse(path.read_text(encoding="utf-8"))


def _public(tree: ast.Module) -> set[str]:
    """Functions and classes of a module that others may use."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    return {n.name for n in tree.body if isinstance(n, kinds) and not n.name.startswith("_")}


def _constants(tree: ast.Module) -> set[str]:
    """Names that a module assigns at its top level."""
    targets = [t for n in tree.body if isinstance(n, ast.Assign) for t in n.targets]
    targets += [n.target for n in tree.body if isinstance(n, ast.AnnAssign)]
    return {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}


def _defined() -> dict[str, set[str]]:
    """Where each public name is defined: functions, classes, and constants that other modules import."""
    trees = {p.relative_to(ROOT).as_posix(): _tree(p) for p in MODULES}
    taken = {
        (f"{node.module.replace('.', '/')}.py", alias.name)
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    where: dict[str, set[str]] = {}
    for name, tree in trees.items():
        for one in _public(tree) | {c for c in _constants(tree) if (name, c) in taken}:
            where.setdefault(one, set()).add(name)
    return where


def test_no_public_name_is_defined_twice():
    """A reader who looks a name up finds one thing. `TWICE` may only become shorter."""
    twice = {name: sorted(where) for name, where in _defined().items() if len(where) > 1}
    assert {name: where for name, where in twice.items() if name not in TWICE} == {}


def test_no_function_lives_for_tests_alone():
    """Every function and class is named again in the packages, the documentation or the benchmarks."""
    homes = [*PACKAGES, "benchmarks"]
    texts = [p.read_text(encoding="utf-8") for home in homes for p in (ROOT / home).rglob("*.py")]
    texts += [p.read_text(encoding="utf-8") for p in (ROOT / "docs").rglob("*.md")]
    texts += [(ROOT / name).read_text(encoding="utf-8") for name in FRONT]
    words = Counter(word for text in texts for word in re.findall(r"\w+", text))
    alone = {
        f"{path.relative_to(ROOT).as_posix()}: {node.name}"
        for path in MODULES
        for node in ast.walk(_tree(path))
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
        and not node.name.startswith("__")
        and words[node.name] == 1
        and node.name not in ALONE
    }
    assert alone == set()


def test_imports_stand_at_the_top():
    """Nothing of ours is imported below a definition, unless inside a function that seldom runs."""
    low = []
    for path in MODULES:
        defined = False
        for node in _tree(path).body:
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
        for node in _tree(path).body:
            known = isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_")
            if known and not ast.get_docstring(node):
                silent.append(f"{path.name}: {node.name}")
    assert silent == []
