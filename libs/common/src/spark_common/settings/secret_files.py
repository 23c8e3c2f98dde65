"""Secrets that a container is given as files, by the names of the variables they stand for."""

from collections.abc import Mapping
from pathlib import Path

FROM_FILES = ("NGC_API_KEY", "WEBHOOK_SECRET")
"""``NGC_API_KEY_FILE`` stands for ``NGC_API_KEY``, and so on, where that is not set itself."""


def with_secret_files(environ: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return the variables with what the files of secrets hold, and a sentence for each problem.

    A file that is missing or empty is a secret that nobody has set, and no problem.
    """
    variables, problems = dict(environ), []
    for name in FROM_FILES:
        place = environ.get(f"{name}_FILE", "").strip()
        if not place or environ.get(name, "").strip():
            continue
        try:
            words = Path(place).read_text(encoding="utf-8").split()
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError) as error:
            problems.append(f"{name}_FILE cannot be read ({type(error).__name__})")
            continue
        if words:
            variables[name] = words[0]
    return variables, problems
