"""A case: who comes to a session, with which story, arc and ending. Seeded.

A post brings its own words and voice; what it does not say (readiness, resistance, arc,
ending) is drawn. Category, where the post carries none, is the nearest in the
catalogue of lives by character n-grams: a guess, good enough to steer a simulation.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from kmi.clients import catalogue
from kmi.clients.arcs import draw_arc
from kmi.clients.contexts import Post
from kmi.clients.danger import speaks_of_danger
from kmi.dialogue import ClientProfile


@dataclass(frozen=True, slots=True)
class Case:
    """Everything a session is planned from; equal cases and seeds give equal sessions."""

    id: str
    category: str
    context: str
    profile: ClientProfile
    arc: str
    ending: str
    seed: int


def cases_for_posts(posts: Sequence[Post], seed: int) -> Sequence[Case]:
    """One case per post, in order, each made when it is asked for. It depends on its own post and `seed` only."""
    return _Cases(posts, seed)


@dataclass(frozen=True, slots=True)
class _Cases(Sequence):
    """Not a list: a hundred thousand cases would take minutes to make, and a run that is resumed needs few of them."""

    posts: Sequence[Post]
    seed: int

    def __len__(self) -> int:
        return len(self.posts)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return _Cases(self.posts[index], self.seed)
        return case_for_post(self.posts[index], self.seed)


def case_for_post(post: Post, seed: int) -> Case:
    """The case of one post. Danger to life always takes the crisis arc."""
    rng = random.Random(f"{seed}/{post.id}")
    arc = draw_arc(rng, crisis=speaks_of_danger(post.context))
    # How the client talks is heard in the post itself; a drawn style would talk over it.
    drawn = replace(draw_axes(rng, post.profile), speech_style=post.profile.speech_style)
    return Case(
        id=post.id,
        category=post.category or nearest_category(post.context),
        context=post.context,
        profile=drawn,
        arc=arc.name,
        ending=arc.draw_ending(rng),
        seed=rng.randrange(2**31),
    )


def draw_axes(rng: random.Random, profile: ClientProfile) -> ClientProfile:
    """Fills readiness, resistance style and speech style where the profile leaves them empty."""
    age = catalogue.age_of(profile.age_band)
    styles = [style for style in catalogue.axes()["speech_style"] if _may_speak(style, profile, age)]
    draws = {
        "readiness": _weighted(rng, catalogue.axes()["readiness"])["id"],
        "resistance_style": _weighted(rng, catalogue.axes()["resistance_style"])["ko"],
        "speech_style": _weighted(rng, styles)["ko"],
    }
    return replace(profile, **{name: value for name, value in draws.items() if not getattr(profile, name)})


def _may_speak(style: dict, profile: ClientProfile, age: int | None) -> bool:
    """By age, and for a few styles (`needs`) only where the profile says where it comes from."""
    story = f"{profile.subtopic} {profile.occupation} {profile.presenting_problem}"
    told = "needs" not in style or any(word in story for word in style["needs"])
    return told and (age is None or style["age_bands_min"] <= age <= style["age_bands_max"])


def nearest_category(text: str) -> str:
    """The KMI category whose catalogue entries share most character 2-4-grams with `text`."""
    vectoriser, matrix, categories = _category_index()
    scores = (matrix @ vectoriser.transform([text]).T).toarray().ravel()
    best: dict[str, float] = {}
    for category in dict.fromkeys(categories):
        of_category = sorted((s for s, c in zip(scores, categories, strict=True) if c == category), reverse=True)
        best[category] = sum(of_category[:5])
    return max(best, key=best.__getitem__)


@cache
def _category_index():
    from sklearn.feature_extraction.text import TfidfVectorizer

    entries = catalogue.subtopics()
    texts = [" ".join((e.ko, *e.occupations, *e.problems, *e.ambivalence, *e.targets)) for e in entries]
    vectoriser = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True)
    return vectoriser, vectoriser.fit_transform(texts), [entry.category for entry in entries]


def _weighted(rng: random.Random, entries: list[dict]) -> dict:
    return rng.choices(entries, [entry["weight"] for entry in entries])[0]
