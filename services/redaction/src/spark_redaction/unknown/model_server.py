"""Asks an OpenAI server on a Spark, most of all vLLM."""

from collections.abc import Callable, Sequence
from typing import Final

import httpx

from spark_redaction.desk.counts import ASKED_OTHERWISE
from spark_redaction.unknown.bounded_http import BoundedHttp
from spark_redaction.unknown.ports import NoAnswerError, Said
from spark_redaction.unknown.prompt import answer, question

_PLAINER: Final = frozenset({400, 422})


class ModelServer:
    """A ``Reader``. ``url``: the base address just now, None when nobody may be asked."""

    def __init__(self, url: Callable[[], str | None], client: httpx.AsyncClient) -> None:
        """See ``BoundedHttp`` for the client."""
        self._url = url
        self._http = BoundedHttp("the model", client)
        self._plain: set[str] = set()

    async def model(self) -> str | None:
        """Return the first model that is served; see ``Reader``."""
        url = self._url()
        return None if url is None else await self._http.served(url)

    async def read(self, model: str, piece: str, kinds: Sequence[str]) -> list[Said]:
        """Ask once; a server that takes less than vLLM is asked in plainer words."""
        url = self._url()
        if url is None:
            raise NoAnswerError("nobody may be asked for names")
        asked, place = f"{url} {model}", f"{url}/v1/chat/completions"
        plain = asked in self._plain
        status, raw = await self._http.post(place, question(model, piece, kinds, plain=plain))
        if status in _PLAINER and not plain:
            ASKED_OTHERWISE.labels("plainer").inc()
            status, raw = await self._http.post(place, question(model, piece, kinds, plain=True))
            if status == 200:
                self._plain = {asked}
        if status != 200:
            raise NoAnswerError(f"the model does not read this (status {status})")
        return answer(raw)
