"""What a run will ask for, before it asks: requests, tokens, cost.

Real prompts are built for a sample of the cases, with stand-in utterances of usual length, and
counted. Tokens are characters divided by `CHARACTERS_PER_TOKEN`, so the estimate is
rough (tokenizers differ by half); the run's report has the true counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kmi.clients.cases import Case
from kmi.dialogue import Utterance
from kmi.simulation import prompting
from kmi.simulation.decision import Policy
from kmi.simulation.director import Director
from kmi.simulation.plan_mode import plan_lines, roll_out

# Assumed, not measured: no multilingual tokenizer was at hand. Compare a first report's true counts.
CHARACTERS_PER_TOKEN = 1.6
# Mean characters of a turn over the first 150 dialogues of the corpus.
TURN_KO, TURN_EN = 71, 156
# Assumed as well.
ENGLISH_CHARACTERS_PER_TOKEN = 4.2
TURN_TOKENS = TURN_KO / CHARACTERS_PER_TOKEN + TURN_EN / ENGLISH_CHARACTERS_PER_TOKEN + 8
# Share of answers that fail the checks and are asked again: assumed, it depends on the model.
ASKED_AGAIN = 0.05
SAMPLE = 20


@dataclass(frozen=True, slots=True)
class Estimate:
    """Expected requests and tokens of a whole run."""

    sessions: int
    requests: int
    prompt_tokens: int
    output_tokens: int

    def cost(self, per_million_prompt: float, per_million_output: float) -> float:
        """Cost in the currency of the prices, which are per million tokens."""
        return (self.prompt_tokens * per_million_prompt + self.output_tokens * per_million_output) / 1e6


def estimate(cases: Sequence[Case], forecaster: object, policy: Policy, mode: str) -> Estimate:
    """Expected size of a run over `cases` in `mode`, from a sample spread evenly over them."""
    step = max(1, len(cases) // SAMPLE)
    sample = cases[::step]
    counts = [(_turn_mode if mode == "turn" else _plan_mode)(Director(case, forecaster, policy)) for case in sample]
    scale = len(cases) / len(sample) * (1 + ASKED_AGAIN)
    requests, prompt, output = (round(sum(column) * scale) for column in zip(*counts, strict=True))
    return Estimate(len(cases), requests, prompt, output)


def _turn_mode(director: Director) -> tuple[float, float, float]:
    said: list[Utterance] = []
    prompt = 0.0
    while not director.finished:
        process, text = director.process, "가" * TURN_KO
        if len(said) % 2 == 0:
            decision = director.decide()
            messages = prompting.therapist_messages(director.case, said, decision, process, "")
            said.append(Utterance("therapist", text, label=decision.label))
            director.record_therapist(said[-1], decision)
        else:
            step = director.client_step()
            messages = prompting.client_messages(director.case, said, step, "")
            said.append(Utterance("client", text, talk=step.talk, talk_subtype=step.subtype))
            director.record_client(said[-1], step)
        prompt += _tokens(messages)
    return len(said), prompt, len(said) * TURN_TOKENS


def _plan_mode(director: Director) -> tuple[float, float, float]:
    packet = roll_out(director)
    return 1, _tokens(prompting.session_messages(packet.case, plan_lines(packet))), len(packet.turns) * TURN_TOKENS


def _tokens(messages: prompting.Messages) -> float:
    return sum(len(message["content"]) for message in messages) / CHARACTERS_PER_TOKEN
