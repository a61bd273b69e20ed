"""Whose a file is: a key that only this user has on this machine seals what may be believed or removed later."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from pathlib import Path

import platformdirs

OWNER = "owner"
"""File in a folder that is being made: the seal of the folder's name."""
KEY_ASIDE = re.compile(r"key-([0-9]+)-[0-9a-f]{8}")


def user_folder() -> Path:
    """The user's own folder for what can be computed again."""
    return platformdirs.user_cache_path("junheng", appauthor=False)


def _user_key() -> bytes:
    """The key of this user's seals, made at the first use.

    Raises
    ------
    OSError
        It can be neither read nor made.
    """
    file = user_folder() / "key"
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in file.parent.glob("key-*"):  # of runs that were killed here
            name = KEY_ASIDE.fullmatch(left.name)
            if name is not None and regular(left) and not alive(int(name[1])):
                left.unlink(missing_ok=True)
        aside = file.with_name(f"key-{os.getpid()}-{secrets.token_hex(4)}")
        with os.fdopen(os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as out:
            out.write(secrets.token_bytes(32))
        aside.replace(file)
    key = file.read_bytes()
    if len(key) != 32:
        raise OSError(f"{file.name} is damaged")
    return key


def regular(place: Path) -> bool:
    """Whether a place is a file itself, not a link to one."""
    return place.is_file() and not place.is_symlink()


def owner_seal(text: str) -> str:
    """The seal that only this user can put on a text.

    Raises
    ------
    OSError
        The key can be neither read nor made.
    """
    return hmac.new(_user_key(), text.encode(), hashlib.sha256).hexdigest()


def alive(pid: int) -> bool:
    """Whether a process of that number runs; where that cannot be asked, yes."""
    if pid == os.getpid() or os.name == "nt":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
