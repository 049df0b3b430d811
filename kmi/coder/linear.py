"""Plain coders: logistic regression over TF-IDF of characters and of tokens. The baseline, and the checkpoint's teacher.

With some ten thousand coded turns these are hard to beat: n-grams of endings carry most of what a label is. So they teach:
the checkpoint learns their probabilities on the training turns (each turn from a teacher that has not seen its dialogue) and
on turns shortened and broken at random, of which there is no end.

Not covered: the checkpoint itself (`kmi.coder.training`).
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from kmi.coder.text import COLUMNS, LABELS, Example

Classify = Callable[[Sequence[Example]], np.ndarray]
"""Turns to probabilities [n, 11] in the order of `LABELS`."""
# Half weight for the turn before: the best of those tried.
BEFORE_WEIGHT = 0.5


@dataclass(frozen=True, slots=True)
class Regression:
    """A logistic regression: inverse penalty `c`, classes `balanced` or as they come, at most `steps` of its solver."""

    c: float
    balanced: bool
    steps: int


BASELINE = Regression(c=3.0, balanced=True, steps=300)
PLAIN = Regression(c=1.0, balanced=False, steps=300)
# Teachers stop early: 300 steps take twice as long and code held-out turns about as well. Balanced classes find the rare labels, classes
# as they come the shares; their mean codes therapists better than either, clients about as well.
TEACHERS = (Regression(c=5.0, balanced=False, steps=50), Regression(c=3.0, balanced=True, steps=60))


def majority(training: Sequence[Example]) -> Classify:
    """Baseline: the labels' shares in training, whatever was said."""
    counts = np.bincount([example.label for example in training], minlength=len(LABELS)).astype(float)
    for columns in COLUMNS.values():
        counts[columns] /= max(1.0, counts[columns].sum())
    return lambda examples: np.tile(counts, (len(examples), 1))


def words(training: Sequence[Example]) -> Classify:
    """Baseline: words of the turn as the libraries take them by default; Korean words carry their endings, so it sees few twice."""
    return _by_role(training, _words)


def characters(training: Sequence[Example]) -> Classify:
    """Baseline: character n-grams (1-5 of the turn, 2-4 of the turn before), classes balanced; the strongest plain coder tried."""
    return _by_role(training, lambda of_role: _characters(of_role, [BASELINE]))


def teacher(training: Sequence[Example], tokenize: Callable[[str], list[str]]) -> Classify:
    """Mean of coders over `characters` and over pairs of the checkpoint's own tokens."""
    of_characters = _by_role(training, lambda of_role: _characters(of_role, TEACHERS))
    of_tokens = _by_role(training, lambda of_role: _tokens(of_role, tokenize))
    share = len(TEACHERS) / (len(TEACHERS) + 1)
    return lambda examples: share * of_characters(examples) + (1 - share) * of_tokens(examples)


def _by_role(training: Sequence[Example], fit: Callable[[Sequence[Example]], Callable]) -> Classify:
    """One model per speaker, each filling its own columns."""
    models = {role: fit(of_role) for role in COLUMNS if (of_role := [example for example in training if example.role == role])}

    def classify(examples: Sequence[Example]) -> np.ndarray:
        probabilities = np.zeros((len(examples), len(LABELS)))
        for role, predict in models.items():
            rows = [i for i, example in enumerate(examples) if example.role == role]
            if rows:
                found, classes = predict([examples[i] for i in rows])
                probabilities[np.ix_(rows, classes)] = found
        return probabilities

    return classify


def _characters(training: Sequence[Example], regressions: Sequence[Regression]) -> Callable:
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfVectorizer

    text = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 5), min_df=2, sublinear_tf=True, max_features=150_000)
    before = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), min_df=3, sublinear_tf=True, max_features=50_000)
    text.fit(example.text for example in training)
    try:
        before.fit(example.before for example in training)
    except ValueError:  # too little text before to learn anything from
        before = None

    def features(examples: Sequence[Example]):
        parts = [text.transform(example.text for example in examples)]
        if before is not None:
            parts.append(before.transform(example.before for example in examples) * BEFORE_WEIGHT)
        return hstack(parts).tocsr()

    return _regression(features, training, regressions)


def _words(training: Sequence[Example]) -> Callable:
    from sklearn.feature_extraction.text import TfidfVectorizer

    text = TfidfVectorizer().fit(example.text for example in training)
    return _regression(lambda examples: text.transform(example.text for example in examples), training, [PLAIN])


def _tokens(training: Sequence[Example], tokenize: Callable[[str], list[str]]) -> Callable:
    from sklearn.feature_extraction.text import TfidfVectorizer

    text = TfidfVectorizer(analyzer="word", tokenizer=tokenize, token_pattern=None, lowercase=False, ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    text.fit(example.text for example in training)
    return _regression(lambda examples: text.transform(example.text for example in examples), training, TEACHERS[:1])


def _regression(features: Callable, training: Sequence[Example], regressions: Sequence[Regression]) -> Callable:
    """Mean of several regressions over the same features."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    known, labels = features(training), [example.label for example in training]
    models = []
    for one in regressions:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            models.append(LogisticRegression(C=one.c, max_iter=one.steps, class_weight="balanced" if one.balanced else None).fit(known, labels))

    def predict(examples: Sequence[Example]) -> tuple[np.ndarray, np.ndarray]:
        given = features(examples)
        return np.mean([model.predict_proba(given) for model in models], axis=0), models[0].classes_

    return predict
