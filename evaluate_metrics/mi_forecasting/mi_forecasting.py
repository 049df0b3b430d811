"""Forecasts of the next therapist behaviour, an `evaluate` module over `kmi.metrics.forecasting`."""

import datasets
import evaluate

from kmi.metrics import forecasting, module

_DESCRIPTION = """\
Recall@3, accuracy, macro-F1 and F1 per label, log loss, perplexity and calibration error of forecasts of the next
therapist behaviour (8 labels), beside a prior and a label bigram fitted on given training sequences; 95% intervals.
"""
_CITATION = """\
@misc{kmi_dataset,
  title  = {KMI: Korean Motivational Interviewing dataset, models and toolkit},
  author = {{The KMI contributors}},
  year   = {2026}
}
"""

_ARGUMENTS = """
Args:
    predictions: for each therapist turn 8 probabilities in the order of `kmi.codes.THERAPIST_LABELS`, or a mapping of labels.
    references: the label that was realised, by name.
    dialogues: the dialogue of each turn; turns of one dialogue stand together and in order.
    training: lists of therapist labels, one a dialogue; given, prior and bigram are fitted on them.
    resamples: bootstrap resamples over dialogues for the 95% intervals, 0 for none.
    seed: of the bootstrap.
"""


@evaluate.utils.file_utils.add_start_docstrings(_DESCRIPTION, _ARGUMENTS)
class MiForecasting(evaluate.Metric):
    """See the module's README for every figure, its range and its source."""

    def _info(self) -> evaluate.MetricInfo:
        features = datasets.Features(
            {
                "predictions": datasets.List(datasets.Value("float64")),
                "references": datasets.Value("string"),
                "dialogues": datasets.Value("string"),
            }
        )
        return evaluate.MetricInfo(description=_DESCRIPTION, citation=_CITATION, inputs_description=_ARGUMENTS, features=features)

    def add_batch(self, *, predictions=None, references=None, dialogues=None):
        """Adds forecasts, as vectors or as mappings of labels."""
        rows = [forecasting.vector(row, f"forecast {i}") for i, row in enumerate(predictions)]
        super().add_batch(predictions=rows, references=list(references), dialogues=list(map(str, dialogues)))

    def _compute(self, predictions, references, dialogues, training=(), resamples=1000, seed=0):
        labels = [forecasting.label_index(name, f"reference {i}") for i, name in enumerate(references)]
        found = forecasting.forecasting(predictions, labels, dialogues, training=training, resampling=module.resampling(resamples, seed))
        return {method: {name: value.to_dict() for name, value in scores.items()} for method, scores in found.items()}
