"""The dialogue model's tokenizer: byte-pair encoding of Korean that gives every text back.

Bytes below, so that no character is unknown; the merges are learned from the sessions. Not covered: the coder's tokenizer, which need
not give text back (`kmi.coder.tokenizer`).
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from kmi.dialogue_model.format import CLIENT, END, OPENINGS, PAD, POST, THERAPIST, chat_template

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

SPECIAL = (PAD, END, POST, CLIENT, THERAPIST, *OPENINGS.values())


def train_tokenizer(texts: Iterable[str], vocabulary: int, max_tokens: int) -> "PreTrainedTokenizerFast":
    """Learns `vocabulary` tokens, special ones included; the same texts in the same order give the same tokens.

    Args:
        texts: what was said, without marks.
        vocabulary: number of tokens; 256 bytes and the marks are always among them.
        max_tokens: longest session of the model.
    """
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=list(SPECIAL), min_frequency=2, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    tokenizer.train_from_iterator(texts, trainer)
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=PAD, eos_token=END, additional_special_tokens=[name for name in SPECIAL if name not in (PAD, END)],
        model_max_length=max_tokens, model_input_names=["input_ids", "attention_mask"], clean_up_tokenization_spaces=False,
    )  # fmt: skip
    wrapped.chat_template = chat_template()
    return wrapped
