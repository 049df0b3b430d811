"""What the dataset card says in figures: statistics per split, as Markdown tables.

Everything is counted from the dialogues given; nothing is kept by hand.

Not covered: the text around the tables (`kmi/corpus/cards/`), further measures (`kmi.metrics`).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from kmi import codes
from kmi.dialogue import Dialogue
from kmi.metrics.behaviour import BehaviourReport, measure


@dataclass
class Tally:
    """What a pass over dialogues adds up beside the behaviour counts; keys are stored values."""

    characters: Counter = field(default_factory=Counter)  # of the Korean text, by role
    values: dict[str, Counter] = field(
        default_factory=lambda: {name: Counter() for name in ("category", "arc", "ending")}
    )
    subtypes: Counter = field(default_factory=Counter)
    corrected: int = 0  # dialogues in which the client corrects a reflection
    english: int = 0  # utterances with an English text

    def watching(self, dialogues: Iterable[Dialogue]) -> Iterator[Dialogue]:
        """Passes the dialogues on and adds them up."""
        for dialogue in dialogues:
            for name, counter in self.values.items():
                counter[getattr(dialogue, name)] += 1
            self.corrected += any(turn.corrects_reflection for turn in dialogue.utterances)
            for turn in dialogue.utterances:
                self.characters[turn.role] += len(turn.utterance_ko)
                self.english += bool(turn.utterance_en)
                if turn.talk_subtype:
                    self.subtypes[turn.talk_subtype] += 1
            yield dialogue


@dataclass(frozen=True)
class Statistics:
    """One split's figures."""

    report: BehaviourReport
    tally: Tally


def summarise(dialogues: Iterable[Dialogue]) -> Statistics:
    """Counts dialogues in one pass."""
    tally = Tally()
    return Statistics(measure(tally.watching(dialogues)), tally)


def markdown_tables(splits: Mapping[str, Statistics]) -> dict[str, str]:
    """The card's tables by placeholder name; a column per split, named by the keys."""
    return {
        "sizes": _sizes(splits),
        "ratios": _ratios(splits),
        "labels": _codes(splits, codes.THERAPIST, lambda s: s.report.counts.labels),
        "talk": _codes(splits, codes.TALK, lambda s: s.report.counts.talk),
        "subtypes": _codes(splits, codes.SUBTYPES, lambda s: s.tally.subtypes),
        "categories": _codes(splits, codes.CATEGORIES, lambda s: s.tally.values["category"]),
        "arcs": _codes(splits, codes.ARCS, lambda s: s.tally.values["arc"]),
        "endings": _codes(splits, codes.ENDINGS, lambda s: s.tally.values["ending"]),
        "glossary": _glossary(),
    }


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; every cell on one line."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _sizes(splits: Mapping[str, Statistics]) -> str:
    def per(whole: int, parts: int) -> str:
        return f"{whole / parts:.1f}" if parts else "-"

    figures: dict[str, Callable[[Statistics], str]] = {
        "대화 / dialogues": lambda s: f"{s.report.counts.dialogues:,}",
        "발화 / utterances": lambda s: f"{s.report.counts.utterances:,}",
        "대화당 발화 / utterances per dialogue": lambda s: per(s.report.counts.utterances, s.report.counts.dialogues),
        "상담자 발화 / therapist turns": lambda s: f"{s.report.counts.therapist_turns:,}",
        "내담자 발화 / client turns": lambda s: f"{s.report.counts.client_turns:,}",
        "상담자 발화의 글자 수 / Korean characters per therapist turn": lambda s: per(
            s.tally.characters["therapist"], s.report.counts.therapist_turns
        ),
        "내담자 발화의 글자 수 / Korean characters per client turn": lambda s: per(
            s.tally.characters["client"], s.report.counts.client_turns
        ),
        "영어가 있는 발화 / utterances with English": lambda s: f"{s.tally.english:,}",
        "빗나간 반영을 내담자가 바로잡는 대화 / dialogues with a corrected reflection": lambda s: (
            f"{s.tally.corrected:,}"
        ),
    }
    return markdown_table(["", *splits], [[name, *map(figure, splits.values())] for name, figure in figures.items()])


def _ratios(splits: Mapping[str, Statistics]) -> str:
    names = {
        "reflection_to_question": "반영:질문 / reflections to questions (R:Q)",
        "complex_share": "반영 중 복합 반영 / complex share of reflections",
        "open_share": "질문 중 열린 질문 / open share of questions",
        "change_talk_share": "내담자 발화 중 변화 대화 / change talk, share of client turns",
        "change_to_sustain_share": "변화 대화 / (변화 + 유지 대화) · change talk / (change + sustain talk)",
    }

    def cell(statistics: Statistics, name: str) -> str:
        value = getattr(statistics.report, name)
        return "-" if value is None else f"{value:.2f}"

    return markdown_table(
        ["", *splits], [[title, *(cell(s, name) for s in splits.values())] for name, title in names.items()]
    )


def _codes(
    splits: Mapping[str, Statistics],
    known: Mapping[str, codes.Code],
    counts_of: Callable[[Statistics], Mapping[str, int]],
) -> str:
    def cell(statistics: Statistics, name: str) -> str:
        counts = counts_of(statistics)
        total = sum(counts[code] for code in known)
        return f"{counts[name]:,} ({counts[name] / total:.3f})" if total else "-"

    def title(code: codes.Code) -> str:
        return " / ".join(dict.fromkeys(part for part in (code.ko, code.en or code.name) if part))

    return markdown_table(
        ["", *splits], [[title(code), *(cell(s, name) for s in splits.values())] for name, code in known.items()]
    )


def _glossary() -> str:
    header = ["코드 / code", "뜻 / meaning", "예 / example"]
    coded = (*codes.THERAPIST.values(), *codes.TALK.values(), *codes.SUBTYPES.values())
    return markdown_table(
        header,
        [
            [
                f"**{code.name}**<br>{code.ko}",
                f"{code.definition_ko}<br>{code.definition_en}",
                f"{code.example_ko}<br>{code.example_en}",
            ]
            for code in coded
        ],
    )
