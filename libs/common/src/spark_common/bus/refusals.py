"""What the server refused us: for how long it counts, and why we must not look well meanwhile."""

import re
from dataclasses import dataclass

CALM_SECONDS = 300.0
"""A refused publication counts for so long after the last time it happened."""

_REMEMBERED = 200
_QUOTED = re.compile(r'for (publish|subscription) to "(?P<subject>[^"]+)"', re.IGNORECASE)


@dataclass(frozen=True)
class _Refusal:
    text: str
    at: float
    """On the clock's ``monotonic``, the last time it happened."""
    deaf: bool
    """A subscription: whoever asked for it hears nothing until it is asked for again."""


class Refusals:
    """The subjects this connection was refused, by the server's own words.

    A refused publication counts until five minutes went by without another one. A refused
    subscription counts until it was made anew without a refusal, by a reader that tried again
    or by a new connection: silence proves nothing there.
    """

    def __init__(self) -> None:
        self._standing: dict[tuple[bool, str], _Refusal] = {}

    def note(self, text: str, now: float) -> None:
        """Keep what the server said."""
        found = _QUOTED.search(text)
        subject = found["subject"].lower() if found else text.lower()
        deaf = found is not None and found[1].lower() == "subscription"
        self._standing.pop((deaf, subject), None)
        self._standing[deaf, subject] = _Refusal(text.removeprefix("nats: "), now, deaf)
        if len(self._standing) > _REMEMBERED:
            del self._standing[next(iter(self._standing))]

    def newest(self, now: float) -> str | None:
        """Return the latest refusal that still counts, in the server's words."""
        for key, refusal in list(self._standing.items()):
            if not refusal.deaf and now - refusal.at > CALM_SECONDS:
                del self._standing[key]
        return next((refusal.text for refusal in reversed(self._standing.values())), None)

    def publishing(self, subject: str, since: float) -> bool:
        """Say whether publishing on this subject was refused at ``since`` or later."""
        refusal = self._standing.get((False, subject.lower()))
        return refusal is not None and refusal.at >= since

    def listening(self, subject: str) -> bool:
        """Say whether listening to this subject was refused and not granted since."""
        return (True, subject.lower()) in self._standing

    def asked_again(self, subject: str) -> None:
        """A subscription is asked for anew: if it is refused, that will be said again."""
        self._standing.pop((True, subject.lower()), None)

    def connected_anew(self) -> None:
        """All subscriptions are asked for anew, by the client itself."""
        self._standing = {key: each for key, each in self._standing.items() if not each.deaf}
