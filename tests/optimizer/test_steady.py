"""Flips bracketed by planning in between, plans that follow from their neighbours and what that costs, local duals."""

from __future__ import annotations

import json
from functools import cache
from itertools import pairwise

import geopandas as gpd
import pandas as pd
import pytest

import junheng  # noqa: F401  who draws pages is registered there
from geodata.contract.findings import InputProblems
from maps.folders.budgets import budgets_said
from maps.folders.frontier import write_frontier
from maps.front.studies import put_study
from models.plan.differences.comparison import amounts
from models.problem.request import Request
from models.study.analysis import Frontier, FrontierPoint
from models.study.budgets import DECIDED, flips, local_worth, steady_table
from optimizer.scenario import Goal, Scenario
from optimizer.study.budget_grid import share_grid
from optimizer.study.frontier import frontier
from optimizer.study.splitter import Splitter
from optimizer.study.steady import Steadily
from optimizer.study.study import best_plan, network_of, open_study
from optimizer.study.switching import Bracketing
from tests.models.plans import ready
from tests.samples import small_county

LACK = Scenario(goals=(Goal(name="deficit"), Goal(name="cost")))
GIVE = 0.02


@cache
def swept(mode: str) -> Frontier:
    """Four budgets, three more where something flips, and steady plans."""
    return frontier(
        small_county(), LACK, points=4, least=0.1, most=1.8, networks=2, narrow=Bracketing((), 0.1, 3), steadily=Steadily(mode, GIVE)
    )  # fmt: skip


def decided(point: FrontierPoint) -> pd.Series:
    """What somebody decides in a plan, by kind, school and thing."""
    county = small_county()
    table = amounts(point.plan, {k: one.unit for k, one in county.norms.resources.items()})
    table = table[table["change"].isin(DECIDED)]
    return table.set_index(["change", "school_id", "what"])["quantity"]


def test_brackets_of_flips_are_halved_and_what_is_in_between_is_a_point_like_any_other() -> None:
    found, grid = swept("nested"), share_grid(4, 0.1, 1.8)
    assert len(found.points) == len(grid) + 3
    new = [p for p in found.points if p.share not in grid]
    assert len(new) == 3
    for p in new:
        assert p.verdict is not None and p.verdict.accepted and p.bound <= p.objective * (1 + 1e-9)
    turned = flips(small_county(), found.points)
    wide = {(a, b) for a, b in zip(turned["below"], turned["above"], strict=True)}
    assert (grid[0], grid[1]) not in wide  # what flipped there flips in one of its parts
    assert any(b - a < 0.3 for a, b in wide if b <= grid[1])
    for less, more in pairwise(found.points):
        assert more.objective <= less.objective * (1 + 1e-9) and more.bound <= less.bound + 1e-12


def test_a_bracket_that_is_narrow_enough_is_left_alone() -> None:
    wide = frontier(
        small_county(),
        LACK,
        points=2,
        least=0.2,
        most=1.0,
        networks=1,
        narrow=Bracketing(("purchase",), 0.9, 5),
    )
    assert len(wide.points) == 2


def test_nested_plans_contain_those_of_smaller_budgets() -> None:
    found = swept("nested")
    county = small_county()
    assert [p.share for p in found.steady] == [p.share for p in found.points]
    for less, more in pairwise(found.steady):
        assert less.plan is not None and more.plan is not None
        small, large = decided(less), decided(more)  # type: ignore[arg-type]
        both = pd.concat([small, large], axis=1, keys=["small", "large"]).fillna(0.0)
        bands = both.index.get_level_values("change") == "band"
        assert (both.loc[~bands, "small"] <= both.loc[~bands, "large"] + 1e-3).all()
        assert (both.loc[bands, "small"] >= both.loc[bands, "large"]).all()  # given up stays given up
    case = ready()
    for p, free in zip(found.steady, found.points, strict=True):
        assert p.plan is not None and case.judge(p.plan, Request(budget=free.budget)).accepted
    assert county.content_hash == found.county.content_hash


@pytest.mark.parametrize("mode", ["nested", "least_change"])
def test_the_price_of_stability_lies_within_what_is_proven(mode: str) -> None:
    found = swept(mode)
    table = steady_table(found.steady)
    points = {p.share: p for p in found.points}
    for r in table.itertuples():
        free = points[r.share]
        assert (r.free, r.bound) == (free.objective, free.bound)
        assert r.price == pytest.approx(r.objective - r.free)
        assert 0 <= r.price_least <= r.price + 1e-6 and r.price <= r.price_most + 1e-9
        assert r.price_most == pytest.approx(r.objective - r.bound)
    assert table.loc[table["share"] == 1.0, ["status", "price"]].to_numpy().tolist() == [["anchor", 0.0]]
    assert table["changed"].sum() < table["changed_free"].sum()
    if mode == "nested":
        assert table["price_least"].max() > 0  # proven: no nested plan is as good
    else:
        assert (table["objective"] <= table["free"] * (1 + GIVE) + 1e-4).all()


def test_local_duals_are_what_a_little_more_money_brings_while_whole_decisions_stay() -> None:
    study = open_study(small_county(), LACK)
    network = network_of(*(lambda f: (f.search, f.values))(best_plan(study).network))
    splitter = Splitter(study, 2.0)
    bridge = splitter.shared.bridge
    split = splitter.split(network, 0.1, study.request)
    assert split is not None
    worth = split.local["building"]
    assert worth > 0 and set(split.local) == {"building", "device", "teacher", "transport"}
    # by hand: every whole column as in the plan, a thousandth of the budget more and less
    splitter.shared.at(0.1)
    bridge.fix(network.columns(bridge))
    values = bridge.solve("deficit", study.limits).values
    whole = {i: round(values[i]) for i, w in enumerate(bridge.whole) if w}
    bridge.fix(whole)
    bridge.relax(True)
    found = []
    for share in (0.099, 0.101):
        splitter.shared.at(share)
        found.append(bridge.solve("deficit", study.limits).objective)
    own = {e: v / study.instance.large for e, v in study.instance.budget.items()}
    slope = (found[0] - found[1]) / 0.002
    assert slope == pytest.approx(sum(split.local[e] * own[e] for e in split.local), rel=0.02)


def test_local_duals_and_steady_plans_are_told_as_what_they_are(tmp_path) -> None:
    found = swept("nested")
    rows = local_worth(found.points)
    assert (
        set(rows["earmark"]) == {"building", "device", "teacher", "transport"} and (rows["worth"] >= 0).all()
    )
    said = "\n".join(budgets_said(found, "en"))
    assert "hold near that plan only" in said and "Nested plans" in said and "(proven)" in said
    assert "仅在该方案附近有效" in "\n".join(budgets_said(found, "zh"))
    write_frontier(found, tmp_path / "front", "en")
    book = pd.read_excel(tmp_path / "front" / "frontier.xlsx", sheet_name=None, header=2)
    assert {"Local duals", "Steady plans", "Decisions that flip"} <= set(book)
    assert len(book["Steady plans"]) == len(found.points)
    record = json.loads((tmp_path / "front" / "frontier.json").read_text(encoding="utf-8"))
    assert record["steadily"] == {"mode": "nested", "give": GIVE}
    assert [r["share"] for r in record["steady"]] == [p.share for p in found.points]


def test_the_page_draws_every_measure_and_the_tables_hold_every_decision(tmp_path) -> None:
    found = swept("nested")
    page = found.page("en")
    assert "Frontier" in repr(page) and page._repr_html_().startswith("<iframe")
    text = page.html
    assert "default-src 'none'" in text and text.count("<script>") == 1
    assert text.count("<figure>") == text.count("<option>") > 2
    assert "steady plan" in text and "proven bound" in text
    write_frontier(found, tmp_path / "front", "zh")
    assert "随预算变化的指标" in (tmp_path / "front" / "frontier.html").read_text(encoding="utf-8")
    points = pd.read_csv(tmp_path / "front" / "points.csv")
    assert points["objective"].tolist() == pytest.approx([p.objective for p in found.points])
    table = gpd.read_parquet(tmp_path / "front" / "decisions.parquet")
    assert table.crs.to_epsg() == 4326 and not table.geometry.is_empty.any()
    for p in found.points:
        assert p.plan is not None
        here = table[table["share"] == p.share]
        bought = here[here["change"] == "purchase"]["quantity"].sum()
        assert bought == pytest.approx(p.plan.purchases["quantity"].sum())


@pytest.mark.parametrize(
    ("narrow", "steadily", "key"),
    [
        (Bracketing(("fame",)), None, "bad_flip"), (Bracketing(("band",), 0.0), None, "bad_within"), (Bracketing(("A9",), 0.1, 0), None, "bad_solves"),
        (None, Steadily("calm"), "bad_mode"), (None, Steadily("nested", -0.1), "bad_give"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_bad_input(
    narrow: Bracketing | None, steadily: Steadily | None, key: str
) -> None:
    with pytest.raises(InputProblems) as problem:
        frontier(small_county(), LACK, narrow=narrow, steadily=steadily)
    assert [f.key for f in problem.value.findings] == [f"analysis.{key}"]
    assert all(f.text(x) for f in problem.value.findings for x in ("en", "zh"))


def test_a_study_inside_a_dossier_stands_on_its_front_page(tmp_path) -> None:
    found = swept("nested")
    dossier = tmp_path / "plan"
    dossier.mkdir()
    page = dossier / "index.html"
    text = '<html lang="zh-CN"><p>before</p><!--studies--><!--/studies--><p>after</p></html>'
    page.write_text(text, encoding="utf-8")
    record = {"input_hash": found.county.content_hash, "plan_id": "x", "ledger": []}
    (dossier / "run.json").write_text(json.dumps(record), encoding="utf-8")
    write_frontier(found, dossier / "money", "en")
    assert put_study(found, dossier / "money") == page
    once = page.read_text(encoding="utf-8")
    assert '<a href="money/frontier.html">打开该研究及其表格</a>' in once and once.count("<svg") == 1
    assert once.startswith(text.partition("<!--studies-->")[0]) and once.endswith("<p>after</p></html>")
    assert put_study(found, dossier / "money") == page and page.read_text(encoding="utf-8") == once  # once
    put_study(found, dossier / "again")
    both = page.read_text(encoding="utf-8")
    assert both.count("<svg") == 2 and "money/frontier.html" in both
    (dossier / "run.json").write_text(json.dumps(record | {"input_hash": "other"}), encoding="utf-8")
    assert put_study(found, dossier / "money") is None  # of other tables
    assert put_study(found, tmp_path / "alone") is None and page.read_text(encoding="utf-8") == both
