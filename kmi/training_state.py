"""What a killed training needs to go on: model and optimizer after each epoch, in safetensors.

`state.json` is written last and makes the rest count. Randomness is not kept: trainings draw it anew from seed and epoch.

Not covered: what is trained (`kmi.coder.training`).
"""

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kmi.errors import ConfigError
from kmi.whole_files import write_text

if TYPE_CHECKING:
    import torch

STATE_FOLDER = "training-state"


def claim(folder: Path, settings: dict[str, Any]) -> None:
    """Notes in `folder`, made if absent, which training keeps its state there.

    Raises:
        ConfigError: it holds the state of a training with other settings.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path, text = folder / "settings.json", json.dumps(settings, sort_keys=True)
    if path.is_file() and path.read_text(encoding="utf-8") != text:
        raise ConfigError(f"{folder} holds a training begun with other settings.", "Remove the folder, or go on with the settings it was begun with.")
    write_text(path, text)


class TrainingState:
    """Where a training stands after its last whole epoch.

    Args:
        folder: where it is kept; removed when training ends.
        settings: what the run was begun with; another run is refused.
    """

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self.folder, self.settings = folder, settings

    def save(self, model: "torch.nn.Module", optimizer: "torch.optim.Optimizer", epochs_done: int) -> None:
        """Keeps model and optimizer; the state before goes when this one is whole."""
        from safetensors.torch import save_file

        self.folder.mkdir(parents=True, exist_ok=True)
        name = f"epoch-{epochs_done:03d}.safetensors"
        tensors = {f"model/{key}": value.contiguous() for key, value in model.state_dict().items()}
        for number, entry in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer/{number}/{key}": value.contiguous() for key, value in entry.items()}
        save_file(tensors, self.folder / name)
        write_text(self.folder / "state.json", json.dumps({"epochs_done": epochs_done, "file": name, "settings": self.settings}))
        for older in self.folder.glob("epoch-*.safetensors"):
            if older.name != name:
                older.unlink()

    def load(self, model: "torch.nn.Module", optimizer: "torch.optim.Optimizer") -> int:
        """Restores what was saved, if anything, and returns the epochs done.

        Raises:
            ConfigError: if the state is that of a run with other settings.
        """
        path = self.folder / "state.json"
        if not path.is_file():
            return 0
        saved = json.loads(path.read_text(encoding="utf-8"))
        if saved["settings"] != self.settings:
            raise ConfigError(f"{self.folder} holds a training begun with other settings.", "Remove the folder, or go on with the settings it was begun with.")
        from safetensors.torch import load_file

        tensors = load_file(self.folder / saved["file"])
        model.load_state_dict({key.removeprefix("model/"): value for key, value in tensors.items() if key.startswith("model/")})
        entries: dict[int, dict] = {}
        for key, value in tensors.items():
            if key.startswith("optimizer/"):
                _, number, name = key.split("/")
                entries.setdefault(int(number), {})[name] = value
        optimizer.load_state_dict({"state": entries, "param_groups": optimizer.state_dict()["param_groups"]})
        return saved["epochs_done"]

    def remove(self) -> None:
        """Deletes the state: the training is over."""
        shutil.rmtree(self.folder, ignore_errors=True)
