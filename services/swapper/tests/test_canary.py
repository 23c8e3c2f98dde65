# ruff: noqa: RUF001 - the letters that look alike are what is judged here
"""What counts as gibberish, and above all what does not."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_common.runtime_questions import Spoken
from spark_swapper.readiness.canary import QUESTIONS, Finding, judge, judge_all

NOISE = {
    "exclamation marks": "!" * 40,
    "the the the": "the " * 30,
    "two words in turn": "yes no " * 20,
    "a phrase in a loop": "Let me think about this again. " * 12,
    "a loop that drifts a little": " ".join(
        f"so the answer is then{'' if n % 9 else f' {n}'}" for n in range(40)
    ),
    "one chinese character": "的" * 30,
    "a chinese loop": "北京是" * 20,
    "replacement characters": "Par\ufffd\ufffd\ufffd\ufffd is \ufffd\ufffd\ufffd\ufffd\ufffd",
    "control characters": "\x01\x02\x03\x04\x05\x06\x07\x08 abc",
    "private use": "\ue000\ue001\ue002\ue003\ue004\ue005\ue006\ue007\ue008",
    "punctuation": "}}](=> ;; ,:{ ..&& %$ #@ ^^ ~~ || ?? ** (( ++",
    "almost only punctuation": "{}[]a;;::,,..<<>>//\\\\||&&%%$$##@@!!??**((1++==--__~~^^``''",
    "many scripts": "capital สวัสดี приве ความ ה̈בית नमस मान بسيط ქარ და 的 な ව්",
    "words of two scripts": "capитал оfицer frаnсе вlack пarис toдay моrning",
}

SENSE = {
    "right": "Paris",
    "right, in a sentence": "The capital of France is Paris.",
    "right, with markup": "**Paris**\n\n---\n",
    "wrong": "Lyon, I would say.",
    "another language": "Die Hauptstadt von Frankreich heisst anders.",
    "chinese": "法国的首都是巴黎，位于塞纳河畔。",
    "japanese": "フランスの首都はパリです。よろしくお願いします。",
    "korean": "프랑스의 수도는 파리입니다. 도움이 더 필요하신가요?",
    "arabic": "عاصمة فرنسا هي باريس وتقع على نهر السين",
    "thai": "เมืองหลวงของประเทศฝรั่งเศสคือกรุงปารีส",
    "hindi": "फ्रांस की राजधानी पेरिस है और यह सीन नदी पर है",
    "russian": "Столица Франции это город на Сене, как все знают.",
    "russian with a latin name": "Столица Франции: Paris (на русском пишут иначе), город на Сене.",
    "chinese with latin words": "我用Python写了这个程序，答案是ABC公司的GPU。",
    "a translation": "Paris is Париж in Russian and 巴黎 in Chinese, as you may know already.",
    "a list": "1. Paris\n2. Lyon\n3. Marseille\n4. Toulouse\n5. Nice\n6. Nantes\n",
    "code": "def capital():\n    return {'France': 'P'}['France']\n\nprint(capital())\n",
    "a formula": "7 + 5 = (10 - 3) + 5 = 12, hence x = 12; y = 13; z = 14.",
    "a number": "12",
    "a wrong number": "13",
    "a short word": "Oui",
    "a sign": "?",
    "emphatic": "Nooooo!!! It is not that, is it?",
    "tool markup": '<tool_call>{"name": "lookup", "arguments": {"q": "France"}}</tool_call>',
    "a thinking model in a short loop": "Wait, wait. The user asks for one word. Wait, is it that? "
    "I recall the seine flows there. So I answer with the one word that is asked for.",
    "the simulated one": "You asked: What is the capital of France? One word. This answer comes "
    "from a simulated Spark, so it is fluent rather than true.",
}


@pytest.mark.parametrize("kind", NOISE)
@pytest.mark.parametrize("where", ["content", "reasoning"])
def test_noise_is_gibberish_wherever_it_stands(kind, where):
    found = judge(Spoken(**{where: NOISE[kind]}, whole=True), ("paris",))
    assert found.verdict == "gibberish", found
    assert found.reason


@pytest.mark.parametrize("kind", SENSE)
@pytest.mark.parametrize("where", ["content", "reasoning"])
@pytest.mark.parametrize("whole", [True, False])
def test_what_a_sound_model_says_is_never_gibberish(kind, where, whole):
    found = judge(Spoken(**{where: SENSE[kind]}, whole=whole), ("paris",))
    assert found.verdict != "gibberish", found


@pytest.mark.parametrize(
    ("answer", "expected", "verdict"),
    [
        (Spoken("Paris", whole=True), ("paris",), "well"),
        (Spoken("", "It is Paris, so", whole=False), ("paris",), "well"),
        (Spoken("<think>\n\n</think>\n\nPARIS", whole=True), ("paris",), "well"),
        (Spoken("12", whole=True), ("12", "twelve"), "well"),
        (Spoken("Lyon", whole=True), ("paris",), "unclear"),
        (Spoken("", "", whole=True), ("paris",), "gibberish"),
        (Spoken("<think></think> \n", "", whole=True), ("paris",), "gibberish"),
        (Spoken("", "", whole=False), ("paris",), "unclear"),
        (Spoken("Paris" + " !" * 200, whole=True), ("paris",), "gibberish"),
        (Spoken("!" * 20, "We are asked for one word, so I give it.", whole=True), (), "unclear"),
    ],
)
def test_verdicts(answer, expected, verdict):
    assert judge(answer, expected).verdict == verdict


def test_a_reason_never_repeats_the_answer():
    reason = judge(Spoken("zebrafish " * 30, whole=True)).reason
    assert reason
    assert "zebrafish" not in reason


WELL, EMPTY, UNCLEAR = Finding("well"), Finding("gibberish", "it is empty"), Finding("unclear")
NOISY = Finding("gibberish", "it is noise")


@pytest.mark.parametrize(
    ("findings", "verdict"),
    [
        ([WELL, WELL], "well"),
        ([WELL, UNCLEAR], "well"),
        ([UNCLEAR, UNCLEAR], "unclear"),
        ([WELL, NOISY], "gibberish"),
        ([UNCLEAR, NOISY], "gibberish"),
        ([WELL, EMPTY], "well"),
        ([UNCLEAR, EMPTY], "unclear"),
        ([EMPTY, EMPTY], "gibberish"),
        ([], "unclear"),
    ],
)
def test_several_answers_make_one_finding(findings, verdict):
    assert judge_all(findings).verdict == verdict


@given(st.text(max_size=600), st.text(max_size=600), st.booleans())
def test_any_text_is_judged_without_an_error(content, reasoning, whole):
    found = judge(Spoken(content, reasoning, whole), QUESTIONS[0].expected)
    assert found.verdict in ("well", "gibberish", "unclear")
    assert bool(found.reason) == (found.verdict == "gibberish")


@given(st.characters(exclude_categories=("Z", "C")), st.integers(30, 400))
def test_one_character_over_and_over_is_always_gibberish(character, times):
    found = judge(Spoken(character * times, whole=True), ())
    assert found.verdict == "gibberish"


def test_random_words_of_a_language_are_not_gibberish():
    words = [
        "river",
        "house",
        "green",
        "seven",
        "morning",
        "paper",
        "light",
        "under",
        "table",
        "winter",
        "music",
        "stone",
    ]
    choose = random.Random(7)
    for _ in range(50):
        text = " ".join(choose.choice(words) for _ in range(60))
        assert judge(Spoken(text, whole=True)).verdict == "unclear"
