"""Appending lines: offsets, torn ends, full disks."""

import errno
import os

import pytest

from kmi.errors import DataError
from kmi.simulation.append import AppendOnlyFile


def test_offsets_find_the_lines_again(tmp_path):
    file = AppendOnlyFile(tmp_path / "a")
    places = [file.append(line) for line in ("하나\n".encode(), b"two\n")]
    file.close()
    again = AppendOnlyFile(tmp_path / "a")
    places.append(again.append(b"three\n"))
    again.close()
    data = (tmp_path / "a").read_bytes()
    assert [data[place:].splitlines()[0].decode() for place in places] == ["하나", "two", "three"]


def test_a_torn_end_is_closed_before_the_next_line(tmp_path):
    (tmp_path / "a").write_bytes(b"whole\nhal")
    file = AppendOnlyFile(tmp_path / "a")
    place = file.append(b"next\n")
    assert (tmp_path / "a").read_bytes() == b"whole\nhal\nnext\n" and place == len(b"whole\nhal\n")
    assert file.append(b"last\n") == place + len(b"next\n")


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
            file.append(b"lost\n")
    place = file.append(b"kept\n")
    assert (tmp_path / "a").read_bytes()[place:] == b"kept\n"
