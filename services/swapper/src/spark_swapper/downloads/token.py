"""The token for the hub: from the settings, else from a file that may come later."""

from collections.abc import Callable
from pathlib import Path

import structlog
from pydantic import SecretStr

_log = structlog.get_logger()


def token_from(
    value: Callable[[], SecretStr | None], file: Path | None
) -> Callable[[], str | None]:
    """Return a function that tells the token now; None where there is none."""

    def read() -> str | None:
        token = value()
        if token is not None:
            return token.get_secret_value().strip() or None
        if file is None:
            return None
        try:
            words = file.read_text(encoding="utf-8").split()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            _log.warning("download.token_unreadable", reason=type(error).__name__)
            return None
        return words[0] if words else None

    return read
