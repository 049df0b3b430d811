"""Measures every part of KMI beside a named alternative in the same run and writes one table of ratios.

    python scripts/benchmark_all.py                          # some ten minutes; prints Markdown for the README
    python scripts/benchmark_all.py --json out/benchmark.json

Seconds are of this machine and of how busy it was; the ratios travel. An alternative with random weights is as quick as a trained one.
Details: scripts/benchmark_models.py, benchmark_generation.py, benchmark_metrics.py, benchmark_scale.py. Not covered: quality.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import kmi
from kmi.corpus.load import shipped_dialogues
from kmi.dialogue import write_jsonl
from kmi.errors import ConfigError, run_command

SCRIPTS = Path(__file__).parent
MODELS = ["benchmark_models.py"]
GENERATION = ["benchmark_generation.py", "--json"]
REPEATS = 5
DIALOGUES = 200  # of those that are built
TURNS = 32  # coded together
REPLIES = 3
# Sizes of the networks beside KMI's: nothing named, so those of BERT-base and GPT-2.
SIZES: dict[str, int] = {}


@dataclass(frozen=True)
class Row:
    """One line of the table; seconds are of the same work, `ratio` says how many times quicker KMI is."""

    part: str
    work: str
    seconds: float
    alternative: str
    alternative_seconds: float

    @property
    def ratio(self) -> float:
        """Seconds of the alternative to those of KMI."""
        return self.alternative_seconds / self.seconds


def main(argv: Sequence[str] | None = None) -> int:
    """Measures, prints Markdown and writes JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures here")
    options = parser.parse_args(argv)
    rows = [row for part in (loading, building, models, coding, metrics, chat, generation) for row in part()]
    print(markdown(rows, machine()))
    if options.json:
        figures = {"machine": machine(), "rows": [{**asdict(row), "ratio": row.ratio} for row in rows]}
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return 0


def loading() -> Iterator[Row]:
    """The dataset from the cache, and its rows in batches."""
    import pandas

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dialogues.jsonl"
        write_jsonl(shipped_dialogues(), path)
        warm = seconds(lambda: kmi.load_dataset("dialogues"))
        yield Row("loading", '`load_dataset("dialogues")`, warm', warm, "pandas.read_json of the same as JSON lines", seconds(lambda: pandas.read_json(path, lines=True)))
    rows = kmi.load_dataset("utterances", split="train")
    batched = 1000 / len(rows) * seconds(lambda: sum(len(batch["id"]) for batch in rows.iter(batch_size=1000)))
    thousand = rows.select(range(1000))
    yield Row("loading", f"1,000 utterances in a batch ({1000 / batched:,.0f} a second)", batched, "row by row", seconds(lambda: sum(1 for _ in thousand)))


def building() -> Iterator[Row]:
    """The four tables of the dataset as Parquet."""
    import datasets

    from kmi.corpus.build import build_dataset
    from kmi.corpus.tables import ROWS, features

    dialogues = list(islice(shipped_dialogues(), DIALOGUES))
    datasets.disable_progress_bars()

    def plainly(folder: Path) -> None:
        for table, rows in ROWS.items():
            listed = [row for dialogue in dialogues for row in rows(dialogue)]
            datasets.Dataset.from_list(listed, features=features()[table]).to_parquet(folder / f"{table}.parquet")

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours = seconds(lambda: build_dataset(dialogues, folder / "dataset"))
        yield Row("building", f"{len(dialogues)} dialogues checked, four tables and the card written", ours, "datasets.Dataset.from_list, to_parquet: unchecked, no card", seconds(lambda: plainly(folder)))


def models() -> Iterator[Row]:
    """A forecast."""
    found = script(MODELS)
    yield Row("forecasting", "a forecast of the next label", found["forecast_ms"] / 1000, "T5-base, 10 beams, random weights", found["t5_base_ms"] / 1000)


def coding() -> Iterator[Row]:
    """Turns coded together."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    from kmi.coder import Coder

    said = [(turn.role, turn.text) for dialogue in shipped_dialogues("test") for turn in dialogue.utterances][:TURNS]
    coder, bert = Coder.from_pretrained(), BertForSequenceClassification(BertConfig(num_labels=8, **SIZES)).eval()
    ids = torch.randint(5, 30_000, (TURNS, 48))  # about a turn with the one before it

    def classify() -> None:
        with torch.inference_mode():
            bert(ids)

    yield Row("coding", f"{TURNS} turns", seconds(lambda: coder.code_turns(said)), "BERT-base of 48 tokens a turn, random weights", seconds(classify))


def metrics() -> Iterator[Row]:
    """Krippendorff's alpha of the two codings; both must find the same."""
    import krippendorff

    from kmi.codes import THERAPIST_LABELS
    from kmi.metrics import agreement
    from kmi.metrics.scores import NO_INTERVALS

    turns = [turn for dialogue in shipped_dialogues() for turn in dialogue.utterances if turn.label and turn.label_second]
    found = agreement.codings([(turn.label, turn.label_second) for turn in turns], names=THERAPIST_LABELS)

    def theirs() -> float:
        return krippendorff.alpha(reliability_data=found.codes.T.astype(float), level_of_measurement="nominal")

    ours = agreement.alpha(found, NO_INTERVALS)["overall"].value
    if abs(ours - theirs()) > 1e-6:
        raise RuntimeError(f"alpha is {ours} here and {theirs()} there")
    work = f"Krippendorff's alpha of {len(turns):,} turns, overall and of each label"
    yield Row("metrics", work, seconds(lambda: agreement.alpha(found, NO_INTERVALS)), "the package krippendorff, overall only", seconds(theirs))


def chat() -> Iterator[Row]:
    """A reply of the chatbot."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    from kmi.dialogue_model.model import DialogueModel

    model = DialogueModel.from_pretrained()
    prompt = model.prompt([("client", "담배를 끊고 싶은데 자꾸 실패해요.")], "therapist", "Complex Reflection")
    reply = model.drafts(prompt, 1, 0)[0]
    tokens = max(len(model.tokenizer(reply)["input_ids"]), 1)
    gpt2 = GPT2LMHeadModel(GPT2Config(bos_token_id=0, eos_token_id=0, **SIZES)).eval()

    def say() -> None:
        with torch.inference_mode():
            gpt2.generate(torch.tensor([prompt]) % 50_000, min_new_tokens=tokens, max_new_tokens=tokens, do_sample=True, pad_token_id=0)

    yield Row("chat", f"a reply of {tokens} tokens by kmi-chatbot", seconds(lambda: model.drafts(prompt, 1, 0), REPLIES), "GPT-2 (124M), as many tokens, random weights", seconds(say, REPLIES))


def generation() -> Iterator[Row]:
    """A session, by turn mode and by the reference's way."""
    ways = script(GENERATION)["ways"]
    turn, reference = (3600 / ways[way]["sessions_per_hour"] for way in ("turn", "reference"))
    yield Row("generation", f"a session, turn mode, {ways['turn']['sessions']} at once", turn, "the reference's way, one request at a time", reference)


def script(command: Sequence[str]) -> Any:
    """What another benchmark prints, in a process of its own."""
    done = subprocess.run([sys.executable, SCRIPTS / command[0], *command[1:]], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise ConfigError(f"{command[0]} failed with exit code {done.returncode}.", f"Run it alone: python scripts/{' '.join(command)}")
    return json.loads(done.stdout)


def seconds(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """Median seconds of one call, after a first one to warm up."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def machine() -> dict[str, Any]:
    """What the figures are of."""
    cpu = next((line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), platform.processor())
    memory = next((int(line.split()[1]) / 2**20 for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), None)
    return {"cpu": cpu, "cores": os.cpu_count(), "memory_gib": memory, "python": platform.python_version(), "load_average": os.getloadavg()[0], "kmi": kmi.__version__}


def markdown(rows: Sequence[Row], of: dict[str, Any]) -> str:
    """The table and the machine."""
    lines = ["| part | work | KMI | alternative | its time | times quicker |", "|---|---|---:|---|---:|---:|"]
    lines += [f"| {row.part} | {row.work} | {_time(row.seconds)} | {row.alternative} | {_time(row.alternative_seconds)} | {row.ratio:.3g} |" for row in rows]
    memory = f", {of['memory_gib']:.0f} GiB" if of["memory_gib"] else ""
    return "\n".join([*lines, "", f"{of['cpu']}, {of['cores']} cores{memory}, load average {of['load_average']:.1f}; Python {of['python']}, KMI {of['kmi']}."])


def _time(value: float) -> str:
    return f"{value:.3g} s" if value >= 1 else f"{1000 * value:.3g} ms"


def _lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines() if Path(path).is_file() else []


if __name__ == "__main__":
    run_command(main)
