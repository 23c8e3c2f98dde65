"""timeout for hosts that have none: ``timeout [-k SECONDS] SECONDS COMMAND...``."""

import subprocess
import sys

arguments = sys.argv[1:]
while arguments and arguments[0].startswith("-"):
    if arguments.pop(0) == "-k":
        arguments.pop(0)
seconds = float(arguments.pop(0).rstrip("s"))
try:
    sys.exit(subprocess.run(arguments, timeout=seconds, check=False).returncode)
except subprocess.TimeoutExpired:
    sys.exit(124)
