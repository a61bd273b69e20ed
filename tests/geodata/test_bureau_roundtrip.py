"""Nanpu in the forms a bureau keeps comes out as from the plain CSV."""

from __future__ import annotations

import pandas as pd
import pytest

from geodata.findings import errors
from geodata.reading import check, read_county
from tests.geodata.bureau_files import bind, example, write_bureau, zero_led


@pytest.fixture
def bureau(county_folder):
    """The bureau's folder with the mapping of the documentation, and the county as it should be."""
    zero_led(county_folder)
    wanted = read_county(county_folder)
    write_bureau(county_folder)
    return bind(county_folder, example()), wanted


def assert_same(county, wanted) -> None:
    for name, table in wanted.tables().items():
        pd.testing.assert_frame_equal(county.tables()[name], table, check_exact=True, obj=name)


def test_worked_example_reads_the_same_county(bureau):
    folder, wanted = bureau
    found = check(folder)
    assert not errors(found), [f.sentence() for f in errors(found)]
    assert_same(read_county(folder), wanted)
