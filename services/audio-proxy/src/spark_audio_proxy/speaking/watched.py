"""An engine whose failures at real work are told to whoever can look at it."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Final

from spark_audio_proxy.problems import ProblemCode, SpeechError
from spark_audio_proxy.speaking.engines import Engine, Manner

_FAILED: Final[frozenset[ProblemCode]] = frozenset(("upstream_bad_response", "upstream_timeout"))


class Watched:
    """Speaks as another engine does."""

    def __init__(self, engine: Engine, failed: Callable[[], None]) -> None:
        """``failed``: called when it could not do what it was asked; waits for nobody."""
        self._engine = engine
        self._failed = failed

    @property
    def there(self) -> bool:
        """Whether the owner has one."""
        return self._engine.there

    async def speak(self, text: str, manner: Manner) -> AsyncGenerator[bytes, None]:
        """Speak one piece."""
        async with aclosing(self._engine.speak(text, manner)) as spoken:
            try:
                async for samples in spoken:
                    yield samples
            except SpeechError as error:
                if error.code in _FAILED:
                    self._failed()
                raise
