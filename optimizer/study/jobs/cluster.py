"""Jobs on a cluster of machines, by Dask: the same rows as on one, as they come.

The county travels with the work, once to every worker, so that workers need no folder of it; they need the same program. What
a worker that dies had in its hands is given to another by the scheduler (its ``allowed-failures``); what kills every worker
is a row, told as lost.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from importlib.metadata import PackageNotFoundError, version
from threading import Lock

from geodata.contract.cells import texts_in_python
from geodata.contract.findings import Finding, InputProblems
from optimizer.study.jobs.work import Answered, JobItem, Work, lost_row, row_of

COMPARED = ("junheng", "highspy", "numpy", "pandas", "pyomo")
"""Packages whose versions decide the figures."""
_ALONE = Lock()
"""Held while a job is done: what a solver prints is caught for the whole process, which two threads cannot do at once."""
WAIT = 20.0
"""Seconds after which a scheduler that does not answer is not there."""


def versions() -> dict[str, str]:
    """What this process runs, by package; empty where a package is not installed as one."""
    found = {}
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
        Dask is not installed, nobody answers at the address, there is no worker, or one runs other versions.
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
    with client:
        check_workers(client.run(versions), address)
        shared = client.scatter(work, broadcast=True, hash=False)
        jobs = {client.submit(_there, shared, item, pure=False): item for item in items}
        for job in as_completed(jobs, loop=client.loop):
            if job.status == "finished":
                yield job.result()
            else:  # an error of the job itself is a row already: this one never came to an end
                yield {**lost_row(work, jobs[job], 0), "why": job.status}, None
            job.release()


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
