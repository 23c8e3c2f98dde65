"""An embedded redis-server that keeps what it confirms and lets in one user."""

import secrets
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from spark_common.embedded.binaries import REDIS, find_binary
from spark_common.embedded.child import (
    Child,
    ServerStartError,
    free_port,
    prepare_directory,
    require_free_port,
    write_private,
)
from spark_common.embedded.redis_config import USER, render
from spark_common.settings import RedisSettings


class RedisServer:
    """redis-server on loopback; the same folder resumes the keys and the password."""

    def __init__(self, directory: Path, port: int = 0) -> None:
        self.directory = directory
        self._port = port
        self._child = Child(REDIS.program, directory)

    @property
    def url(self) -> str:
        """Where clients connect, without credentials; known once it was started."""
        return f"redis://127.0.0.1:{self._port}/0"

    @property
    def user(self) -> str:
        """The one user that may log in."""
        return USER

    @property
    def password_file(self) -> Path:
        """The file with the password, mode 0600; made at the first start."""
        return self.directory / "redis.password"

    @property
    def pid(self) -> int | None:
        """Process number while it runs."""
        return self._child.pid

    @property
    def settings(self) -> RedisSettings:
        """What a service needs to connect."""
        return RedisSettings(url=self.url, user=USER, password_file=self.password_file)

    async def start(self) -> None:
        """Start and wait until it has loaded its keys; raises EmbeddedServerError in one line."""
        binary = await find_binary(REDIS)
        prepare_directory(self.directory)
        self._port = self._port or free_port()
        require_free_port(REDIS.program, self._port)
        if not self.password_file.exists() or not self._password():
            write_private(self.password_file, secrets.token_urlsafe(32))
        config = self.directory / "redis.conf"
        write_private(config, self._render())
        await self._child.start([binary, config.absolute()], self._answers)

    async def wait(self) -> int:
        """Wait for its end and return the exit code."""
        return await self._child.wait()

    async def terminate(self) -> None:
        """End it in order."""
        await self._child.terminate()

    async def kill(self) -> None:
        """End it without a chance to tidy up."""
        await self._child.kill()

    def last_words(self) -> str:
        """Return the last line of its log."""
        return self._child.last_words()

    def _password(self) -> str:
        try:
            return self.password_file.read_text(encoding="ascii").strip()
        except UnicodeDecodeError:
            raise ServerStartError(
                f"{self.password_file} does not hold a password: delete it, and the next start "
                "makes a new one"
            ) from None

    def _render(self) -> str:
        return render(
            listen=f"127.0.0.1:{self._port}",
            data=str(self.directory.absolute()),
            password=self._password(),
        )

    async def _answers(self) -> bool:
        client = Redis.from_url(
            self.url, username=USER, password=self._password(), socket_timeout=1.0, retry=None
        )
        try:
            return bool(await client.ping())
        except (RedisError, OSError):
            return False
        finally:
            await client.aclose()
