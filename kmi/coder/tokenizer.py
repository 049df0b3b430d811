"""The coder's tokenizer: byte-pair encoding of Korean and English, trained on the texts it will read.

Not covered: the chatbot's tokenizer, which has to give text back.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from kmi.coder.text import BEFORE, BREAK, SPEAKER

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

PAD, UNKNOWN, START, SEPARATOR, MASK = "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"
SPECIAL = (PAD, UNKNOWN, START, SEPARATOR, MASK, *SPEAKER.values(), BEFORE)
# The longest pair of the dataset has some 250 tokens.
MAX_TOKENS = 256


def train_tokenizer(texts: Iterable[str], vocabulary: int) -> "PreTrainedTokenizerFast":
    """Learns `vocabulary` tokens, special ones included; the same texts in the same order give the same tokens."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.NFKC()
    cut = pre_tokenizers.Split(BREAK, behavior="removed")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Metaspace(), pre_tokenizers.Punctuation(), cut])
    trainer = trainers.BpeTrainer(vocab_size=vocabulary, special_tokens=[*SPECIAL], min_frequency=2, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    ids = {name: tokenizer.token_to_id(name) for name in (START, SEPARATOR)}
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{START} $A {SEPARATOR}", pair=f"{START} $A {SEPARATOR} $B {SEPARATOR}", special_tokens=[*ids.items()]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=PAD, unk_token=UNKNOWN, cls_token=START, sep_token=SEPARATOR, mask_token=MASK,
        additional_special_tokens=[*SPEAKER.values(), BEFORE], model_max_length=MAX_TOKENS, model_input_names=["input_ids", "attention_mask"],
    )  # fmt: skip
