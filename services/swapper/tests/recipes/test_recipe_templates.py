"""Recipe files of the launcher's checkout: what is read of them, and what is never run."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_common.contracts.recipes import Template
from spark_swapper.recipes import load_recipes
from spark_swapper.templates.strict_format import TemplateError, fill
from spark_swapper.templates.upstream import Place, read_template

BOOK = load_recipes()
TWO = Place(port=8888, image="vllm-node", sparks=2, book=BOOK)
ONE = Place(port=8888, image="vllm-node", sparks=1, book=BOOK)


def template(command: str, place: Place = TWO, **fields: str) -> Template:
    head = {"recipe_version": '"1"', "name": "T", "container": "vllm-node", **fields}
    lines = [f"{name}: {value}" for name, value in head.items()]
    body = "\n".join(f"  {line}" for line in command.splitlines())
    return read_template("t", "\n".join([*lines, "command: |", body]), place)


def read(command: str, place: Place = TWO, **fields: str):
    found = template(command, place, **fields)
    assert found.problem is None, found.problem
    assert found.form is not None
    return found.form


def test_a_command_becomes_arguments_without_what_the_launch_decides() -> None:
    form = read(
        "vllm serve a/b \\\n  --port {port} --host {host} \\\n --max-model-len {len} \\\n"
        "  --distributed-executor-backend ray --nnodes 2 --served-model-name one two \\\n"
        '  --hf-overrides \'{{"a": "b c"}}\'',
        defaults="{port: 8000, len: 4096}",
    )
    assert form.args == ["--max-model-len=4096", '--hf-overrides={"a": "b c"}']
    assert (form.repo, form.served_name, form.context_length) == ("a/b", "one", 4096)
    assert (form.mode, form.image) == ("solo", None)


@pytest.mark.parametrize("flag", ["--api-key secret", "--config secret.yaml", "--model a/secret"])
def test_a_flag_that_no_recipe_may_have_is_said_and_not_left_away(flag) -> None:
    problem = template(f"vllm serve a/b {flag} --seed 1").problem or ""
    assert flag.split()[0] in problem
    assert "secret" not in problem


@pytest.mark.parametrize(
    ("fields", "flag", "place", "mode", "tensor"),
    [
        ({}, "", TWO, "solo", 1),
        ({}, "-tp {tensor_parallel}", TWO, "solo", 1),
        ({"defaults": "{tensor_parallel: 2}"}, "-tp {tensor_parallel}", TWO, "cluster", 2),
        ({"defaults": "{tensor_parallel: 2}"}, "-tp {tensor_parallel}", ONE, "solo", 1),
        ({"solo_only": "true"}, "-tp 2", TWO, "solo", 1),
        ({"cluster_only": "true"}, "-tp {tensor_parallel}", ONE, "cluster", 2),
        ({"cluster_only": "true"}, "--tensor-parallel-size=4", TWO, "cluster", 4),
    ],
)
def test_the_number_of_sparks_is_read(fields, flag, place, mode, tensor) -> None:
    form = read(f"vllm serve a/b {flag} --seed 1", place, **fields)
    assert (form.mode, form.tensor_parallel) == (mode, tensor)
    assert form.args == ["--seed=1"]


def test_what_it_can_is_read_from_its_flags() -> None:
    form = read(
        "vllm serve --enable-auto-tool-choice --tool-call-parser openai --reasoning-parser qwen3",
        model="a/b",
    )
    assert form.repo == "a/b"
    assert form.capabilities == ["chat", "tools", "reasoning"]
    assert read("vllm serve a/b --runner pooling").capabilities == []
    assert read("vllm serve a/b --task embed").capabilities == []
    assert read("vllm serve /data/mine").local_path == "/data/mine"


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("vllm serve a/b {x.__class__}", "placeholder that is not a plain name"),
        ("vllm serve a/b {x[0]}", "placeholder that is not a plain name"),
        ("vllm serve a/b {port!r}", "placeholder that is not a plain name"),
        ("vllm serve a/b {port:>9999999999}", "placeholder that is not a plain name"),
        ("vllm serve a/b {}", "placeholder that is not a plain name"),
        ("vllm serve a/b {0}", "placeholder that is not a plain name"),
        ("vllm serve a/b {nothing}", "needs a parameter 'nothing'"),
        ("vllm serve a/b {", "a brace too many or too few"),
        ("vllm serve a/b }", "a brace too many or too few"),
        ("vllm serve a/b; rm -rf ~", "more than one program"),
        ("vllm serve a/b && reboot", "more than one program"),
        ("vllm serve a/b > /etc/passwd", "more than one program"),
        ("vllm serve a/b & wait", "more than one program"),
        ("export X=1\nvllm serve a/b", "several lines"),
        ("vllm serve a/b --x $(id)", "more than one program"),
        ("vllm serve a/b --x $HOME", "only a shell can fill in"),
        ("vllm serve a/b --x `id`", "only a shell can fill in"),
        ("vllm serve a/b --x 'open", "open quotation"),
        ("python3 -c 1", "does not begin with vllm serve"),
        ("vllm serve", "names no model"),
        ("vllm serve a/b stray", "belongs to no flag"),
        ("vllm serve a/b -tp 1000", "number of Sparks that cannot be"),
        ("vllm serve a/b --seed x", "--seed: needs a whole number"),
        ("vllm serve ../../etc", "repo: "),
    ],
)
def test_what_only_a_shell_could_run_is_not_read(command, reason) -> None:
    found = template(command)
    assert found.problem is not None
    assert reason in found.problem


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- a",
        "name: [",
        "name: x",
        "a: 2026-99-99",
        "[" * 3000,
        "name: {}\ncontainer: x\ncommand: y",
        "&a [*a]",
        "name: a\ncontainer: b\ncommand: c\ndefaults: [1]",
        "name: a\ncontainer: b\ncommand: c\nenv: {A: [1]}",
        "name: a\ncontainer: b\ncommand: c\ncluster_only: true\nsolo_only: true",
        "!!python/object/apply:os.system [id]",
    ],
)
def test_a_broken_file_is_a_problem_and_not_an_error(text) -> None:
    found = read_template("t", text, TWO)
    assert found.form is None
    assert found.problem


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"mods": "[../../evil]"}, "mods.0"),
        ({"env": "{A: '$(id)'}"}, "env.A"),
        ({"container": "'x; id'"}, "image"),
        ({"cluster_only": "true"}, "names no number of them"),
    ],
)
def test_what_no_recipe_may_have_is_said(fields, reason) -> None:
    found = template("vllm serve a/b", **fields)
    assert found.form is None
    assert reason in (found.problem or "")


def test_a_flag_that_is_not_known_here_stands_in_no_templates_way() -> None:
    assert read("vllm serve a/b --brand-new 1").args == ["--brand-new=1"]
    wrong = template("vllm serve a/b --seed x")
    assert wrong.form is not None
    assert "--seed: needs a whole number" in (wrong.problem or "")


def test_text_of_others_is_shown_as_one_printable_line() -> None:
    found = template("vllm serve a/b", description='"a\\x1b[31m\\nb \\u202e c"')
    assert found.description == "a [31m b c"


_NAMES = st.text(string.ascii_lowercase + "_", min_size=1, max_size=8)
_LITERALS = st.text(max_size=10).map(lambda text: text.replace("{", "{{").replace("}", "}}"))
_PIECES = st.one_of(_LITERALS, _NAMES.map(lambda name: "{" + name + "}"))


@settings(deadline=None)
@given(st.lists(_PIECES, max_size=8), st.dictionaries(_NAMES, st.text(max_size=10)))
def test_plain_placeholders_are_filled_as_str_format_does(pieces, values) -> None:
    text = "".join(pieces)
    try:
        expected = text.format(**values)
    except KeyError:
        with pytest.raises(TemplateError):
            fill(text, values)
    else:
        assert fill(text, values) == expected


@settings(deadline=None)
@given(st.text("{}[].!:abc_0", max_size=30))
def test_no_text_reaches_into_an_object(text) -> None:
    try:
        fill(text, {"a": "1", "b": "2"})
    except TemplateError:
        pass
