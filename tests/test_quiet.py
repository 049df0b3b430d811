from transformers.utils import logging

from kmi.quiet import no_progress_bar


def test_bars_are_hidden_inside_and_back_outside():
    shown = logging.is_progress_bar_enabled()
    with no_progress_bar():
        assert not logging.is_progress_bar_enabled()
    assert logging.is_progress_bar_enabled() == shown
