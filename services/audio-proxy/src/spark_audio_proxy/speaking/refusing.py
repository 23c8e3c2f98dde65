"""What the refusals of the voice servers mean."""

import json

from spark_audio_proxy.problems import SpeechError


def refusal_of_kokoro(status: int, said: bytes) -> SpeechError:
    """Return what a refusal of Kokoro's means: ``{"detail": {"error", "message", "type"}}``."""
    message, word = _message(said)
    if status in (400, 404, 422):
        if "voice" in message.casefold() or "voice" in word:
            return SpeechError("unknown_voice", message or "no such voice", param="voice")
        return SpeechError("invalid_value", message or "the voice server refused the request")
    if status == 503:
        return SpeechError("upstream_loading", "the voice server is still starting")
    if status == 429:
        return SpeechError("queue_full", "the voice server has too much to say", retry_after=5)
    return SpeechError("upstream_bad_response", f"the voice server could not do it (HTTP {status})")


def _message(said: bytes) -> tuple[str, str]:
    try:
        detail = json.loads(said)["detail"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "", ""
    if isinstance(detail, dict):
        return _text(detail.get("message")), _text(detail.get("error"))
    if isinstance(detail, list) and detail and isinstance(detail[0], dict):
        places = detail[0].get("loc")
        where = ".".join(map(str, places)) if isinstance(places, list) else ""
        return _text(f"{where}: {detail[0].get('msg', '')}"), where
    return _text(detail), ""


def _text(value: object) -> str:
    return value[:500] if isinstance(value, str) else ""


def refusal_of_magpie(status: int) -> SpeechError:
    """Return what a status of Magpie's means; what it says itself may hold the text."""
    if status in (400, 404, 422):
        return SpeechError(
            "unknown_voice", "Magpie does not know that voice or its language", param="voice"
        )
    if status == 503:
        return SpeechError("upstream_loading", "the voice server is still starting")
    return SpeechError("upstream_bad_response", f"the voice server could not do it (HTTP {status})")
