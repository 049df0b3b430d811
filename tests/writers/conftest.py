"""A tiny random chat model, as large models are stored: tokenizer trained here, chat template, safetensors."""

import os

import pytest

TEMPLATE = (
    "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
SENTENCES = ["안녕하세요, 요즘 잠이 잘 오지 않아요.", "그러셨군요. 많이 지치셨겠어요.", "끊고 싶은데 잘 안 돼요.", "어떤 점이 가장 힘드세요?"]


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """Folder of the model: Llama, two layers, about 350 tokens, 512 positions. Its text is noise."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tiny-model")
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer, bpe.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    special = ["<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    bpe.train_from_iterator(SENTENCES, trainers.BpeTrainer(vocab_size=350, special_tokens=special, initial_alphabet=alphabet))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token="<|end|>", chat_template=TEMPLATE)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
        initializer_range=0.5,  # the default gives near-uniform noise, in which a wrong mask would not show
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder
