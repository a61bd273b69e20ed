"""The verb ``template``: one workbook from start to end, empty, as an example, or from a county that is there."""

from __future__ import annotations

from pathlib import Path

from geodata.contract.county import County
from geodata.contract.findings import Finding
from geodata.demo.county import write_demo_county
from geodata.folder.reading import read_county
from geodata.folder.template import draw_template
from geodata.messages import LANGUAGES
from geodata.roads.scratch import scratch_folder
from geodata.workbook.forms import in_a_row
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


def left_out(county: County) -> list[Finding]:
    """What a workbook made from a county does not say, for its reader to fill in.

    Parameters
    ----------
    county : County

    Returns
    -------
    list of Finding
        A warning with the items of the settings sheet that name files beside the county; nothing where there are none.
    """
    there = {
        "roads": county.roads, "townships": county.townships, "waters": county.waters, "zones": county.zones,
        "dem": county.travel.dem, "areas": county.travel.areas,
    }  # fmt: skip
    named = [i for i in SETTINGS.items if there.get(i.name) is not None]
    if not named:
        return []
    items = {lang: in_a_row([i.word(lang) for i in named], lang) for lang in LANGUAGES}
    return [Finding("warning", "form.files_left", {"items": items})]


def example_county(seed: int = 2026) -> County:
    """The fictional county Nanpu without its roads, to fill an example with."""
    with scratch_folder() as folder:
        place = write_demo_county(folder / "nanpu", seed)
        head = place / "county.toml"
        lines = head.read_text(encoding="utf-8").splitlines(keepends=True)
        head.write_text("".join(x for x in lines if not x.startswith("roads")), encoding="utf-8")
        return read_county(place)
