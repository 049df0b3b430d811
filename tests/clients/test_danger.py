import json

import pytest

from kmi.clients.contexts import SAMPLE_POSTS, read_posts
from kmi.clients.danger import WORDS, speaks_of_danger

# Wrong today; each turns red once the word list learns it, and then belongs out of this set.
MISSED: set[str] = {
    "요새 죽는 생각만 해요",
    "죽고픈 마음이 자꾸 들어요",
    "죽어도 상관없을 것 같아요",
    "나 같은 건 죽는 게 맞아요",
    "아무도 모르게 사라져버렸으면",
    "이 세상에 없었으면 좋겠어요 내가",
    "차에 치여도 괜찮겠다는 생각을 해요",
    "밤마다 베란다 난간을 잡고 서 있어요",
    "끝내고 싶어요 전부 다",
    "삶을 포기하고 싶습니다",
    "살아갈 자신이 없어요",
    "더는 버틸 힘이 없어요 편해지고 싶어요 영원히",
    "칼로 팔을 그었어요",
    "몸에 상처를 내요 화날 때마다",
    "약을 서른 알 먹었어요",
    "남편한테 맞아서 갈비뼈에 금이 갔어요",
    "아빠가 술 먹고 칼을 들었어요",
    "그 사람을 죽이고 싶어요",
    "저승사자가 데려갔으면 좋겠네요",
    "고인이 되고 싶네요",
    "엄마 따라 가고 싶어요 하늘나라로",
    "살자의 반대를 자꾸 생각해요",
    "한강 가려고요",
}
FALSE_ALARMS: set[str] = {
    "자살골 넣은 날 이후로 축구가 싫어요",
    "이 집에서 살기 싫어요 이사 가고 싶어요",
    "시어머니랑은 더 이상 못 살겠어요",
    "통장 정리하고 있다가 알았어요",
    "짐 정리하고 있어요 다음 주 이사라",
    "손목에 피가 안 통하는 느낌이에요 마우스 때문에",
    "없어지고 싶은 습관이 손톱 물어뜯기예요",
    "잘 살고 싶지 않은 사람이 어딨어요",
}


def sentences(data_folder):
    return [json.loads(line) for line in (data_folder / "danger_sentences.jsonl").read_text(encoding="utf-8").splitlines()]


def posts(data_folder, *, crisis):
    records = [json.loads(line) for line in (data_folder / "posts_50.jsonl").read_text(encoding="utf-8").splitlines()]
    return [record["context"] for record in records if record["crisis"] == crisis]


def test_there_are_thirty_sentences_of_each_kind(data_folder):
    kinds = [record["danger"] for record in sentences(data_folder)]
    assert kinds.count(True) >= 30 and kinds.count(False) >= 30
    assert len({record["text"] for record in sentences(data_folder)}) == len(kinds)


def test_every_dangerous_sentence_is_noticed_but_the_known_misses(data_folder):
    missed = {record["text"] for record in sentences(data_folder) if record["danger"] and not speaks_of_danger(record["text"])}
    assert missed == MISSED


def test_no_harmless_sentence_raises_an_alarm_but_the_known_ones(data_folder):
    alarms = {record["text"] for record in sentences(data_folder) if not record["danger"] and speaks_of_danger(record["text"])}
    assert alarms == FALSE_ALARMS


def test_posts_that_speak_of_danger_are_all_noticed(data_folder):
    dangerous = posts(data_folder, crisis=True)
    assert len(dangerous) >= 4
    assert [text for text in dangerous if not speaks_of_danger(text)] == []


def test_other_posts_raise_no_alarm(data_folder):
    harmless = posts(data_folder, crisis=False) + [post.context for post in read_posts(SAMPLE_POSTS)]
    assert len(harmless) > 50
    assert [text for text in harmless if speaks_of_danger(text)] == []


@pytest.mark.parametrize("text", ["죽고싶어요", "죽고 싶어요", "죽고  싶 어 요", "죽고…싶어요", "죽고\n싶어요", "죽고 ㅠㅠ 싶어요"])
def test_spacing_and_sighs_do_not_hide_it(text):
    assert speaks_of_danger(f"요즘 {text} 진짜로")


def test_nothing_said_is_no_danger():
    assert not speaks_of_danger("")
    assert not speaks_of_danger("...")


def test_comments_and_blank_lines_of_the_list_are_no_patterns():
    lines = WORDS.read_text(encoding="utf-8").splitlines()
    comments = [line for line in lines if line.startswith("#")]
    assert comments and not any(speaks_of_danger(comment) for comment in ["# A post", "정규식", comments[0][:10]])
    assert len([line for line in lines if line.strip() and not line.startswith("#")]) >= 30
