"""Times generation: against the ideal, against the reference's way, batched on this machine, shared by two processes.

    python scripts/benchmark_generation.py            # some six minutes, half of them the reference's; --json for JSON

A model server of 200 ms a request and 10 ms a token of the answer, in a process of its own, answers from the shipped corpus under the
label or along the plan that the prompt shows. All ways write the same sessions with the same prompts and answers:

    turn, plan   as scripts/generate_dialogues.py does, all sessions at once (concurrency 64)
    reference    its way (Kim et al., 2025) with some of the sessions, of middle length: one request at a time, Korean first, then the
                 English from a translator behind the same server and a sleep of 1.5 s. Its T5 forecasts are left out, in its favour.

The ideal takes what the server takes and no more: as long as the longest session, whose requests follow one another, or as all sessions
shared by as many as run at once, whichever is longer. CPU seconds are the runner's own (forecaster, checks, HTTP client) without the
server's. Tokens are the server's: two characters each.

Not covered: real models' speed, prompt processing time, sessions of danger (the corpus has no safe answers for them at random).
"""

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import zlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from kmi.clients.cases import Case, cases_for_posts
from kmi.clients.contexts import Post
from kmi.clients.danger import speaks_of_danger
from kmi.codes import ABBREVIATIONS
from kmi.corpus.load import shipped_dialogues
from kmi.errors import run_command
from kmi.forecaster import Forecaster
from kmi.simulation.decision import kmi_policy
from kmi.simulation.run_folder import RunFolder
from kmi.simulation.runner import Runner
from kmi.writers.base import Completion, Cue, Writer, WriteRequest
from kmi.writers.dummy_server import DummyServer
from kmi.writers.local import LocalWriter
from kmi.writers.openai_server import OpenAIServerWriter

BOTH, KOREAN, TRANSLATOR = "both-languages", "korean-only", "translator"
SHORT = {label: abbreviation for abbreviation, label in ABBREVIATIONS.items()}
REFERENCE_REQUESTS = 2  # of each turn: the turn and its translation
# Of the local model: sessions at once, requests of each, tokens of an answer (about what a turn has).
BATCH, LOCAL_REQUESTS, LOCAL_TOKENS = 32, 2, 100


@dataclass(frozen=True)
class Times:
    """Seconds that the server takes for a request and a token of its answer, and the translator's sleep."""

    latency: float
    token: float
    sleep: float


TIMES = Times(latency=0.2, token=0.01, sleep=1.5)


class CorpusAnswers:
    """A pure function from a request's payload to words of the shipped corpus, not yet said in the prompt."""

    def __init__(self) -> None:
        self._pools: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for dialogue in shipped_dialogues("train"):
            for turn in dialogue.utterances:
                if not speaks_of_danger(turn.utterance_ko) and "109" not in turn.utterance_ko:
                    code = f"T {SHORT[turn.label]}" if turn.label else f"C {turn.talk}"
                    self._pools[code].append((turn.utterance_ko, turn.utterance_en))
        self._english = dict(pair for pool in self._pools.values() for pair in pool)

    def __call__(self, payload: dict) -> str:
        """A turn, a whole session or, of the translator, the English of a turn."""
        prompt = "\n".join(message["content"] for message in payload["messages"])
        if payload["model"] == TRANSLATOR:
            return self._english[prompt]
        wanted = re.findall(r"형식: ([TC] \S+) \|", prompt)
        return self._line(wanted[-1], prompt, payload["model"]) if wanted else self._session(prompt)

    def _line(self, code: str, said: str, model: str = BOTH) -> str:
        pool = self._pools[code.removesuffix(" !fix").partition("/")[0]]
        # The prompt decides where the search begins, so equal prompts have equal answers.
        start = zlib.crc32(said.encode())
        ko, en = next(pair for pair in (pool[(start + step) % len(pool)] for step in range(len(pool))) if pair[0] not in said)
        return f"{code} | {ko}" if model == KOREAN else f"{code} | {ko} | {en}"

    def _session(self, prompt: str) -> str:
        lines: list[str] = []
        for line in prompt[prompt.rindex('#{"packet"') :].splitlines():
            code = re.match(r"[TC] \S+(?: !fix)?", line)
            lines.append(self._line(code[0], prompt + "\n".join(lines)) if code else line)
        return "\n".join(lines)


class ReferenceWay(OpenAIServerWriter):
    """Asks for Korean, has it translated and sleeps; one request at a time."""

    name = "reference"

    def __init__(self, url: str, sleep_sec: float) -> None:
        super().__init__(url, KOREAN, concurrency=1)
        self._translator, self._sleep_sec = OpenAIServerWriter(url, TRANSLATOR, concurrency=1), sleep_sec

    async def write(self, request: WriteRequest) -> Completion:
        """One turn in both languages, by two requests and a sleep."""
        said = await super().write(request)
        words = said.text.partition("|")[2].strip()
        english = await self._translator.write(replace(request, messages=({"role": "user", "content": words},)))
        await asyncio.sleep(self._sleep_sec)
        tokens = (said.prompt_tokens + english.prompt_tokens, said.output_tokens + english.output_tokens)
        return Completion(f"{said.text} | {english.text}", *tokens, model=said.model)

    async def close(self) -> None:
        """Closes both connections."""
        await self._translator.close()
        await super().close()


def main(argv: Sequence[str] | None = None) -> int:
    """Runs everything one after the other and prints a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=64, help="sessions at once in turn and plan mode (default: 64)")
    parser.add_argument("--reference-sessions", type=int, default=2, help="sessions of the reference's way (default: 2)")
    parser.add_argument("--faster", type=float, default=1.0, help="divides the server's and the translator's times, for a trial (default: 1)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    times = Times(*(seconds / options.faster for seconds in astuple(TIMES)))
    if options.serve:
        return serve(times)
    command = [sys.executable, __file__, "--serve", "--faster", str(options.faster)]
    with tempfile.TemporaryDirectory() as name, subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        url = server.stdout.readline().strip()
        try:
            found = measure(url, Path(name), times, options.sessions, options.reference_sessions)
        finally:
            server.stdin.close()
    print(json.dumps(found, indent=1) if options.json else table(found))
    return 0


def serve(times: Times) -> int:
    """The model server: says where it is and serves until its input ends."""
    with DummyServer(CorpusAnswers(), latency_sec=times.latency, sec_per_token=times.token, models=(BOTH, KOREAN, TRANSLATOR)) as server:
        print(server.url, flush=True)
        sys.stdin.read()
    return 0


def measure(url: str, folder: Path, times: Times, sessions: int, reference_sessions: int) -> dict:
    """All figures; see the module docstring."""
    posts = [Post(f"post-{dialogue.id}", dialogue.context, dialogue.category) for dialogue in shipped_dialogues("train") if dialogue.context]
    cases = [case for case in cases_for_posts(posts, seed=0) if case.arc != "crisis"][:sessions]
    # The first session of a process also loads the forecaster and the morphological analyser.
    generate(cases[:1], OpenAIServerWriter(url, BOTH), "plan", folder / "warm", times)
    ways = {mode: generate(cases, OpenAIServerWriter(url, BOTH, concurrency=sessions), mode, folder / mode, times) for mode in ("turn", "plan")}
    ways["reference"] = generate(of_middle_length(cases, folder / "turn", reference_sessions), ReferenceWay(url, times.sleep), "turn", folder / "reference", times)
    ratio = ways["turn"]["sessions_per_hour"] / ways["reference"]["sessions_per_hour"]
    slept = times.sleep * ways["reference"]["requests"] / REFERENCE_REQUESTS * reference_sessions
    return {
        "ways": ways,
        "turn_to_reference": ratio,
        "turn_to_reference_awake": ratio * (1 - slept / ways["reference"]["seconds"]),
        "local": local(cases, folder / "model"),
        "processes": two_processes(url, cases, folder),
        "cores": os.cpu_count(),
        "load_average": os.getloadavg()[0],
    }


def generate(cases: Sequence[Case], writer: Writer, mode: str, path: Path, times: Times) -> dict[str, float]:
    """One run: seconds, the ideal of them, and what a session took in requests, tokens and CPU."""
    forecaster, folder = Forecaster.from_pretrained(), RunFolder(path, {"mode": mode})
    folder.open()
    start = time.process_time()
    report = Runner(cases, writer, forecaster, kmi_policy, mode, folder).run()
    cpu = time.process_time() - start
    folder.close()
    requests, each = REFERENCE_REQUESTS if writer.name == "reference" else 1, len(cases)
    served: Counter[str] = Counter()
    for answer in answers(path):
        served[answer["id"].partition("/")[0]] += times.latency * requests + times.token * answer["output_tokens"]
    ideal = max(max(served.values()), served.total() / writer.concurrency)
    return {
        "sessions": each,
        "finished": report.finished,
        "seconds": report.seconds,
        "sessions_per_hour": 3600 * each / report.seconds,
        "seconds_to_ideal": report.seconds / ideal,
        "requests": report.asked * requests / each,
        "prompt_tokens": report.prompt_tokens / each,
        "output_tokens": report.output_tokens / each,
        "cpu_seconds": cpu / each,
    }


def of_middle_length(cases: Sequence[Case], path: Path, count: int) -> list[Case]:
    """`count` of the cases, from the middle of them in the order of their requests in the run at `path`."""
    requests = Counter(answer["id"].partition("/")[0] for answer in answers(path))
    start = (len(cases) - count) // 2
    return sorted(cases, key=lambda case: requests[case.id])[start : start + count]


def answers(path: Path) -> list[dict]:
    """The ledger's records of a run."""
    return [json.loads(line) for file in sorted((path / "ledger").glob("*.jsonl")) for line in file.read_text(encoding="utf-8").splitlines()]


def local(cases: Sequence[Case], folder: Path) -> dict[str, float]:
    """Requests a second of the local writer with a tiny random model: one session at a time, and batched over sessions."""
    tiny_model(folder)
    alone, batched = (asyncio.run(requests_per_second(cases, folder, size)) for size in (1, BATCH))
    return {"batch": BATCH, "alone_per_second": alone, "batched_per_second": batched, "ratio": batched / alone}


async def requests_per_second(cases: Sequence[Case], folder: Path, batch: int) -> float:
    """Sessions of a few requests, one after the other; `batch` sessions at a time."""
    writer = LocalWriter(folder, batch_size=batch, device="cpu")

    async def session(number: int) -> None:
        context = cases[number % len(cases)].context
        for turn in range(LOCAL_REQUESTS):
            messages = ({"role": "user", "content": context},)
            await writer.write(WriteRequest(f"s{number}/{turn}/0", messages, LOCAL_TOKENS, 0.8, 1000 * number + turn, Cue("client")))

    await writer.prepare()
    sessions = max(batch, 4)
    await session(0)  # the first batch also sets torch up
    start = time.perf_counter()
    for first in range(0, sessions, batch):
        await asyncio.gather(*(session(number) for number in range(first, first + batch)))
    rate = sessions * LOCAL_REQUESTS / (time.perf_counter() - start)
    await writer.close()
    return rate


def tiny_model(folder: Path) -> None:
    """A chat model of random weights, two layers; its text is noise."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer, bpe.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=2000, special_tokens=["<|end|>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    bpe.train_from_iterator([dialogue.context for dialogue in shipped_dialogues("test")], trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token="<|end|>", chat_template="{% for message in messages %}{{ message.content }}{% endfor %}")
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    size = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 4096}
    LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), eos_token_id=tokenizer.eos_token_id, bos_token_id=None, **size)).save_pretrained(folder)


def two_processes(url: str, cases: Sequence[Case], folder: Path) -> dict:
    """The command under Accelerate with two processes: sessions of each, sessions of both, answers given twice."""
    (posts := folder / "posts.jsonl").write_text("".join(json.dumps({"context": case.context, "category": case.category}) + "\n" for case in cases), encoding="utf-8")
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1"]
    launch += ["--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0", str(Path(__file__).with_name("generate_dialogues.py"))]
    run = ["--contexts", str(posts), "--out", str(folder / "shared"), "--writer", "openai", "--base-url", url, "--model", BOTH, "--mode", "plan"]
    subprocess.run([*launch, *run], env={**os.environ, "ACCELERATE_USE_CPU": "true"}, check=True, capture_output=True)
    shares = [{json.loads(line)["id"] for line in path.open(encoding="utf-8")} for path in (folder / "shared" / "sessions").glob("*.jsonl")]
    keys = [answer["key"] for answer in answers(folder / "shared")]
    return {"shares": [len(share) for share in shares], "in_both": len(set.intersection(*shares)), "answered_twice": len(keys) - len(set(keys))}


def table(found: dict) -> str:
    """The figures as text."""
    columns = (  # name, title, digits after the point
        *(("sessions", "sessions", 0), ("seconds", "seconds", 0), ("seconds_to_ideal", "to ideal", 2), ("sessions_per_hour", "per hour", 0)),
        *(("requests", "requests", 0), ("prompt_tokens", "prompt tok.", 0), ("output_tokens", "output tok.", 0), ("cpu_seconds", "CPU s", 2)),
    )
    batched, shared = found["local"], found["processes"]
    lines = [
        f"{'':10}" + "".join(f"{title:>13}" for _, title, _ in columns),
        *(f"{way:10}" + "".join(f"{row[name]:>13,.{digits}f}" for name, _, digits in columns) for way, row in found["ways"].items()),
        "requests, tokens and CPU seconds are per session",
        f"turn mode: {found['turn_to_reference']:.0f} times the reference's sessions per hour, {found['turn_to_reference_awake']:.0f} times if its translator did not sleep",
        f"local writer, {batched['batch']} sessions at once to one at a time: {batched['ratio']:.1f} times the requests per second",
        f"two processes: {' and '.join(map(str, shared['shares']))} sessions, {shared['in_both']} in both, {shared['answered_twice']} answered twice",
        f"{found['cores']} cores, load average {found['load_average']:.1f}",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    run_command(main)
