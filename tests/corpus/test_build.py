from dataclasses import replace

import pytest
from datasets import load_dataset

from kmi.corpus import build
from kmi.corpus.build import build_dataset
from kmi.corpus.tables import read_parquet
from kmi.dialogue import Provenance
from kmi.errors import ConfigError, DataError


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_parquet_gives_the_dialogues_back(tmp_path, dialogues):
    counts = build_dataset(dialogues, tmp_path / "out")
    assert counts == {
        "dialogues": {"train": 1, "validation": 1, "test": 1},
        "utterances": {"train": 5, "validation": 2, "test": 2},
        "chat": {"train": 1, "validation": 1, "test": 1},
        "forecasting": {"train": 2},
    }
    files = [
        tmp_path / f"out/data/dialogues/{split}-00000-of-00001.parquet" for split in ("train", "validation", "test")
    ]
    assert [next(read_parquet(path)) for path in files] == dialogues


def test_a_rebuild_gives_the_same_bytes(tmp_path, dialogues):
    build_dataset(dialogues, tmp_path / "a")
    build_dataset(dialogues, tmp_path / "b")
    first = contents(tmp_path / "a")
    assert first == contents(tmp_path / "b")
    build_dataset(dialogues, tmp_path / "a")
    assert first == contents(tmp_path / "a")
    assert len(first) == 11  # 10 tables and the card


def test_datasets_loads_a_built_folder(tmp_path, dialogues, fresh_cache):
    out = tmp_path / "some dataset"
    build_dataset(dialogues, out)
    loaded = load_dataset(str(out))
    assert {split: rows["id"][0] for split, rows in loaded.items()} == {"train": "a", "validation": "b", "test": "c"}
    turn = loaded["train"].features["dialogue"].feature
    first = loaded["train"][0]
    assert turn["label"].int2str(first["dialogue"][2]["planned_label"]) == "Complex Reflection"
    assert first["dialogue"][0]["planned_label"] is None
    assert first["dialogue"][2]["forecast"] == [{"label": 1, "probability": 0.5}, {"label": 2, "probability": 0.25}]
    assert first["provenance"]["seed"] == 3
    assert load_dataset(str(out), "forecasting", split="train")["turn"][:] == [2, 4]
    streamed = list(load_dataset(str(out), "utterances", split="validation", streaming=True))
    assert streamed == load_dataset(str(out), "utterances", split="validation").to_list()


def test_changed_content_is_not_answered_from_the_cache(tmp_path, dialogues, fresh_cache):
    out = tmp_path / "out"
    build_dataset(dialogues, out)
    assert load_dataset(str(out), split="train")[0]["context"] == "명절이 무섭습니다."
    build_dataset([replace(dialogues[0], context="설이 무섭습니다.")], out)
    assert load_dataset(str(out), split="train")[0]["context"] == "설이 무섭습니다."


def test_one_split_is_enough_and_a_missing_one_is_train(tmp_path, dialogues, fresh_cache):
    counts = build_dataset([replace(dialogue, split=None) for dialogue in dialogues], tmp_path / "out")
    assert counts["dialogues"] == {"train": 3}
    loaded = load_dataset(str(tmp_path / "out"))
    assert list(loaded) == ["train"]
    assert loaded["train"]["split"][:] == ["train"] * 3


def test_row_groups_part_the_rows_and_lose_none(tmp_path, dialogues, monkeypatch, fresh_cache):
    monkeypatch.setattr(build, "ROWS_PER_GROUP", dict.fromkeys(build.ROWS_PER_GROUP, 2))
    many = [replace(dialogues[0], id=f"d{i}") for i in range(5)]
    build_dataset(iter(many), tmp_path / "out")
    import pyarrow.parquet

    path = tmp_path / "out/data/dialogues/train-00000-of-00001.parquet"
    assert pyarrow.parquet.ParquetFile(path).metadata.num_row_groups == 3
    assert list(read_parquet(path)) == many
    assert load_dataset(str(tmp_path / "out"), split="train")["id"][:] == [f"d{i}" for i in range(5)]


def test_a_generator_is_consumed_as_it_is_written(tmp_path, dialogues, monkeypatch):
    """Memory stays bounded: never more rows wait than a row group holds."""
    monkeypatch.setattr(build, "ROWS_PER_GROUP", dict.fromkeys(build.ROWS_PER_GROUP, 2))
    waiting = []
    flush = build._TableWriter._flush

    def watched(writer):
        waiting.append(len(writer._pending))
        flush(writer)

    monkeypatch.setattr(build._TableWriter, "_flush", watched)
    build_dataset((replace(dialogues[0], id=f"d{i}") for i in range(20)), tmp_path / "out")
    assert max(waiting) == 2


@pytest.mark.parametrize("place", ["loading_script", "loading_script/nested"])
def test_retrieval_sessions_never_enter_the_published_dataset(tmp_path, dialogues, place):
    simulated = replace(dialogues[1], provenance=Provenance(writer="retrieval"))
    build_dataset(dialogues, tmp_path / "loading_script")
    before = contents(tmp_path)
    with pytest.raises(ConfigError, match=r"'b' is by the retrieval writer.*--out out/dataset"):
        build_dataset([dialogues[0], simulated], tmp_path / place)
    assert contents(tmp_path) == before
    assert build_dataset([simulated], tmp_path / "elsewhere")["dialogues"] == {"validation": 1}


def test_a_link_does_not_hide_the_published_folder(tmp_path, dialogues):
    (tmp_path / "loading_script").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "loading_script")
    with pytest.raises(ConfigError, match="retrieval"):
        build_dataset([replace(dialogues[0], provenance=Provenance(writer="retrieval"))], tmp_path / "link")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"id": "a"}, "'a' comes twice"),
        ({"arc": "odyssey"}, "'b'.*'odyssey'"),
        ({"context": "\ud800"}, "'b'.*half a character"),
        ({"provenance": Provenance(seed="seven")}, "'b'.*seven"),
        ({"provenance": Provenance(seed=2**80)}, "'b'.*does not fit"),
    ],
)
def test_a_bad_dialogue_is_named_and_the_earlier_dataset_stays(tmp_path, dialogues, change, words):
    out = tmp_path / "out"
    build_dataset(dialogues, out)
    before = contents(out)
    with pytest.raises(DataError, match=words):
        build_dataset([dialogues[0], replace(dialogues[1], **change)], out)
    assert contents(out) == before


def test_nothing_to_build_from_is_refused(tmp_path):
    with pytest.raises(DataError, match="at least one dialogue"):
        build_dataset([], tmp_path / "out")


def test_foreign_files_are_not_overwritten(tmp_path, dialogues):
    (tmp_path / "README.md").write_text("# My project\n")
    with pytest.raises(ConfigError, match=r"README.md was not written by the dataset build"):
        build_dataset(dialogues, tmp_path)
    (tmp_path / "README.md").unlink()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "survey.csv").write_text("1")
    with pytest.raises(ConfigError, match=r"survey.csv is no part"):
        build_dataset(dialogues, tmp_path)
    assert (tmp_path / "data" / "survey.csv").read_text() == "1"
    with pytest.raises(ConfigError, match="found a file"):
        build_dataset(dialogues, tmp_path / "data" / "survey.csv")
    with pytest.raises(ConfigError, match=r"Cannot write to .*survey.csv/out"):
        build_dataset(dialogues, tmp_path / "data" / "survey.csv" / "out")


def test_large_tables_are_split_into_shards(tmp_path, dialogues, monkeypatch, fresh_cache):
    monkeypatch.setattr(build, "ROWS_PER_GROUP", dict.fromkeys(build.ROWS_PER_GROUP, 2))
    monkeypatch.setattr(build, "ROWS_PER_SHARD", 4)
    many = [replace(dialogues[0], id=f"d{i}") for i in range(9)] + [dialogues[1]]
    for out in (tmp_path / "out", tmp_path / "loading_script"):  # the published one has a card of its own
        counts = build_dataset(many, out)
        assert counts["dialogues"] == {"train": 9, "validation": 1}
        names = ["train-00000-of-00003.parquet", "train-00001-of-00003.parquet", "train-00002-of-00003.parquet"]
        assert sorted(path.name for path in (out / "data/dialogues").iterdir()) == [*names, "validation-00000-of-00001.parquet"]
        assert [sum(1 for _ in read_parquet(out / "data/dialogues" / name)) for name in names] == [4, 4, 1]
        loaded = load_dataset(str(out))
        assert loaded["train"]["id"][:] == [f"d{i}" for i in range(9)] and loaded["validation"].num_rows == 1
        assert load_dataset(str(out), "utterances", split="train").num_rows == 45
        card = (out / "README.md").read_text(encoding="utf-8")
        assert "train 9, validation 1" in card


def test_a_last_shard_that_is_full_is_followed_by_none(tmp_path, dialogues, monkeypatch):
    monkeypatch.setattr(build, "ROWS_PER_GROUP", dict.fromkeys(build.ROWS_PER_GROUP, 2))
    monkeypatch.setattr(build, "ROWS_PER_SHARD", 2)
    build_dataset([replace(dialogues[0], id=f"d{i}") for i in range(4)], tmp_path / "out")
    assert len(list((tmp_path / "out/data/dialogues").iterdir())) == 2


def test_classes_are_numbered_as_datasets_does(dialogues):
    from kmi.corpus.tables import ROWS, features

    for table, rows in ROWS.items():
        listed = [row for dialogue in dialogues for row in rows(dialogue)]
        encode = build._encoder(features()[table])
        assert [encode(row) for row in listed] == [features()[table].encode_example(row) for row in listed]
