"""Where the command begins: Ctrl-C ends in words from the first moment, while the rest is still imported."""

from __future__ import annotations

import codecs
import importlib
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any, cast

STOPPED = 4
NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
"""What ends a run from outside; `geodata.folder.interrupts` has the same, and is not imported yet when the first may come."""
LANGUAGES = ("zh", "en")


def asked_language(arguments: list[str], stated: str | None) -> str:
    """The language of a command line that nobody has read yet.

    Parameters
    ----------
    arguments : list of str
    stated : str or None
        The environment's JUNHENG_LANG.
    """
    for i, argument in enumerate(arguments):
        value = argument.partition("=")[2] if argument.startswith("--lang=") else ""
        if argument == "--lang":
            value = (*arguments, "")[i + 1]
        if value in LANGUAGES:
            return value
    return stated if stated in LANGUAGES else LANGUAGES[0]


def with_streams() -> None:
    """Input, output and errors lead somewhere, if only nowhere: else the first files that are opened stand in their place."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - for good


def say_everything() -> None:
    """Let the output take every character: UTF-8 where no encoding is stated, as in the C locale.

    ASCII there means only that nobody has said anything. An encoding that is stated is kept, and characters that it lacks
    become question marks: consoles in GBK lack some marks.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            unstated = codecs.lookup(stream.encoding or "ascii").name == "ascii"
            cast(Any, stream).reconfigure(errors="replace", **({"encoding": "utf-8"} if unstated else {}))


def in_utf8() -> None:
    """Begin anew in UTF-8 where names of files could be ASCII only: the C locale with Python's own UTF-8 mode switched off."""
    unstated = codecs.lookup(sys.getfilesystemencoding()).name == "ascii"
    if unstated and os.name == "posix" and sys.executable and os.environ.get("PYTHONUTF8") != "1":
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, "PYTHONUTF8": "1"})


class AtStart:
    """Handler of Ctrl-C before a verb has begun: words, and the end.

    An exception would not do: in the middle of an import it may be taken for a broken library.
    """

    def __init__(self) -> None:
        self.words: Callable[[str], str] | None = None
        self.came = 0

    def learn(self, words: Callable[[str], str]) -> None:
        """What to say, by the name of the signal; Ctrl-C that came before the words were there ends now."""
        self.words = words
        if self.came:
            self(self.came, None)

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Say that nothing was done, and end the process."""
        self.came = number
        if self.words is not None:
            with suppress(OSError):  # nobody reads
                os.write(2, (self.words(signal.Signals(number).name) + "\n").encode())
            os._exit(STOPPED)


def start() -> None:
    """Entry point of the command ``junheng``."""
    with_streams()
    in_utf8()
    say_everything()
    os.environ["PROJ_NETWORK"] = "OFF"  # PROJ fetches grids otherwise, where the user's settings say so
    language = asked_language(sys.argv[1:], os.environ.get("JUNHENG_LANG"))
    handler = AtStart()
    for name in NAMES:
        number = getattr(signal, name, None)
        if (
            number is not None and signal.getsignal(number) is not signal.SIG_IGN
        ):  # a shell may have it ignored
            signal.signal(number, handler)
    importlib.import_module("geodata.folder.interrupts").hear_all()
    say = importlib.import_module("geodata.messages").say
    told = {n: say("cli.interrupted_start", language, how=say(f"cli.how_{n}", language)) for n in NAMES}
    handler.learn(told.__getitem__)
    importlib.import_module("optimizer.cli.main").main()
