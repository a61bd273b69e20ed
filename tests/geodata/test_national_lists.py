"""Two national lists become counties within their mapping files, which are those of the documentation."""

from __future__ import annotations

import os
import re
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from geodata.contract.findings import Finding, errors
from geodata.folder.reading import check, read_county
from models.referee.audit import audit

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("JUNHENG_DATA", ROOT.parent / "shared" / "data"))
LIST = DATA / "fermanagh" / "primary_schools_2023_24.csv"


def mapping_of(title: str) -> str:
    page = (ROOT / "docs" / "bureau-tables.md").read_text(encoding="utf-8")
    return re.findall(rf"```toml\n# {title}\n(.*?)```", page, re.S)[0]


def county_of(folder: Path, name: str, year: int, mapping: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "county.toml").write_text(
        f'name = "{name}"\nname_en = "{name}"\nyear = {year}\nmapping = "mapping.toml"\n', encoding="utf-8"
    )
    (folder / "mapping.toml").write_text(mapping, encoding="utf-8")
    return folder


UNKNOWN = {
    "staff_stock", "unit_costs", "budget", "area_teaching", "area_indoor_sport", "area_sport_ground", "equip_value", "rooms_multimedia",
    "capacity_pupils",
}  # fmt: skip


def not_known(found: list[Finding]) -> set[str]:
    """Tables and columns that are said to be not known."""
    return {f.column or f.table for f in found if f.key.startswith(("tables.lacks_", "tables.unknown_"))}


@pytest.mark.skipif(not LIST.is_file(), reason="the Northern Irish list does not lie beside the repository")
def test_the_northern_irish_list(tmp_path: Path) -> None:
    """Read where it lies; nothing but the mapping is written."""
    text = mapping_of("northern-ireland.toml").replace(LIST.name, LIST.as_posix())
    folder = county_of(tmp_path / "ni", "Fermanagh and Omagh", 2023, text)
    found = check(folder, allow_outside=True)
    assert errors(found) == []
    assert not_known(found) == UNKNOWN
    county = read_county(folder, allow_outside=True)
    raw = pd.read_csv(LIST).sort_values("De ref", key=lambda c: c.astype(str))
    years = raw[[f"year {y}" for y in range(2, 8)]].sum(axis=1).astype(int)
    assert county.schools["school_id"].to_list() == raw["De ref"].astype(str).to_list()
    assert county.school_stage["pupils"].to_list() == years.to_list()
    assert county.school_stage["classes"].to_list() == [-(-n // 28) for n in years]
    assert county.demand["pupils_base"].sum() == county.attendance["pupils"].sum() == years.sum() == 9334
    assert county.schools["lon"].to_list() == raw["lon"].to_list()
    assert set(county.schools["zone"]) == {"town", "rural"} and len(county.schools) == 77
    assert county.school_stage[["area_teaching", "capacity_pupils", "equip_value"]].isna().all(axis=None)
    assert audit(county).stages["passes"].isna().all()


MALAYSIA = (
    "NEGERI", "PPD", "PARLIMEN", "DUN", "PERINGKAT", "JENIS/LABEL", "KODSEKOLAH", "NAMASEKOLAH", "ALAMATSURAT", "POSKODSURAT",
    "BANDARSURAT", "NOTELEFON", "NOFAX", "EMAIL", "LOKASI", "GRED", "BANTUAN", "BILSESI", "SESI", "ENROLMEN PRASEKOLAH", "ENROLMEN",
    "ENROLMEN KHAS", "GURU", "PRASEKOLAH", "INTEGRASI", "KOORDINATXX", "KOORDINATYY", "SKM<=150",
)  # fmt: skip
SCHOOLS = (
    ("ULU BAHARU", "Rendah", "SK", "XBA1001", "SK Seri Angsana", "Bandar", 421, 101.8012, 3.0511),
    ("ULU BAHARU", "Rendah", "SK", "XBA1002", "SK Batu Lapan", "Luar Bandar", 87, 1018240000, 3.0702),
    ("ULU BAHARU", "Rendah", "SJKC", "XBC1003", "SJKC Kampung Cempaka", "Luar Bandar", 45, 101.8377, 30466),
    ("ULU BAHARU", "Rendah", "SK", "XBA1009", "SK Pulau Tiada", "Luar Bandar", 31, None, None),
    ("ULU BAHARU", "Menengah", "SMK", "XEA1004", "SMK Ulu Baharu", "Bandar", 903, 101.8055, 3.0533),
    ("HILIR LAMA", "Rendah", "SK", "XBA2001", "SK Hilir", "Bandar", 300, 102.9, 3.3),
    ("HILIR LAMA", "Menengah", "SMK", "XEA2002", "SMK Hilir", "Bandar", 700, 0, 0),
)


def senarai(path: Path) -> None:
    """An invented list in the form of the ministry's: a title, the headings, a cell for each of 28 columns."""
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.title = "Senarai"
    page.append(["SENARAI SEKOLAH RENDAH DAN MENENGAH"])
    page.append(list(MALAYSIA))
    for office, level, kind, code, name, place, heads, x, y in SCHOOLS:
        told = {
            "NEGERI": "REKAAN", "PPD": f"PPD {office}", "PERINGKAT": level, "JENIS/LABEL": kind, "KODSEKOLAH": code, "NAMASEKOLAH": name,
            "BANDARSURAT": office.title(), "NOFAX": "TIADA", "LOKASI": place, "ENROLMEN PRASEKOLAH": 20, "ENROLMEN": heads, "GURU": 9,
            "KOORDINATXX": x, "KOORDINATYY": y, "SKM<=150": "YA" if heads <= 150 else None,
        }  # fmt: skip
        page.append([told.get(heading) for heading in MALAYSIA])
    book.create_sheet("Nota").append(["Data rekaan"])
    book.save(path)


def test_the_malaysian_list(tmp_path: Path) -> None:
    text = mapping_of("malaysia.toml")
    folder = county_of(
        tmp_path / "my", "Ulu Baharu", 2024, text.replace('leave = { KODSEKOLAH = ["XBA1009"] }\n', "")
    )
    senarai(folder / "senarai.xlsx")
    assert {(f.key, f.row) for f in errors(check(folder))} == {("bureau.no_point", 6)}
    (folder / "mapping.toml").write_text(text, encoding="utf-8")
    found = check(folder)
    assert errors(found) == []
    assert not_known(found) == UNKNOWN
    county = read_county(folder)
    assert county.schools["school_id"].to_list() == ["XBA1001", "XBA1002", "XBC1003", "XEA1004"]
    assert county.schools["lon"].to_list() == [101.8012, 101.824, 101.8377, 101.8055]
    assert county.schools["lat"].to_list() == [3.0511, 3.0702, 3.0466, 3.0533]
    assert county.schools["pupils_above"].to_list() == [0, 0, 0, 361]
    assert county.school_stage["pupils"].to_list() == [421, 87, 45, 542]
    assert county.school_stage["classes"].to_list() == [13, 3, 2, 16]
    sums = county.demand.groupby("village_id")["pupils_base"].sum()
    assert sums.to_dict() == {"XBA1001": 421, "XBA1002": 87, "XBC1003": 45, "XEA1004": 542}
    assert {"bureau.point_back", "bureau.filtered", "bureau.known_only"} <= {f.key for f in found}
