"""A corpus's worth of cases drawn from the catalogue of lives, with quotas. Seeded.

Quotas: sessions per category, an even spread over subtopics, arcs and endings by their
weights, the crisis arc only where a disclosure is plausible, the mandated arc only where
someone could have sent the client. Splits are drawn so that no subtopic-and-problem pair
stands on both sides.

Not covered: what is said in the sessions (`kmi.simulation`).
"""

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from kmi.clients.arcs import arcs
from kmi.clients.cases import Case, draw_axes
from kmi.clients.catalogue import Subtopic, subtopics
from kmi.codes import CATEGORIES, ENDINGS
from kmi.dialogue import ClientProfile
from kmi.errors import ConfigError

# Sessions per category of the 1,000; the 14 exemplars (two per category) are among them.
QUOTAS = {
    "정신건강": 150,
    "대인관계": 150,
    "자아·성격": 140,
    "취업·진로": 145,
    "학업·고시": 140,
    "중독·집착": 135,
    "가족": 140,
}
EXEMPLARS_PER_CATEGORY = 2
HELD_OUT = {"validation": 100, "test": 100}
MOST_PER_SUBTOPIC = 8
GENDER_WEIGHTS = {"여성": 0.45, "남성": 0.43, "미상": 0.12}


@dataclass(frozen=True, slots=True)
class Life:
    """A drawn case and the split it belongs to."""

    case: Case
    split: str


def draw_lives(seed: int, categories: Iterable[str] = tuple(QUOTAS)) -> list[Life]:
    """All lives of the corpus, in the order of their ids; the same seed gives the same lives.

    Each category is drawn on its own, so that a change in one leaves the others as they are.

    Args:
        seed: decides every draw.
        categories: which to draw; all by default.
    """
    quotas = {name: quota - EXEMPLARS_PER_CATEGORY for name, quota in QUOTAS.items()}
    held = {split: _apportion(count, quotas) for split, count in HELD_OUT.items()}
    return [
        life
        for category in categories
        for life in _draw_category(
            category, quotas[category], {split: held[split][category] for split in held}, random.Random(f"{seed}/{category}")
        )
    ]


def _draw_category(category: str, quota: int, held: dict[str, int], rng: random.Random) -> list[Life]:
    chosen = _subtopics(category, quota, rng)
    shapes = _match_shapes([subtopic for subtopic, _ in chosen], _shapes(quota, rng), rng)
    slug = CATEGORIES[category].slug.replace("_", "-")
    cases = [
        Case(
            id=f"kmi-{slug}-{number:03d}",
            category=category,
            context="",
            profile=_profile(subtopic, turn, arc, rng),
            arc=arc,
            ending=ending,
            seed=rng.randrange(2**31),
        )
        for number, ((subtopic, turn), (arc, ending)) in enumerate(zip(chosen, shapes, strict=True), start=1)
    ]
    # Who shares subtopic and problem must not be parted, whoever sent the client.
    twins = [(subtopic.id, turn % len(subtopic.problems)) for subtopic, turn in chosen]
    return _with_splits(cases, twins, held, rng)


def _subtopics(category: str, quota: int, rng: random.Random) -> list[tuple[Subtopic, int]]:
    """`quota` subtopics of a category, each as often as the others, with the count of its use."""
    own = [subtopic for subtopic in subtopics() if subtopic.category == category]
    if quota > len(own) * MOST_PER_SUBTOPIC:
        raise ConfigError(f"{category}: {quota} sessions need more than the {len(own)} subtopics of the catalogue.")
    rounds = [(subtopic, turn) for turn in range(MOST_PER_SUBTOPIC) for subtopic in rng.sample(own, len(own))]
    return rounds[:quota]


def _shapes(count: int, rng: random.Random) -> list[tuple[str, str]]:
    """`count` pairs of arc and ending in the proportions of their weights (largest remainders)."""
    weights = {
        (arc.name, ending): arc.weight * share
        for arc in arcs().values()
        for ending, share in zip(ENDINGS, arc.endings, strict=True)
    }
    counts = _apportion(count, weights)
    shapes = [pair for pair, n in counts.items() for _ in range(n)]
    rng.shuffle(shapes)
    return shapes


def _apportion(count: int, weights: dict) -> dict:
    """Whole numbers that sum to `count`, in proportion to the weights (largest remainders)."""
    exact = {key: count * weight / sum(weights.values()) for key, weight in weights.items()}
    counts = {key: int(value) for key, value in exact.items()}
    by_remainder = sorted(exact, key=lambda key: counts[key] - exact[key])
    for key in by_remainder[: count - sum(counts.values())]:
        counts[key] += 1
    return counts


def _match_shapes(chosen: list[Subtopic], shapes: list[tuple[str, str]], rng: random.Random) -> list[tuple[str, str]]:
    """Deals the shapes out, crisis and mandated first to those whom they can befall."""
    fits = {"crisis": lambda s: s.risk_plausible, "mandated": lambda s: bool(s.mandated_by)}
    dealt: list[tuple[str, str] | None] = [None] * len(chosen)
    for arc, fit in fits.items():
        special = [shape for shape in shapes if shape[0] == arc]
        able = [i for i, subtopic in enumerate(chosen) if dealt[i] is None and fit(subtopic)]
        if len(able) < len(special):
            raise ConfigError(f"The catalogue has too few subtopics for {len(special)} sessions of arc {arc!r}: {len(able)}.")
        for i, shape in zip(rng.sample(able, len(special)), special, strict=True):
            dealt[i] = shape
    rest = iter([shape for shape in shapes if shape[0] not in fits])
    return [shape or next(rest) for shape in dealt]


def _profile(subtopic: Subtopic, turn: int, arc: str, rng: random.Random) -> ClientProfile:
    """Rotates through the subtopic's problems, so that the same one comes again as late as possible."""
    genders = [gender for gender in GENDER_WEIGHTS if gender in subtopic.genders]
    sent_by = f" ({subtopic.mandated_by})" if arc == "mandated" else ""
    profile = ClientProfile(
        subtopic=subtopic.ko,
        age_band=rng.choice(subtopic.age_bands),
        gender=rng.choices(genders, [GENDER_WEIGHTS[gender] for gender in genders])[0],
        occupation=rng.choice(subtopic.occupations),
        presenting_problem=subtopic.problems[turn % len(subtopic.problems)] + sent_by,
        ambivalence=rng.choice(subtopic.ambivalence),
        target_behaviour=rng.choice(subtopic.targets),
        risk="회기 중에 위험이 드러남" if arc == "crisis" else "",
    )
    readiness = {"early_readiness": "preparation", "argument": "precontemplation", "mandated": "precontemplation"}.get(arc, "")
    return draw_axes(rng, replace(profile, readiness=readiness))


def _with_splits(cases: list[Case], twins: list[tuple], held: dict[str, int], rng: random.Random) -> list[Life]:
    """Held-out cases have a subtopic and problem of their own; arcs and endings are as in the whole."""
    count = Counter(twins)
    pool = [case for case, twin in zip(cases, twins, strict=True) if count[twin] == 1]
    if len(pool) < sum(held.values()):
        raise ConfigError(f"Only {len(pool)} cases of {cases[0].category} stand alone, {sum(held.values())} are to be held out.")
    rng.shuffle(pool)
    chosen: dict[str, list[Case]] = {split: [] for split in held}
    for _ in range(max(held.values())):
        for split in held:
            if len(chosen[split]) < held[split]:
                case = min(pool, key=lambda candidate: _unlikeness([*chosen[split], candidate], cases))
                pool.remove(case)
                chosen[split].append(case)
    of_case = {case.id: split for split, members in chosen.items() for case in members}
    return [Life(case, of_case.get(case.id, "train")) for case in cases]


def _unlikeness(part: list[Case], whole: list[Case]) -> float:
    """Squared distance of counts of arcs and endings in `part` from what `whole` leads to expect; 0 is alike."""
    distance = 0.0
    for of in ("arc", "ending"):
        expected, found = Counter(getattr(case, of) for case in whole), Counter(getattr(case, of) for case in part)
        distance += sum((found[value] - n * len(part) / len(whole)) ** 2 for value, n in expected.items())
    return distance
