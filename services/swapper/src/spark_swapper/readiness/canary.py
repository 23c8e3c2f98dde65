"""Judges whether an answer makes sense at all: a broken kernel answers, but with gibberish."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from spark_common.runtime_questions import Spoken

Verdict = Literal["well", "gibberish", "unclear"]
"""Unclear is well enough: a small model, another language, a thought that was cut off."""

_MOST_CHARACTERS: Final = 4000
_LEAST_TO_JUDGE: Final = 8
"""Characters below which only emptiness can be told."""
_UNREADABLE_SHARE: Final = 0.2
_WORDLIKE_SHARE: Final = 0.2
_REPEATED_SHARE: Final = 0.6
_SCRIPTS: Final = 4
"""As many scripts side by side are noise; a person who writes mixes two, at most three."""
_SCRIPT_SHARE: Final = 0.05
_MIXED_WORDS_SHARE: Final = 0.3
_ENOUGH_TRIPLES: Final = 40
_FRESH_SHARE: Final = 0.2

_TAGS = re.compile(r"</?think(?:ing)?>|<\|[^|]{1,40}\|>")
_REPEATED = re.compile(r"(.{1,24}?)\1{5,}", re.DOTALL)
_RUNS = re.compile(r"[^\W\d_]+")
_EAST_ASIAN: Final = frozenset({"CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO"})
_OTHER_SCRIPTS: Final = frozenset(
    {"LATIN", "CYRILLIC", "GREEK", "ARABIC", "HEBREW", "DEVANAGARI", "BENGALI", "TAMIL"}
    | {"TELUGU", "KANNADA", "MALAYALAM", "GUJARATI", "GURMUKHI", "THAI", "LAO", "MYANMAR"}
    | {"KHMER", "GEORGIAN", "ARMENIAN", "ETHIOPIC", "TIBETAN", "SINHALA", "MONGOLIAN"}
)
_WRITTEN_TOGETHER: Final = ({"LATIN", "EAST ASIAN"}, {"LATIN", "GREEK"})


@dataclass(frozen=True)
class Finding:
    """What an answer looks like; ``reason`` describes it and never quotes it."""

    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True)
class Question:
    """A question whose right answer everybody knows."""

    text: str
    expected: tuple[str, ...]
    """Any of these in the answer, in small letters, is right."""


QUESTIONS: Final = (
    Question("What is the capital of France? One word.", ("paris",)),
    Question("What is 7 plus 5? Only the number.", ("12", "twelve")),
)


def judge(answer: Spoken, expected: tuple[str, ...] = ()) -> Finding:
    """Say whether one answer is well, gibberish, or cannot be told.

    Being wrong is not gibberish. What was cut off is judged by what came.
    """
    text = _TAGS.sub("", f"{answer.reasoning} {answer.content}").strip()[:_MOST_CHARACTERS]
    if not text:
        return Finding("gibberish", "it is empty") if answer.whole else Finding("unclear")
    if any(right in text.casefold() for right in expected):
        # What is right may still be drowned in noise.
        reason = _noise(text) if len(text) > 10 * _LEAST_TO_JUDGE else None
        return Finding("gibberish", reason) if reason else Finding("well")
    reason = _noise(text) if len(text) >= _LEAST_TO_JUDGE else None
    return Finding("gibberish", reason) if reason else Finding("unclear")


def judge_all(findings: Sequence[Finding]) -> Finding:
    """Return the finding on a model from those on its answers.

    One answer that is noise is enough. An empty one counts only when no answer is well: some
    models have nothing to say to a question and are sound all the same.
    """
    noise = [one for one in findings if one.verdict == "gibberish" and one.reason != "it is empty"]
    if noise:
        return noise[0]
    if any(one.verdict == "well" for one in findings):
        return Finding("well")
    empty = [one for one in findings if one.verdict == "gibberish"]
    if findings and len(empty) == len(findings):
        return empty[0]
    return Finding("unclear")


def _noise(text: str) -> str | None:
    solid = [character for character in text if not character.isspace()]
    if _share(solid, _unreadable) > _UNREADABLE_SHARE:
        return "it consists largely of characters nobody can read"
    if _says_one_thing(text):
        return "it is one piece of text over and over"
    if not any(character.isalnum() for character in solid):
        return "there is not a single letter or digit in it"
    if len(solid) >= 3 * _LEAST_TO_JUDGE and _share(solid, _wordlike) < _WORDLIKE_SHARE:
        return "it is almost nothing but punctuation"
    if _mixes_scripts(text):
        return "letters of many scripts are mixed up in it"
    return None


def _share(characters: Sequence[str], holds: Callable[[str], bool]) -> float:
    return sum(holds(one) for one in characters) / max(1, len(characters))


def _unreadable(character: str) -> bool:
    """Whether it is the mark of a broken encoding, a control character, or none at all."""
    return character == "\ufffd" or unicodedata.category(character) in ("Cc", "Cs", "Co", "Cn")


def _wordlike(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character).startswith("M")


def _says_one_thing(text: str) -> bool:
    flat = " ".join(text.split())
    if any(len(found[0]) >= _REPEATED_SHARE * len(flat) for found in _REPEATED.finditer(flat)):
        return True
    words = flat.split()
    if len(words) < _LEAST_TO_JUDGE:
        return False
    if Counter(words).most_common(1)[0][1] >= _REPEATED_SHARE * len(words):
        return True
    triples = list(zip(words, words[1:], words[2:], strict=False))
    return len(triples) >= _ENOUGH_TRIPLES and len(set(triples)) < _FRESH_SHARE * len(triples)


def _mixes_scripts(text: str) -> bool:
    letters = Counter(script for one in text if (script := _script(one)))
    enough = _SCRIPT_SHARE * letters.total()
    if sum(count >= max(2, enough) for count in letters.values()) >= _SCRIPTS:
        return True
    words = [scripts for run in _RUNS.findall(text) if (scripts := set(map(_script, run)) - {""})]
    mixed = sum(len(scripts) > 1 and scripts not in _WRITTEN_TOGETHER for scripts in words)
    return len(words) >= _SCRIPTS and mixed >= _MIXED_WORDS_SHARE * len(words)


def _script(character: str) -> str:
    """Return the script of a letter; "" for everything else and for signs of mathematics."""
    if not character.isalpha():
        return ""
    script = unicodedata.name(character, "").partition(" ")[0]
    if script in _EAST_ASIAN:
        return "EAST ASIAN"
    return script if script in _OTHER_SCRIPTS else ""
