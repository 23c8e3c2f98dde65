"""Room for connections: each is an open file, and each stream of the gateway has two of them."""

import resource
from typing import Final

WANTED: Final = 65_536


def make_room(wanted: int = WANTED) -> int:
    """Raise this process's own limit of open files as far as the system lets it; return it.

    Most systems begin with 1,024 and allow far more to whoever asks.
    """
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    goal = wanted if most == unlimited else min(wanted, most)
    if soft == unlimited or soft >= goal:
        return soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (goal, most))
    return goal
