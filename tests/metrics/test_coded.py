import pytest

from kmi.errors import DataError
from kmi.metrics.coded import from_turns, scheme


def coded_error(turns, of_scheme="kmi"):
    with pytest.raises(DataError) as caught:
        from_turns([("s7", turns)], of_scheme)
    return str(caught.value)


def test_unknown_label_names_dialogue_turn_value_and_allowed():
    message = coded_error([{"role": "client", "talk": "change"}, {"role": "therapist", "label": "Praise"}])
    assert "'s7', turn 1" in message and "'Praise'" in message and "Complex Reflection" in message


def test_a_code_of_another_scheme_is_recognised():
    message = coded_error([{"role": "therapist", "label": "Confront"}])
    assert "it is one of 'miti'" in message and "scheme='miti'" in message


def test_wrong_role_and_label_on_the_wrong_side():
    assert "role is 'robot'; allowed are therapist, client" in coded_error([{"role": "robot"}])
    assert "a client turn carries 'Affirm'" in coded_error([{"role": "client", "label": "Affirm"}])
    assert "a therapist turn carries 'change'" in coded_error([{"role": "therapist", "talk": "change"}])


def test_unknown_talk_and_empty_dialogue():
    assert "talk 'maybe' is unknown" in coded_error([{"role": "client", "talk": "maybe"}])
    assert "'s7' is empty" in coded_error([])


def test_misc_client_codes_are_read():
    found = from_turns([("d", [{"role": "client", "talk": talk} for talk in ("R+", "C-", "FN", "change/need")])], "misc")
    assert found.talk.tolist() == [0, 1, 2, 0]
    assert found.subtype.tolist() == [2, -1, -1, 3]  # reason, none, none, need


def test_unknown_scheme():
    with pytest.raises(DataError, match="kmi, miti, misc, annomi"):
        scheme("mitti")


@pytest.mark.parametrize("name", ["kmi", "miti", "misc", "annomi"])
def test_groups_hold_codes_of_their_scheme(name):
    found = scheme(name)
    assert found.groups
    for group, members in found.groups.items():
        assert members <= set(found.codes), group
