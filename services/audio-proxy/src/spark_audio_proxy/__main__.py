"""Parse settings, build, run."""

from spark_common import quick_start  # noqa: F401

# isort: split

from functools import partial

from spark_audio_proxy.announcing import NAME
from spark_audio_proxy.app import build
from spark_audio_proxy.settings import AudioProxySettings
from spark_common.clock import SystemClock
from spark_common.redis_access import patient
from spark_common.service import run
from spark_common.settings import load_or_exit


def main() -> None:
    """Run audio-proxy until it is asked to end."""
    settings = load_or_exit(AudioProxySettings)
    building = patient(partial(build, settings, SystemClock()))
    run(NAME, building, settings.http, settings.warnings)


if __name__ == "__main__":
    main()
