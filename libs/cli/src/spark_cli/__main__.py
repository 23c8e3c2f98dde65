"""``sparkctl``."""

import gc
import sys
from importlib import import_module
from typing import Final

import click

_COMMANDS: Final = (
    *("demo", "up", "status", "models", "suggest", "setup", "recipe", "knobs", "flags"),
    *("templates", "delete", "download", "downloads", "cancel-download", "lease", "schedule"),
    *("accountability", "requests", "home", "test", "plan", "swap", "cancel", "history", "logs"),
    *("quarantine", "updates", "events", "automation", "dead-letters", "settings", "webhook"),
    *("key", "search", "collections", "snapshot", "embedding", "nim", "doctor", "sim", "init"),
    *("connectivity", "endpoints", "maintenance", "hardware", "advice", "wake", "turn-off"),
    *("speech", "deep-health", "service", "bridge", "access"),
)
_ELSEWHERE: Final = {
    "demo": "spark_cli.demo",
    "up": "spark_cli.up",
    "cancel-download": "spark_cli.commands.downloads",
    "cancel": "spark_cli.commands.swap",
    "advice": "spark_cli.commands.hardware",
    "collections": "spark_cli.commands.search",
    "snapshot": "spark_cli.commands.search",
}
"""Modules of the commands that have none of their own name."""


class Commands(click.Group):
    """Reads a command's module when it is asked for: all of them take longer than most of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all."""
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return one, or None when there is none of this name."""
        if cmd_name not in _COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        # While modules are read nothing becomes garbage, and afterwards they stay.
        gc.disable()
        module = import_module(_ELSEWHERE.get(cmd_name, f"spark_cli.commands.{name}"))
        gc.freeze()
        gc.enable()
        command = getattr(module, name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module.__name__}.{name} is no command")
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="spark-cli", prog_name="sparkctl")
def main() -> None:
    """Run spark-control on this machine, and talk to a running one."""


if __name__ == "__main__":
    sys.exit(main())
