"""Generation runs killed, starved of disk and started twice: they go on, lose nothing and ask nothing twice.

The same folder is killed again and again, each time after a random number of further answers and then a random moment, until
the run is over. What came out is compared with an uninterrupted run against the same server.
"""

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from kmi.clients.contexts import SAMPLE_POSTS
from kmi.dialogue import read_jsonl
from kmi.writers.dummy_server import DummyServer

SCRIPT = Path(__file__).parents[2] / "scripts" / "generate_dialogues.py"
CONCURRENCY = 3
# --multi_gpu is what makes accelerate start several processes, on CPU too.
LAUNCH = [
    *(sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1"),
    *("--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0"),
]
LIGHT = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "HF_HUB_OFFLINE": "1", "ACCELERATE_USE_CPU": "true"}
FULL = [pytest.mark.slow, pytest.mark.timeout(1800)]
# Each start of the command takes seconds, on a busy machine many.
pytestmark = pytest.mark.timeout(400)


@pytest.fixture
def server(scripted_answers):
    with DummyServer(lambda payload: scripted_answers(payload["messages"]), latency_sec=0.05) as running:
        yield running


@pytest.fixture(scope="module")
def whole(load_script, scripted_answers, tmp_path_factory):
    """The dialogues and the prompts of a run that nobody disturbed."""
    out = tmp_path_factory.mktemp("whole") / "out"
    with DummyServer(lambda payload: scripted_answers(payload["messages"])) as server:
        assert load_script("generate_dialogues").main([str(word) for word in arguments(server, out)]) == 0
        return list(read_jsonl(out / "dialogues.jsonl")), set(prompts(server))


def arguments(server, out):
    return ["--contexts", SAMPLE_POSTS, "--out", out, "--writer", "openai", "--base-url", server.url, "--model", "dummy", "--concurrency", CONCURRENCY]


def start(server, out, processes=1, **options):
    """The command in a process group of its own; its error output stays readable."""
    command = [*(LAUNCH if processes == 2 else [sys.executable]), SCRIPT, *arguments(server, out)]
    environment = {name: value for name, value in os.environ.items() if not name.endswith(("_API_KEY", "_BASE_URL"))} | LIGHT
    return subprocess.Popen(
        [str(word) for word in command], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True, **options
    )  # fmt: skip


def prompts(server):
    return Counter(json.dumps([item.payload["messages"], item.payload["seed"]]) for item in server.chats())


def stored(out):
    """How many answers the ledger holds, and that it holds none twice."""
    lines = [line for path in (out / "ledger").glob("*.jsonl") for line in path.read_bytes().split(b"\n")]
    keys = Counter(record["key"] for record in map(whole_record, lines) if record)
    assert not keys or max(keys.values()) == 1
    return len(keys)


def whole_record(line):
    try:
        return json.loads(line)
    except ValueError:  # torn by a kill
        return None


def kill(run, rng):
    """All processes of the run at the same moment, or only one of two; then nothing of it is left."""
    workers = psutil.Process(run.pid).children()
    if workers and rng.random() < 0.5:
        rng.choice(workers).kill()
    else:
        os.killpg(run.pid, signal.SIGKILL)
    shown = run.communicate(timeout=60)[0]
    assert run.returncode != 0, shown


@pytest.mark.parametrize(
    ("processes", "kills", "seed"),
    [(2, 1, 2), pytest.param(1, 2, 1, marks=FULL), *(pytest.param(processes, 5, seed, marks=FULL) for processes in (1, 2) for seed in range(10, 15))],
)
def test_killed_at_random_moments_it_gives_the_same_and_asks_nothing_twice(server, whole, tmp_path, processes, kills, seed):
    rng, out = random.Random(seed), tmp_path / "out"
    answers, killed = len(whole[1]), 0
    for number in range(kills):
        # Somewhere in this kill's share of the answers, then somewhere in the time of two requests.
        goal, moment = (number + rng.random()) * answers / kills, rng.random() * 0.1
        run = start(server, out, processes)
        while stored(out) < goal and run.poll() is None:
            time.sleep(0.01)
        time.sleep(moment)
        if run.poll() is None:
            kill(run, rng)
            killed += 1
        asked, kept = sum(prompts(server).values()), stored(out)
        # Asked but not kept: what was under way at this kill and those before it.
        assert asked - kept <= processes * CONCURRENCY * (number + 1)
    # The last kill may come when all is done.
    assert killed >= max(1, kills - 1)
    lost = asked - kept
    if rng.random() < 0.5:
        tear(out)
        lost += 1
    run = start(server, out, processes)
    shown = run.communicate(timeout=110)[0]
    assert run.returncode == 0, shown
    assert list(read_jsonl(out / "dialogues.jsonl")) == whole[0]
    again = prompts(server)
    assert set(again) == whole[1]
    assert sum(again.values()) - len(again) <= lost
    records = [json.loads(line)["id"] for path in (out / "sessions").glob("*.jsonl") for line in path.read_text(encoding="utf-8").splitlines() if whole_record(line)]
    assert max(Counter(records).values()) == 1 and len(records) == len(whole[0])


def tear(out):
    """Cuts the last answer of a ledger in two."""
    path = max((out / "ledger").glob("*.jsonl"), key=lambda path: path.stat().st_size)
    data = path.read_bytes().rstrip(b"\n")
    path.write_bytes(data[: (data.rfind(b"\n") + 1 + len(data)) // 2])


def test_a_full_disk_is_one_clear_line_and_the_run_goes_on_later(server, whole, tmp_path):
    """No file of the process may grow beyond 20 kB: the ledger's next line is cut, as on a full disk."""
    out = tmp_path / "out"
    run = start(server, out, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)))
    shown = run.communicate(timeout=60)[0]
    assert run.returncode == 2 and "Traceback" not in shown
    assert f"error: {out}" in shown and "of" in shown and "Free some space and run again; what was written so far is kept." in shown
    asked, kept = sum(prompts(server).values()), stored(out)
    assert 0 < kept and asked - kept <= CONCURRENCY
    run = start(server, out)
    assert "finished 6, failed 0" in run.communicate(timeout=60)[0]
    assert list(read_jsonl(out / "dialogues.jsonl")) == whole[0]
    again = prompts(server)
    assert set(again) == whole[1] and sum(again.values()) - len(again) <= asked - kept


def test_of_two_runs_at_once_one_is_refused_and_nothing_is_asked_twice(server, whole, tmp_path):
    first, second = start(server, tmp_path / "out"), start(server, tmp_path / "out", processes=2)
    shown = {run: run.communicate(timeout=110)[0] for run in (first, second)}
    refused = [run for run in shown if "Another run is working in" in shown[run]]
    finished = [run for run in shown if run.returncode == 0]
    assert len(refused) == len(finished) == 1 and refused != finished, shown
    assert list(read_jsonl(tmp_path / "out" / "dialogues.jsonl")) == whole[0]
    assert prompts(server) == Counter(dict.fromkeys(whole[1], 1))
