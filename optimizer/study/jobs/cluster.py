"""Jobs on a cluster of machines, by Dask: the same rows as on one, as they come.

The county travels with the work, once to every worker, so that workers need no folder of it; they need the same program. What
a worker that dies had in its hands is given to another by the scheduler (its ``allowed-failures``); what kills every worker
is a row, told as lost.
"""

from __future__ import annotations

import hashlib
import logging
from asyncio import CancelledError
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

from geodata.contract.cells import texts_in_python
from geodata.contract.findings import Finding, InputProblems
from optimizer.outcomes import LostOnTheWay
from optimizer.study.jobs.work import Answered, JobItem, Work, lost_row, row_of

COMPARED = ("junheng", "highspy", "numpy", "pandas", "pyomo")
"""Packages whose versions decide the figures."""
PROGRAM = ("geodata", "models", "optimizer")
"""What a worker runs of the program."""
CHATTER = ("distributed.client", "distributed.comm.core", "distributed.core")
"""What Dask logs of a connection that is gone, which is told in words here."""
_ALONE = Lock()
"""Held while a job is done: what a solver prints is caught for the whole process, which two threads cannot do at once."""
WAIT = 20.0
"""Seconds after which a scheduler that does not answer is not there."""


@cache
def program_digest() -> str:
    """A hash of the program's own text: two copies of one version may differ where it is worked on."""
    digest = hashlib.sha256()
    for package in PROGRAM:
        spec = find_spec(package)
        for home in (spec.submodule_search_locations or ()) if spec is not None else ():
            for file in sorted(Path(home).rglob("*.py")):
                digest.update(file.relative_to(home).as_posix().encode() + file.read_bytes())
    return digest.hexdigest()[:12]


def versions() -> dict[str, str]:
    """What this process runs, by package, and the text of the program itself; empty where a package is not installed as one."""
    found = {"program": program_digest()}
    for package in COMPARED:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = ""
    return found


def _there(work: Work, item: JobItem) -> Answered:
    """One job in a worker; other threads of its process wait."""
    texts_in_python()
    with _ALONE:
        return row_of(work, item)


def cluster_answers(work: Work, items: Sequence[JobItem], address: str) -> Generator[Answered, None, None]:
    """The rows of some items from a cluster, as they come.

    Parameters
    ----------
    work : Work
    items : sequence of JobItem
    address : str
        Of the scheduler: ``tcp://host:8786``.

    Raises
    ------
    InputProblems
        Dask is not installed, nobody answers at the address, there is no worker, one runs other versions or has no such
        program.
    LostOnTheWay
        The scheduler is gone: the rows that came until then are kept, and the next run goes on.
    """
    try:
        from distributed import Client, as_completed
    except ImportError:
        raise InputProblems([Finding("error", "stress.no_distributed")]) from None
    try:
        client = Client(address, timeout=WAIT, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as problem:
        why: dict[str, object] = {"why": str(problem) or type(problem).__name__}
        raise InputProblems([Finding("error", "stress.no_scheduler", why, value=address)]) from None
    with quiet(), client:
        check_workers(_told(client, address), address)
        try:
            shared = client.scatter(work, broadcast=True, hash=False)
            jobs = {client.submit(_there, shared, item, pure=False): item for item in items}
        except (OSError, CancelledError, TimeoutError):
            raise _gone(address) from None
        for job in as_completed(jobs, loop=client.loop):
            if job.status == "finished":
                yield job.result()
            elif (
                job.status == "error"
            ):  # an error of the job itself is a row already: this one never came to an end
                yield {**lost_row(work, jobs[job], 0), "why": job.status}, None
            else:  # nobody cancels a job here: whoever held them is gone
                raise _gone(address)
            job.release()


def _told(client: Any, address: str) -> dict[str, dict[str, str]]:
    """What every worker says that it runs."""
    try:
        told: dict[str, dict[str, str]] = client.run(versions)
    except (OSError, CancelledError, TimeoutError):
        raise _gone(address) from None
    except (ImportError, AttributeError) as problem:  # the worker cannot even read the question
        why: dict[str, object] = {"why": str(problem)}
        raise InputProblems([Finding("error", "stress.no_program", why, value=address)]) from None
    return told


def _gone(address: str) -> LostOnTheWay:
    """That the scheduler was lost on the way."""
    return LostOnTheWay([Finding("error", "stress.scheduler_lost", value=address)])


@contextmanager
def quiet() -> Iterator[None]:
    """Without Dask's own account of a lost connection."""
    loggers = [logging.getLogger(name) for name in CHATTER]
    levels = [one.level for one in loggers]
    for one in loggers:
        one.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for one, level in zip(loggers, levels, strict=True):
            one.setLevel(level)


def check_workers(told: dict[str, dict[str, str]], address: str) -> None:
    """Whether a cluster's workers run what this process runs.

    Parameters
    ----------
    told : dict
        Versions by worker.
    address : str

    Raises
    ------
    InputProblems
        There is no worker, or one that runs something else.
    """
    own = versions()
    found = [] if told else [Finding("error", "stress.no_workers", value=address)]
    for worker, theirs in sorted(told.items()):
        for package, here in own.items():
            if theirs.get(package) != here:
                fields: dict[str, object] = {
                    "package": package,
                    "here": here or "-",
                    "there": theirs.get(package) or "-",
                }
                found.append(Finding("error", "stress.other_versions", fields, value=worker))
    if found:
        raise InputProblems(found)
