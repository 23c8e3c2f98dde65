"""The services beside vLLM that an owner may have on the Sparks, and where each one is."""

from typing import Annotated

from pydantic import SecretStr

from spark_common.settings.load import Settings, Shown
from spark_common.settings.values import (
    Address,
    ContainerName,
    HttpUrl,
    Names,
    Port,
    RemoteDirectory,
    User,
    WebhookAddress,
)


class ParakeetSettings(Settings):
    """Speech to text."""

    parakeet_host: Annotated[Address | None, Shown(label="Address of Parakeet")] = None
    """The machine on which Parakeet (speech to text) runs; the first Spark unless given."""
    parakeet_user: Annotated[User | None, Shown(label="User for Parakeet")] = None
    """The login there; that of the Spark unless given."""
    parakeet_port: Annotated[Port, Shown(label="Port of Parakeet")] = 8000
    """Where Parakeet listens."""
    parakeet_container: Annotated[ContainerName, Shown(label="Container of Parakeet")] = (
        "parakeet-asr"
    )
    """Name of its container."""


class KokoroSettings(Settings):
    """Text to speech."""

    kokoro_host: Annotated[Address | None, Shown(label="Address of Kokoro")] = None
    """The machine on which Kokoro (text to speech) runs; the first Spark unless given."""
    kokoro_user: Annotated[User | None, Shown(label="User for Kokoro")] = None
    """The login there; that of the Spark unless given."""
    kokoro_port: Annotated[Port, Shown(label="Port of Kokoro")] = 8880
    """Where Kokoro listens."""
    kokoro_container: Annotated[ContainerName, Shown(label="Container of Kokoro")] = "kokoro"
    """Name of its container."""


class MagpieSettings(Settings):
    """The older text to speech."""

    magpie_host: Annotated[Address | None, Shown(label="Address of Magpie")] = None
    """The machine on which Magpie (text to speech, NIM) runs; the first Spark unless given."""
    magpie_user: Annotated[User | None, Shown(label="User for Magpie")] = None
    """The login there; that of the Spark unless given."""
    magpie_port: Annotated[Port, Shown(label="Port of Magpie")] = 9000
    """Where Magpie listens."""
    magpie_container: Annotated[ContainerName, Shown(label="Container of Magpie")] = "magpie-tts"
    """Name of its container."""


class EmbedSettings(Settings):
    """Embeddings."""

    embed_host: Annotated[Address | None, Shown(label="Address of embeddings")] = None
    """The machine on which the embedding server runs; the second Spark, or the only one,
    unless given."""
    embed_user: Annotated[User | None, Shown(label="User for embeddings")] = None
    """The login there; that of the Spark unless given."""
    embed_port: Annotated[Port, Shown(label="Port of embeddings")] = 8081
    """Where the embedding server listens."""
    embed_container: Annotated[ContainerName, Shown(label="Container of embeddings")] = "embeddings"
    """Name of its container."""


class QdrantSettings(Settings):
    """Vectors."""

    qdrant_host: Annotated[Address | None, Shown(label="Address of Qdrant")] = None
    """The machine on which Qdrant (vectors) runs; the second Spark, or the only one,
    unless given."""
    qdrant_user: Annotated[User | None, Shown(label="User for Qdrant")] = None
    """The login there; that of the Spark unless given."""
    qdrant_port: Annotated[Port, Shown(label="Port of Qdrant")] = 6333
    """Where Qdrant listens."""
    qdrant_container: Annotated[ContainerName, Shown(label="Container of Qdrant")] = "qdrant"
    """Name of its container."""
    qdrant_api_key: Annotated[SecretStr | None, Shown(label="Key of Qdrant")] = None
    """Sent with every question to Qdrant, where it was started with a key of its own."""


class MatrixBridgeSettings(Settings):
    """A bot without a port."""

    matrix_bridge_host: Annotated[Address | None, Shown(label="Address of the Matrix bridge")] = (
        None
    )
    """The machine on which the Matrix bridge runs; the first Spark unless given."""
    matrix_bridge_user: Annotated[User | None, Shown(label="User for the Matrix bridge")] = None
    """The login there; without one the bridge is not shown."""
    matrix_bridge_container: Annotated[
        ContainerName, Shown(label="Container of the Matrix bridge")
    ] = "matrix-bridge"
    """Name of its container."""
    matrix_bridge_dir: Annotated[RemoteDirectory, Shown(label="Folder of the Matrix bridge")] = (
        "matrix-bridge"
    )
    """Checkout from which it is updated, relative to the remote home."""


class PageSettings(Settings):
    """What the dashboard shows."""

    disabled_services: Annotated[Names, Shown(label="Hidden services")] = ()
    """Services without a tile and without a probe, such as magpie or qdrant."""
    open_webui_url: Annotated[HttpUrl | None, Shown(label="Address of your chat")] = None
    """Where the button Open chat leads, for example your Open WebUI."""


class HubSettings(Settings):
    """The hub that models come from."""

    hf_token: Annotated[SecretStr | None, Shown(label="Token of Hugging Face")] = None
    """For downloads of models that want one; unless given, the one that each Spark's user has.
    It goes to a Spark over standard input only."""


class NgcSettings(Settings):
    """Where NIM services come from."""

    ngc_api_key: Annotated[SecretStr | None, Shown(label="Key of NVIDIA NGC")] = None
    """For the images of NIM services."""


class WebhookSettings(Settings):
    """The one target that needs no registration, as in the earlier system."""

    webhook_url: Annotated[WebhookAddress | None, Shown(label="Address of the webhook")] = None
    """Is told how every swap ended; more targets are under Notifications. No user or password."""
    webhook_secret: Annotated[SecretStr | None, Shown(label="Secret of the webhook")] = None
    """Signs every delivery to it, as X-Spark-Signature and by Standard Webhooks."""
