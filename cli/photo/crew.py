"""Many files judged by a process a core, in the order given. A file that kills its process costs that file alone."""

import contextlib
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import cv2

from cli.photo import judging
from photospec import faces

#: A file that takes longer ends its process: the slowest that is let through to the decoder takes about two seconds.
LIMIT_S = 60
#: Address space of a process: the greatest picture let through takes some 0.6 GB.
LIMIT_BYTES = 4 * 2**30
#: Files under way a process, so that none waits for work and the results of thousands never pile up.
_AHEAD = 4


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def judge_all(jobs: Iterable[judging.Job], processes: int) -> Iterator[judging.Row]:
    """Rows in the order of the jobs. One process means this one, without limits of its own."""
    if processes <= 1:
        cv2.setNumThreads(1)
        yield from map(judging.judge, jobs)
        return
    faces.prepare()  # missing weights are told here, not by each process in turn
    rest = iter(jobs)
    under_way: deque[tuple[judging.Job, Future[judging.Row]]] = deque()
    crew = pool(processes)
    try:
        while True:
            while len(under_way) < _AHEAD * processes and (job := next(rest, None)) is not None:
                under_way.append((job, _begun(crew, job)))
            if not under_way:
                return
            job, future = under_way.popleft()
            try:
                row = future.result()
            except BrokenProcessPool:
                crew.shutdown(wait=False, cancel_futures=True)
                lost = [job, *(waiting for waiting, _ in under_way)]
                under_way.clear()
                yield from map(_alone, lost)
                crew = pool(processes)
                continue
            yield row
    finally:
        crew.shutdown(wait=False, cancel_futures=True)


def _alone(job: judging.Job) -> judging.Row:
    """Judged in a process of its own, to learn which of the files under way it was."""
    with pool(1) as alone:
        try:
            return _begun(alone, job).result()
        except BrokenProcessPool:
            return judging.gave_up(job)


def pool(processes: int) -> ProcessPoolExecutor:
    """Processes that are ready to judge once they have begun. Submit to it within `one_thread_each`."""
    # Not forked: OpenCV's threads would not survive it.
    return ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), initializer=_begin)


def _begun(crew: ProcessPoolExecutor, job: judging.Job) -> Future[judging.Row]:
    """A crew that broke meanwhile says so where its rows are awaited, too."""
    try:
        with one_thread_each(), _deaf_to_interrupts():
            return crew.submit(_within_limits, job)
    except BrokenProcessPool as error:
        never: Future[judging.Row] = Future()
        never.set_exception(error)
        return never


@contextlib.contextmanager
def one_thread_each() -> Iterator[None]:
    """Processes that start meanwhile use one core each: what numpy's own threads would take, the others have."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


@contextlib.contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Processes that start meanwhile leave Ctrl-C to this one from their first moment on, and die without a word."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin() -> None:
    """What a process does before its first file: one core, no Ctrl-C, no stray words, an end with its parent's."""
    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # libjpeg writes its warnings of damaged data to stderr, into the progress bar; what they mean is in the rows.
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 2)
    os.close(sink)
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (LIMIT_BYTES, LIMIT_BYTES))
    faces.prepare()


def _end_with_parent() -> None:
    """A parent that was killed cleans up nothing: without this its processes would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)


def _within_limits(job: judging.Job) -> judging.Row:
    if not hasattr(signal, "SIGALRM"):
        return judging.judge(job)
    # Unhandled, the signal ends the process even inside the decoder.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(LIMIT_S)
    try:
        return judging.judge(job)
    finally:
        signal.alarm(0)
