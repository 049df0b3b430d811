import random
from collections import Counter
from dataclasses import asdict, replace

import pytest

from kmi.clients.cases import case_for_post, cases_for_posts, draw_axes, nearest_category
from kmi.clients.catalogue import age_of, axes, subtopics
from kmi.clients.contexts import SAMPLE_POSTS, Post, read_posts
from kmi.codes import ARCS, CATEGORIES, ENDINGS
from kmi.dialogue import ClientProfile

POSTS = [Post(f"post-{n:06d}-00000000", f"가게 일로 지쳐 갑니다 {n}", "취업·진로") for n in range(200)]


def test_the_same_posts_and_seed_give_the_same_cases():
    assert cases_for_posts(POSTS, 5) == cases_for_posts(POSTS, 5)


def test_another_seed_gives_other_cases_of_the_same_posts():
    one, other = cases_for_posts(POSTS, 5), cases_for_posts(POSTS, 6)
    assert [case.id for case in one] == [case.id for case in other]
    assert sum(a.seed != b.seed for a, b in zip(one, other, strict=True)) == len(POSTS)
    assert sum(a.arc != b.arc for a, b in zip(one, other, strict=True)) > len(POSTS) / 3


def test_a_case_depends_on_its_own_post_only():
    alone = case_for_post(POSTS[7], 5)
    assert cases_for_posts(POSTS, 5)[7] == alone
    assert cases_for_posts(POSTS[::-1], 5)[len(POSTS) - 8] == alone
    assert list(cases_for_posts([POSTS[7]], 5)) == [alone]


def test_seeds_of_cases_differ_and_fit_a_server():
    seeds = [case.seed for case in cases_for_posts(POSTS, 0)]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_cases_carry_the_post_and_known_codes():
    for post, case in zip(POSTS, cases_for_posts(POSTS, 1), strict=True):
        assert (case.id, case.context, case.category) == (post.id, post.context, post.category)
        assert case.arc in ARCS and case.ending in ENDINGS


def test_only_danger_takes_the_crisis_arc():
    cases = cases_for_posts(POSTS, 3)
    assert "crisis" not in {case.arc for case in cases} and len({case.arc for case in cases}) == len(ARCS) - 1
    dangerous = [replace(post, context=f"{post.context} 그냥 죽고 싶어요") for post in POSTS[:40]]
    assert {case.arc for case in cases_for_posts(dangerous, 3)} == {"crisis"}


def test_what_the_post_says_of_the_client_stays():
    said = ClientProfile(readiness="action", resistance_style="나만의 방식", speech_style="전보체", occupation="어부", gender="여성")
    assert case_for_post(replace(POSTS[0], profile=said), 0).profile == said


def test_only_axes_left_open_are_drawn():
    profile = case_for_post(replace(POSTS[0], profile=ClientProfile(readiness="action", occupation="어부")), 0).profile
    drawn = {name for name, value in asdict(profile).items() if value}
    assert drawn == {"readiness", "occupation", "resistance_style"}  # the voice is the post's own
    assert profile.readiness == "action"


def test_axes_are_drawn_by_weight():
    counts = Counter(case.profile.readiness for seed in range(15) for case in cases_for_posts(POSTS, seed))
    total = sum(counts.values())
    for entry in axes()["readiness"]:
        assert counts[entry["id"]] / total == pytest.approx(entry["weight"] / 100, abs=0.035)


@pytest.mark.parametrize(("band", "age"), [("30대 초반", 31), ("40대 중반", 45), ("20대 후반", 28), ("70대", 75), ("10대 후반", 18)])
def test_ages_of_bands(band, age):
    assert age_of(band) == age


@pytest.mark.parametrize("band", ["10대 중반", "70대"])
def test_speech_styles_fit_the_age(band):
    rng, age = random.Random(0), age_of(band)
    allowed = {style["ko"] for style in axes()["speech_style"] if style["age_bands_min"] <= age <= style["age_bands_max"]}
    drawn = {draw_axes(rng, ClientProfile(age_band=band)).speech_style for _ in range(300)}
    assert drawn <= allowed and len(drawn) > 3
    assert allowed < {style["ko"] for style in axes()["speech_style"]}




@pytest.mark.parametrize(
    "band", ["서른쯤", "", "성인", "30", "30대초반", "45세", "3", "90대", "12살"]
)
def test_any_age_a_person_types_gives_a_speech_style(band):
    assert draw_axes(random.Random(0), ClientProfile(age_band=band)).speech_style


def test_category_is_guessed_where_the_post_has_none():
    """A guess: the six samples, whose category is known, should mostly come out right."""
    posts = read_posts(SAMPLE_POSTS)
    right = sum(nearest_category(post.context) == post.category for post in posts)
    assert right >= 4
    assert case_for_post(replace(posts[0], category=""), 0).category in CATEGORIES


def test_catalogue_problems_come_out_in_their_own_category():
    sample = subtopics()[::9]
    right = sum(nearest_category(" ".join(entry.problems)) == entry.category for entry in sample)
    assert len(sample) >= 19 and right == len(sample)


def test_a_post_without_any_known_letter_still_gets_a_category():
    assert nearest_category("???") in CATEGORIES
