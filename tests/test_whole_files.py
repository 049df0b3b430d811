"""Files that are there wholly or not at all."""

import pytest

from kmi.whole_files import whole, write_text


def test_a_file_takes_the_place_of_the_one_before(tmp_path):
    write_text(tmp_path / "a", "하나\n둘")
    write_text(tmp_path / "a", "셋\n")
    assert (tmp_path / "a").read_bytes() == "셋\n".encode()
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("folder", [False, True])
def test_what_fails_leaves_all_as_it_was(tmp_path, folder):
    write_text(tmp_path / "a", "하나")
    with pytest.raises(KeyboardInterrupt), whole(tmp_path / "a") as partial:
        if folder:
            partial.mkdir()
            (partial / "half").touch()
        else:
            partial.write_text("둘", encoding="utf-8")
        raise KeyboardInterrupt
    assert [path.read_text(encoding="utf-8") for path in tmp_path.iterdir()] == ["하나"]


def test_a_folder_appears_with_all_that_is_in_it(tmp_path):
    with whole(tmp_path / "new") as partial:
        partial.mkdir()
        (partial / "in it").touch()
        assert not (tmp_path / "new").exists()
    assert (tmp_path / "new" / "in it").is_file()


def test_what_a_killed_process_left_is_no_hindrance(tmp_path):
    (tmp_path / "a.4711.partial").mkdir()
    write_text(tmp_path / "a", "하나")
    assert (tmp_path / "a").read_text(encoding="utf-8") == "하나"
