"""The user of a Spark is not root: who owns what, and what only a container may remove.

Where the simulator itself is root, its SSH commands drop to the user nobody, and what a
container downloaded stays root's. Where it is not, such folders lose the right to be written:
the same refusal for the same commands. A container has root's rights in both cases.
"""

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

NOBODY = 65534


class PlainUser:
    """The rights of one host's SSH user. ``drops``: whether commands run as somebody else."""

    def __init__(self, wanted: bool) -> None:
        self.drops = wanted and os.geteuid() == 0
        self._by_mode = wanted and not self.drops

    @property
    def options(self) -> dict[str, Any]:
        """Return what ``subprocess`` has to be told to run a command of this user."""
        if not self.drops:
            return {}
        return {"user": NOBODY, "group": NOBODY, "extra_groups": []}

    def require_way(self, directory: Path) -> None:
        """Raise OSError when the user could not even reach its home."""
        for place in (directory, *directory.parents) if self.drops else ():
            if not place.stat().st_mode & stat.S_IXOTH:
                raise OSError(f"{place} may be entered by root only: choose another directory")

    def take_over(self, home: Path, hub: Path, roots: Iterable[str]) -> None:
        """Give the home to the user, except for the repositories that belong to root."""
        kept = [hub / folder for folder in roots if (hub / folder).is_dir()]
        if self.drops:
            for folder, folders, files in os.walk(home):
                if not any(Path(folder).is_relative_to(root) for root in kept):
                    for name in (".", *folders, *files):
                        os.chown(Path(folder) / name, NOBODY, NOBODY, follow_symlinks=False)
            for root in kept:
                os.chown(root, 0, 0)
        elif self._by_mode:
            for root in kept:
                _for_each_folder(root, 0o555)

    def give_back(self, hub: Path) -> None:
        """At the end: let whoever ran the simulator remove its directory."""
        if self._by_mode:
            _for_each_folder(hub, 0o755)

    def let_root_in(self, hub: Path, argv: Iterable[str]) -> None:
        """Before a container works on paths of the hub: modes bind everybody but root."""
        if not self._by_mode:
            return
        for word in argv:
            path = Path(word)
            if path.is_absolute() and path.is_relative_to(hub) and path.is_dir():
                _for_each_folder(path, 0o755)


def _for_each_folder(top: Path, mode: int) -> None:
    for folder, folders, _ in os.walk(top):
        for name in (".", *folders):
            place = Path(folder) / name
            if not place.is_symlink():
                place.chmod(mode)
