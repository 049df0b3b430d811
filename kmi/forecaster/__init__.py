"""The MI forecaster: which of the 8 behaviours would a professional choose next?

    turns --features--> vector --model--> 8 probabilities --api--> ranked forecasts

- `cues`        surface cues of one utterance (length, question, breaking off), Korean or English
- `features`    the session so far as named numbers; `Turn` and `turns_of`
- `model`       the two ensembles and its config, saved and loaded the Hugging Face way
- `api`         `Forecaster`, what the simulation calls
- `training`    recipe, examples, fitting and calibration
- `gru`         a recurrent network as baseline; `ablation` hides parts of the input; `korean` measures on the dataset
- `crossval`    the five fixed folds and the report; `scripts/train_forecaster.py` runs them
- `evaluation`  the linear and boosted baselines and the table; the figures are in `kmi.metrics.forecasting`
- `card`        the model card, filled from the report

It learns professionals' choices from the 110 high-quality AnnoMI sessions (English), the Korean
register from the dataset, and reads labels, client talk types, lengths and position only, so
Korean sessions need no translation. A plan,
which has no words yet, is forecast from the rest: training hides all words of four
examples in ten. Importing this package loads no torch; `Forecaster.from_pretrained()`
does, and importing `kmi.forecaster.model` lets `AutoModel` of transformers load it too.

Not covered: choosing among the forecasts (`kmi.simulation.decision`), coding text.
"""

from kmi.forecaster.api import Forecaster
from kmi.forecaster.features import Turn, turns_of

__all__ = ["Forecaster", "Turn", "turns_of"]
