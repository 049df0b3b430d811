"""Plain coders: logistic regression over TF-IDF of characters and of tokens. The baseline, and the checkpoint's teacher.

With some ten thousand coded turns these are hard to beat: n-grams of endings carry most of what a label is. So they teach:
the checkpoint learns their probabilities on the training turns (each turn from a teacher that has not seen its dialogue) and
on turns shortened and broken at random, of which there is no end.

Not covered: the checkpoint itself (`kmi.coder.training`).
"""

from collections.abc import Callable, Sequence

import numpy as np

from kmi.coder.text import COLUMNS, LABELS, Example

Classify = Callable[[Sequence[Example]], np.ndarray]
"""Turns to probabilities [n, 11] in the order of `LABELS`."""
# Half weight for the turn before, C = 3 for the balanced baseline and 5 for the teachers: the best of those tried.
BEFORE_WEIGHT, BASELINE_C, TEACHER_C = 0.5, 3.0, 5.0


def majority(training: Sequence[Example]) -> Classify:
    """Baseline: the labels' shares in training, whatever was said."""
    counts = np.bincount([example.label for example in training], minlength=len(LABELS)).astype(float)
    for columns in COLUMNS.values():
        counts[columns] /= max(1.0, counts[columns].sum())
    return lambda examples: np.tile(counts, (len(examples), 1))


def words(training: Sequence[Example]) -> Classify:
    """Baseline: words of the turn as the libraries take them by default; Korean words carry their endings, so it sees few twice."""
    return _by_role(training, _words)


def characters(training: Sequence[Example], *, c: float = BASELINE_C, balanced: bool = True) -> Classify:
    """Baseline: character n-grams (1-5 of the turn, 2-4 of the turn before), classes balanced; the strongest plain coder tried."""
    return _by_role(training, lambda of_role: _characters(of_role, c, balanced))


def teacher(training: Sequence[Example], tokenize: Callable[[str], list[str]]) -> Classify:
    """Mean of two coders: over `characters`, and over pairs of the checkpoint's own tokens; classes as they come."""
    of_characters = characters(training, c=TEACHER_C, balanced=False)
    of_tokens = _by_role(training, lambda of_role: _tokens(of_role, tokenize))
    return lambda examples: (of_characters(examples) + of_tokens(examples)) / 2


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


def _characters(training: Sequence[Example], c: float, balanced: bool) -> Callable:
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

    return _regression(features, training, c, balanced)


def _words(training: Sequence[Example]) -> Callable:
    from sklearn.feature_extraction.text import TfidfVectorizer

    text = TfidfVectorizer().fit(example.text for example in training)
    return _regression(lambda examples: text.transform(example.text for example in examples), training, 1.0, False)


def _tokens(training: Sequence[Example], tokenize: Callable[[str], list[str]]) -> Callable:
    from sklearn.feature_extraction.text import TfidfVectorizer

    text = TfidfVectorizer(analyzer="word", tokenizer=tokenize, token_pattern=None, lowercase=False, ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    text.fit(example.text for example in training)
    return _regression(lambda examples: text.transform(example.text for example in examples), training, TEACHER_C, False)


def _regression(features: Callable, training: Sequence[Example], c: float, balanced: bool) -> Callable:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=c, max_iter=300, class_weight="balanced" if balanced else None)
    model.fit(features(training), [example.label for example in training])
    return lambda examples: (model.predict_proba(features(examples)), model.classes_)
