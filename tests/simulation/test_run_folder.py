import errno
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from kmi.dialogue import read_jsonl
from kmi.errors import ConfigError, KmiError
from kmi.simulation.run_folder import RunFolder

CONFIG = {"mode": "turn", "policy": "kmi", "seed": 0, "writer": {"writer": "x", "model": "모델"}, "posts": ["a", "b"]}


@pytest.fixture
def opened(tmp_path):
    """Opens run folders and closes them at the end."""
    held = []

    def make(config=CONFIG, path=tmp_path / "run", process=0, processes=1):
        folder = RunFolder(path, config, process, processes)
        held.append(folder)
        folder.open()
        return folder

    yield make
    for folder in held:
        folder.close()


def sessions_file(folder, process=0):
    return folder.path / "sessions" / f"process-{process:05d}.jsonl"


def test_the_first_run_writes_its_configuration(opened):
    folder = opened()
    assert json.loads((folder.path / "run.json").read_text(encoding="utf-8")) == CONFIG
    assert "모델" in (folder.path / "run.json").read_text(encoding="utf-8")


def test_the_same_configuration_may_go_on(opened):
    opened().close()
    opened(dict(reversed(CONFIG.items())))
    opened({**CONFIG, "writer": dict(CONFIG["writer"])}, process=1)


def test_the_writers_settings_are_agreed_on_in_a_file_of_their_own(opened):
    """The model of a server is known only once it was asked for its models."""
    folder, other = opened(), opened(process=1)
    folder.agree("writer", {"model": "a"})
    other.agree("writer", {"model": "a"})
    with pytest.raises(ConfigError, match="other model: 'a' there, 'b' here"):
        other.agree("writer", {"model": "b"})
    assert json.loads((folder.path / "writer.json").read_text()) == {"model": "a"}


@pytest.mark.parametrize(
    ("changes", "name"),
    [({"mode": "plan"}, "mode"), ({"seed": 1}, "seed"), ({"writer": {"writer": "x"}}, "writer"), ({"posts": ["a"]}, "posts"), ({"extra": 1}, "extra")],
)
def test_another_configuration_is_refused_by_name_and_values(opened, changes, name):
    opened().close()
    with pytest.raises(ConfigError, match=f"other {name}: ") as caught:
        opened({**CONFIG, **changes})
    assert repr(CONFIG.get(name)) in str(caught.value) and repr(changes[name]) in str(caught.value)
    assert "--out" in caught.value.next_step


def test_a_setting_that_is_gone_is_refused_too(opened):
    opened().close()
    with pytest.raises(ConfigError, match="other seed: 0 there, None here"):
        opened({name: value for name, value in CONFIG.items() if name != "seed"})


def test_a_refusal_names_many_posts_in_few_words(opened):
    posts = [f"post-{n:06d}-abcdefgh" for n in range(5000)]
    opened({**CONFIG, "posts": posts}).close()
    with pytest.raises(ConfigError) as caught:
        opened({**CONFIG, "posts": posts[:-1]})
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"not json"])
def test_a_damaged_configuration_is_refused_and_left_alone(opened, tmp_path, content):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_bytes(content)
    with pytest.raises(ConfigError, match=r"run\.json is damaged"):
        opened()
    assert (tmp_path / "run" / "run.json").read_bytes() == content


@pytest.mark.parametrize("content", ["[]", "5", "null", '"x"'])
def test_a_configuration_that_is_no_object_is_damaged_too(opened, tmp_path, content):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text(content)
    with pytest.raises(ConfigError, match="damaged"):
        opened()


def test_a_second_run_on_the_folder_is_refused(opened):
    first = opened()
    with pytest.raises(ConfigError, match="Another run is working in"):
        opened()
    first.close()
    opened()


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_processes_of_one_run_hold_the_folder_together(opened, order):
    for process in order:
        opened(process=process, processes=2)


def test_a_process_left_over_from_a_larger_run_keeps_a_smaller_one_out(opened):
    """Its launcher was killed, it was not: both would ask for the same sessions."""
    left_over = opened(process=1, processes=2)
    for processes in (1, 2):
        refused = RunFolder(left_over.path, CONFIG, processes - 1, processes)
        with pytest.raises(ConfigError, match="Another run is working in"):
            refused.open()
        refused.close()
    left_over.close()
    opened()


def test_the_lock_of_a_killed_run_is_free(opened, tmp_path):
    """SIGKILL leaves the lock file behind; it must not keep the next run out."""
    code = textwrap.dedent(f"""
        import os, signal
        from kmi.simulation.run_folder import RunFolder
        RunFolder({str(tmp_path / "run")!r}, {CONFIG!r}).open()
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    assert subprocess.run([sys.executable, "-c", code], cwd=os.getcwd()).returncode == -9
    assert list((tmp_path / "run").glob("lock-*"))
    opened()


def test_a_refused_configuration_lets_go_of_the_lock(opened, tmp_path):
    opened().close()
    refused = RunFolder(tmp_path / "run", {**CONFIG, "seed": 9})
    with pytest.raises(ConfigError):
        refused.open()
    refused.close()
    opened()


def test_a_file_in_the_place_of_the_folder_is_said(opened, tmp_path):
    (tmp_path / "run").write_text("x")
    with pytest.raises(ConfigError, match="found a file"):
        opened()
    with pytest.raises(ConfigError, match="found a file"):
        opened(path=tmp_path / "run" / "below")


def record(folder, dialogue, index, **changes):
    folder.record(index, f"post-{index}", dialogue={**dialogue.to_dict(), "id": f"post-{index}", **changes})


def test_sessions_are_merged_in_the_order_of_the_posts(opened, make_dialogue):
    folder, other = opened(), opened(process=1)
    for index in (4, 0, 2):
        record(folder, make_dialogue(), index)
    record(other, make_dialogue(), 1)
    other.record(3, "post-3", reason="turn 2 (client) failed")
    assert folder.over() == {0: "finished", 1: "finished", 2: "finished", 3: "failed", 4: "finished"}
    assert folder.merge() == {"finished": 4, "failed": 1}
    assert [dialogue.id for dialogue in read_jsonl(folder.path / "dialogues.jsonl")] == ["post-0", "post-1", "post-2", "post-4"]
    assert json.loads((folder.path / "failures.jsonl").read_text()) == {"id": "post-3", "reason": "turn 2 (client) failed"}


def test_merging_twice_gives_the_same(opened, make_dialogue):
    folder = opened()
    record(folder, make_dialogue(), 0)
    folder.merge()
    first = (folder.path / "dialogues.jsonl").read_bytes()
    assert folder.merge() == {"finished": 1, "failed": 0}
    assert (folder.path / "dialogues.jsonl").read_bytes() == first
    assert not list(folder.path.glob("*.partial"))


def test_an_empty_run_merges_to_empty_files(opened):
    folder = opened()
    assert folder.merge() == {"finished": 0, "failed": 0}
    assert (folder.path / "dialogues.jsonl").read_text() == (folder.path / "failures.jsonl").read_text() == ""


def test_every_cut_of_a_session_record_leaves_the_session_open(opened, make_dialogue):
    folder = opened()
    record(folder, make_dialogue(), 0)
    record(folder, make_dialogue(), 1)
    path = sessions_file(folder)
    whole = path.read_bytes()
    last = whole.rindex(b"\n", 0, -1) + 1
    for cut in (last, last + 1, (last + len(whole)) // 2, len(whole) - 2):
        folder.close()
        path.write_bytes(whole[:cut])
        folder.open()
        assert folder.over() == {0: "finished"}
        record(folder, make_dialogue(), 2)
        assert folder.over() == {0: "finished", 2: "finished"}
        assert folder.merge() == {"finished": 2, "failed": 0}


def test_a_session_recorded_twice_counts_once_and_the_later_stands(opened, make_dialogue):
    folder = opened()
    folder.record(0, "post-0", reason="failed once")
    record(folder, make_dialogue(), 0, context="나중 글")
    assert folder.merge() == {"finished": 1, "failed": 0}
    assert next(read_jsonl(folder.path / "dialogues.jsonl")).context == "나중 글"


DAMAGED = [b"not json\n", b"[]\n", b"\n", b'{"index": 1}\n', b"\xff\n"]
NESTED = [
    b'{"index": "x", "id": "a", "status": "finished", "dialogue": null, "reason": ""}\n',
    b'{"index": [], "id": "a", "status": "finished", "dialogue": null, "reason": ""}\n',
    b'{"index": 7, "id": "a", "status": "unknown", "dialogue": null, "reason": ""}\n',
    b'{"index": 7, "id": "a", "status": "failed", "dialogue": null}\n',
    b"[" * 100_000 + b"\n",
]


@pytest.mark.parametrize(
    "line", [*DAMAGED, *NESTED],
    ids=range(len(DAMAGED) + len(NESTED)),
)  # fmt: skip
def test_damaged_records_are_skipped(opened, make_dialogue, line):
    folder = opened()
    record(folder, make_dialogue(), 0)
    path = sessions_file(folder)
    path.write_bytes(line + path.read_bytes() + line)
    record(folder, make_dialogue(), 2)
    assert folder.over() == {0: "finished", 2: "finished"}
    assert folder.merge() == {"finished": 2, "failed": 0}


def test_half_a_character_in_a_session_does_not_break_the_merge(opened, make_dialogue):
    """A server may send one; it must fail that session at most, never the result of the run."""
    folder = opened()
    record(folder, make_dialogue(), 0)
    record(folder, make_dialogue(), 1, context="반쪽 \ud83d 글자")
    assert folder.merge()["finished"] >= 1
    assert next(read_jsonl(folder.path / "dialogues.jsonl")).id == "post-0"


def test_a_full_disk_while_a_session_is_recorded_is_said(opened, make_dialogue, monkeypatch):
    folder = opened()

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(KmiError, match="No space left on device"):
        record(folder, make_dialogue(), 0)


@pytest.fixture
def full_disk(monkeypatch):
    """No file takes a letter; the folder's names can still be changed."""

    def full(self, *_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", full)
    monkeypatch.setattr(Path, "mkdir", full)
    opening = Path.open
    monkeypatch.setattr(Path, "open", lambda self, mode="r", **options: full(self) if "w" in mode else opening(self, mode, **options))


def test_a_full_disk_at_the_start_is_said(opened, full_disk):
    with pytest.raises(KmiError, match="Could not write to .*run .No space left on device.. Free some space"):
        opened()


def test_a_full_disk_while_settings_are_stored_is_said(opened, full_disk):
    folder = RunFolder("anywhere", CONFIG)
    with pytest.raises(KmiError, match="Could not write to anywhere/run.json .No space left on device.. Free some space"):
        folder.agree("run", CONFIG)


def test_a_full_disk_while_merging_is_said_and_leaves_the_last_result(opened, make_dialogue, request):
    folder = opened()
    record(folder, make_dialogue(), 0)
    folder.merge()
    before = (folder.path / "dialogues.jsonl").read_bytes()
    record(folder, make_dialogue(), 1)
    request.getfixturevalue("full_disk")
    with pytest.raises(KmiError, match="Could not write to .* .No space left on device.. Free some space"):
        folder.merge()
    assert (folder.path / "dialogues.jsonl").read_bytes() == before


def test_half_a_record_on_a_full_disk_is_said(opened, make_dialogue, monkeypatch):
    folder, whole = opened(), os.write
    monkeypatch.setattr(os, "write", lambda file, data: whole(file, data[: len(data) // 2]))
    with pytest.raises(KmiError):
        record(folder, make_dialogue(), 0)
