import pytest
import yaml

from kmi.errors import ConfigError
from kmi.publishing.repositories import Repository, Target, repositories
from kmi.publishing.staging import card_for_hub, requirements_for_hub, stage, text_for_hub

TARGET = Target("mi-lab", "v1.0.0")
WHEEL = "kmi-0.1.0-py3-none-any.whl"


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ('load_dataset("kmi", "chat")', 'load_dataset("mi-lab/kmi", "chat")'),
        ('kmi.load_dataset("dialogues")', 'kmi.load_dataset("dialogues")'),
        ('pipeline(model="model_cards/kmi-coder")', 'pipeline(model="mi-lab/kmi-coder")'),
        ('evaluate.load("evaluate_metrics/mi_fidelity")', 'evaluate.load("mi-lab/mi_fidelity")'),
        ("`evaluate_metrics/` holds six", "`evaluate_metrics/` holds six"),
    ],
)
def test_names_of_a_checkout_become_names_of_the_hub(here, there):
    assert text_for_hub(here, TARGET) == there


def test_requirements_name_the_wheel_and_nothing_else_changes():
    text = requirements_for_hub("kmi[metrics]\nkmi-other\nnumpy\n", TARGET, WHEEL)
    assert text == f"kmi[metrics] @ https://huggingface.co/datasets/mi-lab/kmi/resolve/v1.0.0/dist/{WHEEL}\nkmi-other\nnumpy\n"


def test_only_links_change_in_the_metadata(repository):
    for one in repositories(repository):
        text = (one.folder / "README.md").read_text(encoding="utf-8")
        before, after = (yaml.safe_load(card.split("---\n", 2)[1]) for card in (text, card_for_hub(text, one, TARGET, WHEEL)))
        assert {name for name in after if before.get(name) != after[name]} <= {"datasets", "models", "model-index", "preload_from_hub"}
        assert all(name.startswith("mi-lab/") for field in ("datasets", "models") for name in after.get(field, ()))


def test_a_card_is_linked_to_its_sisters_and_not_to_itself(repository):
    (dataset,) = repositories(repository, ("dataset",))
    card = card_for_hub("---\nlicense: mit\n---\n# Card\n", dataset, TARGET, WHEEL)
    section = card[card.index("## 함께 / Related") :]
    assert "https://huggingface.co/mi-lab/kmi-coder" in section and "https://huggingface.co/spaces/mi-lab/kmi)" in section
    assert "(https://huggingface.co/datasets/mi-lab/kmi)" not in section and f"/dist/{WHEEL}" in section


def test_a_card_without_metadata_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="begin with metadata"):
        card_for_hub("# Card\n", Repository("models", "x", "model", tmp_path), TARGET, WHEEL)


def test_the_dataset_travels_with_the_wheel(repository, tmp_path):
    (tmp_path / WHEEL).write_bytes(b"wheel")
    (dataset,) = repositories(repository, ("dataset",))
    staged = stage(dataset, TARGET, tmp_path / WHEEL, tmp_path / "staged")
    names = {path.as_posix() for path in staged.files}
    assert {f"dist/{WHEEL}", "README.md", "data/dialogues/train-00000-of-00001.parquet"} <= names
