"""The one way services reach Redis: short timeouts, no hidden repeats, a password from a file."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError

from spark_common.errors import UnavailableError
from spark_common.settings import RedisSettings, SettingsError

T = TypeVar("T")

_TIMEOUT_SECONDS = 1.0
_CONNECTIONS = 20


def connect_redis(
    settings: RedisSettings, client_name: str, idempotent_reads: bool = False
) -> Redis:
    """Return a client that connects at its first command; texts, not bytes, come back.

    A lost connection is never answered with a repeat, because the command may have been carried
    out: writers repeat by their own idempotent rules. Only a client whose every command may be
    repeated harmlessly sets ``idempotent_reads`` and gets two quick retries.
    Raises SettingsError when the password file cannot be read.
    """
    retry = Retry(ExponentialWithJitterBackoff(cap=0.2, base=0.02), 2) if idempotent_reads else None
    pool = BlockingConnectionPool(
        **parse_url(settings.url),
        username=settings.user,
        password=_password(settings),
        client_name=client_name,
        decode_responses=True,
        socket_timeout=_TIMEOUT_SECONDS,
        socket_connect_timeout=_TIMEOUT_SECONDS,
        retry=retry,
        health_check_interval=15,
        max_connections=_CONNECTIONS,
        timeout=_TIMEOUT_SECONDS,
    )
    return Redis.from_pool(pool)


async def redis_problem(redis: Redis) -> str | None:
    """Ask once; return None when Redis answers, else why it does not, without its address."""
    try:
        await redis.ping()
    except (AuthenticationError, NoPermissionError):
        return "Redis refuses our user or password: check REDIS_USER and REDIS_PASSWORD_FILE"
    except (RedisError, OSError):
        return "Redis does not answer"
    return None


async def require_redis(redis: Redis) -> None:
    """Return when Redis answers; raises UnavailableError, which makes the start try again."""
    problem = await redis_problem(redis)
    if problem is not None:
        raise UnavailableError(problem)


def patient(build: Callable[[], Awaitable[T]]) -> Callable[[], Awaitable[T]]:
    """Return ``build``, with a Redis that is away meanwhile told as what may be tried again."""

    async def built() -> T:
        try:
            return await build()
        except RedisError as error:
            raise UnavailableError(f"cannot connect yet ({type(error).__name__})") from error

    return built


async def asked(answer: Any, away: str) -> Any:
    """Return what Redis answers; raises UnavailableError with the sentence ``away`` otherwise."""
    try:
        return await answer
    except (RedisError, OSError, TimeoutError) as error:
        raise UnavailableError(away) from error


def _password(settings: RedisSettings) -> str | None:
    if settings.password_file is None:
        return None
    try:
        return settings.password_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"REDIS_PASSWORD_FILE cannot be read: {type(error).__name__}"
        ) from error
