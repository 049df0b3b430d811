import asyncio
import shutil
import threading

import pytest

from kmi.errors import ConfigError, WriterError, WriterUnavailable
from kmi.writers.base import Cue, WriteRequest
from kmi.writers.local import LocalWriter


def request(number, *, text=None, temperature=0.8, seed=None, max_tokens=12):
    messages = ({"role": "system", "content": "상담자"}, {"role": "user", "content": text or "안녕하세요. " * (number + 1)})
    return WriteRequest(f"s{number}/0/0", messages, max_tokens, temperature, number if seed is None else seed, Cue("client"))


def run(writer, *requests, turns=1):
    """All requests at once; each again `turns` times, one after the other, as sessions do."""

    async def session(item):
        return [await writer.write(item) for _ in range(turns)]

    async def everything():
        try:
            await writer.prepare()
            writer.batches = count_batches(writer._chat_model)
            return await asyncio.gather(*(session(item) for item in requests))
        finally:
            await writer.close()

    answers = asyncio.run(everything())
    return [answer[0] for answer in answers] if turns == 1 else answers


def count_batches(model):
    """Notes the prompt lengths of every batch that reaches the model."""
    batches, generate = [], model.model.generate

    def noted(**options):
        batches.append(options["attention_mask"].sum(-1).tolist())
        return generate(**options)

    model.model.generate = noted
    return batches


@pytest.fixture
def broken_copy(tiny_model, tmp_path):
    """A copy of the model to damage."""
    return shutil.copytree(tiny_model, tmp_path / "copy")


def test_waiting_sessions_are_generated_together(tiny_model):
    writer = LocalWriter(tiny_model, batch_size=4)
    assert (writer.concurrency, writer.describe()) == (8, {"writer": "local", "model": str(tiny_model), "dtype": None})
    answers = run(writer, *(request(n) for n in range(4)), turns=3)
    assert [len(batch) for batch in writer.batches] == [4, 4, 4]
    assert all(completion.text for answer in answers for completion in answer)


def test_a_batch_waits_for_sessions_that_are_nearly_ready(tiny_model):
    async def session(writer, number):
        await asyncio.sleep(0.002 * number)
        return await writer.write(request(number))

    async def everything():
        writer = LocalWriter(tiny_model, batch_size=4)
        await writer.prepare()
        batches = count_batches(writer._chat_model)
        await asyncio.gather(*(session(writer, n) for n in range(4)))
        await writer.close()
        return [len(batch) for batch in batches]

    assert asyncio.run(everything()) == [4]


def test_large_queues_are_cut_into_batches_of_similar_length(tiny_model):
    writer = LocalWriter(tiny_model, batch_size=4)
    order = [0, 9, 1, 8, 2, 7, 3, 6, 4, 5]
    run(writer, *(request(n) for n in order))
    assert [len(batch) for batch in writer.batches] == [4, 4, 2]
    first, second, _ = writer.batches
    assert max(first) < min(second)


def test_tokens_are_counted_and_limited(tiny_model):
    long, short = run(LocalWriter(tiny_model), request(0, max_tokens=12, seed=1), request(1, max_tokens=3, seed=1))
    assert 0 < short.output_tokens <= 3 < long.output_tokens <= 12
    # special tokens of three turns, and the texts: system 상담자, user 안녕하세요.
    assert 10 < long.prompt_tokens < short.prompt_tokens
    assert long.model == tiny_model.name
    assert "<|" not in long.text


@pytest.mark.parametrize("temperature", [0.0, 0.8])
def test_an_answer_does_not_depend_on_its_batch(tiny_model, temperature):
    requests = [request(n, temperature=temperature) for n in range(6)]
    together = run(LocalWriter(tiny_model, batch_size=6), *requests)
    alone = run(LocalWriter(tiny_model, batch_size=1), *requests)
    assert together == alone
    assert len({completion.text for completion in together}) > 3


def test_temperatures_share_a_batch_and_seeds_differ(tiny_model):
    writer = LocalWriter(tiny_model)
    greedy, again, one, two = run(
        writer,
        request(0, temperature=0.0, seed=1),
        request(0, temperature=0.0, seed=2),
        request(0, temperature=1.0, seed=1),
        request(0, temperature=1.0, seed=2),
    )
    assert len(writer.batches) == 1
    assert greedy == again
    assert len({greedy.text, one.text, two.text}) == 3


def test_draws_follow_the_models_distribution(tiny_model):
    """2,000 first tokens against the probabilities the model itself gives."""
    import torch

    from kmi.writers.chat_model import ChatModel, Row

    model = ChatModel(str(tiny_model), "cpu")
    prompt = model.encode(list(request(0).messages), 1)
    rows = [Row(prompt, 1, 0.7, seed) for seed in range(2000)]
    tokens = [row[0] if row else model.tokenizer.eos_token_id for row in model.generate(rows, threading.Event())]
    with torch.no_grad():
        expected = (model.model(torch.tensor([prompt])).logits[0, -1] / 0.7).softmax(-1)
    drawn = torch.bincount(torch.tensor(tokens), minlength=len(expected)) / len(tokens)
    top = int(expected.argmax())
    assert expected[top] < 0.9, "the model is too sure of itself for this test"
    # Standard error of a share of 2,000 is at most .011; total variation of noise over the likely tokens stays small.
    assert abs(float(drawn[top] - expected[top])) < 0.04
    assert float((drawn - expected).abs().sum()) / 2 < 0.15


def test_each_token_has_its_own_random_number():
    import torch

    from kmi.writers.chat_model import Row, _SeededDraw

    rows = [Row([1], 5, 1.0, seed=3), Row([1], 5, 1.0, seed=4), Row([1], 5, 0.0, seed=3)]
    draw = _SeededDraw(rows, 1, None, None, "cpu", threading.Event())
    flat = torch.zeros(3, 1000)
    flat[:, 7] = 1e-3
    tokens = torch.stack([draw(torch.zeros(3, 1 + step), flat).argmax(-1) for step in range(5)], dim=1)
    # Equal probabilities: the number u in [0, 1) falls on token u * 1000 (the likeliest one shifts it by a thousandth).
    expected = torch.stack([torch.rand(5, generator=torch.Generator().manual_seed(seed)) for seed in (3, 4)]) * 1000
    assert (tokens[:2] - expected).abs().max() < 1.1
    assert tokens[2].tolist() == [7] * 5


def test_top_k_of_the_model_is_obeyed(broken_copy):
    (broken_copy / "generation_config.json").write_text('{"top_k": 1, "do_sample": true}', encoding="utf-8")
    sampled, greedy = run(LocalWriter(broken_copy), request(0, temperature=1.5), request(0, temperature=0.0))
    assert sampled == greedy


@pytest.mark.parametrize("device", ["cpu", "cpu:0"])
def test_halves_are_widened_on_cpu_unless_asked_for(broken_copy, device):
    import torch
    from transformers import AutoModelForCausalLM

    from kmi.writers.chat_model import ChatModel

    AutoModelForCausalLM.from_pretrained(broken_copy, dtype=torch.bfloat16).save_pretrained(broken_copy)
    assert ChatModel(str(broken_copy), device).model.dtype == torch.float32
    assert ChatModel(str(broken_copy), device, "bfloat16").model.dtype == torch.bfloat16


def test_a_batch_too_large_for_the_device_is_halved(tiny_model, monkeypatch):
    import torch

    from kmi.writers.chat_model import ChatModel

    generate = ChatModel._generate

    def small_device(self, rows, stop):
        if sum(len(row.prompt) for row in rows) > 100:
            raise torch.OutOfMemoryError("out of memory")
        return generate(self, rows, stop)

    requests = [request(0, seed=n) for n in range(8)]
    expected = run(LocalWriter(tiny_model, batch_size=8), *requests)
    monkeypatch.setattr(ChatModel, "_generate", small_device)
    writer = LocalWriter(tiny_model, batch_size=8)
    assert run(writer, *requests) == expected
    assert len(writer.batches) > 1

    async def with_a_giant():
        writer = LocalWriter(tiny_model, batch_size=8)
        return await asyncio.gather(*(writer.write(r) for r in [*requests, request(30)]), return_exceptions=True)

    *others, giant = asyncio.run(with_a_giant())
    assert others == expected
    assert "s30/0/0: the device has too little memory" in str(giant)


def test_prompts_that_do_not_fit_fail_alone(tiny_model):
    async def session():
        writer = LocalWriter(tiny_model)
        return await asyncio.gather(writer.write(request(0)), writer.write(request(500)), return_exceptions=True)

    good, bad = asyncio.run(session())
    assert good.text
    assert type(bad) is WriterError
    assert "s500/0/0" in str(bad)
    assert "do not fit into the model's 512" in str(bad)


def test_an_empty_answer_is_drawn_again_then_given_up(tiny_model, monkeypatch):
    from kmi.writers.chat_model import ChatModel

    seeds = []

    def mute(self, rows, stop):
        seeds.extend(row.seed for row in rows)
        return [[] for _ in rows]

    monkeypatch.setattr(ChatModel, "generate", mute)
    with pytest.raises(WriterError, match="s0/0/0: the model wrote nothing"):
        run(LocalWriter(tiny_model), request(0, seed=7))
    with pytest.raises(WriterError, match="wrote nothing"):
        run(LocalWriter(tiny_model), request(0, seed=7, temperature=0.0))
    assert seeds == [7, 8, 9, 7]


def test_a_session_given_up_takes_no_place(tiny_model):
    async def session():
        writer = LocalWriter(tiny_model)
        await writer.prepare()
        writer.batches = count_batches(writer._chat_model)
        leaving, staying = (asyncio.create_task(writer.write(request(n))) for n in range(2))
        await asyncio.sleep(0)
        leaving.cancel()
        completion = await staying
        await writer.close()
        return completion, [len(batch) for batch in writer.batches]

    completion, sizes = asyncio.run(session())
    assert completion.text
    assert sizes == [1]


def test_close_ends_a_running_batch_at_its_next_token(tiny_model):
    async def session():
        writer = LocalWriter(tiny_model)
        await writer.prepare()
        started, tokens = asyncio.Event(), []
        forward, loop = writer._chat_model.model.forward, asyncio.get_running_loop()

        def counted(**inputs):
            tokens.append(1)
            loop.call_soon_threadsafe(started.set)
            return forward(**inputs)

        writer._chat_model.model.forward = counted
        writer._chat_model._ends.clear()
        writer._chat_model._settings.eos_token_id = None
        task = asyncio.create_task(writer.write(request(0, max_tokens=480)))
        await started.wait()
        await writer.close()
        with pytest.raises(WriterError, match="the writer was closed"):
            await task
        return len(tokens)

    assert asyncio.run(session()) < 240


def test_missing_models_are_explained(tmp_path):
    with pytest.raises(WriterUnavailable, match=r"'/nowhere/model', but: there is no such folder.*hf download"):
        run(LocalWriter("/nowhere/model"))
    with pytest.raises(WriterUnavailable, match=r"Expected a causal language model at .*empty"):
        (tmp_path / "empty").mkdir()
        run(LocalWriter(tmp_path / "empty"))


def test_pickled_weights_are_not_loaded(broken_copy):
    (broken_copy / "model.safetensors").rename(broken_copy / "pytorch_model.bin")
    with pytest.raises(WriterUnavailable, match=r"Expected a causal language model .*safetensors"):
        run(LocalWriter(broken_copy))


def test_a_model_without_a_chat_template_is_refused(broken_copy):
    (broken_copy / "chat_template.jinja").unlink()
    with pytest.raises(WriterUnavailable, match=r"has no chat template\. Choose an instruction-tuned model"):
        run(LocalWriter(broken_copy))


def test_a_template_that_refuses_a_system_message_is_named(broken_copy):
    template = "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
    (broken_copy / "chat_template.jinja").write_text(template, encoding="utf-8")
    with pytest.raises(WriterUnavailable, match="no system role"):
        run(LocalWriter(broken_copy))


def test_bad_batch_size_is_refused():
    with pytest.raises(ConfigError, match="batch_size of at least 1, got 0"):
        LocalWriter("x", batch_size=0)
