"""An office that gives out keys as the coordinator would, without one."""

from dataclasses import dataclass, field
from typing import Any

from spark_common.contracts.api_keys import Ring, RingKey
from spark_common.key_text import digest_of, fresh_key
from spark_common.settings.policies import KeySettings
from spark_common.testing import FakeClock
from spark_gateway.keys.book import KeyBook
from spark_gateway.keys.entrance import Entrance
from spark_gateway.keys.guesses import Guesses
from spark_gateway.keys.sessions import Sessions


@dataclass
class Office:
    """A book of keys that a test writes; ``settings`` are the owner's."""

    clock: FakeClock = field(default_factory=FakeClock)
    settings: KeySettings = field(default_factory=lambda: KeySettings(api_keys=True))
    loaded: frozenset[str] = frozenset({"org/model"})
    keys: dict[str, RingKey] = field(default_factory=dict)
    version: int = 0

    def __post_init__(self) -> None:
        self.book = KeyBook(self.clock, lambda: self.loaded)
        sessions = Sessions(self.book, self.clock)
        self.entrance = Entrance(lambda: self.settings, self.book, sessions, Guesses(self.clock))

    def issue(self, name: str, *scopes: str, **given: Any) -> str:
        text = fresh_key()
        self.keys[name] = RingKey(
            id=name, name=name, digest=digest_of(text), scopes=list(scopes), **given
        )
        self.tell()
        return text

    def change(self, name: str, **given: Any) -> None:
        self.keys[name] = self.keys[name].model_copy(update=given)
        self.tell()

    def revoke(self, name: str) -> None:
        del self.keys[name]
        self.tell()

    def tell(self) -> None:
        self.version += 1
        ring = Ring(version=self.version, keys=list(self.keys.values()), session_secret="s" * 43)
        self.book.learn(ring)
