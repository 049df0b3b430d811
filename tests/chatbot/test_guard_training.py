"""The labelled messages, fitting on a few of them, and the arithmetic of the report."""

import json
from dataclasses import replace

import numpy as np
import pytest

from kmi.chatbot import guard_training
from kmi.chatbot.guard_patterns import KINDS
from kmi.chatbot.guard_training import Message, fit, read, save, table
from kmi.errors import DataError


def test_there_are_enough_messages_of_every_kind_and_no_writer_or_text_is_in_two_parts():
    train, validation, test = (read(part) for part in ("train", "validation", "test"))
    assert sum(message.danger for message in train) > 3000 and sum(not message.danger for message in train) > 3000
    assert {message.kind for message in test} == {*KINDS, "none"} == {message.kind for message in train}
    for a, b in ((train, validation), (train, test), (validation, test)):
        assert not {m.writer for m in a} & {m.writer for m in b}
        assert not {m.text for m in a} & {m.text for m in b}


@pytest.mark.parametrize("line", ["suicide\t0\t글", "none\t1\t글", "sadness\t1\t글", "suicide\t1", "none\t0\t "])
def test_a_wrong_line_is_named(line, tmp_path):
    (tmp_path / "train").mkdir()
    (tmp_path / "train/a.tsv").write_text(f"none\t0\t안녕\n{line}\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"a\.tsv, line 2: expected kind, label and text"):
        read("train", tmp_path)


def test_nothing_to_read_says_where(tmp_path):
    with pytest.raises(DataError, match="none"):
        read("train", tmp_path)


@pytest.fixture(scope="module")
def few():
    train = read("train")
    return [message for kind in (*KINDS, "none") for message in [m for m in train if m.kind == kind][:60]]


def test_fitting_learns_and_repeats(few, tmp_path):
    tensors = fit(few, few, ["시장에 다녀왔어요"])
    again = fit(few, few, ["시장에 다녀왔어요"])
    assert all(np.array_equal(tensors[name], again[name]) for name in tensors)
    assert tensors["weights"].dtype == np.float16 and 0 < tensors["threshold"][0] < 1
    save(tensors, tmp_path / "w.safetensors")
    save(again, tmp_path / "v.safetensors")
    assert (tmp_path / "w.safetensors").read_bytes() == (tmp_path / "v.safetensors").read_bytes()


def test_the_threshold_lets_the_wanted_share_of_unheard_writers_through(few):
    hard = [replace(message, writer=f"w{number % 3}") for number, message in enumerate(few[::4])]
    threshold = fit(few[1::4], hard)["threshold"][0]
    reached = []
    for writer in ("w0", "w1", "w2"):
        unheard = guard_training._classifier([*few[1::4], *(m for m in hard if m.writer != writer)])
        reached += [unheard.danger(m.text)[0] for m in hard if m.danger and m.writer == writer]
    # What patterns decide alone counts as reached, so the threshold may stand a little higher than the classifier's own share.
    assert 0.9 < np.mean(np.array(reached) >= threshold) <= 1


def test_report_by_hand(monkeypatch):
    class Sees:
        threshold = 0.5

        def look(self, text):
            return guard_training.Danger("suicide", "words" if "p" in text else "", 0.9) if "!" in text else None

    monkeypatch.setattr(guard_training, "Guard", Sees)
    monkeypatch.setattr(guard_training, "KINDS", ("suicide", "harm"))
    messages = [Message("suicide", "p!", "a"), Message("harm", "b!", "a"), Message("harm", "c", "b"), Message("none", "d", "a"), Message("none", "e!", "b")]
    report = guard_training.measure(messages, ["f", "g!"])
    # 2 of 3 dangers seen, 1 of 2 harmless raised; of the two seen one has the right kind, one of three by a pattern
    assert report["all"] == {"dangerous": 3, "harmless": 2, "recall": 2 / 3, "false_alarms": 0.5}
    assert report["by_writer"]["b"] == {"dangerous": 1, "harmless": 1, "recall": 0.0, "false_alarms": 1.0}
    assert (report["kind_right"], report["patterns_alone"], report["talk_alarms"]) == (0.5, 1 / 3, 0.5)
    assert report["recall_by_kind"] == {"suicide": 1.0, "harm": 0.5} and report["missed"] == ["c"] and report["raised"] == ["e!"]
    assert "| all | 3 | 2 | 0.667 | 0.500 |" in table(json.loads(json.dumps(report)))
