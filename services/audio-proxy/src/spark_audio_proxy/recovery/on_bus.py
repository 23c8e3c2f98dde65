"""The health service and everybody else, over the bus; the server, over HTTP."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from spark_audio_proxy.problems import SpeechError
from spark_audio_proxy.recovery.ports import DeepSight
from spark_audio_proxy.recovery.standing import Standing, Word
from spark_audio_proxy.upstreams.asking import UpstreamHttp
from spark_common.bus.port import Bus
from spark_common.clock import Clock
from spark_common.contracts.deep_health import GET_DEEP_HEALTH, GetDeepHealth
from spark_common.events import AudioState, AudioSuspect, HealthProbeRequested
from spark_common.ids import new_id
from spark_common.subjects import AUDIO_STATE, AUDIO_SUSPECT, HEALTH_PROBE

SERVICE: Final = "parakeet"
VOICES: Final = "kokoro"
_ANSWER_SECONDS: Final = 2.0
_WORD_SECONDS: Final = 2.0
_WORDS: Final[Mapping[str, Word]] = {"ready": "ready", "loading": "loading", "failed": "failed"}


class HealthOnBus:
    """A ``HealthDesk`` for one server, by its name there."""

    def __init__(self, bus: Bus, service: str = SERVICE) -> None:
        self._bus = bus
        self._service = service

    async def order_check(self, episode: str, reason: str) -> None:
        """Publish the order; stored, so that a health service that starts late finds it."""
        order = HealthProbeRequested(
            target=self._service, requested_by="audio-proxy", reason=reason
        )
        await self._bus.publish_durable(HEALTH_PROBE, order, id=f"probe-{episode}")

    async def latest_check(self) -> DeepSight | None:
        """Ask for the newest check."""
        answer = await self._bus.call(
            GET_DEEP_HEALTH,
            GetDeepHealth(service=self._service, history=1),
            timeout_seconds=_ANSWER_SECONDS,
        )
        last = answer.services[0].last if answer.services else None
        return None if last is None else DeepSight(last.state, last.at.timestamp())


class AnnouncedOnBus:
    """An ``Announcer``."""

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock

    async def suspect(self, standing: Standing) -> None:
        """Tell that something began."""
        event = AudioSuspect(
            server=SERVICE,
            episode=standing.episode,
            trouble=standing.trouble or "error",
            at=datetime.fromtimestamp(standing.since, UTC),
        )
        await self._bus.publish(AUDIO_SUSPECT, event, id=f"suspect-{standing.episode}")

    async def state(self, before: Standing, after: Standing) -> None:
        """Tell of another state."""
        now = self._clock.now()
        over = after.state == "ready"
        event = AudioState(
            server=SERVICE,
            before=before.state,
            state=after.state,
            episode=before.episode if over else after.episode,
            trouble=before.trouble if over else after.trouble,
            seconds=max(0.0, now.timestamp() - before.since) if over else None,
            at=now,
        )
        await self._bus.publish(AUDIO_STATE, event, id=new_id())


class ServerOverHttp:
    """A ``Server``."""

    def __init__(self, http: UpstreamHttp) -> None:
        self._http = http

    async def word(self) -> Word:
        """Ask ``/health``; one that works does not answer, and that is no word against it."""
        try:
            said = (await self._http.get("/health", seconds=_WORD_SECONDS)).json()
        except SpeechError as error:
            return "refused" if error.code == "upstream_down" else "silent"
        except ValueError:
            return "silent"
        status = said.get("status") if isinstance(said, dict) else None
        return _WORDS.get(status, "silent") if isinstance(status, str) else "silent"
