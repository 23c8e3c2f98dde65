"""A server of this process that hangs: it keeps its connections and does nothing any more."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def hanging(pid: int) -> Iterator[None]:
    """Have a child hang inside the block; it has stopped when the block begins.

    The signal alone says nothing: threads of it may answer for a while.
    """
    os.kill(pid, signal.SIGSTOP)
    try:
        os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOWAIT)
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
