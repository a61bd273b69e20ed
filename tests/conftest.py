from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from geodata.democounty import write_demo_county


@pytest.fixture(scope="session")
def nanpu(tmp_path_factory) -> Path:
    """The fictional demonstration county, written once; not to be changed."""
    return write_demo_county(tmp_path_factory.mktemp("counties") / "nanpu")


@pytest.fixture
def county_folder(nanpu, tmp_path) -> Path:
    """A copy of the demonstration county, to be damaged."""
    return Path(shutil.copytree(nanpu, tmp_path / "county"))
