"""``sparkctl flags``: the flags of vLLM, all or those with a word in their name."""

import json


def test_flags_are_listed_and_searched(gateway, run) -> None:
    known = [
        {"flag": "--max-num-seqs", "kind": "integer", "help": "Most at a time."},
        {"flag": "--dtype", "kind": "choice", "choices": ["auto", "half"], "help": ""},
    ]
    gateway.says("GET", "/api/recipes/flags", {"flags": known, "vllm_version": "0.33.0"})
    assert run("flags").output.splitlines() == [
        "of vLLM 0.33.0",
        "flag            takes",
        "--max-num-seqs  integer      Most at a time.",
        "--dtype         auto | half",
    ]
    found = json.loads(run("flags", "MAX_NUM", "--json").output)
    assert found["flags"] == known[:1]
    assert run("flags", "nothing").output == "there is no such flag\n"
