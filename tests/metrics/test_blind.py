import random
from itertools import islice

import pytest

from kmi.corpus.load import shipped_dialogues
from kmi.errors import DataError
from kmi.metrics import blind
from kmi.metrics.ratings import Rating
from kmi.metrics.scores import NO_INTERVALS


@pytest.fixture(scope="module")
def sources():
    dialogues = list(islice(shipped_dialogues("test"), 6))
    return {"written": dialogues[:4], "chatbot": dialogues[4:]}


def scores(key, better="written"):
    """Two raters: 4 and 5 for the better source, 2 and 3 for the other."""
    return [Rating(name, f"r{n}", "miti.empathy", (4 if origin.source == better else 2) + n, "model") for name, origin in key.items() for n in (0, 1)]


def test_names_tell_nothing_and_the_key_undoes_them(sources):
    mixed, key = blind.mix(sources)
    assert [d.id for d in mixed] == [f"session-{n:03d}" for n in range(1, 7)]
    originals = {d.id: d for its in sources.values() for d in its}
    assert all(d.utterances == originals[key[d.id].id].utterances for d in mixed)
    assert {key[d.id].source for d in mixed[:4]} == {"written", "chatbot"}  # not one source after the other
    assert blind.mix(sources)[1] == key != blind.mix(sources, seed=1)[1]


def test_means_by_source_and_agreement_over_all(sources):
    found = blind.report(blind.rated(scores(blind.mix(sources)[1]), blind.mix(sources)[1]), NO_INTERVALS)
    assert found["sessions"] == {"chatbot": 2, "written": 4} and found["raters"] == ["r0", "r1"] and found["kind"] == "model"
    means = {name: found["figures"][name]["miti.empathy"]["mean"]["value"] for name in ("all", "written", "chatbot")}
    assert means == {"all": pytest.approx((4 * 4.5 + 2 * 2.5) / 6), "written": 4.5, "chatbot": 2.5}
    assert found["figures"]["all"]["miti.empathy"]["alpha"]["value"] is not None
    assert "| 공감 (MITI) / Empathy (MITI) | 2.50 | 4.50 |" in blind.table(found)


def test_rows_come_back_from_a_file(sources, tmp_path):
    key = blind.mix(sources)[1]
    rows = blind.rated(scores(key), key)
    random.Random(0).shuffle(rows)
    blind.write_rows(rows, tmp_path / "ratings.csv")
    assert blind.read_rows(tmp_path / "ratings.csv") == rows
    assert blind.read_rows(tmp_path / "none.csv") == []


def test_strangers_and_mixed_kinds_are_refused(sources):
    key = blind.mix(sources)[1]
    with pytest.raises(DataError, match="'elsewhere'.*not among the 6 sessions"):
        blind.rated([Rating("elsewhere", "r", "miti.empathy", 3)], key)
    rows = blind.rated([*scores(key), Rating("session-001", "kim", "miti.empathy", 3)], key)
    with pytest.raises(DataError, match="one kind of rater, got 2: human, model"):
        blind.report(rows)
    with pytest.raises(DataError, match="got 0"):
        blind.report([])
