"""Which of the enrolled people a voice is; whoever is not clearly one of them stays a stranger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from spark_audio_proxy.speakers.assignment import best_pairs
from spark_audio_proxy.speakers.voices import cosine, direction, same_size
from spark_common.errors import ConflictError, InvalidRequestError

_SHOWN_CANDIDATES = 3


class EmbeddingModelMismatchError(ConflictError):
    """Voice prints of different models were to be compared; ``details['models']`` names them."""

    code = "embedding_model_mismatch"


@dataclass(frozen=True, slots=True)
class EnrolledVoice:
    """All that is kept of a person: no audio, no words."""

    name: str
    vector: tuple[float, ...]
    model: str
    """Id of the embedding model; prints of another one mean nothing to it."""
    created_at: datetime


@dataclass(frozen=True, slots=True)
class MatchRules:
    """Raw cosine similarities, -1 to 1; not distances, and not NeMo's halved ones."""

    least_cosine: float = 0.55
    least_margin: float = 0.08
    """So much closer must the best be than the second best."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody a voice comes close to."""

    name: str
    cosine: float


@dataclass(frozen=True, slots=True)
class Match:
    """Who a voice is, None for a stranger; and who it comes closest to, the closest first."""

    name: str | None
    candidates: tuple[Candidate, ...]


def match_voices(
    voices: Mapping[str, Sequence[float]],
    enrolled: Sequence[EnrolledVoice],
    model: str,
    rules: MatchRules | None = None,
) -> dict[str, Match]:
    """Return the match of each voice; no person is two of them.

    Raises EmbeddingModelMismatchError when anybody was enrolled with another model.
    """
    rules = rules or MatchRules()
    require_model(enrolled, model)
    known = {voice.name: direction(voice.vector) for voice in enrolled}
    heard = {label: direction(print_) for label, print_ in voices.items()}
    try:
        same_size(each for each in (*known.values(), *heard.values()) if each is not None)
    except InvalidRequestError as error:
        # The model says that it is the same one, and is not.
        raise _another_model([model]) from error
    ranked: dict[str, list[Candidate]] = {}
    for label, own in heard.items():
        near = [
            Candidate(name, round(cosine(own, other), 4))
            for name, other in known.items()
            if own is not None and other is not None
        ]
        ranked[label] = sorted(near, key=lambda each: (-each.cosine, each.name))
    named = _one_to_one(ranked, rules)
    return {
        label: Match(named.get(label), tuple(near[:_SHOWN_CANDIDATES]))
        for label, near in ranked.items()
    }


def require_model(enrolled: Sequence[EnrolledVoice], model: str) -> None:
    """Raise EmbeddingModelMismatchError unless everybody was enrolled with this model."""
    others = {voice.model for voice in enrolled} - {model}
    if others:
        raise _another_model(sorted({*others, model}))


def _another_model(models: Sequence[str]) -> EmbeddingModelMismatchError:
    return EmbeddingModelMismatchError(
        "people were enrolled with another voice model: enrol them again", models=[*models]
    )


def _one_to_one(ranked: Mapping[str, Sequence[Candidate]], rules: MatchRules) -> dict[str, str]:
    labels = sorted(ranked)
    names = sorted({each.name for near in ranked.values() for each in near})
    worth = [[0.0] * len(names) for _ in labels]
    for row, label in enumerate(labels):
        near = ranked[label]
        if not near or near[0].cosine < rules.least_cosine:
            continue
        if len(near) < 2 or near[0].cosine - near[1].cosine >= rules.least_margin - 1e-9:
            worth[row][names.index(near[0].name)] = near[0].cosine
    return {labels[row]: names[column] for row, column in best_pairs(worth)}
