"""Folders for passing files in the system's own place for them: what a killed run has left there, the next run removes."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from geodata.roads.ownership import OWNER, alive, owner_seal

NAMED = re.compile(r"junheng-([0-9]+)-[a-z0-9_]{8}")


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder that is gone afterwards.

    It carries its process's number and, inside, this user's seal of its name. Folders of that form whose process has
    ended are removed first: those with the seal, and those in which there is nothing yet.

    Yields
    ------
    Path
    """
    with suppress(OSError):  # a place that cannot be looked through costs nothing but its left-overs
        _sweep(Path(tempfile.gettempdir()))
    prefix = f"junheng-{os.getpid()}-"
    # what cannot be removed at once (a browser that ends late) is the next run's to remove
    with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as folder:
        with suppress(OSError):  # without a key of this user nothing is ever removed
            (Path(folder) / OWNER).write_text(owner_seal(Path(folder).name), encoding="ascii")
        yield Path(folder)


def _sweep(place: Path) -> None:
    """Remove what killed runs of this user have left."""
    for folder in place.glob("junheng-*"):
        name = NAMED.fullmatch(folder.name)
        if name is not None and not folder.is_symlink() and folder.is_dir() and not alive(int(name[1])):
            with suppress(OSError, ValueError):  # another user's
                if _ours(folder):
                    shutil.rmtree(folder)


def _ours(folder: Path) -> bool:
    inside, owner = list(folder.iterdir()), folder / OWNER
    if hasattr(os, "getuid") and folder.stat().st_uid != os.getuid():
        return False
    if not inside:
        return True
    if owner.is_symlink() or not owner.is_file():
        return False
    told, seal = owner.read_text(encoding="ascii"), owner_seal(folder.name)
    return told == seal or (len(inside) == 1 and seal.startswith(told))
