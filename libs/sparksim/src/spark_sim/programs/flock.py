"""flock for hosts that have none: ``flock [-n] [-x] [-w SECONDS] DESCRIPTOR``."""

import fcntl
import sys
import time

patience = float("inf")
arguments = sys.argv[1:]
while arguments and arguments[0].startswith("-"):
    option = arguments.pop(0)
    if option == "-n":
        patience = 0.0
    elif option == "-w":
        patience = float(arguments.pop(0))
deadline = time.monotonic() + patience
while True:
    try:
        fcntl.flock(int(arguments[0]), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if time.monotonic() >= deadline:
            sys.exit(1)
        time.sleep(0.01)
    else:
        break
