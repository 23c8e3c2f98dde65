"""Keys on their way to the Spark: in memory, for one job each, taken once."""

from collections.abc import Callable

from pydantic import SecretStr


class WaitingKeys:
    """The key of a job until its step was started; without one, that of the settings."""

    def __init__(self, of_settings: Callable[[], SecretStr | None]) -> None:
        self._of_settings = of_settings
        self._by_job: dict[str, SecretStr] = {}

    @property
    def in_settings(self) -> bool:
        """Whether the settings have a key."""
        return self._of_settings() is not None

    def keep(self, job: str, key: SecretStr | None) -> None:
        """Keep the key that was given with a job."""
        if key is not None:
            self._by_job[job] = key

    def of(self, job: str) -> SecretStr | None:
        """Return the key for a job: the given one, else that of the settings."""
        return self._by_job.get(job) or self._of_settings()

    def forget(self, job: str) -> None:
        """Drop the key of a job that needs it no more."""
        self._by_job.pop(job, None)
