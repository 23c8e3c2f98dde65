"""The owner's file on our disk: read, noticed when a person changed it, written atomically."""

import fcntl
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from spark_common.errors import ConflictError, InvalidRequestError, UnavailableError
from spark_common.whole_file import write_whole
from spark_swapper.recipes.document import MAX_BYTES, Document, read_document
from spark_swapper.recipes.own_text import with_entry

Signature = tuple[int, int, int, int]
_MOST_BACKUPS = 1000


class OwnFile:
    """``models.override.yaml``; only its own lines of one entry are changed by a save."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def signature(self) -> Signature | None:
        """Return what changes whenever the file does; None while there is none."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        return (found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size)

    def read(self) -> Document:
        """Return the entries; a missing file has none, an unreadable one says why."""
        return self._read()[1]

    def write(self, key: str, fields: Mapping[str, Any] | None) -> None:
        """Add or exchange one entry, or remove it (None); the rest stays as it is written.

        The file is whole at every moment, also when the power fails. Raises ConflictError when
        what is there cannot be read or was changed meanwhile, UnavailableError when the disk
        refuses.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self._alone():
                self._exchange(key, fields)
        except OSError as wrong:
            raise UnavailableError(
                f"{self.path.name} could not be written: {_why(wrong)}; nothing was saved"
            ) from wrong

    def replace(self, text: str) -> None:
        """Put another file in its place, as it is; what was there is kept beside it.

        Raises InvalidRequestError when nothing of it could be used, UnavailableError when the
        disk refuses.
        """
        after = read_document(text, self.path.name)
        if after.unreadable is not None:
            raise InvalidRequestError(f"{after.unreadable}; nothing was saved")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self._alone():
                if self._says(text):
                    return
                self._keep_file()
                self._replace(text)
        except OSError as wrong:
            raise UnavailableError(
                f"{self.path.name} could not be written: {_why(wrong)}; nothing was saved"
            ) from wrong

    def raw(self) -> str:
        """Return the file as it is, empty when there is none.

        Raises ConflictError for one that is there and cannot be read: whoever takes it along must
        not take it for none.
        """
        try:
            return self._text()
        except (OSError, UnicodeDecodeError) as wrong:
            raise ConflictError(
                f"{self.path.name} cannot be read: {_why(wrong)}: correct it by hand or move it "
                "away first",
                file=self.path.name,
            ) from wrong

    def _says(self, text: str) -> bool:
        try:
            return self._text() == text
        except (OSError, UnicodeDecodeError):
            return False

    def _keep_file(self) -> None:
        """Keep what is there, whatever it is: it may be no text."""
        with suppress(FileNotFoundError):
            self._keep(self.path.read_bytes().decode("utf-8", "surrogateescape"))

    def _exchange(self, key: str, fields: Mapping[str, Any] | None) -> None:
        seen = self.signature()
        before, document = self._read()
        if document.unreadable is not None:
            raise ConflictError(
                f"{document.unreadable}: correct it by hand or move it away first; "
                "nothing was saved",
                file=self.path.name,
            )
        edited = with_entry(before, key, fields)
        after = read_document(edited.text, self.path.name)
        if after.unreadable is not None:
            raise ConflictError(
                f"{self.path.name} would become unreadable ({after.unreadable}); nothing was saved"
            )
        if self.signature() != seen:
            raise ConflictError(
                f"{self.path.name} was changed by somebody else just now; look at it and try "
                "again; nothing was saved"
            )
        if edited.lost:
            self._keep(before)
        self._replace(edited.text)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes with the same folder out; a lock on the folder itself."""
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    def _read(self) -> tuple[str, Document]:
        """Return the text and its entries, both from one look at the disk."""
        try:
            text = self._text()
        except (OSError, UnicodeDecodeError) as wrong:
            reason = f"{self.path.name} cannot be read: {_why(wrong)}"
            return "", Document(problems=(reason,), unreadable=reason)
        return text, read_document(text, self.path.name)

    def _text(self) -> str:
        try:
            with self.path.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
        except FileNotFoundError:
            return ""
        if len(content) > MAX_BYTES:
            raise OSError(f"longer than {MAX_BYTES} bytes")
        return content.decode("utf-8-sig")

    def _keep(self, text: str) -> None:
        for number in range(1, _MOST_BACKUPS):
            ending = ".bak" if number == 1 else f".bak{number}"
            backup = self.path.with_name(self.path.name + ending)
            try:
                with backup.open("x", encoding="utf-8", errors="surrogateescape") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
            except FileExistsError:
                continue
            return
        raise OSError("there are too many backups of it; remove some")

    def _replace(self, text: str) -> None:
        target = self.path.resolve()
        mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else None
        write_whole(target, text.encode(), mode)


def _why(wrong: OSError | UnicodeDecodeError) -> str:
    if isinstance(wrong, UnicodeDecodeError):
        return "it is not text in UTF-8"
    return wrong.strerror or str(wrong)
