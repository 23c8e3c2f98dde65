"""A file that is whole at every moment: the old content or the new, also after a power cut."""

import os
from pathlib import Path

OURS_ALONE = 0o600


def write_whole(path: Path, content: bytes, mode: int | None = None) -> None:
    """Replace a file, or make it, in a folder that is there.

    ``mode``: its permissions; None leaves them to the umask. Raises OSError: then it is as before,
    unless only the folder could not be synced, and a power cut may bring the old content back.
    """
    draft = path.with_name(f"{path.name}.draft")
    draft.unlink(missing_ok=True)
    narrow = 0o666 if mode is None else mode & OURS_ALONE
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, narrow), "wb") as file:
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
