"""What lies on the table: A3 maps without a network, and the document in a bureau's own template, opened by an office program."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import docx
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

import maps.dossier.dossier as dossier
import maps.paper.ground as ground
from geodata.contract.findings import InputProblems
from geodata.contract.placenames import latin_name, search_keys
from geodata.messages import LANGUAGES
from maps import chart
from maps.paper.atlas import SHEETS, picture_name, write_atlas
from maps.paper.network import FILL
from maps.paper.staff import teacher_flows, zone_matrix
from maps.reports.document import write_reports_document
from maps.reports.letterhead import default_letterhead, read_letterhead
from models.plan.decisions import PlanResult

OFFICE = shutil.which("soffice")


@pytest.fixture(scope="module")
def atlas(sample_result: PlanResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_atlas(sample_result, tmp_path_factory.mktemp("atlas") / "atlas.pdf", "zh")


def pictures(atlas: Path) -> dict[str, Path]:
    return {s: atlas.with_name(picture_name(s)) for s in SHEETS}


def test_the_sheets_are_a3_and_the_same_bytes_each_time(
    sample_result: PlanResult, atlas: Path, tmp_path: Path
) -> None:
    content = atlas.read_bytes()
    boxes = re.findall(rb"/MediaBox \[ ?0 0 ([\d.]+) ([\d.]+)", content)
    assert len(boxes) == 3 and all(abs(float(w) / 72 - 16.54) < 0.01 for w, _ in boxes)
    again = write_atlas(sample_result, tmp_path / "atlas.pdf", "zh")
    assert again.read_bytes() == content and b"CreationDate" not in content
    for sheet, picture in pictures(atlas).items():
        assert Image.open(picture).size == (1819, 1285)
        assert pictures(again)[sheet].read_bytes() == picture.read_bytes()


def test_a_change_of_the_plan_changes_its_sheet(
    sample_result: PlanResult, atlas: Path, tmp_path: Path
) -> None:
    moves = sample_result.plan.staff_moves.iloc[:0]
    still = replace(sample_result, plan=replace(sample_result.plan, staff_moves=moves))
    other = write_atlas(still, tmp_path / "atlas.pdf", "zh")
    assert pictures(other)["teachers"].read_bytes() != pictures(atlas)["teachers"].read_bytes()


def test_symbols_are_told_apart_without_colour() -> None:
    def grey(colour: str) -> float:
        red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        return 0.299 * red + 0.587 * green + 0.114 * blue

    shades = sorted(grey(FILL[a]) for a in ("keep", "receive", "close"))
    assert min(np.diff(shades)) > 15  # the shapes of what closes and what ends grades differ besides


def test_zones_add_up_to_all_who_move(sample_result: PlanResult) -> None:
    flows, net, hired = teacher_flows(sample_result)
    table = zone_matrix(sample_result)
    assert table.drop(index="hired").to_numpy().sum() == flows["heads"].sum() > 0
    assert table.loc["hired"].sum() == hired.sum() == net.sum()


def test_without_a_chinese_font_names_are_latin_and_it_is_said(
    sample_result: PlanResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ground, "chinese_font", lambda: None)
    pen = ground.pen_for(sample_result.county, "zh")
    assert (pen.language, pen.place("史家沟小学")) == ("en", "Shijiagou Primary School")
    assert write_atlas(sample_result, tmp_path / "atlas.pdf", "zh").stat().st_size > 10_000


@pytest.mark.parametrize(("language", "name"), [("zh", "实验学校"), ("en", "Experimental School")])
def test_where_the_seat_is_enlarged_schools_are_told_without_the_county(
    sample_result: PlanResult, language: str, name: str
) -> None:
    pen, extent = ground.pen_for(sample_result.county, language), (110.0, 30.0, 110.1, 30.1)
    inner = ground.MapSheet(Figure().add_axes((0, 0, 1, 1)), extent, 5000.0, 0.87, pen, within="南浦县")
    assert inner.place("南浦县实验学校") == name and inner.place("南浦县") == pen.place("南浦县")
    inner.name(110.05, 30.05, name, 8, 4)
    (box,) = inner.taken
    letters = ground.letters_of(name, tuple(pen.family), False)
    assert box[2] - box[0] >= 8 * letters.vertices[:, 0].max()  # no name is wider than the room kept for it


@pytest.mark.parametrize(
    ("name", "latin", "keys"),
    [
        ("云岭中心小学", "Yunling Central Primary School", "yunlingzhongxinxiaoxue ylzxxx"),
        ("南浦县第一小学", "Nanpu County No. 1 Primary School", "nanpuxiandiyixiaoxue npxdyxx"),
        ("河口镇初级中学", "Hekou Town Junior School", "hekouzhenchujizhongxue hkzcjzx"),
        ("小学", "Xiaoxue", "xiaoxue xx"), ("Hope School", "Hope School", ""),
    ],
)  # fmt: skip
def test_names_in_latin_letters(name: str, latin: str, keys: str) -> None:
    assert (latin_name(name), search_keys(name)) == (latin, keys)


@pytest.fixture(scope="module")
def document(sample_result: PlanResult, atlas: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("document") / "reports.docx"
    return write_reports_document(sample_result, path, "zh", None, pictures(atlas))


def test_the_document_holds_the_maps(document: Path, atlas: Path) -> None:
    with zipfile.ZipFile(document) as package:
        held = {package.read(n) for n in package.namelist() if n.startswith("word/media/")}
        text = package.read("word/document.xml").decode()
    assert held == {p.read_bytes() for p in pictures(atlas).values()}
    assert "{{" not in text and text.count("<w:drawing>") == 3


def test_a_dossier_has_the_sheets_and_puts_them_into_the_document(
    sample_result: PlanResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dossier, "write_atlas", write_atlas)
    folder = dossier.write_dossier(sample_result, tmp_path / "plan", "en")
    with zipfile.ZipFile(folder / "reports.docx") as package:
        held = {package.read(n) for n in package.namelist() if n.startswith("word/media/")}
    assert held == {(folder / picture_name(s)).read_bytes() for s in SHEETS}


def test_an_office_program_opens_the_document(document: Path, tmp_path: Path) -> None:
    if OFFICE is None:
        pytest.skip("LibreOffice is not installed (Debian: apt-get install libreoffice-writer-nogui)")
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = [OFFICE, "--headless", profile, "--convert-to", "pdf", "--outdir", str(tmp_path), str(document)]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    printed = (tmp_path / "reports.pdf").read_bytes()
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", printed)) >= 13  # a first page, each report on its own


def own(tmp_path: Path, *paragraphs: str) -> Path:
    book = docx.Document()
    book.sections[0].header.paragraphs[0].text = "南浦县教育局 {{ year }}"
    for text in paragraphs:
        book.add_paragraph(text)
    book.save(str(tmp_path / "own.docx"))
    return tmp_path / "own.docx"


def test_a_bureau_s_template_chooses_text_order_and_reports(
    sample_result: PlanResult, tmp_path: Path
) -> None:
    template = read_letterhead(
        own(tmp_path, "关于{{ county }}的请示", "{{p report_risks }}", "{{p report_layout }}")
    )
    path = write_reports_document(sample_result, tmp_path / "r.docx", "zh", template)
    book = docx.Document(str(path))
    assert book.sections[0].header.paragraphs[0].text == f"南浦县教育局 {sample_result.county.year}"
    texts = [p.text for p in book.paragraphs]
    assert texts[0] == f"关于{sample_result.county.name}的请示"
    headings = [p.text for p in book.paragraphs if p.style.name == "Heading 1"]
    assert [h.split()[0] for h in headings] == ["9", "1"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_program_s_template_is_one(tmp_path: Path, language: str) -> None:
    (tmp_path / "t.docx").write_bytes(default_letterhead(language))
    assert read_letterhead(tmp_path / "t.docx") == default_letterhead(language)


@pytest.mark.parametrize(
    ("paragraphs", "said"),
    [
        (("{{p reports }}", "{{ mayor }}"), "mayor"), (("nothing asked for",), "report_layout"),
        (("{{p reports }}", "{% for x in %}"), "is wrong"),
    ],
)  # fmt: skip
def test_a_template_that_cannot_be_filled_is_refused_in_words(
    tmp_path: Path, paragraphs: tuple[str, ...], said: str
) -> None:
    with pytest.raises(InputProblems) as refused:
        read_letterhead(own(tmp_path, *paragraphs))
    (finding,) = refused.value.findings
    assert said in finding.sentence("en") and finding.sentence("zh") != finding.sentence("en")


@pytest.mark.parametrize("content", [b"", b"not a document", b"PK\x05\x06" + 18 * b"\0"])
def test_what_is_no_document_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.docx").write_bytes(content)
    with pytest.raises(InputProblems, match=r"no Word document"):
        read_letterhead(tmp_path / "x.docx")


def test_a_template_runs_no_code_and_names_are_text(result_with_names, tmp_path: Path) -> None:
    names = {"S3": "{{ 7*7 }}<w:p>点", "S6": "a & b\x02"}
    result = result_with_names(names)
    document = write_reports_document(result, tmp_path / "r.docx", "zh")
    text = "\n".join(c.text for t in docx.Document(str(document)).tables for r in t.rows for c in r.cells)
    assert "{{ 7*7 }}<w:p>点" in text and "a & b" in text
    template = own(tmp_path, "{{p reports }}", "{{ county.__class__.__mro__ }}").read_bytes()
    with pytest.raises(Exception, match="unsafe"):
        write_reports_document(result, tmp_path / "s.docx", "zh", template)


def test_a_chinese_font_newer_than_the_list_of_matplotlib_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine where fonts were installed after matplotlib had made its list."""
    manager = chart.font_manager.fontManager
    name = "DejaVu Sans Mono"
    newer = [f for f in manager.ttflist if f.name == name]
    monkeypatch.setattr(manager, "ttflist", [f for f in manager.ttflist if f.name != name])
    monkeypatch.setattr(chart, "CHINESE_FONTS", (name,))
    monkeypatch.setattr(chart.font_manager, "findSystemFonts", lambda: [__file__, newer[0].fname])
    chart._add_newer_fonts.cache_clear()
    assert chart.chinese_font() == name
    chart._add_newer_fonts.cache_clear()
