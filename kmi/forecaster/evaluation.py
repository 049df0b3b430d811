"""What a forecaster is compared with beside the plain baselines, and the table of methods.

Not covered: the figures and the plain baselines (`kmi.metrics.forecasting`).
"""

from collections.abc import Sequence

import numpy as np

from kmi.codes import THERAPIST_LABELS
from kmi.metrics.forecasting import Scores


def logistic_regression(train_features: np.ndarray, train_labels: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Baseline: a linear model over the forecaster's own standardised features."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    # C = 0.003 was the best of .001, .003, .01 on the same five folds: a baseline at its best.
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.003, max_iter=500))
    with threadpool_limits(1):  # many threads on so small a problem only wait for each other
        known = model.fit(train_features, train_labels).predict_proba(features)
    probabilities = np.zeros((len(features), len(THERAPIST_LABELS)))
    probabilities[:, model.classes_] = known  # a label absent from training has no column
    return probabilities


def boosting(train_features: np.ndarray, train_labels: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Baseline: gradient-boosted trees over the forecaster's own features."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    # The better of three settings on the same five folds: a baseline at its best.
    settings = {"max_iter": 150, "learning_rate": 0.03, "max_leaf_nodes": 4, "min_samples_leaf": 20, "l2_regularization": 10.0, "max_features": 0.2}
    model = HistGradientBoostingClassifier(random_state=0, **settings)
    with threadpool_limits(1):
        known = model.fit(train_features, train_labels).predict_proba(features)
    probabilities = np.zeros((len(features), len(THERAPIST_LABELS)))
    probabilities[:, model.classes_] = known
    return probabilities


def table(rows: Sequence[tuple[str, Scores]]) -> str:
    """A Markdown table of methods and their scores."""
    lines = ["| method | accuracy | macro-F1 | recall@3 | perplexity | ECE |", "|---|---|---|---|---|---|"]
    for name, scores in rows:
        cells = [f"{scores.accuracy:.3f}", f"{scores.macro_f1:.3f}", f"{scores.recall_at_3:.3f}"]
        lines.append(f"| {name} | {' | '.join(cells)} | {scores.perplexity:.2f} | {scores.ece:.3f} |")
    return "\n".join(lines)
