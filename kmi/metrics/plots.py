"""Figures to look at: fidelity against thresholds, the change-talk curve, the transition heat map, a confusion matrix, calibration.

Each function takes what the metrics give and returns a matplotlib `Figure`; nothing is shown or stored, no global style is
changed. Hangul needs a font that has it: the first installed of `FONTS` is used, else labels fall back to English.

Not covered: the numbers behind (`fidelity`, `change_talk`, `sequences`, `agreement`).
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, wraps
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kmi import codes
from kmi.errors import MissingExtra
from kmi.metrics.bands import BANDS, band
from kmi.metrics.change_talk import THIRDS, ChangeTalk
from kmi.metrics.fidelity import THRESHOLDS, Fidelity
from kmi.metrics.sequences import Sequences

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FONTS = ("Apple SD Gothic Neo", "Malgun Gothic", "NanumGothic", "NanumBarunGothic", "Noto Sans CJK KR", "Noto Sans KR")
# Okabe & Ito 2008: told apart with every common colour blindness; text stands beside them all the same.
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#6B7280"
SHOWN = ("reflection_to_question", "complex_share", "open_share")
NAMES = {
    "reflection_to_question": ("반영:질문 (R:Q)", "R:Q"), "complex_share": ("복합 반영 비율", "complex share"), "open_share": ("열린 질문 비율", "open share"),
}  # fmt: skip


def _in_korean(draw: Callable[..., "Figure"]) -> Callable[..., "Figure"]:
    """Draws with a font that has Hangul, leaving matplotlib's global settings as they are."""

    @wraps(draw)
    def drawn(*args, **kwargs):
        try:
            import matplotlib
        except ImportError:
            raise MissingExtra("Plots", "matplotlib", "metrics") from None
        family = [korean_font(), "DejaVu Sans"] if korean_font() else ["DejaVu Sans"]
        with matplotlib.rc_context({"font.family": family, "axes.unicode_minus": False}):
            return draw(*args, **kwargs)

    return drawn


@_in_korean
def fidelity_plot(found: Fidelity) -> "Figure":
    """R:Q, complex share and open share with their intervals, the thresholds of MITI and the reference bands."""
    figure, axes = _figure(1, len(SHOWN), width=9, height=2.8)
    for axis, name in zip(np.atleast_1d(axes), SHOWN, strict=True):
        score, bounds = found.ratios[name], THRESHOLDS["MITI 3.1"].get(name, ())
        for level, bound in zip(THRESHOLDS["MITI 3.1"]["names"], bounds, strict=False):
            axis.axhline(bound, color=GREY, linewidth=1, linestyle="--")
            axis.text(1.98, bound, level, ha="right", va="bottom", fontsize=8, color=GREY)
        _bar(axis, score)
        for place, (key, title) in enumerate(BANDS.items()):
            value = band(key)[name]
            axis.plot([1.0], [value], marker="osD"[place], color=(GREEN, ORANGE, GREY)[place], markersize=6, linestyle="", label=title)
        axis.set_title(_word(*NAMES[name]), fontsize=10)
        axis.set_xlim(-0.6, 2)
        axis.set_xticks([0, 1], [_word("이 자료", "this"), _word("견줄 값", "bands")])
        axis.set_ylim(bottom=0)
    np.atleast_1d(axes)[-1].legend(fontsize=7, loc="lower right", frameon=False)
    return figure


@_in_korean
def change_talk_plot(found: ChangeTalk) -> "Figure":
    """Change talk's share in the three thirds of a session, with intervals."""
    figure, axis = _figure(1, 1, width=5, height=3)
    values = [found.trajectory[name].value for name in THIRDS]
    drawn = [np.nan if value is None else value for value in values]
    axis.plot(range(3), drawn, color=BLUE, marker="o", linewidth=2)
    for place, name in enumerate(THIRDS):
        score = found.trajectory[name]
        if score.low is not None:
            axis.plot([place, place], [score.low, score.high], color=BLUE, linewidth=1)
        if score.value is not None:
            axis.annotate(f"{score.value:.2f}", (place, score.value), textcoords="offset points", xytext=(-10, 9), fontsize=9)
    axis.set_xticks(range(3), [_word(*pair) for pair in (("처음", "first"), ("가운데", "middle"), ("끝", "last"))])
    axis.set_xlim(-0.3, 2.5)
    axis.set_ylim(0, 1)
    axis.set_title(_word("변화 대화의 비율", "share of change talk"), fontsize=10)
    return figure


@_in_korean
def sequence_plot(found: Sequences) -> "Figure":
    """Heat map of P(client talk | therapist behaviour), with counts."""
    labels = [label for label, row in found.table.items() if sum(row.values())]
    counts = np.array([[found.table[label][talk] for talk in codes.TALK_TYPES] for label in labels], dtype=float).reshape(len(labels), len(codes.TALK_TYPES))
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    figure, axis = _figure(1, 1, width=5.5, height=max(2.0, 0.45 * len(labels) + 1.2))
    _heat(axis, shares, [f"{share:.2f}\n({int(count)})" for share, count in zip(shares.ravel(), counts.ravel(), strict=True)])
    axis.set_yticks(range(len(labels)), [_label(label) for label in labels], fontsize=8)
    axis.set_xticks(range(len(codes.TALK_TYPES)), [_word(code.ko, code.name) for code in codes.TALK.values()])
    axis.set_title(_word("상담자의 말 다음 내담자의 말", "client talk after each behaviour"), fontsize=10)
    return figure


@_in_korean
def confusion_plot(names: Sequence[str], counts: np.ndarray, rows: str = "", columns: str = "") -> "Figure":
    """Confusion matrix [codes, codes], shaded by share of the row; `rows` and `columns` name the two coders."""
    counts = np.asarray(counts, dtype=float)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    size = max(3.2, 0.62 * len(names) + 1.4)
    figure, axis = _figure(1, 1, width=size + 0.8, height=size)
    _heat(axis, shares, [f"{int(count)}" for count in counts.ravel()])
    axis.set_yticks(range(len(names)), [_label(name) for name in names], fontsize=8)
    axis.set_xticks(range(len(names)), [_label(name) for name in names], fontsize=8, rotation=45, ha="right")
    axis.set_ylabel(rows)
    axis.set_xlabel(columns)
    return figure


@_in_korean
def calibration_plot(reliability: Mapping[str, Sequence[Mapping[str, float]]]) -> "Figure":
    """How often the first label came true against the probability it was given, one panel for each named list of bins
    (`kmi.metrics.forecasting.reliability`); a dot's area grows with its forecasts, on the dashed line they are calibrated."""
    figure, axes = _figure(1, len(reliability), width=3.6 * len(reliability), height=3.4)
    for axis, (name, bins) in zip(np.atleast_1d(axes), reliability.items(), strict=True):
        sure, right, count = (np.array([row[key] for row in bins], dtype=float) for key in ("probability", "right", "count"))
        axis.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--")
        axis.plot(sure, right, color=BLUE, linewidth=1)
        axis.scatter(sure, right, s=10 + 150 * count / count.max(initial=1), color=BLUE)
        axis.set_xlim(0, 1)
        axis.set_ylim(0, 1)
        axis.set_title(name, fontsize=10)
        axis.set_xlabel(_word("첫째 라벨에 준 확률", "probability of the first label"), fontsize=9)
        axis.set_ylabel(_word("그대로 된 비율", "share that came true"), fontsize=9)
    return figure


@cache
def korean_font() -> str | None:
    """Name of an installed font with Hangul, or None."""
    from matplotlib import font_manager

    known = {font.name for font in font_manager.fontManager.ttflist}
    if not known & set(FONTS):  # matplotlib keeps its list of fonts from its first run on: look again for new ones
        wanted = {font.replace(" ", "").lower() for font in FONTS}
        for path in font_manager.findSystemFonts():
            if Path(path).stem.replace("-", "").removesuffix("Regular").lower() in wanted:
                font_manager.fontManager.addfont(path)
        known = {font.name for font in font_manager.fontManager.ttflist}
    return next((font for font in FONTS if font in known), None)


def _figure(rows: int, columns: int, *, width: float, height: float):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(rows, columns)
    for axis in np.atleast_1d(axes).ravel():
        axis.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _bar(axis: "Axes", score) -> None:
    if score.value is None:
        axis.text(0, 0.5, _word("정할 수 없음", "undefined"), ha="center", fontsize=9, color=GREY)
        return
    axis.bar([0], [score.value], width=0.6, color=BLUE)
    axis.text(0, score.value, f" {score.value:.2f}", ha="center", va="bottom", fontsize=9)
    if score.low is not None:
        axis.plot([0.2, 0.2], [score.low, score.high], color="black", linewidth=1)


def _heat(axis: "Axes", shares: np.ndarray, texts: Sequence[str]) -> None:
    if not shares.size:
        axis.text(0.5, 0.5, _word("코드가 없음", "no codes"), ha="center", va="center", fontsize=9, color=GREY)
        return
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for place, text in enumerate(texts):
        row, column = divmod(place, shares.shape[1])
        axis.text(column, row, text, ha="center", va="center", fontsize=7, color="white" if shares[row, column] > 0.55 else "black")


def _label(name: str) -> str:
    known: Mapping[str, codes.Code] = {**codes.THERAPIST, **codes.TALK}
    return _word(known[name].ko, name) if name in known else name


def _word(ko: str, en: str) -> str:
    """Korean where a font can show it."""
    return ko if korean_font() else en
