"""The database with one thread of its own; the event loop never waits for the disk."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from spark_common.errors import UnavailableError
from spark_redaction.vault.audit import Act, note
from spark_redaction.vault.forgetting import Forgetting
from spark_redaction.vault.keyfile import MasterKey
from spark_redaction.vault.schema import open_database
from spark_redaction.vault.scopes import Scopes
from spark_redaction.vault.sealing import WrongKeyError
from spark_redaction.vault.sets import EntitySets

T = TypeVar("T")


class Vault:
    """Scopes, forgetting and entity sets over one connection.

    ``run`` a call of theirs; it raises UnavailableError when the database or its key fails.
    """

    def __init__(self, path: Path, master: MasterKey) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="vault")
        try:
            database = open_database(path, master)
        except WrongKeyError:
            raise UnavailableError(
                "the map was made with another key than REDACTION_KEY_FILE; put the old file back"
            ) from None
        except (sqlite3.Error, OSError) as error:
            raise UnavailableError(f"the map cannot be opened ({type(error).__name__})") from None
        self._database = database
        self.digest = master.digest
        self.scopes = Scopes(database, master)
        self.forgetting = Forgetting(database, master)
        self.sets = EntitySets(database, master)

    async def note(self, act: Act, now: float) -> None:
        """Write a line of the audit; as ``run``."""
        await self.run(lambda: note(self._database, now, act))

    async def run(self, call: Callable[[], T]) -> T:
        """Run one call in the vault's thread."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, call)
        except WrongKeyError:
            raise UnavailableError("what is stored does not open with this key") from None
        except sqlite3.Error as error:
            raise UnavailableError(f"the map cannot be used ({type(error).__name__})") from None

    async def problem(self) -> str | None:
        """Why it cannot be used, for readiness."""
        try:
            await self.run(lambda: self._database.execute("SELECT 1 FROM meta").fetchone())
        except UnavailableError as error:
            return error.message
        return None

    async def close(self) -> None:
        """Finish what runs and close the file."""
        await self.run(self._database.close)
        self._thread.shutdown()
