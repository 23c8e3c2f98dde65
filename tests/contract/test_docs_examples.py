"""Every example of every page is run by a test, checked against the code, or says why not.

An example is one of these:

* ```` ```sh run ```` or ```` ```python run ````: the test of its page runs it (``RUN_BY``);
* of a page in ``READ_WHOLE``: the test named there takes all its examples;
* a script of ``curl`` and ``sparkctl`` alone: its routes are those that docs/API.md runs, its
  bodies are what these routes take, its options are those of the command;
* JSON: an answer as a contract has it; ```` ```json part Name ````: some fields of the model of
  that name; ```` ```json real ````: compared with an answer by the test of its page (``REAL``);
* ``make`` with a target, ``export`` of a variable and ``printf`` of texts that somebody reads;
* under ``<!-- not run: why -->`` or ``Not runnable here: why``.
"""

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel, JsonValue, TypeAdapter, ValidationError

import spark_common.contracts
from spark_cli.__main__ import main as sparkctl
from spark_common.testing.documents import Example, commands, examples
from spark_gateway.api.captures import CapturedRequest
from spark_gateway.api.events import EventPage
from spark_gateway.routes import all_routes
from spark_gateway.search.shapes import SearchAnswer

ROOT = Path(__file__).parents[2]
LANGUAGES = {"sh", "bash", "python", "json"}
PAGES = sorted(
    str(path.relative_to(ROOT))
    for path in (
        *ROOT.glob("*.md"),
        *(ROOT / "docs").glob("**/*.md"),
        *(ROOT / "startos").glob("*.md"),
    )
)
RUN_BY = {
    "docs/API.md": "tests/e2e/test_api_doc_runs.py",
    "docs/AUDIO_API.md": "services/audio-proxy/tests/test_audio_doc_runs.py",
    "docs/EMBEDDINGS.md": "services/gateway/tests/test_embeddings_doc.py",
    "docs/EVENTS.md": "tests/e2e/stories/test_events_doc_runs.py",
    "docs/api/webhooks.md": "services/coordinator/tests/webhooks/test_webhook_docs.py",
}
READ_WHOLE = {
    ("docs/COORDINATION.md", "sh"): "tests/e2e/stories/test_coordination_story.py",
    ("docs/COORDINATION.md", "python"): "tests/e2e/stories/test_coordination_story.py",
    ("docs/EVENTS.md", "json"): "tests/contract/test_events_doc.py",
    ("docs/api/schedules.md", "sh"): "tests/e2e/stories/test_schedule_story.py",
    ("docs/api/webhooks.md", "python"): "services/coordinator/tests/webhooks/test_webhook_docs.py",
    ("docs/api/webhooks.md", "json"): "services/coordinator/tests/webhooks/test_webhook_docs.py",
}
REAL = {
    "docs/AUDIO_API.md": "services/audio-proxy/tests/test_audio_doc_runs.py",
    "docs/EMBEDDINGS.md": "services/gateway/tests/test_embeddings_doc.py",
    "docs/REDACTION_GATEWAY.md": "tests/e2e/test_api_doc_runs.py",
    "docs/SPEECH-OVERLAY.md": "cluster/parakeet-overlay/tests/test_parakeet_overlay.py",
    "docs/api/holding.md": "services/gateway/tests/dataplane/test_dataplane_router.py",
    "docs/api/reservation.md": "services/gateway/tests/dataplane/test_dataplane_reservation.py",
    "docs/api/v1-models.md": "tests/e2e/test_api_doc_runs.py",
}
OWN_MODELS = {model.__name__: model for model in (CapturedRequest, EventPage, SearchAnswer)}
"""Answers that the gateway puts together itself."""
_READERS = {".py", ".yaml", ".example"}
_GATEWAY = re.compile(r"(?:http://(?:127\.0\.0\.1|localhost):9999|\$SPARK|\$url)(/[^?]*)")


def every_example() -> list[Example]:
    return [
        one
        for page in PAGES
        for one in examples(ROOT, page)
        if one.language in LANGUAGES and one.reason is None
    ]


@cache
def contracts() -> dict[str, type[BaseModel]]:
    package = spark_common.contracts
    modules = [
        importlib.import_module(found.name)
        for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
    ]
    return {
        name: member
        for module in modules
        for name, member in vars(module).items()
        if isinstance(member, type) and issubclass(member, BaseModel)
    }


def is_an_answer(value: Any) -> bool:
    """Whether some contract has just this shape, without a field that it does not know."""
    for model in contracts().values():
        if isinstance(value, dict) and set(value) <= set(model.model_fields):
            try:
                model.model_validate(value)
            except ValidationError:
                continue
            return True
    return False


def problem_of_part(value: JsonValue, name: str) -> str | None:
    """Say what of some fields the model of that name does not have, or has as something else."""
    model = {**contracts(), **OWN_MODELS}.get(name)
    if model is None:
        return f"there is no model {name}"
    schema = model.model_json_schema(mode="serialization")
    for kind in (schema, *schema.get("$defs", {}).values()):
        if "properties" in kind:
            kind.pop("required", None)
            kind["additionalProperties"] = False
    return "; ".join(error.message for error in Draft202012Validator(schema).iter_errors(value))


def problem_of_json(one: Example) -> str | None:
    """Say why what is shown is no answer, if it is none."""
    try:
        value = json.loads(one.text)
    except ValueError as error:
        return f"it is no JSON: {error}"
    match one.words:
        case ():
            return None if is_an_answer(value) else "no contract has this shape"
        case ("part", name):
            return problem_of_part(value, name) or None
        case ("real",):
            return None if one.page in REAL else "no test is named that compares it"
    return f"nobody knows what {one.words} is"


def asked(words: list[str]) -> tuple[str, str, str | None]:
    """Return method, path and body of a curl."""
    method = "GET"
    body = None
    for option, value in zip(words, [*words[1:], ""], strict=True):
        if option in {"-d", "--json", "-F"}:
            unknown = option == "-F" or value.startswith("@")
            method, body = "POST", None if unknown else value
    if "-X" in words:
        method = words[words.index("-X") + 1]
    place = next((found for word in words if (found := _GATEWAY.match(word))), None)
    return method, place[1].rstrip("/") if place else "to another server", body


@cache
def run_by_api() -> frozenset[tuple[str, str]]:
    """Return method and path of every call that docs/API.md makes."""
    run = [one for one in examples(ROOT, "docs/API.md") if "run" in one.words]
    return frozenset(asked(words)[:2] for one in run for words in commands(one.text))


def problem_of_curl(words: list[str]) -> str | None:
    """Say what is wrong with a request, if anything."""
    method, path, body = asked(words)
    shown = [
        route
        for route in all_routes()
        if method in (route.methods or ()) and route.path_regex.match(path)
    ]
    if not shown:
        return None if (method, path) in run_by_api() else f"docs/API.md runs no {method} {path}"
    field = shown[0].body_field
    if body is None or field is None:
        return None
    try:
        TypeAdapter(field.field_info.annotation).validate_json(body)
    except ValidationError as error:
        return f"{method} {path}: {error}"
    return None


def problem_of_sparkctl(words: list[str]) -> str | None:
    """Say why the command would not be understood, without doing it."""
    command: click.Command = sparkctl
    context = click.Context(sparkctl, info_name="sparkctl")
    rest = words
    while isinstance(command, click.Group):
        found = command.get_command(context, rest[0]) if rest else None
        if found is None:
            if command.invoke_without_command and not rest:
                return None
            return f"there is no {' '.join(words)}"
        command, rest = found, rest[1:]
        if isinstance(command, click.Group) and (not rest or rest[0].startswith("-")):
            return None if command.invoke_without_command else f"{' '.join(words)} is no command"
    try:
        command.make_context(words[0], list(rest), resilient_parsing=False)
    except click.ClickException as error:
        # A file that the reader has and we have not.
        if not error.format_message().endswith("does not exist."):
            return f"{' '.join(words)}: {error.format_message()}"
    return None


def piped(words: list[str]) -> Iterator[list[str]]:
    """Yield the commands of a line that pass their output on."""
    rest = words
    while "|" in rest:
        yield rest[: rest.index("|")]
        rest = rest[rest.index("|") + 1 :]
    if rest:
        yield rest


@cache
def targets() -> frozenset[str]:
    """Return what make knows here, each with its colon."""
    lines = (ROOT / "Makefile").read_text().splitlines()
    named = [line.partition(":")[0] for line in lines if "## " in line and ":" in line]
    return frozenset(f"{name}:" for names in named for name in names.split())


@cache
def read_by_us() -> frozenset[str]:
    """Return the names that look like variables, of all programs here and of all examples run."""
    places = [*ROOT.glob("services/*/src"), *ROOT.glob("libs/*/src"), ROOT / "deploy"]
    files = [path for place in places for path in place.rglob("*") if path.suffix in _READERS]
    texts = [path.read_text(encoding="utf-8") for path in files]
    texts += [one.text for page in PAGES for one in examples(ROOT, page) if "run" in one.words]
    return frozenset(name for text in texts for name in re.findall(r"\b[A-Z][A-Z0-9_]+\b", text))


def problem_of_make(words: list[str]) -> str | None:
    """Say which target is not in the Makefile."""
    wanted = [word for word in words if "=" not in word]
    absent = [word for word in wanted if f"{word}:" not in targets()]
    return None if wanted and not absent else f"there is no make {' '.join(absent)}"


def problem_of_export(words: list[str]) -> str | None:
    """Say which variable nobody reads."""
    names = [word.partition("=")[0] for word in words]
    unread = [name for name in names if name not in read_by_us()]
    return f"nobody reads {' '.join(unread)}" if unread else None


def problem_of_printf(words: list[str]) -> str | None:
    """Say what is wrong with a printed text that is no JSON, no variables and no bare value."""
    form, *values = words[: words.index(">")] if ">" in words else words
    if form.count("%s") != len(values):
        return f"{form} has not {len(values)} places"
    text = form.replace("%s", "x")
    if form.startswith("{"):
        try:
            json.loads(text)
        except ValueError as error:
            return f"it prints no JSON: {error}"
        return None
    if form == "%s":
        return None
    names = [line.partition("=")[0] for line in text.replace("\\n", "\n").split()]
    return problem_of_export(names)


def problems(script: str) -> Iterator[str]:
    for words in (part for line in commands(script) for part in piped(line)):
        program = words[0].rpartition("/")[2]
        problem: str | None
        match program:
            case "curl":
                problem = problem_of_curl(words)
            case "sparkctl":
                problem = problem_of_sparkctl(words[1:])
            case "make":
                problem = problem_of_make(words[1:])
            case "export":
                problem = problem_of_export(words[1:])
            case "printf":
                problem = problem_of_printf(words[1:])
            case _:
                problem = f"nobody runs {words[0]!r}"
        if problem:
            yield problem


def problem_of(one: Example) -> str | None:
    """Say what stands between an example and being believed."""
    if (one.page, one.language) in READ_WHOLE:
        return None
    if one.language == "json":
        return problem_of_json(one)
    if one.words:
        return None if one.page in RUN_BY else "no test is named for the page"
    if one.language == "python":
        return "nobody runs it"
    return "; ".join(problems(one.text)) or None


def test_every_example_is_run_or_checked_or_says_why_not() -> None:
    told = [f"{one.place}: {told}" for one in every_example() if (told := problem_of(one))]
    assert told == []


@pytest.mark.parametrize(
    ("page", "test"),
    [*RUN_BY.items(), *REAL.items(), *((page, test) for (page, _), test in READ_WHOLE.items())],
)
def test_the_test_that_runs_a_page_reads_it(page: str, test: str) -> None:
    assert Path(page).name in (ROOT / test).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "script",
    [
        "curl http://127.0.0.1:9999/api/nothing",
        "curl -X PATCH http://127.0.0.1:9999/api/swap",
        'curl http://127.0.0.1:9999/api/swap --json \'{"modle": "gpt-oss-120b"}\'',
        "sparkctl swop gpt-oss-120b",
        "sparkctl swap gpt-oss-120b --no-such-option",
        "sparkctl service destroy kokoro",
        "make no-such-thing",
        "export NOBODY_READS_THIS=1",
        "printf 'NOBODY_READS_THIS=1\\n' > .env",
        """printf '{"secrets": "%s"' "$TOKEN" | curl http://127.0.0.1:9999/api/settings -d @-""",
        "printf '%s %s' one",
        "printf x | rm -rf build",
    ],
)
def test_an_example_that_is_wrong_is_seen(script: str) -> None:
    example = Example("docs/x.md", 1, "sh", (), script, None)
    assert problem_of(example)


def test_a_wrong_answer_and_an_unmarked_program_are_seen() -> None:
    assert problem_of(Example("docs/x.md", 1, "json", (), '{"no_such_field": 1}', None))
    assert problem_of(Example("docs/x.md", 1, "json", (), "{", None))
    assert problem_of(Example("docs/x.md", 1, "json", ("real",), "{}", None))
    for shown in ('{"host": []}', '{"hosts": [{"cores": "20"}]}', '{"hosts": [{"core": 20}]}'):
        assert problem_of(Example("docs/x.md", 1, "json", ("part", "Hardware"), shown, None))
    assert problem_of(Example("docs/x.md", 1, "json", ("part", "Hardwear"), "{}", None))
    assert problem_of(Example("docs/x.md", 1, "python", (), "print(1)", None))
    assert problem_of(Example("docs/x.md", 1, "sh", ("run",), "true", None))
