"""Jobs on worker processes: answers as they come, a killed worker's job tried once more, then told as lost.

A worker is this module run by the same interpreter, as `optimizer.job` does for one plan: it is given the work
pickled on its standard input, then item after item of it, and answers on its standard output. It ends when its
input does, so it cannot outlive whoever asked by more than the job in its hands. Ctrl-C reaches the asking process only.
"""

from __future__ import annotations

import gc
import os
import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import IO

from geodata.contract.cells import texts_in_python
from optimizer.study.jobs.cluster import cluster_answers
from optimizer.study.jobs.work import Answered, JobItem, Work, lost_row, row_of

TRIES = 2


class Worker:
    """A process that answers one item after another.

    Parameters
    ----------
    work : bytes
        A pickled `Work`.
    """

    def __init__(self, work: bytes):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "optimizer.study.jobs.workers"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        )  # fmt: skip
        self._work: bytes | None = work

    def answer(self, item: JobItem) -> Answered:
        """Wait for an item's row.

        Raises
        ------
        OSError, EOFError, pickle.UnpicklingError
            The process is gone.
        """
        assert self.process.stdin is not None and self.process.stdout is not None
        if self._work is not None:
            self.process.stdin.write(self._work)
            self._work = None
        pickle.dump(item, self.process.stdin)
        self.process.stdin.flush()
        told: Answered = pickle.load(self.process.stdout)
        return told

    def end(self) -> int:
        """End the process, now; its exit status (minus the signal that killed it)."""
        self.process.kill()
        status = self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            try:
                assert stream is not None
                stream.close()
            except OSError:
                continue
        return status


class WorkerPool:
    """Some workers, each with a thread that hands it items.

    Parameters
    ----------
    work : Work
    items : sequence of JobItem
    workers : int
    """

    def __init__(self, work: Work, items: Sequence[JobItem], workers: int):
        self.work, self.count = work, len(items)
        self.given: queue.SimpleQueue[JobItem] = queue.SimpleQueue()
        for one in items:
            self.given.put(one)
        self.told: queue.Queue[Answered | BaseException] = queue.Queue()
        self.ended = threading.Event()
        self.workers: list[Worker] = []
        self._pickled = pickle.dumps(work)
        self._lock = threading.Lock()
        for _ in range(min(workers, self.count)):
            threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        """One worker's thread: its items until there are none."""
        try:
            worker = self._hire()
            while not self.ended.is_set():
                try:
                    item = self.given.get_nowait()
                except queue.Empty:
                    break
                for left in reversed(range(TRIES)):
                    try:
                        self.told.put(worker.answer(item))
                        break
                    except (OSError, EOFError, pickle.UnpicklingError):
                        status = worker.end()
                        if self.ended.is_set():
                            return
                        worker = self._hire()
                        if not left:
                            self.told.put((lost_row(self.work, item, status), None))
            worker.end()
        except BaseException as problem:  # told to whoever waits, who would wait for ever
            self.told.put(problem)

    def _hire(self) -> Worker:
        worker = Worker(self._pickled)
        with self._lock:
            self.workers.append(worker)
        return worker

    def answers(self) -> Iterator[Answered]:
        """Every item's row as it comes, in any order.

        Raises
        ------
        Exception
            What kept a worker from being started.
        """
        for _ in range(self.count):
            one = self.told.get()
            if isinstance(one, BaseException):
                raise one
            yield one

    def end(self) -> None:
        """End all workers, whatever they are doing."""
        self.ended.set()
        with self._lock:
            for worker in self.workers:
                if worker.process.poll() is None:
                    worker.process.kill()


def answers(
    work: Work, items: Sequence[JobItem], workers: int, scheduler: str | None = None
) -> Generator[Answered, None, None]:
    """The rows of some items: here, one after another, or on workers or a cluster as they come.

    Parameters
    ----------
    work : Work
    items : sequence of JobItem
    workers : int
        With 1 everything is done in this process.
    scheduler : str or None
        Address of a cluster that does the work instead.
    """
    if scheduler is not None:
        if items:
            yield from cluster_answers(work, items, scheduler)
        return
    if workers <= 1:
        for item in items:
            yield row_of(work, item)
        return
    pool = WorkerPool(work, items, workers)
    try:
        yield from pool.answers()
    finally:
        pool.end()


def _asked(stream: IO[bytes]) -> Iterable[JobItem]:
    """Items until whoever asks is gone."""
    while True:
        try:
            yield pickle.load(stream)
        except EOFError:
            return


def serve_items() -> None:
    """The other process: read a `Work` from standard input, answer each item that follows."""
    texts_in_python()
    # whatever prints, HiGHS included, must not write into the answers
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    work: Work = pickle.load(sys.stdin.buffer)
    gc.freeze()  # what is here now stays until the end: no use in looking through it again and again
    for item in _asked(sys.stdin.buffer):
        pickle.dump(row_of(work, item), out)
        out.flush()


if __name__ == "__main__":
    serve_items()
