"""Korean sentences: speech level, whether a turn asks, share of Hangul.

Built on Kiwi's morphology (kiwipiepy, offline), not on a regex of endings. Quoted speech
is taken out first: what a therapist quotes need not be polite.

Not covered: spelling, grammar, register of the client (any speech level is allowed there).
"""

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from kmi.errors import MissingExtra

QUOTED = re.compile(r"[‘'][^’']*[’']|[“\"][^”\"]*[”\"]|「[^」]*」")
# Final endings of 합쇼체; 해요체 is any ending that closes in 요, and the contraction 죠.
HAPSYO = re.compile(r"(ㅂ|ᆸ|습)니(다|까)$|(ㅂ|ᆸ|읍)시(오|다)$|십시오$|사오니|나이다$")
ASKING = re.compile(r"((ᆯ|을)까요|나요|[ㄴᆫ]가요|은가요|는가요|던가요|ᆸ니까|습니까|ᆯ래요|을래요)$")
# "거절만 하는 일이라니." exclaims, "오늘도 그러시겠지만." is an afterthought, "아픈 데가 없고." goes on: no plain statements.
OPEN_ENDED = re.compile(r"(라|다)니$|지만$|^고$")
# Where a text falls into sentences by its marks alone: quick, without morphology, for Korean and English alike.
SENTENCE_END = re.compile(r"(?<=[.?!…])\s+")
# "Tell me more" is an open question in MITI and MISC though it does not carry a question mark.
INVITATION = re.compile(
    r"((말씀|이야기|얘기|설명)\S* ?(해|하|들려|나눠)|들려|나눠|알려|떠올려|상상해|그려) ?(주|보)\S*( 좋겠\S+)?(요|까|죠|오)[.?!…]*$|궁금(해요|합니다|하네요)[.!…]*$"
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence without its quotations: its text, its last ending and speech level."""

    text: str
    ending: str
    level: str  # "polite", "plain" or "fragment" (no final ending)


@cache
def _kiwi():
    try:
        from kiwipiepy import Kiwi
    except ImportError:
        raise MissingExtra("Checking Korean speech level", "kiwipiepy", "generate") from None
    return Kiwi(num_workers=1)


@lru_cache(maxsize=4096)
def sentences(text: str) -> tuple[Sentence, ...]:
    """Splits a turn into sentences, quotations replaced by a neutral noun."""
    split = _kiwi().split_into_sents(QUOTED.sub("그 말", text), return_tokens=True)
    return tuple(_sentence(part.text, part.tokens) for part in split)


def _sentence(text: str, tokens: list) -> Sentence:
    words = [token for token in tokens if token.tag[0] not in "SW"]
    if not words:
        return Sentence(text, "", "fragment")
    last = words[-1]
    if last.tag == "JX" and last.form in {"요", "이요"}:
        before = words[-2].form if len(words) > 1 and words[-2].tag in {"EF", "EC"} else ""
        return Sentence(text, before + "요", "polite")
    if last.tag == "EC" and last.form == "니" and text.rstrip().endswith("?"):
        return Sentence(text, last.form, "plain")  # Kiwi reads the 니 of "왔니?" as a connective
    if last.tag != "EF":
        return Sentence(text, last.form if last.tag[0] == "E" else "", "fragment")
    if last.form.endswith(("요", "죠")) or HAPSYO.search(last.form):
        return Sentence(text, last.form, "polite")
    # "뒤집긴 어렵다, 그러면서도 ..." reports a thought and goes on after the comma.
    goes_on = text.rstrip().endswith(",") or OPEN_ENDED.search(last.form)
    return Sentence(text, last.form, "fragment" if goes_on else "plain")


def is_polite(text: str) -> bool:
    """True if no sentence ends in a plain form; fragments ("여덟 달.") pass."""
    return all(sentence.level != "plain" for sentence in sentences(text))


def asks(text: str) -> bool:
    """True if a sentence outside quotation marks ends in a question mark or an interrogative ending."""
    return any(s.text.rstrip().endswith(("?", "？")) or ASKING.search(s.ending) for s in sentences(text))


def invites(text: str) -> bool:
    """True if the turn asks the client to tell more without a question mark ("더 들려주세요")."""
    return any(INVITATION.search(sentence.text.strip()) for sentence in sentences(text))


def hangul_share(text: str) -> float:
    """Share of Hangul among letters, 0-1; 1.0 where there is no letter at all."""
    letters = [character for character in text if character.isalpha()]
    return sum("가" <= c <= "힣" or "ㄱ" <= c <= "ㅣ" for c in letters) / len(letters) if letters else 1.0
