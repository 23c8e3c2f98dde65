"""What the image of the speech container brings along, as far as anybody looks."""

import sys
from pathlib import Path

NAME = "parakeet-asr"
IMAGE = "martinb78/parakeet-tdt-v3-spark"
APP = "opt/parakeet/app"
COMMAND = ("uvicorn", "app.main:app", "--host", "0.0.0.0", "--port", "8000", "--workers", "1")
ENVIRONMENT = (
    "PARAKEET_MODEL=nvidia/parakeet-tdt-0.6b-v3",
    "MAX_SEGMENT_SECONDS=1200",
    "MAX_UPLOAD_MB=200",
    "HF_HOME=/cache/huggingface",
)
INSTALLED = frozenset(
    {*sys.stdlib_module_names, "app", "fastapi", "nemo", "numpy", "starlette", "torch", "uvicorn"}
)
"""Modules that its Python can import."""

_FILES = {
    "main.py": '''"""Stands in for the server of the image: it transcribes, and has no diarizer."""

from fastapi import FastAPI

from app.transcriber import Transcriber

app = FastAPI(title="parakeet-asr")
transcriber = Transcriber()
''',
    "transcriber.py": '''"""Stands in for the transcriber of the image."""


class Transcriber:
    """Transcribes."""
''',
}


def lay_out(root: Path) -> None:
    """Write the files of a new container."""
    folder = root / APP
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in _FILES.items():
        (folder / name).write_text(text)
