import warnings

import numpy as np
import pytest

from kmi.codes import THERAPIST_LABELS
from kmi.metrics.change_talk import change_talk
from kmi.metrics.fidelity import fidelity
from kmi.metrics.sequences import sequences

matplotlib = pytest.importorskip("matplotlib")
from kmi.metrics import plots  # noqa: E402

TEXTS = ("OQ neutral SR sustain CR change/need AF change/commitment CR", "CQ change CR change CR sustain GE")


def figures(coded):
    return {
        "fidelity": plots.fidelity_plot(fidelity(coded)),
        "change talk": plots.change_talk_plot(change_talk(coded)),
        "sequences": plots.sequence_plot(sequences(coded)),
        "calibration": plots.calibration_plot({"가": [{"probability": 0.4, "right": 0.5, "count": 2}], "나": []}),
        "confusion": plots.confusion_plot(THERAPIST_LABELS, np.eye(8), "가", "나"),
    }


def texts(figure):
    return [text.get_text() for text in figure.findobj(matplotlib.text.Text)]


def test_every_plot_draws_what_it_was_given(coded, tmp_path):
    found = figures(coded(*TEXTS))
    for name, figure in found.items():
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a missing glyph is a warning
            figure.savefig(tmp_path / f"{name}.png") if plots.korean_font() else None
        assert any(text for text in texts(figure)), name
    assert " 2.50" in texts(found["fidelity"])  # SR 1 + CR 4 over OQ + CQ 2
    assert found["calibration"].axes[0].collections[0].get_offsets().tolist() == [[0.4, 0.5]]
    assert any("(1)" in text for text in texts(found["sequences"]))


def test_korean_labels_where_a_font_has_them(coded):
    labels = texts(plots.sequence_plot(sequences(coded(*TEXTS))))
    assert ("열린 질문" in labels) == bool(plots.korean_font()) != ("Open Question" in labels)


def test_nothing_to_show_is_no_crash(coded, tmp_path):
    for figure in figures(coded("-")).values():
        figure.savefig(tmp_path / "empty.png")


def test_global_settings_stay(coded):
    before = dict(matplotlib.rcParams)
    figures(coded(*TEXTS))
    assert dict(matplotlib.rcParams) == before
