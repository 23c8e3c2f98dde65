"""The scripts of the lease, each one step: read Redis' clock, bring the lease up to now, change it.

Every script may be repeated harmlessly: what a lost reply leaves in doubt is asked again.
"""

from functools import cache
from importlib.resources import files

from redis.asyncio import Redis
from redis.commands.core import AsyncScript

_CLOCK = "clock"
_BOOK = "book"
_TELLING = "telling"
_TELLS_HERE = "--@telling\n"


@cache
def source(name: str) -> str:
    """Return the Lua text of one part."""
    return files(__package__).joinpath(f"{name}.lua").read_text(encoding="utf-8")


class LeaseScripts:
    """The scripts on one connection."""

    def __init__(self, redis: Redis, clock: str | None = None) -> None:
        """``clock`` is Lua that defines ``now_ms``; Redis' own time unless a test brings one."""
        self._redis = redis
        self._clock = source(_CLOCK) if clock is None else clock
        self.acquire = self._on_the_book("acquire")
        self.release = self._on_the_book("release")
        self.look = self._on_the_book("look")
        self.tick = self._on_the_book("tick")
        self.drained = self._on_the_book("drained")
        self.ask_to_yield = self._on_the_book("yield")
        self.gate = self._alone("gate")
        self.through = self._alone("through")
        self.number = self._alone("number")

    def _on_the_book(self, name: str) -> AsyncScript:
        return self._alone(_BOOK, name)

    def _alone(self, *names: str) -> AsyncScript:
        text = "".join(source(name) for name in names)
        telling = source(_TELLING)
        return self._redis.register_script(self._clock + text.replace(_TELLS_HERE, telling))
