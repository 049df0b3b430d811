"""Everything measured of a dialogue model, as plain data: what the card is filled from.

Not covered: the measures (`kmi.dialogue_model.evaluation`, `comparison`), what readers said of answers and sessions (`readings.json`, `ratings.json`
beside the checkpoint; `scripts/read_blind.py`).
"""

import json
import random
from collections.abc import Sequence
from pathlib import Path

from kmi.checkpoints import weights_digest
from kmi.coder.api import Coder
from kmi.corpus.load import shipped_dialogues
from kmi.dialogue import Dialogue
from kmi.dialogue_model import choice
from kmi.dialogue_model.comparison import Place, answer, figures, places
from kmi.dialogue_model.evaluation import perplexity_per_character, seconds_of, trigram_perplexity_per_character
from kmi.dialogue_model.model import DialogueModel
from kmi.writers.chatbot import DRAFTS, ChatbotWriter
from kmi.writers.retrieval import RetrievalWriter

SAMPLED = 500
EXAMPLES = 8


def measure(folder: Path, test: Sequence[Dialogue], validation: Sequence[Dialogue]) -> tuple[dict, dict[str, list[str]], list[Place]]:
    """Measures the checkpoint in `folder`: what it says in `test`, its perplexity on `validation` (five dialogues or more).

    Returns:
        the report; the texts of each writer; the places they answer.
    """
    from tqdm import tqdm

    where = places(test)
    # Of single draws a sample is enough; they say how well the label is obeyed before anything is chosen.
    sampled = sorted(random.Random(0).sample(range(len(where)), min(SAMPLED, len(where))))
    coder, turns = Coder.from_pretrained(), choice.training_turns()
    tasks = {
        "retrieval": (RetrievalWriter(), where),
        "chatbot": (ChatbotWriter(folder), where),
        "chatbot, one draft": (ChatbotWriter(folder, drafts=1), [where[i] for i in sampled]),
    }
    texts, seconds = {}, {}
    for name, (writer, its) in tasks.items():
        with tqdm(total=len(its), desc=name, unit=" turns", leave=False) as bar:
            texts[name], seconds[name] = answer(writer, its, lambda bar=bar: bar.update())
    found = {name: {**figures(texts[name], its, coder, turns), "seconds": seconds[name]} for name, (_, its) in tasks.items()}
    written = [place.dialogue.utterances[place.turn].text for place in where]
    found["written"] = {**figures(written, where, coder, turns), "seconds": 0.0}
    beside = {name: json.loads(path.read_text(encoding="utf-8")) for name in ("training", "readings", "ratings") if (path := folder / f"{name}.json").is_file()}
    return {**beside, "weights": weights_digest(folder), "drafts": DRAFTS, "writers": found, **_language_model(folder, validation), "examples": _examples(texts, where, turns)}, texts, where


def _language_model(folder: Path, validation: Sequence[Dialogue]) -> dict:
    model = DialogueModel.from_pretrained(folder)
    place = places(validation)[40]
    prompt = model.prompt([(turn.role, turn.text) for turn in place.dialogue.utterances[: place.turn]], "therapist", place.label)
    first, whole = seconds_of(model.model, prompt, 40)
    return {
        "perplexity_per_character": perplexity_per_character(model.model, model.tokenizer, validation),
        "trigram_perplexity_per_character": trigram_perplexity_per_character(list(shipped_dialogues("train")), model.tokenizer, validation),
        "seconds_to_first_token": first,
        "seconds_for_40_tokens": whole,
    }


def _examples(texts: dict[str, list[str]], where: Sequence[Place], turns) -> list[dict]:
    """Turns drawn without choosing, for the reader of the card to judge."""
    drawn = sorted(random.Random(1).sample(range(len(where)), min(EXAMPLES, len(where))))
    return [
        {"said": where[i].said[-1], "label": where[i].label, "chatbot": texts["chatbot"][i], "retrieval": texts["retrieval"][i], "copied": turns.copied(texts["chatbot"][i])}
        for i in drawn
    ]
