"""Ratings of MI spirit, principles, MITI globals and general quality, an `evaluate` module over `kmi.metrics.ratings`."""

import datasets
import evaluate

from kmi.metrics import module
from kmi.metrics.ratings import Rating
from kmi.metrics.ratings import ratings as summarise

_DESCRIPTION = """\
Means of 1-5 ratings of MI spirit, MI principles, the MITI 4.2.1 globals and general quality, with 95% intervals over dialogues,
Krippendorff's alpha and ICC(A,1) across raters; people's and models' ratings are reported apart.
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
    ratings: one record a rating: {"dialogue", "rater", "item", "score", "kind"}; items are those of `kmi.metrics.rubric`, scores
        1-5, kind "human" or "model".
    resamples: bootstrap resamples over dialogues for the 95% intervals, 0 for none.
    seed: of the bootstrap.
"""


@evaluate.utils.file_utils.add_start_docstrings(_DESCRIPTION, _ARGUMENTS)
class MiRatings(evaluate.Metric):
    """See the module's README for every figure, its range and its source."""

    def _info(self) -> evaluate.MetricInfo:
        text = datasets.Value("string")
        rating = {"dialogue": text, "rater": text, "item": text, "score": datasets.Value("float64"), "kind": text}
        return evaluate.MetricInfo(
            description=_DESCRIPTION, citation=_CITATION, inputs_description=_ARGUMENTS, features=datasets.Features({"ratings": rating})
        )

    def _compute(self, ratings, resamples=1000, seed=0):
        return module.plain(summarise([Rating(**rating) for rating in ratings], module.resampling(resamples, seed)))
