"""What patterns find, and what is taken out before they look."""

import re
import tomllib

import pytest

from kmi.chatbot.guard_patterns import KINDS, certain, hits, source, with_optional_spaces, without_harmless


@pytest.mark.parametrize(
    "text, kind",
    [
        ("죽고 싶어요", "suicide"),
        ("죽고싶어요", "suicide"),
        ("유서를 썼어요", "suicide"),
        ("번개탄을 샀어요", "suicide"),
        ("칼을 들고 집 앞에서 기다리고 있어요", "harm"),
        ("성폭행을 당했어요", "abuse"),
        ("친구가 죽고 싶다고 해요", "other"),
    ],
)
def test_some_sentences_decide_alone(text, kind):
    assert certain(text)[0] in {kind, "suicide"}


@pytest.mark.parametrize("text", ["배고파 죽겠어요", "웃겨 죽는 줄 알았어요", "전복죽 끓였어요", "자살골 넣었어요", "칼국수 먹고 싶다", "죽고 싶은 건 아니고요", "쪽팔려서 죽고 싶다 ㅋㅋ"])
def test_what_only_sounds_like_danger_never_decides_alone(text):
    assert certain(text) is None


def test_harmless_words_do_not_cover_the_danger_beside_them():
    assert certain("배고파 죽겠어요. 그리고 사실 죽고 싶어요") is not None
    assert "죽겠" not in without_harmless("배고파 죽겠어요")


def test_hits_are_named_by_kind_and_place():
    found = hits("중3인데 손목 그었어요")
    assert all(re.fullmatch(rf"(?:{'|'.join((*KINDS, 'harmless'))})/\d+", name) for name in found)
    assert {name.split("/")[0] for name in found} >= {"suicide", "minor"}


def test_spaces_may_be_missing_but_not_in_character_sets():
    assert re.fullmatch(with_optional_spaces("더는 못 살"), "더는못살")
    assert re.fullmatch(with_optional_spaces("a[ ]b"), "a b") and not re.fullmatch(with_optional_spaces("a[ ]b"), "ab")


def test_every_part_named_in_the_file_is_defined():
    tables = tomllib.loads(source())
    parts = tables.pop("parts")
    patterns = [pattern for table in tables.values() for group in table.values() for pattern in group]
    assert {name for pattern in patterns for name in re.findall(r"\{([a-z_]+)\}", pattern)} == set(parts)
