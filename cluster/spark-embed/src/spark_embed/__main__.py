"""``python -m spark_embed``: what the container runs."""

import os
import signal
import sys

import uvicorn

from spark_embed.app import build_app
from spark_embed.meters import Meters
from spark_embed.ports import Models
from spark_embed.server import Server
from spark_embed.settings import Settings, SettingsError, read_settings
from spark_embed.token_ids import decoder


def load(settings: Settings) -> Models:
    """Load the models that the settings name."""
    if settings.embed_model == "tiny":
        from spark_embed.tiny import tiny_models

        return tiny_models(rerank=bool(settings.rerank_model))
    from spark_embed.bge import load_models

    return load_models(settings)


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
        build_app(server, decoder()),
        host="0.0.0.0",  # noqa: S104 - a container's own network
        port=settings.embed_port,
        access_log=False,
        timeout_graceful_shutdown=10,
    )
    return 1 if server.state == "failed" else 0


if __name__ == "__main__":
    sys.exit(main())
