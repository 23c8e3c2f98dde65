"""``sparkctl settings``: show, set and clear what the owner edits, and take all state along.

Secrets and passphrases come over standard input or the environment, never as an argument: those
can be read by everybody on the machine.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import click

from spark_cli.asking import who_asks
from spark_cli.gateway_client import GatewayClient, gateway_url
from spark_cli.output import AS_JSON, tell
from spark_cli.settings_words import (
    render_foreseen,
    render_imported,
    render_setting,
    render_settings,
)
from spark_common.whole_file import OURS_ALONE, write_whole

_VARIABLE = "SPARK_CONTROL_PASSPHRASE"
_PATH = "/api/settings"
_IMPORT = "/api/state/import"


@click.group()
def settings() -> None:
    """Show, set and clear settings; export and import all state."""


@settings.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@AS_JSON
def show(names: tuple[str, ...], as_json: bool) -> None:
    """Show all settings, or those called NAME. A secret only says whether it is set."""
    view = GatewayClient(gateway_url()).get(_PATH)
    if names:
        found = [_named(view, name) for name in names]
        tell(found, as_json, lambda many: "\n\n".join(render_setting(one) for one in many))
    else:
        tell(view, as_json, render_settings)


@settings.command("set")
@click.argument("assignments", metavar="NAME=VALUE...", nargs=-1, required=True)
@click.option("--from-env", is_flag=True, help="Take the value of a NAME alone from $NAME.")
@AS_JSON
def set_(assignments: tuple[str, ...], from_env: bool, as_json: bool) -> None:
    """Set NAME=VALUE, all of them or none. A NAME alone reads its value from standard input.

    A secret is only taken that way: printf %s "$TOKEN" | sparkctl settings set HF_TOKEN
    """
    client = GatewayClient(gateway_url())
    view = client.get(_PATH)
    values: dict[str, Any] = {}
    secrets: dict[str, Any] = {}
    for assignment in assignments:
        name, given, value = assignment.partition("=")
        secret = _named(view, name)["kind"] == "secret"
        if secret and given:
            raise click.UsageError(
                f"{name} is a secret, and arguments can be read by everybody on this machine: "
                f'printf %s "$VALUE" | sparkctl settings set {name}'
            )
        (secrets if secret else values)[name] = (
            value if given else _read_value(name, secret, from_env)
        )
    _change(client, view, values, secrets, as_json)


@settings.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@AS_JSON
def clear(names: tuple[str, ...], as_json: bool) -> None:
    """Take back what was set: the environment's value holds again, else the default."""
    client = GatewayClient(gateway_url())
    view = client.get(_PATH)
    secrets = {name: None for name in names if _named(view, name)["kind"] == "secret"}
    values = {name: None for name in names if name not in secrets}
    _change(client, view, values, secrets, as_json)


@settings.command("export")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--passphrase", "ask", is_flag=True, help="Encrypt secrets: read it from stdin.")
def export(file: Path, ask: bool) -> None:
    """Write everything that is state to FILE (- for standard output).

    The passphrase for secrets is read from standard input, or is SPARK_CONTROL_PASSPHRASE;
    without one, secrets are left out and listed.
    """
    passphrase = _passphrase(ask, twice=True)
    body = {} if passphrase is None else {"passphrase": passphrase}
    document = GatewayClient(gateway_url()).post("/api/state/export", body)
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    if str(file) == "-":
        click.echo(text, nl=False)
    else:
        try:
            write_whole(file, text.encode(), OURS_ALONE)
        except OSError as wrong:
            raise click.ClickException(f"{file} cannot be written: {wrong.strerror}") from wrong
    for name in document["missing_secrets"]:
        click.echo(f"left out: {name}; give a passphrase to take it along", err=True)


@settings.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--passphrase", "ask", is_flag=True, help="Open the secrets: read it from stdin.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@AS_JSON
def import_(file: Path, ask: bool, yes: bool, dry_run: bool, as_json: bool) -> None:
    """Take the state in FILE in; what is there under the same names is replaced.

    What would change is shown before you are asked.
    """
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as wrong:
        raise click.ClickException(f"{file} is no exported state: it is not JSON") from wrong
    passphrase = _passphrase(ask, twice=False)
    body = {"document": document, "requested_by": who_asks()}
    body |= {} if passphrase is None else {"passphrase": passphrase}
    client = GatewayClient(gateway_url())
    if dry_run:
        tell(client.post(_IMPORT, {**body, "dry_run": True}), as_json, render_foreseen)
        return
    if not yes:
        click.echo(render_foreseen(client.post(_IMPORT, {**body, "dry_run": True})), err=True)
        click.confirm("Replace what is here by what is in the file?", abort=True, err=True)
    taken = client.post(_IMPORT, body)
    tell(taken, as_json, render_imported)


def _change(
    client: GatewayClient,
    view: dict[str, Any],
    values: dict[str, Any],
    secrets: dict[str, Any],
    as_json: bool,
) -> None:
    body = {"version": view["version"], "requested_by": who_asks()}
    changed = client.post(_PATH, {**body, "values": values, "secrets": secrets})
    names = [*values, *secrets]
    tell(
        changed,
        as_json,
        lambda now: "\n\n".join(render_setting(_named(now, name)) for name in names),
    )


def _named(view: dict[str, Any], name: str) -> dict[str, Any]:
    for one in view["settings"]:
        if one["name"] == name:
            found: dict[str, Any] = one
            return found
    raise click.ClickException(f"there is no setting {name}; `sparkctl settings show` lists them")


def _read_value(name: str, secret: bool, from_env: bool) -> str:
    if from_env and not os.environ.get(name):
        raise click.ClickException(f"{name} is not in the environment of this shell")
    if from_env:
        return os.environ[name]
    return _read_line(f"{name}: ", hidden=secret)


def _passphrase(ask: bool, *, twice: bool) -> str | None:
    if not ask:
        return os.environ.get(_VARIABLE) or None
    passphrase = _read_line("Passphrase: ", hidden=True)
    if twice and sys.stdin.isatty() and _read_line("Once more: ", hidden=True) != passphrase:
        raise click.ClickException("these are two different passphrases")
    return passphrase


def _read_line(prompt: str, *, hidden: bool) -> str:
    """Read one line of standard input; where a person types, ask for it and show no secret."""
    if sys.stdin.isatty():
        typed: str = click.prompt(prompt, hide_input=hidden, prompt_suffix="", err=True)
        return typed
    return sys.stdin.readline().rstrip("\r\n")
