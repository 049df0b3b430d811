"""What a writer is asked for in a live conversation: the simulation's therapist prompt, without a client profile.

Not covered: the prompt's words (`kmi/simulation/prompts`), reading and judging the answer (`kmi.chatbot.session`).
"""

from collections.abc import Callable, Sequence

from kmi.clients.cases import Case
from kmi.dialogue import ClientProfile, Utterance
from kmi.simulation import prompting
from kmi.simulation.decision import Decision
from kmi.writers.base import Cue, WriteRequest

MAX_TOKENS = 300
TEMPERATURE = 0.7
# Turns a prompt shows: a long talk must fit into a small model's window.
RECENT = 16
NOTED = {"permission", "information", "affirmation"}


def live_request(said: Sequence[Utterance], decision: Decision, process: str, seed: int) -> Callable[[int], WriteRequest]:
    """The request for the reply to the last of `said`, as a function of the attempt (0, 1, ...)."""
    recent = said[-RECENT:]
    case = Case("live", "", "", ClientProfile(), "", "", seed)
    note = prompting.note_text(decision.override) if decision.override in NOTED else ""
    messages = prompting.therapist_messages(case, recent, decision, process, note)
    cue = Cue("therapist", label=decision.label, process=process, history=tuple(turn.text for turn in said))

    def request(attempt: int) -> WriteRequest:
        return WriteRequest(f"live/{len(said)}/{attempt}", messages, MAX_TOKENS, TEMPERATURE, (seed + 7919 * len(said) + attempt) % 2**31, cue)

    return request
