"""The documentation tells the truth: its examples run, its commands, names, links and rules exist."""

from __future__ import annotations

import ast
import contextlib
import importlib
import io
import json
import pkgutil
import re
import shlex
import tomllib
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit

import click
import pyomo.environ as pyo
import pytest
import typer
from mkdocs.commands.build import build
from mkdocs.config import load_config

import junheng
from geodata.contract.county import County
from geodata.contract.tables import TABLES
from geodata.travel.times import travel_times
from models.formulation.model import build_model
from models.plan.decisions import PlanResult
from models.problem.building import build_instance
from models.problem.request import Request
from models.rules.record import rule_of
from models.rules.registry import every_rule
from models.standards.norms import load_standards
from optimizer.cli.main import app
from optimizer.scenario import Scenario
from tests.samples import small_county

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
NAMES = [p.relative_to(DOCS).as_posix() for p in PAGES]
CAPABILITIES = (
    "index", "data", "travel-times", "indicators", "standards", "plan", "referee", "dossier", "demo", "method", "model/index",
    "model/network", "model/bands", "model/access", "model/classes", "model/staff", "model/items", "model/money",
    "model/imbalance", "model/goals", "model/guards",
)  # fmt: skip
FENCE = re.compile(
    r'^```(?P<kind>\w+)(?: title="(?P<title>[^"]*)")?\n(?P<body>.*?)^```$', re.MULTILINE | re.DOTALL
)


def hooks() -> ModuleType:
    """The MkDocs hook as a module."""
    loader = SourceFileLoader("docs_hooks", str(DOCS / "hooks.py"))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    """Every page with its generated parts filled in."""
    expand = hooks().expand
    return {name: expand(path.read_text(encoding="utf-8")) for name, path in zip(NAMES, PAGES, strict=True)}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder as the pages assume it: ``mycounty`` and the files that pages show."""
    folder = tmp_path_factory.mktemp("reader")
    county = small_county()
    (folder / "mycounty").mkdir()
    for name, table in county.tables().items():
        if len(table):
            table.to_csv(folder / "mycounty" / f"{name}.csv", index=False)
    head = f'name = "{county.name}"\nname_en = "{county.name_en}"\nyear = {county.year}\nfictional = true\n'
    (folder / "mycounty" / "county.toml").write_text(head, encoding="utf-8")
    for page, title, place in (
        ("plan.md", "scenario.toml", folder),
        ("standards.md", "ours.toml", folder / "mycounty"),
    ):
        for block in FENCE.finditer((DOCS / page).read_text(encoding="utf-8")):
            if block["title"] == title:
                (place / title).write_text(block["body"], encoding="utf-8")
    return folder


def run(page: str, space: dict[str, object]) -> list[tuple[str, str | None]]:
    """Run a page's python blocks in one namespace: what each printed and what the page says it prints."""
    text = (DOCS / page).read_text(encoding="utf-8")
    done: list[tuple[str, str | None]] = []
    blocks = list(FENCE.finditer(text))
    for block, after in zip(blocks, [*blocks[1:], None], strict=True):
        if block["kind"] != "python":
            continue
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(block["body"], page, "exec"), space)
        said = after["body"] if after is not None and after["title"] == "prints" else None
        done.append((out.getvalue(), said))
    return done


@pytest.fixture(scope="module")
def model_space(here: Path) -> dict[str, object]:
    """What the examples of the model chapter go on from."""
    space: dict[str, object] = {}
    with contextlib.chdir(here):
        run("model/index.md", space)
    return space


@pytest.fixture(scope="module", autouse=True)
def plans_once() -> Iterator[None]:
    """Pages that ask for the same plan of the same county share one solve; nothing else is replaced."""
    solve = junheng.plan
    made: dict[tuple[str, str], PlanResult] = {}

    def plan(county: County, scenario: Scenario | None = None, **more: object) -> PlanResult:
        if more.keys() - {"times"} or county.asked:  # times of a page are those that the county has by itself
            return solve(county, scenario, **more)
        key = (county.content_hash, (scenario or Scenario()).model_dump_json())
        if key not in made:
            made[key] = solve(county, scenario, **more)
        return made[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(junheng, "plan", plan)
        yield


@pytest.mark.parametrize("page", [n for n, p in zip(NAMES, PAGES, strict=True) if "```python" in p.read_text(encoding="utf-8")])  # fmt: skip
def test_examples_print_what_the_page_says(
    page: str, here: Path, model_space: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(here)
    goes_on = page.startswith("model/") and page != "model/index.md"
    for printed, said in run(page, dict(model_space) if goes_on else {}):
        assert said is not None, "a python block must be followed by what it prints"
        assert printed == said


@pytest.mark.parametrize("notebook", sorted(DOCS.glob("*.ipynb")), ids=lambda p: p.name)
def test_every_cell_of_a_notebook_runs_and_shows_what_it_ends_with(
    notebook: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(here)
    book = json.loads(notebook.read_text(encoding="utf-8"))
    assert (book["nbformat"], book["nbformat_minor"]) == (4, 5)
    assert len({c["id"] for c in book["cells"]}) == len(book["cells"])
    space: dict[str, object] = {}
    cells = ["".join(c["source"]) for c in book["cells"] if c["cell_type"] == "code"]
    assert len(cells) > 5
    for cell in cells:
        *before, last = ast.parse(cell).body
        assert isinstance(last, ast.Expr), "a cell ends with what it shows"
        exec(compile(ast.Module(before, []), notebook.name, "exec"), space)
        shown = eval(compile(ast.Expression(last.value), notebook.name, "eval"), space)
        assert hasattr(shown, "_repr_html_") or isinstance(shown, Path), cell
        assert len(repr(shown)) < 5000, cell


def test_every_capability_has_an_example() -> None:
    without = {n for n, p in zip(NAMES, PAGES, strict=True) if "```" not in p.read_text(encoding="utf-8")}
    assert without == {"limits.md", "sources.md", "zh/glossary.md", "zh/questions.md"}
    assert all("```python" in (DOCS / f"{n}.md").read_text(encoding="utf-8") for n in CAPABILITIES)


def test_county_toml_and_scenario_shown_are_valid() -> None:
    shown = {
        b["title"]: tomllib.loads(b["body"])
        for p in PAGES
        for b in FENCE.finditer(p.read_text(encoding="utf-8"))
        if b["kind"] == "toml" and b["title"]
    }
    assert set(shown) == {"county.toml", "scenario.toml", "ours.toml"}
    Scenario(**shown["scenario.toml"])
    importlib.import_module("geodata.folder.reading").Head(**shown["county.toml"])


def test_commands_shown_exist(pages: dict[str, str]) -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, click.Group) or hasattr(group, "commands")
    shown = set()
    for text in pages.values():
        for block in FENCE.finditer(text):
            if block["kind"] == "sh":
                shown |= {line for line in block["body"].splitlines() if line.strip()}
    ours = [shlex.split(line) for line in shown if line.startswith("junheng ")]
    assert {words[1] for words in ours} == set(group.commands)
    for _, name, *arguments in ours:
        group.commands[name].make_context(name, list(arguments))  # raises for an option that does not exist
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(line in readme for line in shown if not line.startswith("junheng "))


def test_every_table_and_column_is_documented(pages: dict[str, str]) -> None:
    text = pages["data.md"]
    for table in TABLES.values():
        section = text.split(f"### `{table.name}` {table.zh}")[1].split("\n##")[0]
        for column in table.columns:
            assert f"| `{column.name}` | {column.zh} |" in section


def test_every_rule_and_norm_is_documented(pages: dict[str, str]) -> None:
    text = pages["referee.md"]
    norms = load_standards(small_county()).rules
    for rule in (*[r.id for r in every_rule()], *norms):
        assert f"| `{rule}` | " in text
    table = text.split("## Rules")[1].split("## Norms")[0]
    apart = {
        "k_of_n",
        "assessed_min",
        "walk_speed_g1_3",
        "concession_min",
        "concession_max",
        "small_school_funds",
        "commute_minutes",
        "relief_built",
        "relief_migrants",
        "rotation_share",
        "rotation_backbone",
    }  # they measure, no rule asks for them
    assert {n for n in norms if f"`{n}`" not in table} == apart


def test_columns_said_to_change_nothing_do_not() -> None:
    text = (DOCS / "data.md").read_text(encoding="utf-8").split("## Columns that change nothing yet")[1]
    rows = re.findall(r"^\| `(\w+)` \| (`.*`) \|$", text, re.MULTILINE)
    said = {(table, c) for table, cells in rows for c in re.findall(r"`(\w+)`", cells)}
    users = [p for room in ("models", "optimizer", "maps") for p in (ROOT / room).rglob("*.py")]
    users += [*(ROOT / "geodata" / "standards").glob("*.toml"), ROOT / "geodata" / "folder" / "sharing.py"]
    code = "\n".join(p.read_text(encoding="utf-8") for p in users)
    silent = {
        (t.name, c.name)
        for t in TABLES.values()
        for c in t.columns
        if t.name != "standards" and not t.name.startswith("travel") and not re.search(rf"\b{c.name}\b", code)
    }
    silent.discard(("school_stage", "shared_assets"))  # already divided when the county is read
    # a name that two tables share is found in the code whichever is meant
    assert {s for s in said if s[1] != "boarders"} == {s for s in silent if s[1] != "boarders"}


def components(text: str) -> set[str]:
    """Names after ``component`` or ``components``, and those written as ``model.x``."""
    lists = re.findall(r"(?:components?|objectives?)\s+((?:`\w+`(?:,\s+|\s+and\s+)?)+)", text)
    return {n for part in lists for n in re.findall(r"`(\w+)`", part)} | set(
        re.findall(r"`model\.(\w+)`", text)
    )


def test_model_pages_name_every_component_and_no_other() -> None:
    """Components of a rule begin with its id and are not named one by one."""
    county = small_county()
    inst = build_instance(county, load_standards(county), Request(), travel_times(county))
    model = build_model(inst, whole=True)
    kinds = (pyo.Var, pyo.Constraint, pyo.Objective)
    stated = {c.local_name for kind in kinds for c in model.component_objects(kind)}
    ids = {r.id for r in every_rule()}
    have = {name for name in stated if rule_of(name) not in ids}
    named = set()
    for path in (DOCS / "model").glob("*.md"):
        named |= components(path.read_text(encoding="utf-8"))
    assert named - ids == have | (named & {"sends", "goes_to"})


def test_every_rule_has_an_equation() -> None:
    """Its id stands in backticks, or before its equation, on a page of the model that has equations."""
    texts = [p.read_text(encoding="utf-8") for p in (DOCS / "model").glob("*.md")]
    texts = [t for t in texts if "```text\n" in t]
    for one in every_rule():
        assert any(f"`{one.id}`" in t for t in texts), one.id


def test_functions_named_exist(pages: dict[str, str]) -> None:
    named = {
        n
        for text in pages.values()
        for n in re.findall(r"`((?:geodata|models|optimizer|maps)(?:\.\w+)+)`", text)
    }
    assert len(named) > 40
    for name in sorted(named):
        assert pkgutil.resolve_name(name) is not None


def test_unknown_generated_part_is_refused() -> None:
    with pytest.raises(Exception, match="no generated part 'nothing'"):
        hooks().expand("a\n<!-- generated: nothing -->\nb")


def test_site_builds_and_stays_offline(tmp_path: Path) -> None:
    config = load_config(str(ROOT / "mkdocs.yml"), strict=True, site_dir=str(tmp_path / "site"))
    config.plugins.on_startup(command="build", dirty=False)
    build(config)
    site = tmp_path / "site"
    assert not list(site.rglob("hooks.py"))
    files = {f.resolve() for f in site.rglob("*") if f.is_file()}
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert "<!-- generated" not in text
        loaded = re.findall(r'<(?:script|img|link|iframe)[^>]*?(?:src|href)="([^"]+)"', text)
        assert not [u for u in loaded if urlsplit(u).scheme in ("http", "https") or u.startswith("//")]
        if page.name == "404.html":
            continue  # served from any address, its links are absolute
        for link in re.findall(r'(?:src|href)="([^"#?]+)', text):
            if not urlsplit(link).scheme:
                assert (page.parent / link).resolve() in files, (page.name, link)
