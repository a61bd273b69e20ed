"""The test command: lint, format, types, the import rule, then pytest, which builds the documentation among its tests.

Everything runs even after a failure; the exit code is 0 only if all of it passed. Arguments go to pytest.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ["geodata", "models", "optimizer", "maps"]


def steps(arguments: list[str]) -> list[tuple[str, list[str]]]:
    """Name and command of each step, in order; pytest last, so that its summary closes the output."""
    python = [sys.executable, "-m"]
    folder = Path(sys.executable).parent
    workers = str(min(4, os.cpu_count() or 2))
    # each process takes a part of the files in order, so that a file's county is made once; who is done takes over tests
    # from the end of another's part, so that none waits for the last long file
    return [
        ("lint", [*python, "ruff", "check", "."]),
        ("format", [*python, "ruff", "format", "--check", "."]),
        ("types", [*python, "mypy"]),
        ("imports", [str(folder / "lint-imports")]),
        ("tests", [*python, "pytest", "-n", workers, "--dist", "worksteal", *arguments]),
    ]


def main() -> int:
    """Run every step."""
    failed = []
    for name, command in steps(sys.argv[1:]):
        print(f"== {name}", flush=True)
        if subprocess.run(command, cwd=ROOT, check=False).returncode:
            failed.append(name)
            print(f"== {name} FAILED", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
