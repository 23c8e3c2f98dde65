"""Lines of other programs, before anybody keeps or shows them."""

import time

import pytest

from spark_common.logs.redact import mask_secrets


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("vllm serve m --api-key sk-abc --port 8888", "vllm serve m --api-key *** --port 8888"),
        ("vllm serve m --api-key=sk-abc", "vllm serve m --api-key=***"),
        ("args: {'api_key': ['sk-abc'], 'port': 1}", "args: {'api_key': ***, 'port': 1}"),
        ("HF_TOKEN=hf_abcdefghijklmnopqrst run", "HF_TOKEN=*** run"),
        ("using hf_abcdefghijklmnopqrst now", "using *** now"),
        ('"password": "pass word", next', '"password": ***, next'),
        ("https://alice:secret@host/x?token=abc", "https://***@host/x?token=***"),
        ("Authorization: Bearer abcdefghijkl", "Authorization: Bearer ***"),
        ("aws_secret: x", "aws_secret: ***"),
    ],
)
def test_secrets_do_not_stay(line, shown):
    assert mask_secrets(line) == shown


@pytest.mark.parametrize(
    "line",
    [
        "max_num_batched_tokens=8192, max_model_len=4096",
        "Avg generation throughput: 31.2 tokens/s",
        "tokenizer_mode=auto, tokenizer='org/m'",
        "eos_token: </s>, pad_token=<pad>",
        "'api_key': None, 'port': 8888",
        "Loading safetensors checkpoint shards:  40% Completed | 2/5",
    ],
)
def test_what_is_no_secret_stays(line):
    assert mask_secrets(line) == line


@pytest.mark.parametrize("unit", ["a", "token", "token=", "token ", "'", "[", "--api-key "])
def test_hostile_lines_cost_little_time(unit):
    began = time.process_time()
    mask_secrets((unit * 4000)[:4000])
    assert time.process_time() - began < 0.5
