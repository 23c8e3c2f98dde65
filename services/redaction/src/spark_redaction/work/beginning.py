"""How a worker process begins. Reads nothing of the service, whose memory no worker needs."""

import multiprocessing
import os
import signal
import threading
from multiprocessing.connection import wait


def begin() -> None:
    """Leave Ctrl-C to the service, and do not outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_service, daemon=True).start()
    os.nice(1)


def _end_with_service() -> None:
    # A service that was killed ends nobody: its workers keep each other's pipes open.
    service = multiprocessing.parent_process()
    if service is not None:
        wait([service.sentinel])
        os._exit(0)
