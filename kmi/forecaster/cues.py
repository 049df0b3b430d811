"""Surface cues of one utterance that mean the same in Korean and in English.

Length is counted in English-word equivalents, so that a Korean session needs no
translation and missing or wrong spacing changes nothing: a Hangul syllable counts
1/1.7, the ratio of the 14 exemplar dialogues, which stand in both languages (14,822
syllables, 8,699 English words).

Not covered: what is said (topic, polarity, change talk); that is the coder's task.
"""

import math
import re
from functools import lru_cache
from typing import NamedTuple

HANGUL_SYLLABLES_PER_WORD = 1.7
# Five words or fewer say "go on" or yes and no more often than they tell something.
SHORT_WORDS = 5.0
MINIMAL_WORDS = 2.5

HANGUL = re.compile(r"[가-힣]")
OTHER_WORD = re.compile(r"[^\W가-힣ㄱ-ㅎㅏ-ㅣ_]+(?:['’-][^\W가-힣ㄱ-ㅎㅏ-ㅣ_]+)*")
BRACKETED = re.compile(r"\[[^\]]*\]|\([^)]*\)")
QUESTION_MARK = re.compile(r"[?？]")
TRAILING_OFF = re.compile(r"(?:[-–—~,，]|\.{2,}|…+)[\s\"'”’]*$")
CLOSED = re.compile(r"[.!?。！？…~][\s\"'”’)]*$")


class Cues(NamedTuple):
    """Surface cues of one utterance; flags are 0.0 or 1.0.

    `words` is the length in English-word equivalents (0 or more), `log_words` its
    log(1 + x). `asks` says that it ends in a question mark, `asks_within` that one
    stands anywhere; `trails_off` that it breaks off or ends on a comma, dash or dots,
    `unclosed` that no closing mark ends it.
    """

    words: float
    log_words: float
    short: float
    minimal: float
    asks: float
    asks_within: float
    trails_off: float
    unclosed: float


@lru_cache(maxsize=65536)
def cues_of(text: str) -> Cues:
    """Surface cues of a Korean, English or mixed utterance; brackets such as [laughs] do not count."""
    spoken = BRACKETED.sub(" ", text).strip()
    words = len(HANGUL.findall(spoken)) / HANGUL_SYLLABLES_PER_WORD + len(OTHER_WORD.findall(spoken))
    return Cues(
        words=words,
        log_words=math.log1p(words),
        short=float(words <= SHORT_WORDS),
        minimal=float(words <= MINIMAL_WORDS),
        asks=float(spoken.rstrip("\"'”’ ")[-1:] in ("?", "？")),
        asks_within=float(QUESTION_MARK.search(spoken) is not None),
        trails_off=float(TRAILING_OFF.search(spoken) is not None),
        unclosed=float(CLOSED.search(spoken) is None),
    )


NO_CUES = Cues(*[0.0] * len(Cues._fields))
"""Stands for a turn whose words are unknown."""
