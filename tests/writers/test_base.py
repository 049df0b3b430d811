import dataclasses
import re

import pytest

from kmi.errors import ConfigError
from kmi.writers import WRITERS, Cue, WriteRequest, make_writer
from kmi.writers.base import answer_text
from kmi.writers.batch_file import BatchFileWriter

REQUEST = WriteRequest("s1/0/0", ({"role": "user", "content": "안녕"},), 50, 0.7, 3, Cue("client"))


def test_key_is_stable_and_depends_on_everything_that_decides_the_answer():
    # Ledgers outlive versions: this value may only change with a reason to forget all answers.
    assert REQUEST.key == "21e525fdb59bd82bb2e20ba10e86a6346012291284dc82f2f438037960b5fd0f"
    changed = {
        "id": "s1/0/1",
        "messages": ({"role": "system", "content": "안녕"},),
        "max_tokens": 51,
        "temperature": 0.8,
        "seed": 4,
    }
    keys = {REQUEST.key} | {dataclasses.replace(REQUEST, **{name: value}).key for name, value in changed.items()}
    assert len(keys) == 1 + len(changed)
    assert all(re.fullmatch("[0-9a-f]{64}", key) for key in keys)


def test_key_ignores_the_cue_and_takes_any_text():
    assert dataclasses.replace(REQUEST, cue=Cue("therapist", label="Affirm")).key == REQUEST.key
    broken = dataclasses.replace(REQUEST, messages=({"role": "user", "content": "반쪽 \ud83d"},))
    assert broken.key != REQUEST.key


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("  네.\n", "네."),
        ("<think>음,\n뭐라고 할까</think>\n\n네.", "네."),
        ("<think>끝나지 않은 생각", ""),
        ("<think>하나</think>네<think>둘</think>요", "네요"),
        ("'<'로 시작한다고 생각은 아니에요", "'<'로 시작한다고 생각은 아니에요"),
    ],
)
def test_answer_text_drops_thoughts(raw, text):
    assert answer_text(raw) == text


def test_make_writer_builds_each_of_the_five(tmp_path):
    options = {"openai": {"base_url": "http://127.0.0.1:9/v1"}, "local": {"model_path": "x"}, "batch": {"folder": tmp_path}}
    assert set(WRITERS) == {"retrieval", "chatbot", "openai", "local", "batch"}
    for name in WRITERS:
        assert make_writer(name, **options.get(name, {})).name == name
    assert isinstance(make_writer("batch", folder=tmp_path), BatchFileWriter)


def test_make_writer_names_what_can_be_typed():
    with pytest.raises(ConfigError, match=r"retrieval, chatbot, openai, local, batch; got 'gpt'\. Type .*--writer retrieval"):
        make_writer("gpt")
    with pytest.raises(ConfigError, match=r"'batch'.*'url'.*options are folder, model"):
        make_writer("batch", folder="x", url="y")
    with pytest.raises(ConfigError, match=r"'batch'.*'folder'"):
        make_writer("batch")


def test_a_cue_knows_who_said_what():
    cue = Cue("therapist", label="Affirm", talk="change", history=("가", "나", "다"))
    assert cue.said == [("client", "가"), ("therapist", "나"), ("client", "다")] and cue.kind == "Affirm"
    assert Cue("client", talk="change", history=("가",)).said == [("therapist", "가")] and Cue("client", talk="change").kind == "change"
