"""``python -m spark_swapper``: read settings, build, run."""

from spark_common import quick_start  # noqa: F401

# isort: split

from spark_common.redis_access import patient
from spark_common.service import run
from spark_common.settings import load_or_exit
from spark_swapper.app import build
from spark_swapper.settings import SwapperSettings


def main() -> None:
    """Run the swapper until it is asked to end."""
    settings = load_or_exit(SwapperSettings)
    run("swapper", patient(lambda: build(settings)), settings.http, settings.warnings)


if __name__ == "__main__":
    main()
