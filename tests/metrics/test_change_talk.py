import pytest

from kmi.metrics.change_talk import change_talk
from kmi.metrics.coded import from_dialogues
from kmi.metrics.scores import NO_INTERVALS

# Client turns: n s c | c n s ; thirds of two each. Then c c s: thirds of one each.
FIRST = "OQ neutral SR sustain CR change/desire CR change/need SR neutral CR sustain GE"
SECOND = "OQ change/reason CR change/commitment SR sustain GE"


def test_shares_by_hand(coded):
    found = change_talk(coded(FIRST, SECOND))
    assert found.client_turns == 9 and found.counts == {"change": 4, "sustain": 3, "neutral": 2}
    assert found.change_share.value == 4 / 9
    assert found.sustain_share.value == 3 / 9
    assert found.change_to_sustain_share.value == 4 / 7
    # Thirds: first {n, s, c}, middle {c, c, c}, last {n, s, s}.
    assert [found.trajectory[name].value for name in ("first", "middle", "last")] == [1 / 3, 3 / 3, 0]


def test_kinds_by_hand(coded):
    found = change_talk(coded(FIRST, SECOND))
    assert {name for name, kind in found.kinds.items() if kind.value} == {"desire", "need", "reason", "commitment"}
    assert found.kinds["desire"].value == 1 / 4
    assert found.mobilising_share.value == 1 / 4  # commitment


def test_when_it_comes_and_whether_it_lasts(coded):
    found = change_talk(coded(FIRST, SECOND, "OQ neutral SR neutral GE"))
    assert found.dialogues_with_change.value == 2 / 3
    assert found.first_change.value == pytest.approx((2 / 5 + 0) / 2)  # third of six turns; first of three
    # After the first change talk: c n s, then c s: 2 of 5 are sustain talk.
    assert found.sustain_after_change.value == 2 / 5
    assert found.relapse.value == 2 / 2  # both hold sustain talk in their last third
    assert found.late_commitment.value == 0  # the commitment stands in the middle third


def test_slope_by_hand(coded):
    # Positions 0, 1/2, 1 with change talk 0, 1, 1: slope = (3*1.5 - 1.5*2) / (3*1.25 - 1.5**2) = 1.
    assert change_talk(coded("OQ sustain SR change CR change GE")).slope.value == pytest.approx(1)
    assert change_talk(coded("OQ change GE")).slope.value is None


def test_uncoded_and_two_way_codings(coded):
    assert change_talk(coded("OQ - SR - GE")).change_share.reason == "no client turn is coded"
    two_way = change_talk(coded("OQ change SR - CR - GE -"))
    assert two_way.change_share.value == 1 / 4
    for figure in (two_way.sustain_share, two_way.change_to_sustain_share, two_way.sustain_after_change, two_way.relapse):
        assert figure.value is None and "only change talk" in figure.reason


@pytest.mark.parametrize("texts", [(), ("OQ",), ("OQ - GE",), ("neutral",), ("OQ sustain SR sustain",), ("change",)])
def test_one_sided_input_is_undefined_never_a_crash(coded, texts):
    found = change_talk(coded(*texts)).to_dict()
    assert all(entry["value"] is not None or entry["reason"] for entry in found.values() if isinstance(entry, dict) and "value" in entry)


@pytest.mark.annomi
@pytest.mark.parametrize(("quality", "share"), [("high", 0.25), ("low", 0.17)])
def test_annomi_gives_the_share_computed_before(annomi_folder, quality, share):
    from kmi.corpus.annomi import load_annomi

    found = change_talk(from_dialogues(load_annomi(annomi_folder, quality)), NO_INTERVALS)
    assert round(found.change_share.value, 2) == share
