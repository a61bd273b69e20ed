"""The test command: lint, format, types, the import rule, the documentation, then pytest.

Everything runs even after a failure; the exit code is 0 only if all of it passed. Arguments go to pytest.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ["geodata", "models", "optimizer", "maps"]


def steps(site: str, arguments: list[str]) -> list[tuple[str, list[str]]]:
    """Name and command of each step, in order; pytest last, so that its summary closes the output."""
    python = [sys.executable, "-m"]
    folder = Path(sys.executable).parent
    found = [
        ("lint", [*python, "ruff", "check", "."]),
        ("format", [*python, "ruff", "format", "--check", "."]),
        ("types", [*python, "mypy"]),
        ("imports", [str(folder / "lint-imports")]),
    ]
    if (ROOT / "mkdocs.yml").exists():
        found.append(("documentation", [*python, "mkdocs", "build", "--strict", "--site-dir", site]))
    # a file's tests stay in one process: its county is made once
    return [
        *found,
        (
            "tests",
            [*python, "pytest", "-n", str(min(4, os.cpu_count() or 2)), "--dist", "loadfile", *arguments],
        ),
    ]


def main() -> int:
    """Run every step."""
    failed = []
    with tempfile.TemporaryDirectory() as site:
        for name, command in steps(site, sys.argv[1:]):
            print(f"== {name}", flush=True)
            if subprocess.run(command, cwd=ROOT, check=False).returncode:
                failed.append(name)
                print(f"== {name} FAILED", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
