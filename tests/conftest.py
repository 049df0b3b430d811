"""Shared fixtures: small dialogues, a forecaster with a fixed ranking, a scripted writer.

The scripted writer answers from the prompt alone, as a model would, with sentences from
`data/scripted_turns.txt`; so it serves in process and behind the dummy server, in turn and
plan mode, and answers only if the prompt really shows the label or the plan.
"""

import asyncio
import importlib.util
import re
from collections import defaultdict
from pathlib import Path

import pytest

from kmi import codes
from kmi.clients.cases import Case
from kmi.dialogue import ClientProfile, Dialogue, Forecast, Utterance
from kmi.simulation import prompting
from kmi.simulation.decision import Situation, kmi_policy
from kmi.simulation.director import Director
from kmi.writers.base import Completion

DATA = Path(__file__).with_name("data")
ROOT = DATA.parents[1]
RANKING = (
    ("Complex Reflection", 0.30),
    ("Open Question", 0.22),
    ("Simple Reflection", 0.18),
    ("General", 0.12),
    ("Closed Question", 0.08),
    ("Affirm", 0.05),
    ("Give Information", 0.03),
    ("Advise", 0.02),
)
CALM_POST = "가게를 닫고 나면 소주를 한 병씩 마십니다. 딸이 저녁이면 방문을 잠그고 잡니다. 줄이고는 싶은데 그 시간마저 없으면 어쩌나 싶어요."
PROFILE = ClientProfile(age_band="40대 후반", occupation="분식집 사장", readiness="contemplation", speech_style="해요체, 짧고 담담함")


class FixedForecaster:
    """Ranks the labels the same way whatever was said; remembers what it was asked."""

    revision = "fixed"

    def __init__(self, ranking=RANKING):
        self.ranking = tuple(Forecast(label, probability) for label, probability in ranking)
        self.asked = []

    def forecast(self, turns):
        self.asked.append(tuple(turns))
        return self.ranking


class ScriptedAnswers:
    """A pure function from chat messages to an answer in the compact notation."""

    def __init__(self, path=DATA / "scripted_turns.txt"):
        self.pools = defaultdict(list)
        for line in path.read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("//"):
                head, _, text = line.partition("|")
                self.pools[head.strip()].append(text.strip())

    def __call__(self, messages):
        prompt = messages[1]["content"]
        # The last one: a post may hold the same words.
        wanted = re.findall(r"형식: ([TC]) (\S+) \|", prompt)
        return self._turn(prompt, *wanted[-1]) if wanted else self._session(prompt)

    def _turn(self, prompt, role, code):
        said = set(re.findall(r"^(?:상담자|내담자): (.*)$", prompt, re.M))
        notes = {"ask": "safety_ask", "line": "safety_line", "discloses": "client_discloses"}
        special = [pool for pool, note in notes.items() if prompting.note_text(note) in prompt]
        kind = code.partition("/")[0]
        return f"{role} {code} | {self._pick(special[0] if special else f'{role} {kind}', said)}"

    def _session(self, prompt):
        plan = prompt[prompt.rindex('#{"packet"') :].splitlines()
        said, lines, danger = set(), [plan[0], "CTX 저녁마다 술을 마시고 딸과 멀어졌다는 글입니다."], 0
        for line in plan[2:]:
            if line.startswith("=="):
                lines.append(line)
                continue
            code = re.match(r"[TC] \S+(?: !fix)?", line)[0]
            pool = " ".join(code.split()[:2]).partition("/")[0]
            discloses = prompting.note_text("client_discloses") in line
            danger = 1 if discloses else danger + 1 if danger else 0
            special = {1: "discloses", 2: "ask", 4: "line"}.get(danger)
            text = self._pick(special or pool, said)
            said.add(text.partition("|")[0].strip())
            lines.append(f"{code} | {text}")
        return "\n".join(lines)

    def _pick(self, pool, said):
        return next(text for text in self.pools[pool] if text.partition("|")[0].strip() not in said)


class ScriptedWriter:
    """Answers with `answer(messages)`; `before(request, number)` may raise or give another text."""

    name = "scripted"

    def __init__(self, answer, before=lambda request, number: None, concurrency=1):
        self.answer, self.before, self.concurrency = answer, before, concurrency
        self.requests, self.answered, self.prepared, self.closed = [], [], 0, 0
        self.in_flight = self.peak = 0

    def describe(self):
        return {"writer": self.name, "model": "scripted-1"}

    async def prepare(self):
        self.prepared += 1

    async def write(self, request):
        number = len(self.requests)
        self.requests.append(request)
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        try:
            await asyncio.sleep(0)
            text = self.before(request, number)
            text = self.answer(request.messages) if text is None else text
        finally:
            self.in_flight -= 1
        self.answered.append(request)
        return Completion(text, prompt_tokens=7, output_tokens=3, model="scripted-1")

    async def close(self):
        self.closed += 1

    async def ask(self, request):
        """What `simulate` and `write_session` call."""
        return await self.write(request)


@pytest.fixture(scope="session")
def data_folder():
    return DATA


@pytest.fixture(scope="session")
def repository():
    return ROOT


@pytest.fixture(scope="session")
def load_script():
    """Loads a file of scripts/ as a module in this process, where torch is loaded once only."""

    def load(name):
        spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture(scope="session")
def scripted_answers():
    return ScriptedAnswers()


@pytest.fixture
def scripted_writer(scripted_answers):
    """Makes a scripted writer; see `ScriptedWriter`."""
    return lambda **options: ScriptedWriter(options.pop("answer", scripted_answers), **options)


@pytest.fixture
def fixed_forecaster():
    """Makes a forecaster with a fixed ranking, by default `RANKING`."""
    return FixedForecaster


@pytest.fixture
def make_case():
    """Makes a case; what is not named is an ordinary one."""

    def make(**changes):
        values = {
            "id": "post-000001-abcdef01", "category": "중독·집착", "context": CALM_POST, "profile": PROFILE,
            "arc": "steady_growth", "ending": "commitment", "seed": 11,
        }  # fmt: skip
        return Case(**{**values, **changes})

    return make


@pytest.fixture
def make_director(make_case):
    """Makes a director over a fixed ranking."""

    def make(policy=kmi_policy, forecaster=None, **changes):
        return Director(make_case(**changes), forecaster or FixedForecaster(), policy)

    return make


@pytest.fixture
def make_situation():
    """Makes a situation in the middle of a session; labels decide the turn number unless it is given."""

    def make(ranking=RANKING, **changes):
        labels = tuple(changes.pop("labels", ("Open Question", "Simple Reflection", "Complex Reflection", "Affirm")))
        values = {
            "labels": labels, "last_talk": "neutral", "last_subtype": None, "turn": len(labels), "turns": 12, "process": "evoking",
            "forecast": tuple(Forecast(label, probability) for label, probability in ranking),
        }  # fmt: skip
        return Situation(**{**values, **changes})

    return make


@pytest.fixture
def make_dialogue(scripted_answers):
    """Makes a dialogue of 17 utterances that passes every check; fields and turns can be changed."""

    def make(turns=None, **changes):
        therapist = ["GE", "OQ", "SR", "CR", "OQ", "AF", "CR", "SR", "CR"]
        client = ["neutral", "neutral", "sustain", "sustain", "change", "neutral", "change", "change"]
        utterances, said = [], set()
        for number in range(17):
            pool = f"T {therapist[number // 2]}" if number % 2 == 0 else f"C {client[number // 2]}"
            ko = scripted_answers._pick(pool, said).partition("|")[0].strip()
            said.add(ko)
            code = pool[2:]
            spoken = {"label": codes.label_of(code)} if pool[0] == "T" else {"talk": code}
            utterances.append(Utterance("therapist" if pool[0] == "T" else "client", ko, process="evoking", **spoken))
        for number, turn in (turns or {}).items():
            utterances[number] = turn
        values = {
            "id": "d1", "category": "중독·집착", "context": CALM_POST, "utterances": tuple(utterances),
            "profile": PROFILE, "arc": "steady_growth", "ending": "partial",
        }  # fmt: skip
        return Dialogue(**{**values, **changes})

    return make


@pytest.fixture
def fresh_cache(tmp_path, monkeypatch):
    """An empty cache for the datasets library, which otherwise might answer from an earlier test."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf-cache")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
