"""``sparkctl nim``: NIM services of NVIDIA's registry, installing them and removing them."""

import sys
from pathlib import Path
from typing import Any

import click

from spark_cli.asking import address, said_along, who_asks
from spark_cli.gateway_client import GatewayClient, gateway_url
from spark_cli.job_stream import follow, stop
from spark_cli.output import AS_JSON, tell
from spark_cli.words import table

PATH = "/api/nim"


@click.group(invoke_without_command=True)
@AS_JSON
@click.pass_context
def nim(context: click.Context, as_json: bool) -> None:
    """Show what NIM services there are, install or remove one."""
    context.obj = GatewayClient(gateway_url())
    if context.invoked_subcommand is None:
        tell(context.obj.get(f"{PATH}/catalog"), as_json, render)


@nim.command()
@click.argument("name")
@click.option("--image", default=None, help="Not of the catalogue: nvcr.io/nim/...")
@click.option("--as", "own_name", default=None, help="Another name than that of the entry.")
@click.option("--host", default=None, help="The Spark: spark1, spark2, ...")
@click.option("--port", default=None, type=click.IntRange(1, 65535), help="On the Spark.")
@click.option("--container-port", default=None, type=click.IntRange(1, 65535))
@click.option("--volume", default=None, help="Docker volume of what it downloads.")
@click.option("--env", "env", multiple=True, metavar="NAME=VALUE", help="Repeatable.")
@click.option("--ask-key", is_flag=True, help="Read the key of NGC from a prompt or stdin.")
@click.option(
    "--key-file", default=None, type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Read the key of NGC from this file. Without a key that of the settings is used.",
)  # fmt: skip
@click.option("--memory-gb", default=None, type=click.IntRange(1, 1024), help="What it takes.")
@click.option("--force", is_flag=True, help="Though memory is short or somebody holds the cluster.")
@click.option("--follow", "to_the_end", is_flag=True, help="Stay until the end; exit 1 on failure.")
@click.option("--idempotency-key", "once", default=None, help="The same one acts once.")
@click.option("--json", "as_json", is_flag=True, help="Print answers and events as JSON.")
@click.pass_context
def install(
    context: click.Context,
    name: str,
    image: str | None,
    own_name: str | None,
    host: str | None,
    port: int | None,
    container_port: int | None,
    volume: str | None,
    env: tuple[str, ...],
    ask_key: bool,
    key_file: Path | None,
    memory_gb: int | None,
    force: bool,
    to_the_end: bool,
    once: str | None,
    as_json: bool,
) -> None:
    """Install NAME of the catalogue; with --image an image of NVIDIA's registry under that name."""
    asked: dict[str, Any] = {"requested_by": who_asks(), "image": image, "host": host, "port": port}
    asked |= {"container_port": container_port, "volume": volume}
    asked |= {"memory_gb": memory_gb, "force": force or None}
    asked |= {"name": name} if image is not None else {"entry": name, "name": own_name}
    if env:
        asked["env"] = dict(_pair(item) for item in env)
    asked["ngc_api_key"] = _key(ask_key, key_file)
    body = {field: value for field, value in asked.items() if value is not None}
    view = context.obj.post(f"{PATH}/install", body, said_along(once))
    tell(view, as_json, lambda _: f"install {view['id']} is {view['state']}", line=True)
    if to_the_end:
        follow(context, context.obj, "nim", view["id"], as_json=as_json)


@nim.command()
@click.argument("id")
@AS_JSON
@click.pass_context
def cancel(context: click.Context, id: str, as_json: bool) -> None:
    """Stop the installation ID."""
    view, words = stop(context.obj, "nim", id)
    tell(view, as_json, lambda _: words)


@nim.command()
@click.argument("name")
@click.option("--volume", is_flag=True, help="Delete what it downloaded too.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@AS_JSON
@click.pass_context
def remove(context: click.Context, name: str, volume: bool, yes: bool, as_json: bool) -> None:
    """Stop and remove the service NAME."""
    if not yes:
        what = "and what it downloaded" if volume else "and keep what it downloaded"
        click.confirm(f"Remove {name} {what}?", abort=True, err=True)
    query: dict[str, str | list[str]] = {
        "requested_by": who_asks(),
        "volume": "true" if volume else "false",
    }
    removed = context.obj.delete(address(PATH, name), query)
    tell(removed, as_json, lambda view: str(view["message"]))


def _pair(item: str) -> tuple[str, str]:
    name, equals, value = item.partition("=")
    if not equals:
        raise click.ClickException(f"--env takes NAME=VALUE, not {item!r}")
    return name, value


def _key(ask: bool, file: Path | None) -> str | None:
    """Return the key; there is no way to give it as an argument, where everybody could read it."""
    if file is not None:
        try:
            return file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as wrong:
            raise click.ClickException(f"{file} cannot be read") from wrong
    if not ask:
        return None
    if sys.stdin.isatty():
        typed: str = click.prompt("Key of NGC: ", hide_input=True, prompt_suffix="", err=True)
        return typed.strip()
    return sys.stdin.readline().strip()


def render(view: dict[str, Any]) -> str:
    """Return the lines that people read."""
    head = ("name", "what", "port", "image", "installed on")
    rows = [
        (one["name"], one["label"], str(one["port"]), one["image"],
         ", ".join(one["installed_on"]) or "-")
        for one in view["entries"]
    ]  # fmt: skip
    lines = [table([head, *rows])]
    lines += [
        f"runs: {one['name']} on {one['host']}: {one['url'] or one['port']} ({one['image']})"
        for one in view["services"]
    ]
    lines += [f"cannot be used: {problem}" for problem in view["problems"]]
    if not view["key_set"]:
        lines.append("no key in the settings: install with --ask-key or --key-file")
    if job := view.get("job"):
        lines.append(f"last job: {job['id']} {job['state']}: {job['message']}")
    return "\n".join(lines)
