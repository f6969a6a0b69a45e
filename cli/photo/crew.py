"""Many files judged by a process a core, in the order given. A file that kills its process costs that file alone."""

import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import cv2

from cli.photo import judging

#: A file that takes longer ends its process: the slowest that is let through to the decoder takes about two seconds.
LIMIT_S = 60
#: Address space of a process: the greatest picture let through takes some 0.6 GB.
LIMIT_BYTES = 4 * 2**30
#: Files under way a process, so that none waits for work and the results of thousands never pile up.
_AHEAD = 4


def judge_all(jobs: Iterable[judging.Job], processes: int) -> Iterator[judging.Row]:
    """Rows in the order of the jobs. One process means this one, without limits of its own."""
    if processes <= 1:
        cv2.setNumThreads(1)
        yield from map(judging.judge, jobs)
        return
    rest = iter(jobs)
    under_way: deque[tuple[judging.Job, Future[judging.Row]]] = deque()
    pool = _pool(processes)
    try:
        while True:
            while len(under_way) < _AHEAD * processes and (job := next(rest, None)) is not None:
                under_way.append((job, pool.submit(_within_limits, job)))
            if not under_way:
                return
            job, future = under_way.popleft()
            try:
                row = future.result()
            except BrokenProcessPool:
                pool.shutdown(wait=False, cancel_futures=True)
                lost = [job, *(waiting for waiting, _ in under_way)]
                under_way.clear()
                yield from map(_alone, lost)
                pool = _pool(processes)
                continue
            yield judging.shared(row)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _alone(job: judging.Job) -> judging.Row:
    """Judged in a process of its own, to learn which of the files under way it was."""
    with _pool(1) as pool:
        try:
            return pool.submit(_within_limits, job).result()
        except BrokenProcessPool:
            return judging.gave_up(job)


def _pool(processes: int) -> ProcessPoolExecutor:
    # Not forked: OpenCV's threads would not survive it.
    return ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), initializer=_begin)


def _begin() -> None:
    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    # libjpeg writes its warnings of damaged data to stderr, into the progress bar; what they mean is in the rows.
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 2)
    os.close(sink)
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (LIMIT_BYTES, LIMIT_BYTES))


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
