import errno
import json
import os
import random
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kmi.errors import DataError
from kmi.simulation.ledger import Ledger
from kmi.writers.base import Completion, Cue, WriteRequest


def request(number, text="말씀해 주세요."):
    messages = ({"role": "user", "content": f"{text} {number}"},)
    return WriteRequest(f"s/{number}/0", messages, 100, 0.8, number, Cue("client"))


def completion(number, text="네."):
    return Completion(f"{text} {number}", 10 + number, number, "m")


def filled(folder, numbers, process=0):
    ledger = Ledger(folder, process)
    for number in numbers:
        ledger.put(request(number), completion(number))
    ledger.close()


def answers(folder, numbers, process=0):
    ledger = Ledger(folder, process)
    found = {number: ledger.get(request(number)) for number in numbers}
    ledger.close()
    return found


def test_what_is_put_can_be_got_now_and_later(tmp_path):
    ledger = Ledger(tmp_path)
    for number in range(50):
        assert ledger.get(request(number)) is None
        ledger.put(request(number), completion(number))
        assert ledger.get(request(number)) == completion(number)
    assert len(ledger) == 50
    ledger.close()
    assert answers(tmp_path, range(50)) == {number: completion(number) for number in range(50)}


@pytest.mark.parametrize(
    "text",
    ["", "줄\n바꿈\r\n\u2028\u2029\x85 끝", '"따옴표" \\ {"key": 1}', "😀 가나다", "반쪽 \ud83d 글자 \udc00", "\x00\x1f", "가" * 100_000],
)
def test_any_text_comes_back_as_it_was(tmp_path, text):
    filled(tmp_path, [1])
    ledger = Ledger(tmp_path)
    ledger.put(request(2), Completion(text, 1, 2, "모델"))
    ledger.put(request(3), completion(3))
    ledger.close()
    assert answers(tmp_path, [1, 2, 3]) == {1: completion(1), 2: Completion(text, 1, 2, "모델"), 3: completion(3)}


@given(st.text(alphabet=st.characters(), max_size=40))
@settings(max_examples=150, deadline=None)
def test_any_text_at_all(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("ledger", numbered=True)
    ledger = Ledger(folder)
    ledger.put(request(1, text), Completion(text))
    assert ledger.get(request(1, text)) == Completion(text)
    ledger.close()


def test_settings_and_messages_are_part_of_the_question(tmp_path):
    filled(tmp_path, [1])
    ledger = Ledger(tmp_path)
    asked = request(1)
    for changes in ({"temperature": 0.7}, {"max_tokens": 99}, {"seed": 2}, {"id": "s/1/1"}, {"messages": ({"role": "user", "content": "x"},)}):
        other = WriteRequest(**{**{name: getattr(asked, name) for name in asked.__slots__}, **changes})
        assert ledger.get(other) is None
    assert ledger.get(request(1)) is not None
    ledger.close()


def test_every_cut_of_the_last_line_loses_that_answer_only(tmp_path):
    filled(tmp_path, [1, 2])
    path = tmp_path / "process-00000.jsonl"
    whole = path.read_bytes()
    last = whole.rindex(b"\n", 0, -1) + 1
    for cut in range(last, len(whole)):
        path.write_bytes(whole[:cut])
        ledger = Ledger(tmp_path)
        assert ledger.get(request(1)) == completion(1)
        assert ledger.get(request(2)) is None
        ledger.put(request(2), completion(2))
        ledger.put(request(3), completion(3))
        ledger.close()
        assert answers(tmp_path, [1, 2, 3]) == {number: completion(number) for number in (1, 2, 3)}


def test_a_line_torn_again_and_again(tmp_path):
    """Killed at every start: each torn line is closed and none swallows the next answer."""
    path = tmp_path / "process-00000.jsonl"
    for number in range(6):
        filled(tmp_path, [number])
        with path.open("ab") as file:
            file.write(b'{"key": "abc", "te')
    assert answers(tmp_path, range(6)) == {number: completion(number) for number in range(6)}


def test_a_torn_line_of_another_process_is_skipped(tmp_path):
    filled(tmp_path, [1], process=1)
    with (tmp_path / "process-00001.jsonl").open("ab") as file:
        file.write(b'{"key"')
    filled(tmp_path, [2], process=0)
    assert answers(tmp_path, [1, 2]) == {1: completion(1), 2: completion(2)}


DAMAGE = [
    b"not json\n",
    b"\n",
    b"[]\n",
    b"null\n",
    b'{"key": 5, "text": "a", "prompt_tokens": 1, "output_tokens": 1, "model": ""}\n',
    b'{"key": "a", "text": null, "prompt_tokens": 1, "output_tokens": 1, "model": ""}\n',
    b'{"key": "a", "text": "b"}\n',
    b"\xff\xfe\x00\n",
    b"[" * 100_000 + b"\n",
    b'{"key": ' + b"1" * 5000 + b"}\n",
    b"\x00" * 512 + b"\n",
]


@pytest.mark.parametrize("line", DAMAGE, ids=range(len(DAMAGE)))
def test_damaged_lines_are_skipped_and_lose_nothing_else(tmp_path, line):
    filled(tmp_path, [1])
    path = tmp_path / "process-00000.jsonl"
    path.write_bytes(line + path.read_bytes() + line)
    filled(tmp_path, [2])
    assert answers(tmp_path, [1, 2]) == {1: completion(1), 2: completion(2)}


def test_of_two_answers_to_one_question_the_later_counts(tmp_path):
    ledger = Ledger(tmp_path)
    ledger.put(request(1), completion(1, "처음"))
    ledger.put(request(1), completion(1, "나중"))
    assert len(ledger) == 1
    ledger.close()
    assert answers(tmp_path, [1]) == {1: completion(1, "나중")}


def test_all_processes_files_are_read_and_only_the_own_one_written(tmp_path):
    filled(tmp_path, [1, 2], process=0)
    filled(tmp_path, [3], process=1)
    before = (tmp_path / "process-00000.jsonl").read_bytes()
    ledger = Ledger(tmp_path, 1)
    assert [ledger.get(request(number)) for number in (1, 2, 3)] == [completion(number) for number in (1, 2, 3)]
    ledger.put(request(4), completion(4))
    ledger.close()
    assert (tmp_path / "process-00000.jsonl").read_bytes() == before


def test_each_answer_is_one_line_that_names_its_request(tmp_path):
    filled(tmp_path, range(5))
    lines = (tmp_path / "process-00000.jsonl").read_bytes().splitlines()
    records = [json.loads(line) for line in lines]
    assert [record["id"] for record in records] == [f"s/{number}/0" for number in range(5)]
    assert [record["key"] for record in records] == [request(number).key for number in range(5)]


def test_memory_holds_places_not_answers(tmp_path):
    ledger = Ledger(tmp_path)
    for number in range(300):
        ledger.put(request(number), Completion("가" * 20_000))
    ledger.close()
    assert (tmp_path / "process-00000.jsonl").stat().st_size > 15_000_000
    tracemalloc.start()
    again = Ledger(tmp_path)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 400_000  # 300 answers of 60 kB
    assert again.get(request(299)).text == "가" * 20_000
    again.close()


def test_random_order_of_reads_and_writes(tmp_path):
    rng, ledger, known = random.Random(0), Ledger(tmp_path), {}
    for _ in range(400):
        number = rng.randrange(60)
        if rng.random() < 0.3:
            known[number] = completion(number, "글" * rng.randrange(200))
            ledger.put(request(number), known[number])
        assert ledger.get(request(number)) == known.get(number)
        if rng.random() < 0.05:
            ledger.close()
            ledger = Ledger(tmp_path)
    ledger.close()


def test_a_full_disk_is_said_and_loses_nothing(tmp_path, monkeypatch):
    filled(tmp_path, [1])
    ledger = Ledger(tmp_path)

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(DataError, match="No space left on device.*Free some space"):
            ledger.put(request(2), completion(2))
    assert ledger.get(request(2)) is None
    ledger.close()
    assert answers(tmp_path, [1, 2]) == {1: completion(1), 2: None}


def test_half_a_write_on_a_full_disk_is_said_and_repaired_later(tmp_path, monkeypatch):
    filled(tmp_path, [1])
    ledger, whole = Ledger(tmp_path), os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda file, data: whole(file, data[: len(data) // 2]))
        with pytest.raises(DataError, match="took only"):
            ledger.put(request(2), completion(2))
    assert ledger.get(request(2)) is None
    ledger.close()
    filled(tmp_path, [3])
    assert answers(tmp_path, [1, 2, 3]) == {1: completion(1), 2: None, 3: completion(3)}


def test_going_on_after_half_a_write_keeps_the_places_right(tmp_path, monkeypatch):
    """Space came free while other sessions still ran: their answers must not be read from the torn line."""
    ledger, whole = Ledger(tmp_path), os.write
    ledger.put(request(1), completion(1))
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda file, data: whole(file, data[: len(data) // 2]))
        with pytest.raises(DataError):
            ledger.put(request(2), completion(2))
    ledger.put(request(3), completion(3))
    assert ledger.get(request(3)) == completion(3)
    ledger.close()
    assert answers(tmp_path, [1, 3]) == {1: completion(1), 3: completion(3)}
