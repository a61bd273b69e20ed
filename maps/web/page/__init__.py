"""Files of the pages: templates, style and script, put into every page as text."""

from __future__ import annotations

from importlib.resources import files


def page_text(name: str) -> str:
    """A template, style sheet or script of the pages."""
    return (files(__name__) / name).read_text(encoding="utf-8")
