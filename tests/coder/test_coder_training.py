import random
from dataclasses import replace

import numpy as np
import pytest

from kmi.coder.text import BREAK, LABELS, Example
from kmi.coder.tokenizer import train_tokenizer
from kmi.coder.training import Recipe, cut_words, fit, made_turn, teach
from kmi.errors import ConfigError
from kmi.training_state import STATE_FOLDER, TrainingState


def weights(folder):
    return (folder / "model.safetensors").read_bytes()


class Killed(Exception):
    pass


def train(turns, recipe, out, kill_at=None):
    from accelerate import Accelerator

    def on_batch(done, all_):
        if done == kill_at:
            raise Killed

    fit(turns, turns[:60], recipe, out, Accelerator(cpu=True), on_batch)


def test_the_same_seed_gives_the_same_weights(turns, tiny_recipe, tiny_coder, tmp_path):
    train(turns, tiny_recipe, tmp_path)
    assert weights(tmp_path) == weights(tiny_coder)
    assert not (tmp_path / STATE_FOLDER).exists()


def test_killed_and_resumed_ends_like_uninterrupted(turns, tiny_recipe, tiny_coder, tmp_path):
    per_epoch = 2 * len(turns) // tiny_recipe.batch_size
    with pytest.raises(Killed):
        train(turns, tiny_recipe, tmp_path, kill_at=per_epoch + 3)
    assert (tmp_path / STATE_FOLDER / "state.json").is_file()
    train(turns, tiny_recipe, tmp_path)
    assert weights(tmp_path) == weights(tiny_coder)


def test_another_recipe_does_not_go_on_from_the_state(turns, tiny_recipe, tmp_path):
    with pytest.raises(Killed):
        train(turns, tiny_recipe, tmp_path, kill_at=2 * len(turns) // tiny_recipe.batch_size + 1)
    with pytest.raises(ConfigError, match="begun with other settings"):
        train(turns, replace(tiny_recipe, seed=5), tmp_path)


def test_targets_mix_the_code_with_a_teacher_that_has_not_seen_the_dialogue(turns, tiny_recipe):
    targets, _ = teach(turns, str.split, tiny_recipe)
    assert np.allclose(targets.sum(1), 1)
    gold = np.array([turn.label for turn in turns])
    assert (targets[np.arange(len(turns)), gold] >= tiny_recipe.gold_share - 1e-9).all()
    # A teacher that had seen them would be sure of nearly all.
    assert (targets.argmax(1) == gold).mean() <= 1 and (targets.max(1) < 0.95).mean() > 0.3


def test_made_turns_are_shortened_thinned_or_set_elsewhere(tiny_recipe):
    base = Example("client", "하나 둘 셋. 넷 다섯! 여섯?", "앞말", LABELS.index("neutral"))
    other = [replace(base, text="다른 말")]
    rng = random.Random(0)
    made = [made_turn(base, other, tiny_recipe, rng) for _ in range(200)]
    assert {len(turn.text) <= len(base.text) and turn.label == base.label and bool(turn.text) for turn in made} == {True}
    assert "넷 다섯!" in {turn.text for turn in made}
    assert {turn.before for turn in made} == {"앞말", "다른 말"}


def test_cut_words_read_as_before_in_other_tokens(turns):
    tokenizer = train_tokenizer((turn.text for turn in turns), 3000)
    whole, cut = turns[0], cut_words(turns[0], 0.3, random.Random(0))
    assert cut.text.replace(BREAK, "") == whole.text and cut.before.replace(BREAK, "") == whole.before
    tokens, cut_tokens = tokenizer.tokenize(whole.text), tokenizer.tokenize(cut.text)
    assert tokens != cut_tokens and "".join(tokens) == "".join(cut_tokens)
    assert cut_words(whole, 0.0, random.Random(0)) == whole


@pytest.mark.parametrize(("change", "said"), [({"epochs": 0}, "epochs"), ({"gold_share": 2}, "gold_share"), ({"folds": 1}, "2 folds or more")])
def test_recipes_are_checked(tiny_recipe, change, said):
    with pytest.raises(ConfigError, match=said):
        replace(tiny_recipe, **change)


def test_a_recipe_must_be_whole(tmp_path):
    (tmp_path / "r.yaml").write_text("seed: 0\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="expected exactly the fields"):
        Recipe.from_yaml(tmp_path / "r.yaml")


def test_an_absent_state_starts_at_the_beginning(tmp_path):
    assert TrainingState(tmp_path / "none", {}).load(None, None) == 0
