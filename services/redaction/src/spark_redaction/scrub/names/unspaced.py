"""Names in scripts that put no space between words: found anywhere, without boundaries."""

import re
from collections.abc import Iterator
from typing import Final

from spark_redaction.scrub.kinds import Kind

UNSPACED: Final = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff]"
)
_TITLES: Final = (
    "先生",
    "女士",
    "小姐",
    "太太",
    "总",
    "總",
    "经理",
    "老师",
    "老師",
    "医生",
    "博士",
    "さん",
    "様",
    "氏",
    "君",
    "くん",
    "ちゃん",
    "씨",
    "님",
)
_HAN: Final = re.compile(r"[\u4e00-\u9fff]{2,4}\Z")
_HANGUL: Final = re.compile(r"[\uac00-\ud7a3]{3}\Z")


def unspaced_forms(kind: Kind, low: str) -> Iterator[tuple[str, bool]]:
    """Strings to look for, and whether each is only a part of the name."""
    words = low.split()
    whole = "".join(words)
    if len(whole) < 2:
        return
    yield low, False
    yield whole, False
    if kind is not Kind.PERSON:
        return
    if len(words) > 1:
        for word in words:
            if len(word) >= 2:
                yield word, True
            elif len(word) == 1:
                yield from ((word + title, True) for title in _TITLES)
        if len(words) == 2:
            yield "".join(reversed(words)), False
    elif _HAN.match(whole) or _HANGUL.match(whole):
        if len(whole) == 3:
            yield whole[1:], True
            yield from ((whole[0] + title, True) for title in _TITLES)
        elif len(whole) == 4:
            yield whole[:2], True
            yield whole[2:], True
        elif len(whole) == 2:
            yield from ((whole[0] + title, True) for title in _TITLES)
