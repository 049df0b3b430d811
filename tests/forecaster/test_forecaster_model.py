import pytest
import torch
from transformers import AutoConfig, AutoModel

from kmi.forecaster.features import FEATURE_NAMES, HANGUL_FEATURE, TEXT_COLUMNS
from kmi.forecaster.model import ForecasterConfig, ForecasterModel

HANGUL = FEATURE_NAMES.index(HANGUL_FEATURE)


@pytest.fixture
def model():
    torch.manual_seed(0)
    model = ForecasterModel(ForecasterConfig(members=3, hidden_size=8)).eval()
    for ensemble in (model.professional, model.korean):
        ensemble.reset_parameters()
        ensemble.deviation.uniform_(0.5, 2.0)
    return model


@pytest.fixture
def features():
    """Five sessions in English."""
    found = torch.randn(5, len(FEATURE_NAMES), generator=torch.Generator().manual_seed(1))
    found[:, HANGUL] = 0
    return found


def test_gives_probabilities_and_their_loss(model, features):
    labels = torch.arange(5)
    output = model(features, labels)
    assert output.logits.exp().sum(1).tolist() == pytest.approx([1.0] * 5)
    assert output.loss.item() == pytest.approx(-output.logits[labels, labels].mean().item())


def test_averages_probabilities_of_members(model, features):
    ensemble = model.professional
    by_member = ensemble.member_logits(ensemble.standardise(features).expand(3, -1, -1)).softmax(-1)
    assert torch.allclose(model(features).logits.exp(), by_member.mean(0), atol=1e-6)


def test_temperature_depends_on_words(model, features):
    wordless = features.clone()
    wordless[:, list(TEXT_COLUMNS)] = 0
    before, before_wordless = model(features).logits, model(wordless).logits
    model.config.temperature_without_text = 2.0
    assert torch.equal(model(features).logits, before)
    flatter = (before_wordless / 2).log_softmax(-1)
    assert torch.allclose(model(wordless).logits, flatter, atol=1e-6)


def test_hangul_chooses_the_ensemble_row_by_row(model, features):
    korean = features.clone()
    korean[:, HANGUL] = 1
    assert torch.allclose(model(korean).logits, model.korean(korean).log_softmax(-1), atol=1e-6)
    mixed = torch.cat([features[:2], korean[2:]])
    assert torch.allclose(model(mixed).logits, torch.cat([model(features).logits[:2], model(korean).logits[2:]]), atol=1e-6)
    assert not torch.allclose(model(korean).logits, model(features).logits, atol=1e-2)


def test_extreme_input_is_cut(model):
    ten, thousand = (torch.full((1, len(FEATURE_NAMES)), value) for value in (10.0, 1000.0))  # in Hangul too
    assert torch.equal(model(ten).logits, model(thousand).logits)


def test_saves_and_loads_the_hugging_face_way(model, features, tmp_path):
    model.config.temperature_with_text = 0.9
    model.save_pretrained(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"config.json", "model.safetensors"}
    expected = model(features).logits
    for loaded in (ForecasterModel.from_pretrained(tmp_path), AutoModel.from_pretrained(tmp_path)):
        assert torch.allclose(loaded.eval()(features).logits, expected, atol=1e-6)
    assert AutoConfig.from_pretrained(tmp_path).feature_names == list(FEATURE_NAMES)
