"""``python -m spark_gliner``: what the container runs."""

import os
import signal
import sys

import uvicorn

from spark_gliner.app import build_app
from spark_gliner.meters import Meters
from spark_gliner.ports import Tagger
from spark_gliner.server import Server
from spark_gliner.settings import Settings, SettingsError, read_settings


def load(settings: Settings) -> Tagger:
    """Load the model that the settings name."""
    if settings.gliner_model == "tiny":
        from spark_gliner.tiny import TinyTagger

        return TinyTagger()
    from spark_gliner.pytorch import load_tagger

    return load_tagger(settings)


def end() -> None:
    """End this process, so that docker starts another: a lost GPU never comes back to it."""
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> int:
    """Serve until told to stop."""
    try:
        settings = read_settings(os.environ)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    server = Server(settings, load, Meters(), end)
    uvicorn.run(
        build_app(server),
        host="0.0.0.0",  # noqa: S104 - a container's own network
        port=settings.gliner_port,
        access_log=False,
        timeout_graceful_shutdown=10,
    )
    return 1 if server.state == "failed" else 0


if __name__ == "__main__":
    sys.exit(main())
