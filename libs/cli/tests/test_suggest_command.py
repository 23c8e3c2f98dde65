"""``sparkctl suggest`` prints every value with its reason."""

from spark_cli.commands.suggest import render


def said(value, certainty="read", note=None):
    return {"value": value, "source": "config.json: x", "certainty": certainty, "note": note}


def test_every_value_is_shown_with_where_it_comes_from_and_how_sure_it_is() -> None:
    nothing = said(None, "guessed")
    text = render(
        {
            "repo": "org/Model",
            "size_bytes": 32_100_000_000,
            "read_from": "spark1",
            "mode": said("solo", "derived", "29.9 GiB of weights"),
            "tensor_parallel": said(1),
            "image": nothing,
            "served_name": said("model"),
            "context_length": said(262_144),
            "quantization": said("modelopt FP8"),
            "tool_parser": nothing,
            "reasoning_parser": nothing,
            "capabilities": said(["chat", "tools"]),
            "traits": [said("hybrid")],
            "args": [said("--max-model-len=262144")],
            "env": [],
            "warnings": ["No Spark has all of its files yet."],
        }
    )
    head, names, *rows = text.splitlines()
    assert head == "org/Model  32.1 GB  read from spark1"
    assert names.split() == ["value", "how", "sure", "from", "note"]
    shown = {row.split()[0]: row for row in rows}
    assert shown["mode"].split() == [
        *("mode", "solo", "derived", "config.json:", "x", "29.9", "GiB", "of", "weights"),
    ]
    assert shown["image"].split()[1:3] == ["-", "guessed"]
    assert "chat, tools" in shown["capabilities"]
    assert shown["trait"].split()[1] == "hybrid"
    assert "--max-model-len=262144" in shown["argument"]
    assert rows[-1] == "note: No Spark has all of its files yet."
