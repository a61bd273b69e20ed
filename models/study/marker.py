"""The record by which a study's folder is known: what it holds of the study goes on in a later run."""

from __future__ import annotations

import json
from pathlib import Path


def study_of(marker: Path) -> str:
    """The key of the study that a folder holds, by its marker; nothing where there is none."""
    try:
        found = json.loads(marker.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return ""
    return str(found.get("study", "")) if isinstance(found, dict) else ""
