"""Appending lines: offsets, torn ends, full disks."""

import errno
import os

import pytest

from kmi.errors import DataError
from kmi.simulation.lines import AppendOnlyFile, line_at, whole_lines


def test_offsets_find_the_lines_again(tmp_path):
    records = [{"text": "하나"}, {"text": "two"}, {"text": "half \ud83d"}]
    file = AppendOnlyFile(tmp_path / "a")
    places = [file.append(record) for record in records[:2]]
    file.close()
    again = AppendOnlyFile(tmp_path / "a")
    places.append(again.append(records[2]))
    again.close()
    assert [line_at(tmp_path / "a", place) for place in places] == records
    assert list(whole_lines(tmp_path / "a")) == list(zip(places, records, strict=True))


def test_a_torn_end_is_closed_before_the_next_line(tmp_path):
    (tmp_path / "a").write_bytes(b'{"n": 1}\n{"n": ')
    file = AppendOnlyFile(tmp_path / "a")
    file.append({"n": 3})
    file.append({"n": 4})
    assert [record["n"] for _, record in whole_lines(tmp_path / "a")] == [1, 3, 4]
    assert (tmp_path / "a").read_bytes().startswith(b'{"n": 1}\n{"n": \n{')


@pytest.mark.parametrize("half", [True, False])
def test_a_full_disk_is_said_and_the_next_line_is_whole(tmp_path, monkeypatch, half):
    file, write = AppendOnlyFile(tmp_path / "a"), os.write

    def full(number, data):
        if not half:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(number, data[:2])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(DataError, match="space"):
            file.append({"n": "lost"})
    place = file.append({"n": "kept"})
    assert list(whole_lines(tmp_path / "a")) == [(place, {"n": "kept"})]
