"""What a file is by its first bytes, whatever its name says: workbooks of other programs, locked ones, texts."""

from __future__ import annotations

import zipfile
from pathlib import Path

from geodata.contract.findings import Finding
from geodata.messages import LANGUAGES, say

OLE, ZIP = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"PK\x03\x04"
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
SUFFIXES = (".xls", ".xlsb", ".ods", ".et", ".numbers")
"""Workbooks of other programs, which their own program saves as .xlsx."""


def content_of(path: Path) -> str:
    """One of locked, xls, xlsx, xlsb, ods, numbers, zip, empty, web, xml, pdf, text."""
    with path.open("rb") as file:
        start = file.read(4096)
        if start.startswith(OLE):
            rest = file.read(2_000_000)
            return "locked" if ENCRYPTED in start + rest else "xls"
    if start.startswith(ZIP):
        return _archive(path)
    words = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not words:
        return "empty"
    if words.startswith((b"<!doctype html", b"<html", b"<table")):
        return "web"
    return "pdf" if words.startswith(b"%pdf") else "xml" if words.startswith(b"<?xml") else "text"


def _archive(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            kind = archive.read("mimetype")[:80] if "mimetype" in names else b""
    except Exception:  # zipfile raises many kinds for a damaged archive
        return "zip"
    if b"opendocument" in kind:
        return "ods"
    if "xl/workbook.bin" in names:
        return "xlsb"
    if "xl/workbook.xml" in names:
        return "xlsx"
    return "numbers" if any(n.startswith("Index/") for n in names) else "zip"


def no_workbook(path: Path, label: str, why: str) -> Finding:
    """Why a file cannot be opened as an .xlsx workbook, by what it is; ``why`` is said of one that looks like it."""
    kind, suffix = content_of(path), path.suffix.lower()
    if kind == "locked":
        return Finding("error", "bureau.locked", file=label)
    if kind in ("xls", "xlsb", "ods", "numbers"):
        return Finding("error", "bureau.old_excel", {"kind": f".{kind}"}, file=label)
    if suffix in SUFFIXES:
        return Finding("error", "bureau.old_excel", {"kind": suffix}, file=label)
    told: object = why[:200]
    if kind in ("empty", "web", "xml", "pdf", "text"):
        told = {language: say(f"bureau.kind_{kind}", language) for language in LANGUAGES}
    return Finding("error", "tables.not_a_workbook", {"why": told, "kind": suffix}, file=label)
