"""The forecaster's network: two ensembles of small perceptrons over one feature vector.

One has learned from professionals, the other from the dataset's Korean counsellors; a session in Hangul is forecast by the
second, everything else, plans too, by the first. (One ensemble for both lost .03 recall@3 on professionals' sessions.) Each
member sees the standardised features through one hidden layer; the members' probabilities are averaged and sharpened or
flattened by a temperature. All members run in one batched product, so a forecast costs well under a millisecond. Mean and
deviation of the features are buffers: the checkpoint needs no side file.

Importing this module registers both classes, so that `AutoConfig` and `AutoModel` of
transformers load the checkpoint too.

Not covered: making the features (`kmi.forecaster.features`), fitting (`kmi.forecaster.training`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel
from transformers.utils import ModelOutput

from kmi.codes import THERAPIST_LABELS
from kmi.forecaster.features import FEATURE_NAMES, HANGUL_FEATURE


class ForecasterConfig(PretrainedConfig):
    """Shape of the two ensembles.

    Args:
        feature_names: the features in input order, kept so that a checkpoint of another
            feature set is refused instead of misread.
        members: number of perceptrons in each.
        hidden_size: hidden units of each.
        clip: standardised features are cut to [-clip, clip]; a session unlike all of
            training then cannot push a forecast to 0 or 1.
        temperature_with_text: divides the professionals' averaged log-probabilities where
            words of the session are known; above 1 flattens.
        temperature_without_text: the same for a plan, which has no words yet.
        temperature_korean: the same for a session in Hangul.
    """

    model_type = "kmi-forecaster"

    def __init__(
        self,
        feature_names: list[str] | None = None,
        members: int = 16,
        hidden_size: int = 64,
        clip: float = 4.0,
        temperature_with_text: float = 1.0,
        temperature_without_text: float = 1.0,
        temperature_korean: float = 1.0,
        **kwargs,
    ) -> None:
        self.feature_names = list(FEATURE_NAMES) if feature_names is None else list(feature_names)
        self.members = members
        self.hidden_size = hidden_size
        self.clip = clip
        self.temperature_with_text = temperature_with_text
        self.temperature_without_text = temperature_without_text
        self.temperature_korean = temperature_korean
        labels = dict(enumerate(THERAPIST_LABELS))
        kwargs.setdefault("id2label", labels)
        kwargs.setdefault("label2id", {label: i for i, label in labels.items()})
        super().__init__(**kwargs)


@dataclass
class ForecasterOutput(ModelOutput):
    """Output of the forecaster.

    Attributes:
        loss: mean negative log-likelihood of `labels` in nats, lower is better.
        logits: log-probabilities of the 8 labels, calibrated, shape [n, 8].
    """

    loss: torch.FloatTensor | None = None
    logits: torch.FloatTensor | None = None


class Ensemble(nn.Module):
    """Perceptrons that see one standardised feature vector, side by side."""

    def __init__(self, config: ForecasterConfig) -> None:
        super().__init__()
        inputs, hidden, labels = len(config.feature_names), config.hidden_size, len(THERAPIST_LABELS)
        self.members, self.clip = config.members, config.clip
        self.weight_in = nn.Parameter(torch.zeros(config.members, inputs, hidden))
        self.bias_in = nn.Parameter(torch.zeros(config.members, 1, hidden))
        self.weight_out = nn.Parameter(torch.zeros(config.members, hidden, labels))
        self.bias_out = nn.Parameter(torch.zeros(config.members, 1, labels))
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("deviation", torch.ones(inputs))

    def reset_parameters(self) -> None:
        """Draws new weights from torch's generator."""
        nn.init.normal_(self.weight_in, std=(2.0 / self.weight_in.shape[1]) ** 0.5)
        nn.init.normal_(self.weight_out, std=(0.5 / self.weight_out.shape[1]) ** 0.5)

    def standardise(self, features: torch.Tensor) -> torch.Tensor:
        """Features on the scale of the training data, cut at `clip` deviations."""
        return ((features - self.mean) / self.deviation).clamp(-self.clip, self.clip)

    def member_logits(self, inputs: torch.Tensor, dropout_in: float = 0.0, dropout: float = 0.0) -> torch.Tensor:
        """Uncalibrated logits [members, n, 8] of standardised inputs [members, n, features]."""
        hidden = torch.baddbmm(self.bias_in, nn.functional.dropout(inputs, dropout_in), self.weight_in).relu()
        return torch.baddbmm(self.bias_out, nn.functional.dropout(hidden, dropout), self.weight_out)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Averaged log-probabilities [n, 8] of unscaled features [n, features], uncalibrated."""
        inputs = self.standardise(features).expand(self.members, -1, -1)
        return self.member_logits(inputs).log_softmax(-1).logsumexp(0)


class ForecasterModel(PreTrainedModel):
    """Maps features [n, features] to calibrated log-probabilities [n, 8]."""

    config_class = ForecasterConfig
    base_model_prefix = "forecaster"
    main_input_name = "features"

    def __init__(self, config: ForecasterConfig) -> None:
        super().__init__(config)
        self.professional, self.korean = Ensemble(config), Ensemble(config)
        self.text_columns = [i for i, name in enumerate(config.feature_names) if name.startswith("text ")]
        self.hangul_column = config.feature_names.index(HANGUL_FEATURE)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        """Nothing to do: a checkpoint fills all weights, and training starts with `reset_parameters`."""

    def forward(
        self, features: torch.Tensor, labels: torch.Tensor | None = None, return_dict: bool | None = None
    ) -> ForecasterOutput:
        """Calibrated forecasts.

        Args:
            features: shape [n, features], unscaled, in the order of `config.feature_names`.
            labels: indices of the true labels, shape [n]; adds the loss.
        """
        config = self.config
        has_text = (features[:, self.text_columns] != 0).any(-1, keepdim=True)
        in_hangul = features[:, [self.hangul_column]] > 0
        # Where no row needs an ensemble it is not asked: one session is one row.
        averaged = self.professional(features) if not in_hangul.all() else self.korean(features)
        if in_hangul.any() and not in_hangul.all():
            averaged = torch.where(in_hangul, self.korean(features), averaged)
        temperature = torch.where(has_text, config.temperature_with_text, config.temperature_without_text)
        logits = (averaged / torch.where(in_hangul, config.temperature_korean, temperature)).log_softmax(-1)
        loss = None if labels is None else nn.functional.nll_loss(logits, labels)
        return ForecasterOutput(loss=loss, logits=logits)


@contextmanager
def one_thread() -> Iterator[None]:
    """Computes on one thread: on so small a model two only wait for each other, 30 ms beside a busy process."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


AutoConfig.register(ForecasterConfig.model_type, ForecasterConfig)
AutoModel.register(ForecasterConfig, ForecasterModel)
