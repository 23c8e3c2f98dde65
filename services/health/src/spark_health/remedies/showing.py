"""What the tile of a service says about its remedy."""

from collections.abc import Callable

from spark_common.contracts.deep_health import DeepResult, RemedyView
from spark_common.settings.policies import RemedySettings
from spark_health.deep.ports import Place
from spark_health.remedies import words
from spark_health.remedies.book import MOST, RemedyBook
from spark_health.remedies.modes import key_for, mode_of
from spark_health.remedies.remedying import Remedies


class RemedyShow:
    """Asks Redis, so that every process of health says the same; raises UnavailableError."""

    def __init__(
        self, book: RemedyBook, remedies: Remedies, policy: Callable[[], RemedySettings]
    ) -> None:
        self._book = book
        self._remedies = remedies
        self._policy = policy

    async def view(self, place: Place, latest: DeepResult | None) -> RemedyView:
        """Return the tile; ``latest``: the latest result of its checks."""
        key, mode = key_for(place), mode_of(place, self._policy())
        tries, last = await self._book.tries(key), await self._book.last(key)
        circuit = await self._book.circuit(key)
        claims = {claim.key: claim for claim in await self._book.claims()}
        standing = self._remedies.standing.get(key)
        view = RemedyView(
            service=place.service,
            label=place.label,
            host=place.host,
            container=place.container,
            mode=mode,
            state="quiet",
            restarts=len(tries),
            most_restarts=MOST,
            last_restart_at=last,
        )
        if key in claims:
            claim = claims[key]
            sentence = f"Its restart is under way: {claim.reason}."
            return _with(view, state="working", sentence=sentence, evidence=claim.evidence,
                         since=claim.at)  # fmt: skip
        if circuit is not None:
            sentence = f"It was restarted {len(tries) or 'several'} times and is stuck again."
            return _with(view, state="open", sentence=sentence, press=words.OPEN_PRESS,
                         evidence=circuit.evidence, since=circuit.since)  # fmt: skip
        if latest is None or latest.state != "wedged":
            return view
        if last is not None and last > latest.at:
            sentence = "It was restarted; the next check says whether that helped."
            return _with(view, sentence=sentence)
        evidence = latest.evidence
        if mode != "act":
            return _with(view, state="suggested", sentence="It is stuck: a restart would help.",
                         press=words.press(place, mode), evidence=evidence)  # fmt: skip
        waiting = standing.waiting if standing is not None else ""
        sentence = f"It is stuck; its restart waits: {waiting}." if waiting else (
            "It is stuck and will be restarted."
        )  # fmt: skip
        return _with(view, state="waiting", sentence=sentence, evidence=evidence)


def _with(view: RemedyView, **more: object) -> RemedyView:
    return view.model_copy(update=more)
