"""setsid for hosts that have none: run a program in a session of its own."""

import os
import sys

if os.getpgrp() == os.getpid() and os.fork():
    os._exit(0)
os.setsid()
os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - becoming the program is the point
