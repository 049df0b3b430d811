import contextlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from kmi.clients.contexts import SAMPLE_POSTS, read_posts
from kmi.codes import QUESTIONS, THERAPIST
from kmi.corpus import korean
from kmi.corpus.dialogue_checks import check_dialogue
from kmi.dialogue import read_jsonl
from kmi.errors import ConfigError, DataError, WriterUnavailable
from kmi.simulation.run_folder import RunFolder
from kmi.writers.dummy_server import DummyServer

SCRIPT = Path(__file__).parents[2] / "scripts" / "generate_dialogues.py"
KEY = "sk-planted-5up3r-s3cr3t"
LIGHT = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1"}


def command(*arguments, **options):
    """Runs the script in a process of its own."""
    environment = {**os.environ, **LIGHT, **options.pop("env", {})}
    return subprocess.run([sys.executable, SCRIPT, *map(str, arguments)], capture_output=True, text=True, encoding="utf-8", env=environment, timeout=110, **options)


@pytest.fixture(scope="module")
def main(load_script):
    """The script's `main` in this process, where torch is loaded once only."""
    module = load_script("generate_dialogues")
    return lambda *arguments: module.main([str(argument) for argument in arguments])


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in ("KMI_API_KEY", "OPENAI_API_KEY", "KMI_BASE_URL", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def retrieval_run(main, tmp_path_factory):
    """The quickstart's run: six sample posts, embedded default. Gives exit code, output and folder."""
    out, shown = tmp_path_factory.mktemp("runs") / "retrieval", io.StringIO()
    with contextlib.redirect_stdout(shown):
        code = main("--contexts", SAMPLE_POSTS, "--out", out)
    return code, shown.getvalue(), out


@pytest.fixture
def server(scripted_answers):
    """A model server that answers as the scripted writer does."""
    with DummyServer(lambda payload: scripted_answers(payload["messages"]), latency_sec=0.02, key=KEY) as running:
        yield running


@pytest.fixture
def three_posts(tmp_path):
    path = tmp_path / "posts.txt"
    posts = [post.context for post in read_posts(SAMPLE_POSTS)[:2]] + ["요즘은 그냥 사라지고 싶다는 생각뿐입니다. 가게도 접었고요."]
    path.write_text("\n".join(posts), encoding="utf-8")
    return path


def dialogues(out):
    return list(read_jsonl(out / "dialogues.jsonl"))


def report(out):
    return json.loads((out / "report.json").read_text(encoding="utf-8"))


# The embedded default.


def test_six_sample_posts_become_six_sessions(retrieval_run):
    code, shown, out = retrieval_run
    assert code == 0
    assert "finished 6, failed 0, waiting 0, unanswered 0 of 6 sessions" in shown
    assert f"dialogues: {out / 'dialogues.jsonl'}" in shown
    posts = read_posts(SAMPLE_POSTS)
    assert [(d.id, d.context, d.category) for d in dialogues(out)] == [(post.id, post.context, post.category) for post in posts]


def test_the_sessions_pass_the_checks_and_say_nothing_twice(retrieval_run):
    for dialogue in dialogues(retrieval_run[2]):
        assert check_dialogue(dialogue) == []
        assert len({turn.utterance_ko for turn in dialogue.utterances}) == dialogue.turns
        assert dialogue.provenance.writer == "retrieval" and dialogue.provenance.forecaster_revision


def test_labels_are_borne_out_by_the_words(retrieval_run):
    for dialogue in dialogues(retrieval_run[2]):
        for turn in dialogue.utterances[::2]:
            asks, invites = korean.asks(turn.utterance_ko), korean.invites(turn.utterance_ko)
            assert (asks or invites) if turn.label in QUESTIONS else (not asks or turn.label == "Advise"), turn


def test_the_report_counts_what_was_done(retrieval_run):
    found, out = report(retrieval_run[2]), retrieval_run[2]
    said = sum(dialogue.turns for dialogue in dialogues(out))
    assert (found["sessions"], found["finished"], found["asked"], found["over"]) == (6, 6, said, {"finished": 6, "failed": 0})


def test_the_same_command_again_asks_nothing_and_changes_nothing(retrieval_run, main, capsys):
    out = retrieval_run[2]
    before = (out / "dialogues.jsonl").read_bytes()
    assert main("--contexts", SAMPLE_POSTS, "--out", out) == 0
    assert "0 requests asked" in capsys.readouterr().out
    assert (out / "dialogues.jsonl").read_bytes() == before


def test_a_run_that_was_refused_or_stopped_lets_go_of_its_folder(main, tmp_path):
    """In a process of its own the end of it does so; `main` is also called from notebooks."""
    folder = RunFolder(tmp_path / "out", {"seed": 99})
    folder.open()
    folder.close()
    with pytest.raises(ConfigError, match="other"):
        main("--contexts", SAMPLE_POSTS, "--out", tmp_path / "out")
    folder.open()


def test_other_posts_are_refused_in_that_folder(retrieval_run, main, three_posts, tmp_path):
    out = Path(shutil.copytree(retrieval_run[2], tmp_path / "copy"))
    before = (out / "dialogues.jsonl").read_bytes()
    with pytest.raises(ConfigError, match="holds a run with other posts: '6 with .*' there, '3 with .*' here. Name another --out"):
        main("--contexts", three_posts, "--out", out)
    assert (out / "dialogues.jsonl").read_bytes() == before


def test_two_accelerate_processes_share_the_sessions_and_give_the_same(retrieval_run, tmp_path):
    out = tmp_path / "two"
    # --multi_gpu is what makes accelerate start several processes, on CPU too.
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1"]
    launch += ["--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0"]
    environment = {**os.environ, **LIGHT, "ACCELERATE_USE_CPU": "true"}
    done = subprocess.run([*launch, SCRIPT, "--contexts", SAMPLE_POSTS, "--out", out], capture_output=True, text=True, env=environment, timeout=110)
    assert done.returncode == 0, done.stderr
    assert "2 process(es)" in done.stdout and done.stdout.count("finished 6, failed 0") == 1
    assert dialogues(out) == dialogues(retrieval_run[2])
    shares = [{json.loads(line)["id"] for line in path.read_text(encoding="utf-8").splitlines()} for path in sorted((out / "sessions").glob("*.jsonl"))]
    assert [len(share) for share in shares] == [3, 3] and not shares[0] & shares[1]


# Without anything to run.


def test_help_says_every_option_and_an_example():
    done = command("--help")
    assert done.returncode == 0 and done.stderr == ""
    for option in ("--contexts", "--out", "--writer", "--mode", "--policy", "--seed", "--model", "--base-url", "--concurrency", "--dry-run", "--price-prompt"):
        assert option in done.stdout
    assert "accelerate launch scripts/generate_dialogues.py" in done.stdout and "KMI_API_KEY" in done.stdout


def spoiled(tmp_path, text, name="p.jsonl"):
    (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path / name


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        (None, (), ["none.jsonl", "found none", "--contexts"]),
        ("", (), ["no post"]),
        ('{"context": "글"}\n{"context" 1}', (), ["line 2", "not valid JSON"]),
        ('{"text": "글"}', (), ["line 1", "context"]),
        ('{"context": "연락처 010-1234-5678"}', (), ["line 1: a phone number", "Remove it"]),
        ('{"context": "글"}', ("--writer", "retreival"), ["'retreival'", "retrieval, chatbot, openai, local, batch"]),
        ('{"context": "글"}', ("--mode", "plan"), ["turn by turn", "--mode turn"]),
        ('{"context": "글"}', ("--writer", "local"), ["--model FOLDER"]),
        ('{"context": "글"}', ("--writer", "openai"), ["URL", "--base-url"]),
        ('{"context": "글"}', ("--writer", "openai", "--base-url", "127.0.0.1:8000"), ["http://HOST:PORT/v1"]),
        ('{"context": "글"}', ("--writer", "openai", "--base-url", "http://127.0.0.1:1/v1", "--concurrency", "0"), ["concurrency", "0"]),
    ],
)
def test_bad_input_is_one_clear_line_and_exit_code_2(tmp_path, text, options, words):
    contexts = spoiled(tmp_path, text) if text is not None else tmp_path / "none.jsonl"
    done = command("--contexts", contexts, "--out", tmp_path / "out", *options)
    assert done.returncode == 2 and done.stdout == ""
    assert re.fullmatch(r"error: .*\n", done.stderr), done.stderr
    assert [word for word in words if word not in done.stderr] == []
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("options", [(), ("--contexts", "x"), ("--contexts", "x", "--out", "y", "--mode", "both"), ("--contexts", "x", "--out", "y", "--policy", "mine"), ("--contexts", "x", "--out", "y", "--seed", "one")])
def test_wrong_options_show_the_usage(options):
    done = command(*options)
    assert done.returncode == 2 and done.stderr.startswith("usage: ") and "Traceback" not in done.stderr


def test_a_dry_run_estimates_asks_nothing_and_writes_nothing(main, capsys, tmp_path, server):
    code = main(
        "--contexts", SAMPLE_POSTS, "--out", tmp_path / "out", "--writer", "openai", "--base-url", server.url, "--dry-run",
        "--price-prompt", "2", "--price-output", "10",
    )  # fmt: skip
    lines = {line.split("  ")[0].strip(): float(re.search(r"\d[\d,.]*", line)[0].replace(",", "")) for line in capsys.readouterr().out.splitlines()}
    assert code == 0 and server.served == [] and not (tmp_path / "out").exists()
    assert lines["sessions"] == 6 and 6 * 17 <= lines["requests"] <= 6 * 33
    assert lines["cost"] == pytest.approx((2 * lines["prompt tokens"] + 10 * lines["output tokens"]) / 1e6, abs=0.01)


def test_an_out_that_is_a_file_is_refused(main, tmp_path):
    (tmp_path / "out").write_text("x")
    with pytest.raises(ConfigError, match="found a file"):
        main("--contexts", SAMPLE_POSTS, "--out", tmp_path / "out")


def test_a_second_run_on_the_same_folder_is_refused(main, tmp_path):
    holder = RunFolder(tmp_path / "out", {})
    holder.open()
    try:
        with pytest.raises(ConfigError, match="Another run is working"):
            main("--contexts", SAMPLE_POSTS, "--out", tmp_path / "out")
    finally:
        holder.close()


# Through a model server.


def ask_server(main, server, posts, out, *options, concurrency=4):
    return main("--contexts", posts, "--out", out, "--writer", "openai", "--base-url", server.url, "--concurrency", concurrency, *options)


def prompts(server):
    return Counter(json.dumps([item.payload["messages"], item.payload["seed"]], ensure_ascii=False) for item in server.chats())


def test_turn_mode_asks_the_server_turn_by_turn_with_the_chosen_label(main, server, three_posts, tmp_path, monkeypatch):
    monkeypatch.setenv("KMI_API_KEY", KEY)
    assert ask_server(main, server, three_posts, tmp_path / "out") == 0
    written = dialogues(tmp_path / "out")
    assert [d.arc == "crisis" for d in written] == [False, False, True]
    assert len(server.chats()) == sum(d.turns for d in written) and max(prompts(server).values()) == 1
    shown = "\n".join(item.payload["messages"][1]["content"] for item in server.chats())
    for dialogue in written:
        for turn in dialogue.utterances[::2]:
            assert f"이번 말의 라벨: {THERAPIST[turn.planned_label].ko} ({turn.planned_label}, " in shown
    assert server.peak() == 3  # three sessions, one request each at a time
    assert any("109" in turn.utterance_ko for turn in written[2].utterances)
    assert {d.provenance.model for d in written} == {"dummy"}


def test_plan_mode_asks_once_per_session(main, server, three_posts, tmp_path, monkeypatch):
    monkeypatch.setenv("KMI_API_KEY", KEY)
    assert ask_server(main, server, three_posts, tmp_path / "out", "--mode", "plan") == 0
    written = dialogues(tmp_path / "out")
    assert len(written) == 3 == len(server.chats())
    assert all(turn.planned_label == turn.label for d in written for turn in d.utterances[::2])
    assert [finding for d in written for finding in check_dialogue(d)] == []


def test_the_key_is_in_the_header_and_nowhere_else(main, server, three_posts, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("KMI_API_KEY", KEY)
    ask_server(main, server, three_posts, tmp_path / "out", "--mode", "plan")
    assert {item.headers["authorization"] for item in server.chats()} == {f"Bearer {KEY}"}
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len(files) >= 7
    assert [path for path in files if KEY.encode() in path.read_bytes()] == []
    shown = capfd.readouterr()
    assert KEY not in shown.out + shown.err


def test_a_wrong_key_stops_the_run_with_nothing_asked(main, server, three_posts, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("KMI_API_KEY", "sk-wrong-42")
    with pytest.raises(WriterUnavailable, match=r"refuses the key in KMI_API_KEY \(HTTP 401\). Set a valid one: export KMI_API_KEY=... The same command goes on where this one stopped") as caught:
        ask_server(main, server, three_posts, tmp_path / "out")
    assert server.chats() == []
    shown = capfd.readouterr()
    assert "sk-wrong-42" not in shown.out + shown.err + str(caught.value)


def test_an_unreachable_server_stops_the_run_and_it_goes_on_later(main, server, three_posts, tmp_path, monkeypatch):
    monkeypatch.setenv("KMI_API_KEY", KEY)
    with pytest.raises(WriterUnavailable, match="No model server answers at http://127.0.0.1:9/v1 .*. Start one, .* or correct --base-url .* The same command goes on where this one stopped"):
        main("--contexts", three_posts, "--out", tmp_path / "out", "--writer", "openai", "--base-url", "http://127.0.0.1:9/v1", "--model", "dummy")
    assert ask_server(main, server, three_posts, tmp_path / "out") == 0
    assert len(dialogues(tmp_path / "out")) == 3


def test_a_model_that_answers_in_english_fails_every_session_with_reasons(main, three_posts, tmp_path, capsys):
    with DummyServer(lambda payload: "I am sorry, but I can only answer in English.") as english:
        assert ask_server(main, english, three_posts, tmp_path / "out") == 1
    shown = capsys.readouterr().out
    assert "finished 0, failed 3" in shown and "failures.jsonl; they are over here, for another try name another --out" in shown
    assert "3 x language (expected Korean, the answers were in another language: name a --model that writes Korean)" in shown
    reasons = [json.loads(line)["reason"] for line in (tmp_path / "out" / "failures.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(reasons) == 3 and all("failed the checks 3 times, last 'I am sorry, but I can only answer in English.'" in reason for reason in reasons)


def test_offline_requests_wait_without_being_a_failure(main, three_posts, tmp_path, capsys):
    assert main("--contexts", three_posts, "--out", tmp_path / "out", "--writer", "batch", "--mode", "plan", "--model", "m") == 0
    assert "waiting 3" in capsys.readouterr().out
    assert dialogues(tmp_path / "out") == []


@pytest.mark.parametrize(("mode", "answers"), [("turn", 30), ("plan", 2)])
def test_a_killed_run_goes_on_asking_nothing_twice_and_gives_the_same(main, scripted_answers, tmp_path, monkeypatch, mode, answers):
    monkeypatch.setenv("KMI_API_KEY", KEY)
    options = ("--contexts", SAMPLE_POSTS, "--writer", "openai", "--concurrency", 3, "--mode", mode)
    with DummyServer(lambda payload: scripted_answers(payload["messages"]), latency_sec=0.03, key=KEY) as server:
        arguments = (*options, "--base-url", server.url)
        assert main(*arguments, "--out", tmp_path / "whole") == 0
        asked_whole = prompts(server)
        server.served.clear()
        killed = subprocess.Popen(
            [sys.executable, SCRIPT, *map(str, arguments), "--out", tmp_path / "killed"],
            env={**os.environ, **LIGHT}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        while len(server.chats()) < answers and killed.poll() is None:
            time.sleep(0.01)
        killed.send_signal(signal.SIGKILL)
        assert killed.wait(timeout=30) == -signal.SIGKILL
        ledger = tmp_path / "killed" / "ledger" / "process-00000.jsonl"
        stored = [json.loads(line)["id"] for line in ledger.read_bytes().split(b"\n")[:-1]]
        before = prompts(server)
        assert main(*arguments, "--out", tmp_path / "killed") == 0
        asked = prompts(server)
    assert dialogues(tmp_path / "killed") == dialogues(tmp_path / "whole")
    assert set(asked) == set(asked_whole)
    # Only what was under way at the kill, unanswered, may be asked again.
    assert len(stored) >= answers - 3
    assert sum(asked.values()) - len(asked) == sum(before.values()) - len(stored) <= 3
    ids = [json.loads(line)["id"] for line in ledger.read_text(encoding="utf-8").splitlines() if line]
    assert max(Counter(ids).values()) == 1


def test_posts_in_plain_text_work_like_jsonl(main, three_posts, tmp_path):
    records = "".join(json.dumps({"context": line}) + "\n" for line in three_posts.read_text(encoding="utf-8").splitlines())
    spoiled(tmp_path, records, "same.jsonl")
    for name in (three_posts.name, "same.jsonl"):
        assert main("--contexts", tmp_path / name, "--out", tmp_path / f"out-{name}") == 0
    assert dialogues(tmp_path / f"out-{three_posts.name}") == dialogues(tmp_path / "out-same.jsonl")


def test_personal_data_stops_before_anything_is_asked(main, server, tmp_path, monkeypatch):
    monkeypatch.setenv("KMI_API_KEY", KEY)
    posts = spoiled(tmp_path, "괜찮은 글입니다.\n메일은 a.b@example.kr입니다.\n", "p.txt")
    with pytest.raises(DataError, match="line 2: an e-mail address"):
        ask_server(main, server, posts, tmp_path / "out")
    assert server.served == [] and not (tmp_path / "out").exists()
