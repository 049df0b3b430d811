import pytest
import torch

from kmi.errors import ConfigError
from kmi.training_state import TrainingState, claim


def trained(seed, steps):
    torch.manual_seed(seed)
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    step(model, optimizer, steps)
    return model, optimizer


def step(model, optimizer, steps):
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.ones(4, 3)).square().sum().backward()
        optimizer.step()


def test_a_state_goes_on_as_if_nothing_had_happened(tmp_path):
    model, optimizer = trained(0, 5)
    TrainingState(tmp_path, {"lr": 0.1}).save(model, optimizer, 5)
    other, its_optimizer = trained(1, 0)
    assert TrainingState(tmp_path, {"lr": 0.1}).load(other, its_optimizer) == 5
    step(model, optimizer, 3)
    step(other, its_optimizer, 3)
    assert torch.equal(model.weight, other.weight) and torch.equal(model.bias, other.bias)


def test_only_the_last_whole_state_stays(tmp_path):
    state = TrainingState(tmp_path, {})
    for epoch in (1, 2):
        state.save(*trained(0, epoch), epoch)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["epoch-002.safetensors", "state.json"]
    state.remove()
    assert not tmp_path.exists()


def test_a_state_torn_before_its_marker_does_not_count(tmp_path):
    TrainingState(tmp_path, {}).save(*trained(0, 1), 1)
    (tmp_path / "epoch-002.safetensors").write_bytes(b"torn")
    assert TrainingState(tmp_path, {}).load(*trained(0, 0)) == 1


def test_other_settings_are_refused(tmp_path):
    TrainingState(tmp_path, {"seed": 0}).save(*trained(0, 1), 1)
    with pytest.raises(ConfigError, match=r"begun with other settings.*Remove the folder"):
        TrainingState(tmp_path, {"seed": 1}).load(*trained(0, 0))


def test_a_folder_is_claimed_by_one_training(tmp_path):
    claim(tmp_path / "state", {"seed": 0, "data": "x"})
    claim(tmp_path / "state", {"data": "x", "seed": 0})
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["settings.json"]
    with pytest.raises(ConfigError, match="begun with other settings"):
        claim(tmp_path / "state", {"seed": 1, "data": "x"})
