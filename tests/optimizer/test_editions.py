"""A public edition and a bureau's own template, from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from docx import Document

from optimizer.verbs.template import write_template
from tests.optimizer.test_workbook import ask, run
from tests.samples import small_county


@pytest.fixture
def county(tmp_path: Path) -> Path:
    path = write_template(tmp_path / "mycounty.xlsx", "en", small_county())
    ask(path, [("goal", "travel", None)], "en")
    return path


def test_a_plan_with_a_public_edition_in_a_bureaus_own_template(county: Path, tmp_path: Path) -> None:
    own, plan, public = tmp_path / "own.docx", tmp_path / "plan", tmp_path / "public"
    code, output = run("template", own, "--document")
    assert code == 0 and "own.docx" in output
    document = Document(str(own))
    document.add_paragraph("Bureau of Somewhere, No. 7")
    document.save(str(own))
    code, output = run("plan", county, "--out", plan, "--letterhead", own, "--public", public)
    assert code == 0 and "Public edition written" in output
    for folder in (plan, public):
        said = [p.text for p in Document(str(folder / "reports.docx")).paragraphs]
        assert "Bureau of Somewhere, No. 7" in said
    assert (plan / "plan.csv").is_file() and not (public / "plan.csv").exists()
    code, output = run("plan", county, "--out", tmp_path / "again", "--public", public)
    assert (
        code != 0 and not (tmp_path / "again").exists()
    )  # nothing is replaced unasked, and it is said before solving


@pytest.mark.parametrize("public", ["plan", "plan/public", "."])
def test_the_public_edition_stands_apart_from_the_dossier(county: Path, tmp_path: Path, public: str) -> None:
    code, output = run(
        "plan", county, "--out", tmp_path / "plan", "--public", tmp_path / public, "--overwrite"
    )
    assert code != 0 and "folder of its own" in output
    assert not (tmp_path / "plan").exists()


def test_a_template_that_is_no_document_is_refused_before_anything_is_solved(
    county: Path, tmp_path: Path
) -> None:
    wrong = tmp_path / "own.docx"
    wrong.write_text("no document")
    code, output = run("plan", county, "--out", tmp_path / "plan", "--letterhead", wrong)
    assert code != 0 and "no Word document" in output and not (tmp_path / "plan").exists()
