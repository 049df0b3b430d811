import json
from dataclasses import replace

import pytest
import transformers

from kmi.dialogue_model import training
from kmi.dialogue_model.format import session_messages
from kmi.dialogue_model.recipe import LoraRecipe, ScratchRecipe, recipe_from_yaml
from kmi.dialogue_model.tokenizer import train_tokenizer
from kmi.dialogue_model.training import UNLEARNED, fit, training_rows
from kmi.errors import ConfigError
from kmi.training_state import STATE_FOLDER


def weights(folder):
    return (folder / "model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def tokenizer(sessions):
    return train_tokenizer((turn.text for dialogue in sessions for turn in dialogue.utterances), 900, 1536)


def test_a_checkpoint_is_whole_safe_and_loads_in_one_line(tiny_model):
    files = {path.name for path in tiny_model.iterdir()}
    assert {"config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja"} <= files
    assert not [name for name in files if name.endswith((".bin", ".pt", ".pth", ".pkl"))] and STATE_FOLDER not in files
    speak = transformers.pipeline("text-generation", model=str(tiny_model))
    (answer,) = speak([{"role": "user", "content": "담배를 끊고 싶어요."}], max_new_tokens=5)
    assert answer["generated_text"][-1]["role"] == "assistant"


def test_the_same_seed_gives_the_same_weights(sessions, tiny_recipe, tiny_model, tmp_path):
    fit(sessions, tiny_recipe, tmp_path)
    assert weights(tmp_path) == weights(tiny_model)


def test_killed_and_resumed_ends_like_uninterrupted(sessions, tiny_recipe, tiny_model, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "KEEP_EVERY", 2)

    class Killed(Exception):
        pass

    class Killer(transformers.TrainerCallback):
        def on_step_end(self, args, state, control, **rest):
            if state.global_step == 3:
                raise Killed

    make = training._trainer

    def dying(*arguments):
        trainer = make(*arguments)
        trainer.add_callback(Killer())
        return trainer

    monkeypatch.setattr(training, "_trainer", dying)
    with pytest.raises(Killed):
        fit(sessions, tiny_recipe, tmp_path)
    assert (tmp_path / STATE_FOLDER / "checkpoint-2").is_dir() and not (tmp_path / "model.safetensors").exists()
    (tmp_path / STATE_FOLDER / "checkpoint-9").mkdir()  # one that a kill left half written
    monkeypatch.setattr(training, "_trainer", make)
    with pytest.raises(ConfigError, match="begun with other settings"):
        fit(sessions, replace(tiny_recipe, seed=5), tmp_path)
    steps, made_before = fit(sessions, tiny_recipe, tmp_path)
    assert weights(tmp_path) == weights(tiny_model) and made_before == 2 and steps > 3


def test_rows_are_the_same_again_and_hold_every_session_in_every_epoch(sessions, tiny_recipe, tokenizer):
    rows = training_rows(sessions, tokenizer, tiny_recipe)
    assert rows == training_rows(sessions, tokenizer, tiny_recipe)
    assert len(rows) == tiny_recipe.epochs * len(sessions)
    assert rows[:12] != rows[12:]  # thinned anew
    even = training_rows(sessions[:11], tokenizer, tiny_recipe, processes=2)
    assert len(even) == tiny_recipe.epochs * 8


def test_an_opening_that_is_left_out_is_not_learned_as_absent(sessions, tiny_recipe, tokenizer):
    bare = replace(tiny_recipe, without_label=1.0, without_talk=1.0, epochs=1)
    (row,) = training_rows(sessions[:1], tokenizer, bare)
    speakers = [tokenizer.convert_tokens_to_ids(name) for name in ("<|client|>", "<|therapist|>")]
    after = [i + 1 for i, token in enumerate(row["input_ids"]) if token in speakers]
    assert after and all(row["labels"][i] == UNLEARNED for i in after)
    assert sum(label == UNLEARNED for label in row["labels"]) == len(after)
    (whole,) = training_rows(sessions[:1], tokenizer, replace(bare, without_label=0.0, without_talk=0.0))
    assert whole["labels"] == whole["input_ids"]


@pytest.mark.parametrize(
    ("change", "said"),
    [({"epochs": 0}, "epochs"), ({"dropout": 2}, "dropout"), ({"precision": "float8"}, "float32"), ({"hidden_size": 1.5}, "hidden_size")],
)
def test_recipes_are_checked(tiny_recipe, change, said):
    with pytest.raises(ConfigError, match=said):
        replace(tiny_recipe, **change)


def test_a_recipe_with_a_base_is_for_lora(repository, tmp_path):
    assert isinstance(recipe_from_yaml(repository / "scripts/recipes/chatbot.yaml"), ScratchRecipe)
    assert isinstance(recipe_from_yaml(repository / "scripts/recipes/chatbot_lora.yaml"), LoraRecipe)
    with pytest.raises(ConfigError, match="found none"):
        recipe_from_yaml(tmp_path / "none.yaml")
    (tmp_path / "r.yaml").write_text("base: x\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="expected exactly the fields"):
        recipe_from_yaml(tmp_path / "r.yaml")


# The architectures that the recipes name, with the chat templates of their families.
BASES = {
    "chatbot_lora": (transformers.Qwen3Config, "qwen3_instruct_2507"),
    "chatbot_lora_fsdp": (transformers.LlamaConfig, "llama3"),
}


@pytest.fixture
def base(request, sessions, tmp_path):
    """A random instruction model of a recipe's architecture."""
    import trl

    config_class, template = BASES[request.param]
    tokenizer = train_tokenizer((turn.text for dialogue in sessions for turn in dialogue.utterances), 900, 4096)
    folder = trl.__path__[0]
    with open(f"{folder}/chat_templates/{template}.jinja", encoding="utf-8") as file:
        tokenizer.chat_template = file.read()
    tokenizer.bos_token = tokenizer.eos_token
    config = config_class(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, head_dim=8,
        bos_token_id=1, eos_token_id=1, pad_token_id=0, max_position_embeddings=8192,
    )  # fmt: skip
    transformers.set_seed(0)
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path / "base")
    tokenizer.save_pretrained(tmp_path / "base")
    return request.param, tmp_path / "base"


@pytest.mark.parametrize("base", BASES, indirect=True)
def test_lora_recipes_run_on_a_random_model_of_their_architecture(base, repository, sessions, tmp_path):
    name, folder = base
    recipe = replace(recipe_from_yaml(repository / f"scripts/recipes/{name}.yaml"), base=str(folder))
    fit(sessions, recipe, tmp_path / "adapter", steps=1)
    assert (tmp_path / "adapter" / "adapter_model.safetensors").is_file()
    config = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text(encoding="utf-8"))
    assert config["r"] == recipe.rank and config["base_model_name_or_path"] == str(folder)
    import peft

    adapted = peft.AutoPeftModelForCausalLM.from_pretrained(tmp_path / "adapter")
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "adapter")
    text = tokenizer.apply_chat_template([*session_messages(sessions[0])[:3], {"role": "assistant", "content": "<|affirm|>"}], tokenize=False, continue_final_message=True)
    assert text.endswith("<|affirm|>")
    assert adapted.generate(**tokenizer(text, return_tensors="pt"), max_new_tokens=3).shape[0] == 1


def test_a_base_that_is_not_there_or_cannot_chat_is_named(repository, sessions, tmp_path):
    recipe = recipe_from_yaml(repository / "scripts/recipes/chatbot_lora.yaml")
    with pytest.raises(ConfigError, match="--base"):
        fit(sessions, replace(recipe, base=str(tmp_path / "none")), tmp_path / "out")


def test_the_fsdp_settings_are_accelerates_own(repository):
    from accelerate.commands.config.config_args import load_config_from_file
    from accelerate.utils import DistributedType

    config = load_config_from_file(str(repository / "scripts/recipes/fsdp.yaml"))
    assert config.distributed_type == DistributedType.FSDP and config.fsdp_config["fsdp_version"] == 2
