"""``python -m spark_gateway``: read the settings, build, run."""

from spark_common import quick_start  # noqa: F401

# isort: split

from spark_common.clock import SystemClock
from spark_common.service import run
from spark_common.settings import load_or_exit
from spark_gateway.app import NAME, build
from spark_gateway.settings import GatewaySettings


def main() -> None:
    """Run the gateway until it is asked to end."""
    settings = load_or_exit(GatewaySettings)
    run(NAME, lambda: build(settings, SystemClock()), settings.http, settings.warnings)


if __name__ == "__main__":
    main()
