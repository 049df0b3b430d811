import math

from kmi.dialogue_model.trigram import Trigram


def test_probabilities_sum_to_one_after_any_context():
    trigram = Trigram([[0, 1, 2, 3], [0, 1, 2, 2]], 5)
    for before in ([], [0], [0, 1], [1, 2], [4, 4], [3, 0]):
        assert math.isclose(sum(math.exp(trigram.log_probability(before, token)) for token in range(5)), 1.0)


def test_what_was_seen_is_likelier_and_only_two_tokens_count():
    trigram = Trigram([[0, 1, 2]] * 9, 5)
    assert trigram.log_probability([0, 1], 2) > math.log(0.8) > trigram.log_probability([0, 1], 3)
    assert trigram.log_probability([4, 0, 1], 2) == trigram.log_probability([0, 1], 2)
