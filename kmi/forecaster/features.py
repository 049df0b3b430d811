"""What the forecaster sees of a session so far: labels, client talk, lengths, position.

Every feature is a named number and none needs a translation: histories of labels and
talk types, how this therapist has answered alike moments so far, lengths and surface
cues of the last turns (`kmi.forecaster.cues`). Names begin with the group they belong
to: "label", "talk", "position" or "text"; only the last needs the words.

Unknown is not the same as absent: a turn without label, talk or text sets its own
indicator, so a plan (no texts yet) and a transcript nobody has coded are both valid.

Not covered: coding the utterances (the forecaster takes labels as given), scaling
(the model holds mean and deviation).
"""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from kmi.codes import QUESTIONS, REFLECTIONS, TALK_TYPES, THERAPIST_LABELS
from kmi.dialogue import Utterance
from kmi.forecaster.cues import HANGUL, NO_CUES, Cues, cues_of

# Three therapist labels span the 6 utterances that the reference forecaster reads. Lags 4 to 6 changed
# nothing measurable on the five folds: the decayed counts carry what lies further back.
LABEL_LAGS = 3
TALK_LAGS = 3
RECENCY = 0.75  # weight of a turn relative to the one after it, in decayed counts
SINCE = 0.8  # "turns since" enters as 0.8 ** turns: 1 just now, towards 0 long ago or never
LONGEST_RUN = 6
HANGUL_FEATURE = "text hangul"
CUE_NAMES = Cues._fields[1:]  # `words` enters as its logarithm only


class Turn(NamedTuple):
    """The part of an utterance that a forecast uses; None says unknown.

    `talk_subtype` is carried for the decision module; AnnoMI does not code it, so the
    forecaster has not learned from it. `text` is None where a plan has no words yet.
    """

    role: str
    label: str | None = None
    talk: str | None = None
    talk_subtype: str | None = None
    text: str | None = None


def turns_of(utterances: Iterable[Utterance]) -> tuple[Turn, ...]:
    """Reduces utterances to what the forecaster uses; realised labels, never planned ones."""
    return tuple(Turn(u.role, u.label, u.talk, u.talk_subtype, u.text or None) for u in utterances)


class _Tally:
    """Counts of one kind of code over a session: all, recent, by context, and when last."""

    def __init__(self, values: Sequence[str]) -> None:
        self.values = tuple(values)
        self.history: list[str | None] = []
        self.counts = dict.fromkeys(values, 0)
        self.recent = dict.fromkeys(values, 0.0)
        self.last_at: dict[str, int] = {}

    def add(self, value: str | None) -> None:
        for name in self.values:
            self.recent[name] *= RECENCY
        if value is not None:
            self.counts[value] += 1
            self.recent[value] += 1.0
            self.last_at[value] = len(self.history)
        self.history.append(value)

    def known(self) -> int:
        return sum(self.counts.values())

    def since(self, value: str) -> float:
        return SINCE ** (len(self.history) - 1 - self.last_at[value]) if value in self.last_at else 0.0

    def run(self, members: Iterable[str]) -> float:
        members, length = frozenset(members), 0
        for value in reversed(self.history):
            if value not in members or length == LONGEST_RUN:
                break
            length += 1
        return float(length)

    def lag(self, lag: int) -> tuple[bool, str | None]:
        """Whether there is a turn `lag` back (1 is the last), and its code."""
        return (True, self.history[-lag]) if len(self.history) >= lag else (False, None)


class _Lengths:
    """Lengths and cues of one speaker's turns whose words are known."""

    def __init__(self) -> None:
        self.cues: list[Cues | None] = []
        self.log_words = self.minimal = self.trailing = 0.0
        self.known = 0

    def add(self, cues: Cues | None) -> None:
        self.cues.append(cues)
        if cues is not None:
            self.known += 1
            self.log_words += cues.log_words
            self.minimal += cues.minimal
            self.trailing += cues.trails_off

    def mean(self) -> float:
        return self.log_words / self.known if self.known else 0.0


class SessionState:
    """Reads a session turn by turn; `features()` describes the moment before the next therapist turn."""

    def __init__(self) -> None:
        self.labels = _Tally(THERAPIST_LABELS)
        self.talk = _Tally(TALK_TYPES)
        self.lengths = {"therapist": _Lengths(), "client": _Lengths()}
        self.roles: list[str] = []
        # The last label other than General, and what the client said since: General is mostly "mm-hm".
        self.substantial: str | None = None
        self.client_turns_since = 0
        self.client_words_since = 0.0
        # The language last spoken: professionals and the dataset's counsellors choose differently, and are known by it.
        self.hangul = 0.0
        # How this therapist went on in alike moments: after the same label, talk type, length of client turn.
        self.answers: dict[tuple[str, str | None], dict[str, int]] = {}

    def add(self, turn: Turn) -> None:
        """Appends the next turn, of either speaker."""
        cues = None if turn.text is None else cues_of(turn.text)
        if turn.text is not None:
            self.hangul = float(HANGUL.search(turn.text) is not None)
        if turn.role == "therapist":
            self._add_label(turn.label)
        else:
            self.talk.add(turn.talk)
            self.client_turns_since += 1
            self.client_words_since += cues.words if cues else 0.0
        self.lengths[turn.role].add(cues)
        self.roles.append(turn.role)

    def _add_label(self, label: str | None) -> None:
        if label is not None:
            for moment in self._moments():
                answers = self.answers.setdefault(moment, dict.fromkeys(THERAPIST_LABELS, 0))
                answers[label] += 1
        if label not in (None, "General"):
            self.substantial, self.client_turns_since, self.client_words_since = label, 0, 0.0
        self.labels.add(label)

    def features(self) -> dict[str, float]:
        """All features by name, in the fixed order of `FEATURE_NAMES`."""
        return {**self._label_features(), **self._talk_features(), **self._position_features(), **self._text_features()}

    def _moments(self) -> list[tuple[str, str | None]]:
        moments = [("label", self.labels.lag(1)[1] or "start")]
        if self.roles and self.roles[-1] == "client":
            moments.append(("talk", self.talk.lag(1)[1]))
            cues = self.lengths["client"].cues[-1]
            if cues is not None:
                moments.append(("text", _length_class(cues)))
        return moments

    def _answers_to(self, kind: str) -> dict[str, float]:
        moment = next((moment for moment in self._moments() if moment[0] == kind), None)
        answers = self.answers.get(moment, {}) if moment else {}
        total = sum(answers.values())
        name = {"label": "same label", "talk": "same talk", "text": "same length"}[kind]
        return {f"{kind} answers after {name}={x}": answers.get(x, 0) / (total + 2) for x in THERAPIST_LABELS}

    def _label_features(self) -> dict[str, float]:
        labels, found = self.labels, {}
        for lag in range(1, LABEL_LAGS + 1):
            there, value = labels.lag(lag)
            found.update({f"label lag{lag}={x}": float(value == x) for x in THERAPIST_LABELS})
            found[f"label lag{lag}=unknown"] = float(there and value is None)
        found["label none yet"] = float(not labels.history)
        known = labels.known()
        for x in THERAPIST_LABELS:
            found[f"label share={x}"] = labels.counts[x] / (known + 4)
            found[f"label recent={x}"] = labels.recent[x]
            found[f"label since={x}"] = labels.since(x)
        found.update(self._answers_to("label"))
        questions = sum(labels.counts[x] for x in QUESTIONS)
        reflections = sum(labels.counts[x] for x in REFLECTIONS)
        found["label reflections to questions"] = math.log((reflections + 1) / (questions + 1))
        found["label questions running"] = labels.run(QUESTIONS)
        found["label reflections running"] = labels.run(REFLECTIONS)
        found["label same running"] = labels.run([labels.lag(1)[1]]) if labels.lag(1)[1] else 0.0
        found["label general running"] = labels.run(["General"])
        found["label client turns since substance"] = float(min(self.client_turns_since, LONGEST_RUN))
        found.update({f"label last substance={x}": float(self.substantial == x) for x in THERAPIST_LABELS if x != "General"})
        return found

    def _talk_features(self) -> dict[str, float]:
        talk, found = self.talk, {}
        for lag in range(1, TALK_LAGS + 1):
            there, value = talk.lag(lag)
            found.update({f"talk lag{lag}={x}": float(value == x) for x in TALK_TYPES})
            found[f"talk lag{lag}=unknown"] = float(there and value is None)
        for x in TALK_TYPES:
            found[f"talk share={x}"] = talk.counts[x] / (talk.known() + 2)
            found[f"talk recent={x}"] = talk.recent[x]
            found[f"talk since={x}"] = talk.since(x)
        found.update(self._answers_to("talk"))
        return found

    def _position_features(self) -> dict[str, float]:
        turns, clients = len(self.roles), 0
        while clients < min(3, turns) and self.roles[-1 - clients] == "client":
            clients += 1
        return {
            "position after therapist": float(bool(self.roles) and self.roles[-1] == "therapist"),
            "position client turns running": float(clients),
            "position log turns": math.log1p(turns),
            "position turns/100": min(turns / 100, 3.0),
            **{f"position within {n}": float(turns <= n) for n in (2, 4, 6, 10)},
        }

    def _text_features(self) -> dict[str, float]:
        found: dict[str, float] = {}
        for role, lengths in self.lengths.items():
            mean = lengths.mean()
            for lag in (1, 2):
                cues = lengths.cues[-lag] if len(lengths.cues) >= lag else None
                found[f"text {role} lag{lag} known"] = float(cues is not None)
                for name in CUE_NAMES:
                    found[f"text {role} lag{lag} {name}"] = getattr(cues or NO_CUES, name)
                found[f"text {role} lag{lag} to mean"] = cues.log_words - mean if cues else 0.0
            recent = [cues.log_words for cues in lengths.cues[-4:] if cues]
            found[f"text {role} recent mean"] = sum(recent) / len(recent) if recent else 0.0
            found[f"text {role} mean"] = mean
            found[f"text {role} minimal share"] = lengths.minimal / (lengths.known + 2)
            found[f"text {role} trailing share"] = lengths.trailing / (lengths.known + 2)
        found["text client to therapist"] = found["text client mean"] - found["text therapist mean"]
        found["text client words since substance"] = math.log1p(self.client_words_since)
        found[HANGUL_FEATURE] = self.hangul
        found.update(self._answers_to("text"))
        return found


def _length_class(cues: Cues) -> str:
    return "minimal" if cues.minimal else "medium" if cues.words <= 12 else "long"


FEATURE_NAMES: tuple[str, ...] = tuple(SessionState().features())
"""Names of all features in the order of every feature vector."""
TEXT_COLUMNS: tuple[int, ...] = tuple(i for i, name in enumerate(FEATURE_NAMES) if name.startswith("text "))
"""Positions of the features that need words; all 0 where no turn has any."""


def features_of(turns: Sequence[Turn]) -> list[float]:
    """Features of a session so far, to forecast the therapist turn that follows it."""
    state = SessionState()
    for turn in turns:
        state.add(turn)
    return list(state.features().values())


def examples_of(turns: Sequence[Turn], seen: Sequence[Turn] | None = None) -> tuple[list[list[float]], list[int]]:
    """Features and target (index into THERAPIST_LABELS) of each therapist turn after the first turn.

    Args:
        turns: a session whose therapist turns are all labelled; gives the targets.
        seen: the same session as the forecaster is to see it, e.g. without words; by
            default `turns`.
    """
    state, rows, targets = SessionState(), [], []
    for i, (turn, visible) in enumerate(zip(turns, turns if seen is None else seen, strict=True)):
        if i and turn.role == "therapist":
            rows.append(list(state.features().values()))
            targets.append(THERAPIST_LABELS.index(turn.label))
        state.add(visible)
    return rows, targets
