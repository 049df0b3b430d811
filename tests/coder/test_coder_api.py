import json
import shutil

import numpy as np
import pytest

from kmi.coder import Coder
from kmi.coder.text import COLUMNS, LABELS, pair_of
from kmi.coder.tokenizer import SPECIAL, train_tokenizer
from kmi.dialogue import Dialogue, Utterance
from kmi.errors import ConfigError, DataError

TURNS = [("therapist", "요즘 잠은 어떠세요?"), ("client", "통 못 자요."), ("therapist", "잠이 안 오는 밤이 길었겠어요.")]


@pytest.fixture(scope="module")
def coder(tiny_coder):
    return Coder.from_pretrained(tiny_coder)


def test_turns_get_a_code_of_their_speaker_with_probabilities(coder):
    found = coder.code_turns(TURNS)
    assert [set(turn.probabilities) == set(LABELS[COLUMNS[turn.role]]) for turn in found] == [True] * 3
    for turn in found:
        assert sum(turn.probabilities.values()) == pytest.approx(1) and turn.probabilities[turn.label] == turn.probability


def test_a_batch_says_what_one_by_one_says(coder, turns):
    some = [(turn.role, turn.text, turn.before) for turn in turns[:50]]
    alone = np.concatenate([coder.probabilities([turn]) for turn in some])
    assert np.allclose(coder.probabilities(some), alone, atol=1e-5)


def test_dialogues_keep_the_codes_they_have(coder):
    dialogue = Dialogue("d", "", "", (Utterance("therapist", "네.", label="Advise"), Utterance("client", "음."), Utterance("therapist", "그래요?")))
    (found,) = coder.code_dialogues([dialogue])
    assert found.utterances[0].label == "Advise" and found.utterances[1].talk and found.utterances[2].label


def test_an_ordinary_pipeline_gives_the_same(coder, tiny_coder):
    from transformers import pipeline

    text, before = pair_of("therapist", TURNS[2][1], TURNS[1][1])
    best = pipeline("text-classification", model=str(tiny_coder))({"text": text, "text_pair": before})
    best = best[0] if isinstance(best, list) else best
    ours = coder.probabilities([("therapist", TURNS[2][1], TURNS[1][1])])[0]
    assert best["label"] in LABELS
    if best["label"] in LABELS[COLUMNS["therapist"]]:
        assert LABELS[int(ours.argmax())] == best["label"]


@pytest.mark.parametrize(("turn", "said"), [(("robot", "말", ""), "role is 'robot'; allowed are therapist, client"), (("client", " ", ""), "text is empty")])
def test_bad_turns_are_named(coder, turn, said):
    with pytest.raises(DataError, match=said):
        coder.probabilities([turn])


def test_a_folder_without_a_checkpoint_says_how_to_get_one(tmp_path, tiny_coder):
    with pytest.raises(ConfigError, match=r"found no config.json.*scripts/train_coder.py"):
        Coder.from_pretrained(tmp_path)
    shutil.copytree(tiny_coder, tmp_path / "broken")
    (tmp_path / "broken" / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ConfigError, match="could not load it"):
        Coder.from_pretrained(tmp_path / "broken")


def test_the_tokenizer_keeps_its_marks_whole():
    tokenizer = train_tokenizer(["[T] 요즘 잠은 어떠세요?", "[B] 통 [B] 못 자요."] * 5, 120)
    tokens = tokenizer.tokenize("[T] 잠은 [B] 통")
    assert tokens[0] == "[T]" and "[B]" in tokens
    assert tokenizer.convert_tokens_to_ids(list(SPECIAL)) == list(range(len(SPECIAL)))
    assert json.loads(tokenizer.backend_tokenizer.to_str())["model"]["type"] == "BPE"
