import pytest

from kmi.dialogue_model.format import SAY
from kmi.dialogue_model.model import WINDOW, DialogueModel
from kmi.dialogue_model.skeleton import BLANK
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
    drafts = model.drafts(prompt, [[]] * 6, seed=1)
    assert drafts == model.drafts(prompt, [[]] * 6, seed=1) and drafts != model.drafts(prompt, [[]] * 6, seed=2)
    assert all(text and "<|" not in text for text in drafts)


def test_drafts_on_several_hints_are_those_on_each_alone(tiny_model, prompt, monkeypatch):
    monkeypatch.setattr("kmi.dialogue_model.model.TEMPERATURE", 1e-6)  # the likeliest token each time
    model = DialogueModel.from_pretrained(tiny_model)
    for weights in model.model.parameters():
        weights.data *= 6  # a model that minds what it reads
    generate, drawn = model.model.generate, []

    def remembered(ids, **settings):
        found = generate(ids, **settings)
        drawn.append([[token for token in row if token != model.tokenizer.pad_token_id] for row in found[:, ids.shape[1] :].tolist()])
        return found

    monkeypatch.setattr(model.model, "generate", remembered)
    hints = [[], model.hint(f"{BLANK}를 {BLANK}고 싶으셨네요"), model.hint("네"), model.hint(f"그 {BLANK} 때문에 아주 많이 {BLANK}다는 거네요")]
    for those in (hints, *([hint] for hint in hints)):
        model.drafts(prompt, those, seed=1, max_tokens=8)
    together, *alone = drawn
    assert together == [row for (row,) in alone]
    assert len({tuple(row) for row in together}) > 1  # hints are seen


def test_a_hint_is_bones_between_its_marks(model):
    assert model.tokenizer.convert_ids_to_tokens(model.hint(f"그 {BLANK} {BLANK}"))[-4:] == [model.tokenizer.tokenize("그")[-1], BLANK, BLANK, SAY]
    assert model.tokenizer.decode(model.hint("네"), skip_special_tokens=True) == "네"


def test_drafts_that_do_not_end_are_left_out(model, prompt):
    assert model.drafts(prompt, [[]] * 4, seed=1, max_tokens=1) == []


def test_a_missing_checkpoint_names_the_command(tmp_path):
    with pytest.raises(ConfigError, match=r"train_chatbot\.py"):
        DialogueModel.from_pretrained(tmp_path)
