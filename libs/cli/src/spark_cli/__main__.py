"""``sparkctl``."""

import sys

import click

from spark_cli.commands.accountability import accountability
from spark_cli.commands.automation import automation
from spark_cli.commands.dead_letters import dead_letters
from spark_cli.commands.delete import delete
from spark_cli.commands.doctor import doctor
from spark_cli.commands.download import download
from spark_cli.commands.downloads import cancel_download, downloads
from spark_cli.commands.embedding import embedding
from spark_cli.commands.events import events
from spark_cli.commands.flags import flags
from spark_cli.commands.history import history
from spark_cli.commands.home import home
from spark_cli.commands.init import init
from spark_cli.commands.key import key
from spark_cli.commands.knobs import knobs
from spark_cli.commands.lease import lease
from spark_cli.commands.logs import logs
from spark_cli.commands.models import models
from spark_cli.commands.plan import plan
from spark_cli.commands.quarantine import quarantine
from spark_cli.commands.recipe import recipe
from spark_cli.commands.requests import requests
from spark_cli.commands.schedule import schedule
from spark_cli.commands.search import collections, search, snapshot
from spark_cli.commands.settings import settings
from spark_cli.commands.setup import setup
from spark_cli.commands.sim import sim
from spark_cli.commands.status import status
from spark_cli.commands.suggest import suggest
from spark_cli.commands.swap import cancel, swap
from spark_cli.commands.templates import templates
from spark_cli.commands.test import test
from spark_cli.commands.updates import updates
from spark_cli.commands.webhook import webhook
from spark_cli.demo import demo
from spark_cli.up import up


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="spark-cli", prog_name="sparkctl")
def main() -> None:
    """Run spark-control on this machine, and talk to a running one."""


_COMMANDS: tuple[click.Command, ...] = (
    *(demo, up, status, models, suggest, setup, recipe, knobs, flags, templates, delete),
    *(download, downloads, cancel_download, lease, schedule, accountability, requests, home),
    *(test, plan, swap, cancel, history, logs, quarantine, updates),
    *(events, automation, dead_letters, settings, webhook, key),
    *(search, collections, snapshot, embedding),
    *(doctor, sim, init),
)
for command in _COMMANDS:
    main.add_command(command)

if __name__ == "__main__":
    sys.exit(main())
