import json
from collections import Counter

import pytest

import kmi
from kmi.clients.cases import Case
from kmi.corpus.dialogue_checks import check_dialogue
from kmi.dialogue import read_jsonl
from kmi.errors import ConfigError, WriterError, WriterUnavailable
from kmi.simulation.decision import kmi_policy
from kmi.simulation.run_folder import RunFolder
from kmi.simulation.runner import HOPELESS_AFTER, Runner
from kmi.writers.base import Completion, NotYet

ARCS = ["steady_growth", "crisis", "misattuned_repair", "relapse", "flat", "argument"]
ENDINGS = ["commitment", "partial", "none"]


@pytest.fixture
def cases(make_case):
    return [make_case(id=f"post-{n:06d}-0000000{n}", arc=ARCS[n], ending=ENDINGS[n % 3], seed=40 + n) for n in range(6)]


@pytest.fixture
def run(tmp_path, cases, fixed_forecaster):
    """Runs `cases` with a writer into a folder; returns the report and the merged dialogues."""

    def make(writer, mode="turn", out="run", process=0, processes=1, chosen=None, **options):
        folder = RunFolder(tmp_path / out, {"mode": mode}, process)
        folder.open()
        try:
            runner = Runner(chosen or cases, writer, fixed_forecaster(), kmi_policy, mode, folder, process, processes, **options)
            report = runner.run()
            folder.merge()
        finally:
            folder.close()
        return report, list(read_jsonl(folder.path / "dialogues.jsonl"))

    return make


def stop_after(count, error=None):
    """A writer's `before` that gives up once `count` requests came."""

    def before(request, number):
        if number >= count:
            raise error or WriterUnavailable("The server is gone.", "Start it.")

    return before


def failures(tmp_path, out="run"):
    return [json.loads(line) for line in (tmp_path / out / "failures.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.fixture(params=["turn", "plan"])
def mode(request):
    return request.param


def test_every_session_is_finished_in_the_order_of_the_posts(run, cases, scripted_writer, mode):
    report, dialogues = run(scripted_writer(concurrency=3), mode)
    assert [dialogue.id for dialogue in dialogues] == [case.id for case in cases]
    assert (report.finished, report.failed, report.waiting, report.unanswered, report.already_over) == (6, 0, 0, 0, 0)
    assert [finding for dialogue in dialogues for finding in check_dialogue(dialogue)] == []


def test_dialogues_carry_the_case_and_where_they_come_from(run, cases, scripted_writer, mode):
    for case, dialogue in zip(cases, run(scripted_writer(), mode)[1], strict=True):
        assert (dialogue.category, dialogue.context, dialogue.profile) == (case.category, case.context, case.profile)
        assert (dialogue.arc, dialogue.ending, dialogue.split) == (case.arc, case.ending, None)
        origin = dialogue.provenance
        assert (origin.writer, origin.model, origin.mode, origin.seed) == ("scripted", "scripted-1", mode, case.seed)
        assert (origin.forecaster_revision, origin.package_version) == ("fixed", kmi.__version__)


def test_a_life_without_a_post_takes_the_one_that_was_written(run, make_case, scripted_writer):
    _, (dialogue,) = run(scripted_writer(), "plan", chosen=[make_case(context="")])
    assert dialogue.context.startswith("저녁마다 술을")


def test_tokens_and_requests_are_counted(run, scripted_writer):
    writer = scripted_writer(concurrency=2)
    report, dialogues = run(writer)
    assert report.asked == len(writer.requests) == sum(dialogue.turns for dialogue in dialogues)
    assert (report.prompt_tokens, report.output_tokens) == (7 * report.asked, 3 * report.asked)
    assert report.from_ledger == 0 and report.seconds > 0
    assert json.loads(json.dumps(report.to_dict()))["finished"] == 6


def test_as_many_sessions_run_at_once_as_the_writer_is_worth(run, scripted_writer):
    for concurrency, peak in [(1, 1), (4, 4), (100, 6)]:
        writer = scripted_writer(concurrency=concurrency)
        run(writer, out=f"run-{concurrency}")
        assert writer.peak == peak


def test_concurrency_does_not_change_the_dialogues(run, scripted_writer, mode):
    assert run(scripted_writer(concurrency=1), mode, "one")[1] == run(scripted_writer(concurrency=6), mode, "six")[1]


def test_a_run_that_is_over_asks_nothing(run, scripted_writer, mode):
    _, first = run(scripted_writer(), mode)
    writer = scripted_writer()
    report, second = run(writer, mode)
    assert (writer.requests, writer.prepared, report.already_over, report.sessions_done) == ([], 0, 6, 0)
    assert second == first


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("stop", [0, 1, 2, 17, 40, 77, 120])
def test_a_stopped_turn_run_goes_on_as_if_it_had_not(run, scripted_writer, tmp_path, stop, concurrency):
    _, whole = run(scripted_writer(concurrency=concurrency), out="whole")
    stopped = scripted_writer(before=stop_after(stop), concurrency=concurrency)
    with pytest.raises(WriterUnavailable, match="The server is gone"):
        run(stopped)
    resumed = scripted_writer(concurrency=concurrency)
    report, dialogues = run(resumed)
    assert dialogues == whole
    answered = [request.key for request in (*stopped.answered, *resumed.answered)]
    assert max(Counter(answered).values()) == 1
    assert len(stopped.answered) == stop
    assert report.asked == len(resumed.requests)


@pytest.mark.parametrize("stop", [0, 1, 3, 5])
def test_a_stopped_plan_run_goes_on_as_if_it_had_not(run, scripted_writer, stop):
    _, whole = run(scripted_writer(), "plan", "whole")
    stopped, resumed = scripted_writer(before=stop_after(stop)), scripted_writer()
    with pytest.raises(WriterUnavailable):
        run(stopped, "plan")
    assert run(resumed, "plan")[1] == whole
    assert len(stopped.answered) + len(resumed.answered) == 6


def test_a_run_stopped_many_times_asks_each_thing_once(run, scripted_writer):
    _, whole = run(scripted_writer(), out="whole")
    asked = Counter()
    for _ in range(100):
        writer = scripted_writer(before=stop_after(5), concurrency=3)
        try:
            _, dialogues = run(writer)
        except WriterUnavailable:
            dialogues = None
        asked.update(request.key for request in writer.answered)
        if dialogues:
            break
    assert dialogues == whole and max(asked.values()) == 1


def test_bad_answers_are_remembered_too(run, scripted_writer):
    """What was asked again before the stop is asked again from the ledger, not from the writer."""

    def bad(request):
        return "No." if request.id.endswith(("/4/0", "/9/0", "/9/1")) else None

    def before(request, number):
        stop_after(90)(request, number)
        return bad(request)

    _, whole = run(scripted_writer(before=lambda request, number: bad(request)), out="whole")
    stopped, resumed = scripted_writer(before=before, concurrency=2), scripted_writer(before=lambda request, number: bad(request))
    with pytest.raises(WriterUnavailable):
        run(stopped)
    report, dialogues = run(resumed)
    assert dialogues == whole and report.finished > 0
    assert not {request.key for request in stopped.answered} & {request.key for request in resumed.requests}


def test_an_unforeseen_fault_keeps_what_was_answered(run, scripted_writer, tmp_path):
    stopped = scripted_writer(before=stop_after(30, RuntimeError("a bug")))
    with pytest.raises((RuntimeError, ExceptionGroup)):
        run(stopped)
    assert stopped.closed == 1
    resumed = scripted_writer()
    run(resumed)
    assert not {request.key for request in stopped.answered} & {request.key for request in resumed.requests}


def test_a_request_that_cannot_be_answered_leaves_its_session_for_the_next_run(run, cases, scripted_writer):
    def refuse(request, number):
        if request.id == f"{cases[2].id}/6/0":
            raise WriterError("Request refused by the content filter.")

    writer = scripted_writer(before=refuse, concurrency=2)
    report, dialogues = run(writer)
    assert (report.finished, report.failed, report.unanswered) == (5, 0, 1)
    assert report.reasons == {"Request refused by the content filter.": 1}
    assert [dialogue.id for dialogue in dialogues] == [case.id for case in cases if case is not cases[2]]
    again = scripted_writer()
    report, dialogues = run(again)
    assert (report.finished, report.already_over, report.from_ledger) == (1, 5, 6)
    assert len(dialogues) == 6 and again.requests[0].id == f"{cases[2].id}/6/0"


def test_answers_that_come_later_are_waited_for(run, scripted_writer, tmp_path):
    def later(request, number):
        raise NotYet

    writer = scripted_writer(before=later, concurrency=2)
    report, dialogues = run(writer)
    assert (report.waiting, report.finished, report.failed, dialogues) == (6, 0, 0, [])
    assert failures(tmp_path) == []
    assert len(run(scripted_writer())[1]) == 6


def test_a_session_that_fails_is_kept_with_its_reason_and_not_tried_again(run, cases, scripted_writer, tmp_path):
    def spoil(request, number):
        return "I cannot." if request.id.startswith(f"{cases[1].id}/5/") else None

    report, dialogues = run(scripted_writer(before=spoil))
    assert (report.finished, report.failed) == (5, 1)
    (failure,) = failures(tmp_path)
    assert failure["id"] == cases[1].id and "turn 5 (client)" in failure["reason"] and "language" in failure["reason"]
    assert sum(report.reasons.values()) == 1
    writer = scripted_writer()
    report, again = run(writer)
    assert (report.already_over, writer.requests, again) == (6, [], dialogues)


@pytest.fixture
def many(make_case):
    return [make_case(id=f"post-{n:06d}-0000000{n % 10}", seed=40 + n) for n in range(HOPELESS_AFTER + 5)]


def test_a_model_of_which_nothing_is_usable_stops_the_run(run, many, scripted_writer, mode):
    writer = scripted_writer(answer=lambda messages: "I cannot.")
    with pytest.raises(WriterUnavailable, match=r"first 10 sessions failed before any .* session post-000009-00000009: .*failed the checks 3 times.*Choose a model .*another --out"):
        run(writer, mode, chosen=many)
    assert len(writer.requests) == 3 * HOPELESS_AFTER


def test_a_model_that_can_is_given_its_time_however_many_fail(run, many, scripted_writer, mode):
    """Where every session fails after a turn that held, or one finished before, failing is no verdict on the model."""
    held = many[0].id if mode == "plan" else "/0/"
    report, _ = run(scripted_writer(before=lambda request, number: None if held in request.id else "I cannot."), mode, chosen=many)
    assert report.failed == len(many) - (mode == "plan")


def test_what_finished_in_an_earlier_run_counts(run, many, scripted_writer, mode):
    with pytest.raises(WriterUnavailable):
        run(scripted_writer(before=lambda request, number: stop_after(0)(request, number) if many[0].id not in request.id else None), mode, chosen=many)
    report, _ = run(scripted_writer(answer=lambda messages: "I cannot."), mode, chosen=many)
    assert (report.already_over, report.failed) == (1, len(many) - 1)


def test_a_finished_session_is_checked_as_a_whole(run, cases, scripted_writer, tmp_path):
    """Each turn may pass and the session not: the safety question asks about something else."""

    def sidestep(request, number):
        asks = request.cue.crisis and request.cue.label == "Closed Question"
        return "T CQ | 요즘은 몇 시에 주무세요?" if asks else None

    report, _ = run(scripted_writer(before=sidestep))
    assert report.failed == 1
    (failure,) = failures(tmp_path)
    assert failure["id"] == cases[1].id and "safety_check" in failure["reason"]


def test_shares_cover_all_sessions_without_overlap(run, cases, scripted_writer, mode):
    _, whole = run(scripted_writer(), mode, "whole")
    writers = [scripted_writer() for _ in range(4)]
    reports = [run(writer, mode, "shared", process=n, processes=4)[0] for n, writer in enumerate(writers)]
    assert [report.finished for report in reports] == [2, 2, 1, 1]
    sessions = [{request.id.partition("/")[0] for request in writer.requests} for writer in writers]
    assert sum(map(len, sessions)) == len(set().union(*sessions)) == 6
    writer = scripted_writer()
    assert run(writer, mode, "shared")[1] == whole and writer.requests == []


def test_another_number_of_processes_may_go_on(run, scripted_writer):
    _, whole = run(scripted_writer(), out="whole")
    first = scripted_writer(before=stop_after(50))
    with pytest.raises(WriterUnavailable):
        run(first)
    second = [scripted_writer(), scripted_writer()]
    for n, writer in enumerate(second):
        _, dialogues = run(writer, process=n, processes=2)
    keys = [request.key for writer in (first, *second) for request in writer.answered]
    assert dialogues == whole and len(set(keys)) == len(keys)


def test_more_processes_than_sessions(run, cases, scripted_writer):
    report, _ = run(scripted_writer(), process=9, processes=10)
    assert (report.finished, report.already_over, report.asked) == (0, 0, 0)


def test_the_writer_is_prepared_once_and_always_closed(run, scripted_writer):
    writer = scripted_writer(concurrency=3)
    run(writer)
    assert (writer.prepared, writer.closed) == (1, 1)
    broken = scripted_writer()

    async def unreachable():
        raise WriterUnavailable("No server.", "Start one.")

    broken.prepare = unreachable
    with pytest.raises(WriterUnavailable, match="No server"):
        run(broken, out="other")
    assert broken.closed == 1 and broken.requests == []


def test_another_writer_is_refused_in_the_same_folder(run, scripted_writer):
    with pytest.raises(WriterUnavailable):
        run(scripted_writer(before=stop_after(10)))
    other = scripted_writer()
    other.describe = lambda: {"writer": "scripted", "model": "scripted-2"}
    with pytest.raises(ConfigError, match="other model: 'scripted-1' there, 'scripted-2' here"):
        run(other)
    assert other.requests == [] and other.closed == 1


def test_progress_is_told_after_every_answer_and_session(run, scripted_writer):
    seen = []
    report, _ = run(scripted_writer(concurrency=2), on_progress=lambda report: seen.append((report.asked, report.sessions_done)))
    assert seen == sorted(seen)
    assert [asked for asked, _ in seen if asked][-1] == report.asked
    assert {asked for asked, _ in seen} >= set(range(1, report.asked + 1))
    assert seen[-1][1] == 6


def test_half_a_character_in_an_answer_costs_one_session_at_most(run, cases, scripted_writer):
    def broken(request, number):
        return f"C {request.cue.talk} | 그건 반쪽 \ud83d 글자예요." if request.id.startswith(f"{cases[0].id}/3/") else None

    report, dialogues = run(scripted_writer(before=broken))
    assert report.finished + report.failed == 6
    assert [dialogue.id for dialogue in dialogues][-5:] == [case.id for case in cases[1:]]


def test_a_dialogue_names_the_models_that_wrote_it_and_no_other(run, cases, scripted_writer):
    """A server may answer under another name from one session to the next."""
    writer = scripted_writer()
    original = writer.write

    async def write(request):
        answer = await original(request)
        return Completion(answer.text, model=f"model-of-{request.id.partition('/')[0][-1]}")

    writer.write = write
    _, dialogues = run(writer)
    assert [dialogue.provenance.model for dialogue in dialogues] == [f"model-of-{case.id[-1]}" for case in cases]


def test_many_sessions_of_one_case_each_stand_alone(run, make_case, scripted_writer):
    """Equal posts have different ids; nothing is shared between their sessions."""
    twins = [make_case(id=f"post-{n:06d}-aaaaaaaa", seed=1) for n in range(4)]
    assert all(isinstance(case, Case) for case in twins)
    writer = scripted_writer(concurrency=4)
    _, dialogues = run(writer, chosen=twins)
    assert len({request.key for request in writer.requests}) == len(writer.requests)
    assert len({tuple(turn.utterance_ko for turn in dialogue.utterances) for dialogue in dialogues}) == 1
