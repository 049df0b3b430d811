"""Training the dialogue model with TRL's SFTTrainer, from scratch or as LoRA adapters.

Every epoch's sessions are written out beforehand, thinned out anew and in batches of like length, and read in that order: so a seed repeats
them, and a killed training goes on at its last kept step as if nothing had been. Both speakers are learned, the therapist and
the client; a turn's opening is learned where it is there, and never that it is not.

Not covered: the figures (`kmi.dialogue_model.evaluation`), the command line.
"""

import hashlib
import json
import random
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from kmi.dialogue import Dialogue
from kmi.dialogue_model.format import CLIENT, OPENINGS, THERAPIST, session_messages
from kmi.dialogue_model.model import MAX_TOKENS, TEMPERATURE, TOP_P
from kmi.dialogue_model.recipe import LoraRecipe, Recipe, ScratchRecipe
from kmi.dialogue_model.tokenizer import train_tokenizer
from kmi.errors import ConfigError, MissingExtra
from kmi.training_state import STATE_FOLDER, claim

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase
    from trl import SFTTrainer

UNLEARNED = -100
KEEP_EVERY = 100  # moves of the weights between two states


def fit(training: Sequence[Dialogue], recipe: Recipe, out: Path, *, steps: int | None = None) -> tuple[int, int]:
    """Trains and saves model, or adapter, and tokenizer to `out`; goes on where a killed run stopped.

    Args:
        training: sessions to learn from.
        recipe: which road, sizes, rates and seed.
        out: folder of the checkpoint; holds the state of training until it ends.
        steps: stop after so many moves of the weights: a trial, not a training.

    Returns:
        moves of the weights in all, and how many of them were made before by a killed run.

    Raises:
        ConfigError: `out` holds the state of another training.
    """
    if isinstance(recipe, ScratchRecipe):
        tokenizer = train_tokenizer((text for dialogue in training for text in _texts(dialogue)), recipe.vocabulary, recipe.max_tokens)
        model = new_model(recipe, tokenizer)
    else:
        model, tokenizer = base_model(recipe)
    processes = _processes()
    rows = training_rows(training, tokenizer, recipe, processes)
    state = out / STATE_FOLDER
    claim(state, {**asdict(recipe), "data": _digest(rows)})
    trainer = _trainer(model, tokenizer, rows, recipe, state, steps)
    resumed = _last_whole(state, processes)
    trainer.train(resume_from_checkpoint=resumed)
    # Under FSDP every process takes part in gathering the weights.
    trainer.save_model(str(out))
    if trainer.is_world_process_zero():
        (out / "training_args.bin").unlink(missing_ok=True)  # a pickle
        shutil.rmtree(state, ignore_errors=True)
    trainer.accelerator.wait_for_everyone()
    return trainer.state.global_step, int(resumed.rpartition("-")[2]) if resumed else 0


def new_model(recipe: ScratchRecipe, tokenizer: "PreTrainedTokenizerBase") -> "PreTrainedModel":
    """An untrained network: GPT-NeoX, since it has dropout everywhere and places by rotation."""
    import torch
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

    config = GPTNeoXConfig(
        vocab_size=len(tokenizer), hidden_size=recipe.hidden_size, num_hidden_layers=recipe.layers, num_attention_heads=recipe.heads,
        intermediate_size=4 * recipe.hidden_size, max_position_embeddings=recipe.max_tokens, tie_word_embeddings=True,
        hidden_dropout=recipe.dropout, attention_dropout=recipe.dropout,
        bos_token_id=None, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    torch.manual_seed(recipe.seed)
    model = GPTNeoXForCausalLM(config)
    # What pipelines and servers take over.
    model.generation_config.update(do_sample=True, temperature=TEMPERATURE, top_p=TOP_P, max_new_tokens=MAX_TOKENS)
    return model


def base_model(recipe: LoraRecipe) -> tuple["PreTrainedModel", "PreTrainedTokenizerBase"]:
    """The instruction model to adapt, and its tokenizer; `ConfigError` where there is none or it has no chat template."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(recipe.base)
        model = AutoModelForCausalLM.from_pretrained(recipe.base, dtype=recipe.precision, use_safetensors=True)
    except (OSError, ValueError) as error:
        problem = " ".join(str(error).split())[:200]
        raise ConfigError(f"Expected an instruction model at {recipe.base!r}: {problem}", "Give another with --base, or fetch it first: hf download MODEL") from None
    if not tokenizer.chat_template:
        raise ConfigError(f"The model at {recipe.base!r} has no chat template.", "Choose an instruction-tuned one with --base.")
    return model, tokenizer


def training_rows(training: Sequence[Dialogue], tokenizer: "PreTrainedTokenizerBase", recipe: Recipe, processes: int = 1) -> list[dict[str, list[int]]]:
    """All sessions of all epochs in the order they are learned in, as `input_ids` and `labels`.

    A last batch that the processes cannot share evenly is left out.
    """
    rows = []
    for epoch in range(recipe.epochs):
        rng = random.Random(f"{recipe.seed}/{epoch}")
        drawn = [_row(session_messages(dialogue, recipe.thinning, rng), tokenizer, recipe.max_tokens) for dialogue in training]
        rows += _in_batches(drawn, recipe.batch_size * processes, rng)
    return rows


def _row(messages: list[dict[str, str]], tokenizer: "PreTrainedTokenizerBase", max_tokens: int) -> dict[str, list[int]]:
    ids = list(tokenizer.apply_chat_template(messages, return_dict=True)["input_ids"])[:max_tokens]
    # An instruction model has neither: its openings are plain text.
    own = tokenizer.get_added_vocab()
    speakers, marks = ({own[name] for name in names if name in own} for names in ((CLIENT, THERAPIST), OPENINGS.values()))
    # Where the code was left out, the first word must not be learned in its place.
    labels = [UNLEARNED if i and ids[i - 1] in speakers and token not in marks else token for i, token in enumerate(ids)]
    return {"input_ids": ids, "labels": labels}


def _in_batches(rows: list[dict[str, list[int]]], size: int, rng: random.Random) -> list[dict[str, list[int]]]:
    order = sorted(rows, key=lambda row: len(row["input_ids"]) + 60 * rng.random())
    size = min(size, len(order))
    batches = [order[start : start + size] for start in range(0, len(order) - size + 1, size)]
    rng.shuffle(batches)
    return [row for batch in batches for row in batch]


def _trainer(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", rows: list[dict[str, list[int]]], recipe: Recipe, state: Path, steps: int | None) -> "SFTTrainer":
    try:
        from datasets import Dataset
        from peft import LoraConfig
        from trl import SFTConfig, SFTTrainer
    except ImportError as error:
        raise MissingExtra("Training the dialogue model", error.name or "trl", "train") from None

    lora = isinstance(recipe, LoraRecipe)
    settings = SFTConfig(
        output_dir=str(state), seed=recipe.seed, data_seed=recipe.seed, num_train_epochs=1, max_steps=steps or -1,
        per_device_train_batch_size=recipe.batch_size, gradient_accumulation_steps=recipe.accumulate, learning_rate=recipe.learning_rate,
        lr_scheduler_type="cosine", warmup_steps=recipe.warmup, weight_decay=recipe.weight_decay, adam_beta2=0.95, max_grad_norm=1.0,
        bf16=recipe.precision == "bfloat16" and _on_gpu(), use_cpu=not _on_gpu(), gradient_checkpointing=lora,
        save_steps=KEEP_EVERY, save_total_limit=2, logging_steps=20, report_to="none",
        train_sampling_strategy="sequential", dataset_kwargs={"skip_prepare_dataset": True}, max_length=None,
    )  # fmt: skip
    adapters = LoraConfig(r=recipe.rank, lora_alpha=recipe.alpha, lora_dropout=recipe.dropout, target_modules="all-linear", task_type="CAUSAL_LM") if lora else None
    return SFTTrainer(model, args=settings, train_dataset=Dataset.from_list(rows), processing_class=tokenizer, peft_config=adapters)


def _on_gpu() -> bool:
    import torch
    from accelerate.utils import parse_flag_from_env

    return torch.cuda.is_available() and not parse_flag_from_env("ACCELERATE_USE_CPU")


def _processes() -> int:
    from accelerate import Accelerator

    return Accelerator(cpu=not _on_gpu()).num_processes


def _last_whole(state: Path, processes: int) -> str | None:
    """The newest state that was written to its end: a kill may have come in between."""
    randomness = ["rng_state.pth"] if processes == 1 else [f"rng_state_{i}.pth" for i in range(processes)]
    folders = sorted(state.glob("checkpoint-*"), key=lambda folder: int(folder.name.rpartition("-")[2]), reverse=True)
    whole = (folder for folder in folders if all((folder / name).is_file() for name in ("trainer_state.json", *randomness)))
    return next(map(str, whole), None)


def _texts(dialogue: Dialogue) -> list[str]:
    return [dialogue.context, *(turn.text for turn in dialogue.utterances)]


def _digest(rows: list[dict[str, list[int]]]) -> str:
    """Names the sessions and their order: a state is of no use to others."""
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]
