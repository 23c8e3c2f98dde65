"""What came in: text fields, and files that lie on disk for as long as the request lasts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from spark_audio_proxy.intake.fields import Fields
from spark_audio_proxy.problems import SpeechError

FILE_NAMES: Final = ("file", "local_file", "remote_file")
"""Fields whose content is a recording; files under other names are read and dropped."""


@dataclass(frozen=True)
class Upload:
    """A request as it was read; what callers call their files is not kept anywhere."""

    fields: Fields
    files: Mapping[str, Path] = field(default_factory=dict)

    def file(self, name: str = "file") -> Path:
        """Return one recording; raises SpeechError ``missing_file`` or ``empty_file``."""
        path = self.files.get(name)
        if path is None:
            raise SpeechError(
                "missing_file",
                f"no recording was sent: a form needs the field {name!r}",
                param=name,
            )
        if path.stat().st_size == 0:
            raise SpeechError("empty_file", "the recording has no bytes at all", param=name)
        return path
