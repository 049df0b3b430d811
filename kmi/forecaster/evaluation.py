"""What a forecaster is compared with beside the plain baselines, the figures of several methods, and their table.

Not covered: the figures themselves and the plain baselines (`kmi.metrics.forecasting`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np

from kmi.codes import THERAPIST_LABELS
from kmi.metrics import forecasting
from kmi.metrics.forecasting import Scores


def logistic_regression(train_features: np.ndarray, train_labels: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Baseline: a linear model over the forecaster's own standardised features."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    # C = 0.003 was the best of .001, .003, .01 on the same five folds: a baseline at its best.
    return _fitted(make_pipeline(StandardScaler(), LogisticRegression(C=0.003, max_iter=500)), train_features, train_labels, features)


def boosting(train_features: np.ndarray, train_labels: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Baseline: gradient-boosted trees over the forecaster's own features."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    # The better of three settings on the same five folds: a baseline at its best.
    settings = {"max_iter": 150, "learning_rate": 0.03, "max_leaf_nodes": 4, "min_samples_leaf": 20, "l2_regularization": 10.0, "max_features": 0.2}
    return _fitted(HistGradientBoostingClassifier(random_state=0, **settings), train_features, train_labels, features)


def _fitted(model, train_features: np.ndarray, train_labels: np.ndarray, features: np.ndarray) -> np.ndarray:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # many threads on so small a problem only wait for each other
        known = model.fit(train_features, train_labels).predict_proba(features)
    probabilities = np.zeros((len(features), len(THERAPIST_LABELS)))
    probabilities[:, model.classes_] = known  # a label absent from training has no column
    return probabilities


def figures_of(methods: Mapping[str, np.ndarray], ours: str, labels: np.ndarray, sessions: np.ndarray) -> dict:
    """Figures of every method's forecasts [n, 8] as plain data, overall and on targets other than General; of `ours` also by label, by
    bin of its own sureness, and with 95% intervals from a bootstrap over `sessions` [n]."""
    scored = forecasting.forecasting(methods[ours], labels, sessions.tolist())["forecast"]
    return {
        "forecasts": len(labels),
        "overall": {name: asdict(forecasting.score(rows, labels)) for name, rows in methods.items()},
        "without_general": {name: asdict(forecasting.score(*forecasting.without_general(rows, labels))) for name, rows in methods.items()},
        "by_label": forecasting.per_label(methods[ours], labels),
        "reliability": forecasting.reliability(methods[ours], labels),
        "intervals": {name: [scored[name].low, scored[name].high] for name in Scores.__slots__},
    }


def table(rows: Sequence[tuple[str, Scores]]) -> str:
    """A Markdown table of methods and their scores."""
    lines = ["| method | accuracy | macro-F1 | recall@3 | perplexity | ECE |", "|---|---|---|---|---|---|"]
    for name, scores in rows:
        cells = [f"{scores.accuracy:.3f}", f"{scores.macro_f1:.3f}", f"{scores.recall_at_3:.3f}"]
        lines.append(f"| {name} | {' | '.join(cells)} | {scores.perplexity:.2f} | {scores.ece:.3f} |")
    return "\n".join(lines)
