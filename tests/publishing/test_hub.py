"""Comparing with what is there, without a server; the clients and the stand-in: `test_publish.py`."""

from types import SimpleNamespace

import pytest
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils.sha import git_hash

from kmi.errors import ConfigError
from kmi.publishing.hub import Plan, check_rights, plan, table
from kmi.publishing.repositories import Repository, Target
from kmi.publishing.staging import Staged


@pytest.fixture
def staged(tmp_path):
    for name in ("README.md", "same.json", "large.parquet"):
        (tmp_path / name).write_text(name)
    return Staged(Repository("dataset", "kmi", "dataset", tmp_path), tmp_path)


def api(tmp_path, *entries, private=True):
    return SimpleNamespace(token="t", list_repo_tree=lambda *_, **__: entries, repo_info=lambda *_, **__: SimpleNamespace(sha="abc", private=private))


def test_small_files_are_compared_by_git_s_hash_and_large_ones_by_sha256(staged, tmp_path):
    there = [
        RepoFile(path="same.json", size=1, oid=git_hash(b"same.json")),
        RepoFile(path="README.md", size=1, oid="0" * 40),
        RepoFile(path="large.parquet", size=1, oid="0" * 40, lfs={"oid": "1" * 64, "size": 1, "pointerSize": 1}),
        RepoFile(path="old.txt", size=1, oid="0" * 40),
        RepoFile(path=".gitattributes", size=1, oid="0" * 40),
    ]
    found = plan(staged, Target("mi-lab"), api(tmp_path, *there))
    assert [path.name for path in found.changed] == ["README.md", "large.parquet"] and not found.added and found.removed == ["old.txt"]
    assert found.action == "update" and found.bytes == len("README.md") + len("large.parquet")


def test_a_tag_of_the_same_content_is_kept_and_of_other_content_refused(staged, tmp_path):
    same = [RepoFile(path=path.name, size=1, oid=git_hash(path.read_bytes())) for path in tmp_path.iterdir()]
    assert plan(staged, Target("mi-lab", "v1"), api(tmp_path, *same)).tagged
    with pytest.raises(ConfigError, match="has a tag 'v1' already, of other content"):
        plan(staged, Target("mi-lab", "v1"), api(tmp_path, *same[1:]))


@pytest.mark.parametrize(("who", "said"), [({"auth": {"accessToken": {"role": "read"}}}, "may only read"), ({"orgs": [{"name": "mi-lab", "roleInOrg": "read"}]}, "only read in 'mi-lab'"), ({}, "may not write to 'mi-lab'")])
def test_rights_are_asked_for_first(who, said):
    with pytest.raises(ConfigError, match=said):
        check_rights(SimpleNamespace(token="t", whoami=lambda: {"name": "tester", **who}), Target("mi-lab"))


def test_the_table_says_what_would_be_done(staged):
    text = table([Plan(staged, "mi-lab/kmi", existing=False, added=staged.files)], Target("mi-lab", "v1"))
    assert "dataset mi-lab/kmi" in text and "create" in text and text.rstrip().endswith("v1")
