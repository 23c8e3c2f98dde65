"""The real models, with PyTorch: bge-m3 for both kinds of vectors, a cross-encoder to rank."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer
from transformers.utils import cached_file

from spark_embed.ports import BrokenModelError, Encoded, Models, OutOfMemoryError, Tokens
from spark_embed.settings import Settings

_WEIGHTS = "sparse_linear.pt"
"""A linear layer from each token's state to its weight, beside the model in its repository."""


class BgeEncoder:
    """bge-m3: the state of the first token, and a weight for every token."""

    def __init__(self, source: str, device: torch.device, max_tokens: int) -> None:
        """``source`` is a repository of the hub or a folder. Raises OSError."""
        self.name = source
        self._device = device
        self._tokenizer = AutoTokenizer.from_pretrained(source)
        self._model = _ready(AutoModel.from_pretrained(source), device)
        self.dimensions = int(self._model.config.hidden_size)
        self.max_tokens = min(max_tokens, _positions(self._model))
        self._weigh = torch.nn.Linear(self.dimensions, 1)
        layer = torch.load(_beside(source, _WEIGHTS), map_location="cpu", weights_only=True)
        self._weigh.load_state_dict(layer)
        _ready(self._weigh, device)
        self._special = frozenset(self._tokenizer.all_special_ids)

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        """Return the tokens of each text, however many."""
        found: list[Tokens] = self._tokenizer(list(texts), verbose=False)["input_ids"]
        return found

    def cut(self, tokens: Tokens, most: int) -> Tokens:
        """Return the beginning of a text, its end mark kept."""
        return tokens if len(tokens) <= most else [*tokens[: most - 1], tokens[-1]]

    def run(self, batch: Sequence[Tokens]) -> list[Encoded]:
        """Encode. Raises OutOfMemoryError, BrokenModelError."""
        with _told_apart():
            ids, mask = _padded(batch, int(self._tokenizer.pad_token_id or 0), self._device)
            states = self._model(input_ids=ids, attention_mask=mask).last_hidden_state
            dense = torch.nn.functional.normalize(states[:, 0].float(), dim=-1).tolist()
            weights = torch.relu(self._weigh(states)).squeeze(-1).float().tolist()
        return [
            Encoded(vector, self._lexical(tokens, row))
            for vector, tokens, row in zip(dense, batch, weights, strict=True)
        ]

    def _lexical(self, tokens: Tokens, weights: Sequence[float]) -> dict[int, float]:
        """Return the largest weight of each token that is a piece of a word."""
        found: dict[int, float] = {}
        # The row goes on with padding.
        for token, weight in zip(tokens, weights, strict=False):
            if weight > 0 and token not in self._special:
                found[token] = max(weight, found.get(token, 0.0))
        return found


class BgeRanker:
    """A cross-encoder: reads the query and one document together."""

    def __init__(self, source: str, device: torch.device, max_tokens: int) -> None:
        """As ``BgeEncoder``."""
        self.name = source
        self._device = device
        self._tokenizer = AutoTokenizer.from_pretrained(source)
        model = AutoModelForSequenceClassification.from_pretrained(source)
        self._model = _ready(model, device)
        self.max_tokens = min(max_tokens, _positions(self._model))

    def pair(self, query: str, documents: Sequence[str]) -> list[Tokens]:
        """Return the tokens of each pair; the longer side of one that is too long is cut."""
        found: list[Tokens] = self._tokenizer(
            [query] * len(documents),
            list(documents),
            truncation="longest_first",
            max_length=self.max_tokens,
        )["input_ids"]
        return found

    def run(self, batch: Sequence[Tokens]) -> list[float]:
        """Return a relevance between 0 and 1 each."""
        with _told_apart():
            ids, mask = _padded(batch, int(self._tokenizer.pad_token_id or 0), self._device)
            logits = self._model(input_ids=ids, attention_mask=mask).logits
            scores: list[float] = torch.sigmoid(logits[:, 0].float()).tolist()
        return scores


def load_models(settings: Settings) -> Models:
    """Load what the settings name, within the memory they allow. Raises OSError."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cuda":
        total = torch.cuda.get_device_properties(device).total_memory
        share = min(1.0, settings.embed_memory_gb * 1e9 / total)
        # The memory of a Spark is one: without this a burst would take the large model's.
        torch.cuda.set_per_process_memory_fraction(share, device)
    encoder = BgeEncoder(settings.embed_model, device, settings.embed_max_tokens)
    ranker = None
    if settings.rerank_model:
        ranker = BgeRanker(settings.rerank_model, device, settings.rerank_max_tokens)
    return Models(encoder, ranker)


def _ready(model: Any, device: torch.device) -> Any:
    model = model.to(device)
    if device.type == "cuda":
        model = model.half()
    return model.eval()


def _positions(model: Any) -> int:
    """Return how many tokens a model has places for; XLM-RoBERTa counts from the padding on."""
    config = model.config
    return int(config.max_position_embeddings) - int(config.pad_token_id or 0) - 1


def _padded(
    batch: Sequence[Tokens], pad: int, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    longest = max(map(len, batch))
    ids = [[*tokens, *[pad] * (longest - len(tokens))] for tokens in batch]
    mask = [[1] * len(tokens) + [0] * (longest - len(tokens)) for tokens in batch]
    return torch.tensor(ids, device=device), torch.tensor(mask, device=device)


def _beside(source: str, name: str) -> Path:
    found = cached_file(source, name)
    if found is None:
        raise OSError(f"{source} has no {name}")
    return Path(found)


@contextmanager
def _told_apart() -> Iterator[None]:
    """Run without gradients, and tell a batch that is too large from a GPU that is lost."""
    empty: Callable[[], None] = torch.cuda.empty_cache
    try:
        with torch.inference_mode():
            yield
    except torch.OutOfMemoryError as error:
        empty()
        raise OutOfMemoryError from error
    except RuntimeError as error:
        raise BrokenModelError(str(error).partition("\n")[0]) from error
