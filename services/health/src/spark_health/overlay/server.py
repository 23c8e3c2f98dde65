"""Asks the speech server itself how it is, and which of our files it was started with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from spark_common.contracts.speech_models import SpeechHealth
from spark_health.overlay.source import FILES

_SECONDS = 4.0
_WELL = frozenset({"ready", "ok", "healthy"})


@dataclass(frozen=True)
class Said:
    """What the server says; ``running`` is empty for one that is not ours."""

    health: SpeechHealth
    running: Mapping[str, str] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        """Whether it can transcribe."""
        return self.health.state == "ready"


async def ask(http: httpx.AsyncClient, url: str) -> Said:
    """Ask once; never raises for what a server does."""
    try:
        answer = await http.get(f"{url}/health", timeout=_SECONDS)
    except httpx.ReadTimeout:
        problem = "It takes connections and does not answer: it may be at work."
        return Said(SpeechHealth(state="busy", problem=problem))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        problem = f"Nothing answers at {url} ({type(error).__name__})."
        return Said(SpeechHealth(state="away", problem=problem))
    return read_answer(answer)


def read_answer(answer: httpx.Response) -> Said:
    """Read what ``/health`` said, whoever said it."""
    said = _object(answer)
    status = _text(said.get("status"))
    if status == "failed":
        state = "failed"
    elif answer.status_code == 200 and status in _WELL:
        state = "ready"
    elif status == "loading" or answer.status_code == 503:
        state = "loading"
    else:
        state = "failed"
    problem = _text(said.get("problem"))
    if state == "failed" and problem is None:
        problem = f"It answers with status {answer.status_code} and says nothing that is known."
    diarizer, files = said.get("diarizer"), said.get("overlay")
    diarizer = diarizer if isinstance(diarizer, dict) else {}
    files = files if isinstance(files, dict) else {}
    health = SpeechHealth.model_validate(
        {
            "state": state,
            "problem": problem,
            "model": _text(said.get("model")),
            "device": _text(said.get("device")),
            "diarizer": _text(diarizer.get("status")),
            "diarizer_problem": _text(diarizer.get("problem")),
        }
    )
    return Said(health, {name: files[name] for name in FILES if isinstance(files.get(name), str)})


def _text(value: object) -> str | None:
    return value[:500] if isinstance(value, str) and value else None


def _object(answer: httpx.Response) -> dict[str, Any]:
    try:
        said = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
