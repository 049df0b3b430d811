"""A coder with fixed ears, and a session over a scripted writer."""

import asyncio
from dataclasses import dataclass

import pytest

from kmi.chatbot.session import ChatSession
from kmi.writers.base import Completion


@dataclass
class Coded:
    label: str


class FixedCoder:
    """Hears the same talk in whatever is said."""

    def __init__(self, talk="neutral"):
        self.talk, self.asked = talk, []

    def code_turns(self, turns):
        self.asked.append(list(turns))
        return [Coded(self.talk) for _ in turns]


class Says:
    """A writer that says the given texts in turn, the last for ever; an exception among them is raised."""

    name, concurrency = "says", 1

    def __init__(self, *texts):
        self.texts, self.requests = list(texts), []

    def describe(self):
        return {"writer": self.name}

    async def prepare(self):
        pass

    async def write(self, request):
        self.requests.append(request)
        text = self.texts[min(len(self.requests), len(self.texts)) - 1]
        if isinstance(text, Exception):
            raise text
        return Completion(text)

    async def close(self):
        pass


@pytest.fixture
def says():
    return Says


@pytest.fixture
def fixed_coder():
    return FixedCoder


@pytest.fixture
def chat(fixed_forecaster):
    """Makes a session; `ask` runs one message through it."""

    def make(writer, **options):
        options = {"forecaster": fixed_forecaster(), "coder": FixedCoder()} | options
        return ChatSession(writer, **options)

    return make


@pytest.fixture
def ask():
    """Runs messages through a session and returns the last reply."""

    def run(session, *messages):
        async def every():
            for message in messages:
                reply = await session.respond(message)
            return reply

        return asyncio.run(every())

    return run
