"""A report's tables and plots in each language, from a few sessions of the dataset."""

import re
from itertools import islice

import pytest

from kmi.corpus.load import shipped_dialogues
from kmi.metrics.coded import from_dialogues
from kmi.metrics.fidelity import THRESHOLDS
from kmi.metrics.plots import korean_font
from kmi.metrics.report import TITLES, report
from kmi.metrics.scores import Resampling
from kmi.space.figures import plots, tables
from kmi.space.words import begun, word

HANGUL = re.compile("[가-힣]")


@pytest.fixture(scope="module", params=[0, 1, 3])
def found(request):
    return report(from_dialogues(islice(shipped_dialogues("test"), request.param)), Resampling(20))


def test_every_figure_is_told_in_the_visitors_language(found):
    korean, english = (tables(found, language) for language in ("ko", "en"))
    assert not HANGUL.search(english) and all(word(f"figure.{name}", "ko").split("(")[0] in korean for name in TITLES)
    for name, score in found.scores.items():
        assert str(score) in english and word(f"figure.{name}", "en")


def test_every_reason_for_a_gap_is_told(found):
    reasons = {score.reason for score in found.scores.values() if score.reason}
    assert all(HANGUL.search(begun("untold", reason, "ko")) for reason in reasons)
    assert tables(found, "ko").count("<li>") == len({begun("untold", reason, "ko") for reason in reasons})


def test_every_level_has_a_name():
    for table in THRESHOLDS.values():
        assert all(word(f"level.{name}", "ko") for name in ("below", "unknown", *table["names"]))


@pytest.mark.skipif(korean_font() is None, reason="plots are in English where no font has Hangul")
def test_plots_speak_the_visitors_language(found):
    def said(figure):
        figure.draw_without_rendering()
        return " ".join(text.get_text() for axis in figure.axes for text in (axis.title, *axis.texts, *axis.get_xticklabels(), *axis.get_yticklabels()))

    assert all(HANGUL.search(said(figure)) for figure in plots(found, "ko"))
    assert not any(HANGUL.search(said(figure)) for figure in plots(found, "en"))
