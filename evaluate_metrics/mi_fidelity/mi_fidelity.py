"""MI fidelity of labelled dialogues, an `evaluate` module over `kmi.metrics.fidelity`."""

import evaluate

from kmi.metrics import fidelity, module

_DESCRIPTION = """\
Behaviour counts of the therapist, reflection-to-question ratio, complex and open shares, the shares that MITI 4.2.1, MITI 3.1 and
MISC 2.5 define, threshold verdicts, and the distance of the label distribution to professional sessions; 95% intervals.
"""
_CITATION = """\
@misc{kmi_dataset,
  title  = {KMI: Korean Motivational Interviewing dataset, models and toolkit},
  author = {{The KMI contributors}},
  year   = {2026}
}
"""

_ARGUMENTS = module.INPUTS + """    bands: also give what AnnoMI high and low and the reference release score.
"""


@evaluate.utils.file_utils.add_start_docstrings(_DESCRIPTION, _ARGUMENTS)
class MiFidelity(module.DialogueModule):
    """See the module's README for every figure, its range and its source."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(description=_DESCRIPTION, citation=_CITATION, inputs_description=_ARGUMENTS, features=module.DIALOGUES)

    def _compute(self, dialogues, scheme="kmi", coder=None, bands=False, resamples=1000, seed=0):
        coded = module.coded(dialogues, scheme, coder)
        return module.with_bands(fidelity.fidelity(coded, module.resampling(resamples, seed)).to_dict(), bands)
