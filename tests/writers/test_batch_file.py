import asyncio
import errno
import json
import multiprocessing
import os
import re
from pathlib import Path

import pytest

from kmi.errors import ConfigError, DataError, WriterError, WriterUnavailable
from kmi.writers.base import Completion, Cue, NotYet, WriteRequest
from kmi.writers.batch_file import BatchFileWriter, packet_name


def request(number=0, *, id=None, role="client", text="안녕하세요"):
    messages = ({"role": "system", "content": "상담자 {이름}"}, {"role": "user", "content": f"{text} {number}"})
    return WriteRequest(id or f"s{number}/0/0", messages, 50, 0.7, number, Cue(role))


def ask(folder, *requests, model="m"):
    """One run: what each request gets, None where the answer is still to come."""

    async def run():
        writer = BatchFileWriter(folder, model)
        await writer.prepare()
        answers = []
        for item in requests:
            try:
                answers.append(await writer.write(item))
            except NotYet:
                answers.append(None)
        await writer.close()
        return answers

    return asyncio.run(run())


def lines(folder):
    return [json.loads(line) for line in (folder / "requests.jsonl").read_text(encoding="utf-8").splitlines()]


def output(key, text, *, status=200, error=None, **usage):
    """One line of a batch service's output file."""
    body = {"model": "served", "choices": [{"message": {"role": "assistant", "content": text}}], "usage": usage}
    return json.dumps({"id": "x", "custom_id": key, "response": {"status_code": status, "body": body}, "error": error})


def fill(folder, *output_lines, name="completions.jsonl"):
    (folder / name).write_text("".join(line + "\n" for line in output_lines), encoding="utf-8")


def test_round_trip(tmp_path):
    first, second = request(1), request(2)
    assert ask(tmp_path, first, second, first) == [None, None, None]
    assert lines(tmp_path)[0] == {
        "custom_id": first.key,
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {"model": "m", "messages": list(first.messages), "max_tokens": 50, "temperature": 0.7, "seed": 1},
    }
    assert [line["custom_id"] for line in lines(tmp_path)] == [first.key, second.key]

    fill(tmp_path, output(first.key, " <think>음</think>네. ", prompt_tokens=7, completion_tokens=2))
    third = request(3)
    assert ask(tmp_path, first, second, third) == [Completion("네.", 7, 2, "served"), None, None]
    # What is left to send: the unanswered, once each.
    assert [line["custom_id"] for line in lines(tmp_path)] == [second.key, third.key]


def test_several_files_and_the_simple_form(tmp_path):
    fill(tmp_path, json.dumps({"custom_id": request(1).key, "text": "하나"}), "", name="completions-1.jsonl")
    fill(tmp_path, output(request(2).key, "둘"), name="completions-2.jsonl")
    assert [answer.text for answer in ask(tmp_path, request(1), request(2))] == ["하나", "둘"]
    assert lines(tmp_path) == []


def test_a_changed_prompt_takes_no_stale_answer(tmp_path):
    fill(tmp_path, output(request(1).key, "네."))
    assert ask(tmp_path, request(1, text="다른 말")) == [None]


def test_without_a_model_none_is_named(tmp_path):
    ask(tmp_path, request(), model=None)
    assert "model" not in lines(tmp_path)[0]["body"]
    assert BatchFileWriter(tmp_path).describe() == {"writer": "batch", "model": None}


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (output("KEY", "", status=200), "an empty text"),
        (output("KEY", None, status=400, error={"code": "invalid_prompt", "message": "거절"}), "거절"),
        ('{"custom_id": "KEY", "text": "<think>끝"}', "an empty text"),
        ('{"custom_id": "KEY", "response": null, "error": null}', "null"),
    ],
)
def test_refused_requests_fail_with_the_services_words(tmp_path, line, shown):
    fill(tmp_path, line.replace("KEY", request().key))
    with pytest.raises(WriterError, match=rf"s0/0/0.*completions.jsonl holds no answer but: .*{shown}"):
        ask(tmp_path, request())


@pytest.mark.parametrize("line", [output("KEY", None, status=503), output("KEY", None, error={"code": "batch_expired"})])
def test_passing_faults_of_the_service_stay_among_the_requests(tmp_path, line):
    ask(tmp_path, request())
    fill(tmp_path, line.replace("KEY", request().key))
    assert ask(tmp_path, request()) == [None]
    assert len(lines(tmp_path)) == 1
    fill(tmp_path, output(request().key, "네."), name="completions-again.jsonl")
    assert ask(tmp_path, request())[0].text == "네."


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"custom_id": "a", "te', "completions.jsonl, line 2: not valid JSON"),
        ('["a"]', "line 2: expected an object with custom_id"),
        ('{"custom_id": 5}', "line 2: expected an object with custom_id"),
        ("[" * 100_000, "line 2: not valid JSON"),
    ],
)
def test_damaged_completions_name_file_and_line(tmp_path, line, message):
    fill(tmp_path, output("a", "네."), line)
    with pytest.raises(DataError, match=message):
        ask(tmp_path, request())


def test_a_torn_request_line_is_written_anew(tmp_path, caplog):
    ask(tmp_path, request(1), request(2))
    path = tmp_path / "requests.jsonl"
    path.write_bytes(path.read_bytes()[:-30])
    assert ask(tmp_path, request(1), request(2)) == [None, None]
    assert [line["custom_id"] for line in lines(tmp_path)] == [request(1).key, request(2).key]
    assert "dropped a damaged line" in caplog.text


def test_packets_are_read_and_answered_by_hand(tmp_path):
    plan = request(1, id="세션 1/plan/0", role="session")
    assert ask(tmp_path, plan) == [None]
    (packet,) = (tmp_path / "packets").iterdir()
    assert packet.name == packet_name(plan)
    assert packet.name.startswith("세션_1_plan_0-")
    assert packet.read_text(encoding="utf-8") == "상담자 {이름}\n\n안녕하세요 1\n"
    assert [line["custom_id"] for line in lines(tmp_path)] == [plan.key]

    answer = tmp_path / "answers" / packet.name
    answer.write_text("", encoding="utf-8")
    assert ask(tmp_path, plan) == [None]
    answer.write_text("\ufeff## 한 세션\n상담자: 네.\n", encoding="utf-8")
    assert ask(tmp_path, plan) == [Completion("## 한 세션\n상담자: 네.")]
    assert lines(tmp_path) == []

    answer.write_bytes("네".encode("cp949"))
    with pytest.raises(DataError, match=r"is not UTF-8 text\. Save it as UTF-8"):
        ask(tmp_path, plan)


def test_turns_get_no_packets(tmp_path):
    ask(tmp_path, request(1))
    assert list((tmp_path / "packets").iterdir()) == []


@pytest.mark.parametrize("id", ["../../etc/passwd", "/abs/olute", "..", "a\\..\\b", "a\0b", "c:d", "길" * 300, "", ".hidden"])
def test_packet_names_stay_in_their_folder(tmp_path, id):
    folder = tmp_path / "inside"
    plan = request(1, id=id, role="session")
    assert re.fullmatch(r"[\w-]+\.txt", packet_name(plan))
    ask(folder, plan)
    assert [path.name for path in (folder / "packets").iterdir()] == [packet_name(plan)]
    assert [path.name for path in tmp_path.iterdir()] == ["inside"]


def test_packet_names_differ_where_ids_look_alike():
    assert packet_name(request(1, id="a/b")) != packet_name(request(1, id="a_b"))


def _many(folder, start):
    ask(folder, *(request(n) for n in range(start, start + 50)))


def test_processes_share_the_folder(tmp_path):
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_many, args=(tmp_path, start)) for start in (0, 50, 100)]
    [worker.start() for worker in workers]
    [worker.join() for worker in workers]
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert sorted(line["body"]["seed"] for line in lines(tmp_path)) == list(range(150))


def test_a_folder_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="file cannot be made"):
        ask(tmp_path / "file", request())


def test_a_full_disk_stops_the_run(tmp_path, monkeypatch):
    def full(self, request):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(BatchFileWriter, "_write_packet", full)
    with pytest.raises(WriterUnavailable, match="No space left on device"):
        ask(tmp_path, request(role="session"))


def test_a_full_disk_stops_the_run_before_and_while_requests_are_filed(tmp_path, monkeypatch):
    opening = Path.open

    def full(self, mode="r", **options):
        if mode in ("wb", "ab"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return opening(self, mode, **options)

    async def while_filing():
        writer = BatchFileWriter(tmp_path, "m")
        await writer.prepare()
        monkeypatch.setattr(Path, "open", full)
        await writer.write(request())

    for run in (while_filing, lambda: BatchFileWriter(tmp_path, "m").prepare()):
        with pytest.raises(WriterUnavailable, match="Cannot write to .* .No space left on device.. Make room"):
            asyncio.run(run())


def test_counts_and_codes_of_a_strange_service_do_no_harm(tmp_path):
    asked = request()
    line = json.loads(output(asked.key, "네.", prompt_tokens="7", completion_tokens=True))
    line["response"]["body"]["model"], line["error"] = 5, {"code": ["x"]}
    fill(tmp_path, json.dumps(line))
    assert ask(tmp_path, asked) == [Completion("네.", 0, 0, "5")]


@pytest.mark.parametrize("line", ['{"custom_id": ["x"]}', '{"custom_id": null}', "[" * 5000, '{"custom_id": {"a": 1}}'])
def test_a_request_without_a_name_is_dropped_and_asked_anew(tmp_path, line):
    (tmp_path / "requests.jsonl").write_text(line + "\n")
    assert ask(tmp_path, request()) == [None]
    assert [kept["custom_id"] for kept in lines(tmp_path)] == [request().key]
