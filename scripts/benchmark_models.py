"""Times the models that stand in a conversation: guard, coder, forecaster, and a T5-base beside the forecaster.

    python scripts/benchmark_models.py

The T5-base is what the reference system forecasts with (10 beams, 3 sequences, 12 new tokens over the last six utterances). It is built
with random weights: they do not change how long it takes, and nothing is downloaded. Figures are of this machine; the ratio travels.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Sequence

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from kmi.chatbot import Guard
from kmi.coder import Coder
from kmi.corpus.load import shipped_dialogues
from kmi.errors import run_command
from kmi.forecaster import Forecaster, turns_of

WINDOW = 6
# A token of T5's vocabulary covers about as many characters of English.
CHARACTERS_PER_TOKEN = 4


def main(argv: Sequence[str] | None = None) -> int:
    """Measures and prints JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--t5-runs", type=int, default=3, help="timed T5 forecasts (default: 3)")
    parser.add_argument("--forecasts", type=int, default=300, help="timed forecasts, and messages (default: 300)")
    options = parser.parse_args(argv)
    dialogues = list(shipped_dialogues("test"))
    windows = [dialogue.utterances[start : start + WINDOW] for dialogue in dialogues for start in range(0, len(dialogue.utterances) - WINDOW, 2)][: options.forecasts]
    messages = [turn.text for dialogue in dialogues for turn in dialogue.utterances if turn.role == "client"][: options.forecasts]

    forecaster, guard, coder = Forecaster.from_pretrained(), Guard(), Coder.from_pretrained()
    forecast = milliseconds(lambda window: forecaster.forecast(turns_of(window)), windows)
    characters = statistics.mean(sum(len(turn.utterance_en) for turn in window) for window in windows)
    t5 = milliseconds(t5_forecast(round(characters / CHARACTERS_PER_TOKEN)), range(options.t5_runs))
    found = {
        "forecast_ms": forecast,
        "t5_base_ms": t5,
        "t5_to_forecaster": t5 / forecast,
        "guard_ms": milliseconds(guard.look, messages),
        "coder_one_turn_ms": milliseconds(lambda text: coder.code_turns([("client", text)]), messages),
        "cores": os.cpu_count(),
    }
    print(json.dumps(found, indent=1))
    return 0


def milliseconds(work: Callable, items: Sequence) -> float:
    """Median time of one call, after a first one to warm up."""
    work(items[0])
    times = []
    for item in items:
        start = time.perf_counter()
        work(item)
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def t5_forecast(tokens: int) -> Callable[[int], object]:
    """One forecast of a T5-base with random weights over an input of so many tokens."""
    import torch
    from transformers import T5Config, T5ForConditionalGeneration

    torch.manual_seed(0)
    # Sizes of t5-base (Raffel et al. 2020).
    config = T5Config(vocab_size=32128, d_model=768, d_kv=64, d_ff=3072, num_layers=12, num_heads=12, decoder_start_token_id=0)
    model = T5ForConditionalGeneration(config).eval()
    ids = torch.randint(2, 32000, (1, tokens))

    def run(_: int) -> object:
        with torch.inference_mode():
            return model.generate(ids, num_beams=10, num_return_sequences=3, max_new_tokens=12, min_new_tokens=12)

    return run


if __name__ == "__main__":
    run_command(main)
