import asyncio
import shutil
from dataclasses import replace

import pytest

from kmi.clients.cases import cases_for_posts
from kmi.clients.contexts import SAMPLE_POSTS, read_posts
from kmi.codes import THERAPIST_LABELS, label_of
from kmi.corpus.dialogue_checks import check_dialogue
from kmi.corpus.sources import read_sources
from kmi.corpus.utterance_checks import check_utterance
from kmi.dialogue import Dialogue, Utterance
from kmi.errors import ConfigError, WriterError
from kmi.simulation.answers import read_client, read_therapist
from kmi.simulation.decision import kmi_policy
from kmi.simulation.director import Director
from kmi.simulation.turn_mode import simulate
from kmi.writers.base import Cue, WriteRequest
from kmi.writers.retrieval import RetrievalWriter


def small_corpus():
    """Two dialogues, on drink and on an exam; texts that can be told apart."""

    def dialogue(name, category, *turns, arc="flat"):
        spoken = tuple(
            Utterance("therapist", text, en, label=label_of(code), process=process)
            if len(code) == 2
            else Utterance("client", text, en, talk=code.partition("/")[0], talk_subtype=code.partition("/")[2] or None, process=process)
            for code, text, en, process in turns
        )
        return Dialogue(name, category, f"{name} 글입니다.", spoken, arc=arc)

    drink = dialogue(
        "술", "중독·집착",
        ("GE", "술 이야기를 하러 오셨다고 들었습니다.", "", "engaging"),
        ("neutral", "소주를 매일 한 병씩 마십니다.", "", "engaging"),
        ("CR", "소주가 하루를 닫아 주는 문 같으시고요.", "It closes your day.", "evoking"),
        ("change/desire", "이제는 술을 끊고 싶어요.", "", "evoking"),
        ("OQ", "끊고 싶다는 마음은 어떤 때 드세요?", "", "evoking"),
        ("change/reason", "딸이 술 냄새를 싫어해서요.", "", "evoking"),
        ("CR", "오늘은 술과 딸 사이에 서 계신 이야기를 나눴어요.", "", "planning"),
    )  # fmt: skip
    exam = dialogue(
        "시험", "학업·고시",
        ("GE", "시험 이야기를 하러 오셨다고 들었습니다.", "", "engaging"),
        ("neutral", "공무원 시험에 세 번 떨어졌습니다.", "", "engaging"),
        ("CR", "시험을 놓으면 그동안의 시간이 사라질 것 같으시고요.", "", "evoking"),
        ("change/need", "이번 시험까지는 봐야 해요.", "", "evoking"),
        ("OQ", "합격한 뒤의 아침은 어떤 모습인가요?", "", "evoking"),
        ("sustain", "책만 펴면 글자가 튕겨 나가요.", "", "evoking"),
        ("CR", "오늘은 시험장에 다시 앉을지를 두고 이야기하셨습니다.", "", "planning"),
    )  # fmt: skip
    crisis = dialogue("위기", "정신건강", ("CR", "사라지고 싶을 만큼 힘드셨고요.", "", "evoking"), ("neutral", "죽고 싶었어요.", "", "evoking"), arc="crisis")
    return [drink, exam, crisis]


@pytest.fixture(scope="module")
def writer():
    return RetrievalWriter(small_corpus())


@pytest.fixture(scope="module")
def exemplars(tmp_path_factory, repository):
    folder = tmp_path_factory.mktemp("source")
    for path in sorted((repository / "loading_script" / "source").glob("*/exemplars.txt")):
        (folder / path.parent.name).mkdir()
        shutil.copy(path, folder / path.parent.name)
    return read_sources(folder)


def ask(writer, role="therapist", seed=0, attempt=0, **cue):
    """The answer to a cue, in the middle of a session unless it says otherwise."""
    values = {"history": ("어서 오세요.", "네."), "process": "evoking", **cue}
    request = WriteRequest(f"s/{len(values['history'])}/{attempt}", (), 100, 0.8, seed, Cue(role=role, **values))
    return asyncio.run(writer.write(request)).text


DRINK = {"category": "중독·집착", "context": "소주를 매일 마십니다.", "history": ("어서 오세요.", "소주를 끊고 싶은데 딸이 술 냄새를 싫어해요.")}


def test_the_answer_is_a_line_of_the_notation(writer):
    assert ask(writer, label="Complex Reflection", **DRINK) == "T CR | 소주가 하루를 닫아 주는 문 같으시고요. | It closes your day."
    assert ask(writer, "client", talk="sustain", **DRINK) == "C sustain | 책만 펴면 글자가 튕겨 나가요."


def test_what_was_said_before_decides_among_equal_labels(writer):
    exam = {"category": "학업·고시", "context": "시험에 떨어졌습니다.", "history": ("어서 오세요.", "공무원 시험을 놓으면 시간이 사라질 것 같아요.")}
    assert "시험" in ask(writer, label="Complex Reflection", **exam)
    assert "소주" in ask(writer, label="Complex Reflection", **DRINK)


def test_category_decides_where_words_do_not(writer):
    for category, word in [("중독·집착", "소주"), ("학업·고시", "시험")]:
        assert word in ask(writer, "client", talk="neutral", category=category, history=("음.",))


def test_label_and_role_are_never_traded(writer):
    for label in ("General", "Complex Reflection", "Open Question"):
        assert read_therapist(ask(writer, label=label), "Affirm").label == label
    for talk in ("neutral", "sustain", "change"):
        assert read_client(ask(writer, "client", talk=talk), "neutral", None).talk == talk


def test_the_subtype_asked_for_is_preferred_but_not_forced(writer):
    assert read_client(ask(writer, "client", talk="change", talk_subtype="need", history=("음.",)), "change", None).talk_subtype == "need"
    assert read_client(ask(writer, "client", talk="change", talk_subtype="commitment"), "change", None).talk == "change"


def test_closing_and_opening_turns_come_from_such_places(writer):
    assert "이야기" in ask(writer, label="Complex Reflection", last=True, **DRINK)
    assert ask(writer, label="General", history=(), category="학업·고시").startswith("T GE | 시험 이야기")


def test_nothing_is_said_twice_in_a_session(writer):
    said = ["음.", "네."]
    for _ in range(4):
        turn = read_therapist(ask(writer, label="Complex Reflection", history=tuple(said)), "Affirm")
        assert turn.utterance_ko not in said
        said.append(turn.utterance_ko)
    with pytest.raises(WriterError, match="no unused therapist utterance left for Complex Reflection"):
        ask(writer, label="Complex Reflection", history=tuple(said))


@pytest.mark.parametrize(("role", "kind"), [("therapist", {"label": "Advise"}), ("therapist", {"label": "Affirm"})])
def test_what_the_corpus_does_not_have_is_said(writer, role, kind):
    with pytest.raises(WriterError, match=next(iter(kind.values()))):
        ask(writer, role, **kind)


def test_the_same_cue_gives_the_same_answer(writer):
    fresh = RetrievalWriter(small_corpus())
    for label in ("General", "Complex Reflection", "Open Question"):
        assert ask(writer, label=label, **DRINK) == ask(fresh, label=label, seed=99, **DRINK)


def test_asked_again_it_gives_another(writer):
    """The same answer a second time would fail the same check and lose the session."""
    first, second = (ask(writer, label="Complex Reflection", attempt=attempt, seed=attempt, **DRINK) for attempt in (0, 1))
    assert first != second


def test_crisis_sessions_of_the_corpus_are_not_borrowed_from(writer):
    said = tuple(turn.utterance_ko for dialogue in small_corpus()[:2] for turn in dialogue.utterances)
    with pytest.raises(WriterError):
        ask(writer, "client", talk="neutral", history=said)


@pytest.mark.parametrize(("label", "rule"), [("Closed Question", "ask"), ("Give Information", "line")])
def test_safety_turns_are_the_reviewed_ones(writer, label, rule):
    texts = {ask(writer, label=label, crisis=True, seed=seed) for seed in range(6)}
    assert 2 <= len(texts) <= 3
    for text in texts:
        turn = read_therapist(text, "Affirm")
        assert turn.label == label and turn.utterance_en
        assert check_utterance(turn, must_name="109" if rule == "line" else "") == []
        assert "죽" in text or "해치" in text or "109" in text


def test_a_safety_turn_is_not_repeated(writer):
    first = read_therapist(ask(writer, label="Closed Question", crisis=True), "Affirm").utterance_ko
    assert first not in ask(writer, label="Closed Question", crisis=True, history=("음.", first))


def test_whole_sessions_are_not_for_it(writer):
    with pytest.raises(ConfigError, match="turn by turn.*--mode turn"):
        ask(writer, "session")


def test_an_empty_corpus_is_said_before_any_work():
    with pytest.raises(ConfigError, match=r"no dialogue.*build_dataset\.py"):
        asyncio.run(RetrievalWriter([]).prepare())


def test_it_is_described_by_its_corpus(writer):
    smaller = RetrievalWriter(small_corpus()[:1])
    assert writer.describe() == {"writer": "retrieval", "utterances": 14}
    assert smaller.describe() == {"writer": "retrieval", "utterances": 7}


def test_it_needs_no_prompt_and_counts_no_tokens(writer):
    answer = asyncio.run(writer.write(WriteRequest("a/1/0", (), 1, 0.0, 0, Cue("therapist", label="General", history=("음.",)))))
    assert (answer.prompt_tokens, answer.output_tokens, answer.model) == (0, 0, "retrieval")


def test_turns_without_code_or_korean_are_left_out():
    dialogue = small_corpus()[0]
    bare = replace(dialogue, utterances=(replace(dialogue.utterances[0], label=None), replace(dialogue.utterances[1], utterance_ko="", utterance_en="Yes."), dialogue.utterances[2]))
    assert RetrievalWriter([bare]).describe()["utterances"] == 1


def test_every_label_and_talk_is_in_the_fourteen_exemplars(exemplars):
    writer = RetrievalWriter(exemplars)
    for label in THERAPIST_LABELS:
        assert read_therapist(ask(writer, label=label), "Affirm").label == label


@pytest.mark.parametrize("seed", [0, 1])
def test_the_six_sample_posts_become_valid_sessions(exemplars, fixed_forecaster, seed):
    """The embedded default over the exemplars alone: complete, labels borne out, nothing said twice."""
    writer = RetrievalWriter(exemplars)

    async def answer(request):
        return await writer.write(request)

    for case in cases_for_posts(read_posts(SAMPLE_POSTS), seed):
        turns = asyncio.run(simulate(Director(case, fixed_forecaster(), kmi_policy), answer))
        dialogue = Dialogue(case.id, case.category, case.context, turns, case.profile, case.arc, case.ending)
        assert [str(finding) for finding in check_dialogue(dialogue)] == []
        assert len({turn.utterance_ko for turn in turns}) == len(turns)
        assert all(turn.label == turn.planned_label for turn in turns[::2])


def test_posts_of_danger_become_valid_sessions_too(exemplars, fixed_forecaster, data_folder):
    writer = RetrievalWriter(exemplars)

    async def answer(request):
        return await writer.write(request)

    cases = [case for case in cases_for_posts([replace(post, category=post.category or "정신건강") for post in read_posts(data_folder / "posts_50.jsonl")], 0) if case.arc == "crisis"]
    assert len(cases) >= 4
    for case in cases:
        turns = asyncio.run(simulate(Director(case, fixed_forecaster(), kmi_policy), answer))
        assert check_dialogue(Dialogue(case.id, case.category, case.context, turns, case.profile, case.arc, case.ending)) == []
