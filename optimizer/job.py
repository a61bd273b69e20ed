"""`Job`: a plan made in another process from plain data: a study on a cluster and a page in a browser run the same thing.

    running = Job(Path("nanpu"), Scenario(seconds=60)).start()
    running.stop()            # from any thread: the best plan so far comes back
    result = running.result()

The process is this module run by the same interpreter (`answer_for_job`). It is told to stop by a line on its standard input;
where that ends, because whoever asked is gone, it ends too. What it answers comes back pickled: a `PlanResult`, or the
exception that the verb raised. Ctrl-C reaches the asking process only, which passes it on as a request to stop.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from geodata.contract.cells import texts_in_python
from geodata.folder.reading import read_county
from models.plan.decisions import PlanResult
from optimizer.scenario import Scenario
from optimizer.search.task import Report
from optimizer.solver.limits import Progress
from optimizer.solver.stopping import Stop, heeding
from optimizer.verbs.plan import plan

STOP = b"stop\n"


class Lost(Exception):
    """The process of a job ended without an answer (killed, or out of memory); carries its exit status."""

    def __init__(self, status: int):
        self.status = status
        super().__init__(status)


@dataclass(frozen=True)
class Job:
    """What to plan, as plain data.

    Parameters
    ----------
    folder : Path
        A county's folder or workbook.
    scenario : Scenario or None
        Its ``method`` included. None: what the workbook's scenario sheet asks for, or the default.
    """

    folder: Path
    scenario: Scenario | None = None

    def run(self, stop: Stop | None = None, report: Report | None = None) -> PlanResult:
        """Make the plan here; arguments, answer and errors of `optimizer.verbs.plan.plan`."""
        return plan(read_county(self.folder), self.scenario, report=report, stop=stop)

    def start(self, report: Report | None = None) -> Running:
        """Make the plan in another process, which is told of at once.

        Parameters
        ----------
        report : callable or None
            Called in a thread of this process with a step's name and a `Progress`.
        """
        # in a session of its own, so that a terminal's Ctrl-C reaches this process only
        process = subprocess.Popen(
            [sys.executable, "-m", "optimizer.job"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        )  # fmt: skip
        assert process.stdin is not None
        pickle.dump(self, process.stdin)
        process.stdin.flush()
        return Running(process, report)


class Running:
    """A job in its process.

    Parameters
    ----------
    process : Popen
    report : callable or None
    """

    def __init__(self, process: subprocess.Popen[bytes], report: Report | None = None):
        self.process = process
        self._answer: Any = None
        self._reader = threading.Thread(target=self._read, args=(report,), daemon=True)
        self._reader.start()

    def _read(self, report: Report | None) -> None:
        stream = self.process.stdout
        assert stream is not None
        try:
            while True:
                kind, content = pickle.load(stream)
                if kind == "progress" and report is not None:
                    report(*content)
                elif kind != "progress":
                    self._answer = content
        except (EOFError, pickle.UnpicklingError):
            return

    @property
    def done(self) -> bool:
        """True once there is an answer, or never will be."""
        return not self._reader.is_alive()

    def stop(self) -> None:
        """Ask for a stop: the best plan so far comes back soon. After the end it does nothing."""
        try:
            assert self.process.stdin is not None
            self.process.stdin.write(STOP)
            self.process.stdin.flush()
        except (BrokenPipeError, ValueError):
            return

    def result(self, seconds: float | None = None) -> PlanResult:
        """Wait for the plan; Ctrl-C meanwhile asks it to stop, once more leaves it.

        Parameters
        ----------
        seconds : float or None
            How long to wait; None for as long as it takes.

        Raises
        ------
        TimeoutError
            It goes on working.
        Lost
            The process was killed.
        Exception
            What the verb raised.
        """
        with heeding(None) as token:
            waited = 0.0
            asked = False
            while self._reader.is_alive() and (seconds is None or waited < seconds):
                self._reader.join(0.1)
                waited += 0.1
                if token.is_set() and not asked:
                    asked = True
                    self.stop()
        if self._reader.is_alive():
            raise TimeoutError
        status = self.process.wait()
        if self._answer is None:
            raise Lost(status)
        if isinstance(self._answer, BaseException):
            raise self._answer
        answer: PlanResult = self._answer
        return answer


def _answering(out: BinaryIO) -> Callable[[str, Any], None]:
    """Writes one part of the answer at a time, from any thread."""
    lock = threading.Lock()

    def tell(kind: str, content: Any) -> None:
        with lock:
            pickle.dump((kind, content), out)
            out.flush()

    return tell


def _listen(stream: BinaryIO, stop: Stop) -> None:
    """A line asks for a stop; the end of the stream means that nobody waits for an answer any more."""
    while stream.readline():
        stop.set()
    os._exit(1)


def answer_for_job() -> None:
    """The other process: read a `Job` from standard input, answer on standard output."""
    texts_in_python()
    # whatever prints, HiGHS included, must not write into the answer
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    tell = _answering(out)
    job: Job = pickle.load(sys.stdin.buffer)
    stop = Stop()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, stop), daemon=True).start()

    def report(step: str, progress: Progress) -> None:
        tell("progress", (step, progress))

    try:
        answer: Any = job.run(stop, report)
    except Exception as problem:
        answer = problem
    tell("answer", answer)


if __name__ == "__main__":
    answer_for_job()
