"""What a report found, as tables and plots in the visitor's language.

Not covered: the figures (`kmi.metrics.report`), the plots as they are drawn (`kmi.metrics.plots`).
"""

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

from kmi.codes import TALK, THERAPIST
from kmi.metrics.bands import BANDS, band
from kmi.metrics.plots import change_talk_plot, fidelity_plot, sequence_plot
from kmi.metrics.report import Report
from kmi.metrics.scores import Score
from kmi.space.words import begun, label_name, word, words_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def tables(found: Report, language: str) -> str:
    """All figures: fidelity and change talk beside the reference bands, thresholds, labels, what follows what."""
    return "".join(make(found, language) for make in (_figures, _thresholds, _labels, _sequences))


def plots(found: Report, language: str) -> list["Figure"]:
    """Fidelity, change talk over the session, what follows what."""
    drawn = [fidelity_plot(found.fidelity), change_talk_plot(found.talk), sequence_plot(found.sequences)]
    return drawn if language == "ko" else [_translated(figure, language) for figure in drawn]


def _figures(found: Report, language: str) -> str:
    counted = word("analyse.counted", language, sessions=f"{found.fidelity.dialogues:,}", therapist=f"{found.fidelity.turns:,}", client=f"{found.talk.client_turns:,}")
    bands = [band(name) for name in BANDS]
    # A reason stands once below the table and its number at each figure.
    reasons = list(dict.fromkeys(begun("untold", score.reason, language) for score in found.scores.values() if score.reason))

    def named(name: str, score: Score) -> str:
        mark = f"<sup>{reasons.index(begun('untold', score.reason, language)) + 1}</sup>" if score.reason else ""
        return escape(word(f"figure.{name}", language)) + mark

    rows = [(named(name, score), str(score), *(_number(values.get(name)) for values in bands)) for name, score in found.scores.items()]
    notes = "".join(f"<li>{escape(reason)}</li>" for reason in reasons)
    return (
        f"<p>{escape(counted)}</p>{_table((word('analyse.figure', language), word('analyse.value', language), *BANDS.values()), rows)}"
        + (f"<small>{escape(word('analyse.why_none', language))}<ol>{notes}</ol></small>" if notes else "")
    )


def _thresholds(found: Report, language: str) -> str:
    rows = [
        (escape(word(f"figure.{name}", language)), escape(instrument), escape(word(f"level.{level or 'unknown'}", language)))
        for instrument, levels in found.fidelity.verdicts.items()
        for name, level in levels.items()
    ]
    head = (word(f"analyse.{name}", language) for name in ("figure", "instrument", "level"))
    return f"{_heading('thresholds', language)}<p>{escape(word('analyse.opinion', language))}</p>{_table(head, rows)}"


def _labels(found: Report, language: str) -> str:
    rows = [(escape(label_name(name, language)), f"{count:,}", str(found.fidelity.shares[name])) for name, count in found.fidelity.counts.items()]
    return _heading("labels", language) + _table((word(f"analyse.{name}", language) for name in ("label", "count", "share")), rows)


def _sequences(found: Report, language: str) -> str:
    sustain = found.sequences.after["sustain"]
    rows = [
        (escape(label_name(label, language)), str(after.probability), str(after.yules_q), str(sustain[label].probability))
        for label, after in found.sequences.after["change"].items()
    ]
    return _heading("sequences", language) + _table((word(f"analyse.{name}", language) for name in ("after", "p_change", "yules_q", "p_sustain")), rows)


def _heading(name: str, language: str) -> str:
    return f"<h3>{escape(word(f'analyse.{name}', language))}</h3>"


def _table(head: Iterable[str], rows: Iterable[tuple[str, ...]]) -> str:
    """A table in a box of its own, which scrolls where the screen is narrow; cells of `rows` are HTML."""
    head = tuple(head)
    titles = "".join(f'<th scope="col">{escape(title)}</th>' for title in head)
    body = "".join(f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>' for first, *cells in rows)
    return f'<div class="kmi-wide" role="region" aria-label="{escape(head[0])}" tabindex="0"><table class="kmi-table"><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table></div>'


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _translated(figure: "Figure", language: str) -> "Figure":
    """A plot's titles, ticks and notes in another language; what has no translation, such as a number, stays."""
    said = {code.ko: label_name(name, language) for name, code in {**THERAPIST, **TALK}.items()} | {texts["ko"]: texts[language] for texts in words_of("plot")}
    for axis in figure.axes:
        axis.set_title(said.get(axis.get_title(), axis.get_title()), fontsize=axis.title.get_fontsize())
        for line in (axis.xaxis, axis.yaxis):
            names = [text.get_text() for text in line.get_ticklabels()]
            if any(name in said for name in names):
                line.set_ticks(line.get_ticklocs(), [said.get(name, name) for name in names])
        for text in axis.texts:
            text.set_text(said.get(text.get_text(), text.get_text()))
    return figure
