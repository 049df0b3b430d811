import json

import pytest

from kmi.clients.contexts import SAMPLE_POSTS, read_posts
from kmi.clients.danger import WORDS, speaks_of_danger

# Wrong today; each turns red once the word list learns it, and then belongs out of this set.
MISSED = {
    "남편이 술만 마시면 때려서 맞아 죽을 것 같아요",
    "남자친구가 헤어지면 죽여버린다고 해요",
    "저 그냥 이번 생은 여기서 끝내려고요",
    "자다가 그대로 안 깨어났으면 해요",
    "ㅈㅅ하고 싶다는 말을 친구한테 했어요",
}
FALSE_ALARMS = {
    "뭐든 혼자 해결하는 편이에요",
    "혼자 해외여행을 다녀왔습니다",
    "과목 매일 두 개씩 공부해요",
    "지각 사유서를 세 번 썼어요",
    "마음에 여유 서서히 생기고 있어요",
    "감기약 다 먹었는데도 기침이 나요",
    "학생을 끝까지 책임지는 선생님이었어요",
    "아버지가 작년에 세상을 떠나셨어요",
    "감기 걸려서 그냥 죽만 먹었어요",
    "서울에 살기 싫어서 강릉으로 왔어요",
    "여드름이 빨리 없어졌으면 좋겠어요",
    "옷을 그만 살까 봐요 카드값이 무섭네요",
    "그 일에 목매고 있는 제가 한심해요",
    "글자 해석이 안 되는 난독이 있어요",
    "사다리 올라가서 전구 갈다가 다쳤어요",
    "축구하다 손목을 베개에 부딪혔어요",
    "코인에 투자해서 이천을 잃었어요",
    "명절 음식을 혼자 해야 해서 힘들어요",
    "남자 해병대 나온 선임이 무서워요",
    "의자 살 돈도 없어요",
    "투자 살짝 했다가 망했어요",
    "각자 살길 찾자고 하네요",
    "저녁은 각자 해 먹어요",
    "감자 살 때도 눈치를 봐요",
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
