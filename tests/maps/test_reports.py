"""The twelve reports: known numbers on the hand-made county, and files that office programs read."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import docx
import openpyxl
import pandas as pd
import pytest
from docx.oxml.ns import qn
from docxtpl import DocxTemplate
from matplotlib.figure import Figure

from geodata.contract.findings import Finding, InputProblems
from geodata.messages import LANGUAGES
from maps.front.text import PageTable
from maps.reports.document import _picture, write_reports_document
from maps.reports.letterhead import REPORTS, default_letterhead, read_letterhead
from maps.reports.network import closures, layout, risks, school_ways
from maps.reports.outputs import reports_page, write_reports_workbook
from maps.reports.report import OfficialReport, report_word
from maps.reports.resources import devices, indicator_matrix, problems, spread, teachers
from maps.reports.single import reports_meant, write_single_reports
from maps.reports.twelve import all_reports, data_quality
from models.plan.decisions import PlanResult


def table(report: OfficialReport, block: int = 0) -> PageTable:
    found = report.blocks[block].table
    assert found is not None
    return found


def texts(report: OfficialReport, block: int = 0) -> list[list[str]]:
    return [[c.text for c in row] for row in table(report, block).rows]


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_twelve_and_every_title_is_told(sample_result: PlanResult, language: str) -> None:
    reports = all_reports(sample_result, language)
    assert len(reports) == len({r.title for r in reports}) == len({r.tab for r in reports}) == 12
    assert all(len(r.tab) <= 31 for r in reports)
    assert all(any(b.table or b.sentences for b in r.blocks) for r in reports)
    page = reports_page(sample_result, language)
    assert page.count("<article") == 12 and "<svg" in page and "http://" not in page


def test_the_layout_plan_has_every_site_and_keeps_every_pupil(sample_result: PlanResult) -> None:
    report = layout(sample_result, "zh")
    rows = {(r[1], r[3]): r for r in texts(report, 1)}
    assert (
        rows["贾家庄教学点", "小学"][4:7] == ["14", "0", "−14"] and rows["贾家庄教学点", "小学"][-1] == "撤并"
    )
    assert rows["史家沟小学", "小学"][-1] == "停办部分年级段" and rows["河口镇初级中学", "初中"][-1] == "保留"
    foot = [c.text for c in table(report, 1).foot]
    assert foot[4] == foot[5] and foot[6] == "0"


def test_a_record_for_each_site_that_closes_or_ends_grades(sample_result: PlanResult) -> None:
    first, second = closures(sample_result, "zh").blocks
    assert (first.heading, second.heading) == ("贾家庄教学点", "史家沟小学")
    assert first.table is not None and second.table is not None
    (row,) = [[c.text for c in r] for r in first.table.rows]
    way = sample_result.verdict.travel.query("village_id == 'V03' and changed").iloc[0]
    assert (
        row[:3] == ["1–3 年级", "14", "河口镇中心小学"]
        and row[6] == f"{way['minutes']:.0f}"
        and row[7] == "贾家庄村"
    )
    assert "河口镇中心小学 1" in first.sentences[0] and "史家沟小学 2" in first.sentences[0]
    (other,) = [[c.text for c in r] for r in second.table.rows]
    assert (other[1], other[2], other[8]) == ("32", "青石乡九年一贯制学校", "32")  # all ride


def test_nothing_closed_is_said_in_words(sample_result: PlanResult) -> None:
    bands = sample_result.plan.bands.assign(open=True)
    (block,) = closures(replace(sample_result, plan=replace(sample_result.plan, bands=bands)), "zh").blocks
    assert block.table is None and "无须一校一案" in block.sentences[0]


def test_every_pupil_stands_in_one_part_of_the_ways(sample_result: PlanResult) -> None:
    rows = texts(school_ways(sample_result, "zh"))
    everybody = int(sample_result.plan.attendance["pupils"].sum())
    for end in ("现状", "方案"):
        mine = [[n.replace(",", "") for n in r] for r in rows if r[0] == end]
        assert sum(int(r[-1]) for r in mine) == everybody
        assert all(sum(int(n) for n in r[2:-1]) == int(r[-1]) for r in mine)


def test_a_matrix_has_value_mark_and_gap(sample_result: PlanResult) -> None:
    parts = [block.table for block in indicator_matrix(sample_result, "zh").blocks if block.table]
    marks = "".join(c.text for part in parts for row in part.rows for c in row[2:-1])
    cells = sample_result.verdict.indicators
    cells = cells[cells["assessed_plan"]]
    assert marks.count("✓") == int(cells["met_plan"].eq(True).sum())
    assert marks.count("△") + marks.count("✗") == int(cells["met_plan"].eq(False).sum()) == marks.count("缺")
    near = cells[(cells["met_plan"].eq(False)) & (cells["ratio_plan"] >= 0.85 * cells["threshold"])]
    assert marks.count("△") == len(near) > 0


def test_s_is_mean_times_coefficient(sample_result: PlanResult) -> None:
    rows = texts(spread(sample_result, "zh"))
    assert len(rows) == len(sample_result.verdict.cv)
    first = sample_result.verdict.cv.iloc[0]
    assert float(rows[0][6]) == pytest.approx(first["mean_plan"] * first["cv_plan"], abs=0.006)


def test_teachers_have_their_shares(sample_result: PlanResult) -> None:
    stock = sample_result.county.staff_stock.assign(eligible_rotation=2)
    county = replace(sample_result.county, staff_stock=stock)
    said = teachers(replace(sample_result, county=county), "zh").blocks[0].sentences
    assert f"交流教师 6 人，占符合交流条件教师（{2 * len(stock)}）的 {600 / (2 * len(stock)):.1f}%" in said[0]
    assert "骨干教师 2 人，占交流教师的 33.3%" in said[1]
    unknown = teachers(sample_result, "zh").blocks[0].sentences[0]
    assert "表中未填" in unknown and "–" in unknown  # no share of an unknown number
    assert table(teachers(sample_result, "zh")).foot[5].text == "6"


def test_devices_and_problems(sample_result: PlanResult) -> None:
    (row,) = texts(devices(sample_result, "zh"))
    assert row[3:8] == ["网络多媒体教室", "2", "间", "30,000", "6.0"]
    cells = sample_result.verdict.indicators
    short = cells[cells["assessed_plan"] & cells["met_plan"].eq(False)]
    assert [r[0] for r in texts(problems(sample_result, "zh"))] == [str(k) for k in range(1, len(short) + 1)]


@pytest.mark.parametrize(("many", "shown"), [(0, "0"), (1, "< 5"), (5, "15")])
def test_few_vulnerable_children_are_not_counted_out(
    sample_result: PlanResult, many: int, shown: str
) -> None:
    """Pupils leave three units; a column that is empty gives no number at all."""
    stage = sample_result.county.school_stage
    senders = {"S3/pri", "S6/pri", "S2/pri"}
    told = [
        many if f"{j}/{s}" in senders else 0 for j, s in zip(stage["school_id"], stage["stage"], strict=True)
    ]
    county = replace(
        sample_result.county,
        school_stage=stage.assign(disabled=pd.Series(told, index=stage.index, dtype="Int64")),
    )
    rows = {r[0]: r[1] for r in texts(risks(replace(sample_result, county=county), "zh"))}
    assert rows["学生转出学校的随班就读学生（人）"] == shown
    assert rows["学生转出学校的留守儿童（人）"] == "表中未填"
    assert rows["以往信访"] == "不在数据中，由人填写"


def test_the_workbook_has_a_sheet_for_each_and_numbers_are_numbers(
    sample_result: PlanResult, tmp_path: Path
) -> None:
    book = openpyxl.load_workbook(write_reports_workbook(sample_result, tmp_path / "r.xlsx", "zh"))
    assert book.sheetnames == [r.tab for r in all_reports(sample_result, "zh")]
    page = book["设备概算"]
    assert page["A1"].value == "信息化设备配置及经费概算表" and page.page_setup.orientation == "landscape"
    money = [c for row in page.iter_rows() for c in row if c.value == 6.0]
    assert money and money[0].number_format == "#,##0.0"


def test_what_was_found_in_the_data_stands_with_its_column_row_and_entry(sample_result: PlanResult) -> None:
    found = (
        Finding("note", "tables.left_empty", {}, "schools.csv", "schools", column="dorm_area"),
        Finding("warning", "tables.over_capacity", {"pupils": 9}, "s.csv", "school_stage", 4, "capacity_pupils", "7"),
        Finding("note", "reasons.site_left_out", {"school": "甲校", "kind": "special"}),
    )  # fmt: skip
    report = data_quality(replace(sample_result, findings=found), "zh")
    empty, full, left = texts(report, 1)
    assert empty[3:] == ["", "宿舍面积", ""] and full[3:] == ["4", "可容纳学生数", "7"]
    assert "特殊教育学校" in left[2] and "special" not in left[2]


def test_sheets_of_reports_cut_no_text_and_keep_their_headings(
    sample_result: PlanResult, tmp_path: Path
) -> None:
    long = Finding("note", "reasons.site_left_out", {"school": "很长的校名" * 12, "kind": "special"})
    result = replace(
        sample_result, findings=(long, *20 * [Finding("note", "roads.no_surface", {"all": 1, "count": 1})])
    )
    book = openpyxl.load_workbook(write_reports_workbook(result, tmp_path / "r.xlsx", "zh"))
    page = book["数据质量"]
    (cell,) = [c for row in page.iter_rows() for c in row if "很长的校名" in str(c.value)]
    letters, wide = len(str(cell.value)), page.column_dimensions[cell.column_letter].width
    lines = page.row_dimensions[cell.row].height / 16
    assert cell.alignment.wrap_text and lines * wide >= 2 * letters
    assert page.print_title_rows == f"${cell.row - 1}:${cell.row - 1}"
    total = [c for row in book["设备概算"].iter_rows() for c in row if c.value == "合计"]
    assert total[0].font.b


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_document_repeats_headings_keeps_rows_whole_and_has_a_chinese_font(
    sample_result: PlanResult, tmp_path: Path, language: str
) -> None:
    path = write_reports_document(sample_result, tmp_path / "r.docx", language)
    document = docx.Document(str(path))
    headings = [p.text for p in document.paragraphs if p.style.name == "Heading 1"]
    assert headings == [
        f"{i}  {r.title}" for i, r in enumerate(all_reports(sample_result, language), start=1)
    ]
    for one in document.tables:
        assert one.rows[0]._tr.trPr.find(qn("w:tblHeader")) is not None
        assert all(row._tr.trPr.find(qn("w:cantSplit")) is not None for row in one.rows)
        kept = [row.cells[0].paragraphs[0].paragraph_format.keep_with_next for row in one.rows]
        assert (
            kept[0] and kept[:3].count(True) == min(3, len(kept) - 1) and not kept[-1]
        )  # a heading is never alone
    assert document.styles["Normal"].element.rPr.rFonts.get(qn("w:eastAsia")) == "SimSun"
    again = write_reports_document(sample_result, tmp_path / "again.docx", language)
    assert again.read_bytes() == path.read_bytes()


def test_a_report_is_written_alone_under_its_own_number(sample_result: PlanResult, tmp_path: Path) -> None:
    told = {r.id: r.title for r in all_reports(sample_result, "en")}
    path = write_reports_document(sample_result, tmp_path / "one.docx", "en", only="spread")
    heads = [p.text for p in docx.Document(str(path)).paragraphs if p.style.name == "Heading 1"]
    assert heads == [f"4  {told['spread']}"]
    with pytest.raises(ValueError, match="closures"):
        write_reports_document(sample_result, tmp_path / "none.docx", "en", only="everything")


# --- one by one ---------------------------------------------------------------------------------


def test_reports_are_meant_by_number_id_or_title_in_either_language() -> None:
    assert reports_meant(()) == REPORTS
    assert reports_meant(("12", "一校一案", "Layout", "02")) == ("layout", "closures", "quality")
    with pytest.raises(InputProblems) as refused:
        reports_meant(("layout", "everything"))
    (finding,) = refused.value.findings
    for n, report in enumerate(REPORTS, start=1):  # the refusal names what there is, as it is called
        assert f"{n} {report}" in finding.sentence("en")
        assert f"{n} {report_word(f'tab_{report}', 'zh')}" in finding.sentence("zh")


def test_each_report_is_a_document_of_its_own_in_the_bureaus_template(
    sample_result: PlanResult, tmp_path: Path
) -> None:
    own = docx.Document(io.BytesIO(default_letterhead("zh")))
    own.sections[0].header.paragraphs[0].text = "本局模板"
    own.save(str(tmp_path / "own.docx"))
    folder = write_single_reports(
        sample_result, tmp_path / "out", "zh", ("layout", "4"), read_letterhead(tmp_path / "own.docx")
    )
    assert sorted(p.name for p in folder.iterdir()) == ["01-layout.docx", "04-spread.docx", "reports.json"]
    told = {r.id: r.title for r in all_reports(sample_result, "zh")}
    for number, report, maps in ((1, "layout", 1), (4, "spread", 0)):
        document = docx.Document(str(folder / f"{number:02d}-{report}.docx"))
        heads = [p.text for p in document.paragraphs if p.style.name == "Heading 1"]
        assert heads == [f"{number}  {told[report]}"] and len(document.inline_shapes) == maps
        assert document.sections[0].header.paragraphs[0].text == "本局模板"
    with pytest.raises(InputProblems):
        write_single_reports(sample_result, folder, "zh", ("spread",))  # not over it unless asked
    assert write_single_reports(sample_result, folder, "zh", ("spread",), overwrite=True) == folder
    assert not (folder / "01-layout.docx").exists()  # a folder holds what its list says


def test_a_map_leaves_room_for_the_sentences_above_it_or_has_a_page_of_its_own(tmp_path: Path) -> None:
    book, picture = DocxTemplate(io.BytesIO(default_letterhead("en"))), io.BytesIO()
    Figure(figsize=(4, 4)).savefig(picture, format="png")
    (tmp_path / "map.png").write_bytes(picture.getvalue())
    book.init_docx()
    high = [
        int(re.findall(r'cy="(\d+)"', _picture(book, tmp_path / "map.png", "map", n))[0]) for n in (0, 3, 30)
    ]
    assert high[1] < high[0] == high[2]
