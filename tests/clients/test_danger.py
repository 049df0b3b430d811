import json

import pytest

from kmi.clients.contexts import SAMPLE_POSTS, read_posts
from kmi.clients.danger import WORDS, speaks_of_danger

# Wrong today; each turns red once the word list learns it, and then belongs out of this set.
MISSED: set[str] = set()
FALSE_ALARMS: set[str] = set()


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
