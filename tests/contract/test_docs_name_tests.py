"""A document that names the test behind a promise names one that exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_NAMED = re.compile(r"\[`(test_\w+)`\]\(([^)#]+)\)")
DOCUMENTS = ("docs/security.md",)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_test_a_document_names_is_there(name: str) -> None:
    document = ROOT / name
    named = _NAMED.findall(document.read_text())
    assert named, "the document names no test"
    missing = [
        f"{path}::{test}"
        for test, path in named
        if f"def {test}(" not in (document.parent / path).read_text()
    ]
    assert missing == []
