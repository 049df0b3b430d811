"""What clients say after each therapist behaviour, an `evaluate` module over `kmi.metrics.sequences`."""

import evaluate

from kmi.metrics import module, sequences

_DESCRIPTION = """\
Transition table from therapist behaviour to client talk, P(change talk | behaviour), odds ratio and Yule's Q, the same for
sustain talk, at lag 1 to 3 client turns; 95% intervals.
"""
_CITATION = """\
@misc{kmi_dataset,
  title  = {KMI: Korean Motivational Interviewing dataset, models and toolkit},
  author = {{The KMI contributors}},
  year   = {2026}
}
"""

_ARGUMENTS = module.INPUTS + """    lag: 1 (the next client turn) to 3.
"""


@evaluate.utils.file_utils.add_start_docstrings(_DESCRIPTION, _ARGUMENTS)
class MiSequences(module.DialogueModule):
    """See the module's README for every figure, its range and its source."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(description=_DESCRIPTION, citation=_CITATION, inputs_description=_ARGUMENTS, features=module.DIALOGUES)

    def _compute(self, dialogues, scheme="kmi", coder=None, lag=1, resamples=1000, seed=0):
        coded = module.coded(dialogues, scheme, coder)
        return sequences.sequences(coded, lag, module.resampling(resamples, seed)).to_dict()
