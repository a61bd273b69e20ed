from __future__ import annotations

import atexit
import gc
import os
import shutil
import signal
import tempfile
from pathlib import Path

import hypothesis
import pytest
from PIL import Image

from geodata.contract.cells import texts_in_python
from geodata.demo.county import write_demo_county
from maps.dossier import dossier
from maps.paper.atlas import SHEETS, picture_name
from tests.damage import settings

# a shell that starts the tests in the background has them, and all they start, ignore Ctrl-C
signal.signal(signal.SIGINT, signal.default_int_handler)

texts_in_python()  # as the command does

# a machine that is busy with other things fails no test
hypothesis.settings.register_profile(
    "house",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.function_scoped_fixture],
)
hypothesis.settings.load_profile("house")

# the user's cache folder, with the key of the seals, is one of the tests
_OWN = tempfile.mkdtemp(prefix="junheng-tests-")
atexit.register(shutil.rmtree, _OWN, ignore_errors=True)
os.environ["XDG_CACHE_HOME"] = _OWN


def pytest_collection_finish() -> None:
    """Tests make millions of short-lived objects: what was imported is not looked through again for every 700 of them."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@pytest.fixture(scope="session")
def nanpu(tmp_path_factory) -> Path:
    """The fictional demonstration county, written once; not to be changed."""
    return write_demo_county(tmp_path_factory.mktemp("counties") / "nanpu")


@pytest.fixture
def county_folder(nanpu, tmp_path) -> Path:
    """A copy of the demonstration county, to be damaged; without its roads, which take longest to read."""
    folder = Path(shutil.copytree(nanpu, tmp_path / "county"))
    settings(folder, 'roads = "roads.graphml"\n', "")
    (folder / "roads.graphml").unlink()
    return folder


def _blank_atlas(result: object, path: Path, language: str = "zh") -> Path:
    """Empty sheets in place of drawn ones."""
    path.write_bytes(b"%PDF-1.4\n")
    for sheet in SHEETS:
        Image.new("L", (16, 11), 255).save(path.with_name(picture_name(sheet)))
    return path


@pytest.fixture(scope="session", autouse=True)
def maps_on_paper_are_drawn_where_they_are_tested():
    """Dossiers of other tests have empty sheets: drawing takes seconds, and tests/maps/test_paper.py looks at them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dossier, "write_atlas", _blank_atlas)
        yield
