"""Thinking and answering are told apart, however a server spells and cuts them."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_gateway.explaining.thinking import Thinking


def heard(deltas) -> tuple[str, str]:
    """Return (reasoning, text) as somebody who follows the events ends up with."""
    thinking = Thinking()
    reasoning, text = "", ""
    pieces = [said for delta in deltas for said in thinking.feed(delta)]
    for said in [*pieces, *thinking.end()]:
        if said.replaces:
            reasoning, text = text + reasoning, ""
        if said.kind == "reasoning":
            reasoning += said.text
        else:
            text += said.text
    return reasoning, text


def content(*pieces: str):
    return [{"content": piece} for piece in pieces]


@pytest.mark.parametrize(
    ("deltas", "expected"),
    [
        (content("Hello", " there"), ("", "Hello there")),
        ([{"reasoning": "hm"}, {"content": "Yes"}], ("hm", "Yes")),
        ([{"reasoning_content": "hm"}, {"content": "Yes"}], ("hm", "Yes")),
        (
            [{"reasoning": None, "content": "Yes"}, {"role": "assistant", "content": ""}],
            ("", "Yes"),
        ),
        (content("<think>hm</think>Yes"), ("hm", "Yes")),
        (content("\n<thi", "nk>\nhm", "</th", "ink>\n\nYes"), ("hm", "Yes")),
        (content("<think>only"), ("only", "")),
        (content("<thi"), ("", "<thi")),
        (content("<b>bold</b> and a < b"), ("", "<b>bold</b> and a < b")),
        (content("first I look\n", "</think>\n\nYes"), ("first I look", "Yes")),
        (content("about the </think> tag"), ("", "about the </think> tag")),
        ([{"reasoning": "hm"}, *content("the\n</think> tag")], ("hm", "the\n</think> tag")),
        (content("<think>a</think>b <think>c</think>"), ("a", "b <think>c</think>")),
        ([{"content": 7}, {"reasoning": {}}, {}], ("", "")),
    ],
)
def test_each_spelling_is_understood(deltas, expected):
    reasoning, text = heard(deltas)
    assert (reasoning.strip(), text) == expected


@given(
    st.sampled_from(
        [
            "<think>\nLet me see.\n</think>\n\nIt matters.",
            "Let me see: 1 < 2.\n</think>\nIt </matters>.",
            "It matters. <think>is a tag.",
            " \n<think></think>x",
        ]
    ),
    st.lists(st.integers(0, 60), max_size=12),
)
def test_where_the_text_is_cut_makes_no_difference(whole, cuts):
    places = sorted({0, len(whole), *(min(cut, len(whole)) for cut in cuts)})
    pieces = [whole[a:b] for a, b in itertools.pairwise(places)]
    cut, once = heard(content(*pieces)), heard(content(whole))
    assert [part.strip() for part in cut] == [part.strip() for part in once]
