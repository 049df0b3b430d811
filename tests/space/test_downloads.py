import os
import time
from pathlib import Path

from kmi.space.downloads import KEPT, download


def test_a_file_is_there_under_its_name_and_gone_after_the_hour():
    old, young = Path(download("a.txt", "하나\n")), Path(download("a.txt", "둘\n"))
    assert old.name == young.name == "a.txt" and old.read_text(encoding="utf-8") == "하나\n"
    past = time.time() - KEPT - 1
    os.utime(old.parent, (past, past))
    last = Path(download("b.txt", "셋\n"))
    assert not old.parent.exists() and young.exists() and last.exists()
