"""Visitors at once, in small: nobody is shown what another wrote. The whole of it is scripts/benchmark_space.py."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from kmi.space.app import build, launch
from kmi.space.engine import Engine
from kmi.writers import Completion

gradio_client = pytest.importorskip("gradio_client")


class Echo:
    """Gives the visitor's own words back: a session that is mixed up shows at once."""

    name, concurrency = "echo", 1

    async def prepare(self):
        """Nothing to prepare."""

    async def close(self):
        """Nothing to close."""

    async def write(self, request):
        return Completion(f"T SR | {' '.join(request.cue.history[-1].split()[:2])} 그런 말씀이시군요.")


@pytest.fixture(scope="module")
def url():
    blocks = build(Engine(Echo()))
    launch(blocks, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    yield blocks.local_url
    blocks.close()


def visit(url, number):
    """Two messages of one visitor; the texts that came back."""
    client, window = gradio_client.Client(url, verbose=False), []
    for text in ("담배 얘기예요.", "끊고 싶어요."):
        *_, (_, window, _) = client.submit(f"비밀{number} {text}", window, "ko", api_name="/chat")
    return [message["content"] for message in window]


def test_sessions_never_mix(url):
    with ThreadPoolExecutor(8) as visitors:
        shown = list(visitors.map(lambda number: str(visit(url, number)), range(8)))
    for number, text in enumerate(shown):
        assert text.count(f"비밀{number} ") >= 4, text  # said twice and given back twice
        assert not any(f"비밀{other} " in text for other in range(8) if other != number)


def test_a_call_with_rubbish_gets_no_server_path(url):
    client = gradio_client.Client(url, verbose=False)
    with pytest.raises(Exception) as caught:
        client.predict("담배", [{"role": "nonsense"}], "klingon", api_name="/chat")
    assert "/kmi/" not in str(caught.value) and "site-packages" not in str(caught.value)
