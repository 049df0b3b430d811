"""What the visitor's own turns come to: figures while practising, and a sheet at the end with strengths and one thing to try.

Thresholds are those of MITI 4.2.1 (fair): expert opinion, a direction and no mark. Not covered: the figures (`kmi.metrics.fidelity`).
"""

from collections import Counter
from collections.abc import Sequence
from html import escape

from kmi.codes import QUESTIONS, REFLECTIONS
from kmi.dialogue import Utterance
from kmi.simulation.decision import Decision
from kmi.space.markup import chip, curve, spoken_in
from kmi.space.words import label_name, word

FAIR_COMPLEX, FAIR_RATIO = 0.4, 1.0
FAIR_OPEN = 0.5  # MITI 3.1, beginner: version 4 has none


def counts(said: Sequence[Utterance]) -> Counter:
    """How often each label was the visitor's."""
    return Counter(turn.label for turn in said if turn.role == "therapist")


def standing(said: Sequence[Utterance], language: str) -> str:
    """Figures so far: R:Q, complex and open share, and change talk as it builds up."""
    found, talks = counts(said), [turn.talk for turn in said if turn.role == "client"]
    reflections, questions = (sum(found[label] for label in labels) for labels in (REFLECTIONS, QUESTIONS))
    rows = {
        "practise.ratio": _share(reflections, questions),
        "practise.complex": _share(found["Complex Reflection"], reflections),
        "practise.open": _share(found["Open Question"], questions),
        "practise.change": _share(talks.count("change"), len(talks)),
    }
    table = "".join(f"<tr><th scope='row'>{escape(word(key, language))}</th><td class='kmi-number'>{value}</td></tr>" for key, value in rows.items())
    chips = "".join(f"{chip(label, language)} {count} " for label, count in found.most_common())
    so_far = [talks[: n + 1].count("change") / (n + 1) for n in range(len(talks))]
    return f'<table class="kmi-bars kmi-figures">{table}</table><p>{chips}</p>{curve(so_far, word("practise.curve", language))}'


def sheet(said: Sequence[Utterance], decisions: Sequence[Decision], language: str) -> str:
    """Strengths, one next thing to try, and what the forecaster would have done at each turn."""
    found = counts(said)
    if not found:
        return f"<p>{escape(word('practise.nothing', language))}</p>"
    strengths, to_try = judged(found)
    good = "".join(f"<li>{escape(word(f'practise.{key}', language))}</li>" for key in strengths) or f"<li>{escape(word('practise.began', language))}</li>"
    own = [turn for turn in said if turn.role == "therapist"]
    heads = [escape(word(f"practise.{name}", language)) for name in ("you_said", "heard_as", "forecaster_would")]
    rows = [(f'<span lang="{spoken_in(turn.text)}">{escape(turn.text)}</span>', chip(turn.label, language), escape(_instead(decision, language))) for turn, decision in zip(own, decisions, strict=False)]
    # On a phone each cell stands under its own heading.
    body = "".join("<tr>" + "".join(f'<td data-name="{head}">{cell}</td>' for head, cell in zip(heads, row, strict=True)) + "</tr>" for row in rows)
    return (
        f"<h3>{escape(word('practise.strengths', language))}</h3><ul>{good}</ul><h3>{escape(word('practise.next', language))}</h3><p>{escape(word(f'practise.{to_try}', language))}</p>"
        f'<table class="kmi-table kmi-sheet"><thead><tr>{"".join(f"<th scope=col>{head}</th>" for head in heads)}</tr></thead><tbody>{body}</tbody></table>'
    )


def judged(found: Counter) -> tuple[list[str], str]:
    """Names of the strengths shown, and of the one thing to try next: the first of these that is missing."""
    reflections, questions = (sum(found[label] for label in labels) for labels in (REFLECTIONS, QUESTIONS))
    tests = {
        "few_pushes": found["Advise"] == 0,
        "reflecting": reflections > 0 and reflections >= FAIR_RATIO * questions,
        "opening": questions > 0 and found["Open Question"] >= FAIR_OPEN * questions,
        "deepening": reflections > 0 and found["Complex Reflection"] >= FAIR_COMPLEX * reflections,
        "affirming": found["Affirm"] > 0,
    }
    missing = [name for name, shown in tests.items() if not shown]
    return [name for name, shown in tests.items() if shown], f"try_{missing[0]}" if missing else "try_on"


def _instead(decision: Decision, language: str) -> str:
    first = decision.forecast[:3]
    return ", ".join(f"{label_name(option.label, language)} {option.probability:.2f}" for option in first)


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2f}" if whole else "-"
