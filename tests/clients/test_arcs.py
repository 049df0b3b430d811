import random
from collections import Counter

import pytest

from kmi import codes
from kmi.clients.arcs import arcs, draw_arc

POSITIONS = [n / 40 for n in range(41)]


def test_there_is_every_arc_in_the_order_of_the_codes():
    assert tuple(arcs()) == tuple(codes.ARCS)


@pytest.mark.parametrize("name", codes.ARCS)
def test_probabilities_are_valid_at_every_place(name):
    for position in POSITIONS:
        chances = arcs()[name].talk_probabilities(position)
        assert tuple(chances) == codes.TALK_TYPES
        assert sum(chances.values()) == pytest.approx(1)
        assert min(chances.values()) >= 0.0


@pytest.mark.parametrize("name", codes.ARCS)
def test_curves_meet_their_written_points_and_go_straight_between(name):
    arc = arcs()[name]
    for n, value in enumerate(arc.change):
        assert arc.talk_probabilities(n / 4)["change"] == pytest.approx(value)
    assert arc.talk_probabilities(0.125)["sustain"] == pytest.approx((arc.sustain[0] + arc.sustain[1]) / 2)
    assert arc.talk_probabilities(-3) == arc.talk_probabilities(0)
    assert arc.talk_probabilities(7) == arc.talk_probabilities(1)


@pytest.mark.parametrize("name", codes.ARCS)
def test_numbers_have_the_right_shape_and_range(name):
    arc = arcs()[name]
    assert len(arc.change) == len(arc.sustain) == 5
    assert len(arc.endings) == 3 and sum(arc.endings) == pytest.approx(1) and min(arc.endings) >= 0
    assert 0 < arc.weight < 1 and 0.5 <= arc.planning_from < 1


def test_weights_sum_to_one():
    assert sum(arc.weight for arc in arcs().values()) == pytest.approx(1)


def test_arcs_move_as_their_names_say():
    change = {name: [arc.talk_probabilities(p)["change"] for p in (0, 0.25, 0.5, 0.75, 1)] for name, arc in arcs().items()}
    assert change["steady_growth"] == sorted(change["steady_growth"])
    assert change["relapse"][3] < change["relapse"][2] and arcs()["relapse"].sustain[3] > arcs()["relapse"].sustain[2]
    assert change["early_readiness"][1] == max(values[1] for values in change.values())
    assert max(change["flat"]) == min(max(values) for values in change.values())
    assert arcs()["argument"].sustain[0] == max(arc.sustain[0] for arc in arcs().values())
    assert arcs()["early_readiness"].planning_from == min(arc.planning_from for arc in arcs().values())


def test_flat_and_open_arcs_never_end_in_a_commitment():
    rng = random.Random(0)
    for name in ("flat", "open_ambivalence"):
        assert {arcs()[name].draw_ending(rng) for _ in range(500)} == {"partial", "none"}


def test_danger_always_takes_the_crisis_arc_and_nothing_else_does():
    rng = random.Random(1)
    assert {draw_arc(rng, crisis=True).name for _ in range(50)} == {"crisis"}
    assert {draw_arc(rng, crisis=False).name for _ in range(1000)} == set(codes.ARCS) - {"crisis"}


def test_arcs_are_drawn_by_weight():
    rng, draws = random.Random(2), 8000
    counts = Counter(draw_arc(rng, crisis=False).name for _ in range(draws))
    rest = 1 - arcs()["crisis"].weight
    for name in set(codes.ARCS) - {"crisis"}:
        share = arcs()[name].weight / rest
        assert counts[name] / draws == pytest.approx(share, abs=4 * (share * (1 - share) / draws) ** 0.5)


def test_endings_over_a_corpus_are_near_40_30_30():
    """The guide asks for about 40% commitment, 30% partial, 30% none."""
    shares = [sum(arc.weight * arc.endings[n] for arc in arcs().values()) for n in range(3)]
    assert shares == pytest.approx([0.42, 0.32, 0.26], abs=0.06)
