"""Answers side by side read by a model that does not know whose they are: fluency and relevance, 0 to 6.

The pairs come from `kmi.dialogue_model.comparison.pairs`; whose answer is whose stands in their `key` and is not shown. Which writer wins
here is the default of the library.

Not covered: whole sessions (`kmi.metrics.blind`), what needs no reader (`comparison.figures`).
"""

import asyncio
import csv
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kmi.errors import DataError
from kmi.metrics.judge import ask_all, json_object
from kmi.simulation.ledger import Ledger
from kmi.writers.base import Cue, Writer, WriteRequest

LOWEST, HIGHEST, MAX_TOKENS = 0, 6, 100
FLUENT = 3.5
ASPECTS = {
    "fluency": "한국어로 말이 되고 자연스러운가 (0: 말이 안 된다, 3: 뜻은 통하나 어색하다, 6: 사람이 한 말 같다)",
    "relevance": "바로 앞말에 맞는 대답인가 (0: 상관없다, 3: 주제만 비슷하다, 6: 그 사람의 그 말에 꼭 맞다)",
}
SYSTEM = "당신은 동기강화상담을 잘 아는 한국어 편집자입니다. 같은 자리에 놓인 두 대답을 따로따로 매깁니다. 설명 없이 JSON 객체 하나로만 답합니다."


class Reading(NamedTuple):
    """One reader's scores of one answer."""

    pair: str
    writer: str
    reader: str
    fluency: float
    relevance: float


def read_pairs(pairs: Sequence[dict], writer: Writer, reader: str, ledger: Ledger | None = None) -> list[Reading]:
    """Has `writer` score both answers of every pair.

    Raises:
        DataError: if an answer holds no usable scores after three attempts.
        NotYet: answers are still to come (batch writer).
    """
    found = asyncio.run(ask_all(pairs, partial(_request, reader), partial(_read, reader), writer, ledger))
    return [reading for of_pair in found for reading in of_pair]


def messages_for(pair: dict) -> tuple[dict[str, str], ...]:
    """The request to score a pair: what is asked, what was said, the answers as A and B."""
    aspects = [f"{name}: {what}" for name, what in ASPECTS.items()]
    answers = [f"{letter}: {text}" for letter, text in zip("AB", pair["answers"], strict=True)]
    form = '{"A": {"fluency": 3, "relevance": 3}, "B": {"fluency": 3, "relevance": 3}}'
    text = "\n".join([*aspects, "", "앞말", *pair["said"], "", "상담자의 대답", *answers, "", f"답의 꼴: {form}"])
    return {"role": "system", "content": SYSTEM}, {"role": "user", "content": text}


def summary(readings: Sequence[Reading]) -> dict:
    """Means by writer with 95% intervals from a bootstrap over pairs, and the default writer that follows.

    Returns:
        `readers` and `pairs` (numbers); `means`, by writer {"fluency", "relevance", and each with "_interval"}; `default`: "chatbot" where
        its fluency is 3.5 or more and its relevance not below that of retrieval, else "retrieval".
    """
    writers = sorted({reading.writer for reading in readings})
    places = {pair: n for n, pair in enumerate(dict.fromkeys(reading.pair for reading in readings))}
    drawn = np.random.default_rng(0).integers(len(places), size=(2000, len(places)))
    means: dict[str, dict] = {}
    for writer in writers:
        means[writer] = {}
        for aspect in ASPECTS:
            sums, counts = np.zeros(len(places)), np.zeros(len(places))
            for reading in readings:
                if reading.writer == writer:
                    sums[places[reading.pair]] += getattr(reading, aspect)
                    counts[places[reading.pair]] += 1
            resampled = sums[drawn].sum(1) / np.maximum(counts[drawn].sum(1), 1)
            means[writer] |= {aspect: float(sums.sum() / counts.sum()), f"{aspect}_interval": np.quantile(resampled, [0.025, 0.975]).tolist()}
    wins = means["chatbot"]["fluency"] >= FLUENT and means["chatbot"]["relevance"] >= means["retrieval"]["relevance"]
    default = "chatbot" if wins else "retrieval"
    return {"readers": len({reading.reader for reading in readings}), "pairs": len(places), "means": means, "default": default}


def worst(readings: Sequence[Reading], pairs: Sequence[dict], writer: str = "chatbot", count: int = 6) -> list[dict]:
    """The answers of a writer that readers scored lowest, for its card: `said` last before, `label`, `answer`, mean `fluency`, `relevance`."""
    known = {pair["id"]: pair for pair in pairs}
    scores: dict[str, list[tuple[float, float]]] = {}
    for reading in readings:
        if reading.writer == writer and reading.pair in known:
            scores.setdefault(reading.pair, []).append((reading.fluency, reading.relevance))
    means = {pair: np.mean(given, axis=0) for pair, given in scores.items()}
    rows = []
    for pair in sorted(means, key=lambda name: means[name].sum())[:count]:
        its, (fluency, relevance) = known[pair], means[pair].tolist()
        rows.append({"said": its["said"][-1], "label": its["label"], "answer": its["answers"][its["key"].index(writer)], "fluency": fluency, "relevance": relevance})
    return rows


def write_readings(readings: Sequence[Reading], path: Path) -> None:
    """Writes scores as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([Reading._fields, *readings])


def load_readings(path: Path) -> list[Reading]:
    """Reads what `write_readings` wrote; nothing where there is no file."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [Reading(**{**row, **{aspect: float(row[aspect]) for aspect in ASPECTS}}) for row in csv.DictReader(file)]


def _request(reader: str, pair: dict, attempt: int) -> WriteRequest:
    return WriteRequest(f"{pair['id']}/read-{reader}/{attempt}", messages_for(pair), MAX_TOKENS, 0.0, attempt, Cue("session"))


def _read(reader: str, pair: dict, text: str) -> list[Reading]:
    found, where = json_object(text), f"pair {pair['id']}, reader {reader!r}"
    readings = []
    for letter, writer in zip("AB", pair["key"], strict=True):
        scores = (found or {}).get(letter)
        given = [scores.get(aspect) if isinstance(scores, dict) else None for aspect in ASPECTS]
        if not all(isinstance(score, (int, float)) and not isinstance(score, bool) and LOWEST <= score <= HIGHEST for score in given):
            raise DataError(f"{where}: expected scores of {LOWEST} to {HIGHEST} for {letter}, got {text!r:.80}.")
        readings.append(Reading(pair["id"], writer, reader, *map(float, given)))
    return readings
