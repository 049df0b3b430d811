from pathlib import Path

import pytest
import yaml
from datasets import load_dataset
from huggingface_hub import DatasetCard

from kmi.corpus import card
from kmi.corpus.build import build_dataset
from kmi.corpus.sources import read_sources
from kmi.corpus.statistics import agreement_table, comparison, markdown_tables, summarise
from kmi.metrics.scores import Score

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "loading_script"
pytestmark = pytest.mark.skipif(not PUBLISHED.is_dir(), reason="runs in a checkout")


@pytest.fixture
def repository(tmp_path, dialogues):
    """A checkout in small, with its dataset built."""
    (tmp_path / "kmi").mkdir()
    (tmp_path / "kmi" / "__init__.py").touch()
    build_dataset(dialogues, tmp_path / "loading_script")
    return tmp_path


def front_matter(readme):
    return yaml.safe_load(readme.read_text(encoding="utf-8").split("---\n", 2)[1])


def test_the_cards_in_the_repository_are_current():
    for path, text in card.cards(PUBLISHED / "data", PUBLISHED, published=True).items():
        assert path.read_text(encoding="utf-8") == text, f"{path} is stale; run: python scripts/build_dataset.py"


def test_the_parquet_in_the_repository_is_what_its_sources_give(tmp_path):
    import pyarrow.parquet as parquet

    build_dataset(read_sources(PUBLISHED / "source"), tmp_path / "out")
    built = {path.relative_to(tmp_path / "out"): path for path in (tmp_path / "out" / "data").rglob("*.parquet")}
    kept = {path.relative_to(PUBLISHED): path for path in (PUBLISHED / "data").rglob("*.parquet")}
    assert built.keys() == kept.keys() != set()
    for name, path in built.items():
        stale = f"{name} is stale; run: python scripts/build_dataset.py"
        assert parquet.read_table(path).equals(parquet.read_table(kept[name])), stale
        # Another pyarrow may lay out the same rows in other bytes.
        if parquet.read_metadata(path).created_by == parquet.read_metadata(kept[name]).created_by:
            assert path.read_bytes() == kept[name].read_bytes(), stale


def test_metadata_tells_the_truth(repository, fresh_cache):
    """Sizes are what the library counts when it is told nothing; they are in the card for the Hub."""
    readme = repository / "loading_script" / "README.md"
    told = front_matter(readme)
    bare = card._fill("other", {"configs": told["configs"]}, {"rows": ""})
    readme.write_text(bare, encoding="utf-8")
    assert "dataset_info" not in bare
    assert len(told["dataset_info"]) == 4
    for info in told["dataset_info"]:
        loaded = load_dataset(str(readme.parent), info["config_name"])
        recorded = next(iter(loaded.values())).info
        assert [(s.name, s.num_bytes, s.num_examples) for s in recorded.splits.values()] == [
            (split["name"], split["num_bytes"], split["num_examples"]) for split in info["splits"]
        ]
        assert info["dataset_size"] == sum(split["num_bytes"] for split in info["splits"])
        files = (repository / "loading_script" / "data" / info["config_name"]).iterdir()
        assert info["download_size"] == sum(file.stat().st_size for file in files)


def test_both_readmes_point_to_the_files(repository):
    for readme in (repository / "loading_script" / "README.md", repository / "kmi" / "README.md"):
        configs = front_matter(readme)["configs"]
        assert [config["config_name"] for config in configs] == ["dialogues", "utterances", "chat", "forecasting"]
        assert [config.get("default") for config in configs] == [True, None, None, None]
        paths = [file["path"] for config in configs for file in config["data_files"]]
        assert len(paths) == 10
        assert all((readme.parent / path).is_file() for path in paths)


def test_the_version_changes_with_the_content_of_its_table(repository, dialogues):
    readme = repository / "loading_script" / "README.md"

    def versions():
        return {config["config_name"]: config["version"] for config in front_matter(readme)["configs"]}

    before = versions()
    build_dataset(dialogues, repository / "loading_script")
    assert versions() == before
    build_dataset(dialogues[:2], repository / "loading_script")
    after = versions()
    assert after["dialogues"] != before["dialogues"]
    assert after["forecasting"] == before["forecasting"]  # the third dialogue has no row there
    assert all(version.startswith(f"{card.RELEASE}.") for version in after.values())


def test_the_published_card_is_a_valid_dataset_card(repository):
    readme = repository / "loading_script" / "README.md"
    data = DatasetCard.load(readme).data
    assert data.license == "cc-by-4.0"
    assert data.language == ["ko", "en"]
    assert data.size_categories == ["n<1K"]
    assert data.pretty_name.startswith("KMI")
    text = readme.read_text(encoding="utf-8")
    assert "$" not in text
    assert "109" in text
    assert "1393" not in text
    assert text.index("## 한국어") < text.index("## English")
    assert "NAACL 2025" in text


def test_other_folders_claim_neither_licence_nor_figures(tmp_path, dialogues):
    build_dataset(dialogues, tmp_path / "out")
    assert list(front_matter(tmp_path / "out" / "README.md")) == ["configs", "dataset_info"]
    assert not (tmp_path / "kmi").exists()


def test_the_agreement_of_two_codings_is_a_table_or_said_to_be_missing():
    assert "아직" in agreement_table({})
    assert "| therapist | 전체 / overall (kappa) | 0.80 [0.70, 0.90] |" in agreement_table({"therapist": {"overall": Score(0.8, 0.7, 0.9)}})


def test_this_corpus_stands_beside_the_bands(dialogues):
    rows = comparison(summarise(dialogues)).splitlines()
    assert rows[0] == "|  | KMI | AnnoMI high | AnnoMI low | Kim et al. 2025 |"
    assert "| 단순 반영 / Simple Reflection | 0.400 | 0.145 | 0.041 | 0.133 |" in rows  # 2 of 5 therapist turns
    assert any("(R:Q) | - | 1.02 | 0.22 | 1.27 |" in row for row in rows)


def test_statistics_by_hand(dialogues):
    tables = markdown_tables({"train": summarise(dialogues[:1]), "test": summarise(dialogues[2:])})
    assert "| 대화 / dialogues | 1 | 1 |" in tables["sizes"]
    assert "| 발화 / utterances | 5 | 2 |" in tables["sizes"]
    # 7 + 18 + 11 characters in three therapist turns.
    assert "therapist turn | 12.0 | 2.0 |" in tables["sizes"]
    assert "corrected reflection | 1 | 0 |" in tables["sizes"]
    assert "| 단순 반영 / Simple Reflection | 2 (0.667) | - |" in tables["labels"]
    assert "| 변화 대화 / change | 1 (0.500) | - |" in tables["talk"]
    assert "| 바람 / desire | 1 (1.000) | - |" in tables["subtypes"]
    assert "| 가족 / Family | 1 (1.000) | - |" in tables["categories"]
    assert "(R:Q)" not in tables["ratios"]  # without a question anywhere it has nothing to say
    assert "complex share of reflections | 0.00 | - |" in tables["ratios"]
    assert "realised as planned | 0.00 | - |" in tables["ratios"]  # one planned Complex, realised Simple
