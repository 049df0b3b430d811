import http.client
import json
import os
import subprocess
import sys
import threading
from urllib.parse import urlsplit

import pytest

from kmi.errors import ConfigError
from kmi.writers.dummy_server import DummyServer, main
from kmi.writers.faults import (
    COMMON_FAULTS,
    FAULT_KINDS,
    WIRE_FAULTS,
    WORD_FAULTS,
    Fault,
    always,
    script,
    seeded,
    spoiled,
)


def ask(server, content="안녕", key="k", path="/v1/chat/completions"):
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=5)
    body = json.dumps({"model": "dummy", "messages": [{"role": "user", "content": content}], "max_tokens": 5})
    connection.request("POST", path, body, {"Authorization": f"Bearer {key}"})
    response = connection.getresponse()
    data = response.read()
    connection.close()
    return response, data


def test_answers_by_the_function_and_logs_what_it_was_asked():
    with DummyServer(lambda payload: "들은 말: " + payload["messages"][0]["content"], latency_sec=0.05) as server:
        response, data = ask(server)
    reply = json.loads(data)
    assert response.status == 200
    assert reply["choices"][0]["message"] == {"role": "assistant", "content": "들은 말: 안녕"}
    assert reply["usage"] == {"prompt_tokens": 1, "completion_tokens": 4, "total_tokens": 5}
    (entry,) = server.chats()
    assert entry.payload["max_tokens"] == 5
    assert entry.headers["authorization"] == "Bearer k"
    assert entry.end - entry.start >= 0.05


def test_peak_counts_overlaps_only():
    with DummyServer(latency_sec=0.1) as server:
        ask(server), ask(server)
        assert server.peak() == 1
        threads = [threading.Thread(target=ask, args=(server,)) for _ in range(5)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert server.peak() == 5
        assert len(server.chats()) == 7


def test_each_fault_shows_on_the_wire():
    faults = {
        "status": Fault("status", 503),
        "rate_limit": Fault("rate_limit", 7),
        "quota": Fault("quota"),
        "redirect": Fault("redirect", "http://127.0.0.1:9/v1"),
        "drop": Fault("drop"),
        "hang": Fault("hang", 0.1),
        "slow": Fault("slow", 0.1),
        "truncate": Fault("truncate"),
        "not_json": Fault("not_json"),
        "empty": Fault("empty"),
    }
    assert set(faults) == set(WIRE_FAULTS)
    with DummyServer(faults=script(*faults.values())) as server:
        assert ask(server)[0].status == 503
        limited = ask(server)[0]
        assert (limited.status, limited.headers["retry-after"]) == (429, "7")
        assert b"insufficient_quota" in ask(server)[1]
        moved = ask(server)[0]
        assert (moved.status, moved.headers["location"]) == (307, "http://127.0.0.1:9/v1")
        for _ in ("drop", "hang"):
            with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
                ask(server)
        assert json.loads(ask(server)[1])["choices"][0]["message"]["content"]
        assert server.chats()[-1].end - server.chats()[-1].start >= 0.1
        with pytest.raises(ValueError):
            json.loads(ask(server)[1])
        assert ask(server)[1].startswith(b"<html>")
        assert json.loads(ask(server)[1])["choices"][0]["message"]["content"] == ""
        assert ask(server)[0].status == 200
        assert [entry.fault for entry in server.chats()] == [*faults.values(), None]


def said(*turns):
    return {"messages": [{"role": "user", "content": "\n".join(("<말>", *turns, "</말>"))}]}


@pytest.mark.parametrize("answer", ["T OQ | 어떠셨어요? | How was it?", "T OQ | 어떠셨어요?", "어떠셨어요?", '#{"packet": "x"}\nCTX 글\nT OQ | 어떠셨어요? | How?\nC change | 네.'])
def test_wrong_words_stand_where_the_words_stood(answer):
    prompt = said("상담자: 처음 말", "내담자: 둘째 말")
    wrong = {kind: spoiled(answer, kind, prompt) for kind in WORD_FAULTS}
    assert wrong["english"].replace("I am sorry, but I can only answer in English.", "어떠셨어요?") == answer
    assert wrong["role_leak"].replace("상담자: ", "") == answer
    assert wrong["label_leak"].replace("[OQ] ", "") == answer
    assert wrong["duplicate"].replace("둘째 말", "어떠셨어요?") == answer
    assert len(wrong["too_long"]) >= 500 and answer in wrong["too_long"].replace(" ".join(["어떠셨어요?"] * (wrong["too_long"].count("어떠셨어요?"))), "어떠셨어요?")
    assert spoiled(answer, "duplicate", said()).replace("어떠셨어요? 어떠셨어요?", "어떠셨어요?") == answer


def test_wrong_words_come_as_good_completions():
    with DummyServer(lambda payload: "T SR | 그러셨군요.", faults=script(*map(Fault, WORD_FAULTS))) as server:
        words = [json.loads(ask(server)[1])["choices"][0]["message"]["content"] for _ in (*WORD_FAULTS, None)]
    assert words == [*(spoiled("T SR | 그러셨군요.", kind, said()) for kind in WORD_FAULTS), "T SR | 그러셨군요."]
    assert {*WIRE_FAULTS, *WORD_FAULTS} == set(FAULT_KINDS)


def test_longer_answers_take_longer():
    with DummyServer(lambda payload: payload["messages"][0]["content"], sec_per_token=0.01) as server:
        ask(server, "네"), ask(server, "네" * 40)
        short, long = (entry.end - entry.start for entry in server.chats())
    assert long - short > 0.15  # 20 tokens


def test_wrong_key_unknown_model_and_unknown_path():
    with DummyServer(key="right") as server:
        wrong, data = ask(server, key="wrong")
        assert wrong.status == 401
        assert b"wrong" in data
        assert ask(server, key="right")[0].status == 200
        assert ask(server, key="right", path="/chat")[0].status == 404
    with DummyServer(models=("other",)) as server:
        assert ask(server)[0].status == 404


def test_seeded_faults_follow_the_request_not_its_arrival():
    payloads = [{"messages": [{"role": "user", "content": str(number)}]} for number in range(300)]
    plan, again = seeded(0.3, seed=1), seeded(0.3, seed=1)
    first = [plan(payload, 0) for payload in payloads]
    assert first[::-1] == [again(payload, 0) for payload in payloads[::-1]]
    # 300 draws at 0.3: mean 90, standard deviation 7.9; 60-120 is nearly four of them.
    assert 60 < sum(fault is not None for fault in first) < 120
    assert {fault.kind for fault in first if fault} == {fault.kind for fault in COMMON_FAULTS}
    assert first != [plan(payload, 1) for payload in payloads]
    assert first != [seeded(0.3, seed=2)(payload, 0) for payload in payloads]


def test_a_repeated_request_counts_as_another_attempt():
    with DummyServer(faults=lambda payload, attempt: Fault("status", 500) if attempt == 0 else None) as server:
        assert [ask(server, "가")[0].status, ask(server, "나")[0].status, ask(server, "가")[0].status] == [500, 500, 200]


def test_always_and_unknown_kinds():
    assert always(Fault("drop"))({}, 99) == Fault("drop")
    with pytest.raises(ConfigError, match="Unknown fault 'flood'; known are status"):
        Fault("flood")


def test_command_serves_until_stopped():
    command = [sys.executable, "-m", "kmi.writers.dummy_server", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ}) as process:
        line = process.stderr.readline()
        assert line.startswith("serving model 'dummy' at http://127.0.0.1:")
        address = urlsplit(line.split()[4].rstrip(",")).netloc
        connection = http.client.HTTPConnection(address, timeout=5)
        connection.request("GET", "/v1/models")
        assert json.loads(connection.getresponse().read())["data"][0]["id"] == "dummy"
        connection.close()
        process.terminate()


def test_command_says_when_the_port_is_taken():
    with DummyServer() as server, pytest.raises(ConfigError, match=r"cannot be used .*--port"):
        main(["--port", str(urlsplit(server.url).port)])
