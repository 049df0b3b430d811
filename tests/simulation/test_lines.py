"""Appending lines: offsets, torn ends, full disks."""

import errno
import os
from pathlib import Path

import pytest

from kmi.errors import DataError
from kmi.simulation.lines import UNREAD, AppendOnlyFile, line_at, whole_lines, write_whole


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


def test_a_file_written_at_once_is_there_wholly_or_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    write_whole(path, "하나")
    write = Path.write_text

    def full(self, text, **options):
        write(self, text[:1], **options)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        with pytest.raises(DataError, match="Could not write to .*a.json .No space left on device.. Free some space"):
            write_whole(path, "둘둘")
    assert path.read_text(encoding="utf-8") == "하나"
    write_whole(path, "셋")
    assert path.read_text(encoding="utf-8") == "셋"


def written(path, *records):
    file = AppendOnlyFile(path)
    for record in records:
        file.append(record)
    file.close()


def test_a_reader_stops_at_a_field_where_the_checksum_vouches_for_the_rest(tmp_path):
    text = ', "text": "\\ud83d }}\n'  # as if it ended the line
    written(tmp_path / "a", {"n": 1, "text": text}, {"n": 2})
    assert [record for _, record in whole_lines(tmp_path / "a", until="text")] == [{"n": 1, "text": UNREAD}, {"n": 2}]
    assert [record for _, record in whole_lines(tmp_path / "a")] == [{"n": 1, "text": text}, {"n": 2}]


def test_any_changed_byte_of_a_line_with_checksum_is_found(tmp_path):
    written(tmp_path / "a", {"n": 1, "text": "하나"})
    whole = (tmp_path / "a").read_bytes()
    mark = whole.index(b', "crc32": ')
    for place in (*range(mark), *range(mark + 11, len(whole))):
        (tmp_path / "a").write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert list(whole_lines(tmp_path / "a", until="text")) == [], place


def test_lines_without_checksum_are_read_whole(tmp_path):
    """Those of earlier versions."""
    (tmp_path / "a").write_bytes(b'{"n": 1, "text": "one"}\n{"n": 2, "text": "torn\n')
    assert list(whole_lines(tmp_path / "a", until="text")) == [(0, {"n": 1, "text": "one"})]
