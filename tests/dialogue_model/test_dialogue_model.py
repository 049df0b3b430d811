import pytest

from kmi.dialogue_model.model import WINDOW, DialogueModel
from kmi.errors import ConfigError


@pytest.fixture(scope="module")
def model(tiny_model):
    return DialogueModel.from_pretrained(tiny_model)


@pytest.fixture
def prompt(model):
    return model.prompt([("therapist", "오늘 어떠세요?"), ("client", "담배를 끊고 싶어요.")], "therapist", "Affirm")


def test_a_prompt_ends_with_the_opened_turn(model, prompt):
    assert model.tokenizer.decode(prompt) == "<|therapist|>오늘 어떠세요?<|end|><|client|>담배를 끊고 싶어요.<|end|><|therapist|><|affirm|>"
    assert model.tokenizer.decode(model.prompt([], "client", "change", post="글")) == "<|post|>글<|end|><|client|><|change|>"


def test_a_long_talk_loses_its_beginning(model):
    said = [("client", f"{number}번째 이야기예요.") for number in range(200)]
    text = model.tokenizer.decode(model.prompt(said, "therapist", "Affirm"))
    assert text.endswith("199번째 이야기예요.<|end|><|therapist|><|affirm|>") and text.startswith("<|client|>")
    assert len(model.prompt([("client", "길게 " * 2000)], "therapist", "Affirm")) <= WINDOW


def test_the_same_seed_draws_the_same_drafts(tiny_model, prompt):
    model = DialogueModel.from_pretrained(tiny_model)
    model.tokenizer.eos_token = "."  # a model of this size seldom ends a turn; a full stop it finds
    drafts = model.drafts(prompt, 6, seed=1)
    assert drafts == model.drafts(prompt, 6, seed=1) and drafts != model.drafts(prompt, 6, seed=2)
    assert all(text and "<|" not in text for text in drafts)


def test_drafts_that_do_not_end_are_left_out(model, prompt):
    assert model.drafts(prompt, 4, seed=1, max_tokens=1) == []


def test_a_missing_checkpoint_names_the_command(tmp_path):
    with pytest.raises(ConfigError, match=r"train_chatbot\.py"):
        DialogueModel.from_pretrained(tmp_path)
