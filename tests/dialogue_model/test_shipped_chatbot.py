"""The checkpoint in model_cards/: it loads in one line, and what its card says of readers and raters is what their files say."""

import json

import pytest
import transformers

from kmi.dialogue_model import reading
from kmi.dialogue_model.reading import load_readings, worst
from kmi.dialogue_model.recipe import recipe_from_yaml
from kmi.metrics import blind


@pytest.fixture(scope="module")
def folder(repository):
    return repository / "model_cards/kmi-chatbot"


def plain(folder, name):
    return json.loads((folder / name).read_text(encoding="utf-8"))


def test_it_answers_korean_messages_under_a_label_and_without_one(folder):
    speak = transformers.pipeline("text-generation", model=str(folder))
    message = {"role": "user", "content": "담배를 끊고 싶은데 자꾸 실패해요."}
    for messages in ([message], [message, {"role": "assistant", "content": "<|simple_reflection|>"}]):
        said = speak(messages)[0]["generated_text"][-1]
        assert said["role"] == "assistant" and any("가" <= letter <= "힣" for letter in said["content"])


def test_the_readers_figures_are_those_of_their_scores(folder):
    scores = load_readings(folder / "readings.csv")
    pairs = [json.loads(line) for line in (folder / "pairs.jsonl").read_text(encoding="utf-8").splitlines()]
    assert plain(folder, "readings.json") == {**reading.summary(scores), "worst": worst(scores, pairs)}
    assert len(pairs) == 60 and {one.reader for one in scores} == {"model-1", "model-2", "model-3"}


def test_the_raters_figures_are_those_of_their_scores(folder):
    rows = blind.read_rows(folder / "ratings.csv")
    found, shipped = blind.report(rows), plain(folder, "ratings.json")
    assert found["sessions"] == shipped["sessions"] == {"chatbot": 60, "written": 60} and found["kind"] == "model" and len(found["raters"]) == 3
    for source in ("all", "chatbot", "written"):
        for item, value in shipped["figures"][source].items():
            if isinstance(value, dict) and "mean" in value:
                again = found["figures"][source][item]
                assert again["mean"]["value"] == pytest.approx(value["mean"]["value"]) and again["alpha"]["value"] == pytest.approx(value["alpha"]["value"])
    rated = {json.loads(line)["id"] for line in (folder / "rated_sessions.jsonl").read_text(encoding="utf-8").splitlines()}
    assert rated == {row.id for row in rows if row.source == "chatbot"}


def test_it_was_trained_by_the_recipe_in_the_repository(folder, repository):
    from dataclasses import asdict

    training = plain(folder, "training.json")
    assert training["recipe"] == asdict(recipe_from_yaml(repository / "scripts/recipes/chatbot.yaml"))
    # On two cores an hour is what a training may take.
    assert training["seconds"] / training["steps_timed"] * training["steps"] < 3600


def test_the_models_together_are_small(repository):
    files = [path for path in (repository / "model_cards").rglob("*") if path.is_file()]
    assert files and sum(path.stat().st_size for path in files) < 120e6
    assert not [path for path in files if path.suffix in {".bin", ".pt", ".pth", ".pkl", ".ckpt"}]
