"""Agreement of coders, an `evaluate` module over `kmi.metrics.agreement`."""

import datasets
import evaluate

from kmi.metrics import agreement, module

_DESCRIPTION = """\
How far coders agree on codes: Cohen's kappa (two coders), Fleiss' kappa and Krippendorff's alpha (any number), overall and
per code, raw agreement and, for two coders, the confusion table; 95% intervals.
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
    codes: for each utterance the codes of all coders, "" where one gave none.
    dialogues: the dialogue of each utterance, what the bootstrap draws; left out, utterances are drawn one by one.
    names: the codes allowed, in order; by default those that occur.
    resamples: bootstrap resamples for the 95% intervals, 0 for none.
    seed: of the bootstrap.
"""


@evaluate.utils.file_utils.add_start_docstrings(_DESCRIPTION, _ARGUMENTS)
class MiAgreement(evaluate.Metric):
    """See the module's README for every figure, its range and its source."""

    def _info(self) -> evaluate.MetricInfo:
        features = datasets.Features({"codes": datasets.List(datasets.Value("string")), "dialogues": datasets.Value("string")})
        return evaluate.MetricInfo(description=_DESCRIPTION, citation=_CITATION, inputs_description=_ARGUMENTS, features=features)

    def add_batch(self, *, codes=None, dialogues=None, predictions=None, references=None):
        """Adds utterances; without `dialogues` each is drawn by itself."""
        rows = [[code or "" for code in row] for row in codes]
        places = list(map(str, dialogues)) if dialogues is not None else [""] * len(rows)
        super().add_batch(codes=rows, dialogues=places)

    def _compute(self, codes, dialogues, names=(), resamples=1000, seed=0):
        places = dialogues if any(dialogues) else None
        return agreement.report(agreement.codings(codes, places, names), module.resampling(resamples, seed))
