"""What the dataset card says in figures: statistics per split, as Markdown tables.

Everything is counted from the dialogues given; nothing is kept by hand.

Not covered: the text around the tables (`kmi/corpus/cards/`), further measures (`kmi.metrics`).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from kmi import codes
from kmi.dialogue import Dialogue
from kmi.metrics.bands import BANDS, band, label_shares
from kmi.metrics.coded import from_dialogues
from kmi.metrics.report import TITLES, Report, report
from kmi.metrics.scores import NO_INTERVALS, Score


@dataclass
class Tally:
    """What a pass over dialogues adds up beside the behaviour counts; keys are stored values."""

    characters: Counter = field(default_factory=Counter)  # of the Korean text, by role
    values: dict[str, Counter] = field(
        default_factory=lambda: {name: Counter() for name in ("category", "arc", "ending")}
    )
    subtypes: Counter = field(default_factory=Counter)
    utterances: int = 0
    planned: int = 0  # therapist turns with a plan
    as_planned: int = 0  # of these, realised as planned
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
                self.subtypes[turn.talk_subtype] += bool(turn.talk_subtype)
                self.planned += bool(turn.planned_label)
                self.as_planned += bool(turn.planned_label) and turn.planned_label == turn.label
            self.utterances += dialogue.turns
            yield dialogue


@dataclass(frozen=True)
class Statistics:
    """One split's figures."""

    report: Report
    tally: Tally


def summarise(dialogues: Iterable[Dialogue]) -> Statistics:
    """Counts dialogues in one pass."""
    tally = Tally()
    return Statistics(report(from_dialogues(tally.watching(dialogues)), NO_INTERVALS), tally)


def markdown_tables(splits: Mapping[str, Statistics]) -> dict[str, str]:
    """The card's tables by placeholder name; a column per split, named by the keys."""
    return {
        "sizes": _sizes(splits),
        "ratios": _ratios(splits),
        "labels": _codes(splits, codes.THERAPIST, lambda s: s.report.fidelity.counts),
        "talk": _codes(splits, codes.TALK, lambda s: s.report.talk.counts),
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
        "대화 / dialogues": lambda s: f"{s.report.fidelity.dialogues:,}",
        "발화 / utterances": lambda s: f"{s.tally.utterances:,}",
        "대화당 발화 / utterances per dialogue": lambda s: per(s.tally.utterances, s.report.fidelity.dialogues),
        "상담자 발화 / therapist turns": lambda s: f"{s.report.fidelity.turns:,}",
        "내담자 발화 / client turns": lambda s: f"{s.report.talk.client_turns:,}",
        "상담자 발화의 글자 수 / Korean characters per therapist turn": lambda s: per(
            s.tally.characters["therapist"], s.report.fidelity.turns
        ),
        "내담자 발화의 글자 수 / Korean characters per client turn": lambda s: per(
            s.tally.characters["client"], s.report.talk.client_turns
        ),
        "영어가 있는 발화 / utterances with English": lambda s: f"{s.tally.english:,}",
        "빗나간 반영을 내담자가 바로잡는 대화 / dialogues with a corrected reflection": lambda s: (
            f"{s.tally.corrected:,}"
        ),
    }
    return markdown_table(["", *splits], [[name, *map(figure, splits.values())] for name, figure in figures.items()])


def _ratios(splits: Mapping[str, Statistics]) -> str:
    told = [name for name in TITLES if any(s.report.scores[name].value is not None for s in splits.values())]
    rows = [[TITLES[name], *(str(s.report.scores[name]) for s in splits.values())] for name in told]
    kept = [f"{s.tally.as_planned / s.tally.planned:.2f}" if s.tally.planned else "-" for s in splits.values()]
    return markdown_table(["", *splits], [*rows, ["계획한 표지대로 쓰인 상담자 발화 / therapist turns realised as planned", *kept]])


def comparison(whole: Statistics) -> str:
    """This corpus beside AnnoMI and the reference release, label by label and figure by figure."""
    bands = {name: band(name) for name in BANDS}
    counts = whole.report.fidelity.counts
    header = ["", "KMI", *BANDS.values()]
    rows = [
        [f"{codes.THERAPIST[label].ko} / {label}", _share(counts[label], whole.report.fidelity.turns), *(f"{shares[i]:.3f}" for shares in map(label_shares, BANDS))]
        for i, label in enumerate(codes.THERAPIST_LABELS)
    ]
    for name in next(iter(bands.values())):
        rows.append([TITLES[name], str(whole.report.scores[name]), *("-" if of[name] is None else f"{of[name]:.2f}" for of in bands.values())])
    return markdown_table(header, rows)


def agreement_table(scores: Mapping[str, Mapping[str, Score]]) -> str:
    """Agreement of the two codings, as `kmi.corpus.second_coding.agreement_of` gives it; says so where there is none yet."""
    if not scores:
        return "아직 두 번째 코딩이 없습니다. There is no second coding yet."
    titles = {"overall": "전체 / overall (kappa)", "raw": "같은 코드의 비율 / raw agreement (0-1)"}
    rows = [[role, titles.get(name, name), str(score)] for role, of in scores.items() for name, score in of.items()]
    return markdown_table(["", "코드 / code", "카파 / Cohen's kappa [95%]"], rows)


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.3f}" if whole else "-"


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
