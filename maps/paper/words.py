"""Words of the maps on paper."""

from __future__ import annotations

from geodata.messages import say


def atlas_word(key: str, language: str, **fields: object) -> str:
    """A message of the atlas's room."""
    return say(f"atlas.{key}", language, **fields)
