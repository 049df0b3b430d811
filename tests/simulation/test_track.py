import random
from collections import Counter

import pytest

from kmi.clients.arcs import arcs, draw_arc
from kmi.clients.cases import Case
from kmi.codes import ARCS, ENDINGS, PROCESSES, TALK_TYPES
from kmi.dialogue import ClientProfile
from kmi.simulation.track import LENGTHS, draw_track

MOBILISED = {"commitment", "activation"}


def case(arc, ending, seed=0):
    return Case(f"c{seed}", "가족", "", ClientProfile(), arc, ending, seed)


def tracks(arc, ending, count=60):
    return [draw_track(case(arc, ending), random.Random(f"{arc}/{ending}/{n}")) for n in range(count)]


@pytest.fixture(scope="module")
def corpus():
    """400 tracks as a corpus draws them: arcs by weight, endings by arc."""
    rng = random.Random(400)
    drawn = []
    for n in range(400):
        arc = draw_arc(rng, crisis=rng.random() < arcs()["crisis"].weight)
        drawn.append((arc.name, draw_track(case(arc.name, arc.draw_ending(rng), n), rng)))
    return drawn


@pytest.fixture(scope="module", params=[(arc, ending) for arc in ARCS for ending in ENDINGS], ids="/".join)
def shape(request):
    arc, ending = request.param
    return arc, ending, tracks(arc, ending)


def test_lengths_are_odd_and_of_the_table(shape):
    for track in shape[2]:
        assert track.length in LENGTHS and track.length % 2 == 1 and 17 <= track.length <= 31
        assert len(track.clients) == track.length // 2
        assert track.therapist_turns == len(track.clients) + 1
        assert len(track.processes) == track.length


def test_client_steps_are_known_codes_and_only_change_talk_has_a_subtype(shape):
    for track in shape[2]:
        for step in track.clients:
            assert step.talk in TALK_TYPES
            assert step.talk == "change" or step.subtype is None
            assert step.code == (f"change/{step.subtype}" if step.subtype else step.talk)


def test_processes_come_in_order_and_planning_only_where_something_is_agreed(shape):
    _, ending, drawn = shape
    order = list(PROCESSES)
    for track in drawn:
        places = [order.index(process) for process in track.processes]
        assert places == sorted(places)
        assert set(track.processes) >= {"engaging", "focusing", "evoking"}
        if ending == "none":
            assert "planning" not in track.processes


def test_a_commitment_ending_closes_with_a_commitment(shape):
    _, ending, drawn = shape
    for track in drawn:
        last_two = [step.subtype for step in track.clients[-2:]]
        all_subtypes = [step.subtype for step in track.clients]
        if ending == "commitment":
            assert "commitment" in last_two
        elif ending == "partial":
            assert {"activation", "ability"} & set(last_two)
            assert "commitment" not in all_subtypes
        else:
            assert not MOBILISED & set(all_subtypes)
            assert track.clients[-1].talk != "change"


def test_only_a_crisis_discloses_danger_once_and_early_enough(shape):
    arc, _, drawn = shape
    for track in drawn:
        places = [n for n, step in enumerate(track.clients) if step.discloses_danger]
        if arc != "crisis":
            assert places == []
        else:
            (place,) = places
            assert track.clients[place].talk == "neutral"
            assert len(track.clients) / 4 - 1 <= place <= len(track.clients) / 2
            # Two safety turns of the therapist, and three turns after them at least.
            assert track.therapist_turns - (place + 3) >= 2


def test_corrections_are_single_not_in_a_crisis_and_have_a_reflection_before_them(shape):
    arc, _, drawn = shape
    for track in drawn:
        places = [n for n, step in enumerate(track.clients) if step.corrects_reflection]
        assert len(places) <= (0 if arc == "crisis" else 1)
        assert arc != "misattuned_repair" or len(places) == 1
        for place in places:
            assert 1 <= place <= len(track.clients) - 4
            assert track.clients[place].talk != "change"


def test_mobilising_talk_comes_late(shape):
    for track in shape[2]:
        first = next((n for n, step in enumerate(track.clients) if step.subtype in MOBILISED), None)
        assert first is None or first >= 0.66 * (len(track.clients) - 1) - 1e-9


def test_the_same_case_and_generator_give_the_same_track():
    for arc in ARCS:
        assert draw_track(case(arc, "partial"), random.Random(5)) == draw_track(case(arc, "partial"), random.Random(5))
    different = {draw_track(case("flat", "none"), random.Random(n)) for n in range(30)}
    assert len(different) == 30


def test_early_readiness_plans_before_relapse():
    starts = {arc: [t.processes.index("planning") / t.length for t in tracks(arc, "partial") if "planning" in t.processes] for arc in ("early_readiness", "relapse")}
    assert max(starts["early_readiness"]) < min(starts["relapse"])
    assert len(starts["early_readiness"]) == 60


def test_corpus_lengths_follow_their_weights(corpus):
    counts = Counter(track.length for _, track in corpus)
    assert set(counts) == set(LENGTHS)
    assert 23 <= sum(track.length for _, track in corpus) / 400 <= 26


def test_corpus_talk_stays_in_its_bands(corpus):
    """Bands of the design: change .33-.52, sustain .18-.32; change talk grows from first to last third."""
    steps = [(n / len(track.clients), step.talk) for _, track in corpus for n, step in enumerate(track.clients)]

    def share(talk, low=0.0, high=1.0):
        inside = [found for place, found in steps if low <= place < high]
        return inside.count(talk) / len(inside)

    assert 0.33 <= share("change") <= 0.52
    assert 0.18 <= share("sustain") <= 0.32
    assert share("change", high=1 / 3) <= 0.22
    assert 0.45 <= share("change", low=2 / 3) <= 0.75


def test_about_a_third_of_the_corpus_corrects_a_reflection(corpus):
    corrected = sum(any(step.corrects_reflection for step in track.clients) for _, track in corpus)
    assert 0.27 <= corrected / 400 <= 0.45


def test_every_arc_occurs_in_the_corpus(corpus):
    assert {arc for arc, _ in corpus} == set(ARCS)
