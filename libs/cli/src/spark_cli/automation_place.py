"""Which bus ``sparkctl automation`` changes: its identities, its configuration, its address."""

from dataclasses import dataclass
from pathlib import Path

import click

from spark_common.bus.automations import AutomationError, AutomationFolder
from spark_common.bus.identities import Identities
from spark_common.bus.permissions import OPERATOR
from spark_common.bus.server_config import Places, places_of, render
from spark_common.bus.steward import Steward, identities_in
from spark_common.clock import SystemClock
from spark_common.embedded.child import write_private

_USUAL = (Path(".run/up"), Path(".run/demo"))


@dataclass(frozen=True)
class AutomationPlace:
    """One NATS of ours, running or not."""

    identities: Identities
    config: Path
    url: str

    @property
    def folder(self) -> AutomationFolder:
        """The automations that are let in."""
        return AutomationFolder.below(self.identities.directory)

    @property
    def steward(self) -> Steward:
        """What can be done at the running server."""
        return Steward(self.url, self.identities, SystemClock())

    def write_config(self) -> None:
        """Write the configuration anew with the automations there are. Raises AutomationError."""
        places = _places(self.config)
        text = render(
            self.identities.public_keys,
            store_dir=places.store_dir,
            listen=places.listen,
            monitor=places.monitor,
            automations=self.folder.public_keys(),
        )
        write_private(self.config, text)


def find_place(
    run_dir: Path | None, identities: Path | None, config: Path | None, url: str | None
) -> AutomationPlace:
    """Return the bus that is meant. Raises AutomationError, DamagedSeedError.

    ``identities`` and ``config`` name the files of containers; without them it is the folder
    of a local run.
    """
    if identities is not None:
        if config is None:
            raise AutomationError("name the configuration of NATS as well: --nats-config FILE")
        found, written = identities, config
    else:
        nats = (run_dir or _usual_folder()) / "nats"
        found, written = nats / "identities", nats / "nats.conf"
        # A NATS_URL of this shell means another server than the one in the folder.
        url = None
    listen = _places(written).listen
    host, _, port = listen.rpartition(":")
    here = "127.0.0.1" if host in ("0.0.0.0", "[::]") else host  # noqa: S104 asked, not bound
    return AutomationPlace(identities_in(found), written, url or f"nats://{here}:{port}")


def _usual_folder() -> Path:
    made = [folder for folder in _USUAL if (folder / f"nats/identities/{OPERATOR}.nk").exists()]
    running = [folder for folder in made if (folder / "running.json").exists()]
    candidates = running or made
    if not candidates:
        raise AutomationError(
            "nothing of spark-control is here: start it once with sparkctl up or sparkctl demo, "
            "or name its folder with --run-dir"
        )
    if len(candidates) > 1:
        both = " and ".join(str(folder) for folder in candidates)
        raise AutomationError(f"there are {both}: say which with --run-dir")
    return candidates[0]


def _places(config: Path) -> Places:
    try:
        return places_of(config.read_text(encoding="utf-8"))
    except OSError as error:
        raise AutomationError(f"{config} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise AutomationError(
            f"{config} was not written by spark-control ({error}): add a user there by hand"
        ) from error


RUN_DIR = click.option(
    "--run-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of sparkctl up or demo; by default the one that is there.",
)
IDENTITIES = click.option(
    "--identities",
    envvar="NATS_IDENTITIES",
    type=click.Path(path_type=Path, file_okay=False),
    help="In containers: the folder with the seeds of the services.",
)
CONFIG = click.option(
    "--nats-config",
    envvar="NATS_CONFIG",
    type=click.Path(path_type=Path, dir_okay=False),
    help="In containers: the configuration of NATS.",
)
URL = click.option("--nats-url", envvar="NATS_URL", help="In containers: where NATS answers.")
