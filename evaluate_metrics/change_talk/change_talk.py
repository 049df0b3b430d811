"""Client change and sustain talk, an `evaluate` module over `kmi.metrics.change_talk`."""

import evaluate

from kmi.metrics import change_talk, module

_DESCRIPTION = """\
How much change and sustain talk clients voice, how it moves over a session, of which kind it is (DARN-CAT), where it first
comes, whether sustain talk returns after it, and whether sessions end in commitment; 95% intervals.
"""
_CITATION = """\
@misc{kmi_dataset,
  title  = {KMI: Korean Motivational Interviewing dataset, models and toolkit},
  author = {{The KMI contributors}},
  year   = {2026}
}
"""

_ARGUMENTS = module.INPUTS + """    bands: also give what AnnoMI high and low score.
"""


@evaluate.utils.file_utils.add_start_docstrings(_DESCRIPTION, _ARGUMENTS)
class ChangeTalk(module.DialogueModule):
    """See the module's README for every figure, its range and its source."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(description=_DESCRIPTION, citation=_CITATION, inputs_description=_ARGUMENTS, features=module.DIALOGUES)

    def _compute(self, dialogues, scheme="kmi", coder=None, bands=False, resamples=1000, seed=0):
        coded = module.coded(dialogues, scheme, coder)
        return module.with_bands(change_talk.change_talk(coded, module.resampling(resamples, seed)).to_dict(), bands)
