import pytest

from kmi.errors import ConfigError
from kmi.metrics.coded import from_dialogues
from kmi.metrics.scores import NO_INTERVALS
from kmi.metrics.sequences import sequences

# After OQ: change, change, sustain. After SR: sustain, neutral. After CQ: neutral.
TEXTS = ("OQ change OQ sustain SR neutral", "OQ change SR sustain CQ neutral GE")


def test_table_and_probabilities_by_hand(coded):
    found = sequences(coded(*TEXTS))
    assert found.pairs == 6
    assert found.table["Open Question"] == {"change": 2, "sustain": 1, "neutral": 0}
    assert found.table["General"] == {"change": 0, "sustain": 0, "neutral": 0}
    assert found.base["change"].value == 2 / 6 and found.base["sustain"].value == 2 / 6
    assert found.after["change"]["Open Question"].probability.value == 2 / 3
    assert found.after["sustain"]["Simple Reflection"].probability.value == 1 / 2
    assert found.after["change"]["General"].probability.value is None


def test_odds_and_q_by_hand(coded):
    found = sequences(coded("OQ change OQ change OQ neutral SR change SR neutral SR neutral"))
    after = found.after["change"]["Open Question"]
    # a=2, b=1, c=1, d=2: OR = 4 / 1, Q = (4 - 1) / (4 + 1).
    assert after.odds_ratio.value == 4 and after.yules_q.value == 3 / 5
    # With an empty cell the odds ratio is undefined, Q is 1.
    whole = sequences(coded(*TEXTS)).after["change"]["Open Question"]
    assert whole.odds_ratio.value is None and "empty" in whole.odds_ratio.reason
    assert whole.yules_q.value == 1  # a=2, b=1, c=0, d=3: (6 - 0) / (6 + 0)


def test_lags_count_client_turns(coded):
    second = sequences(coded("OQ change SR sustain CR neutral"), lag=2)
    # OQ -> sustain, SR -> neutral; CR has no second client turn after it.
    assert second.pairs == 2
    assert second.table["Open Question"]["sustain"] == 1 and second.table["Simple Reflection"]["neutral"] == 1


def test_a_pair_stays_inside_its_dialogue_and_needs_both_codes(coded):
    assert sequences(coded("OQ", "change")).pairs == 0
    assert sequences(coded("OQ - ? change")).pairs == 0


def test_two_therapist_turns_before_one_reply_both_count(coded):
    assert sequences(coded("SR OQ change")).table["Simple Reflection"]["change"] == 1


@pytest.mark.parametrize("lag", [0, 4, "one"])
def test_lag_is_checked(coded, lag):
    with pytest.raises(ConfigError, match="lag of 1 to 3"):
        sequences(coded("OQ change"), lag)


@pytest.mark.annomi
def test_annomi_gives_the_probabilities_computed_before(annomi_folder):
    from kmi.corpus.annomi import load_annomi

    found = sequences(from_dialogues(load_annomi(annomi_folder, "high")), 1, NO_INTERVALS)
    published = {"Open Question": 0.40, "Complex Reflection": 0.24, "Affirm": 0.23, "Closed Question": 0.18, "Give Information": 0.16}
    assert {label: round(found.after["change"][label].probability.value, 2) for label in published} == published
    assert round(found.base["change"].value, 2) == 0.25
