"""Parse settings, build, run."""

from spark_common import quick_start  # noqa: F401

# isort: split

from functools import partial

from spark_common.clock import SystemClock
from spark_common.redis_access import patient
from spark_common.service import run
from spark_common.settings import load_or_exit
from spark_health.app import NAME, build
from spark_health.settings import HealthSettings


def main() -> None:
    """Run health until it is asked to end."""
    settings = load_or_exit(HealthSettings)
    building = patient(partial(build, settings, SystemClock()))
    run(NAME, building, settings.http, settings.warnings)


if __name__ == "__main__":
    main()
