"""The crisis guard: is somebody in danger? Looks at every message before any model does; cannot be switched off.

Two layers, either one is enough: patterns that decide alone (`guard_patterns`), and a small trained classifier (`guard_classifier`) that
weighs all patterns and the words around them. Both see every reading of the message (`guard_spelling`). No language model takes part.
It errs towards alarm: a needless help text costs little. Words split over several messages are put together.

    Guard().look("이제 다 끝내고 싶어요")  # Danger(kind="suicide", ...)
    Watch().hear("요즘 잠을 잘 못 자요")   # the reply to give instead of a model's, or None

Not covered: what a model writes (`guard_output`); the texts themselves (`guard_replies.toml`).
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from kmi.chatbot.guard_classifier import Classifier
from kmi.chatbot.guard_patterns import certain
from kmi.chatbot.guard_spelling import readings
from kmi.errors import DataError, allowed

LANGUAGES = ("ko", "en")
# Calm messages after which a model may speak again.
STAYS_IN_FORCE = 3
# A hidden word may be spread over this many messages, each short: long ones are looked at whole.
TOGETHER, SHORT = 3, 60
# Put together, calm messages look a little more alarming than each: only what is more likely danger than not counts.
JOINED = 0.5


@dataclass(frozen=True, slots=True)
class Danger:
    """What was seen: `kind` one of `KINDS`, the `words` of a pattern that decided alone (else ""), and the classifier's `probability`, 0-1."""

    kind: str
    words: str
    probability: float


class Guard:
    """Looks at single messages; keeps nothing."""

    def __init__(self) -> None:
        self._classifier = Classifier.shipped()

    @property
    def threshold(self) -> float:
        """The classifier's probability that is an alarm, 0-1."""
        return self._classifier.threshold

    def look(self, message: str, before: Sequence[str] = ()) -> Danger | None:
        """The danger in a message, or None.

        Args:
            message: as typed, of any length.
            before: the writer's earlier messages, oldest first; the last two are read together with this one.
        """
        found = self._look(message)
        if found:
            return found
        run = [message]
        for earlier in reversed(before[-(TOGETHER - 1) :]):
            if max(len(earlier), len(message)) > SHORT or self._look(earlier):
                # What stood in an earlier message alone was seen when it came.
                return None
            run.insert(0, earlier)
            for together in (" ".join(run), "".join(run)):
                found = self._look(together, JOINED)
                if found:
                    return found
        return None

    def _look(self, message: str, threshold: float = 0.0) -> Danger | None:
        if not message.strip():
            return None
        probability, kind = self._classifier.danger(message)
        sure = next(filter(None, map(certain, readings(message))), None)
        if sure or probability >= max(threshold, self.threshold):
            return Danger(kind, sure[1] if sure else "", probability)
        return None


@dataclass(slots=True)
class Watch:
    """The guard over one conversation: remembers what was said and whether a danger is still in force."""

    language: str = "ko"
    guard: Guard = field(default_factory=lambda: shared_guard())
    heard: list[str] = field(default_factory=list)
    danger: Danger | None = None
    _calm: int = 0
    _given: int = 0

    def hear(self, message: str) -> str | None:
        """Takes the next message of the person; the text to answer with while a danger is in force, else None."""
        seen = self.guard.look(message, self.heard)
        self.heard.append(message)
        if seen:
            fresh = self.danger is None or self.danger.kind != seen.kind
            self.danger, self._calm, self._given = seen, 0, 0 if fresh else self._given
        elif self.danger:
            self._calm += 1
            if self._calm > STAYS_IN_FORCE:
                self.danger = None
        if not self.danger:
            return None
        text = reply(self.danger.kind, self.language, self._given)
        self._given += 1
        return text


def reply(kind: str, language: str = "ko", given: int = 0) -> str:
    """The fixed text for a danger: the first time in full, then the shorter ones in turn."""
    if language not in LANGUAGES:
        raise DataError(f"Expected a language among {allowed(LANGUAGES)}, got {language!r}.")
    texts = _replies()[language][kind]
    return texts["first"].strip() if given == 0 else texts["again"][(given - 1) % len(texts["again"])]


@cache
def shared_guard() -> Guard:
    """One guard for the process: it keeps nothing between messages."""
    return Guard()


@cache
def _replies() -> dict:
    return tomllib.loads(files("kmi.chatbot").joinpath("guard_replies.toml").read_text(encoding="utf-8"))
