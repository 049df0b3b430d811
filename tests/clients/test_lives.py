"""The draw of a whole corpus: quotas, spread, splits."""

from collections import Counter

import pytest

from kmi.clients.lives import EXEMPLARS_PER_CATEGORY, HELD_OUT, MOST_PER_SUBTOPIC, QUOTAS, draw_lives
from kmi.codes import ARCS, CATEGORIES


@pytest.fixture(scope="module")
def lives():
    return draw_lives(2026)


def test_quotas_are_met_and_ids_are_unique(lives):
    per_category = Counter(life.case.category for life in lives)
    assert per_category == {name: quota - EXEMPLARS_PER_CATEGORY for name, quota in QUOTAS.items()}
    assert sum(QUOTAS.values()) == 1000 and set(QUOTAS) == set(CATEGORIES)
    assert len({life.case.id for life in lives}) == len(lives)


def test_no_subtopic_is_worn_out(lives):
    counts = Counter((life.case.category, life.case.profile.subtopic) for life in lives)
    assert max(counts.values()) <= MOST_PER_SUBTOPIC
    assert max(counts.values()) - min(counts.values()) <= 1 + 1  # categories differ in quota, not within


def test_arcs_and_endings_have_their_shares(lives):
    arcs = Counter(life.case.arc for life in lives)
    assert set(arcs) == set(ARCS)
    assert min(arcs.values()) >= 0.05 * len(lives)
    assert 0.05 <= arcs["crisis"] / len(lives) <= 0.08
    endings = Counter(life.case.ending for life in lives)
    for ending, share in {"commitment": 0.4, "partial": 0.3, "none": 0.3}.items():
        assert abs(endings[ending] / len(lives) - share) <= 0.04


def test_crisis_and_mandate_befall_only_whom_they_can(lives):
    from kmi.clients.catalogue import subtopics

    by_name = {(subtopic.category, subtopic.ko): subtopic for subtopic in subtopics()}
    for life in lives:
        subtopic = by_name[(life.case.category, life.case.profile.subtopic)]
        assert life.case.arc != "crisis" or (subtopic.risk_plausible and life.case.profile.risk)
        assert life.case.arc != "mandated" or subtopic.mandated_by in life.case.profile.presenting_problem


def test_splits_have_their_sizes_and_share_no_twin(lives):
    splits = Counter(life.split for life in lives)
    assert {name: splits[name] for name in HELD_OUT} == HELD_OUT
    keys = {
        split: {(life.case.profile.subtopic, life.case.profile.presenting_problem) for life in lives if life.split == split}
        for split in ("train", *HELD_OUT)
    }
    assert not keys["train"] & keys["validation"] and not keys["train"] & keys["test"] and not keys["validation"] & keys["test"]


@pytest.mark.parametrize("split", list(HELD_OUT))
def test_held_out_splits_look_like_the_whole(lives, split):
    held = [life.case for life in lives if life.split == split]
    for of in ("category", "arc", "ending"):
        whole = Counter(getattr(life.case, of) for life in lives)
        part = Counter(getattr(case, of) for case in held)
        for value, count in whole.items():
            assert abs(part[value] / len(held) - count / len(lives)) <= 0.08, (of, value)


def test_the_same_seed_gives_the_same_lives_and_categories_do_not_touch_each_other(lives):
    family = [life for life in lives if life.case.category == "가족"]
    assert draw_lives(2026, ["가족"]) == family
    assert draw_lives(2027, ["가족"]) != family


def test_no_problem_of_a_subtopic_stands_on_both_sides_whoever_sent_the_client(lives):
    from kmi.clients.catalogue import subtopics

    problems = {(entry.category, entry.ko): entry.problems for entry in subtopics()}
    sides = {}
    for life in lives:
        key = (life.case.category, life.case.profile.subtopic)
        problem = next(problem for problem in problems[key] if life.case.profile.presenting_problem.startswith(problem))
        sides.setdefault((*key, problem), set()).add(life.split)
    assert [key for key, splits in sides.items() if len(splits) > 1] == []
