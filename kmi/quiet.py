"""Hides transformers' progress bars where they only clutter.

Not covered: KMI's own progress, which long commands show on purpose.
"""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_progress_bar() -> Iterator[None]:
    """Hides transformers' bars: one that fills in a millisecond only clutters a command's output."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
