"""The verb ``template``: one workbook from start to end, empty, as an example, or from a county that is there."""

from __future__ import annotations

from pathlib import Path

from geodata.contract.county import County
from geodata.demo.county import write_demo_county
from geodata.folder.reading import read_county
from geodata.folder.template import draw_template
from geodata.roads.scratch import scratch_folder
from geodata.workbook.settings import SETTINGS
from optimizer.scenario_sheet import SCENARIO

FORMS = (SETTINGS, SCENARIO)


def write_template(path: str | Path, language: str = "zh", county: County | None = None) -> Path:
    """The workbook to fill in: settings, scenario, every table; prices and norms filled in.

    Parameters
    ----------
    path : str or Path
        Ends in .xlsx; must not exist.
    language : {"zh", "en"}
        Language of sheet names, headings and notes; both are read.
    county : County or None
        Whose tables are filled in; roads and other layers stay where they are.

    Returns
    -------
    Path

    Raises
    ------
    InputProblems
        The file exists, or the name does not end in .xlsx.
    """
    return draw_template(Path(path), language, FORMS, county)


def example_county(seed: int = 2026) -> County:
    """The fictional county Nanpu without its roads, to fill an example with."""
    with scratch_folder() as folder:
        place = write_demo_county(folder / "nanpu", seed)
        head = place / "county.toml"
        lines = head.read_text(encoding="utf-8").splitlines(keepends=True)
        head.write_text("".join(x for x in lines if not x.startswith("roads")), encoding="utf-8")
        return read_county(place)
