"""Whole runs against a server of which every third answer fails, in one of thirteen ways."""

import json
from collections import Counter

import pytest

from kmi.corpus.dialogue_checks import check_dialogue
from kmi.dialogue import read_jsonl
from kmi.simulation.decision import kmi_policy
from kmi.simulation.run_folder import RunFolder
from kmi.simulation.runner import Runner
from kmi.writers.dummy_server import DummyServer
from kmi.writers.faults import HOSTILE_FAULTS, WORD_FAULTS, Fault, always, seeded
from kmi.writers.openai_server import OpenAIServerWriter

RATE = 0.3
ARCS = ["steady_growth", "crisis", "misattuned_repair", "relapse", "flat", "argument"]
# What the checks call the words that the server spoils; a duplicate is only seen once something was said.
RULES = {"english": "language", "role_leak": "role_leak", "label_leak": "label_leak", "too_long": "length", "duplicate": "repetition"}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """The client's own pauses, shortened; what Retry-After says stays."""
    import openai._base_client as client

    monkeypatch.setattr(client, "INITIAL_RETRY_DELAY", 0.01)
    monkeypatch.setattr(client, "MAX_RETRY_DELAY", 0.02)
    for name in ("KMI_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def run(tmp_path, fixed_forecaster):
    """Runs cases against a server in `tmp_path`; gives the report, the dialogues and the failures."""

    def make(cases, server, mode="turn", concurrency=32):
        folder = RunFolder(tmp_path, {"mode": mode})
        folder.open()
        try:
            writer = OpenAIServerWriter(server.url, concurrency=concurrency, timeout_sec=2)
            report = Runner(cases, writer, fixed_forecaster(), kmi_policy, mode, folder).run()
            folder.merge()
        finally:
            folder.close()
        failures = [json.loads(line) for line in (tmp_path / "failures.jsonl").read_text(encoding="utf-8").splitlines()]
        return report, list(read_jsonl(tmp_path / "dialogues.jsonl")), failures

    return make


def many(make_case, count):
    return [make_case(id=f"post-{n:06d}-{n:08x}", arc=ARCS[n % 6], seed=100 + n) for n in range(count)]


@pytest.mark.parametrize("sessions", [24, pytest.param(200, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])])
@pytest.mark.parametrize("mode", ["turn", "plan"])
def test_every_session_is_complete_or_recorded_with_its_reason(run, make_case, scripted_answers, tmp_path, mode, sessions):
    cases = many(make_case, sessions)
    with DummyServer(lambda payload: scripted_answers(payload["messages"]), faults=seeded(RATE, 1, HOSTILE_FAULTS)) as server:
        report, dialogues, failures = run(cases, server, mode)
        committed = Counter(item.fault.kind for item in server.chats() if item.fault)
        asked = len(server.chats())
        again, same, _ = run(cases, server, mode)
        assert len(server.chats()) - asked == again.asked == 0
    finished, failed = [dialogue.id for dialogue in dialogues], [failure["id"] for failure in failures]
    assert sorted(finished + failed) == [case.id for case in cases]
    assert (report.finished, report.failed, report.waiting, report.unanswered) == (len(finished), len(failed), 0, 0)
    assert finished and [finding for dialogue in dialogues for finding in check_dialogue(dialogue)] == []
    assert all(any(rule in failure["reason"] for rule in RULES.values()) or mode == "plan" for failure in failures)
    assert sum(report.reasons.values()) == len(failed)
    assert same == dialogues
    records = [json.loads(line)["id"] for line in (tmp_path / "sessions" / "process-00000.jsonl").read_text(encoding="utf-8").splitlines()]
    assert max(Counter(records).values()) == 1
    # 0.3 of some hundred requests, give or take four standard deviations.
    assert abs(sum(committed.values()) / asked - RATE) < 4 * (RATE * (1 - RATE) / asked) ** 0.5
    assert set(committed) == {fault.kind for fault in HOSTILE_FAULTS} or mode == "plan" and sessions < 200


@pytest.mark.parametrize("kind", WORD_FAULTS)
def test_wrong_words_are_asked_for_again_by_their_rule(run, make_case, scripted_answers, kind):
    """Each at the third turn, once: the session is finished and the complaint names the rule's message."""

    def once(payload, attempt):
        said = payload["messages"][1]["content"].count("상담자: ") + payload["messages"][1]["content"].count("내담자: ")
        return Fault(kind) if said == 2 and len(payload["messages"]) == 2 else None

    with DummyServer(lambda payload: scripted_answers(payload["messages"]), faults=once) as server:
        report, dialogues, _ = run([make_case()], server)
        spoiled = [item for item in server.chats() if item.fault]
    assert len(spoiled) == 1 and report.asked == dialogues[0].turns + 1


def test_a_server_that_only_ever_says_the_wrong_thing_fails_each_session_once(run, make_case, scripted_answers):
    cases = many(make_case, 4)
    with DummyServer(lambda payload: scripted_answers(payload["messages"]), faults=always(Fault("english"))) as server:
        _, dialogues, failures = run(cases, server)
        assert len(server.chats()) == 3 * len(cases)
    assert dialogues == [] and [failure["id"] for failure in failures] == [case.id for case in cases]
    assert all("language" in failure["reason"] for failure in failures)
