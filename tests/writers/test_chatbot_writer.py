import asyncio

import pytest

from kmi.dialogue_model import choice, model
from kmi.errors import ConfigError, WriterError
from kmi.writers.base import Cue, WriteRequest
from kmi.writers.chatbot import ChatbotWriter

HISTORY = ("오늘은 어떤 이야기를 해 볼까요?", "담배를 끊고 싶은데 자꾸 실패해요.")
CUE = Cue("therapist", label="Simple Reflection", context="담배", history=HISTORY)


class Model:
    """Answers every prompt with the same drafts and remembers what it was asked."""

    def __init__(self, *drafts):
        self.given, self.asked = list(drafts), []

    def prompt(self, *arguments):
        self.asked.append(arguments)
        return [1, 2, 3]

    def drafts(self, prompt, count, seed):
        self.asked.append((prompt, count, seed))
        return self.given


@pytest.fixture
def written(monkeypatch):
    """What the writer says with a model of fixed drafts."""

    def run(given, cue=CUE, **options):
        fake = Model(*given)
        monkeypatch.setattr(model.DialogueModel, "from_pretrained", lambda path: fake)
        writer = ChatbotWriter(**options)

        async def once():
            await writer.prepare()
            return await writer.write(WriteRequest("s/1/0", (), 300, 0.7, 7, cue))

        return asyncio.run(once()), fake

    return run


def test_it_says_the_draft_of_the_label_that_answers(written):
    drafts = ["바다가 참 파랗군요.", "담배를 끊고 싶은데 자꾸 실패하신다는 말씀이네요.", "담배는 언제 피우세요?"]
    completion, fake = written(drafts, drafts=3)
    assert completion.text == drafts[1] and completion.prompt_tokens == 3
    assert fake.asked == [(CUE.said, "therapist", "Simple Reflection", "담배"), ([1, 2, 3], 3, 7)]


def test_it_plays_the_client(written):
    completion, fake = written(["글쎄요, 잘 모르겠어요."], Cue("client", talk="neutral", history=HISTORY[:1]))
    assert completion.text == "글쎄요, 잘 모르겠어요." and fake.asked[0][1:3] == ("client", "neutral")


def test_in_a_crisis_the_lines_are_fixed(written):
    completion, fake = written(["아무 말"], Cue("therapist", label="Give Information", history=HISTORY, crisis=True))
    assert "109" in completion.text and fake.asked == []


def test_no_draft_is_an_error_of_this_request(written):
    with pytest.raises(WriterError, match="all 16 drafts were empty"):
        written([])


def test_it_writes_no_whole_sessions_and_needs_a_draft_and_a_checkpoint(written, tmp_path):
    with pytest.raises(ConfigError, match=r"train_chatbot\.py"):
        asyncio.run(ChatbotWriter(tmp_path).prepare())
    with pytest.raises(ConfigError, match="--mode turn"):
        written(["x"], Cue("session"))
    with pytest.raises(ConfigError, match="at least 1 draft"):
        ChatbotWriter(drafts=0)


def test_with_the_checkpoint_the_same_seed_says_the_same():
    async def twice():
        writer = ChatbotWriter(drafts=2)
        texts = [(await writer.write(WriteRequest("s/1/0", (), 300, 0.7, seed, CUE))).text for seed in (7, 7, 8)]
        await writer.close()
        return texts

    first, again, other = asyncio.run(twice())
    assert first == again and other and choice.training_turns()
