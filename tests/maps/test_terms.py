"""A county with another currency and other names of the same stages is shown in them, on every page and sheet."""

from __future__ import annotations

import re
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from geodata.contract.county import County
from geodata.messages import LANGUAGES, Terms, catalogue, in_terms, large_unit, say
from geodata.standards.terms import county_terms, terms_of
from maps.dossier.dossier import write_dossier
from maps.front.pages import front_page
from maps.front.places import schools_page
from maps.wording import resource
from models.plan.decisions import PlanResult
from models.plan.names import Names
from models.rules.registry import every_rule
from optimizer.scenario import Scenario
from optimizer.verbs.plan import plan
from tests.counties import BUNDLED, bundled_county, with_file
from tests.samples import small_county

DOLLARS = """
[currency]
zh = "美元"
en = "dollars"
large = 1000.0
large_zh = "千美元"
large_en = "1,000 dollars"

[[stage]]
id = "pri"
grades = [1, 6]
zh = "小学部"
en = "elementary"

[[stage]]
id = "jun"
grades = [7, 9]
zh = "中学部"
en = "middle"
teaches = ["pri"]

[[band]]
id = "g1_3"
stage = "pri"
grades = [1, 3]
zh = "低段"
en = "lower elementary"

[[band]]
id = "g4_6"
stage = "pri"
grades = [4, 6]
zh = "高段"
en = "upper elementary"

[[band]]
id = "g7_9"
stage = "jun"
grades = [7, 9]
zh = "中段"
en = "middle grades"
"""
OURS = ("cn_2017_quality", "cn_layout", "./ours.toml")


@pytest.fixture(scope="module")
def result() -> PlanResult:
    return plan(with_file(small_county(), DOLLARS, OURS), Scenario(seconds=60))


def _texts(folder: Path) -> dict[str, str]:
    """What each file of a dossier says, without the words that the map keeps for its switch of language."""
    found = {}
    for file in sorted(folder.iterdir()):
        if file.suffix == ".html":
            page = file.read_text(encoding="utf-8")
            found[file.name] = re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.S)
        elif file.suffix in (".xlsx", ".docx"):
            with zipfile.ZipFile(file) as parts:
                found[file.name] = "".join(
                    parts.read(n).decode() for n in parts.namelist() if n.endswith(".xml")
                )
    return found


def _nowhere(word: str, texts: dict[str, str]) -> None:
    for name, text in texts.items():
        around = [text[max(0, m.start() - 60) : m.end() + 20] for m in re.finditer(word, text)]
        assert not around, (name, word, around[:3])


def test_a_dossier_speaks_in_its_county_s_terms(result: PlanResult, tmp_path: Path) -> None:
    texts = _texts(write_dossier(result, tmp_path / "dossier", "en"))
    for name in ("index.html", "plan.xlsx", "reports.xlsx", "reports.docx", "schools.html"):
        assert "1,000 dollars" in texts[name], name
    assert "elementary" in texts["plan.xlsx"]
    for word in (
        "yuan",
        "万元",
        r"(?<![a-z])primary\b(?! school)",
    ):  # kinds of schools have names of their own
        _nowhere(word, texts)
    assert large_unit() == 10_000.0  # the terms end with the writing


def test_chinese_pages_too(result: PlanResult) -> None:
    texts = {"index.html": front_page(result, "zh"), "schools.html": schools_page(result, "zh")}
    assert "千美元" in texts["index.html"]
    _nowhere("万元", texts)


def test_money_is_counted_in_the_county_s_large_unit(result: PlanResult) -> None:
    goals = result.verdict.goals.set_index("goal")
    charged = result.verdict.costs.query("charged")["yuan"].sum()
    assert goals.at["cost", "plan"] == pytest.approx(charged / 1000.0)


def test_terms_are_those_of_the_scheme_and_end_with_their_block() -> None:
    usual = say("rules.unit_large", "en")
    own = terms_of(small_county().norms)  # the default's words are longer than its file's: they stay
    assert own.large == Terms().large and set(own.words) == set(Terms().words)
    terms = terms_of(with_file(small_county(), DOLLARS, OURS).norms)
    with in_terms(terms):
        assert say("rules.unit_large", "zh") == "千美元"
        assert catalogue("en")["workbook.stage_pri"] == "elementary"
    assert say("rules.unit_large", "en") == usual == "10,000 yuan"


@pytest.mark.parametrize("names", list(BUNDLED), ids=lambda n: n[0])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_norm_of_a_bundled_file_has_a_name(names: tuple[str, ...], language: str) -> None:
    """Norms of stages and bands other than the default's were shown by their ids."""
    norms = bundled_county(names).norms
    with in_terms(terms_of(norms)):
        assert [n for n in norms.rules if f"rules.rule_{n}" not in catalogue(language)] == []


def test_a_norm_is_named_after_its_band_stage_or_staff() -> None:
    norms = with_file(small_county(), DOLLARS, OURS).norms
    with in_terms(terms_of(norms)):
        assert say("rules.rule_travel_walk_g7_9", "en") == "Walk, middle grades"
        assert say("rules.rule_class_cap_pri", "zh") == "小学部班额上限"
        assert (
            say("rules.rule_outflow_rural_b", "en") == "Rural zone: backbone teachers"
        )  # the default's word


def test_a_resource_is_called_as_its_standards_call_it() -> None:
    """The catalogue's word stood over a name that a county gives a resource, and other resources had their id."""
    own = '[[resource]]\nid = "b"\nkind = "heads"\nflags = ["counts_b"]\nunit = "heads"\nzh = "带头人"\nen = "lead teachers"\n'
    norms = with_file(small_county(), own, OURS).norms
    assert (resource("b", "en", norms), resource("b", "zh", norms)) == ("lead teachers", "带头人")
    assert resource("q", "en", norms) == say("rules.resource_q", "en")
    basic = bundled_county(("cn_2012_basic", "cn_layout")).norms
    assert (resource("books", "en", basic), resource("books", "zh", basic)) == ("books", "图书")


def _staff(key: str, zh: str, en: str, more: str = "") -> str:
    told = f'kind = "heads"\nflags = ["counts_{key}"]\nearmark = "teacher"\nunit = "heads"\nzh = "{zh}"\nen = "{en}"\n{more}'
    return f'[[resource]]\nid = "{key}"\n{told}\n'


OTHER_STAFF = (
    _staff("q", "持证教师", "certified teachers") + _staff("b", "名师", "master teachers")
    + _staff("a", "理科教师", "science teachers", 'concession = "arts_shared"\n')
)  # fmt: skip
USUAL_STAFF = re.compile(r"[Bb]ackbone|骨干|\bPE\b|\barts\b|体艺|体育、|qualif|学历")
CALLED = {"plain": ("理科教师", ""), "arts": ("理科教师", "science teacher"), "backbone": ("名师", "master teacher"), "plain_q": ("持证教师", "")}  # fmt: skip


def _county_of_other_staff() -> County:
    county = with_file(small_county(), OTHER_STAFF, OURS)
    named = [CALLED.get(c, ("", "")) for c in county.staff_category["cat_id"]]
    table = county.staff_category.assign(name=[zh for zh, _ in named], name_en=[en for _, en in named])
    return replace(county, staff_category=table)


@pytest.mark.parametrize("language", LANGUAGES)
def test_staff_are_called_as_standards_and_table_call_them(language: str) -> None:
    """Rules and indicators said backbone, PE and arts, whomever the county's own files mean."""
    county = _county_of_other_staff()
    kinds = {
        "rule": [*county.norms.rules, *(r.id for r in every_rule())], "resource": county.norms.resources, "item": county.norms.resources,
        "indicator": {i.id for i in county.norms.indicators.values()}, "category": set(county.staff_category["cat_id"]),
    }  # fmt: skip
    with in_terms(county_terms(county)):
        words = catalogue(language)
        keys = [
            f"rules.{kind}_{i}{end}" for kind, ids in kinds.items() for i in ids for end in ("", "_about")
        ]
        assert {k: words[k] for k in keys if USUAL_STAFF.search(words.get(k, ""))} == {}
        floor, said = words["rules.rule_floor_backbone"], words["rules.indicator_b"]
    assert (floor, said) == {
        "zh": ("名师底线", "每 100 名学生拥有名师"), "en": ("Floor: master teachers", "Master teachers per 100 pupils")
    }[language]  # fmt: skip
    assert say("rules.rule_floor_backbone", "en") == "Backbone floor"  # the words end with their block


def test_a_category_is_chosen_by_its_own_name_and_by_its_id_where_two_share_one() -> None:
    names = Names(_county_of_other_staff())
    labels = [names.label("category", c, "zh") for c in ("backbone", "arts", "plain", "near_ret")]
    assert labels == ["名师", "理科教师 [arts]", "理科教师 [plain]", "near_ret"]
    assert names.label("category", "plain_q", "en") == "持证教师"  # one name alone stands in both languages
    for said, meant in (
        ("名师", "backbone"),
        ("master teacher", "backbone"),
        ("理科教师 [plain]", "plain"),
        ("arts", "arts"),
    ):
        assert names.resolve("category", said) == (meant, None)
    assert names.resolve("category", "理科教师")[0] not in names.ids("category")
