"""``python -m spark_cli.nursery_process``: reads what all services read, once, and forks them.

A line of JSON on standard input asks for a child; the answers on standard output name its number,
and later how it ended. There is one thread and no event loop, for a child would inherit half of
each. When standard input ends this process ends, and its children with it.
"""

from spark_common import quick_start  # noqa: F401

# isort: split

import gc
import json
import os
import runpy
import selectors
import signal
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any, Final

from spark_common.embedded.child import die_with_parent

_PACKAGES: Final = (
    *("bus", "contracts", "events", "jobs", "leasing", "logs"),
    *("owner", "remote", "service", "settings"),
)
"""Of the common library, what several services use."""
_LIBRARIES: Final = (
    *("fastapi", "pydantic.v1", "sqlite3", "uvicorn.protocols.http.httptools_impl", "uvloop"),
    *("httpcore", "anyio.streams.tls", "nkeys", "encodings.idna"),
)
"""What several services use and the common library does not, or only once it connects."""
_LONGEST_NAME: Final = 15
"""How much of a process's name the kernel keeps."""


def main() -> None:
    """Serve until standard input ends; in a child, run what was asked for."""
    for name in shared_modules():
        import_module(name)
    # Nobody may touch a page only to count what is in it: it would be a page of its own then.
    gc.freeze()
    order = _serve()
    if order is not None:
        _become(order)


def shared_modules() -> Iterator[str]:
    """Yield the names of all modules that are read here."""
    yield from _LIBRARIES
    for package in _PACKAGES:
        top = import_module(f"spark_common.{package}")
        yield from (found.name for found in walk_packages(top.__path__, f"{top.__name__}."))


def _serve() -> dict[str, Any] | None:
    """Return what a child is to become, in the child; None at the end, in this process."""
    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(waker)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    orders = b""
    with selectors.DefaultSelector() as selector:
        selector.register(0, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        while True:
            ready = {key.fd for key, _ in selector.select()}
            if woken in ready:
                os.read(woken, 4096)
                _tell_of_ends()
            if 0 not in ready:
                continue
            read = os.read(0, 65536)
            if not read:
                return None
            *whole, orders = (orders + read).split(b"\n")
            for line in whole:
                order: dict[str, Any] = json.loads(line)
                if _fork() == 0:
                    return order


def _fork() -> int:
    parent = os.getpid()
    try:
        pid = os.fork()
    except OSError as error:
        _tell({"refused": error.strerror})
        return -1
    if pid:
        _tell({"started": pid})
        return pid
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    die_with_parent()
    if os.getppid() != parent:
        os._exit(1)
    return 0


def _tell_of_ends() -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        _tell({"ended": pid, "code": os.waitstatus_to_exitcode(status)})


def _tell(fact: dict[str, Any]) -> None:
    os.write(1, json.dumps(fact).encode() + b"\n")


def _become(order: dict[str, Any]) -> None:
    """Run a module as ``python -m`` would, in a session of its own that Ctrl-C does not reach."""
    os.setsid()
    log = os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for target, source in ((0, nothing), (1, log), (2, log)):
        os.dup2(source, target)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.environ.clear()
    os.environ.update(order["env"])
    sys.argv = [order["module"], *order["arguments"]]
    name = Path("/proc/self/comm")
    if name.exists():
        name.write_text(_title(order["module"]))
    runpy.run_module(order["module"], run_name="__main__", alter_sys=True)


def _title(module: str) -> str:
    """Return the name of the service, as far as the kernel keeps it."""
    return module.removeprefix("spark_").replace("_", "-")[:_LONGEST_NAME]


if __name__ == "__main__":
    main()
