"""A disk whose power can be cut: ext4 on a loop file, copied as it was at that moment.

It models a page cache that is lost, not a drive that lies.
"""

import asyncio
import os
import shutil
import subprocess
from pathlib import Path

USUAL_MEGABYTES = 48


def why_not(folder: Path) -> str | None:
    """Return why no such disk can be made here, or None."""
    if os.geteuid() != 0:
        return "mounting a loop file takes root"
    if not all(shutil.which(tool) for tool in ("mkfs.ext4", "mount", "umount")):
        return "mkfs.ext4, mount and umount are missing"
    try:
        disk = LoopDisk(folder / "probe")
        disk.mount()
        disk.umount()
    except (OSError, subprocess.CalledProcessError):
        return "this machine lets nobody mount a loop file"
    return None


class LoopDisk:
    """One disk; ``place`` is where it is mounted."""

    def __init__(self, folder: Path, megabytes: int = USUAL_MEGABYTES) -> None:
        folder.mkdir(parents=True)
        self.place = folder / "mounted"
        self.place.mkdir()
        self._folder = folder
        self._cuts = 0
        self._image = folder / "disk-0"
        with self._image.open("wb") as file:
            file.truncate(megabytes * 1_000_000)
        _run("mkfs.ext4", "-q", str(self._image))

    def mount(self) -> None:
        _run("mount", "-o", "loop", str(self._image), str(self.place))

    def umount(self) -> None:
        _run("umount", "-l", str(self.place))

    async def what_reached_it(self) -> Path:
        """Copy the disk as it is, with what was synced and without what was not."""
        self._cuts += 1
        copy = self._folder / f"disk-{self._cuts}"
        await asyncio.to_thread(shutil.copyfile, self._image, copy)
        return copy

    def come_back_as(self, image: Path) -> None:
        """Mount a copy in place of the disk."""
        self.umount()
        self._image.unlink()
        self._image = image
        self.mount()


def _run(*argv: str) -> None:
    subprocess.run(argv, check=True, capture_output=True, timeout=30)
