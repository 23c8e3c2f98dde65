"""The real model, with PyTorch and the package ``gliner``."""

from collections.abc import Sequence

import torch
from gliner import GLiNER

from spark_gliner.ports import BrokenModelError, Entity, OutOfMemoryError
from spark_gliner.settings import Settings


class GlinerTagger:
    """A GLiNER model of the hub or of a folder."""

    def __init__(self, source: str, device: str) -> None:
        """``device``: ``cuda`` or ``cpu``. Raises OSError."""
        self.name = source
        self._model = GLiNER.from_pretrained(source, map_location=device)
        self._model.eval()

    def tag(
        self, windows: Sequence[str], labels: Sequence[str], threshold: float
    ) -> list[list[Entity]]:
        """See ``Tagger``."""
        try:
            found = self._model.inference(
                list(windows),
                list(labels),
                flat_ner=False,
                threshold=threshold,
                batch_size=len(windows),
            )
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
            raise OutOfMemoryError from None
        except RuntimeError as error:
            # By its name alone: a message may quote the text.
            raise BrokenModelError(type(error).__name__) from None
        return [
            [
                Entity(int(one["start"]), int(one["end"]), str(one["label"]), float(one["score"]))
                for one in entities
            ]
            for entities in found
        ]


def load_tagger(settings: Settings) -> GlinerTagger:
    """Load what the settings name, within its part of the GPU's memory."""
    if not torch.cuda.is_available():
        return GlinerTagger(settings.gliner_model, "cpu")
    total = torch.cuda.get_device_properties(0).total_memory
    # The memory of a Spark is one: without this a burst would take the large model's.
    torch.cuda.set_per_process_memory_fraction(min(1.0, settings.gliner_memory_gb * 1e9 / total))
    return GlinerTagger(settings.gliner_model, "cuda")
