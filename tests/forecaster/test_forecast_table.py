import numpy as np
import pytest

from kmi.forecaster.evaluation import logistic_regression, table
from kmi.metrics.forecasting import Scores


def test_table_is_markdown():
    scores = Scores(accuracy=0.3, macro_f1=0.2, recall_at_3=0.7, perplexity=5.317, ece=0.02)
    assert table([("ours", scores)]).splitlines()[-1] == "| ours | 0.300 | 0.200 | 0.700 | 5.32 | 0.020 |"


def test_logistic_regression_gives_every_label_a_column():
    rng = np.random.default_rng(0)
    labels = np.array([0, 3] * 20)
    probabilities = logistic_regression(rng.normal(size=(40, 5)) + labels[:, None], labels, np.array([[0.0] * 5, [3.0] * 5]))
    assert probabilities.shape == (2, 8) and probabilities.sum(1) == pytest.approx([1, 1])
    assert probabilities.argmax(1).tolist() == [0, 3]
