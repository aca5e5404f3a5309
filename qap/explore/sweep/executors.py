"""Who works: processes on this machine, or the workers of a running Dask cluster."""

from __future__ import annotations

import contextlib
import os
import resource
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any, Protocol

from qap.errors import QapError, ToolFailed, ToolMissing, first_line
from qap.extras import extra

Task = dict[str, Any]
Work = Callable[[Task], list[dict[str, Any]]]
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)
SHARE_OF_MEMORY = 0.9
CONNECT_SECONDS = 10


class Executor(Protocol):
    """Runs tasks in any order."""

    @property
    def workers(self) -> int:
        """How many tasks run at the same time; 0 when nobody knows."""

    def results(self, work: Work, tasks: Sequence[Task]) -> Iterator[list[dict[str, Any]]]:
        """What the work returns for each task, as they finish."""


class LocalProcesses:
    """Processes of one thread each, which share the machine's memory in equal parts.

    Args:
        jobs: how many.
    """

    def __init__(self, jobs: int) -> None:
        if jobs < 1:
            raise QapError(f"--jobs must be at least 1, but got {jobs}")
        self._jobs = jobs

    @property
    def workers(self) -> int:
        """The processes."""
        return self._jobs

    def __enter__(self) -> LocalProcesses:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        limit = int(SHARE_OF_MEMORY * total / self._jobs)
        self._pool = ProcessPoolExecutor(self._jobs, get_context("spawn"), _begin_worker, (os.getpid(), limit))
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is not None:  # nobody waits for what is in flight
            for process in list((self._pool._processes or {}).values()):
                process.terminate()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def results(self, work: Work, tasks: Sequence[Task]) -> Iterator[list[dict[str, Any]]]:
        """What the work returns for each task, as they finish.

        Raises:
            ToolFailed: a worker died, of too little memory for example.
        """
        with _one_thread_each():
            waiting: set[Future[list[dict[str, Any]]]] = {self._pool.submit(work, task) for task in tasks}
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                try:
                    yield future.result()
                except (BrokenProcessPool, MemoryError) as error:
                    raise ToolFailed(
                        f"a worker of the sweep died ({str(error) or 'out of memory'}); what is finished is kept: "
                        "go on with --resume and fewer --jobs"
                    ) from None


class DaskWorkers:
    """The workers of a Dask scheduler that runs already; they must see the sweep's folder under the same path.

    Args:
        address: as in `tcp://127.0.0.1:8786`.
    """

    def __init__(self, address: str) -> None:
        self._address = address

    @property
    def workers(self) -> int:
        """The scheduler knows."""
        return 0

    def __enter__(self) -> DaskWorkers:
        with extra("search"):
            from distributed import Client
        try:
            self._client = Client(self._address, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise ToolMissing(f"no Dask scheduler answers at {self._address}: {first_line(error)}") from None
        return self

    def __exit__(self, *rest: object) -> None:
        self._client.close()

    def results(self, work: Work, tasks: Sequence[Task]) -> Iterator[list[dict[str, Any]]]:
        """What the work returns for each task, as they finish."""
        from distributed import as_completed

        futures = self._client.map(work, list(tasks), pure=False, retries=1)
        try:
            for future in as_completed(futures, loop=self._client.loop):
                yield future.result()
        finally:
            self._client.cancel(futures)


@contextlib.contextmanager
def _one_thread_each() -> Iterator[None]:
    """Processes that start inside of the block compute with one thread each."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _begin_worker(parent: int, limit: int) -> None:
    """Cap the memory, leave Ctrl-C to the parent, and end when the parent does."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_DATA, (limit, resource.getrlimit(resource.RLIMIT_DATA)[1]))
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
