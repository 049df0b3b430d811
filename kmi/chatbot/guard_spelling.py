"""What a message says, whatever its spelling: the readings the crisis guard looks at.

People hide the word from filters, from others, from themselves: spaces and dots between syllables, single letters
(ㅈㅏㅅㅏㄹ), look-alikes (ㅈr살), Latin syllables (ja살), full-width and invisible characters. Each way of hiding is
undone here once, so that patterns and classifier are written for plain Korean.

Not covered: what is dangerous (`guard_patterns.toml`); initials such as ㅈㅅ, which are words of their own and stand there.
"""

import re
import unicodedata
from collections.abc import Iterator

INVISIBLE = re.compile(r"[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0]")
# Between two Hangul letters without a space these only hide; a full stop or comma also ends sentences, but then a space follows.
HIDING = re.compile(r"(?<=[가-힣ㄱ-ㅣ])[.,·ㆍ・_*~/|+^=:;'\"`-]+(?=[가-힣ㄱ-ㅣ])")
# Three single syllables or more in a row, or a word's two: "죽 고 싶 다", not the ordinary "그 뒤".
# The same with spaces around it, between single syllables: "자 .. 살 ..".
HIDING_SPACED = re.compile(r"(?<![가-힣])([가-힣]) ?[.,·ㆍ・_*~/|+^=:;'\"`@#!-]+ ?(?=[가-힣](?![가-힣]))")
SPACED_OUT = re.compile(r"(?<![가-힣])(?:[가-힣] ){2,}[가-힣](?![가-힣])")
# A syllable typed with a trembling hand: "죽ㄱ ㅗ". Not behind laughter: "ㅋㅋ ㅠ".
TORN = re.compile(r"(?<=[ㄱ-ㅊㅌㅍ]) (?=[ㅏ-ㅣ](?![ㅏ-ㅣ]))")
LOOK_ALIKES = {"r": "ㅏ", "l": "ㅣ", "i": "ㅣ", "1": "ㅣ", "h": "ㅐ", "t": "ㅏ"}
LEADS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
TAILS = ["", *"ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"]
LETTERS = frozenset(LEADS + VOWELS + "".join(TAILS))
# What may slip under an open syllable before it (사ㄹ); not ㅋ, ㅎ and ㄲ, which are laughter and noise there.
UNDER = frozenset("ㄱㄴㄷㄹㅁㅂㅅㅆㅇㅈㅊㅌㅍ")
FIRST, LAST, PER_LEAD, PER_VOWEL = ord("가"), ord("힣"), 21 * 28, 28
# Latin spellings of the few syllables the patterns start with; anything longer is left to them.
SYLLABLES = {"ja": "자", "sal": "살", "juk": "죽", "jug": "죽", "go": "고", "sip": "싶", "hae": "해", "da": "다", "ssal": "쌀"}
MIXED = re.compile(r"(?<=[가-힣])(?:ja|sal|juk|jug|go|sip|hae|da)(?![a-z])|(?<![a-z])(?:ja|sal|juk|jug|go|sip|hae)(?=[가-힣])")


def plain(text: str) -> str:
    """One reading with compatible characters folded, invisible ones gone and one space between words; lower case."""
    visible = INVISIBLE.sub("", unicodedata.normalize("NFC", text))
    folded = "".join(character if character in LETTERS else _keyboard(unicodedata.normalize("NFKC", character)) for character in visible)
    return re.sub(r"\s+", " ", folded).strip().lower()


def readings(text: str) -> list[str]:
    """All readings of a message, plainest first, none twice."""
    first = plain(text)
    found = [first]
    undone = _composed(TORN.sub("", _look_alikes(first)))
    shown = HIDING.sub("", HIDING_SPACED.sub(r"\1", undone))
    for reading in (undone, shown, SPACED_OUT.sub(lambda run: run.group().replace(" ", ""), shown)):
        reading = MIXED.sub(lambda match: SYLLABLES[match.group()], reading)
        if reading not in found:
            found.append(reading)
    return found


def _keyboard(character: str) -> str:
    """NFKC turns half-width letters (ﾱ) into those of old printing (ᄌ): here they become those of a keyboard (ㅈ)."""
    if len(character) != 1:
        return character
    code = ord(character)
    if 0x1100 <= code <= 0x1112:
        return LEADS[code - 0x1100]
    if 0x1161 <= code <= 0x1175:
        return VOWELS[code - 0x1161]
    if 0x11A8 <= code <= 0x11C2:
        return TAILS[code - 0x11A7]
    return character


def _look_alikes(text: str) -> str:
    """ㅈr, ㅅl: a Latin letter or digit right after a lone consonant is its vowel."""
    return re.sub(rf"(?<=[{LEADS}])[{''.join(LOOK_ALIKES)}]", lambda match: LOOK_ALIKES[match.group()], text)


def _composed(text: str) -> str:
    """Single letters put together to syllables: ㅈㅏㅅㅏㄹ, 죽ㄱㅗ, 자사ㄹ."""
    return "".join(_syllables(text))


def _syllables(text: str) -> Iterator[str]:
    place = 0
    while place < len(text):
        lead, vowel = text[place], text[place + 1 : place + 2]
        if lead in LEADS and vowel and vowel in VOWELS:
            tail, step = "", 2
            third, fourth = text[place + 2 : place + 3], text[place + 3 : place + 4]
            if third and third in TAILS and not (fourth and fourth in VOWELS):
                tail, step = third, 3
            yield chr(FIRST + LEADS.index(lead) * PER_LEAD + VOWELS.index(vowel) * PER_VOWEL + TAILS.index(tail))
            place += step
        elif _open(lead) and vowel in UNDER and text[place + 2 : place + 3] not in LETTERS:
            yield chr(ord(lead) + TAILS.index(vowel))
            place += 2
        else:
            yield lead
            place += 1


def _open(character: str) -> bool:
    return FIRST <= ord(character) <= LAST and (ord(character) - FIRST) % PER_VOWEL == 0
