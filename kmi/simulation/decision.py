"""The decision module: from the forecaster's ranking to the one label the therapist will realise.

Two policies over the same situation, both reproducible by the generator they are given:

* `reference_policy`: the rules of the reference prototype (Kim et al., 2025).
* `kmi_policy` (default): one of the forecaster's top three, steered towards competent
  practice (`LABEL_PULL`, reflections to questions above 1.5), with overrides that are recorded as such:
  affirmation after change talk; permission, then information or advice; opening and
  closing; safety. Without overrides Affirm and Advise would all but vanish: on the fixed AnnoMI
  folds they are among the top three on 5% and 1% of turns.

Not covered: wording (the writers) and client talk (`kmi.simulation.track`).
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

from kmi.codes import QUESTIONS, REFLECTIONS
from kmi.dialogue import Forecast

# Pull of each label on a session's turns: the more a session lacks one, the likelier it is drawn from the
# top three. Not the shares that come out: simple reflections pull hard because the forecaster seldom ranks
# them among three. Set so that planned corpora land near R:Q 1.6, complex share .73, open share .76 (MITI
# 4.2.1: R:Q 1 fair, 2 good, complex share .4 and .5; MITI 3.1: open share .5 and .7).
LABEL_PULL = {
    "Simple Reflection": 0.50,
    "Complex Reflection": 0.15,
    "Open Question": 0.17,
    "Closed Question": 0.11,
    "Affirm": 0.06,
    "General": 0.02,
}
# Reflections to questions aimed at within a session, above 1.6 because overrides add closed questions.
TARGET_RQ = 2.5
# Turns' worth of belief in the targets before a session has shown anything.
PRIOR_TURNS = 5.0
# 84% of the General turns that the forecaster learned from are backchannels of one or two words, which a
# written session does not spend a turn on.
GENERAL_WORTH_A_TURN = 0.4
# 0 follows the forecaster's probabilities, larger values pull harder towards the targets.
STEERING = 2.0
# First labels of the 110 AnnoMI-high sessions, of those that can open a first meeting (74 sessions).
OPENINGS = {"Open Question": 0.43, "General": 0.33, "Closed Question": 0.24}
AFFIRM_AFTER_CHANGE_TALK = 0.40
PERMISSION_PER_TURN = 0.13
PERMISSION_IF_FORECAST = 0.26


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known when a therapist label is to be chosen.

    `labels` are the therapist labels so far, `last_talk` and `last_subtype` the client's
    latest turn, `forecast` all 8 labels most probable first, `turn` the number of this
    therapist turn of `turns`. `must_reflect`: the client will correct this reflection.
    `since_danger`: therapist turns since danger to life was disclosed (1 is the first), else None.
    `permission_pending`: permission was just asked for information or advice.
    """

    labels: tuple[str, ...]
    last_talk: str | None
    last_subtype: str | None
    forecast: tuple[Forecast, ...]
    turn: int
    turns: int
    process: str
    must_reflect: bool = False
    since_danger: int | None = None
    permission_pending: bool = False
    permission_asked: int = 0

    @property
    def is_last(self) -> bool:
        """True on the session's closing turn."""
        return self.turn == self.turns - 1


@dataclass(frozen=True, slots=True)
class Decision:
    """The label to realise, why, and the top three it was chosen from.

    `override` names the rule that set the forecast aside: "affirmation", "permission",
    "information", "opening", "closing", "safety", "correction" or "fallback"; None where the label is of the top three.
    `allowed` are the labels that a writer may realise instead: others of the top three that no rule bars.
    """

    label: str
    reason: str
    forecast: tuple[Forecast, ...]
    override: str | None = None
    allowed: tuple[str, ...] = ()


Policy = Callable[[Situation, random.Random], Decision]


def kmi_policy(situation: Situation, rng: random.Random) -> Decision:
    """KMI's policy: an override where one applies, else a steered draw from the top three."""
    for rule in (_opening, _safety, _after_permission, _correction, _closing, _affirmation, _permission):
        decision = rule(situation, rng)
        if decision:
            return decision
    return _steered(situation, rng)


def reference_policy(situation: Situation, rng: random.Random) -> Decision:
    """The reference prototype's rules, in its order; safety before them, since no policy may choose against it."""
    top = situation.forecast[:3]
    safety = _safety(situation, rng)
    if safety:
        return safety
    if situation.last_talk == "change" and rng.random() < 0.2:
        return Decision("Affirm", "affirmation after change talk (p .2)", top, "affirmation")
    if any(option.label == "Advise" for option in top[:2]):
        return Decision("Advise", "advice is in the forecaster's top two", top)
    for rank, option in enumerate(top, start=1):
        if option.label == "Open Question" and rng.random() < 0.2:
            continue
        blocked = option.label in QUESTIONS and situation.is_last
        if not blocked and not _runs(situation, option.label, same=3, questions=3, reflections=4):
            return Decision(option.label, _ranked(rank, option), top)
    return _reference_fallback(situation, rng, top)


def _reference_fallback(situation: Situation, rng: random.Random, top: tuple[Forecast, ...]) -> Decision:
    kinds = [_kind(label) for label in situation.labels[-2:]]
    if kinds == ["question", "question"]:
        label = rng.choice(sorted(REFLECTIONS))
    elif kinds == ["reflection", "reflection"] and not situation.is_last:
        label = rng.choice(sorted(QUESTIONS))
    else:
        label = rng.choice(["Simple Reflection", "General"])
    return Decision(label, "none of the top three passes the rules", top, "fallback")


POLICIES: dict[str, Policy] = {"kmi": kmi_policy, "reference": reference_policy}


def _opening(situation: Situation, rng: random.Random) -> Decision | None:
    """The first turn greets or asks: there is no history to forecast from, and the forecaster learned from none."""
    if situation.turn > 0:
        return None
    label = rng.choices(list(OPENINGS), list(OPENINGS.values()))[0]
    return Decision(label, "opening the session", situation.forecast[:3], "opening")


def _safety(situation: Situation, rng: random.Random) -> Decision | None:
    """Danger was disclosed: ask directly, then give the crisis line, whatever the forecast says."""
    top = situation.forecast[:3]
    if situation.since_danger == 1:
        return Decision("Closed Question", "safety: ask directly about suicide, plan and means", top, "safety")
    if situation.since_danger == 2:
        return Decision("Give Information", "safety: name 109 with care and agree who is near", top, "safety")
    return None


def _correction(situation: Situation, rng: random.Random) -> Decision | None:
    if not situation.must_reflect or _runs(situation, "Complex Reflection"):
        return None
    # Only a complex reflection can miss what was meant; a simple one repeats what was said.
    return Decision("Complex Reflection", "a reflection that will miss and be put right by the client", situation.forecast[:3], "correction")


def _closing(situation: Situation, rng: random.Random) -> Decision | None:
    """The last turn never asks: a summary, a farewell or an affirmation."""
    if not situation.is_last:
        return None
    weights = {"Complex Reflection": 0.50, "General": 0.28, "Affirm": 0.22}
    weights = {label: weight for label, weight in weights.items() if not _runs(situation, label)}
    label = rng.choices(list(weights), list(weights.values()))[0]
    return Decision(label, "closing the session without a question", situation.forecast[:3], "closing")


def _after_permission(situation: Situation, rng: random.Random) -> Decision | None:
    if not situation.permission_pending:
        return None
    advice = 0.60 if situation.process == "planning" else 0.42
    label = "Advise" if rng.random() < advice else "Give Information"
    return Decision(label, "permission was asked; now the information or advice it was for", situation.forecast[:3], "information")


def _affirmation(situation: Situation, rng: random.Random) -> Decision | None:
    """Change talk, above all ability, a step taken or a commitment, earns an affirmation now and then."""
    if situation.last_talk != "change" or "Affirm" in situation.labels[-3:]:
        return None
    strong = situation.last_subtype in {"ability", "taking_steps", "commitment", "activation"}
    if rng.random() < AFFIRM_AFTER_CHANGE_TALK * (1.25 if strong else 0.75):
        kind = f"change/{situation.last_subtype}" if situation.last_subtype else "change talk"
        return Decision("Affirm", f"affirmation after {kind}", situation.forecast[:3], "affirmation")
    return None


def _permission(situation: Situation, rng: random.Random) -> Decision | None:
    """Information or advice is worth giving: ask first, and leave room for the answer."""
    room = situation.turns - situation.turn > 3 and situation.turn >= situation.turns * 0.3
    if not room or situation.permission_asked >= 2 or _runs(situation, "Closed Question"):
        return None
    in_top = any(option.label in {"Give Information", "Advise"} for option in situation.forecast[:3])
    chance = PERMISSION_IF_FORECAST if in_top else PERMISSION_PER_TURN
    if rng.random() < chance / (1 + 2 * situation.permission_asked):
        return Decision("Closed Question", "ask permission before information or advice", situation.forecast[:3], "permission")
    return None


def _steered(situation: Situation, rng: random.Random) -> Decision:
    """A draw from the top three, each weighted by its probability and by what the session lacks."""
    top = situation.forecast[:3]
    weights = [0.0 if _barred(situation, option.label) else option.probability * _pull(situation, option.label) for option in top]
    if sum(weights) == 0:
        return _kmi_fallback(situation, top)
    rank = rng.choices(range(len(top)), weights)[0]
    allowed = tuple(option.label for option, weight in zip(top, weights, strict=True) if weight)
    reason = _ranked(rank + 1, top[rank]) + _steering_note(situation, top[rank].label)
    return Decision(top[rank].label, reason, top, allowed=allowed)


def _pull(situation: Situation, label: str) -> float:
    """How much the session lacks `label`: above 1 where it has had less of it than the targets say."""
    target = LABEL_PULL[label]
    share = (situation.labels.count(label) + PRIOR_TURNS * target) / (len(situation.labels) + PRIOR_TURNS)
    reflections, questions = _reflections_and_questions(situation)
    # Smoothed by one question's worth of the target, so that the first turns do not swing it.
    balance = (reflections + TARGET_RQ) / (questions + 1) / TARGET_RQ
    by_kind = {"question": balance, "reflection": 1 / balance}.get(_kind(label), 1.0)
    worth = GENERAL_WORTH_A_TURN if label == "General" else 1.0
    return worth * (target / share * by_kind) ** STEERING


def _kmi_fallback(situation: Situation, top: tuple[Forecast, ...]) -> Decision:
    """All of the top three are barred: the most probable label of the full ranking that is not."""
    for option in situation.forecast[3:]:
        if not _barred(situation, option.label):
            return Decision(option.label, "the top three are barred by the rules; next in the ranking", top, "fallback")
    return Decision("General", "every other label is barred by the rules", top, "fallback")


def _barred(situation: Situation, label: str) -> bool:
    reflections, questions = _reflections_and_questions(situation)
    # Two questions ahead of the reflections is where a session starts to sound like an interview.
    unheard = label in QUESTIONS and questions > max(1, reflections)
    again = (label == "General" and "General" in situation.labels) or (label == "Affirm" and "Affirm" in situation.labels[-3:])
    parroting = label == "Simple Reflection" and situation.labels[-2:] == ("Simple Reflection",) * 2
    untold = label not in LABEL_PULL  # information and advice come after permission only
    return unheard or again or parroting or untold or _runs(situation, label)


def _runs(situation: Situation, label: str, *, same: int = 99, questions: int = 3, reflections: int = 4) -> bool:
    """True if `label` would be the third question or fourth reflection (or `same`-th label) running."""
    after = (*situation.labels, label)
    kinds = [_kind(item) for item in after]
    return (
        (kinds[-1] == "question" and kinds[-questions:] == ["question"] * questions)
        or (kinds[-1] == "reflection" and kinds[-reflections:] == ["reflection"] * reflections)
        or after[-same:] == (label,) * same
    )


def _kind(label: str) -> str:
    return "question" if label in QUESTIONS else "reflection" if label in REFLECTIONS else "other"


def _ranked(rank: int, option: Forecast) -> str:
    return f"rank {rank} of the forecast (p {option.probability:.2f})"


def _steering_note(situation: Situation, label: str) -> str:
    reflections, questions = _reflections_and_questions(situation)
    if not questions or _kind(label) == "other":
        return ""
    return f"; R:Q so far {reflections / questions:.1f}"


def _reflections_and_questions(situation: Situation) -> tuple[int, int]:
    kinds = [_kind(label) for label in situation.labels]
    return kinds.count("reflection"), kinds.count("question")
