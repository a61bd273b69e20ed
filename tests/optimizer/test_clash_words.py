"""What clashes is named as a planner names it: no id of a stage, a band, a kind of staff or an earmark."""

from __future__ import annotations

import pytest

from geodata.contract.county import County
from models.problem.building import build_instance
from models.problem.request import Request
from optimizer.infeasibility.conflicts import clash_findings
from tests.models.plans import ready
from tests.optimizer.test_other_standards import three_stages
from tests.samples import small_county

DEFAULT = (
    ("open_has_pupils", ("A1", "g1_3")), ("outflow_rural__q", ("pri",)), ("met_kept", ("B1/pri", "b")),
    ("staff_balance__fixed", ("B1/pri", "plain_q")), ("budget", ("device",)), ("capacity", ("A2/pri",)), ("nobody", ("x",)),
)  # fmt: skip
OWN = (("open_has_pupils", ("A9", "g6_8")), ("outflow_rural__q", ("elem",)))


@pytest.mark.parametrize(
    ("county", "rows", "language", "said"),
    [
        (small_county(), DEFAULT, "zh", {"甲镇A1 一至三年级", "小学", "乙镇B1 骨干教师", "设备购置", "甲镇A2"}),
        (small_county(), DEFAULT, "en", {"甲镇A1 grades 1-3", "primary", "乙镇B1 backbone teachers", "equipment", "甲镇A2"}),
        (three_stages(), OWN, "en", {"甲镇A9 mid", "elem"}),  # so their file calls them
    ],
)  # fmt: skip
def test_places_are_words(
    county: County, rows: tuple[tuple[str, object], ...], language: str, said: set[str]
) -> None:
    case = ready(county)
    inst = build_instance(case.county, case.standards, Request(goals=("cost",)), case.times)
    found = clash_findings(inst, rows, "cli.clash", "error")
    assert "nobody" not in {f.fields["rule"] for f in found}
    places = {f.fields["places"][language] for f in found}  # type: ignore[index]
    assert said <= places
    text = " ".join(f.sentence(language) for f in found)
    ids = ("g1_3", "g6_8", "pri", "plain_q", "device")
    assert not [i for i in ids if f" {i}" in text.replace(" primary", "").replace(" teachers", "")]
